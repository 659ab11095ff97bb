"""The page around the conversation: phone width, groups, languages, a lost connection."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from playground import server
from tests.browser.conftest import ANNA, BEN, CHANNEL, PHONE, TEAM, Bot, Chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def ready(page: Page, url: str) -> Chat:
    await page.goto(url)
    await expect(page.locator("body[data-ready]")).to_be_attached()
    return Chat(page)


async def test_phone_shows_the_list_or_the_chat(browser: Browser, base_url: str, bot: Bot) -> None:
    context = await browser.new_context(viewport=PHONE, locale="en-US")
    chat = await ready(await context.new_page(), base_url)
    chats = chat.page.get_by_role("navigation", name="Chats")
    await expect(chats).to_be_visible()
    await expect(chat.composer).to_be_hidden()
    await chats.get_by_role("button", name="Анна").click()
    await expect(chat.composer).to_be_visible()
    await expect(chats).to_be_hidden()
    sent = await bot.say(ANNA, "длинное слово " * 30)
    await expect(chat.numbered(sent)).to_be_visible()
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await chat.page.evaluate(overflow) == 0
    await chat.button("Back").click()
    await expect(chats).to_be_visible()
    await chat.page.go_back()
    await expect(chat.composer).to_be_visible()
    await context.close()


async def test_many_chats_scroll_in_their_list(chat: Chat, bot: Bot) -> None:
    for number in range(20):
        new = {"type": "private", "members": [{"first_name": f"Гость {number}"}]}
        async with bot.http.post(f"{bot.base_url}/sim/chats", json=new) as reply:
            assert reply.status == 200
    await chat.page.reload()
    chats = chat.page.get_by_role("navigation", name="Chats")
    await expect(chats.get_by_role("button", name="Гость 19")).to_be_attached()
    assert await chat.page.evaluate("document.documentElement.scrollHeight - innerHeight") == 0
    await expect(chat.composer).to_be_in_viewport(ratio=1)
    await chats.get_by_role("button", name="Гость 9").scroll_into_view_if_needed()
    await expect(chat.page.get_by_role("button", name="Chat info")).to_be_in_viewport(ratio=1)
    await expect(chat.composer).to_be_in_viewport(ratio=1)


async def test_who_speaks_can_be_switched_in_a_group(chat: Chat, bot: Bot) -> None:
    await chat.open("Команда")
    await chat.say("/gen от Анны")
    assert (await bot.heard())["from"]["id"] == ANNA  # type: ignore[index]
    await chat.page.get_by_role("button", name="Speaking as Анна").click()
    await chat.page.get_by_role("menuitemradio", name="Ben").click()
    await chat.say("/gen от Бена")
    assert (await bot.heard())["from"]["id"] == BEN  # type: ignore[index]
    await expect(chat.message("от Анны")).to_contain_text("Анна")


async def test_a_topic_is_chosen_and_answered_in(chat: Chat, bot: Bot) -> None:
    await chat.open("Команда")
    opened = {"action": "open_topic", "user_id": ANNA, "name": "Осень"}
    async with bot.http.post(f"{bot.base_url}/sim/chats/{TEAM}/members", json=opened) as reply:
        thread = (await reply.json())["message_thread_id"]
    await chat.page.get_by_role("tab", name="Осень").click()
    await chat.say("/gen пальто")
    while (heard := await bot.heard()).get("text") != "/gen пальто":
        pass
    assert heard["message_thread_id"] == thread
    await bot.say(TEAM, "в теме", message_thread_id=thread)
    await expect(chat.message("в теме")).to_be_visible()
    await chat.page.get_by_role("tab", name="General").click()
    await expect(chat.message("в теме")).to_have_count(0)
    await bot.say(TEAM, "в общей")
    await expect(chat.message("в общей")).to_be_visible()


async def test_blocked_bot_can_be_unblocked(chat: Chat, bot: Bot) -> None:
    await chat.page.get_by_role("button", name="Chat info").click()
    await chat.page.get_by_role("dialog").get_by_role("button", name="Block the bot").click()
    assert (await bot.heard("my_chat_member"))["new_chat_member"]["status"] == "kicked"  # type: ignore[index]
    await expect(chat.composer).to_be_hidden()
    await chat.button("Unblock the bot").click()
    await expect(chat.composer).to_be_visible()


async def test_a_new_group_has_the_bot_in_it(chat: Chat, bot: Bot) -> None:
    await chat.button("New chat").click()
    dialog = chat.page.get_by_role("dialog", name="New chat")
    await dialog.get_by_text("Group").click()
    await dialog.get_by_role("textbox", name="Name").fill("Отдел SMM")
    await dialog.get_by_role("button", name="Create").click()
    added = await bot.heard("my_chat_member")
    assert added["chat"]["title"] == "Отдел SMM"  # type: ignore[index]
    await expect(chat.page.get_by_role("button", name="Chat info: Отдел SMM")).to_be_visible()
    await chat.say("/gen логотип")
    await expect(chat.message("/gen логотип")).to_be_visible()


async def test_a_post_in_the_channel_reaches_the_bot(chat: Chat, bot: Bot) -> None:
    await chat.open("Канал")
    await chat.say("Открылись!")
    post = await bot.heard("channel_post")
    assert post["text"] == "Открылись!"
    await expect(chat.message("Открылись!")).to_be_visible()


async def test_links_to_chats_of_the_page_open_on_it(chat: Chat, bot: Bot) -> None:
    me = await bot.call("getMe")
    assert isinstance(me, dict)
    await bot.say(CHANNEL, "Пост")
    post = await bot.say(CHANNEL, "Распродажа")
    there = {"text": "Там", "url": f"https://t.me/vitrina_channel/{post}"}
    connect = {"text": "Сюда", "url": f"https://t.me/{me['username']}?start=channels_7"}
    await bot.say(TEAM, "Куда?", reply_markup={"inline_keyboard": [[there, connect]]})
    await bot.say(TEAM, f"https://t.me/c/3001/{post}")

    await chat.open("Команда")
    await chat.button("Там").click()
    await expect(chat.numbered(post)).to_contain_text("Распродажа")
    await expect(chat.numbered(post)).to_have_class(re.compile("lit"))
    await chat.open("Команда")
    await chat.page.get_by_role("link", name="t.me/c/3001").click()
    await expect(chat.message("Распродажа")).to_be_visible()
    await chat.open("Команда")
    await chat.button("Сюда").click()
    said = await bot.heard()
    while said.get("text") != "/start channels_7":
        said = await bot.heard()
    assert said["chat"]["id"] == ANNA  # type: ignore[index]
    assert len(chat.page.context.pages) == 1


async def test_only_channels_that_one_may_give_away_are_offered(chat: Chat, bot: Bot) -> None:
    rights = {"can_edit_messages": True}
    for title, member in (
        ("Чужой", {"id": ANNA}),
        ("Без права", {"id": ANNA, "status": "administrator", "rights": rights}),
        ("Свой", {"id": ANNA, "status": "administrator"}),
    ):
        new = {"type": "channel", "title": title, "members": [member], "bot_status": "left"}
        async with bot.http.post(f"{bot.base_url}/sim/chats", json=new) as reply:
            assert reply.status == 200
    asks = {
        "request_id": 1,
        "chat_is_channel": True,
        "user_administrator_rights": {"can_post_messages": True},
        "bot_administrator_rights": {"can_post_messages": True},
    }
    keyboard = {"keyboard": [[{"text": "Выбрать", "request_chat": asks}]]}
    await bot.say(ANNA, "канал?", reply_markup=keyboard)
    await chat.button("Выбрать").click()
    offered = chat.page.get_by_role("dialog").get_by_role("radio")
    await expect(offered).to_have_count(2)  # and the channel that is there from the start
    await chat.page.get_by_role("radio", name="Свой").check()
    await chat.button("Share").click()
    shared = await bot.heard()
    assert "chat_shared" in shared


async def test_labels_are_russian_for_a_russian_reader(
    browser: Browser, base_url: str, bot: Bot
) -> None:
    context = await browser.new_context(locale="ru-RU")
    chat = await ready(await context.new_page(), base_url)
    await expect(chat.page.get_by_role("textbox", name="Сообщение", exact=True)).to_be_visible()
    await expect(chat.button("Отправить")).to_be_visible()
    await expect(chat.page.get_by_role("button", name="О чате")).to_contain_text("Анна")
    await context.close()


async def test_everything_comes_from_this_machine(
    context: BrowserContext, base_url: str, bot: Bot
) -> None:
    asked: list[str] = []
    page = await context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    await ready(page, base_url)
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith((base_url, "data:", "blob:"))] == []


async def test_page_catches_up_after_the_server_came_back(
    context: BrowserContext, tmp_path: Path
) -> None:
    async with aiohttp.ClientSession() as http:
        async with server.running(state_dir=tmp_path) as url:
            bot = Bot(http, url)
            await bot.say(ANNA, "до")
            chat = await ready(await context.new_page(), f"{url}/#{ANNA}")
            await expect(chat.message("до")).to_be_visible()
        await expect(chat.page.get_by_role("heading", name="Connecting…")).to_be_visible()
        port = int(url.rsplit(":", 1)[1])
        async with server.running(port=port, state_dir=tmp_path) as url:
            await bot.say(ANNA, "после")
            await expect(chat.message("после")).to_be_visible()
            await expect(chat.page.get_by_role("heading", name="Chats")).to_be_visible()
            await chat.page.close()


async def test_page_opened_before_the_bot_finds_it(context: BrowserContext, base_url: str) -> None:
    chat = await ready(await context.new_page(), base_url)
    await expect(chat.composer).to_be_visible()
    async with aiohttp.ClientSession() as http:
        bot = Bot(http, base_url)
        await bot.call("setMyName", name="Поздний бот")
        await bot.say(ANNA, "Я здесь")
        await chat.open("Анна")
        await expect(chat.message("Я здесь")).to_be_visible()
