"""Teams are reminded in time of the albums that wait for their approval."""

from __future__ import annotations

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot.clock import Clock
from db import reminders

log = structlog.get_logger()

_AT_ONCE = 50


class Reminders:
    """Call it every minute or so; several processes may, each reminder is written once."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    async def __call__(self) -> None:
        while await self._remind_some() == _AT_ONCE:
            pass

    async def _remind_some(self) -> int:
        async with self._sessions.begin() as session:
            rounds = await reminders.remind(session, now=self._clock(), limit=_AT_ONCE)
        if rounds:
            log.info("reminded of approvals", rounds=rounds)
        return rounds
