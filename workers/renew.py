"""Renewals in time: plans that are due are renewed, and who lacks money is told before."""

from __future__ import annotations

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot.clock import Clock, utc_now
from db import plans
from db.patience import is_away

log = structlog.get_logger()

_AT_ONCE = 100


class Renewals:
    """Call it every minute or so; several processes may, each period is charged once."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._sessions = sessions
        self._clock = clock

    async def __call__(self) -> None:
        while await self._renew_some():
            pass
        while await self._remind_some():
            pass

    async def _renew_some(self) -> bool:
        """Whether there may be more: all were done, and as many as are looked for at once."""
        async with self._sessions.begin() as session:
            account_ids = await plans.due(session, now=self._clock(), limit=_AT_ONCE)
        done = [await self._renew(account_id) for account_id in account_ids]
        return len(done) == _AT_ONCE and any(done)

    async def _renew(self, account_id: int) -> bool:
        """Each in a transaction of its own, so that one account's trouble is not the others'."""
        try:
            async with self._sessions.begin() as session:
                renewed = await plans.renew(session, account_id, now=self._clock())
        except Exception as error:
            if is_away(error):
                raise
            log.exception("renewal failed", account=account_id)
            return False
        plan = renewed.standing.plan.code
        log.info("renewal", account=account_id, outcome=renewed.outcome, plan=plan)
        return True

    async def _remind_some(self) -> bool:
        async with self._sessions.begin() as session:
            told = await plans.remind(session, now=self._clock(), limit=_AT_ONCE)
        if told:
            log.info("reminded of renewals", accounts=told)
        return told == _AT_ONCE
