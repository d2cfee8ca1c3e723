// The members of a virtual in the admin: rows are dragged by their handle, and numbered anew.
// Without scripts, and from the keyboard, the position is a number in a field.

const body = document.querySelector("#members-group tbody");
let dragged = null;

function rows() {
  return [...body.querySelectorAll("tr.form-row:not(.empty-form)")];
}

// A row without a repository is no member yet: a number alone would make it half of one.
function number() {
  const members = rows().filter((row) => row.querySelector(".field-repository select")?.value);
  members.forEach((row, at) => {
    const field = row.querySelector(".field-position input");
    if (field) field.value = at + 1;
  });
}

function addHandle(row) {
  const cell = row.querySelector(".field-position");
  if (!cell || cell.querySelector(".drag-handle")) return;
  const handle = document.createElement("span");
  handle.className = "drag-handle";
  handle.textContent = "⠿";
  handle.title = "Drag to sort";
  handle.setAttribute("aria-hidden", "true");
  handle.addEventListener("pointerdown", () => {
    row.draggable = true;
  });
  handle.addEventListener("pointerup", () => {
    row.draggable = false;
  });
  cell.prepend(handle);
}

if (body) {
  rows().forEach(addHandle);
  document.addEventListener("formset:added", () => rows().forEach(addHandle));
  body.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("tr");
    event.dataTransfer.effectAllowed = "move";
  });
  body.addEventListener("dragover", (event) => {
    const over = event.target.closest("tr.form-row");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    const place = over.getBoundingClientRect();
    const isBelow = event.clientY > place.top + place.height / 2;
    over[isBelow ? "after" : "before"](dragged);
  });
  body.addEventListener("drop", (event) => event.preventDefault());
  body.addEventListener("dragend", () => {
    if (dragged) dragged.draggable = false;
    dragged = null;
    number();
  });
}
