// Looks whether a client of the reader has called, and says so in the line that has data-poll.

const EVERY_MS = 2000;
const line = document.querySelector("[data-poll]");

// Each part by itself: a screen reader is told what was said, and not every second that passes.
function show(page) {
  for (const fresh of page.querySelectorAll("[data-part]")) {
    const shown = line.querySelector(`[data-part="${fresh.dataset.part}"]`);
    if (shown.innerHTML !== fresh.innerHTML) shown.replaceChildren(...fresh.childNodes);
  }
}

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(line.dataset.poll, { headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) {
      show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
  } catch {
    // Larder is away; the next look tells.
  }
}

if (line) setInterval(look, EVERY_MS);
