// The list of chats on the left (the whole screen of a phone until one is opened).

import * as api from "./api.js";
import { buttons, complain, menu, modal } from "./dialogs.js";
import { avatar, h, icon, reconcile } from "./dom.js";
import { t, when } from "./i18n.js";
import { author, emit, follow, fullName, isGroup, isOwn, loadChats, on, people, room, speaker, state, title } from "./store.js";
import { summary } from "./words.js";

const list = document.getElementById("chats");
const search = document.getElementById("search");
const botSwitch = document.getElementById("bot-switch");

const ACTIONS = { typing: "typing…", upload_photo: "sending a photo…", upload_document: "sending a file…" };

/** "typing…" and its like, or null. */
export function activity(chatId) {
  const { action } = room(chatId);
  return action ? t(ACTIONS[action] ?? "typing…") : null;
}

/** The picture of a chat: a private one shows the bot and, small, whom we play. */
export function chatAvatar(c, size = "") {
  if (c.type !== "private") return avatar(c.id, title(c), size);
  const person = speaker(c);
  return h("span", { class: `avatars ${size}`, "aria-hidden": "true" },
    avatar(state.bot?.id ?? 0, title(c), size), avatar(person.id, fullName(person), "tiny"));
}

function preview(c) {
  const doing = activity(c.id);
  if (doing) return h("span", { class: "doing" }, doing);
  const last = c.last_message;
  if (!last) return h("span", {}, t("No messages here yet"));
  const who = isGroup(c) && last.from ? `${isOwn(c, last) ? speaker(c).first_name : author(last)}: ` : "";
  const thumb = last.photo?.[0]
    ? h("img", { class: "thumb", src: api.fileUrl(last.photo[0].file_id), "data-file": last.photo[0].file_id, width: 18, height: 18, alt: "" }) : null;
  return h("span", {}, who ? h("b", {}, who) : null, thumb, summary(last));
}

function entry(c) {
  const { unread } = room(c.id);
  const open = state.open === c.id;
  const person = c.type === "private" ? speaker(c) : null;
  const kind = { channel: "channel", group: "group", supergroup: "group" }[c.type];
  const sign = JSON.stringify([title(c), person?.first_name, c.last_message?.message_id, c.last_message?.seq,
    c.last_message?.edit_date, summary(c.last_message), activity(c.id), unread, open, speaker(c)?.id, state.bot?.id]);
  return {
    key: String(c.id),
    sign,
    make: () => h("button", {
      type: "button",
      class: `chat ${open ? "open" : ""}`,
      "aria-current": open ? "true" : null,
      "data-chat-id": c.id,
      onclick: () => emit("open", c.id),
    }, chatAvatar(c),
    h("span", { class: "chat-text" },
      h("span", { class: "chat-top" },
        kind ? icon(kind, "kind") : null,
        h("span", { class: "chat-title" }, title(c)),
        person ? h("span", { class: "chat-as" }, fullName(person)) : null,
        h("time", {}, c.last_message ? when(c.last_message.date) : "")),
      h("span", { class: "chat-bottom" }, h("span", { class: "chat-last" }, preview(c)),
        unread ? h("span", { class: "count", role: "img", "aria-label": t("{n} unread", { n: unread }) }, String(unread)) : null))),
  };
}

function render() {
  const wanted = search.value.trim().toLowerCase();
  const shown = [...state.chats.values()]
    .filter((c) => `${title(c)} ${people(c).map(fullName).join(" ")}`.toLowerCase().includes(wanted))
    .sort((a, b) => (b.last_message?.date ?? 0) - (a.last_message?.date ?? 0));
  reconcile(list, shown.map(entry));
  document.getElementById("nothing-found").hidden = shown.length > 0 || !wanted;
  const unread = [...state.chats.keys()].reduce((sum, id) => sum + room(id).unread, 0);
  document.title = unread ? `(${unread}) Vitrina Playground` : "Vitrina Playground";
}

function renderBots() {
  document.getElementById("list-title").textContent = !state.online
    ? t("Connecting…") : state.bot ? t("Chats") : t("Waiting for a bot to connect…");
  botSwitch.hidden = state.bots.length < 2;
  botSwitch.replaceChildren(icon("down"));
  botSwitch.setAttribute("aria-label", `${t("Bot")}: ${state.bot?.first_name ?? ""}`);
}

botSwitch.addEventListener("click", () => {
  const box = botSwitch.getBoundingClientRect();
  menu(box.left, box.bottom + 4, t("Bot"), state.bots.map((bot) => ({
    label: `${bot.first_name} @${bot.username}`,
    icon: avatar(bot.id, bot.first_name, "tiny"),
    checked: bot.id === state.bot?.id,
    act: () => follow(bot).then(() => emit("open", null)).catch(complain),
  })));
});

async function newChat() {
  const types = { private: t("Person"), supergroup: t("Group"), channel: t("Channel") };
  const kind = h("div", { class: "segments", role: "radiogroup", "aria-label": t("New chat") },
    Object.entries(types).map(([value, label], i) =>
      h("label", {}, h("input", { type: "radio", name: "kind", value, checked: i === 0 }), h("span", {}, label))));
  const name = h("input", { class: "field", type: "text", maxlength: 64, "aria-label": t("Name"), placeholder: t("Name"), autofocus: true });
  const language = h("select", { class: "field", "aria-label": t("Language") },
    h("option", { value: "ru" }, "Русский"), h("option", { value: "en" }, "English"));
  kind.addEventListener("change", (event) => {
    language.hidden = event.target.value !== "private";
  });
  const ok = await modal(t("New chat"), (close) => [
    h("h2", {}, t("New chat")), kind, name, language,
    buttons(close, [t("Cancel"), null], [t("Create"), true, "primary"]),
  ], { className: "small" });
  const said = name.value.trim();
  if (!ok || !said) return;
  const made = await api.createChat(chatBody(kind.querySelector("input:checked").value, said, language.value));
  await loadChats();
  emit("open", made.id);
}

function chatBody(type, name, language) {
  if (type === "private") return { type, title: name, members: [{ first_name: name, language_code: language, status: "member" }] };
  const known = new Map([...state.chats.values()].filter((c) => c.type === "private").flatMap(people).map((p) => [p.id, p]));
  const everybody = [...known.values()].map(({ id, first_name, language_code }, i) =>
    ({ id, first_name, language_code, status: i ? "member" : "creator" }));
  return { type, title: name, members: everybody, bot_status: "administrator" };
}

document.getElementById("new-chat").append(icon("edit"));
document.getElementById("new-chat").addEventListener("click", () => newChat().catch(complain));
search.addEventListener("input", render);
for (const name of ["chats", "action", "bots", "opened"]) on(name, render);
on("bots", renderBots);
on("online", renderBots);
