// Keys for markers. Without this file everything works by links and buttons.
"use strict";

const form = document.querySelector("form.rubric");
const criteria = form ? [...form.querySelectorAll("fieldset")] : [];
const isOpen = (criterion) => !criterion.querySelector(":checked");
const focusOn = (criterion) => criterion?.querySelector("input[type=radio]")?.focus({ preventScroll: true });

function current() {
  const inside = document.activeElement?.closest("fieldset");
  return criteria.includes(inside) ? inside : criteria.find(isOpen) ?? criteria[0];
}

function give(number) {
  const criterion = current();
  const level = criterion?.querySelectorAll("input[type=radio]")[number - 1];
  if (!level) return;
  level.checked = true;
  const next = criteria[criteria.indexOf(criterion) + 1];
  if (next) focusOn(next);
  else form.querySelector("button.main").focus();
}

function accept() {
  for (const level of form.querySelectorAll("[data-suggested]")) {
    if (isOpen(level.closest("fieldset"))) level.checked = true;
  }
  form.requestSubmit();
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const writing = event.target.matches("textarea, input:not([type=radio])");
  if (event.key === "Escape" && writing) event.target.blur();
  if (writing) return;
  if (event.key === "?") {
    const help = document.querySelector(".help");
    if (help) help.open = !help.open;
  } else if (form && /^[1-9]$/.test(event.key)) {
    give(Number(event.key));
  } else if (form && event.key === "Enter" && !event.target.closest("a, button, summary")) {
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

document.addEventListener("keydown", press);
form?.querySelector(".accept")?.addEventListener("click", accept);
for (const button of document.querySelectorAll(".reuse")) {
  button.addEventListener("click", () => {
    const field = form.elements[button.dataset.for];
    field.value = field.value ? `${field.value} ${button.textContent}` : button.textContent;
    field.focus();
  });
}
focusOn(criteria.find(isOpen));
