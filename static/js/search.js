// The search page: says aloud what was found while typing, and keeps recent searches in this browser.

const KEPT = "recent-searches";
const KEPT_AT_MOST = 8;
const SETTLED_MS = 2500;

const form = document.querySelector("[data-search]");
const box = form.querySelector("input[name=q]");
let settling = 0;

function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    return Array.isArray(kept) ? kept.filter((each) => typeof each === "string") : [];
  } catch {
    return []; // storage is closed to us, or holds what is not ours
  }
}

function keep(searches) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(searches.slice(0, KEPT_AT_MOST)));
  } catch {
    // They are forgotten then.
  }
}

// What found something, and was not typed on for a while.
function remember() {
  const text = box.value.trim();
  if (!text || !document.querySelector("#results tbody")) return;
  keep([text, ...remembered().filter((each) => each !== text)]);
}

function showRecent() {
  const section = document.querySelector("[data-recent]");
  if (!section) return;
  const searches = remembered();
  section.hidden = !searches.length;
  const items = searches.map((text) => {
    const link = document.createElement("a");
    link.href = `${form.action}?q=${encodeURIComponent(text)}`;
    link.append(document.createElement("code"));
    link.firstChild.textContent = text;
    const item = document.createElement("li");
    item.append(link);
    return item;
  });
  section.querySelector("[data-recent-list]").replaceChildren(...items);
}

function settle() {
  clearTimeout(settling);
  settling = setTimeout(remember, SETTLED_MS);
}

// The results are replaced as a whole.
new MutationObserver(() => {
  const said = document.querySelector("#refused p, #hits");
  document.getElementById("announcement").textContent = said?.textContent.trim() ?? "";
  showRecent();
  settle();
}).observe(document.querySelector("main"), { childList: true });

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-forget]")) {
    keep([]);
    showRecent();
  } else if (event.target.closest("#results a")) {
    remember();
  }
});

form.addEventListener("submit", remember);
showRecent();
settle();
