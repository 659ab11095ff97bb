// The open conversation: rows by day, kept in step with the store without moving under the eye.

import { messageRow, pendingRow, serviceRow, showProgress, signature } from "./bubbles.js";
import { h, icon, reconcile } from "./dom.js";
import { day, t } from "./i18n.js";
import { emit, isOwn, on, room, standing, state } from "./store.js";
import { inTopic } from "./topics.js";
import { service } from "./words.js";

const RUN_S = 600; // messages of one sender within ten minutes stand close together
const PAGE = 120; // rows shown at first, and added each time the top is reached
const NEAR_BOTTOM_PX = 60;

const scroller = document.getElementById("scroller");
const list = document.getElementById("messages");
const toBottom = document.getElementById("to-bottom");
let shown = PAGE;
let stuck = true; // at the bottom, and staying there
let measured = ""; // the heights that `stuck` was last decided on

const heights = () => `${scroller.clientHeight} ${scroller.scrollHeight}`;

function toEnd() {
  scroller.scrollTop = scroller.scrollHeight;
  measured = heights();
}

/** Messages as rows: an album is one row. */
function grouped(messages) {
  const rows = [];
  for (const message of messages) {
    const last = rows.at(-1);
    const album = message.media_group_id;
    if (album && last?.[0].media_group_id === album) last.push(message);
    else rows.push([message]);
  }
  return rows;
}

const sender = (message) => message.sender_chat?.id ?? message.from?.id;
const midnight = (message) => new Date(message.date * 1000).toDateString();

function together(a, b) {
  return a && b && !service(a[0]) && !service(b[0]) && sender(a[0]) === sender(b[0])
    && Math.abs(b[0].date - a[0].date) < RUN_S && midnight(a[0]) === midnight(b[0]);
}

function rowOf(c, rows, i) {
  const messages = rows[i];
  const [message] = messages;
  const key = `m${message.message_id}`;
  if (service(message)) return { key, sign: `${message.seq}`, make: () => serviceRow(message) };
  const place = {
    own: isOwn(c, message),
    first: !together(rows[i - 1], messages),
    last: !together(messages, rows[i + 1]),
  };
  return { key, sign: signature(c, messages, place), make: () => messageRow(c, messages, place) };
}

function days(c, rows) {
  const sections = new Map();
  rows.forEach((messages, i) => {
    const at = midnight(messages[0]);
    if (!sections.has(at)) sections.set(at, { date: messages[0].date, rows: [] });
    sections.get(at).rows.push(rowOf(c, rows, i));
  });
  return [...sections].map(([key, { date, rows: inside }]) => ({
    key,
    sign: day(date),
    make: () => h("section", { class: "day", "aria-label": day(date) }),
    update: (section) => reconcile(section, [
      { key: "date", sign: day(date), make: () => h("div", { class: "date" }, h("span", { class: "pill" }, day(date))) },
      ...inside,
    ]),
  }));
}

function pending(c) {
  const items = room(c.id).pending;
  if (!items.length) return [];
  return [{
    key: "pending",
    sign: "pending",
    make: () => h("section", { class: "day" }),
    update: (section) => reconcile(section, items.map((item) => ({
      key: `p${item.key}`,
      sign: "",
      make: () => pendingRow(item),
      update: (row) => showProgress(row, item.share ?? 0),
    }))),
  }];
}

/** Runs a change of the list; what the reader looks at stays where it is. */
function keepingPlace(change) {
  const anchor = stuck ? null : firstVisible();
  const before = anchor?.getBoundingClientRect().top;
  change();
  if (stuck) toEnd();
  else if (anchor) {
    const now = list.querySelector(`[data-message-id="${anchor.dataset.messageId}"]`);
    if (now) scroller.scrollTop += now.getBoundingClientRect().top - before;
  }
}

function firstVisible() {
  const { top } = scroller.getBoundingClientRect();
  return [...list.querySelectorAll("[data-message-id]")].find((el) => el.getBoundingClientRect().bottom > top + 4);
}

export function render() {
  const c = state.chats.get(state.open);
  if (!c) return;
  const rows = grouped(inTopic(c, standing(c.id)));
  const visible = rows.slice(-shown);
  keepingPlace(() => reconcile(list, [...days(c, visible), ...pending(c)]));
  scroller.dataset.more = String(rows.length > visible.length);
  document.getElementById("empty").hidden = rows.length > 0 || !room(c.id).loaded || room(c.id).pending.length > 0;
  floatDates();
  showBadge();
}

let resting = null;

/** A date that floats over the messages is there while the reader scrolls, and then goes. */
function floatDates() {
  for (const el of list.querySelectorAll(".date")) {
    el.classList.toggle("afloat", el.offsetTop > el.parentElement.offsetTop + 12);
  }
}

function showDates() {
  floatDates();
  scroller.classList.add("scrolling");
  clearTimeout(resting);
  resting = setTimeout(() => scroller.classList.remove("scrolling"), 900);
}

/** Starts a conversation's view afresh, at its end. */
export function reset() {
  shown = PAGE;
  stuck = true;
  list.replaceChildren();
  render();
}

function showBadge() {
  const { unread } = room(state.open);
  const badge = toBottom.querySelector(".count");
  badge.textContent = unread ? String(unread) : "";
  toBottom.setAttribute("aria-label", unread
    ? `${t("Scroll to bottom")}, ${t("{n} unread", { n: unread })}` : t("Scroll to bottom"));
  toBottom.hidden = stuck;
}

/** Goes to a message and lights it up for a moment. */
function jump(messageId) {
  const find = () => list.querySelector(`[data-message-id="${messageId}"]`);
  if (!find()) {
    shown = Infinity;
    render();
  }
  const row = find();
  if (!row) return;
  stuck = false;
  row.scrollIntoView({ block: "center", behavior: "smooth" });
  row.classList.remove("lit");
  requestAnimationFrame(() => row.classList.add("lit"));
}

/** To the newest message, as after sending. */
export function stickToBottom() {
  stuck = true;
  toEnd();
}

scroller.addEventListener("scroll", () => {
  if (stuck && measured !== heights()) {
    toEnd(); // the room changed under us, nobody scrolled
    return;
  }
  showDates();
  const left = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  stuck = left < NEAR_BOTTOM_PX;
  if (stuck && state.open !== null && room(state.open).unread) {
    room(state.open).unread = 0;
    emit("chats");
  }
  if (scroller.scrollTop < 200 && scroller.dataset.more === "true") {
    shown += PAGE;
    render();
  }
  if (state.open !== null) showBadge();
}, { passive: true });

toBottom.append(icon("down"), h("span", { class: "count" }));
toBottom.addEventListener("click", () => scroller.scrollTo({ top: scroller.scrollHeight, behavior: "smooth" }));

// The composer grows, a keyboard opens, the window turns: the end of the list stays in sight.
new ResizeObserver(() => {
  if (stuck) toEnd();
}).observe(scroller);

on("arrived", ({ chatId }) => {
  if (chatId === state.open && !stuck && document.visibilityState === "visible") room(chatId).unread += 1;
});
on("room", (chatId) => {
  if (chatId === state.open) render();
});
on("jump", jump);
document.addEventListener("visibilitychange", () => {
  if (stuck && state.open !== null && document.visibilityState === "visible") {
    room(state.open).unread = 0;
    emit("chats");
  }
});
