"""What is said on the page reaches the bot, and what the bot does shows on the page."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import expect

from tests.browser.conftest import ANNA, BEN, Bot, Chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def inline(*labels: str) -> dict[str, object]:
    return {"inline_keyboard": [[{"text": label, "callback_data": label} for label in labels]]}


async def test_text_goes_both_ways(chat: Chat, bot: Bot) -> None:
    await chat.say("кофе на рассвете")
    heard = await bot.heard()
    assert heard["text"] == "кофе на рассвете"
    assert heard["chat"]["id"] == ANNA  # type: ignore[index]
    await expect(chat.composer).to_have_value("")
    await expect(chat.message("кофе на рассвете")).to_have_count(1)

    sent = await bot.say(ANNA, "Готово")
    await expect(chat.numbered(sent)).to_contain_text("Готово")


async def test_shift_enter_breaks_the_line(chat: Chat, bot: Bot) -> None:
    await chat.composer.press_sequentially("one")
    await chat.composer.press("Shift+Enter")
    await chat.composer.press_sequentially("two")
    await chat.composer.press("Enter")
    assert (await bot.heard())["text"] == "one\ntwo"


async def test_edit_changes_the_message_in_place(chat: Chat, bot: Bot) -> None:
    first = await bot.say(ANNA, "Рисую 1/4")
    after = await bot.say(ANNA, "позже")
    await expect(chat.numbered(after)).to_be_visible()
    await bot.call("editMessageText", chat_id=ANNA, message_id=first, text="Рисую 2/4")
    await expect(chat.numbered(first)).to_contain_text("Рисую 2/4")
    await expect(chat.numbered(first)).to_contain_text("edited")
    await expect(chat.message("Рисую 1/4")).to_have_count(0)
    shown = await chat.page.locator("[data-message-id]").evaluate_all(
        "all => all.map(el => Number(el.dataset.messageId))"
    )
    assert shown.index(first) < shown.index(after)


async def test_deleted_message_vanishes(chat: Chat, bot: Bot) -> None:
    sent = await bot.say(ANNA, "не сюда")
    await expect(chat.numbered(sent)).to_be_visible()
    await bot.call("deleteMessage", chat_id=ANNA, message_id=sent)
    await expect(chat.numbered(sent)).to_have_count(0)


async def test_markup_in_a_text_is_shown_and_never_run(chat: Chat, bot: Bot) -> None:
    attack = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
    link = {"type": "text_link", "offset": 0, "length": 4, "url": "javascript:alert(1)"}
    await chat.say(attack)
    await bot.heard()
    sent = await bot.say(ANNA, attack, reply_markup=inline("<b>x</b>"))
    await bot.call("sendMessage", chat_id=ANNA, text="link", entities=json.dumps([link]))
    await expect(chat.message(attack)).to_have_count(2)
    await expect(chat.button("<b>x</b>")).to_be_visible()
    await expect(chat.numbered(sent).locator("img, script, b")).to_have_count(0)
    await expect(chat.page.locator("a[href^='javascript']")).to_have_count(0)
    assert "pwned" not in await chat.page.title()


async def test_formatting_is_drawn_with_utf16_offsets(chat: Chat, bot: Bot) -> None:
    text = (
        "😀 <b>bold <i>both</i></b> <code>x &lt; y</code> <tg-spoiler>secret</tg-spoiler>"
        '\n<pre><code class="language-python">print(1)</code></pre>'
        "<blockquote expandable>a\nb\nc\nd\ne</blockquote>\nafter"
    )
    sent = await bot.say(ANNA, text, parse_mode="HTML")
    message = chat.numbered(sent)
    await expect(message.locator("strong")).to_have_text("bold both")
    await expect(message.locator("strong em")).to_have_text("both")
    await expect(message.locator("pre")).to_have_text("print(1)")
    await expect(message.locator(".text > code")).to_have_text("x < y")
    lines = (await message.locator(".text").inner_text()).split("\n")
    assert lines[lines.index("Show more") + 1].startswith("after")  # no empty line after a block
    await message.get_by_role("button", name="Reveal spoiler").click()
    await expect(message.locator(".spoiler.shown")).to_have_text("secret")
    await message.get_by_role("button", name="Show more").click()
    await expect(message.get_by_role("button", name="Show less")).to_be_visible()


async def test_inline_button_waits_and_shows_the_answer_as_a_toast(chat: Chat, bot: Bot) -> None:
    await bot.say(ANNA, "Черновик", reply_markup=inline("Создать"))
    button = chat.button("Создать")
    await button.click()
    query = await bot.heard("callback_query")
    assert query["data"] == "Создать"
    await expect(button).to_have_attribute("aria-busy", "true")
    await bot.call("answerCallbackQuery", callback_query_id=query["id"], text="Уже рисую")
    await expect(chat.page.get_by_role("status")).to_have_text("Уже рисую")
    await expect(button).not_to_have_attribute("aria-busy", "true")


async def test_a_new_toast_takes_the_place_of_the_one_before(chat: Chat, bot: Bot) -> None:
    await bot.say(ANNA, "Черновик", reply_markup=inline("Создать"))
    for said in ("Уже рисую", "Всё ещё рисую"):
        await chat.button("Создать").click()
        query = await bot.heard("callback_query")
        await bot.call("answerCallbackQuery", callback_query_id=query["id"], text=said)
        await expect(chat.page.get_by_role("status")).to_have_text(said)
    toast = await chat.page.locator(".toast").bounding_box()
    read = await chat.page.locator("#scroller").bounding_box()
    assert toast
    assert read
    assert toast["y"] + toast["height"] <= read["y"]


async def test_alert_answer_opens_a_dialog(chat: Chat, bot: Bot) -> None:
    await bot.say(ANNA, "Альбом", reply_markup=inline("Почему?"))
    await chat.button("Почему?").click()
    query = await bot.heard("callback_query")
    await bot.call(
        "answerCallbackQuery", callback_query_id=query["id"], text="Потому", show_alert=True
    )
    dialog = chat.page.get_by_role("alertdialog")
    await expect(dialog).to_contain_text("Потому")
    await dialog.get_by_role("button", name="OK").click()
    await expect(dialog).to_have_count(0)


async def test_an_edit_above_does_not_move_what_is_read(chat: Chat, bot: Bot) -> None:
    first = await bot.say(ANNA, "статус")
    ids = [await bot.say(ANNA, f"строка {n}\n" * 4) for n in range(14)]
    await expect(chat.numbered(ids[-1])).to_be_in_viewport()
    read = chat.numbered(ids[8])
    await read.evaluate("el => el.scrollIntoView({block: 'center'})")
    await expect(chat.page.get_by_role("button", name="Scroll to bottom")).to_be_visible()
    before = await read.bounding_box()
    await bot.call("editMessageText", chat_id=ANNA, message_id=first, text="готово\n" * 20)
    await expect(chat.numbered(first)).to_contain_text("готово")
    after = await read.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) <= 1


async def test_new_messages_are_counted_while_reading_above(chat: Chat, bot: Bot) -> None:
    ids = [await bot.say(ANNA, f"строка {n}\n" * 4) for n in range(14)]
    await expect(chat.numbered(ids[-1])).to_be_in_viewport()
    await chat.numbered(ids[2]).evaluate("el => el.scrollIntoView()")
    down = chat.page.get_by_role("button", name="Scroll to bottom")
    await expect(down).to_be_visible()
    last = await bot.say(ANNA, "новое")
    await expect(down).to_have_accessible_name("Scroll to bottom, 1 unread")
    await down.click()
    await expect(chat.numbered(last)).to_be_in_viewport()
    await expect(down).to_be_hidden()


async def test_typing_shows_until_the_message_comes(chat: Chat, bot: Bot) -> None:
    peer = chat.page.get_by_role("button", name="Chat info")
    await bot.call("sendChatAction", chat_id=ANNA, action="upload_photo")
    await expect(peer).to_contain_text("sending a photo…")
    await bot.say(ANNA, "вот")
    await expect(peer).not_to_contain_text("sending a photo…")


async def test_unread_chat_shows_a_count_until_opened(chat: Chat, bot: Bot) -> None:
    await bot.say(BEN, "Hello, Ben")
    entry = chat.page.get_by_role("navigation", name="Chats").get_by_role("button", name="Ben")
    await expect(entry).to_contain_text("Hello, Ben")
    await expect(entry.get_by_role("img", name="1 unread")).to_be_visible()
    await chat.open("Ben")
    await expect(entry.get_by_role("img", name="1 unread")).to_have_count(0)
    await expect(chat.message("Hello, Ben")).to_be_visible()


async def test_own_message_can_be_edited_and_deleted(chat: Chat, bot: Bot) -> None:
    await chat.say("чай")
    await bot.heard()
    message = chat.message("чай")
    await message.click(button="right")
    await chat.page.get_by_role("menuitem", name="Edit").click()
    await expect(chat.composer).to_have_value("чай")
    await chat.say("чай с мятой")
    assert (await bot.heard("edited_message"))["text"] == "чай с мятой"
    await chat.message("чай с мятой").click(button="right")
    await chat.page.get_by_role("menuitem", name="Delete").click()
    await expect(chat.message("чай")).to_have_count(0)


async def test_reply_quotes_the_message(chat: Chat, bot: Bot) -> None:
    sent = await bot.say(ANNA, "Пришлите название бренда")
    await chat.numbered(sent).click(button="right")
    await chat.page.get_by_role("menuitem", name="Reply").click()
    await chat.say("Кофейня")
    heard = await bot.heard()
    assert heard["reply_to_message"]["message_id"] == sent  # type: ignore[index]
    own = chat.page.get_by_role("article").filter(has_text="Кофейня")
    await expect(own).to_contain_text("Пришлите название бренда")


async def test_reply_keyboard_sends_its_text_and_goes_when_removed(chat: Chat, bot: Bot) -> None:
    keyboard = {"keyboard": [[{"text": "Бренды"}], [{"text": "История"}]]}
    await bot.say(ANNA, "Меню", reply_markup=keyboard)
    await chat.button("Бренды").click()
    assert (await bot.heard())["text"] == "Бренды"
    await expect(chat.button("История")).to_be_visible()
    await bot.say(ANNA, "Убрал", reply_markup={"remove_keyboard": True})
    await expect(chat.button("История")).to_have_count(0)


async def test_commands_are_offered_in_a_menu_and_while_typing(chat: Chat, bot: Bot) -> None:
    commands = [
        {"command": "start", "description": "Начать"},
        {"command": "help", "description": "Помощь"},
    ]
    await bot.call("setMyCommands", commands=commands)
    await chat.button("Menu").click()
    await chat.page.get_by_role("option", name="/help").click()
    assert (await bot.heard())["text"] == "/help"
    await chat.composer.press_sequentially("/st")
    await expect(chat.page.get_by_role("option")).to_have_count(1)
    await chat.composer.press("Enter")
    assert (await bot.heard())["text"] == "/start"


async def test_reactions_go_both_ways(chat: Chat, bot: Bot) -> None:
    sent = await bot.say(ANNA, "Выберите лучшую")
    await chat.numbered(sent).click(button="right")
    await chat.page.get_by_role("button", name="React with 🔥").click()
    await expect(chat.numbered(sent).get_by_role("button", name="🔥 1")).to_be_visible()
    await bot.call(
        "setMessageReaction",
        chat_id=ANNA,
        message_id=sent,
        reaction=[{"type": "emoji", "emoji": "🔥"}],
    )
    await chat.numbered(sent).get_by_role("button", name="🔥 2").click()
    await expect(chat.numbered(sent).get_by_role("button", name="🔥 1")).to_be_visible()


async def test_start_button_begins_an_empty_chat(chat: Chat, bot: Bot) -> None:
    await chat.button("Start").click()
    assert (await bot.heard())["text"] == "/start"
    await expect(chat.button("Start")).to_be_hidden()
