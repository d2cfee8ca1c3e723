// The tree of a repository, walked by keys as WAI-ARIA has it: arrows, Home, End, typing, Enter.
// Each node is a link that works without this; here its branches and its summary come as parts.

const tree = document.getElementById("tree");
const pane = document.getElementById("node");
const filter = document.getElementById("filter");
const FILTER_AFTER_MS = 150;
const TYPING_MS = 700;

async function part(url, name) {
  const asked = new URL(url, location.href);
  asked.searchParams.set("part", name);
  const answer = await fetch(asked, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  return answer.text();
}

const visible = () => [...tree.querySelectorAll("[role=treeitem]")].filter((node) => node.offsetParent);
const parentOf = (node) => node.closest("[role=group]")?.parentElement.querySelector("[role=treeitem]");
const groupOf = (node) => node.parentElement.querySelector(":scope > [role=group]");

function focus(node) {
  if (!node) return;
  for (const each of tree.querySelectorAll("[tabindex='0']")) each.tabIndex = -1;
  node.tabIndex = 0;
  node.focus();
}

// One node is in the order of Tab; the arrows reach the others.
function rove() {
  const nodes = [...tree.querySelectorAll("[role=treeitem]")];
  const present = nodes.find((node) => node.tabIndex === 0 && node.hasAttribute("tabindex"));
  for (const node of nodes) node.tabIndex = -1;
  const first = present ?? tree.querySelector("[aria-selected=true]") ?? nodes[0];
  if (first) first.tabIndex = 0;
}

async function open(node) {
  if (node.getAttribute("aria-expanded") !== "false" || node.ariaBusy) return;
  let group = groupOf(node);
  if (!group) {
    node.setAttribute("aria-busy", "true");
    group = document.createElement("ul");
    group.setAttribute("role", "group");
    try {
      group.innerHTML = await part(node.href, "tree");
    } catch {
      location.assign(node.href); // the page itself says what is wrong
      return;
    }
    node.removeAttribute("aria-busy");
    node.after(group);
  }
  group.hidden = false;
  node.setAttribute("aria-expanded", "true");
  rove();
}

function close(node) {
  if (node.getAttribute("aria-expanded") !== "true") return;
  groupOf(node).hidden = true;
  node.setAttribute("aria-expanded", "false");
}

async function more(node) {
  const row = node.parentElement;
  const before = row.previousElementSibling;
  const list = document.createElement("ul");
  list.innerHTML = await part(node.href, "tree");
  const first = list.querySelector("[role=treeitem]");
  if (before) row.replaceWith(...list.children);
  else tree.replaceChildren(...list.children); // "All projects": from the start
  rove();
  focus(first ?? before?.querySelector("[role=treeitem]"));
}

async function select(node) {
  const shown = await part(node.href, "node");
  for (const each of tree.querySelectorAll("[aria-selected]")) {
    each.removeAttribute("aria-selected");
    each.removeAttribute("aria-current");
  }
  node.setAttribute("aria-selected", "true");
  node.setAttribute("aria-current", "page");
  pane.innerHTML = shown;
  history.pushState(null, "", node.href);
}

async function activate(node) {
  focus(node);
  try {
    if (node.classList.contains("node-more")) return await more(node);
    await Promise.all([select(node), open(node)]);
  } catch {
    location.assign(node.href);
  }
}

let typed = "";
let typedAt = 0;

function typeahead(node, key) {
  const now = Date.now();
  typed = now - typedAt > TYPING_MS ? key : typed + key;
  typedAt = now;
  const nodes = visible();
  const from = nodes.indexOf(node) + (typed.length === 1 ? 1 : 0);
  const order = [...nodes.slice(from), ...nodes.slice(0, from)];
  focus(order.find((each) => each.querySelector(".label").textContent.toLowerCase().startsWith(typed.toLowerCase())));
}

function right(node) {
  if (node.getAttribute("aria-expanded") === "false") return open(node);
  return focus(groupOf(node)?.querySelector("[role=treeitem]"));
}

function left(node) {
  if (node.getAttribute("aria-expanded") === "true") return close(node);
  return focus(parentOf(node));
}

const KEYS = {
  ArrowDown: (node) => focus(visible()[visible().indexOf(node) + 1]),
  ArrowUp: (node) => focus(visible()[visible().indexOf(node) - 1]),
  ArrowRight: right,
  ArrowLeft: left,
  Home: () => focus(visible()[0]),
  End: () => focus(visible().at(-1)),
  Enter: (node) => enter(node),
  " ": (node) => activate(node),
};

// Once selected, Enter opens the page that the summary leads to.
function enter(node) {
  const page = node.getAttribute("aria-selected") === "true" && pane.querySelector(".actions a.primary");
  return page ? location.assign(page.href) : activate(node);
}

function listen() {
  tree.addEventListener("keydown", (event) => {
    const node = event.target.closest("[role=treeitem]");
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key](node);
    } else if (/^[\p{L}\p{N}._-]$/u.test(event.key)) {
      event.preventDefault();
      typeahead(node, event.key);
    }
  });
  tree.addEventListener("click", (event) => {
    const node = event.target.closest("[role=treeitem]");
    if (!node || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    // On a phone the list is drilled down page by page.
    if (matchMedia("(width < 50rem)").matches && !node.classList.contains("node-more")) return;
    event.preventDefault();
    if (event.target.closest(".twist") && node.hasAttribute("aria-expanded")) {
      focus(node);
      if (node.getAttribute("aria-expanded") === "true") close(node);
      else open(node);
    } else activate(node);
  });
  addEventListener("popstate", () => location.reload());
}

let waits = 0;
let asked = 0;

function filterSoon() {
  clearTimeout(waits);
  waits = setTimeout(async () => {
    const mine = ++asked;
    const url = new URL(filter.form.action);
    url.search = new URLSearchParams(new FormData(filter.form)).toString();
    try {
      const shown = await part(url, "tree");
      if (mine !== asked) return; // somebody typed on
      tree.innerHTML = shown;
      rove();
      const count = tree.querySelectorAll("[role=treeitem]").length;
      document.getElementById("announcement").textContent = count ? `${count} shown` : "No project has this in its name.";
    } catch {
      filter.form.submit();
    }
  }, FILTER_AFTER_MS);
}

if (tree) {
  rove();
  listen();
  filter.addEventListener("input", filterSoon);
  filter.form.addEventListener("submit", (event) => {
    event.preventDefault();
    filterSoon();
  });
  filter.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") focus(visible()[0]);
  });
}
