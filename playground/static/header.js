// The bar above a conversation: whose it is, what goes on in it, its members and topics.

import * as api from "./api.js";
import { activity, chatAvatar } from "./chatlist.js";
import { complain, modal } from "./dialogs.js";
import { avatar, h, icon } from "./dom.js";
import { members, t } from "./i18n.js";
import { chat, emit, fullName, isGroup, loadChats, on, people, speaker, state, title } from "./store.js";
import { topicStrip } from "./topics.js";

const peer = document.getElementById("peer");
const topics = document.getElementById("topics");
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
    h("div", { class: "modal-buttons" }, c.type === "private" ? blocking(c, close) : null,
      h("button", { type: "button", class: "primary", onclick: () => close() }, t("Close"))),
  ], { className: "small" });
}

function blocking(c, close) {
  const blocked = c.bot_status === "kicked";
  const act = () => {
    close();
    api.changeMembers(c.id, { user_id: c.id, action: blocked ? "unblock" : "block" }).then(loadChats).catch(complain);
  };
  return h("button", { type: "button", class: blocked ? "" : "danger", onclick: act }, t(blocked ? "Unblock the bot" : "Block the bot"));
}

back.append(icon("back"));
back.setAttribute("aria-label", t("Back"));
back.addEventListener("click", () => emit("open", null));
peer.addEventListener("click", info);

for (const name of ["opened", "action", "online", "bots", "chats", "topic"]) on(name, render);
on("room", (chatId) => {
  if (chatId === state.open) render();
});
