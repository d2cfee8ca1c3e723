// Uploads by hand: files dropped or chosen, a row for each. A file is sent once to be checked,
// which keeps nothing, and again when the person says so. The server writes what a row says.

const AT_ONCE = 2;
const UNIT = 1024;
const BADGES = {
  waiting: "",
  checking: "frost",
  ready: "fresh",
  there: "frost",
  publishing: "frost",
  published: "fresh",
  refused: "spoiled",
};
const ENDED = ["there", "published", "refused"];
const LOST = "The answer did not arrive. Try again; the same file twice changes nothing.";
const ELSEWHERE = "Larder answered with another page. Sign in again in a new tab, then try again.";

const section = document.querySelector("[data-upload]");
const list = section.querySelector("[data-rows]");
const form = section.querySelector("template[data-row]");
const all = section.querySelector("[data-publish-all]");
const rows = new Map(); // of the list's items
const queue = [];
let running = 0;

// In the words of the server's own sizes.
function sized(bytes) {
  const units = ["bytes", "KB", "MB", "GB"];
  let at = 0;
  while (bytes >= UNIT && at < units.length - 1) {
    bytes /= UNIT;
    at += 1;
  }
  return `${bytes.toFixed(at ? 1 : 0)} ${units[at]}`;
}

function part(row, name) {
  return row.item.querySelector(`[data-${name}]`);
}

function show(row, state) {
  row.state = state;
  const badge = part(row, "state");
  badge.textContent = state;
  badge.className = `badge ${BADGES[state]}`;
  row.item.dataset.upload = state;
  const isSending = ["checking", "publishing"].includes(state);
  part(row, "progress").hidden = !isSending;
  part(row, "says").toggleAttribute("inert", state === "publishing");
  button(row, "publish").hidden = state !== "ready";
  button(row, "again").hidden = state !== "refused";
  // What is published stays so: "Remove" would promise more than to clear the row.
  button(row, "drop").hidden = ["there", "published"].includes(state);
  button(row, "drop").textContent = isSending || state === "waiting" ? "Cancel" : "Remove";
  sum();
}

function button(row, does) {
  return row.item.querySelector(`[data-do=${does}]`);
}

function counted(state) {
  return [...rows.values()].filter((row) => row.state === state).length;
}

function sum() {
  const ready = counted("ready");
  all.disabled = !ready;
  all.textContent = ready > 1 ? `Publish all ${ready}` : "Publish";
  section.querySelector("[data-foot]").hidden = !rows.size;
  const told = Object.keys(BADGES).filter(counted).map((state) => `${counted(state)} ${state}`);
  section.querySelector("[data-sum]").textContent = told.join(", ");
}

function say(row, sentence) {
  const line = document.createElement("p");
  line.className = "notice spoiled";
  line.textContent = sentence;
  part(row, "says").replaceChildren(line);
}

// The file comes last: the server reads what is before it first.
function body(row) {
  const sent = new FormData();
  sent.append("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  sent.append("properties", section.querySelector("[data-properties]").value);
  for (const field of part(row, "says").querySelectorAll("input[name]")) {
    sent.append(field.name, field.value);
  }
  sent.append("content", row.file, row.file.name);
  return sent;
}

function send(row, url) {
  return new Promise((ended) => {
    const request = new XMLHttpRequest();
    const progress = part(row, "progress");
    row.request = request;
    progress.value = 0;
    request.upload.addEventListener("progress", (event) => {
      if (event.loaded < event.total) progress.value = event.loaded / event.total;
      else progress.removeAttribute("value"); // all of it is there; the rest is not ours to count
    });
    request.addEventListener("loadend", () => ended(request));
    request.open("POST", url);
    request.send(body(row));
  });
}

function take(row, request) {
  if (!rows.has(row.item)) return; // it was cancelled
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const answer = page.querySelector("[data-answer]");
  if (request.status === 200 && answer) {
    part(row, "says").replaceChildren(...answer.childNodes);
    show(row, answer.dataset.answer);
    return;
  }
  const sentence = page.querySelector(".sentence")?.textContent;
  say(row, sentence || (request.status ? ELSEWHERE : LOST));
  show(row, "refused");
}

async function run() {
  while (running < AT_ONCE && queue.length) {
    const row = queue.shift();
    if (!rows.has(row.item)) continue;
    running += 1;
    work(row);
  }
}

async function work(row) {
  const kept = row.does === "publish" ? "publishing" : "checking";
  const sending = send(row, section.dataset[row.does]); // reads the row before it changes
  show(row, kept);
  take(row, await sending);
  running -= 1;
  run();
}

function line(row, does) {
  row.does = does;
  queue.push(row);
  if (does === "check") show(row, "waiting");
  else show(row, "publishing");
  run();
}

function isListed(file) {
  const same = (row) => row.file.name === file.name && row.file.size === file.size;
  return [...rows.values()].some(same);
}

function add(files) {
  for (const file of files) {
    if (isListed(file)) continue;
    const item = form.content.firstElementChild.cloneNode(true);
    const row = { item, file };
    rows.set(item, row);
    part(row, "name").textContent = file.name;
    part(row, "size").textContent = sized(file.size);
    part(row, "progress").setAttribute("aria-label", `${file.name}, sent`);
    for (const each of item.querySelectorAll("button")) {
      each.setAttribute("aria-description", file.name);
    }
    list.append(item);
    line(row, "check");
  }
}

function remove(row) {
  rows.delete(row.item);
  row.request?.abort();
  row.item.remove();
  sum();
}

list.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-do]");
  if (!pressed) return;
  const row = rows.get(pressed.closest("li"));
  if (pressed.dataset.do === "publish") line(row, "publish");
  else if (pressed.dataset.do === "again") line(row, row.does);
  else remove(row);
});

all.addEventListener("click", () => {
  for (const row of rows.values()) if (row.state === "ready") line(row, "publish");
});

section.querySelector("[data-clear]").addEventListener("click", () => {
  for (const row of [...rows.values()]) if (ENDED.includes(row.state)) remove(row);
});

const choose = section.querySelector("[data-choose]");
choose.addEventListener("change", () => {
  add(choose.files);
  choose.value = "";
});

const drop = section.querySelector("[data-drop]");
for (const over of ["dragenter", "dragover"]) {
  drop.addEventListener(over, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  add(event.dataTransfer.files);
});
// A file that misses the field would replace the page, and all rows with it.
for (const miss of ["dragover", "drop"]) {
  document.addEventListener(miss, (event) => event.preventDefault());
}

addEventListener("beforeunload", (event) => {
  if (running) event.preventDefault();
});

document.querySelector("[data-plain]").open = false;
