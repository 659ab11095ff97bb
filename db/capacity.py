"""How many pictures a request can have: gpu workers tell it in Redis, the bot offers no more.

A hint, as all that is in Redis: who asks for more gets as many as can be made.
"""

from __future__ import annotations

import asyncio
import socket
import time

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

MAX_COUNT = 4
"""What a request can have anywhere."""

_KEY = "vitrina:max-count"
_TELL_EVERY_S = 60.0
_KEPT_S = 600.0
"""Longer than a worker takes to come back and load its models."""

_log = structlog.get_logger(__name__)


async def keep_telling(redis: Redis, count: int) -> None:
    """Tells it until cancelled."""
    while True:
        await tell(redis, count)
        await asyncio.sleep(_TELL_EVERY_S)


async def tell(redis: Redis, count: int) -> None:
    """This host's workers make at most `count` pictures (1..4) a request."""
    host, now_s = socket.gethostname(), time.time()
    before = [f"{other}:{host}" for other in range(1, MAX_COUNT + 1) if other != count]
    try:
        async with redis.pipeline() as pipe:
            pipe.zrem(_KEY, *before)
            pipe.zadd(_KEY, {f"{count}:{host}": now_s})
            pipe.zremrangebyscore(_KEY, "-inf", now_s - _KEPT_S)
            await pipe.execute()
    except (RedisError, OSError) as error:
        _log.warning("nobody told how many pictures can be made", error=str(error))


async def max_count(redis: Redis) -> int:
    """What every worker of the last ten minutes can make: any of them may get the request."""
    try:
        told: list[bytes] = await redis.zrangebyscore(_KEY, time.time() - _KEPT_S, "+inf")
    except (RedisError, OSError) as error:
        _log.warning("not known how many pictures can be made", error=str(error))
        return MAX_COUNT
    return min((int(one.split(b":", 1)[0]) for one in told), default=MAX_COUNT)
