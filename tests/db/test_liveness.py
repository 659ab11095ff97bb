"""A process that lives marks itself, and the health check finds the mark."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from redis.asyncio import Redis

from db import liveness


async def test_a_living_role_is_found_and_nobody_before(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        assert await liveness.alive_roles(redis) == ()
        beating = asyncio.create_task(liveness.beat(redis, "bot"))
        async with asyncio.timeout(5):
            while await liveness.alive_roles(redis) != ("bot",):
                await asyncio.sleep(0)
        beating.cancel()
        for key in await redis.keys("alive:*"):
            assert 0 < await redis.ttl(key) <= 20


async def test_the_health_command_fails_until_something_lives(redis_url: str) -> None:
    assert _health(redis_url) == 1
    async with Redis.from_url(redis_url) as redis:
        beating = asyncio.create_task(liveness.beat(redis, "gpu"))
        async with asyncio.timeout(5):
            while not await liveness.alive_roles(redis):
                await asyncio.sleep(0)
        beating.cancel()
    assert _health(redis_url) == 0


def test_the_health_command_says_when_redis_is_away() -> None:
    assert _health("unix:///nowhere/redis.sock") == 1


def _health(redis_url: str) -> int:
    argv = (sys.executable, "-m", "vitrina", "health")
    return subprocess.run(argv, env={"REDIS_URL": redis_url}, check=False).returncode
