"""A bot that is not ours, on python-telegram-bot, runs on the playground as on Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from aiohttp import web
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, Update
from telegram.error import BadRequest, Forbidden, RetryAfter
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

from tests.playground.client import ANNA, BEN, TOKEN, Playground, picture

SECRET = "a-secret_1"


async def start(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.effective_chat is not None
    assert context.args is not None
    buttons = [[InlineKeyboardButton("Ещё", callback_data="more")]]
    await context.bot.send_message(
        update.effective_chat.id,
        f"<b>Привет</b>, {' '.join(context.args) or 'гость'}",
        parse_mode="HTML",
        reply_markup=InlineKeyboardMarkup(buttons),
    )


async def more(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    query = update.callback_query
    assert query is not None
    await query.answer("Готово")
    await query.edit_message_text("Изменено")


async def album(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.effective_chat is not None
    pictures = [InputMediaPhoto(picture(200 + n, 200), caption=f"№{n}") for n in range(1, 4)]
    await context.bot.send_media_group(update.effective_chat.id, pictures)


async def echo_file(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    message = update.effective_message
    assert message is not None
    assert message.document is not None
    file = await context.bot.get_file(message.document.file_id)
    content = BytesIO()
    await file.download_to_memory(content)
    backwards = content.getvalue()[::-1]
    await message.reply_document(backwards, filename="обратно.txt")


@pytest.fixture
def application(playground: Playground) -> Application[Any, Any, Any, Any, Any, Any]:
    """The bot, pointed at the playground and nothing else changed."""
    app = (
        ApplicationBuilder()
        .token(TOKEN)
        .base_url(f"{playground.base_url}/bot")
        .base_file_url(f"{playground.base_url}/file/bot")
        .build()
    )
    app.add_handler(CommandHandler("start", start))
    app.add_handler(CommandHandler("album", album))
    app.add_handler(CallbackQueryHandler(more))
    app.add_handler(MessageHandler(filters.Document.ALL, echo_file))
    return app


@asynccontextmanager
async def polling(app: Application[Any, Any, Any, Any, Any, Any]) -> AsyncIterator[None]:
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling()
        try:
            yield
        finally:
            await app.updater.stop()
            await app.stop()


@asynccontextmanager
async def webhook(
    app: Application[Any, Any, Any, Any, Any, Any], playground: Playground
) -> AsyncIterator[None]:
    """The bot behind a web server of its own, which checks the secret."""

    async def receive(request: web.Request) -> web.Response:
        if request.headers.get("X-Telegram-Bot-Api-Secret-Token") != SECRET:
            return web.Response(status=401)
        update = Update.de_json(await request.json(), app.bot)
        await app.update_queue.put(update)
        return web.Response()

    server = web.Application()
    server.router.add_post("/telegram", receive)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with app:
        await app.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram"
        await app.bot.set_webhook(url, secret_token=SECRET)
        try:
            yield
        finally:
            await app.bot.delete_webhook()
            await app.stop()
            await runner.cleanup()


async def until(playground: Playground, since: int, count: int) -> list[Any]:
    """The next `count` changes in Anna's chat."""
    deadline = asyncio.get_running_loop().time() + 20
    while True:
        changed = await playground.messages(since=since, wait=5)
        if len(changed) >= count:
            return changed
        assert asyncio.get_running_loop().time() < deadline, changed


async def converse(playground: Playground) -> None:
    """Everything that the bot can do, as a person would try it."""
    said = await playground.say("/start Анна")
    (greeting,) = await until(playground, said["seq"], 1)
    assert greeting["text"] == "Привет, Анна"
    assert greeting["entities"] == [{"type": "bold", "offset": 0, "length": 6}]

    press = {"message_id": greeting["message_id"], "text": "Ещё"}
    pressed = await playground.post(f"chats/{ANNA}/press", **press)
    assert pressed["answer"]["text"] == "Готово"
    (edited,) = await until(playground, greeting["seq"], 1)
    assert (edited["message_id"], edited["text"]) == (greeting["message_id"], "Изменено")

    said = await playground.say("/album")
    photos = await until(playground, said["seq"], 3)
    assert [photo["caption"] for photo in photos] == ["№1", "№2", "№3"]
    assert len({photo["media_group_id"] for photo in photos}) == 1

    sent = await playground.send_file("document", "файл.txt", b"abc")
    (answer,) = await until(playground, sent["seq"], 1)
    assert answer["document"]["file_name"] == "обратно.txt"
    assert await playground.download(answer["document"]["file_id"]) == b"cba"


async def test_it_runs_on_polling(
    playground: Playground, application: Application[Any, Any, Any, Any, Any, Any]
) -> None:
    async with polling(application):
        await converse(playground)


async def test_it_runs_on_a_webhook_with_a_secret(
    playground: Playground, application: Application[Any, Any, Any, Any, Any, Any]
) -> None:
    async with webhook(application, playground):
        await converse(playground)
    assert await playground.log("getUpdates") == []


async def test_it_understands_our_errors(
    playground: Playground,
    application: Application[Any, Any, Any, Any, Any, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # without it the library warns of its own future
    async with application:
        with pytest.raises(BadRequest, match="Chat not found"):
            await application.bot.send_message(5, "x")
        with pytest.raises(BadRequest, match="Can't parse entities"):
            await application.bot.send_message(ANNA, "<b>", parse_mode="HTML")
        await playground.post(f"chats/{BEN}/members", action="block")
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await application.bot.send_message(BEN, "x")
        await playground.post("faults", method="sendMessage", mode="429", retry_after=7)
        with pytest.raises(RetryAfter) as raised:
            await application.bot.send_message(ANNA, "x")
        assert raised.value.retry_after == timedelta(seconds=7)
