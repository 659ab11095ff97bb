"""Slots that share one wake-up."""

from __future__ import annotations

import asyncio

import pytest
from arq import ArqRedis

from db import queue
from tests.workers.waiting import until
from workers.wakes import claim_and_work, listen


async def an_hour() -> float:
    return 3600.0


async def test_stopping_at_the_very_moment_of_a_wake_stops() -> None:
    """`asyncio.wait_for` swallows such a cancellation before Python 3.12: the worker hung."""
    wake = asyncio.Event()
    asleep = asyncio.Event()

    async def claim() -> None:
        asleep.set()

    async def work(nothing: object) -> None: ...

    slot = asyncio.create_task(claim_and_work(claim, work, wake, an_hour))
    await asleep.wait()
    await asyncio.sleep(0)
    wake.set()
    await asyncio.sleep(0)
    slot.cancel()
    await asyncio.wait([slot], timeout=5)
    assert slot.cancelled()


async def test_one_wake_up_brings_every_free_slot_to_work() -> None:
    waiting = ["a", "b", "c"]
    at_work: list[str] = []
    all_at_work = asyncio.Event()
    wake = asyncio.Event()

    async def claim() -> str | None:
        await asyncio.sleep(0)
        return waiting.pop() if open_ and waiting else None

    async def work(claimed: str) -> None:
        at_work.append(claimed)
        if len(at_work) == 3:
            all_at_work.set()
        await asyncio.Event().wait()

    open_ = False
    slots = [asyncio.create_task(claim_and_work(claim, work, wake, an_hour)) for _ in range(3)]
    for _ in range(10):
        await asyncio.sleep(0)
    open_ = True
    wake.set()
    await asyncio.wait_for(all_at_work.wait(), 5)
    for slot in slots:
        slot.cancel()


async def test_a_slot_outlives_a_failing_piece_of_work() -> None:
    wake = asyncio.Event()
    tries: list[int] = []
    done = asyncio.Event()

    async def claim() -> int:
        return len(tries)

    async def work(claimed: int) -> None:
        tries.append(claimed)
        if len(tries) == 2:
            done.set()
            await asyncio.Event().wait()
        raise ZeroDivisionError

    slot = asyncio.create_task(claim_and_work(claim, work, wake, an_hour))
    await asyncio.wait_for(done.wait(), 5)
    slot.cancel()


async def test_every_wake_up_is_heard_and_leaves_nothing_in_redis(pool: ArqRedis) -> None:
    wake = asyncio.Event()
    listening = asyncio.create_task(listen(pool, queue.IO_QUEUE, queue.RUN_DELIVERIES, wake))
    for _ in range(3):
        await asyncio.wait_for(wake.wait(), 10)
        wake.clear()
        await queue.wake_io(pool)

    async def empty() -> bool:
        return await pool.zcard(queue.IO_QUEUE) == 0

    await until(empty)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert [key async for key in pool.scan_iter("arq:in-progress:*")] == []
