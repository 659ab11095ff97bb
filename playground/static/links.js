// Links to chats and messages that are here: they open on this page, not in Telegram.

import { chat, emit, loadRoom, speaker, state } from "./store.js";

const HOSTS = /^(?:https?:\/\/)?(?:www\.)?(?:t\.me|telegram\.me)\/([^?#]+)(?:\?([^#]*))?/i;
const PRIVATE_BASE = -1_000_000_000_000; // a channel's id is this less the number in t.me/c/number

/** Opens what a link leads to, if it is a chat or a message of this playground; says whether. */
export function openHere(address) {
  const found = HOSTS.exec(address);
  if (!found) return false;
  const [head, ...rest] = found[1].split("/").filter(Boolean);
  const named = head?.toLowerCase();
  if (named === "c" && rest.length > 1) return openMessage(PRIVATE_BASE - Number(rest[0]), rest.at(-1));
  if (state.bots.some((bot) => bot.username?.toLowerCase() === named)) return openBot(new URLSearchParams(found[2] ?? ""));
  const known = [...state.chats.values()].find((c) => c.type !== "private" && c.username?.toLowerCase() === named);
  return known ? openMessage(known.id, rest.at(-1)) : false;
}

/** The bot's chat with whoever speaks here; a payload is said as /start, as the button there does. */
function openBot(query) {
  const here = chat();
  const own = state.chats.get(here && speaker(here)?.id);
  if (!own) return false;
  emit("open", own.id);
  if (query.get("start")) emit("say", `/start ${query.get("start")}`);
  return true;
}

function openMessage(chatId, messageId) {
  if (!state.chats.has(chatId)) return false;
  emit("open", chatId);
  if (/^\d+$/.test(messageId ?? "")) loadRoom(chatId).then(() => emit("jump", Number(messageId)), () => {});
  return true;
}
