// Keys for markers. Without this file everything works by links and buttons.
// Pages may be replaced under it (htmx), so nothing of a page is remembered here.
"use strict";

const rubric = () => document.querySelector("form.rubric");
const criteria = () => [...document.querySelectorAll("form.rubric fieldset")];
const isOpen = (criterion) => !criterion.querySelector(":checked");
const changed = (field) => field.dispatchEvent(new Event("change", { bubbles: true }));

function focusOn(criterion) {
  criterion?.focus({ preventScroll: true });
  criterion?.scrollIntoView({ block: "nearest" });
}

function current() {
  return document.activeElement?.closest("form.rubric fieldset") ?? criteria().find(isOpen);
}

function give(number) {
  const criterion = current();
  const level = criterion?.querySelectorAll("input[type=radio]")[number - 1];
  if (!level) return;
  level.checked = true;
  changed(level);
  focusOn(criteria()[criteria().indexOf(criterion) + 1] ?? criterion);
}

function accept() {
  for (const level of rubric().querySelectorAll("[data-suggested]")) {
    if (isOpen(level.closest("fieldset"))) level.checked = true;
  }
  rubric().requestSubmit();
}

function reuse(button) {
  const field = rubric().elements[button.dataset.for];
  field.value = field.value ? `${field.value} ${button.textContent}` : button.textContent;
  changed(field);
  field.focus();
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const writing = event.target.matches("textarea, input:not([type=radio])");
  if (event.key === "Escape" && writing) event.target.blur();
  if (writing) return;
  const form = rubric();
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  if (event.key === "?") {
    const help = document.querySelector(".help");
    if (help) help.open = !help.open;
  } else if (form && /^[1-9]$/.test(event.key)) {
    give(Number(event.key));
  } else if (form && event.key === "Enter") {
    form.requestSubmit();
  } else if (form && event.key === "c") {
    current()?.querySelector("textarea").focus();
  } else if (form && event.key === "g") {
    const members = document.querySelector(".members")?.closest("details");
    if (members) members.open = !members.open;
  } else {
    const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!target) return;
    target.click();
  }
  event.preventDefault();
}

function click(event) {
  const button = event.target.closest("button");
  if (button?.matches(".accept")) accept();
  else if (button?.matches(".reuse")) reuse(button);
}

function lost() {
  const place = document.querySelector("#kept");
  if (!place) return;
  const said = place.querySelector("p") ?? place.appendChild(document.createElement("p"));
  Object.assign(said, { className: "warn", textContent: rubric().dataset.lost });
}

document.addEventListener("keydown", press);
document.addEventListener("click", click);
document.addEventListener("htmx:sendError", lost);
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target === document.body) focusOn(criteria().find(isOpen));
});
focusOn(criteria().find(isOpen));
