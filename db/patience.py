"""Waiting: for a server that is away for a moment, for the next try, for an event."""

from __future__ import annotations

import asyncio
import contextlib

from redis.exceptions import RedisError, ResponseError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_MOST_DOUBLINGS = 20


def is_away(error: BaseException) -> bool:
    """Whether a server could not be reached or was cut off, rather than refused what we asked."""
    if isinstance(error, DBAPIError):
        return not isinstance(error, IntegrityError | ProgrammingError | DataError)
    if isinstance(error, RedisError):
        return not isinstance(error, ResponseError)
    return isinstance(error, OSError)


def pause_s(
    failures: int, *, first_s: float = _FIRST_PAUSE_S, longest_s: float = _LONGEST_PAUSE_S
) -> float:
    """How long to wait after that many failures in a row: twice as long after each."""
    # Not 2.0**failures as it is: after a night without a server that is beyond a float.
    return min(first_s * 2.0 ** min(max(failures - 1, 0), _MOST_DOUBLINGS), longest_s)


async def wait(event: asyncio.Event, longest_s: float) -> None:
    """Returns when the event is set, or after `longest_s`."""
    # Not `wait_for`: until Python 3.12 it swallows a cancellation that comes with the event.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(longest_s):
            await event.wait()
