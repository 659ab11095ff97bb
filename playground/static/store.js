// What the page knows: bots, chats and their messages, kept true by the server's events.

import * as api from "./api.js";

export const state = {
  bots: [],
  bot: null,
  online: true,
  open: null, // id of the chat on screen
  chats: new Map(), // id -> chat as the server tells it
};

const rooms = new Map();
const hearers = new Map();

/** Calls `hear(detail)` whenever `name` happens: bots, chats, room, action, online, commands. */
export function on(name, hear) {
  if (!hearers.has(name)) hearers.set(name, []);
  hearers.get(name).push(hear);
}

export function emit(name, detail) {
  for (const hear of hearers.get(name) ?? []) hear(detail);
}

/** What we hold about one chat: messages by id (deleted ones stay, marked), uploads under way. */
export function room(chatId) {
  if (!rooms.has(chatId)) {
    rooms.set(chatId, {
      messages: new Map(),
      seq: 0,
      loaded: false,
      pending: [],
      pressed: new Set(),
      action: null,
      unread: 0,
      speaker: null,
      topic: null,
      draft: "",
    });
  }
  return rooms.get(chatId);
}

/** The chat's standing messages in order: those for one person only before their eyes alone. */
export function standing(chatId) {
  const c = state.chats.get(chatId);
  const me = c && speaker(c)?.id;
  return [...room(chatId).messages.values()]
    .filter((m) => !m.deleted && (!m.receiver_user || m.receiver_user.id === me))
    .sort((a, b) => a.message_id - b.message_id);
}

export const chat = () => state.chats.get(state.open);
export const botName = () => state.bot?.first_name ?? "Bot";
export const isGroup = (c) => c.type === "group" || c.type === "supergroup";
export const people = (c) => (c.members ?? []).filter((m) => !isBot(m.id) && !m.is_bot);
export const isAdmin = (member) => ["creator", "administrator"].includes(member?.status);
const isBot = (id) => state.bots.some((b) => b.id === id);
const present = (m) => !["left", "kicked"].includes(m.status);

/** Whose hands are on the keyboard in this chat. */
export function speaker(c) {
  if (c.type === "private") return people(c)[0] ?? { id: c.id, first_name: c.first_name ?? c.title };
  const here = people(c).filter(present);
  const saved = room(c.id).speaker ?? Number(localStorage.getItem(`speaker:${c.id}`));
  return here.find((m) => m.id === saved) ?? here.find(isAdmin) ?? here[0] ?? null;
}

export function speakAs(c, userId) {
  room(c.id).speaker = userId;
  localStorage.setItem(`speaker:${c.id}`, userId);
  emit("room", c.id);
}

/** Is this message ours, as things stand: said by the one whose hands are on the keyboard? */
export function isOwn(c, message) {
  if (c.type === "channel" || message.sender_chat) return false;
  return message.from?.id === speaker(c)?.id;
}

/** A chat's name in the list: a private chat is the bot's, as the person who talks to it. */
export function title(c) {
  return c.type === "private" ? botName() : (c.title ?? String(c.id));
}

/** A sender's name, wherever the message came from. */
export function author(message) {
  if (message.chat?.type === "channel") return message.chat.title;
  if (message.sender_chat) return message.sender_chat.title ?? "";
  return fullName(message.from);
}

export const fullName = (user) => [user?.first_name, user?.last_name].filter(Boolean).join(" ");

/** Takes one message in, unless we hold a newer state of it; says whether it was new to us. */
function take(chatId, message) {
  const r = room(chatId);
  const held = r.messages.get(message.message_id);
  if (held && (held.seq ?? 0) >= (message.seq ?? 0)) return false;
  r.messages.set(message.message_id, message);
  r.seq = Math.max(r.seq, message.seq ?? 0);
  return !held && !message.deleted;
}

let loading = null;
let next = null;

/** Asks for the chats anew, once whoever asks now has an answer: one that was overtaken by a later
 *  one would bring an old list back. Calls that wait share a turn. */
export function loadChats() {
  next ??= Promise.resolve(loading).catch(() => {}).then(() => {
    [loading, next] = [next, null];
    return fetchChats();
  });
  return next;
}

async function fetchChats() {
  const list = await api.chats();
  state.chats = new Map(list.filter((c) => !c.migrated_to).map((c) => [c.id, c]));
  const moved = list.find((c) => c.id === state.open && c.migrated_to);
  if (moved) emit("open", moved.migrated_to);
  emit("chats");
}

/** Fetches what changed in a chat since we last looked; everything the first time. */
export async function loadRoom(chatId) {
  const r = room(chatId);
  const answer = await api.messages(chatId, r.loaded ? r.seq : 0);
  for (const message of answer.messages) take(chatId, message);
  r.seq = Math.max(r.seq, answer.seq ?? 0);
  r.loaded = true;
  emit("room", chatId);
}

/** What a call of ours brought back is shown at once, before its event comes. */
export function took(chatId, message) {
  if (!message?.message_id) return;
  take(chatId, message);
  touchChat(chatId, message);
  emit("room", chatId);
}

function touchChat(chatId, message) {
  const c = state.chats.get(chatId);
  if (!c || message.deleted) return;
  if ((c.last_message?.message_id ?? 0) <= message.message_id) c.last_message = message;
}

function heard({ chat_id: chatId, seq, message }) {
  if (!state.chats.has(chatId)) {
    loadChats();
    return;
  }
  const c = state.chats.get(chatId);
  const r = room(chatId);
  const fresh = take(chatId, { seq, ...message });
  touchChat(chatId, message);
  if (message.deleted && c.last_message?.message_id === message.message_id) loadChats();
  if (fresh && !isOwn(c, message)) {
    r.action = null;
    const seen = state.open === chatId && document.visibilityState === "visible";
    if (!seen) r.unread += 1;
    emit("arrived", { chatId, message });
  }
  emit("room", chatId);
  emit("chats");
}

const ACTION_MS = 6000; // Telegram shows an action for five seconds or so

function acted({ chat_id: chatId, action }) {
  const r = room(chatId);
  r.action = action;
  clearTimeout(r.actionTimer);
  r.actionTimer = setTimeout(() => {
    r.action = null;
    emit("action", chatId);
  }, ACTION_MS);
  emit("action", chatId);
}

async function resync() {
  await loadChats();
  for (const [chatId, r] of rooms) {
    if (r.loaded && state.chats.has(chatId)) await loadRoom(chatId);
  }
}

let stop = null;

/** Chooses the bot that the page looks at, and follows its events from now on. */
export async function follow(bot) {
  stop?.();
  state.bot = bot;
  api.useBot(bot?.id ?? null);
  rooms.clear();
  await loadChats();
  emit("bots");
  stop = api.listen(
    {
      message: heard,
      chat: () => loadChats().then(() => emit("room", state.open)),
      action: acted,
      commands: () => emit("commands"),
    },
    (online) => {
      // Even the first opening may come after something happened: look again each time.
      if (online) resync().catch(() => {});
      state.online = online;
      emit("online");
    },
  );
}
