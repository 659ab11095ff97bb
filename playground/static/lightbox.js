// Pictures at full size: arrow keys, swipes, Escape.

import * as api from "./api.js";
import { h, icon } from "./dom.js";
import { clock, day, t } from "./i18n.js";

const SWIPE_PX = 50;

/** The largest stored size of a photo. */
export const largest = (photo) => photo.reduce((a, b) => (b.width * b.height > a.width * a.height ? b : a));

/** Opens `pictures` ({photo, caption (nodes), author, date}) full size at number `at`. */
export function openLightbox(pictures, at) {
  const image = h("img", { class: "lightbox-image" });
  const counter = h("span", { class: "lightbox-count" });
  const who = h("div", { class: "lightbox-who" });
  const caption = h("div", { class: "lightbox-caption" });
  const save = h("a", { class: "round", "aria-label": t("Download") }, icon("download"));
  const dialog = h("dialog", { class: "lightbox", "aria-label": t("Photo") });

  const show = (index) => {
    at = (index + pictures.length) % pictures.length;
    const { photo, author, date } = pictures[at];
    const best = largest(photo);
    image.src = api.fileUrl(best.file_id);
    image.width = best.width;
    image.height = best.height;
    image.alt = t("Photo {n} of {total}", { n: at + 1, total: pictures.length });
    counter.textContent = pictures.length > 1 ? `${at + 1} / ${pictures.length}` : "";
    who.replaceChildren(h("b", {}, author), h("span", {}, `${day(date)}, ${clock(date)}`));
    caption.replaceChildren(...pictures[at].caption());
    save.href = image.src;
    save.download = `photo-${best.file_unique_id ?? at + 1}.jpg`;
  };
  const arrow = (name, step, side) =>
    h("button", { type: "button", class: `round arrow ${side}`, "aria-label": t(name), onclick: () => show(at + step) },
      icon(side));

  dialog.append(
    h("div", { class: "lightbox-bar" }, who, counter, h("div", { class: "lightbox-tools" }, save,
      h("button", { type: "button", class: "round", "aria-label": t("Close"), onclick: () => dialog.close() },
        icon("close")))),
    h("div", { class: "lightbox-stage" }, image),
    caption,
  );
  if (pictures.length > 1) dialog.append(arrow("Previous", -1, "prev"), arrow("Next", 1, "next"));

  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") show(at - 1);
    if (event.key === "ArrowRight") show(at + 1);
  });
  listenForSwipes(dialog, show, () => at);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.classList.contains("lightbox-stage")) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  show(at);
  dialog.showModal();
}

function listenForSwipes(dialog, show, current) {
  let start = null;
  dialog.addEventListener("touchstart", (event) => {
    start = event.touches.length === 1 ? event.touches[0] : null;
  }, { passive: true });
  dialog.addEventListener("touchend", (event) => {
    if (!start) return;
    const dx = event.changedTouches[0].clientX - start.clientX;
    const dy = event.changedTouches[0].clientY - start.clientY;
    start = null;
    if (Math.abs(dx) > SWIPE_PX && Math.abs(dx) > Math.abs(dy)) show(current() - Math.sign(dx));
    else if (dy > SWIPE_PX * 2) dialog.close();
  }, { passive: true });
}
