"""What workers say they can make is what is offered: the least of what any of them can."""

from __future__ import annotations

import asyncio
import time

import pytest
from redis.asyncio import Redis

from db import capacity


async def test_without_a_word_from_a_worker_everything_is_offered(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        assert await capacity.max_count(redis) == 4


async def test_a_worker_that_comes_back_with_other_models_replaces_its_word(
    redis_url: str,
) -> None:
    async with Redis.from_url(redis_url) as redis:
        await capacity.tell(redis, 2)
        assert await capacity.max_count(redis) == 2
        await capacity.tell(redis, 4)
        assert await capacity.max_count(redis) == 4


@pytest.mark.parametrize(("age_s", "offered"), [(500, 2), (700, 4)])
async def test_of_several_workers_the_weakest_counts_while_it_was_heard_of(
    redis_url: str, age_s: int, offered: int
) -> None:
    async with Redis.from_url(redis_url) as redis:
        await capacity.tell(redis, 4)
        await redis.zadd("vitrina:max-count", {"2:another-host": time.time() - age_s})
        assert await capacity.max_count(redis) == offered
        await capacity.tell(redis, 4)
        assert await redis.zcard("vitrina:max-count") == (2 if offered == 2 else 1)


async def test_it_is_told_again_after_redis_was_emptied(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "_TELL_EVERY_S", 0.01)
    async with Redis.from_url(redis_url) as redis:
        telling = asyncio.create_task(capacity.keep_telling(redis, 2))
        async with asyncio.timeout(5):
            for _ in range(2):
                await redis.flushall()
                while await capacity.max_count(redis) != 2:
                    await asyncio.sleep(0)
        telling.cancel()


async def test_a_redis_that_is_away_changes_nothing() -> None:
    async with Redis.from_url("unix:///nowhere/redis.sock") as redis:
        await capacity.tell(redis, 2)
        assert await capacity.max_count(redis) == 4
