// Photos and files: chosen, pasted or dropped, looked at once more, then sent one by one.

import * as api from "./api.js";
import { stickToBottom } from "./chatview.js";
import { complain, menu, modal } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { size, t } from "./i18n.js";
import { chat, emit, room, took } from "./store.js";

const PHOTO_TYPES = ["image/jpeg", "image/png", "image/webp"];
const PHOTO_MAX_BYTES = 10 * 1024 * 1024; // Telegram's limit for a photo

let counter = 0;

const isPhoto = (file) => PHOTO_TYPES.includes(file.type) && file.size <= PHOTO_MAX_BYTES;

/** Wires the attach button, pasting and dropping to the preview. */
export function listenForFiles(form, { envelope, takeText, done }) {
  const button = document.getElementById("attach");
  const picker = document.getElementById("picker");
  let asPhotos = true;
  button.append(icon("clip"));

  const pick = (photos) => {
    asPhotos = photos;
    picker.accept = photos ? PHOTO_TYPES.join(",") : "";
    picker.value = "";
    picker.click();
  };
  button.addEventListener("click", () => {
    const box = button.getBoundingClientRect();
    menu(box.left, box.top - 6, t("Attach"), [
      { label: t("Photo"), icon: "photo", act: () => pick(true) },
      { label: t("File"), icon: "file", act: () => pick(false) },
    ]);
  });
  const take = async (files, photos) => {
    const c = chat();
    if (!c || !files.length) return;
    const fields = envelope(c);
    const text = takeText();
    const chosen = [...files];
    const sure = await preview(chosen, photos && chosen.every(isPhoto), text);
    if (!sure) {
      emit("compose", text);
      return;
    }
    done();
    for (const [i, file] of chosen.entries()) {
      await sendFile(c, file, sure.photos, i === 0 ? sure.caption : "", fields);
    }
  };
  picker.addEventListener("change", () => take(picker.files, asPhotos));
  form.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    take(event.clipboardData.files, true);
  });
  const conversation = document.getElementById("conversation");
  const veil = document.getElementById("drop");
  conversation.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files") || !chat()) return;
    event.preventDefault();
    veil.hidden = false;
  });
  veil.addEventListener("dragleave", () => {
    veil.hidden = true;
  });
  conversation.addEventListener("drop", (event) => {
    veil.hidden = true;
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take(event.dataTransfer.files, true);
  });
}

/** Shows what is about to go; resolves with {photos, caption} or null. */
function preview(files, photos, text) {
  const caption = h("textarea", {
    class: "field",
    rows: 1,
    maxlength: 1024,
    "aria-label": t("Comment"),
    placeholder: t("Add a caption…"),
  });
  caption.value = text;
  const label = () => {
    if (files.length === 1) return t(photos ? "Send photo" : "Send file");
    return t(photos ? "Send {n} photos" : "Send {n} files", { n: files.length });
  };
  const urls = files.map((file) => (isPhoto(file) ? URL.createObjectURL(file) : null));
  const shown = h("div", { class: "previews" });
  const draw = () => {
    shown.classList.toggle("as-files", !photos);
    shown.replaceChildren(...files.map((file, i) => (photos && urls[i]
      ? h("img", { src: urls[i], alt: file.name })
      : h("div", { class: "document" }, h("span", { class: "doc-icon" }, icon("file")),
        h("span", { class: "doc-text" }, h("span", { class: "doc-name" }, file.name), h("span", { class: "doc-size" }, size(file.size)))))));
  };
  draw();
  return modal(label(), (close) => {
    const heading = h("h2", {}, label());
    const go = () => close({ photos, caption: caption.value.trim() });
    const as = h("button", { type: "button", class: "quiet" }, t("Send as a file"));
    as.hidden = !files.every(isPhoto);
    as.textContent = t(photos ? "Send as a file" : "Send as a photo");
    as.addEventListener("click", () => {
      photos = !photos;
      as.textContent = t(photos ? "Send as a file" : "Send as a photo");
      heading.textContent = label();
      draw();
    });
    caption.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        go();
      }
    });
    return [heading, shown, caption,
      h("div", { class: "modal-buttons" }, as,
        h("button", { type: "button", onclick: () => close() }, t("Cancel")),
        h("button", { type: "button", class: "primary", onclick: go }, t("Send")))];
  }, { className: "sending" }).finally(() => urls.forEach((url) => url && URL.revokeObjectURL(url)));
}

/** What a picture's bubble needs to know before it is sent. */
async function previewOf(url) {
  const image = new Image();
  image.src = url;
  await image.decode().catch(() => {});
  return { url, width: image.naturalWidth || 1, height: image.naturalHeight || 1 };
}

async function sendFile(c, file, asPhoto, caption, fields) {
  const url = asPhoto ? URL.createObjectURL(file) : null;
  const item = { key: `f${(counter += 1)}`, text: caption, fileName: file.name, share: 0 };
  if (url) item.preview = await previewOf(url);
  room(c.id).pending.push(item);
  stickToBottom();
  emit("room", c.id);
  try {
    took(c.id, await api.upload(c.id, { ...fields, text: caption }, asPhoto ? "photo" : "document", file, (share) => {
      item.share = share;
      emit("room", c.id);
    }));
  } catch (error) {
    complain(error);
  } finally {
    room(c.id).pending = room(c.id).pending.filter((p) => p !== item);
    emit("room", c.id);
    if (url) URL.revokeObjectURL(url);
  }
}
