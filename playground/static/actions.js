// What a person can do with a message: react, reply, copy, edit, delete.

import * as api from "./api.js";
import { complain, menu } from "./dialogs.js";
import { h } from "./dom.js";
import { copyText } from "./entities.js";
import { t } from "./i18n.js";
import { chat, emit, isAdmin, on, speaker } from "./store.js";

const QUICK = ["👍", "❤", "🔥", "🎉", "😁", "👎"];

/** Opens the menu of a message. */
export function menuFor(c, message, own, x, y) {
  const ours = own || (c.type === "channel" && !message.from); // a post written by hand
  const removable = ours || c.type === "private" || isAdmin(speaker(c));
  const text = message.text ?? message.caption;
  const items = [];
  if (c.type !== "channel") items.push({ label: t("Reply"), icon: "reply", act: () => emit("reply", message) });
  if (text) items.push({ label: t("Copy text"), icon: "copy", act: () => copyText(text) });
  if (ours && text) items.push({ label: t("Edit"), icon: "edit", act: () => emit("edit", message) });
  if (removable) items.push({ label: t("Delete"), icon: "trash", danger: true, act: () => remove(c, message) });
  items.unshift(h("div", { class: "quick-reactions" }, QUICK.map((emoji) =>
    h("button", { type: "button", "aria-label": t("React with {emoji}", { emoji }), onclick: () => react(c, message, emoji) }, emoji))));
  menu(x, y, t("Message actions"), items);
}

function remove(c, message) {
  api.remove(c.id, { user_id: speaker(c)?.id, message_id: message.message_id }).catch(complain);
}

function react(c, message, emoji) {
  api.react(c.id, { user_id: speaker(c)?.id, message_id: message.message_id, emoji }).catch(complain);
}

on("react", ({ message, emoji }) => react(chat(), message, emoji));
