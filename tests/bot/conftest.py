"""The bot in this process, on a real Postgres and Redis, driven through a playground's HTTP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import structlog
from redis.asyncio import Redis

from bot import app
from bot.polling import Poller
from bot.settings import BotSettings, PaymentTerms
from db import images
from db.queue import create_pool
from playground import server
from tests.bot.stage import Person, Sessions, Stage
from tests.clock import MovedClock
from tests.product import TERMS
from tests.sim import ANNA, BEN, TOKEN, Sim
from workers.courier import Courier
from workers.settings import WorkerSettings


@pytest.fixture(autouse=True, scope="session")
def _plain_tracebacks() -> None:
    """structlog's own default prints every local variable, which takes seconds a traceback."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ]
    )


@pytest.fixture
async def sim() -> AsyncIterator[Sim]:
    async with server.running() as url, aiohttp.ClientSession() as http:
        yield Sim(url, http)


@pytest.fixture
def options(sim: Sim) -> BotSettings:
    return BotSettings(token=TOKEN, api_url=sim.url, poll_timeout_s=10, throttle_burst=1000)


@pytest.fixture
def terms() -> PaymentTerms:
    return TERMS


@pytest.fixture
def clock() -> MovedClock:
    """The bot's time of day; a test moves it."""
    return MovedClock()


@pytest.fixture
async def stage(
    sim: Sim,
    options: BotSettings,
    sessions: Sessions,
    redis_url: str,
    terms: PaymentTerms,
    clock: MovedClock,
    image_dir: Path,
) -> AsyncIterator[Stage]:
    """The bot's parts, nobody listening yet."""
    store = images.Store(str(image_dir))
    redis = Redis.from_url(redis_url)
    pool = await create_pool(redis_url)
    dispatcher, bot = app.build(options, sessions, redis, pool, store, terms, clock)
    await bot.me()
    yield Stage(sim, bot, dispatcher, sessions, redis, pool, clock)
    await bot.session.close()
    await pool.aclose()
    await redis.aclose()


@pytest.fixture
async def live(stage: Stage, options: BotSettings) -> AsyncIterator[Stage]:
    """The bot, listening."""
    poller = Poller(stage.dispatcher, stage.bot, options.poll_timeout_s)
    running = asyncio.create_task(poller.run())
    yield stage
    poller.stop()
    with contextlib.suppress(asyncio.CancelledError):
        await running


@pytest.fixture
def courier(live: Stage, image_dir: Path) -> Courier:
    """What brings notices to the chats, as the io worker does."""
    store = images.Store(str(image_dir))
    return Courier(live.sessions, live.pool, store, live.bot, WorkerSettings())


@pytest.fixture
def anna(live: Stage) -> Person:
    return live.person(ANNA)


@pytest.fixture
def ben(live: Stage) -> Person:
    return live.person(BEN)
