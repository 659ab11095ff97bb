"""What bringing albums, posts and notices to Telegram has in common.

Each is one call, made once: it is claimed, and that is committed, before the call; its lease is
kept up while the call lasts; a call on its way is finished even when the process is stopped; and
what became of it is written down, however long the database is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import structlog
from aiogram import Bot
from arq import ArqRedis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import images, leases
from db.leases import SendingClaim
from workers import patience
from workers.settings import WorkerSettings

T = TypeVar("T")
log = structlog.get_logger()

MOST_STORAGE_FAULTS = 10
"""Minutes of them; then the chat's other messages have waited enough."""

_LONGEST_PAUSE_S = 60.0
_BUSY_S = 0.5
_FINISH_SENDING_S = 8.0  # within the supervisor's grace, and what is left of a lease
_SETTLE_S = 60.0  # an outcome that is not written down turns into `unknown`


@dataclass(frozen=True, slots=True)
class Courier:
    """What it takes to bring things to Telegram."""

    sessions: async_sessionmaker[AsyncSession]
    pool: ArqRedis
    store: images.Store
    bot: Bot
    settings: WorkerSettings
    held: dict[UUID, SendingClaim] = field(default_factory=dict)
    """By their tokens, what is being sent now."""

    async def finish(self, claim: SendingClaim, sending: Coroutine[object, object, None]) -> None:
        """Awaits `sending` of what was claimed, holding its lease; when cancelled, gives it a few
        seconds to send and to settle first."""
        self.held[claim.token] = claim
        task = asyncio.create_task(sending)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task], timeout=_FINISH_SENDING_S)
            task.cancel()
            raise
        finally:
            del self.held[claim.token]

    async def keep_leases(self) -> None:
        """A heartbeat of all that is being sent now."""
        claims, lease_s = [*self.held.values()], self.settings.delivery_lease_s
        if claims:
            async with self.sessions.begin() as session:
                await leases.keep(session, claims, lease_s=lease_s)

    async def note(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """`work` in a transaction of its own, tried for a minute while the database is away."""
        return await patience.in_transaction(self.sessions, work, for_s=_SETTLE_S)

    async def settle(self, work: Callable[[AsyncSession], Awaitable[bool]]) -> bool:
        """Whether what was sent was still ours to settle: its lease may have run out meanwhile."""
        ours = await self.note(work)
        if not ours:
            log.warning("no longer ours, nothing written")
        return ours

    def idle_s(self, due_s: float | None) -> float:
        """How long to sleep when nothing may go now: until it is due, in so many seconds.

        `due_s` 0: due, but something else is being sent to the same place; None: nothing waits for
        its time.
        """
        longest_s = self.settings.poll_every_s
        return longest_s if due_s is None else min(due_s or _BUSY_S, longest_s)


def back_off_s(attempt: int) -> float:
    """How long what was definitely refused at its `attempt`, counted from 1, waits for the next."""
    return patience.pause_s(attempt, first_s=2.0, longest_s=_LONGEST_PAUSE_S)
