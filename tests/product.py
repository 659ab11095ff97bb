"""The whole product in one process: bot, both workers, the default backends on small pictures."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot import app, commands
from bot.clock import Clock, utc_now
from bot.polling import Poller
from bot.settings import BotSettings, PaymentTerms
from db import images, queue
from pipeline.errors import Cancelled
from pipeline.run import Pipeline
from pipeline.types import Brief, CancelFlag, Generator, OnPicture, Picture, Prompt
from tests.sim import TOKEN
from workers import gpu, io
from workers.courier import Courier
from workers.generate import Studio
from workers.settings import WorkerSettings

TERMS = PaymentTerms(stars_rate_kopecks=150, provider_token=SecretStr("play:provider"))
"""Every way to pay is on."""


class Held:
    """A generator that draws only while `free` is set; it looks before every picture."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self.name = generator.name
        self.max_count = generator.max_count
        self.starts_from_photos = generator.starts_from_photos
        self.free = threading.Event()
        self.free.set()
        self.drawn_until_held: int | None = None

    def generate(
        self,
        prompt: Prompt,
        brief: Brief,
        seeds: Sequence[int],
        on_picture: OnPicture,
        cancel: CancelFlag,
    ) -> list[Picture]:
        def drawn(done: int, part: float = 0.0) -> None:
            on_picture(done, part)
            if part == 0 and done == self.drawn_until_held:
                self.free.clear()
            self._wait(cancel)

        self._wait(cancel)
        return self._generator.generate(prompt, brief, seeds, drawn, cancel)

    def _wait(self, cancel: CancelFlag) -> None:
        while not self.free.wait(0.02):
            if cancel.is_set():
                raise Cancelled


@contextlib.asynccontextmanager
async def running(
    playground_url: str,
    sessions: async_sessionmaker[AsyncSession],
    redis_url: str,
    image_dir: Path,
    pipeline: Pipeline,
    terms: PaymentTerms = TERMS,
    clock: Clock = utc_now,
) -> AsyncIterator[None]:
    """Everything but the playground; all of it must still run at the end."""
    options = BotSettings(token=SecretStr(TOKEN), api_url=playground_url, poll_timeout_s=5)
    settings = WorkerSettings(poll_every_s=0.5, sweep_every_s=0.5)
    store = images.Store(str(image_dir))
    async with contextlib.AsyncExitStack() as stack:
        pool = await queue.create_pool(redis_url)
        stack.push_async_callback(pool.aclose)
        redis = Redis.from_url(redis_url)
        stack.push_async_callback(redis.aclose)
        dispatcher, bot = app.build(options, sessions, redis, pool, store, terms, clock)
        stack.push_async_callback(bot.session.close)
        await bot.me()
        await commands.introduce(bot)
        running = [
            asyncio.create_task(Poller(dispatcher, bot, options.poll_timeout_s).run()),
            asyncio.create_task(
                gpu.serve(Studio(sessions, pool, store, pipeline, settings)), name="gpu"
            ),
            asyncio.create_task(
                io.serve(Courier(sessions, pool, store, bot, settings), clock), name="io"
            ),
        ]
        yield
        for task in running:
            task.cancel()
        ends = await asyncio.gather(*running, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
