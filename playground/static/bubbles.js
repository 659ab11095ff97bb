// One message (or one album) as a row of the conversation.

import { menuFor } from "./actions.js";
import { avatar, colourOf, h, icon } from "./dom.js";
import { formatted } from "./entities.js";
import { clock, t } from "./i18n.js";
import { inlineKeyboard } from "./keyboards.js";
import { albumBlock, documentRow, invoiceBlock, otherMedia, photoBlock, placeFor } from "./media.js";
import { author, botName, emit, isGroup, isOwn, room, speaker, standing } from "./store.js";
import { service, summary } from "./words.js";

const ONLY_EMOJI = /^(\p{Emoji_Presentation}|\p{Emoji}\uFE0F){1,3}$/u;
const LONG_PRESS_MS = 450;

/** A line that nobody said: joined, pinned, paid. */
export function serviceRow(message) {
  const plain = h("span", { class: "pill" }, service(message));
  return h("div", { class: "service", role: "article", "data-message-id": message.message_id, "aria-label": t("Service message") }, plain);
}

/** What a row is told about its place: {first, last} of a run by one sender, {own}. */
export function messageRow(c, messages, place) {
  const [message] = messages;
  const bubble = h("div", { class: "bubble" });
  const row = h("div", {
    class: ["row", place.own ? "out" : "in", place.first && "first", place.last && "last"].filter(Boolean).join(" "),
    role: "article",
    "data-message-id": message.message_id,
    "aria-label": `${place.own ? speaker(c)?.first_name ?? "" : author(message)}, ${clock(message.date)}`,
  });
  fill(bubble, c, messages, place);
  if (isGroup(c) && !place.own) row.append(gutter(message, place));
  const keyboard = inlineKeyboard(c, messages.at(-1));
  const stack = h("div", { class: "stack" }, bubble, keyboard);
  if (bubble.classList.contains("with-media")) stack.style.setProperty("--media", bubble.style.getPropertyValue("--media"));
  row.append(stack, actionsButton(c, message, row));
  if (keyboard) row.classList.add("with-keyboard");
  if (bubble.classList.contains("media-last")) row.classList.add("tailless");
  return row;
}

/** A file or a text on its way to the server. */
export function pendingRow(item) {
  const bubble = h("div", { class: "bubble" });
  const stack = h("div", { class: "stack" }, bubble);
  if (item.preview) {
    const block = placeFor(item.preview, h("img", { src: item.preview.url, alt: "" }), ring());
    bubble.append(block);
    bubble.classList.add("with-media");
    if (!item.text) bubble.classList.add("media-last");
    stack.style.setProperty("--media", block.style.getPropertyValue("--media"));
  } else if (item.fileName) {
    bubble.append(h("div", { class: "document" }, h("span", { class: "doc-icon" }, ring()),
      h("span", { class: "doc-text" }, h("span", { class: "doc-name" }, item.fileName), h("span", { class: "doc-size" }, t("Sending")))));
  }
  if (item.text) bubble.append(h("div", { class: "text" }, item.text, h("span", { class: "meta" }, icon("clock", "ticks"))));
  const tail = bubble.classList.contains("media-last") ? "tailless" : "";
  return h("div", { class: `row out first last pending ${tail}` }, stack);
}

function ring() {
  return h("span", { class: "ring", role: "progressbar", "aria-label": t("Sending"), "aria-valuemin": "0", "aria-valuemax": "100" });
}

/** Shows how far an upload is on its row, without building it again. */
export function showProgress(row, share) {
  const el = row.querySelector(".ring");
  el?.style.setProperty("--share", String(share));
  el?.setAttribute("aria-valuenow", String(Math.round(share * 100)));
}

function gutter(message, place) {
  const id = message.sender_chat?.id ?? message.from?.id ?? 0;
  return h("div", { class: "gutter" }, place.last ? avatar(id, author(message), "small") : null);
}

function fill(bubble, c, messages, place) {
  const [message] = messages;
  const head = [];
  if (isGroup(c) && !place.own && place.first) {
    const id = message.sender_chat?.id ?? message.from?.id ?? 0;
    head.push(h("div", { class: `author colour-${colourOf(id)}` }, author(message),
      message.author_signature ? h("span", { class: "badge" }, message.author_signature) : null));
  }
  if (message.receiver_user) head.push(h("div", { class: "forwarded" }, t("Only you see this")));
  if (message.forward_origin) head.push(h("div", { class: "forwarded" }, t("Forwarded from {name}", { name: originName(message.forward_origin) })));
  if (message.via_bot) head.push(h("div", { class: "forwarded" }, t("via @{name}", { name: message.via_bot.username })));
  if (message.reply_to_message && !isTopicHead(message)) head.push(quote(c, message));
  const album = messages.length > 1 && messages.every((m) => m.photo);
  const media = album ? [albumBlock(messages, albumCell(messages))] : [];
  const said = messages.filter((m) => m.text ?? m.caption);
  const foot = [reactions(c, message), said.length ? null : meta(c, message, place)].filter(Boolean);

  if (head.length) bubble.append(h("div", { class: "head" }, head));
  const words = (m) => ((m.text ?? m.caption) ? textBlock(c, m, m === said.at(-1) ? meta(c, m, place) : null) : null);
  if (album) bubble.append(...inOrder(message, media, said.map(words)));
  else {
    for (const [i, m] of messages.entries()) {
      const block = mediaOf(m);
      if (block) media.push(block);
      const parts = inOrder(m, block ? [block] : [], [words(m)].filter(Boolean));
      bubble.append(...(i === 0 ? parts : [h("div", part(messages, i), parts)]));
    }
  }
  bubble.append(...foot);
  const visual = media.length > 0 && media[0].classList.contains("media");
  if (visual) {
    bubble.classList.add("with-media");
    bubble.style.setProperty("--media", media[0].style.getPropertyValue("--media"));
    if (!said.length && foot.length === 1 && !message.invoice) bubble.classList.add("media-last");
    if (bubble.classList.contains("media-last") && !head.length) bubble.classList.add("only-media");
  }
  if (message.sticker || (message.text && ONLY_EMOJI.test(message.text) && !head.length)) bubble.classList.add("naked");
}

