"""What an update through the webhook costs, beside aiogram bots that do nothing and that answer.

All run in processes of their own and answer 200 only after the handler. Calls to Telegram end in
a small server here that says yes to everything, so what is compared is the bot's own work. For the
same reason the bot's pace of 30 messages a second to Telegram is forgotten before every prompt.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
from aiohttp import web
from redis.asyncio import Redis

from benchmarks.product import Product, free_port

_UPDATES = 600
_CONNECTIONS = 16
_BOT_ID = 77
_TOKEN = f"{_BOT_ID}:webhook-bench"
_SECRET = "bench"

# With a second argument, the Bot API's address, it answers every message.
_BASELINE = """
import sys
from aiogram import Bot, Dispatcher, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web
port, *api = sys.argv[1:]
session = AiohttpSession(api=TelegramAPIServer.from_base(api[0])) if api else None
router = Router()
@router.message()
async def answer(message):
    if api:
        await message.answer("x")
dispatcher = Dispatcher()
dispatcher.include_router(router)
app = web.Application()
SimpleRequestHandler(dispatcher, Bot("77:webhook-bench", session=session), secret_token="bench",
                     handle_in_background=False).register(app, "/telegram")
app.router.add_get("/healthz", lambda request: web.Response())
web.run_app(app, host="127.0.0.1", port=int(port), print=None)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of an update: how many a second get through, and the processor time of the bot's process."""

    per_s: float
    cpu_ms: float

    def __str__(self) -> str:
        return f"{self.per_s:.0f} a second, {self.cpu_ms:.2f} ms of CPU each"


async def measure(product: Product) -> list[str]:
    async with (
        _yes_to_everything() as api_url,
        aiohttp.ClientSession() as http,
        Redis.from_url(product.redis_url) as redis,
    ):
        async with _process(http, "-c", _BASELINE) as bot:
            empty = await _cost(http, bot, _message)
        async with _process(http, "-c", _BASELINE, api_url) as bot:
            answering = await _cost(http, bot, _message)
        env = {
            "BOT_TOKEN": _TOKEN,
            "BOT_API_URL": api_url,
            "BOT_MODE": "webhook",
            "BOT_WEBHOOK_URL": "http://127.0.0.1",
            "BOT_WEBHOOK_SECRET": _SECRET,
            "BOT_WEBHOOK_HOST": "127.0.0.1",
            "DATABASE_URL": product.database_url,
            "REDIS_URL": product.redis_url,
        }
        async with _process(http, "-m", "vitrina", "bot", **env) as bot:
            newcomers = await _cost(http, bot, _edit)
            edits = await _cost(http, bot, _edit)
            firsts = await _cost(http, bot, _message, redis)
            prompts = await _cost(http, bot, _next_message, redis)
    return [
        f"webhook, empty aiogram bot:      {empty}",
        f"  one that answers each message: {answering}",
        f"  ours, edits it doesn't know:   {edits}, {edits.per_s / empty.per_s:.2f} x empty",
        f"    from newcomers:              {newcomers} (an account made for each)",
        f"  ours, prompts without a pace:  {prompts}, {prompts.per_s / answering.per_s:.2f} x"
        " answering (cleaned, stored, answered with a draft card)",
        f"    the first of each account:   {firsts} (its first month of Free begun)",
    ]


def _person(n: int) -> dict[str, object]:
    # A person each: else their chat's pace and the throttle would be measured.
    return {"id": 500_000 + n, "is_bot": False, "first_name": "Анна", "language_code": "ru"}


def _message(n: int) -> dict[str, object]:
    chat = {"id": 500_000 + n, "type": "private", "first_name": "Анна"}
    message = {"message_id": n, "date": 1_790_000_000, "chat": chat, "from": _person(n)}
    return {"update_id": n, "message": {**message, "text": "осенний латте"}}


def _next_message(n: int) -> dict[str, object]:
    """The same person's next one."""
    update = _message(n)
    message = update["message"]
    assert isinstance(message, dict)
    message["message_id"] = _UPDATES + n
    return update


def _edit(n: int) -> dict[str, object]:
    update = _message(n)
    message = update.pop("message")
    assert isinstance(message, dict)
    return {**update, "edited_message": {**message, "edit_date": 1_790_000_001}}


async def _cost(
    http: aiohttp.ClientSession,
    bot: tuple[str, psutil.Process],
    make: Callable[[int], dict[str, object]],
    redis: Redis | None = None,
) -> Cost:
    """With `redis`, the bot's pace over all chats is forgotten before each update."""
    url, process = bot
    headers = {"X-Telegram-Bot-Api-Secret-Token": _SECRET}
    numbers = iter(range(1, _UPDATES + 1))

    async def feed() -> None:
        for number in numbers:
            if redis is not None:
                await redis.delete(f"pace:{_BOT_ID}:all")
            async with http.post(f"{url}/telegram", json=make(number), headers=headers) as answer:
                assert answer.status == 200, await answer.text()

    started, before = time.perf_counter(), process.cpu_times()
    await asyncio.gather(*(feed() for _ in range(_CONNECTIONS)))
    took_s, after = time.perf_counter() - started, process.cpu_times()
    cpu_s = after.user + after.system - before.user - before.system
    return Cost(_UPDATES / took_s, cpu_s / _UPDATES * 1000)


@asynccontextmanager
async def _process(
    http: aiohttp.ClientSession, *argv: str, **env: str
) -> AsyncIterator[tuple[str, psutil.Process]]:
    port = free_port()
    environment = {**os.environ, **env, "BOT_WEBHOOK_PORT": str(port)}
    if argv[0] == "-c":
        argv = (*argv[:2], str(port), *argv[2:])
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb+") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *argv, env=environment, stdout=log, stderr=log
        )
        url = f"http://127.0.0.1:{port}"
        try:
            async with asyncio.timeout(60):
                await _until_healthy(http, url, process, Path(folder) / "log")
            yield url, psutil.Process(process.pid)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _until_healthy(
    http: aiohttp.ClientSession, url: str, process: asyncio.subprocess.Process, log: Path
) -> None:
    while process.returncode is None:
        try:
            async with http.get(f"{url}/healthz"):
                return
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.1)
    raise RuntimeError(f"the bot did not start:\n{await asyncio.to_thread(log.read_text)}")


@asynccontextmanager
async def _yes_to_everything() -> AsyncIterator[str]:
    ids = iter(range(1, 10_000_000))

    async def call(request: web.Request) -> web.Response:
        form = await request.post()
        chat_id = int(str(form.get("chat_id", 0)))
        result: object = True
        if request.match_info["method"] == "getMe":
            result = {"id": 77, "is_bot": True, "first_name": "B", "username": "bench_bot"}
        elif request.match_info["method"].startswith("send"):
            chat = {"id": chat_id, "type": "private"}
            result = {"message_id": next(ids), "date": 1_790_000_000, "chat": chat, "text": "x"}
        return web.json_response({"ok": True, "result": result})

    app = web.Application()
    app.router.add_post("/bot{token}/{method}", call)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
