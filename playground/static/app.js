// The chat page: opens chats, follows the address bar, starts everything.

import * as api from "./api.js";
import { reset } from "./chatview.js";
import "./chatlist.js";
import "./composer.js";
import { complain } from "./dialogs.js";
import "./header.js";
import { t } from "./i18n.js";
import { emit, follow, loadRoom, on, room, state } from "./store.js";

const BOT_POLL_MS = 2000; // until the first bot has come
const phone = matchMedia("(max-width: 700px)");

function words() {
  for (const el of document.querySelectorAll("[data-label]")) el.setAttribute("aria-label", t(el.dataset.label));
  for (const el of document.querySelectorAll("[data-text]")) el.textContent = t(el.dataset.text);
  for (const el of document.querySelectorAll("[data-hint]")) el.placeholder = t(el.dataset.hint);
}

/** Puts a chat on screen; null goes back to the list. */
async function open(chatId, { remember = true } = {}) {
  if (state.open !== null && state.open !== chatId) emit("leaving", state.open);
  const known = chatId !== null && state.chats.has(chatId);
  state.open = known ? chatId : null;
  document.body.classList.toggle("in-chat", known);
  document.getElementById("conversation").inert = !known;
  document.getElementById("nobody").hidden = known;
  if (remember) history.pushState(null, "", known ? `#${chatId}` : location.pathname + location.search);
  if (known) {
    room(chatId).unread = 0;
    reset();
    emit("opened", chatId);
    await loadRoom(chatId).catch(complain);
  } else emit("opened", null);
}

function fromAddress() {
  const wanted = Number(location.hash.slice(1));
  return state.chats.has(wanted) ? wanted : null;
}

/** The chat that a newcomer sees first: a private one in their own language, if there is one. */
function firstChat() {
  const all = [...state.chats.values()].filter((c) => c.type === "private");
  const language = navigator.language.slice(0, 2);
  return (all.find((c) => c.members?.some((m) => m.language_code === language)) ?? all[0])?.id ?? null;
}

async function findBot() {
  state.bots = await api.bots();
  const asked = Number(new URLSearchParams(location.search).get("bot"));
  return state.bots.find((b) => b.id === asked) ?? state.bots[0] ?? null;
}

/** Looks for a bot now and then: it may connect after the page was opened, or a second one may. */
async function watchBots() {
  const before = JSON.stringify(state.bots);
  const bot = await findBot().catch(() => state.bot);
  if (bot && state.bot?.id !== bot.id && !state.bots.some((b) => b.id === state.bot?.id)) {
    const at = state.open;
    await follow(bot);
    await open(at, { remember: false });
  } else if (JSON.stringify(state.bots) !== before) {
    state.bot = state.bots.find((b) => b.id === state.bot?.id) ?? state.bot;
    emit("bots");
    emit("chats");
  }
}

on("open", (chatId) => open(chatId));
on("topic", (chatId) => {
  if (chatId === state.open) reset();
});
addEventListener("popstate", () => open(fromAddress(), { remember: false }));

document.getElementById("start").addEventListener("click", () => emit("say", "/start"));

words();
try {
  await follow(await findBot());
  const wanted = fromAddress() ?? (phone.matches ? null : firstChat());
  if (wanted === null) await open(null, { remember: false });
  else await open(wanted, { remember: false });
} catch (error) {
  complain(error);
}
setInterval(() => watchBots().catch(complain), BOT_POLL_MS);
document.body.dataset.ready = "true";
