"""What workers say they can make is what is offered: the least of what any of them can."""

from __future__ import annotations

import asyncio
import time

import pytest
from redis.asyncio import Redis

from db import capacity
from db.capacity import Capacity

ANY, TWO, PHOTOS = Capacity(4), Capacity(2), Capacity(4, starts_from_photos=True)


async def test_without_a_word_from_a_worker_everything_but_photos_is_offered(
    redis_url: str,
) -> None:
    async with Redis.from_url(redis_url) as redis:
        assert await capacity.offered(redis) == ANY


async def test_a_worker_that_comes_back_with_other_models_replaces_its_word(
    redis_url: str,
) -> None:
    async with Redis.from_url(redis_url) as redis:
        for word in (TWO, ANY, PHOTOS, Capacity(2, starts_from_photos=True), TWO):
            await capacity.tell(redis, word)
            assert await capacity.offered(redis) == word
        assert await redis.zcard("vitrina:capacity") == 1


@pytest.mark.parametrize(
    ("age_s", "offered"), [(500, TWO), (700, PHOTOS)], ids=["heard of", "forgotten"]
)
async def test_of_several_workers_the_weakest_counts_while_it_was_heard_of(
    redis_url: str, age_s: int, offered: Capacity
) -> None:
    async with Redis.from_url(redis_url) as redis:
        await capacity.tell(redis, PHOTOS)
        await redis.zadd("vitrina:capacity", {"2:words:another-host": time.time() - age_s})
        assert await capacity.offered(redis) == offered
        await capacity.tell(redis, PHOTOS)
        assert await redis.zcard("vitrina:capacity") == (2 if offered == TWO else 1)


async def test_it_is_told_again_after_redis_was_emptied(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "_TELL_EVERY_S", 0.01)
    async with Redis.from_url(redis_url) as redis:
        telling = asyncio.create_task(capacity.keep_telling(redis, TWO))
        async with asyncio.timeout(5):
            for _ in range(2):
                await redis.flushall()
                while await capacity.offered(redis) != TWO:
                    await asyncio.sleep(0)
        telling.cancel()


async def test_a_redis_that_is_away_changes_nothing() -> None:
    async with Redis.from_url("unix:///nowhere/redis.sock") as redis:
        await capacity.tell(redis, TWO)
        assert await capacity.offered(redis) == ANY
