// Copy buttons: data-copy holds the text, or is empty for the code in the nearest data-copy-source.

const FEEDBACK_MS = 1600;

function textFor(button) {
  return button.dataset.copy || button.closest("[data-copy-source]")?.querySelector("code")?.textContent.trim() || "";
}

// Browsers give no clipboard to a page that came over plain http from another machine.
function copyBySelection(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  field.readOnly = true;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}

async function copy(text) {
  if (!navigator.clipboard) return copyBySelection(text);
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function tell(button, copied) {
  const status = document.getElementById("announcement");
  if (status) status.textContent = copied ? "Copied." : "Copying failed. Select the text and copy it.";
  button.dataset.copied = copied ? "yes" : "no";
  setTimeout(() => {
    delete button.dataset.copied;
    if (status) status.textContent = "";
  }, FEEDBACK_MS);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const copied = await copy(textFor(button));
  button.focus();
  tell(button, copied);
});
