"""What others dropped is picked up: dead leases, files that nothing refers to, old drafts."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog

from db import images, queue, quotas, requests, tasks
from workers.courier import Courier

log = structlog.get_logger()

_TIDY_EVERY_S = 3600.0
_DRAFTS_FOR_DAYS = 30.0


class Sweep:
    """Call it every few seconds; files and drafts are looked through once an hour."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._tidy_at = time.monotonic() + _TIDY_EVERY_S

    async def __call__(self) -> None:
        sessions, pool = self._courier.sessions, self._courier.pool
        async with sessions.begin() as session:
            dead_tasks = await tasks.sweep_leases(session)
        async with sessions.begin() as session:
            holds = await quotas.sweep(session)
        if dead_tasks.requeued or dead_tasks.failed or holds:
            log.warning(
                "took over from the dead",
                requeued=dead_tasks.requeued,
                failed=dead_tasks.failed,
                holds=holds,
            )
        # Only then: wake-ups pile up in Redis while nobody is there to take them, and a worker
        # that missed one looks by itself.
        if dead_tasks.requeued:
            await queue.wake_gpu(pool)
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + _TIDY_EVERY_S
            await self.tidy()

    async def tidy(self) -> None:
        """Deletes what nobody will ask for again."""
        async with self._courier.sessions.begin() as session:
            drafts = await requests.prune_drafts(session, older_than_days=_DRAFTS_FOR_DAYS)
        removed = await images.sweep_orphans(
            self._courier.store,
            self._courier.sessions,
            now=datetime.now(UTC),
            older_than_h=self._courier.settings.orphan_files_after_h,
        )
        if removed or drafts:
            log.info("tidied up", files=removed, drafts=drafts)
