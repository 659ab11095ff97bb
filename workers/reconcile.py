"""Once a night: our books beside Telegram's list of Star transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from bot.errors import SendError
from bot.reconcile import Report, reconcile
from workers.courier import Courier

log = structlog.get_logger()

_AT = timedelta(hours=1)
"""After midnight UTC: 4 in the morning in Moscow."""
_LOOK_EVERY_S = 600.0
_CLAIM_S = 3600
_REMEMBER_S = 2 * 24 * 3600


class Reconciliation:
    """Call it again and again: each time it works if the night's run is due, and waits a little.

    Redis remembers which night was done, by whichever process. Where nothing is remembered, as
    after downtime, it is due at once: one run too many does no harm.
    """

    def __init__(
        self, courier: Courier, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._courier = courier
        self._clock = clock

    async def __call__(self) -> None:
        try:
            await self.run_if_due()
        except SendError as error:
            log.warning("not reconciled: Telegram is away", error=str(error))
        await asyncio.sleep(_LOOK_EVERY_S)

    async def run_if_due(self) -> Report | None:
        """None: this night's was done, or another process is at it."""
        now = self._clock()
        redis, key = self._courier.pool, f"reconciled:{(now - _AT).date().isoformat()}"
        # Claimed for an hour only, so that a process that dies does not cost the night.
        if not await redis.set(key, "running", nx=True, ex=_CLAIM_S):
            return None
        try:
            report = await reconcile(self._courier.bot, self._courier.sessions, now=now)
        except BaseException:
            await redis.delete(key)
            raise
        await redis.set(key, "done", ex=_REMEMBER_S)
        _log(report)
        return report


def _log(report: Report) -> None:
    found = {
        name: ids
        for name in ("credited", "refunded", "unmatched", "differing", "unknown", "stuck")
        if (ids := getattr(report, name))
    }
    say = log.error if report.needs_a_person else log.warning if found else log.info
    say("reconciled with Telegram", transactions=report.transactions, **found)
