// Making elements. Text is always text: nothing here takes markup.
import { t } from "./words.js";

const isNothing = (value) => [null, undefined, false].includes(value);
const present = (children) => children.flat().filter((child) => !isNothing(child));

// `h("p.soft.small")` is a <p> of two classes.
export function h(kind, properties = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties)) {
    if (isNothing(value)) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...present(children));
  return element;
}

export const button = (properties, ...children) => h("button", { type: "button", ...properties }, ...children);

export const labelled = (name, part) => h("label", {}, t(name), part);

// `submit` is told of Enter in a field as of a press of the form's button.
export const form = (submit, ...children) => h("form.stack", { onsubmit: (event) => { event.preventDefault(); submit(); } }, ...children);

export function show(root, ...children) {
  root.replaceChildren(...present(children));
}

// Change a text only where it differs, so that screen readers are not told the same again.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Ask in a dialog: resolves with what `build(close)`'s controls gave to `close`, or null when it was dismissed.
export function ask(title, build, dismiss = t("never-mind")) {
  return new Promise((resolve) => {
    const heading = h("h2", { id: "dialog-title" }, title);
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, heading);
    const close = (value) => { dialog.dataset.value = "given"; resolve(value); dialog.close(); };
    dialog.append(...[build(close)].flat(), button({ class: "quiet", onclick: () => close(null) }, dismiss));
    dialog.addEventListener("close", () => { if (!dialog.dataset.value) resolve(null); dialog.remove(); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

let shelf;
export function toast(text, kind = "note", lasting_ms = 6000) {
  shelf ??= document.body.appendChild(h("div.toasts", { role: "status", "aria-live": "polite" }));
  const message = h("p", { class: `toast ${kind}` }, text);
  shelf.append(message);
  setTimeout(() => message.remove(), lasting_ms);
}