const isTopicHead = (message) => message.is_topic_message && message.reply_to_message?.forum_topic_created;

const inOrder = (message, media, words) =>
  (message.show_caption_above_media ? [...words, ...media] : [...media, ...words]);

function mediaOf(message) {
  if (message.photo) return photoBlock(message);
  if (message.document && !message.animation) return documentRow(message.document, t("File"));
  if (message.invoice) return invoiceBlock(message.invoice);
  const other = otherMedia(message);
  if (other || message.text !== undefined) return other;
  return h("div", { class: "text" }, h("i", {}, t("This kind of message is not shown here")));
}

// The row itself stands for the first message of a group; each further one is an article in it.
const part = (messages, i) =>
  (i === 0 ? {} : { role: "article", "data-message-id": messages[i].message_id, "aria-label": summary(messages[i]) });

function albumCell(messages) {
  return (i, content) => h("div", { class: "cell", ...part(messages, i) }, content);
}

function textBlock(c, message, tail) {
  const text = message.text ?? message.caption;
  const entities = message.entities ?? message.caption_entities;
  return h("div", { class: "text", dir: "auto" }, formatted(text, entities, { command: (said) => emit("say", said) }), tail);
}

function meta(c, message, place) {
  return h("span", { class: "meta" },
    c.type === "channel" && message.author_signature ? h("span", {}, `${message.author_signature}, `) : null,
    message.edit_date ? h("span", { class: "edited" }, t("edited")) : null,
    h("time", { datetime: new Date(message.date * 1000).toISOString() }, clock(message.date)),
    place.own ? h("span", { class: "sent", role: "img", "aria-label": t("Sent") }, icon("ticks", "ticks")) : null);
}

function originName(origin) {
  return origin.sender_user_name ?? origin.sender_user?.first_name ?? origin.sender_chat?.title ?? origin.chat?.title ?? "?";
}

function quote(c, message) {
  const original = message.reply_to_message;
  const id = original.sender_chat?.id ?? original.from?.id ?? 0;
  const known = standing(c.id).some((m) => m.message_id === original.message_id);
  return h("button", { type: "button", class: `quote colour-${colourOf(id)}`, onclick: () => emit("jump", original.message_id) },
    h("b", {}, author(original) || botName()),
    h("span", {}, message.quote?.text ?? (known ? summary(original) : summary(original) || t("Deleted message"))));
}

/** Reactions by emoji: [{emoji, count, mine}], from the server's {user id: [reaction]}. */
function tally(c, message) {
  const me = String(speaker(c)?.id);
  const byEmoji = new Map();
  for (const [userId, given] of Object.entries(message.reactions ?? {})) {
    for (const { emoji = "★" } of given) {
      const entry = byEmoji.get(emoji) ?? { emoji, count: 0, mine: false };
      entry.count += 1;
      entry.mine ||= userId === me;
      byEmoji.set(emoji, entry);
    }
  }
  return [...byEmoji.values()];
}

function reactions(c, message) {
  const all = tally(c, message);
  if (!all.length) return null;
  return h("div", { class: "reactions" }, all.map(({ emoji, count, mine }) =>
    h("button", {
      type: "button",
      class: mine ? "mine" : "",
      "aria-label": `${emoji} ${count}`,
      onclick: () => emit("react", { message, emoji: mine ? "" : emoji }),
    }, h("span", {}, emoji), h("span", {}, String(count)))));
}

function actionsButton(c, message, row) {
  const open = (x, y) => menuFor(c, message, isOwn(c, message), x, y);
  row.addEventListener("contextmenu", (event) => {
    if (event.target.closest("a, img") && event.shiftKey) return;
    event.preventDefault();
    open(event.clientX, event.clientY);
  });
  let timer = null;
  row.addEventListener("touchstart", (event) => {
    const { clientX, clientY } = event.touches[0];
    timer = setTimeout(() => open(clientX, clientY), LONG_PRESS_MS);
  }, { passive: true });
  for (const end of ["touchend", "touchmove", "touchcancel"]) {
    row.addEventListener(end, () => clearTimeout(timer), { passive: true });
  }
  return h("button", {
    type: "button",
    class: "actions",
    "aria-label": t("Message actions"),
    onclick: (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      open(box.left, box.bottom);
    },
  }, icon("more"));
}

/** A row's state in short: it is built again only when this changes. */
export function signature(c, messages, place) {
  const busy = [...room(c.id).pressed].filter((key) => key.startsWith(`${messages.at(-1).message_id}:`));
  return [messages.map((m) => `${m.message_id}.${m.seq}`), place.own, place.first, place.last, busy, speaker(c)?.id].join("|");
}
