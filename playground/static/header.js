// The bar above a conversation: whose it is, what goes on in it, its members and topics.

import * as api from "./api.js";
import { activity, chatAvatar } from "./chatlist.js";
import { complain, modal } from "./dialogs.js";
import { avatar, h, icon } from "./dom.js";
import { members, t } from "./i18n.js";
import { chat, emit, fullName, isAdmin, isGroup, loadChats, on, people, speaker, state, title } from "./store.js";
import { topicStrip } from "./topics.js";

const peer = document.getElementById("peer");
const topics = document.getElementById("topics");
const unblock = document.getElementById("unblock");
const back = document.getElementById("back");

function status(c) {
  const doing = activity(c.id);
  if (doing) return h("span", { class: "doing" }, doing);
  if (!state.online) return t("Connecting…");
  if (c.type === "private") return `${t("bot")} · ${t("you are {name}", { name: fullName(speaker(c)) })}`;
  const count = members(present(c).length + (here(c.bot_status) ? 1 : 0));
  return c.type === "channel" ? `${t("channel")} · ${count}` : count;
}

const here = (standing) => !["left", "kicked"].includes(standing);
const present = (c) => people(c).filter((p) => here(p.status));

function render() {
  const c = chat();
  if (!c) return;
  peer.replaceChildren(chatAvatar(c, "middle"), h("span", { class: "peer-text" },
    h("span", { class: "peer-title" }, title(c)), h("span", { class: "peer-status" }, status(c))));
  peer.setAttribute("aria-label", `${t("Chat info")}: ${title(c)}`);
  renderTopics(c);
  renderComposer(c);
}

function renderTopics(c) {
  const strip = topicStrip(c);
  topics.hidden = !strip.length;
  topics.setAttribute("aria-label", t("Topics"));
  topics.replaceChildren(...strip);
}

function info() {
  const c = chat();
  const person = (id, name, standing) => h("div", { class: "member" }, avatar(id, name, "small"), h("span", {}, name), h("i", {}, t(standing)));
  const bot = person(state.bot?.id ?? 0, state.bot?.first_name ?? "Bot", c.type === "private" || !c.bot_status ? "bot" : c.bot_status);
  modal(t("Chat info"), (close) => [
    h("h2", {}, title(c)),
    h("p", { class: "modal-note" }, `${c.type === "private" ? t("private chat") : isGroup(c) ? t("Group") : t("channel")} · id ${c.id}`),
    h("h3", {}, t("Members")),
    h("div", { class: "members" }, bot, people(c).map((p) => person(p.id, fullName(p), p.status ?? "member"))),
    h("div", { class: "modal-buttons" }, standings(c, close),
      h("button", { type: "button", class: "primary", onclick: () => close() }, t("Close"))),
  ], { className: "small" });
}

/** What can be done to the bot here: blocked, let in, sent away, made an admin. */
function standings(c, close) {
  const button = (label, action, danger = false) => h("button", {
    type: "button",
    class: danger ? "danger" : "",
    onclick: () => {
      close();
      changeBot(c, action);
    },
  }, t(label));
  if (c.type === "private") {
    return c.bot_status === "kicked" ? [button("Unblock the bot", "unblock")] : [button("Block the bot", "block", true)];
  }
  if (!here(c.bot_status)) return [button("Add the bot", c.type === "channel" ? "promote" : "join")];
  const away = button("Remove the bot", "kick", true);
  if (c.type === "channel") return [away];
  return [away, c.bot_status === "administrator" ? button("Take admin rights", "demote") : button("Make admin", "promote")];
}

function changeBot(c, action) {
  const who = c.type === "private" ? { user_id: c.id } : { bot: true, by_user_id: speaker(c)?.id };
  api.changeMembers(c.id, { action, ...who }).then(loadChats).catch(complain);
}

/** Where nobody may write, a button or a word stands in the composer's place. */
function renderComposer(c) {
  const blocked = c.type === "private" && c.bot_status === "kicked";
  const silent = !speaker(c) || (c.type === "channel" && !isAdmin(speaker(c)));
  document.getElementById("composer").hidden = blocked || silent;
  document.getElementById("reply-keyboard").classList.toggle("away", blocked || silent);
  unblock.hidden = !blocked;
  document.getElementById("silent").hidden = !silent;
}

unblock.addEventListener("click", () => changeBot(chat(), "unblock"));
back.append(icon("back"));
back.setAttribute("aria-label", t("Back"));
back.addEventListener("click", () => emit("open", null));
peer.addEventListener("click", info);

for (const name of ["opened", "action", "online", "bots", "chats", "topic"]) on(name, render);
on("room", (chatId) => {
  if (chatId === state.open) render();
});
