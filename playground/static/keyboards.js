// Inline keyboards under a message, and the reply keyboard under the composer.

import * as api from "./api.js";
import { alertBox, complain, toast } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { copyText } from "./entities.js";
import { t } from "./i18n.js";
import { openHere } from "./links.js";
import { checkout, chooseToShare, receipt } from "./pay.js";
import { botName, emit, room, speaker } from "./store.js";

/** The rows of buttons under a message, or null. */
export function inlineKeyboard(c, message) {
  const rows = message.reply_markup?.inline_keyboard ?? [];
  if (!rows.length) return null;
  return h("div", { class: "inline-keyboard" }, rows.map((buttons, y) =>
    h("div", { class: "keys" }, buttons.map((button, x) => inlineButton(c, message, button, `${y}:${x}`)))));
}

const CORNER = { url: "link", login_url: "link", web_app: "app", pay: "card", copy_text: "copy" };

function inlineButton(c, message, button, place) {
  const key = `${message.message_id}:${place}`;
  const busy = room(c.id).pressed.has(key);
  const corner = CORNER[Object.keys(CORNER).find((kind) => button[kind])];
  return h("button", {
    type: "button",
    class: ["key", button.style, busy && "busy"].filter(Boolean).join(" "),
    "aria-busy": busy ? "true" : null,
    disabled: button.disabled,
    onclick: () => act(c, message, button, key).catch(complain),
  }, h("span", { class: "key-text" }, keyLabel(message, button)), corner ? icon(corner, "corner") : null);
}

/** A Pay button of a paid invoice opens the receipt, as Telegram's does. */
function keyLabel(message, button) {
  return button.pay && message.checkout?.paid ? t("Receipt") : button.text.replace("⭐️", "⭐");
}

async function act(c, message, button, key) {
  if (button.callback_data !== undefined) return pressCallback(c, message, button, key);
  if (button.pay) return message.checkout?.paid ? receipt(message) : checkout(c, message);
  if (button.copy_text) return copyText(button.copy_text.text);
  const address = button.url ?? button.web_app?.url ?? button.login_url?.url;
  if (address) return openLink(address);
  const inline = button.switch_inline_query_current_chat ?? button.switch_inline_query;
  if (inline !== undefined) return emit("compose", `@bot ${inline}`);
  return toast(t("Telegram only: nothing happens here"));
}

/** Follows a bot's link: on this page if it leads to a chat that is here, else if a browser may. */
function openLink(address) {
  if (openHere(address)) return;
  if (/^https?:/i.test(address)) window.open(address, "_blank", "noopener");
  else toast(address);
}

async function pressCallback(c, message, button, key) {
  const { pressed } = room(c.id);
  pressed.add(key);
  emit("room", c.id);
  try {
    const answer = await api.press(c.id, {
      user_id: speaker(c)?.id,
      message_id: message.message_id,
      data: button.callback_data,
    });
    if (answer?.url) openLink(answer.url);
    if (answer?.text && answer.show_alert) alertBox(botName(), answer.text);
    else if (answer?.text) toast(answer.text);
  } finally {
    pressed.delete(key);
    emit("room", c.id);
  }
}

/** The reply keyboard that stands in this chat now: {keyboard, ...}, {force_reply} or null. */
export function standingKeyboard(c, messages) {
  for (let i = messages.length - 1; i >= 0; i -= 1) {
    const markup = messages[i].reply_markup;
    if (markup?.remove_keyboard) return null;
    if (markup?.keyboard) return { ...markup, message: messages[i] };
    if (markup?.force_reply && i === messages.length - 1) return { ...markup, message: messages[i] };
  }
  return null;
}

/** The reply keyboard as buttons; `say(text)` sends. */
export function replyKeyboard(c, markup, say) {
  return markup.keyboard.map((buttons) => h("div", { class: "keys" }, buttons.map((raw) => {
    const button = typeof raw === "string" ? { text: raw } : raw;
    return h("button", {
      type: "button",
      class: ["reply-key", button.style].filter(Boolean).join(" "),
      onclick: () => answerWith(c, markup.message, button, say),
    }, button.text);
  })));
}

function answerWith(c, message, button, say) {
  if (button.request_chat || button.request_users) return chooseToShare(c, message, button).catch(complain);
  if (button.request_contact || button.request_location || button.request_poll || button.web_app) {
    return toast(t("Telegram only: nothing happens here"));
  }
  return say(button.text);
}
