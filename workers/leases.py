"""Whose sending is whose: a process keeps its own leases up, then settles what the dead have left.

In this order, in one loop: once a database that was away for longer than a lease is back, what is
being sent here is renewed before anything counts as dead.
"""

from __future__ import annotations

import structlog

from db import deliveries, queue
from workers.courier import Courier
from workers.publish import Publisher

log = structlog.get_logger()

_BEATS = 4
"""Heartbeats within a lease: three may be lost."""


class Leases:
    """Call it `beat_every_s`. Notices of the dead are let go by who claims the next one."""

    def __init__(self, courier: Courier, publisher: Publisher) -> None:
        self._courier = courier
        self._publisher = publisher
        self.beat_every_s = courier.settings.delivery_lease_s / _BEATS

    async def __call__(self) -> None:
        await self._courier.keep_leases()
        async with self._courier.sessions.begin() as session:
            dead = await deliveries.sweep_leases(session)
        if dead:
            log.warning("deliveries of a dead sender in doubt", deliveries=dead)
            await queue.wake_io(self._courier.pool)
        await self._publisher.let_go()
