"""Waiting: for a server that is away for a moment, for the next try, for an event."""

from __future__ import annotations

import asyncio
import contextlib

from redis.exceptions import RedisError, ResponseError
from sqlalchemy.exc import DBAPIError

_PASSING = ("08", "25006", "28", "3D", "40", "53", "55", "57", "58")
"""What SQLSTATEs begin with that the same statement need not meet again: a connection, a standby,
who may connect, a deadlock, resources, an operator, the system
(postgresql.org/docs/current/errcodes-appendix.html)."""

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_MOST_DOUBLINGS = 20


def is_away(error: BaseException) -> bool:
    """Whether a server could not be reached or was cut off, rather than refused what we asked."""
    if isinstance(error, DBAPIError):
        return _is_cut_off(error)
    if isinstance(error, RedisError):
        return not isinstance(error, ResponseError)
    return isinstance(error, OSError)


def _is_cut_off(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_PASSING)
    # A value that asyncpg could not even send is one, too; SQLAlchemy tells it from nothing else.
    return error.orig is None or not isinstance(error.orig.__cause__, ValueError)


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
