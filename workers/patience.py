"""Living through a Postgres or Redis that is away for a moment: wait, and try again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db.patience import is_away as is_away
from db.patience import pause_s as pause_s
from db.patience import wait as wait

T = TypeVar("T")
log = structlog.get_logger()


async def in_transaction(
    sessions: async_sessionmaker[AsyncSession],
    work: Callable[[AsyncSession], Awaitable[T]],
    *,
    for_s: float = 30.0,
) -> T:
    """`work` in a transaction of its own, again while the server is away, up to `for_s` seconds.

    A commit whose answer was lost is repeated as well, so `work` must be safe to run twice.
    """
    deadline = time.monotonic() + for_s
    failures = 0
    while True:
        try:
            async with sessions.begin() as session:
                return await work(session)
        except (DBAPIError, OSError) as error:
            failures += 1
            if not is_away(error) or time.monotonic() + pause_s(failures) > deadline:
                raise
            log.warning("database is away, trying again", error=_first_line(error))
        await asyncio.sleep(pause_s(failures))


async def forever(step: Callable[[], Awaitable[None]], what: str) -> None:
    """Runs `step` again and again; a fault is logged and followed by a growing pause.

    For loops that must outlive any fault of a server; faults of ours are logged in full.
    """
    failures = 0
    while True:
        try:
            await step()
            failures = 0
        except Exception as error:
            failures += 1
            if is_away(error):
                log.warning(f"{what}: a server is away", error=_first_line(error))
            else:
                log.exception(f"{what} failed")
            await asyncio.sleep(pause_s(failures))


async def every(pause_s: float, step: Callable[[], Awaitable[object]], what: str) -> None:
    """Runs `step` for ever as `forever` does, with a pause after each time that it succeeded."""

    async def step_then_wait() -> None:
        await step()
        await asyncio.sleep(pause_s)

    await forever(step_then_wait, what)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
