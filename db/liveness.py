"""Signs of life: each long-running process marks itself in Redis, a health check looks there.

The mark is written by the process's own event loop, so a loop that hangs stops writing it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

_BEAT_EVERY_S = 5.0
_FRESH_S = 20


async def beat(redis: Redis, role: str) -> None:
    """Marks this host's `role` as alive until cancelled; a Redis that is away is tried again."""
    while True:
        with contextlib.suppress(RedisError, OSError):  # the health check then says so
            await redis.set(_key(role), "1", ex=_FRESH_S)
        await asyncio.sleep(_BEAT_EVERY_S)


async def alive_roles(redis: Redis) -> tuple[str, ...]:
    """The roles of this host that marked themselves within the last 20 s."""
    pattern = _key("*")
    keys = await cast("Awaitable[list[bytes]]", redis.keys(pattern))
    return tuple(sorted(key.decode().rsplit(":", 1)[1] for key in keys))


def _key(role: str) -> str:
    return f"alive:{socket.gethostname()}:{role}"
