"""Updates a second through the webhook, as a ratio to an aiogram bot that does nothing.

Both run in a process of their own and answer 200 only after the handler. Calls to Telegram end in
a small server here that says yes to everything, so what is compared is the bot's own work.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from benchmarks.product import Product, free_port

_UPDATES = 600
_CONNECTIONS = 16
_TOKEN = "77:webhook-bench"
_SECRET = "bench"

_EMPTY_BOT = """
import sys
from aiogram import Bot, Dispatcher, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web
router = Router()
@router.message()
async def nothing(message): pass
dispatcher = Dispatcher()
dispatcher.include_router(router)
app = web.Application()
SimpleRequestHandler(dispatcher, Bot("77:webhook-bench"), handle_in_background=False,
                     secret_token="bench").register(app, "/telegram")
app.router.add_get("/healthz", lambda request: web.Response())
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


async def measure(product: Product) -> list[str]:
    async with _yes_to_everything() as api_url, aiohttp.ClientSession() as http:
        async with _process(http, "-c", _EMPTY_BOT) as (url, _):
            empty = await _rate(http, url, lambda n: _message(n, "hello"))
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
        async with _process(http, "-m", "vitrina", "bot", **env) as (url, _):
            edits = await _rate(http, url, _edit)
            prompts = await _rate(http, url, lambda n: _message(n, "осенний латте"))
    return [
        f"webhook, empty aiogram:  {empty:.0f} updates a second",
        f"  edits we don't know:   {edits:.0f} a second, {edits / empty:.2f} x (a query each)",
        f"  new prompts:           {prompts:.0f} a second, {prompts / empty:.2f} x"
        " (cleaned, stored, answered with a draft card)",
    ]


def _person(n: int) -> dict[str, object]:
    # A person each: else their chat's pace and the throttle would be measured.
    return {"id": 500_000 + n, "is_bot": False, "first_name": "Анна", "language_code": "ru"}


def _message(n: int, text: str) -> dict[str, object]:
    chat = {"id": 500_000 + n, "type": "private", "first_name": "Анна"}
    message = {"message_id": n, "date": 1_790_000_000, "chat": chat, "from": _person(n)}
    return {"update_id": n, "message": {**message, "text": text}}


def _edit(n: int) -> dict[str, object]:
    update = _message(n, "осенний латте")
    message = update.pop("message")
    assert isinstance(message, dict)
    return {**update, "edited_message": {**message, "edit_date": 1_790_000_001}}


async def _rate(http: aiohttp.ClientSession, url: str, make: object) -> float:
    assert callable(make)
    headers = {"X-Telegram-Bot-Api-Secret-Token": _SECRET}
    numbers = iter(range(1, _UPDATES + 1))

    async def feed() -> None:
        for number in numbers:
            async with http.post(f"{url}/telegram", json=make(number), headers=headers) as answer:
                assert answer.status == 200, await answer.text()

    started = time.perf_counter()
    await asyncio.gather(*(feed() for _ in range(_CONNECTIONS)))
    return _UPDATES / (time.perf_counter() - started)


@asynccontextmanager
async def _process(
    http: aiohttp.ClientSession, *argv: str, **env: str
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    port = free_port()
    environment = {**os.environ, **env, "BOT_WEBHOOK_PORT": str(port)}
    argv = argv if argv[0] == "-m" else (*argv, str(port))
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb+") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *argv, env=environment, stdout=log, stderr=log
        )
        url = f"http://127.0.0.1:{port}"
        try:
            async with asyncio.timeout(60):
                await _until_healthy(http, url, process, Path(folder) / "log")
            yield url, process
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
