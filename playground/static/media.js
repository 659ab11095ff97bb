// Photos, albums, documents and invoices inside a bubble. Every picture's place is known before
// its bytes come, so nothing moves when they do.

import * as api from "./api.js";
import { h, icon } from "./dom.js";
import { formatted } from "./entities.js";
import { price, size, t } from "./i18n.js";
import { largest, openLightbox } from "./lightbox.js";
import { mosaic } from "./mosaic.js";
import { author } from "./store.js";

const SINGLE_MAX_PX = 430;
const SINGLE_MIN_PX = 180;
const ALBUM_PX = 440;
const SHARP_PX = 800; // a stored size this wide is sharp enough in a bubble

/** The smallest stored size that still looks sharp. */
function fitting(photo) {
  const enough = photo.filter((s) => Math.max(s.width, s.height) >= SHARP_PX);
  if (!enough.length) return largest(photo);
  return enough.reduce((a, b) => (b.width < a.width ? b : a));
}

const picture = (message) => ({
  photo: message.photo,
  author: author(message),
  date: message.date,
  caption: () => formatted(message.caption ?? "", message.caption_entities),
});

function photoButton(messages, at) {
  const message = messages[at];
  const { file_id: file, width, height } = fitting(message.photo);
  const total = messages.length;
  const label = total > 1 ? t("Open photo {n} of {total}", { n: at + 1, total }) : t("Open photo");
  const button = h("button", { type: "button", class: "photo", "aria-label": label },
    h("img", { src: api.fileUrl(file), "data-file": file, width, height, alt: "", decoding: "async", draggable: "false" }));
  let veiled = Boolean(message.has_media_spoiler);
  button.classList.toggle("veiled", veiled);
  button.addEventListener("click", () => {
    if (veiled) {
      veiled = false;
      button.classList.remove("veiled");
      return;
    }
    openLightbox(messages.map(picture), at);
  });
  return button;
}

/** The place of one picture of this size, with `content` in it. */
export function placeFor({ width, height }, ...content) {
  const ratio = Math.min(2.6, Math.max(0.5, width / height));
  const px = Math.max(SINGLE_MIN_PX, Math.min(SINGLE_MAX_PX, SINGLE_MAX_PX * ratio, Math.max(width, 260)));
  return h("div", { class: "media single", style: { "aspect-ratio": String(ratio), "--media": `${px}px` } }, content);
}

/** One photo, its place reserved. */
export const photoBlock = (message) => placeFor(largest(message.photo), photoButton([message], 0));

/** An album as a grid. `cell(i, content)` wraps what stands for the i-th message. */
export function albumBlock(messages, cell) {
  const ratios = messages.map((m) => largest(m.photo).width / largest(m.photo).height);
  const { ratio, boxes } = mosaic(ratios);
  const width = ratio < 0.9 ? ALBUM_PX * Math.max(0.75, ratio / 0.9) : ALBUM_PX;
  return h("div", {
    class: "media album",
    role: "group",
    "aria-label": t("Album of {n}", { n: messages.length }),
    style: { "aspect-ratio": String(ratio), "--media": `${width}px` },
  }, messages.map((_, i) => {
    const el = cell(i, photoButton(messages, i));
    for (const [side, percent] of Object.entries(boxes[i])) el.style.setProperty(side, `${percent}%`);
    return el;
  }));
}

const extension = (name) => (name.includes(".") ? name.split(".").pop() : "").slice(0, 4).toLowerCase();

/** A file as a row that downloads it. */
export function documentRow(file, fallbackName) {
  const name = file.file_name ?? fallbackName;
  const url = api.fileUrl(file.file_id);
  const preview = file.thumbnail?.file_id ?? (file.mime_type?.startsWith("image/") ? file.file_id : null);
  const kind = extension(name);
  const badge = preview
    ? h("span", { class: "doc-icon picture" },
      h("img", { src: api.fileUrl(preview), "data-file": `doc:${preview}`, width: 56, height: 56, alt: "", loading: "lazy" }),
      h("span", { class: "doc-arrow" }, icon("download")))
    : h("span", { class: `doc-icon kind-${kind}` }, h("span", { class: "doc-kind" }, kind || icon("file")),
      h("span", { class: "doc-arrow" }, icon("download")));
  const details = [file.file_size ? size(file.file_size) : "", kind.toUpperCase()].filter(Boolean).join(" · ");
  return h("a", { class: "document", href: url, download: name, "aria-label": t("Download {name}", { name }) },
    badge, h("span", { class: "doc-text" }, h("span", { class: "doc-name" }, name), h("span", { class: "doc-size" }, details)));
}

/** Title, description and sum of an invoice; its button stands in the keyboard below. */
export function invoiceBlock(invoice) {
  return h("div", { class: "invoice" },
    h("div", { class: "invoice-title" }, invoice.title),
    h("div", { class: "invoice-text" }, invoice.description),
    h("div", { class: "invoice-price" }, price(invoice.total_amount, invoice.currency)));
}

/** Everything else that carries a file, or null. */
export function otherMedia(message) {
  const { video, animation, sticker, voice, audio, video_note: note } = message;
  const moving = animation ?? video ?? note;
  if (moving) {
    const { width = note?.length ?? 320, height = note?.length ?? 240 } = moving;
    const px = Math.min(SINGLE_MAX_PX, Math.max(SINGLE_MIN_PX, width));
    return h("div", { class: "media single", style: { "aspect-ratio": String(width / height), "--media": `${px}px` } },
      h("video", { src: api.fileUrl(moving.file_id), controls: !animation, loop: Boolean(animation), preload: "metadata", playsinline: true }));
  }
  if (sticker) {
    const { file_id: file, emoji = t("Sticker") } = sticker;
    return h("img", { class: "sticker", src: api.fileUrl(file), "data-file": file, width: 180, height: 180, alt: emoji });
  }
  if (voice || audio) {
    return h("audio", { class: "sound", src: api.fileUrl((voice ?? audio).file_id), controls: true, preload: "metadata" });
  }
  return null;
}
