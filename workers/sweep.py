"""What others dropped is picked up: dead leases, lost wake-ups, files that nothing refers to."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import structlog

from db import deliveries, images, queue, tasks
from workers.deliver import Courier

log = structlog.get_logger()

_FILES_EVERY_S = 3600.0


class Sweep:
    """Call it every few seconds; files are looked through once an hour."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._files_at = time.monotonic() + _FILES_EVERY_S

    async def __call__(self) -> None:
        sessions, pool = self._courier.sessions, self._courier.pool
        async with sessions.begin() as session:
            dead_tasks = await tasks.sweep_leases(session)
        async with sessions.begin() as session:
            dead_deliveries = await deliveries.sweep_leases(session)
        if dead_tasks.requeued or dead_tasks.failed or dead_deliveries:
            log.warning(
                "took over from the dead",
                requeued=dead_tasks.requeued,
                failed=dead_tasks.failed,
                deliveries=dead_deliveries,
            )
        await asyncio.gather(queue.wake_gpu(pool), queue.wake_io(pool))
        if time.monotonic() >= self._files_at:
            self._files_at = time.monotonic() + _FILES_EVERY_S
            await self._sweep_files()

    async def _sweep_files(self) -> None:
        removed = await images.sweep_orphans(
            self._courier.store,
            self._courier.sessions,
            now=datetime.now(UTC),
            older_than_h=self._courier.settings.orphan_files_after_h,
        )
        if removed:
            log.info("files without a picture removed", files=removed)
