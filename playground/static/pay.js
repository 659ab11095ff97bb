// Paying an invoice, and choosing a chat or people to share with the bot.

import * as api from "./api.js";
import { alertBox, buttons, modal } from "./dialogs.js";
import { avatar, h } from "./dom.js";
import { price, t } from "./i18n.js";
import { botName, fullName, loadChats, people, speaker, state, title, took } from "./store.js";

const EMAIL_KEY = "playground.email";
const paying = new Set();

const item = (invoice) =>
  h("div", { class: "check-item" }, h("b", {}, invoice.title), h("p", {}, invoice.description));

const total = (label, sum) => h("div", { class: "check-total" }, h("span", {}, label), h("b", {}, sum));

/** Asks once, then pays; what pre-checkout refuses is shown in the bot's words. */
export async function checkout(c, message) {
  const key = `${c.id}:${message.message_id}`;
  if (paying.has(key)) return;
  paying.add(key);
  try {
    const agreed = await confirm(message);
    if (!agreed) return;
    const body = { user_id: speaker(c)?.id, chat_id: c.id, message_id: message.message_id };
    const result = await api.pay(agreed.email ? { ...body, email: agreed.email } : body);
    if (result.pre_checkout.ok) took(c.id, result.message);
    else alertBox(botName(), `${t("Payment refused")}. ${result.pre_checkout.error_message ?? ""}`.trim());
  } finally {
    paying.delete(key);
  }
}

/** The order and its sum; resolves with {email}, or null when the person thinks better of it. */
function confirm({ invoice, checkout: asks }) {
  const sum = price(invoice.total_amount, invoice.currency);
  const email = h("input", {
    class: "field", type: "email", required: true, autocomplete: "email",
    "aria-label": t("Email for the receipt"), placeholder: t("Email for the receipt"),
    value: localStorage.getItem(EMAIL_KEY) ?? "",
  });
  const pay = (close) => {
    if (!asks?.need_email) return close({});
    if (!email.reportValidity()) return null;
    localStorage.setItem(EMAIL_KEY, email.value);
    return close({ email: email.value });
  };
  return modal(t("Checkout"), (close) => h("form", {
    onsubmit: (event) => { event.preventDefault(); pay(close); },
  }, h("h2", {}, t("Checkout")),
  item(invoice),
  asks?.need_email ? email : null,
  total(t("Total"), sum),
  h("p", { class: "modal-note" }, t("This is a playground: no money moves.")),
  h("div", { class: "modal-buttons" },
    h("button", { type: "button", onclick: () => close() }, t("Cancel")),
    h("button", { type: "submit", class: "primary" }, t("Pay {price}", { price: sum })))),
  { className: "small checkout" });
}

/** What was paid: behind the button of a paid invoice. */
export function receipt({ invoice, checkout: paid }) {
  return modal(t("Receipt"), (close) => [
    h("h2", {}, t("Receipt")),
    item(invoice),
    total(t("Paid"), price(invoice.total_amount, invoice.currency)),
    h("p", { class: "modal-note" }, paid.email ?? ""),
    buttons(close, [t("Close"), null, "primary"]),
  ], { className: "small checkout" });
}

function choices(c, button) {
  if (button.request_users) {
    const known = [...state.chats.values()].flatMap(people);
    const unique = new Map(known.map((p) => [p.id, p]));
    return [...unique.values()].map((p) => ({ id: p.id, name: fullName(p) }));
  }
  return [...state.chats.values()]
    .filter((other) => mayShare(speaker(c)?.id, other, button.request_chat))
    .map((other) => ({ id: other.id, name: title(other) }));
}

/** Whether Telegram would offer the chat: of the kind that is asked for, and the person's to give. */
function mayShare(personId, chat, wanted) {
  const member = people(chat).find((one) => one.id === personId);
  const fits = wanted.chat_is_channel ? chat.type === "channel" : chat.type.includes("group");
  if (!fits || !member || ["left", "kicked"].includes(member.status)) return false;
  if (member.status === "creator") return true;
  const rights = Object.entries(wanted.user_administrator_rights ?? {}).filter(([, on]) => on);
  return !wanted.chat_is_created && rights.every(([name]) => member.rights[name]);
}

/** Answers a request_chat or request_users button. */
export async function chooseToShare(c, message, button) {
  await loadChats();
  const many = button.request_users?.max_quantity > 1;
  const chosen = await modal(button.text, (close) => {
    const rows = choices(c, button).map(({ id, name }) =>
      h("label", { class: "pick" },
        h("input", { type: many ? "checkbox" : "radio", name: "pick", value: id }), avatar(id, name, "small"), h("span", {}, name)));
    const picked = () => [...list.querySelectorAll("input:checked")].map((input) => Number(input.value));
    const list = rows.length
      ? h("div", { class: "picks" }, rows)
      : h("p", { class: "modal-note" }, t("You have none that fits"));
    return [
      h("h2", {}, t("Choose what to share")),
      list,
      h("div", { class: "modal-buttons" },
        h("button", { type: "button", onclick: () => close() }, t("Cancel")),
        h("button", { type: "button", class: "primary", onclick: () => close(picked()) }, t("Share"))),
    ];
  }, { className: "small" });
  if (!chosen?.length) return;
  const request = button.request_users ?? button.request_chat;
  await api.share(c.id, {
    user_id: speaker(c)?.id,
    message_id: message.message_id,
    request_id: request.request_id,
    ...(button.request_users ? { user_ids: chosen } : { chat_id: chosen[0] }),
  });
}
