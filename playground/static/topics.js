// Topics of a forum group: which ones there are, and which one is on screen.

import * as api from "./api.js";
import { buttons, complain, modal } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { emit, room, speaker } from "./store.js";

const GENERAL = "general";

/** The messages of the topic on screen; all of them where none is chosen. */
export function inTopic(c, messages) {
  const { topic } = room(c.id);
  if (!c.is_forum || topic === null) return messages;
  return messages.filter((m) => {
    const thread = m.is_topic_message || m.forum_topic_created ? m.message_thread_id ?? m.message_id : null;
    return topic === GENERAL ? thread === null : thread === topic;
  });
}

/** The thread that a new message goes to, or undefined. */
export function threadFor(c) {
  const { topic } = room(c.id);
  return c.is_forum && typeof topic === "number" ? topic : undefined;
}

async function openNew(c) {
  const name = h("input", { class: "field", type: "text", maxlength: 128, "aria-label": t("Title"), placeholder: t("Title") });
  const ok = await modal(t("New topic"), (close) => [
    h("h2", {}, t("New topic")), name, buttons(close, [t("Cancel"), null], [t("Create"), true, "primary"]),
  ], { className: "small" });
  if (!ok || !name.value.trim()) return;
  const made = await api.changeMembers(c.id, { user_id: speaker(c)?.id, action: "open_topic", name: name.value.trim() });
  choose(c, made.message_thread_id);
}

function choose(c, topic) {
  room(c.id).topic = topic;
  emit("topic", c.id);
}

/** The strip of topics above a forum's conversation; empty elsewhere. */
export function topicStrip(c) {
  if (!c.is_forum) return [];
  const { topic } = room(c.id);
  const tab = (id, name, closed) => h("button", {
    type: "button",
    role: "tab",
    "aria-selected": String(topic === id),
    onclick: () => choose(c, id),
  }, closed ? icon("lock") : null, name);
  return [
    tab(null, t("All")),
    tab(GENERAL, t("General")),
    ...c.topics.map((one) => tab(one.message_thread_id, one.name, one.closed)),
    h("button", { type: "button", class: "new-topic", "aria-label": t("New topic"), onclick: () => openNew(c).catch(complain) }, icon("plus")),
  ];
}
