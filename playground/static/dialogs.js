// Toasts, modal dialogs and menus.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

const TOAST_MS = 3500;
let closeOpenMenu = null;

/** A short notice that goes by itself, or when the next one comes. */
export function toast(text) {
  const el = h("div", { class: "toast" }, text);
  document.getElementById("toasts").replaceChildren(el);
  setTimeout(() => {
    el.classList.add("going");
    setTimeout(() => el.remove(), 250);
  }, TOAST_MS + text.length * 25);
}

/** An error of ours or the server's, worded for the reader. */
export function complain(error) {
  toast(`${t("Not sent")}: ${error.message ?? error}`);
}

/**
 * Opens a modal dialog. `content(close)` returns its children; the promise resolves with what
 * `close` was given, or null when it was dismissed.
 */
export function modal(label, content, { className = "", role = "dialog" } = {}) {
  return new Promise((resolve) => {
    let result = null;
    const dialog = h("dialog", { class: `modal ${className}`, role, "aria-label": label });
    const close = (value = null) => {
      result = value;
      dialog.close();
    };
    dialog.append(...[content(close)].flat());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A dialog's row of buttons: [label, value, "primary" or ""]. */
export function buttons(close, ...choices) {
  return h("div", { class: "modal-buttons" },
    choices.map(([label, value, kind]) =>
      h("button", { type: "button", class: kind ?? "", onclick: () => close(value) }, label)));
}

/** What a bot says with show_alert. */
export function alertBox(from, text) {
  return modal(from, (close) => [
    h("h2", {}, from),
    h("p", { class: "modal-text" }, text),
    buttons(close, [t("OK"), true, "primary"]),
  ], { className: "small", role: "alertdialog" });
}

/**
 * A menu that opens at a point. Items are {label, icon, act, danger} or a ready element;
 * arrow keys walk, Escape closes.
 */
export function menu(x, y, label, items) {
  closeOpenMenu?.(false); // a long press is heard twice on Android
  const before = document.activeElement;
  const el = h("div", { class: "menu", role: "menu", "aria-label": label });
  const close = (refocus) => {
    closeOpenMenu = null;
    el.remove();
    document.removeEventListener("pointerdown", outside, true);
    if (refocus) before?.focus();
  };
  const outside = (event) => {
    if (!el.contains(event.target)) close(false);
  };
  for (const item of items) {
    if (item instanceof Node) {
      item.addEventListener("click", () => close(false));
      el.append(item);
      continue;
    }
    el.append(h("button", {
      type: "button",
      role: item.checked === undefined ? "menuitem" : "menuitemradio",
      "aria-checked": item.checked === undefined ? null : String(item.checked),
      class: item.danger ? "danger" : "",
      onclick: () => {
        close(true);
        item.act();
      },
    }, item.icon instanceof Node ? item.icon : icon(item.icon), h("span", {}, item.label),
    item.checked ? icon("check", "tick") : null));
  }
  el.addEventListener("keydown", (event) => walk(event, el, () => close(true)));
  closeOpenMenu = close;
  document.body.append(el);
  const box = el.getBoundingClientRect();
  el.style.left = `${Math.max(8, Math.min(x, innerWidth - box.width - 8))}px`;
  el.style.top = `${Math.max(8, y + box.height > innerHeight - 8 ? y - box.height : y)}px`;
  document.addEventListener("pointerdown", outside, true);
  el.querySelector("[role^=menuitem]")?.focus();
}

function walk(event, el, close) {
  const all = [...el.querySelectorAll("button")];
  const at = all.indexOf(document.activeElement);
  if (event.key === "Escape" || event.key === "Tab") close();
  else if (event.key === "ArrowDown") all[(at + 1) % all.length].focus();
  else if (event.key === "ArrowUp") all[(at - 1 + all.length) % all.length].focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
