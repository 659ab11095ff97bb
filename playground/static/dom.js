// Building DOM without innerHTML: whatever a message says, it only ever becomes text nodes.

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element. Props: class, style (object), on* handlers, anything else is an attribute. */
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") el.className = value;
    else if (name === "style") {
      for (const [key, css] of Object.entries(value)) el.style.setProperty(key, css);
    } else if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
    else el.setAttribute(name, value === true ? "" : String(value));
  }
  el.append(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false));
  return el;
}

// 24 x 24 outlines; "!" before a path means that it is filled instead of stroked.
const ICONS = {
  back: ["M15 5l-7 7 7 7"],
  close: ["M6 6l12 12M18 6L6 18"],
  search: ["M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20"],
  send: ["!M3.4 20.4l17.5-7.5c.8-.4.8-1.5 0-1.8L3.4 3.6c-.7-.3-1.4.3-1.3 1L3.6 10l9.4 2-9.4 2-1.5 5.4c-.1.7.6 1.3 1.3 1z"],
  clip: ["M20 11.5l-8.2 8.2a5.3 5.3 0 0 1-7.5-7.5l8.5-8.5a3.5 3.5 0 0 1 5 5l-8.3 8.3a1.8 1.8 0 0 1-2.5-2.5l7.5-7.5"],
  menu: ["M4 7h16M4 12h16M4 17h16"],
  keyboard: ["M4 6h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM7 10h.01M10.5 10h.01M14 10h.01M17 10h.01M8 14h8"],
  down: ["M6 10l6 6 6-6"],
  check: ["M5 13l4 4L19 7"],
  ticks: ["M2 13l4 4L15 7M11.5 16.5L12 17l9-10"],
  clock: ["M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2"],
  more: ["!M5 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6zM12 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6zM19 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z"],
  reply: ["M10 8V4L3 11l7 7v-4c5 0 8.5 1.5 11 5-1-5-4-10-11-11z"],
  edit: ["M4 20l1-4L16 5l3 3L8 19l-4 1zM14 7l3 3"],
  trash: ["M5 7h14M10 7V4.500h4V7M7 7l1 13h8l1-13M10 11v5M14 11v5"],
  copy: ["M9 9h10v11H9zM15 9V4H5v11h4"],
  download: ["M12 4v11M7 11l5 5 5-5M5 20h14"],
  photo: ["M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM3 16l5-5 5 5 3-3 5 4M15.5 9.500h.01"],
  file: ["M6 3h8l5 5v13H6zM14 3v5h5"],
  link: ["M9 15L19 5M11 5h8v8"],
  card: ["M4 6h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM3 10h18M6 15h4"],
  app: ["M5 4h14v16H5zM5 8h14"],
  star: ["!M12 2.800l2.8 5.9 6.4.8-4.7 4.5 1.2 6.400L12 17.300l-5.7 3.1 1.2-6.400L2.8 9.500l6.4-.8z"],
  group: ["M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-4 3-6 6.5-6s6.5 2 6.5 6M16 4.500a3.5 3.5 0 0 1 0 6.300M18 14.500c2 .8 3.5 2.6 3.5 5.5"],
  channel: ["M4 10v4h3l9 5V5l-9 5zM19 9.500c1 1.5 1 3.5 0 5M8 14l1 6h3l-1-4.5"],
  person: ["M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.500c0-4.5 3.5-6.5 7.5-6.500s7.5 2 7.5 6.5"],
  plus: ["M12 5v14M5 12h14"],
  hash: ["M9.5 4l-2 16M16.5 4l-2 16M4.5 9h16M3.5 15h16"],
  prev: ["M14.5 5l-7 7 7 7"],
  next: ["M9.5 5l7 7-7 7"],
  lock: ["M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
};

/** An icon drawn with the current text colour. */
export function icon(name, className = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon ${className}`.trim());
  svg.setAttribute("aria-hidden", "true");
  for (const source of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", source.replace("!", ""));
    path.setAttribute("class", source.startsWith("!") ? "fill" : "line");
    svg.append(path);
  }
  return svg;
}

const COLOURS = [
  ["#ff9a62", "#ff5f57"],
  ["#ffcd6a", "#f2a23a"],
  ["#b39dff", "#7d6be8"],
  ["#9ee085", "#4fb44a"],
  ["#6fe3d8", "#36a7c9"],
  ["#7cc8ff", "#3b8ee6"],
  ["#ffa8c9", "#e0609a"],
];

/** A stable place in the seven colours that people are painted with. */
export function colourOf(id) {
  return Math.abs(Number(id)) % COLOURS.length;
}

/** A round picture with initials; decoration, the name always stands beside it. */
export function avatar(id, name, size = "") {
  const [from, to] = COLOURS[colourOf(id)];
  const words = name.replace(/[^\p{L}\p{N} ]/gu, "").split(/\s+/).filter(Boolean);
  const initials = words.slice(0, 2).map((w) => [...w][0]).join("");
  return h(
    "span",
    { class: `avatar ${size}`, "aria-hidden": "true", style: { "--from": from, "--to": to } },
    (initials || "?").toUpperCase(),
  );
}

/**
 * Makes `parent` hold one element per row ({key, sign, make}) in order, building again only those
 * whose sign has changed. Loaded pictures move over to the new element, so that they never flash.
 */
export function reconcile(parent, rows) {
  const old = new Map([...parent.children].map((el) => [el.dataset.key, el]));
  let cursor = parent.firstElementChild;
  for (const row of rows) {
    let el = old.get(row.key);
    old.delete(row.key);
    if (!el || el.dataset.sign !== row.sign) {
      const made = row.make(el);
      made.dataset.key = row.key;
      made.dataset.sign = row.sign;
      if (el && el !== made) {
        keepPictures(el, made);
        const focus = focusPath(el);
        if (cursor === el) cursor = made;
        el.replaceWith(made);
        focus?.(made);
      }
      el = made;
    }
    if (el === cursor) cursor = cursor.nextElementSibling;
    else parent.insertBefore(el, cursor);
    row.update?.(el);
  }
  for (const el of old.values()) el.remove();
}

function keepPictures(from, to) {
  const loaded = new Map([...from.querySelectorAll("img[data-file]")].map((i) => [i.dataset.file, i]));
  for (const img of to.querySelectorAll("img[data-file]")) {
    const same = loaded.get(img.dataset.file);
    if (!same) continue;
    same.alt = img.alt;
    img.replaceWith(same);
    loaded.delete(img.dataset.file);
  }
}

function focusPath(el) {
  if (!el.contains(document.activeElement)) return null;
  const at = [...el.querySelectorAll("button, a")].indexOf(document.activeElement);
  return at < 0 ? null : (made) => made.querySelectorAll("button, a")[at]?.focus();
}
