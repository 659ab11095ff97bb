// Writing: text, replies and edits, who is speaking, commands, the bot's keyboard.

import * as api from "./api.js";
import { listenForFiles } from "./attach.js";
import { stickToBottom } from "./chatview.js";
import { commandMenu, listenForCommands } from "./commands.js";
import { complain, menu } from "./dialogs.js";
import { avatar, h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { replyKeyboard, standingKeyboard } from "./keyboards.js";
import { author, chat, emit, fullName, isGroup, on, people, room, speakAs, speaker, standing, took } from "./store.js";
import { inTopic, threadFor } from "./topics.js";
import { summary } from "./words.js";

const form = document.getElementById("composer");
const input = document.getElementById("input");
const bar = document.getElementById("context");
const keys = document.getElementById("reply-keyboard");
const keysSwitch = document.getElementById("keyboard-switch");
const speakerSwitch = document.getElementById("speaker");
const touch = matchMedia("(pointer: coarse)");

let about = null; // {kind: "reply" | "edit", message}
const hiddenKeys = new Set(); // message ids of reply keyboards that the reader put away

function grow() {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, 180)}px`;
  form.classList.toggle("has-text", input.value.trim() !== "");
}

function write(text) {
  input.value = text;
  grow();
  input.focus();
  input.dispatchEvent(new Event("input"));
}

/** Turns the composer to a message: to answer it or to change it. */
function attend(kind, message) {
  about = message ? { kind, message } : null;
  bar.hidden = !about;
  if (!about) return;
  const cancel = h("button", { type: "button", class: "round", "aria-label": t("Cancel"), onclick: () => drop() }, icon("close"));
  bar.replaceChildren(icon(kind === "edit" ? "edit" : "reply"),
    h("span", { class: "context-text" }, h("b", {}, kind === "edit" ? t("Editing") : author(message)), h("span", {}, summary(message))), cancel);
  if (kind === "edit") write(message.text ?? message.caption ?? "");
  else input.focus();
}

function drop() {
  const wasEdit = about?.kind === "edit";
  attend(null, null);
  if (wasEdit) write("");
}

/** What goes with whatever is sent now: who, in answer to what, in which topic. */
function envelope(c) {
  const reply = about?.kind === "reply" ? about.message : forced(c);
  return {
    user_id: speaker(c)?.id,
    reply_to_message_id: reply?.message_id,
    message_thread_id: threadFor(c) ?? reply?.message_thread_id,
  };
}

/** The message that asked for a reply, if the last one did. */
function forced(c) {
  const markup = standingKeyboard(c, inTopic(c, standing(c.id)));
  return markup?.force_reply ? markup.message : null;
}

let counter = 0;

async function say(text, c = chat(), fields = envelope(c)) {
  const item = { key: (counter += 1), text };
  room(c.id).pending.push(item);
  stickToBottom();
  emit("room", c.id);
  try {
    took(c.id, await api.send(c.id, { ...fields, text }));
  } catch (error) {
    if (!input.value) write(text);
    complain(error);
  } finally {
    room(c.id).pending = room(c.id).pending.filter((p) => p !== item);
    emit("room", c.id);
  }
}

async function submit() {
  const text = input.value.trim();
  if (!text) return;
  const c = chat();
  if (about?.kind === "edit") {
    const { message } = about;
    drop();
    await api.edit(c.id, { user_id: speaker(c)?.id, message_id: message.message_id, text }).catch(complain);
    return;
  }
  const fields = envelope(c);
  write("");
  attend(null, null);
  await say(text, c, fields);
}

function showKeyboard() {
  const c = chat();
  if (!c) return;
  const markup = standingKeyboard(c, inTopic(c, standing(c.id)));
  const buttons = markup?.keyboard ? markup : null;
  const put = (text) => {
    if (buttons.one_time_keyboard) hiddenKeys.add(buttons.message.message_id);
    return say(text, c, { ...envelope(c), reply_to_message_id: isGroup(c) ? buttons.message.message_id : undefined });
  };
  const sign = buttons ? `${c.id}:${buttons.message.message_id}:${buttons.message.seq}` : "";
  if (keys.dataset.sign !== sign) {
    keys.dataset.sign = sign;
    keys.replaceChildren(...(buttons ? replyKeyboard(c, buttons, put) : []));
  }
  const away = buttons && hiddenKeys.has(buttons.message.message_id);
  keys.hidden = !buttons || away;
  keysSwitch.hidden = !buttons;
  keysSwitch.setAttribute("aria-expanded", String(Boolean(buttons) && !away));
  keysSwitch.setAttribute("aria-label", away ? t("Bot keyboard") : t("Hide keyboard"));
  input.placeholder = markup?.input_field_placeholder
    ?? (c.type === "channel" ? t("Broadcast…") : markup?.force_reply ? t("Reply…") : t("Message"));
}

function showSpeaker() {
  const c = chat();
  const who = c && speaker(c);
  speakerSwitch.hidden = !c || !isGroup(c) || !who;
  if (speakerSwitch.hidden) return;
  speakerSwitch.setAttribute("aria-label", t("Speaking as {name}", { name: fullName(who) }));
  speakerSwitch.replaceChildren(avatar(who.id, fullName(who), "small"));
}

keysSwitch.append(icon("keyboard"));
keysSwitch.addEventListener("click", () => {
  const id = standingKeyboard(chat(), inTopic(chat(), standing(chat().id))).message.message_id;
  if (!hiddenKeys.delete(id)) hiddenKeys.add(id);
  showKeyboard();
});

speakerSwitch.addEventListener("click", () => {
  const c = chat();
  const box = speakerSwitch.getBoundingClientRect();
  menu(box.left, box.top - 6, t("Speak as"), people(c).filter((p) => !["left", "kicked"].includes(p.status)).map((p) => ({
    label: fullName(p),
    icon: avatar(p.id, fullName(p), "tiny"),
    checked: p.id === speaker(c).id,
    act: () => speakAs(c, p.id),
  })));
});

document.getElementById("send").append(icon("send"));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
input.addEventListener("input", grow);
// Before our own keys: Enter on a suggestion must not send what was typed so far.
listenForCommands(input, { say: (text) => say(text), write });
input.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === "Enter" && !event.shiftKey && !touch.matches) {
    event.preventDefault();
    submit();
  } else if (event.key === "Escape" && about) drop();
  else if (event.key === "ArrowUp" && !input.value && chat()) {
    const mine = standing(chat().id).filter((m) => m.from?.id === speaker(chat())?.id && m.text).at(-1);
    if (mine) {
      event.preventDefault();
      attend("edit", mine);
    }
  }
});

listenForFiles(form, { envelope, done: () => attend(null, null), takeText: () => {
  const text = input.value.trim();
  write("");
  return text;
} });
commandMenu((text) => say(text));

on("room", (chatId) => {
  if (chatId !== chat()?.id) return;
  showKeyboard();
  showSpeaker();
  const gone = about && room(chatId).messages.get(about.message.message_id)?.deleted;
  if (gone) drop();
});
on("leaving", (chatId) => {
  if (about?.kind !== "edit") room(chatId).draft = input.value;
  attend(null, null);
});
on("opened", (chatId) => {
  if (chatId === null) return;
  input.value = room(chatId).draft;
  grow();
  showKeyboard();
  showSpeaker();
  if (!touch.matches) input.focus();
});
on("topic", showKeyboard);
on("reply", (message) => attend("reply", message));
on("edit", (message) => attend("edit", message));
on("say", (text) => say(text).catch(complain));
on("compose", write);
