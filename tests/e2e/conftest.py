"""The whole product on a playground, in one process, on real Postgres and Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from pipeline.run import Pipeline
from pipeline.settings import PipelineSettings
from playground import server
from tests import product as whole
from tests.clock import MovedClock
from tests.product import Held
from tests.sim import Sim


@pytest.fixture
async def sim() -> AsyncIterator[Sim]:
    """A playground in memory."""
    async with server.running() as url, aiohttp.ClientSession() as http:
        yield Sim(url, http)


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
def clock() -> MovedClock:
    """The bot's time of day; a test moves it."""
    return MovedClock()


@pytest.fixture
async def product(
    sim: Sim,
    pipeline: Pipeline,
    sessions: async_sessionmaker[AsyncSession],
    redis_url: str,
    image_dir: Path,
    clock: MovedClock,
) -> AsyncIterator[Sim]:
    """Everything runs; talk to it."""
    async with whole.running(sim.url, sessions, redis_url, image_dir, pipeline, clock=clock):
        yield sim


@dataclass
class Unhurried(Sim):
    """People take their time: whatever they do, the limits of chats and people have rested,
    and no tap is a nervous second one."""

    redis: Redis
    clock: MovedClock

    async def post(self, path: str, **body: Any) -> Any:
        keys = [
            key
            for pattern in ("pace:*", "throttle:*", "tapped:*")
            async for key in self.redis.scan_iter(pattern)
        ]
        if keys:
            await self.redis.delete(*keys)
        return await super().post(path, **body)

    def wait_until(self, moment: datetime) -> None:
        self.clock.ahead += moment - self.clock() + timedelta(seconds=1)


@pytest.fixture
async def town(product: Sim, redis_url: str, clock: MovedClock) -> AsyncIterator[Unhurried]:
    redis = Redis.from_url(redis_url)
    yield Unhurried(product.url, product.http, redis, clock)
    await redis.aclose()
