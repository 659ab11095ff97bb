"""The bot's process: connects to what it needs, listens until told to stop, closes in order."""

from __future__ import annotations

import asyncio
import functools
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import structlog
from aiogram import Bot, Dispatcher
from aiohttp import web
from redis.asyncio import Redis

from bot import app, commands, webhook
from bot.gateway import once_it_answers, who_am_i
from bot.polling import Poller
from bot.settings import BotSettings, PaymentTerms
from db import engine as db_engine
from db import images, liveness
from db.queue import create_pool
from db.settings import DatabaseSettings

T = TypeVar("T")
log = structlog.get_logger(__name__)


async def run(options: BotSettings, stores: DatabaseSettings) -> None:
    """Listen until SIGTERM or SIGINT. Raises CannotStart for what an operator must put right."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with _built(options, stores) as (dispatcher, bot):
        username = await _unless_stopped(who_am_i(bot), stopping)
        if username is None:
            return
        log.info("bot is up", username=username, mode=options.mode)
        alive = asyncio.create_task(liveness.beat(dispatcher["redis"], "bot"))
        await asyncio.gather(commands.introduce(bot), listen(options, dispatcher, bot, stopping))
        alive.cancel()
        log.info("bot has stopped", username=username)


@asynccontextmanager
async def _built(
    options: BotSettings, stores: DatabaseSettings
) -> AsyncIterator[tuple[Dispatcher, Bot]]:
    async with AsyncExitStack() as stack:
        engine = db_engine.create(stores.database_url)
        stack.push_async_callback(engine.dispose)
        redis = Redis.from_url(stores.redis_url)
        stack.push_async_callback(redis.aclose)
        pool = await create_pool(stores.redis_url)
        stack.push_async_callback(pool.aclose)
        sessions = db_engine.session_factory(engine)
        store = images.Store(stores.images_url)
        dispatcher, bot = app.build(options, sessions, redis, pool, store, PaymentTerms())
        stack.push_async_callback(bot.session.close)
        yield dispatcher, bot


async def _unless_stopped(call: Coroutine[object, object, T], stopping: asyncio.Event) -> T | None:
    """What Telegram says; None when told to stop before that."""
    asking = asyncio.create_task(call)
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({asking, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if asking.done():
        return asking.result()
    asking.cancel()
    return None


async def listen(
    options: BotSettings, dispatcher: Dispatcher, bot: Bot, stopping: asyncio.Event
) -> None:
    """Handle updates until `stopping` is set; the one in hand is finished first."""
    if options.mode == "webhook":
        await _serve(options, dispatcher, bot, stopping)
        return
    poller = Poller(dispatcher, bot, options.poll_timeout_s)
    polling = asyncio.create_task(poller.run())
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({polling, stop}, return_when=asyncio.FIRST_COMPLETED)
    poller.stop()
    stop.cancel()
    await polling


async def _serve(
    options: BotSettings, dispatcher: Dispatcher, bot: Bot, stopping: asyncio.Event
) -> None:
    assert options.webhook_url is not None
    assert options.webhook_secret is not None
    secret = options.webhook_secret.get_secret_value()
    runner = web.AppRunner(webhook.create_app(dispatcher, bot, secret))
    await runner.setup()
    try:
        await web.TCPSite(runner, options.webhook_host, options.webhook_port).start()
        url = options.webhook_url.rstrip("/") + webhook.PATH
        kinds = dispatcher.resolve_used_update_types()
        set_webhook = functools.partial(
            bot.set_webhook, url, secret_token=secret, allowed_updates=kinds
        )
        await _unless_stopped(once_it_answers(set_webhook), stopping)
        await stopping.wait()
    finally:
        await runner.cleanup()
