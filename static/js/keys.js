// Keys: `/` and Ctrl-K to search, `?` for the list of keys, `g h` home, `j` and `k` along rows.
// Single keys do nothing in fields or with modifiers, and can be switched off (WCAG 2.1.4).

const OFF = "keys-off";
const SECOND_KEY_MS = 1200;
const TYPING_MS = 120;
const ROWS = "[data-walk] > *, [data-walk-row], .rows tbody tr";
const STOPS = "a[href], button:not([hidden]):not([disabled])";

const help = document.getElementById("keys");
const palette = document.getElementById("palette");
let afterG = 0; // when `g` was pressed

function areOff() {
  try {
    return localStorage.getItem(OFF) === "yes";
  } catch {
    return false; // storage is closed to us
  }
}

function isTyping(element) {
  return element.isContentEditable || Boolean(element.closest?.("input, textarea, select, [role=textbox]"));
}

function open(dialog) {
  for (const other of document.querySelectorAll("dialog[open]")) other.close();
  dialog.showModal();
  if (dialog === palette) look();
}

// The first thing to press in each row that is to be seen: what is open in front, else the page.
function stops() {
  const within = document.querySelector("dialog[open]") ?? document.querySelector("main, #content") ?? document.body;
  const rows = [...within.querySelectorAll(ROWS)].filter((row) => row.offsetParent);
  return rows.map((row) => row.querySelector(STOPS)).filter(Boolean);
}

function walk(by) {
  const found = stops();
  if (!found.length) return false;
  const here = found.findIndex((stop) => stop === document.activeElement);
  const next = found[here < 0 ? (by > 0 ? 0 : found.length - 1) : here + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return Boolean(next);
}

function isWalking() {
  return stops().includes(document.activeElement);
}

function toSearch() {
  const box = document.getElementById("query") ?? document.getElementById("site-search");
  box?.focus();
  box?.select();
}

function press(key) {
  if (afterG && Date.now() - afterG < SECOND_KEY_MS) {
    afterG = 0;
    const way = help.querySelector(`[data-go="${CSS.escape(key)}"]`);
    if (way) location.assign(way.href);
    return Boolean(way);
  }
  switch (key) {
    case "/":
      toSearch();
      return true;
    case "?":
      open(help);
      return true;
    case "g":
      afterG = Date.now();
      return true;
    case "j":
      return walk(1);
    case "k":
      return walk(-1);
    default:
      return false;
  }
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const { key } = event;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && key.toLowerCase() === "k") {
    event.preventDefault();
    open(palette);
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (key === "Escape" && event.target.id === "site-search") event.target.blur();
  if (["ArrowDown", "ArrowUp"].includes(key)) {
    const isInPalette = event.target.id === "palette-text";
    if ((isInPalette || isWalking()) && walk(key === "ArrowDown" ? 1 : -1)) event.preventDefault();
    return;
  }
  if (isTyping(event.target) || areOff()) return;
  if (press(key)) event.preventDefault();
});

// Single keys are off in the dialogs' fields; a click beside a dialog closes it.
for (const dialog of [help, palette]) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
document.addEventListener("click", (event) => {
  const opens = event.target.closest("[data-open]");
  if (opens) open(document.getElementById(opens.dataset.open));
});

const box = help.querySelector("[data-keys-switch]");
box.checked = !areOff();
box.addEventListener("change", () => {
  try {
    localStorage.setItem(OFF, box.checked ? "no" : "yes");
  } catch {
    // It holds for no page then; the box says so by itself on the next.
  }
});

// The palette asks the server, which knows what the reader may read.
const text = palette.querySelector("input");
const found = palette.querySelector("[data-found]");
let asked = 0;

async function look() {
  const mine = ++asked;
  const url = `${palette.dataset.places}?q=${encodeURIComponent(text.value)}`;
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (mine !== asked || !answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    found.replaceChildren(...page.body.childNodes);
  } catch {
    // Larder is away; what was found stays.
  }
}

text.addEventListener("input", () => {
  const mine = ++asked;
  setTimeout(() => mine === asked && look(), TYPING_MS);
});
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter") found.querySelector("a")?.click();
});
