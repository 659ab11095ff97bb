"""What a request can have: gpu workers tell in Redis how many pictures they make and whether they
start from photos, and the bot offers no more.

A hint, as all that is in Redis: who asks for more gets as many as can be made.
"""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

MAX_COUNT = 4
"""What a request can have anywhere."""

_KEY = "vitrina:capacity"
_TELL_EVERY_S = 60.0
_KEPT_S = 600.0
"""Longer than a worker takes to come back and load its models."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Capacity:
    """`max_count` pictures a request (1..4), and whether it can start from a photo."""

    max_count: int = MAX_COUNT
    starts_from_photos: bool = False


async def keep_telling(redis: Redis, capacity: Capacity) -> None:
    """Tells it until cancelled."""
    while True:
        await tell(redis, capacity)
        await asyncio.sleep(_TELL_EVERY_S)


async def tell(redis: Redis, capacity: Capacity) -> None:
    """What this host's workers can do."""
    host, now_s = socket.gethostname(), time.time()
    all_words = {
        _word(Capacity(count, photos), host)
        for count in range(1, MAX_COUNT + 1)
        for photos in (False, True)
    }
    word = _word(capacity, host)
    try:
        async with redis.pipeline() as pipe:
            pipe.zrem(_KEY, *(all_words - {word}))
            pipe.zadd(_KEY, {word: now_s})
            pipe.zremrangebyscore(_KEY, "-inf", now_s - _KEPT_S)
            await pipe.execute()
    except (RedisError, OSError) as error:
        _log.warning("nobody told what can be made", error=str(error))


async def offered(redis: Redis) -> Capacity:
    """What every worker of the last ten minutes can do: any of them may get the request."""
    try:
        told: list[bytes] = await redis.zrangebyscore(_KEY, time.time() - _KEPT_S, "+inf")
    except (RedisError, OSError) as error:
        _log.warning("not known what can be made", error=str(error))
        return Capacity()
    if not told:
        return Capacity()
    words = [one.split(b":", 2) for one in told]
    return Capacity(
        max_count=min(int(count) for count, _, _ in words),
        starts_from_photos=all(photos == b"photos" for _, photos, _ in words),
    )


def _word(capacity: Capacity, host: str) -> str:
    return f"{capacity.max_count}:{'photos' if capacity.starts_from_photos else 'words'}:{host}"
