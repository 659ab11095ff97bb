// Telegram's message entities as DOM. Offsets are UTF-16 units, as JavaScript's own strings.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { toast } from "./dialogs.js";
import { openHere } from "./links.js";

const SAFE_SCHEME = /^(https?|tg|mailto|tel):/i;
const SIMPLE_TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code" };
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);
const LONG_QUOTE_LINES = 3;

/** `text` as nodes. `actions.command(text)` is called when a bot command is pressed. */
export function formatted(text, entities = [], actions = {}) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return nest(text, 0, text.length, sorted, actions);
}

function nest(text, start, end, entities, actions) {
  const nodes = [];
  let at = start;
  for (let i = 0; i < entities.length; i += 1) {
    const entity = entities[i];
    const from = Math.max(entity.offset, at);
    const to = Math.min(entity.offset + entity.length, end);
    if (from >= to) continue;
    if (from > at) nodes.push(text.slice(at, from));
    const inner = entities.slice(i + 1).filter((e) => e.offset < to);
    nodes.push(wrap(entity, text.slice(from, to), nest(text, from, to, inner, actions), actions));
    at = to;
    // The line break that ends a block is the block's own end, not an empty line.
    if (BLOCKS.has(entity.type) && at < end && text[at] === "\n") at += 1;
  }
  if (at < end) nodes.push(text.slice(at, end));
  return nodes;
}

function link(href, nodes) {
  if (!SAFE_SCHEME.test(href)) return h("span", { class: "link" }, nodes);
  const follow = (event) => {
    if (openHere(href)) event.preventDefault();
  };
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", onclick: follow }, nodes);
}

function wrap(entity, plain, nodes, actions) {
  const { type } = entity;
  if (SIMPLE_TAGS[type]) return h(SIMPLE_TAGS[type], {}, nodes);
  switch (type) {
    case "url":
      return link(/^[a-z][a-z0-9+.-]*:/i.test(plain) ? plain : `https://${plain}`, nodes);
    case "text_link":
      return link(entity.url, nodes);
    case "email":
      return link(`mailto:${plain}`, nodes);
    case "phone_number":
      return link(`tel:${plain}`, nodes);
    case "bot_command":
      return h("button", { type: "button", class: "link", onclick: () => actions.command?.(plain) }, nodes);
    case "mention":
    case "text_mention":
    case "hashtag":
    case "cashtag":
      return h("span", { class: "link" }, nodes);
    case "spoiler":
      return spoiler(nodes);
    case "pre":
      return preformatted(entity.language, plain, nodes);
    case "blockquote":
      return h("blockquote", {}, nodes);
    case "expandable_blockquote":
      return expandable(plain, nodes);
    default:
      return h("span", {}, nodes);
  }
}

function spoiler(nodes) {
  const el = h("span", { class: "spoiler", role: "button", tabindex: "0", "aria-label": t("Reveal spoiler") }, nodes);
  const reveal = (event) => {
    if (el.classList.contains("shown") || (event.key && !["Enter", " "].includes(event.key))) return;
    event.preventDefault();
    el.classList.add("shown");
    for (const name of ["role", "tabindex", "aria-label"]) el.removeAttribute(name);
  };
  el.addEventListener("click", reveal);
  el.addEventListener("keydown", reveal);
  return el;
}

function preformatted(language, plain, nodes) {
  const copy = h("button", { type: "button", class: "pre-copy", "aria-label": t("Copy") }, icon("copy"));
  copy.addEventListener("click", () => copyText(plain));
  return h("div", { class: "pre" },
    h("div", { class: "pre-head" }, h("span", {}, language ?? ""), copy),
    h("pre", {}, h("code", {}, nodes)));
}

function expandable(plain, nodes) {
  const quote = h("blockquote", { class: "expandable" }, h("div", { class: "clip" }, nodes));
  if (plain.split("\n").length <= LONG_QUOTE_LINES && plain.length < 150) return quote;
  const button = h("button", { type: "button", class: "expand", "aria-expanded": "false" }, t("Show more"));
  button.addEventListener("click", () => {
    const open = quote.classList.toggle("open");
    button.setAttribute("aria-expanded", String(open));
    button.textContent = t(open ? "Show less" : "Show more");
  });
  quote.classList.add("long");
  quote.append(button);
  return quote;
}

/** Puts text on the clipboard and says so. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("Copied"));
  } catch (error) {
    toast(String(error.message ?? error));
  }
}
