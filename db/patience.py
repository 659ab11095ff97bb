"""Telling a Postgres or Redis that is away for a moment from one that refuses what we asked."""

from __future__ import annotations

from redis.exceptions import RedisError, ResponseError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0


def is_away(error: BaseException) -> bool:
    """Whether a server could not be reached or was cut off, rather than refused what we asked."""
    if isinstance(error, DBAPIError):
        return not isinstance(error, IntegrityError | ProgrammingError | DataError)
    if isinstance(error, RedisError):
        return not isinstance(error, ResponseError)
    return isinstance(error, OSError)


def pause_s(failures: int) -> float:
    """How long to wait after that many failures in a row."""
    # Not 2.0**failures as it is: after a night without a server that is beyond a float.
    return min(_FIRST_PAUSE_S * 2.0 ** min(max(failures - 1, 0), 10), _LONGEST_PAUSE_S)
