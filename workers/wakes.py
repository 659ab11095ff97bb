"""Being woken: an arq queue sets an event, and slots claim work from Postgres until none is left.

A wake-up holds nothing and may be lost: slots look by themselves every few seconds, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from arq import ArqRedis
from arq.worker import Worker, func

from db import queue
from workers import patience

T = TypeVar("T")

_POLL_S = 0.01  # arq's default of 0.5 s is most of what a person would wait for
# A killed worker's wake-ups stay "in progress" so long; they take milliseconds.
_JOB_TIMEOUT_S = 60
_STOP_S = 1.0

# arq logs every wake-up, with its arguments, at INFO.
logging.getLogger("arq.worker").setLevel(logging.WARNING)


class _Listener(Worker):
    """Stops between two looks at its queue: cancelled during one, arq leaks a connection."""

    stopping = False

    async def _poll_iteration(self) -> None:
        if self.stopping:
            raise asyncio.CancelledError
        await super()._poll_iteration()


async def listen(pool: ArqRedis, queue_name: str, function: str, *wakes: asyncio.Event) -> None:
    """Sets `wakes` for every wake-up in the queue; a Redis that is away is waited for."""

    async def woken(ctx: dict[object, object]) -> None:
        for wake in wakes:
            wake.set()

    async def work() -> None:
        await woken({})  # what happened while nobody listened
        listener = _Listener(
            functions=[func(woken, name=function)],
            queue_name=queue_name,
            redis_pool=pool,
            handle_signals=False,
            poll_delay=_POLL_S,
            keep_result=0,
            job_timeout=_JOB_TIMEOUT_S,
            job_serializer=queue.serialize,
            job_deserializer=queue.deserialize,
        )
        listening = asyncio.ensure_future(listener.async_run())
        try:
            await asyncio.shield(listening)
        finally:
            listener.stopping = True
            await asyncio.wait([listening, *listener.tasks.values()], timeout=_STOP_S)
            listening.cancel()

    await patience.forever(work, f"listening to {queue_name}")


async def claim_and_work(
    claim: Callable[[], Awaitable[T | None]],
    work: Callable[[T], Awaitable[None]],
    wake: asyncio.Event,
    idle_s: Callable[[], Awaitable[float]],
) -> None:
    """One slot: claims and works until nothing is claimable, then sleeps until woken.

    Several slots share `wake`: whoever found something wakes another to look for more. It sleeps
    `idle_s` at most.
    """

    async def step() -> None:
        wake.clear()
        claimed = await claim()
        if claimed is not None:
            wake.set()
            await work(claimed)
            return
        await patience.wait(wake, await idle_s())

    await patience.forever(step, "claiming")
