"""How a file is dragged from a folder of one's own into a page."""

from __future__ import annotations

from playwright.sync_api import Page

_DROP = """
async ([name, bytes]) => {
  // Until then nothing on the page listens.
  if (document.readyState !== "complete") {
    await new Promise((loaded) => addEventListener("load", loaded, { once: true }));
  }
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name));
  const drop = document.querySelector("[data-drop]");
  const how = { dataTransfer: data, bubbles: true, cancelable: true };
  drop.dispatchEvent(new DragEvent("drop", how));
}
"""


def drop(page: Page, filename: str, content: bytes) -> None:
    """Drop a file on the page's field for files."""
    page.wait_for_selector("[data-drop]")
    page.evaluate(_DROP, [filename, list(content)])
