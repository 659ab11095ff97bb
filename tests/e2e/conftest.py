"""The whole product in one process: playground, bot, both workers, real Postgres and Redis."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot import app
from bot.polling import Poller
from bot.settings import BotSettings
from db import images, queue
from pipeline.errors import Cancelled
from pipeline.run import Pipeline
from pipeline.settings import PipelineSettings
from pipeline.types import Brief, CancelFlag, Generator, Picture, Prompt
from playground import server
from tests.sim import TOKEN, Sim
from workers import gpu, io
from workers.deliver import Courier
from workers.generate import Studio
from workers.settings import WorkerSettings


@pytest.fixture
async def sim() -> AsyncIterator[Sim]:
    """A playground in memory."""
    async with server.running() as url, aiohttp.ClientSession() as http:
        yield Sim(url, http)


class Held:
    """A generator that draws only while `free` is set."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self.name = generator.name
        self.max_count = generator.max_count
        self.free = threading.Event()
        self.free.set()

    def generate(
        self,
        prompt: Prompt,
        brief: Brief,
        seeds: Sequence[int],
        on_picture: Callable[[int], None],
        cancel: CancelFlag,
    ) -> list[Picture]:
        while not self.free.wait(0.02):
            if cancel.is_set():
                raise Cancelled
        return self._generator.generate(prompt, brief, seeds, on_picture, cancel)


@pytest.fixture(scope="session")
def backends() -> Pipeline:
    """The product's default backends, on small pictures."""
    return Pipeline.from_settings(PipelineSettings(picture_area_px=256 * 256))


@pytest.fixture
def generator(backends: Pipeline) -> Held:
    return Held(backends.generator)


@pytest.fixture
def pipeline(backends: Pipeline, generator: Held) -> Pipeline:
    return Pipeline(backends.enhancer, generator, backends.judge)


@pytest.fixture
async def product(
    sim: Sim,
    pipeline: Pipeline,
    sessions: async_sessionmaker[AsyncSession],
    redis_url: str,
    image_dir: Path,
) -> AsyncIterator[Sim]:
    """Everything runs; talk to it."""
    options = BotSettings(token=SecretStr(TOKEN), api_url=sim.url, poll_timeout_s=5)
    settings = WorkerSettings(poll_every_s=0.5, sweep_every_s=0.5)
    store = images.Store(str(image_dir))
    async with contextlib.AsyncExitStack() as stack:
        pool = await queue.create_pool(redis_url)
        stack.push_async_callback(pool.aclose)
        redis = Redis.from_url(redis_url)
        stack.push_async_callback(redis.aclose)
        dispatcher, bot = app.build(options, sessions, redis, pool)
        stack.push_async_callback(bot.session.close)
        await bot.me()
        running = [
            asyncio.create_task(Poller(dispatcher, bot, options.poll_timeout_s).run()),
            asyncio.create_task(
                gpu.serve(Studio(sessions, pool, store, pipeline, settings)), name="gpu"
            ),
            asyncio.create_task(io.serve(Courier(sessions, pool, store, bot, settings)), name="io"),
        ]
        yield sim
        for task in running:
            task.cancel()
        ends = await asyncio.gather(*running, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
