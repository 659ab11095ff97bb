"""What the sweep finds when somebody died without a word."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from db import queue, tasks
from tests.workers.conftest import Ask, Row
from workers.courier import Courier
from workers.sweep import Sweep


@pytest.mark.parametrize(("attempt", "state"), [(1, "queued"), (3, "failed")])
async def test_a_dead_workers_task_is_taken_over(
    courier: Courier, ask: Ask, row: Row, attempt: int, state: str
) -> None:
    await ask()
    async with courier.sessions.begin() as session:
        assert await tasks.claim(session, lease_s=-1, account_running_cap=2)
        await session.execute(text("UPDATE ml_tasks SET attempt = :n"), {"n": attempt})
    await Sweep(courier)()
    assert (await row("SELECT state FROM ml_tasks"))["state"] == state
    assert await courier.pool.zcard(queue.GPU_QUEUE) == (1 if state == "queued" else 0)


async def test_wake_ups_do_not_pile_up_while_nobody_takes_them(courier: Courier, ask: Ask) -> None:
    await ask()
    sweep = Sweep(courier)
    for _ in range(3):
        await sweep()
    for name in (queue.GPU_QUEUE, queue.IO_QUEUE):
        assert await courier.pool.zcard(name) == 0


async def test_what_nobody_will_ask_for_again_is_deleted(
    courier: Courier, ask: Ask, row: Row
) -> None:
    await ask()
    async with courier.sessions.begin() as session:
        await session.execute(
            text("UPDATE ml_requests SET state = 'draft', created_at = now() - interval '31 days'")
        )
        await session.execute(text("DELETE FROM holds"))
        await session.execute(text("DELETE FROM ml_tasks"))
    await Sweep(courier).tidy()
    assert (await row("SELECT count(*) AS n FROM ml_requests"))["n"] == 0
