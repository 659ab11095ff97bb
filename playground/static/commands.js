// The bot's commands: the Menu button's list, and suggestions while "/" is being written.

import * as api from "./api.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { chat, on, speaker } from "./store.js";

const button = document.getElementById("commands");
const box = document.getElementById("suggestions");
const emptyTitle = document.getElementById("empty-title");
const emptyText = document.getElementById("empty-text");
let known = [];
let asked = 0;

/** Asks again which commands this chat and this person have, and what the bot says of itself. */
async function refresh() {
  const c = chat();
  const mine = (asked += 1);
  const found = c && c.type !== "channel" ? await api.offer(c.id, speaker(c)?.id ?? c.id).catch(() => null) : null;
  if (mine !== asked) return;
  known = found?.commands ?? [];
  button.hidden = known.length === 0;
  const described = c?.type === "private" && found?.description;
  emptyTitle.textContent = described ? t("What can this bot do?") : t("No messages here yet");
  emptyText.textContent = described || t("Say hello, or press Start.");
}

const close = () => {
  box.hidden = true;
  box.replaceChildren();
  box.classList.remove("from-menu");
  button.setAttribute("aria-expanded", "false");
};

function show(commands, choose) {
  box.replaceChildren(...commands.map((command, i) => h("button", {
    type: "button",
    role: "option",
    id: `suggestion-${i}`,
    "aria-selected": "false",
    onclick: () => {
      close();
      choose(command);
    },
  }, h("b", {}, `/${command.command}`), h("span", {}, command.description))));
  box.hidden = commands.length === 0;
}

/** Makes the Menu button open the whole list; choosing sends the command. */
export function commandMenu(say) {
  button.replaceChildren(icon("menu"), h("span", {}, t("Menu")));
  button.addEventListener("click", () => {
    if (box.classList.contains("from-menu")) {
      close();
      return;
    }
    show(known, ({ command }) => say(`/${command}`));
    box.classList.add("from-menu");
    button.setAttribute("aria-expanded", "true");
    box.querySelector("button")?.focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!box.contains(event.target) && !button.contains(event.target)) close();
  });
  box.addEventListener("keydown", (event) => {
    const all = [...box.querySelectorAll("button")];
    const at = all.indexOf(document.activeElement);
    if (event.key === "Escape") {
      close();
      button.focus();
    } else if (event.key === "ArrowDown") all[(at + 1) % all.length]?.focus();
    else if (event.key === "ArrowUp") all[(at - 1 + all.length) % all.length]?.focus();
    else return;
    event.preventDefault();
  });
}

/** Suggests commands while the composer holds nothing but the beginning of one. */
export function listenForCommands(input, { say, write }) {
  let at = 0;
  const mark = () => {
    const all = [...box.querySelectorAll("button")];
    all.forEach((el, i) => el.setAttribute("aria-selected", String(i === at)));
    all[at]?.scrollIntoView({ block: "nearest" });
    if (all.length) input.setAttribute("aria-activedescendant", `suggestion-${at}`);
    else input.removeAttribute("aria-activedescendant");
  };
  input.addEventListener("input", () => {
    const start = /^\/(\w*)$/.exec(input.value);
    close();
    if (!start) return;
    show(known.filter((c) => c.command.startsWith(start[1].toLowerCase())), ({ command }) => {
      write("");
      say(`/${command}`);
    });
    at = 0;
    mark();
  });
  input.addEventListener("keydown", (event) => {
    const all = [...box.querySelectorAll("button")];
    if (box.hidden || !all.length) return;
    if (event.key === "ArrowDown") at = (at + 1) % all.length;
    else if (event.key === "ArrowUp") at = (at - 1 + all.length) % all.length;
    else if (event.key === "Escape") close();
    else if (event.key === "Tab") write(`${all[at].querySelector("b").textContent} `);
    else if (event.key === "Enter" && !event.shiftKey) all[at].click();
    else return;
    event.preventDefault();
    mark();
  });
}

on("opened", refresh);
on("commands", refresh);
on("bots", refresh);
on("room", (() => {
  let last = null;
  return () => {
    const now = chat() ? `${chat().id}:${speaker(chat())?.id}` : null;
    if (now !== last) {
      last = now;
      refresh();
    }
  };
})());
