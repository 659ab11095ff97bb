// One-line summaries of messages, and the sentences of service messages.

import { price, t } from "./i18n.js";
import { author, fullName } from "./store.js";

const names = (users) => users.map(fullName).join(", ");

const SERVICE = {
  new_chat_members: (m) => {
    const joined = m.new_chat_members;
    const self = joined.length === 1 && joined[0].id === m.from?.id;
    return self || !m.from
      ? t("{name} joined the group", { name: names(joined) })
      : t("{actor} added {name}", { actor: author(m), name: names(joined) });
  },
  left_chat_member: (m) => {
    const name = fullName(m.left_chat_member);
    return m.from && m.from.id !== m.left_chat_member.id
      ? t("{actor} removed {name}", { actor: author(m), name })
      : t("{name} left the group", { name });
  },
  pinned_message: (m) => t("{name} pinned «{text}»", { name: author(m), text: cut(summary(m.pinned_message)) }),
  new_chat_title: (m) => t("{name} renamed the group to «{title}»", { name: author(m), title: m.new_chat_title }),
  group_chat_created: () => t("Group created"),
  supergroup_chat_created: () => t("Group created"),
  channel_chat_created: () => t("Channel created"),
  migrate_to_chat_id: () => t("The group became a supergroup"),
  migrate_from_chat_id: () => t("The group became a supergroup"),
  forum_topic_created: (m) =>
    t("{name} created the topic «{title}»", { name: author(m), title: m.forum_topic_created.name }),
  forum_topic_edited: (m) => t("Topic renamed to «{title}»", { title: m.forum_topic_edited.name ?? "" }),
  forum_topic_closed: () => t("Topic closed"),
  forum_topic_reopened: () => t("Topic reopened"),
  general_forum_topic_hidden: () => t("Topic closed"),
  general_forum_topic_unhidden: () => t("Topic reopened"),
  successful_payment: (m) => {
    const { total_amount: amount, currency } = m.successful_payment;
    return t("You paid {price}", { price: price(amount, currency) });
  },
  refunded_payment: (m) =>
    t("{price} refunded", { price: price(m.refunded_payment.total_amount, m.refunded_payment.currency) }),
  users_shared: () => t("Shared with the bot"),
  chat_shared: () => t("Shared with the bot"),
  write_access_allowed: () => t("Service message"),
  message_auto_delete_timer_changed: () => t("Service message"),
};

/** The sentence of a service message, or null for a message that somebody said. */
export function service(message) {
  const kind = Object.keys(SERVICE).find((key) => message[key] !== undefined);
  return kind ? SERVICE[kind](message) : null;
}

const cut = (text) => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

const MEDIA = {
  video: "Video",
  animation: "Video",
  voice: "Voice message",
  sticker: "Sticker",
  location: "Location",
  contact: "Contact",
};

/** What a message is, in a few words: for the chat list, quotes and notices. */
export function summary(message) {
  if (!message) return t("Deleted message");
  const said = message.text ?? message.caption;
  if (said) return said.replace(/\s+/g, " ");
  const event = service(message);
  if (event) return event;
  if (message.photo) return t(message.media_group_id ? "Album" : "Photo");
  if (message.invoice) return `${t("Invoice")}: ${message.invoice.title}`;
  if (message.document) return message.document.file_name ?? t("File");
  if (message.dice) return message.dice.emoji;
  const kind = Object.keys(MEDIA).find((key) => message[key]);
  return t(kind ? MEDIA[kind] : "Message");
}
