"""aiogram, the library of our own bot, sees on the playground what it sees on Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BufferedInputFile,
    InputMediaPhoto,
    LabeledPrice,
    ReplyParameters,
    Update,
)

from tests.playground.client import ANNA, BEN, TEAM, TOKEN, Playground, picture


def bot_on(playground: Playground, token: str = TOKEN) -> Bot:
    """A bot that takes the playground for Telegram."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(playground.base_url))
    return Bot(token, session=session, default=DefaultBotProperties(parse_mode="HTML"))


@pytest.fixture
async def bot(playground: Playground) -> AsyncIterator[Bot]:
    """An aiogram bot."""
    bot = bot_on(playground)
    yield bot
    await bot.session.close()


async def test_every_kind_of_answer_fits_aiograms_types(bot: Bot, playground: Playground) -> None:
    assert (await bot.get_me()).id == bot.id
    photo = BufferedInputFile(picture(), "a.png")
    sent = await bot.send_photo(ANNA, photo, caption="<b>вот</b>")
    assert sent.photo is not None
    assert sent.html_text == "<b>вот</b>"
    file = await bot.get_file(sent.photo[-1].file_id)
    assert file.file_path is not None
    content = await bot.download_file(file.file_path)
    assert content is not None
    assert content.read() == picture()
    album = await bot.send_media_group(
        TEAM, [InputMediaPhoto(media=sent.photo[-1].file_id), InputMediaPhoto(media=photo)]
    )
    assert len(album) == 2
    again = await bot.send_message(
        ANNA, "ответ", reply_parameters=ReplyParameters(message_id=sent.message_id)
    )
    assert again.reply_to_message is not None
    await bot.set_my_commands(
        [BotCommand(command="gen", description="Создать")],
        scope=BotCommandScopeAllPrivateChats(),
        language_code="ru",
    )
    assert await bot.get_my_commands() == []
    assert (await bot.get_chat(TEAM)).title == "Команда"
    assert len(await bot.get_chat_administrators(TEAM)) == 2
    prices = [LabeledPrice(label="x", amount=5)]
    invoice = await bot.send_invoice(ANNA, "t", "d", "p", "XTR", prices)
    assert invoice.invoice is not None
    assert (await bot.get_star_transactions()).transactions == []
    assert (await bot.get_webhook_info()).url == ""
    await playground.say("привет", chat=TEAM, user_id=BEN)
    updates = await bot.get_updates()
    assert isinstance(updates[0], Update)
    assert updates[0].message is not None


async def test_errors_become_aiograms_errors(bot: Bot, playground: Playground) -> None:
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(5, "x")
    with pytest.raises(TelegramEntityTooLarge):
        await bot.send_document(ANNA, BufferedInputFile(bytes(52 * 2**20), "big.bin"))
    await playground.post(f"chats/{BEN}/members", action="block")
    with pytest.raises(TelegramForbiddenError):
        await bot.send_message(BEN, "x")
    group = await playground.post("chats", type="group", members=[{"id": ANNA}])
    moved = await playground.post(f"chats/{group['id']}/members", action="migrate")
    with pytest.raises(TelegramMigrateToChat) as migrated:
        await bot.send_message(group["id"], "x")
    assert migrated.value.migrate_to_chat_id == moved["id"]
    stranger = bot_on(playground, f"{bot.id}:wrong-secret")
    with pytest.raises(TelegramUnauthorizedError):
        await stranger.get_me()
    await stranger.session.close()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"mode": "429", "retry_after": 2}, TelegramRetryAfter),
        ({"mode": "500"}, TelegramServerError),
        ({"mode": "502html"}, ClientDecodeError),
        ({"mode": "drop"}, TelegramNetworkError),
    ],
)
async def test_faults_look_as_they_do_on_telegram(
    bot: Bot, playground: Playground, fault: dict[str, Any], error: type[Exception]
) -> None:
    await playground.post("faults", method="sendMessage", **fault)
    with pytest.raises(error):
        await bot.send_message(ANNA, "x")
    await bot.send_message(ANNA, "y")
