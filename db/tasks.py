"""Tasks: one run of the pipeline each, claimed by workers under a lease.

A lease is a token and a time; who holds the token of a running task may write, nobody else. All
times are Postgres' own, so that clocks of several machines don't matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Update,
    case,
    false,
    func,
    literal,
    not_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import locks, quotas
from db.errors import NotFound
from db.leases import RELEASED, held, seconds
from db.models import Delivery, Prediction, Task
from db.states import DeliveryKind, TaskState
from db.views import Brief, Claim, FinishedAlbum, QueuePlace, SweepCounts

MAX_ATTEMPTS = 3
FIRST = "first"
"""The origin of an album's automatic delivery."""
WORKER_DIED = "worker_died"

_AGING_STEP_S = 30.0

# Who is next? Each account offers one task: its own by priority and waiting time. Among these
# the highest priority wins, which grows by one for every 30 s since the account was last served
# (or since the task was queued, if that is later), so nobody starves; a burst's many tasks do
# not age together, because serving one makes the account's waiting begin anew. Ties go to the
# account with fewer running tasks, then to the one served longest ago.
# statement_timestamp(), not now(): the transaction may have waited for the lock.
_CLAIM = text("""
WITH running AS (
    SELECT account_id, count(*) AS n FROM ml_tasks WHERE state = 'running' GROUP BY account_id
), heads AS (
    SELECT DISTINCT ON (account_id) id, account_id, priority, queued_at
    FROM ml_tasks
    WHERE state = 'queued' AND (not_before IS NULL OR not_before <= statement_timestamp())
    ORDER BY account_id,
        priority
            + floor(extract(epoch FROM statement_timestamp() - queued_at) / :aging_step_s) DESC,
        queued_at, id
), next AS (
    SELECT t.id, t.account_id
    FROM heads h
    JOIN ml_tasks t ON t.id = h.id AND t.state = 'queued'
    JOIN accounts a ON a.id = h.account_id
    LEFT JOIN running r ON r.account_id = h.account_id
    WHERE coalesce(r.n, 0) < :account_running_cap
    ORDER BY
        h.priority + floor(extract(
            epoch FROM statement_timestamp() - greatest(h.queued_at, a.served_at)
        ) / :aging_step_s) DESC,
        coalesce(r.n, 0), a.served_at NULLS FIRST, h.queued_at, h.id
    LIMIT 1
    FOR NO KEY UPDATE OF t
), served AS (
    UPDATE accounts a SET served_at = statement_timestamp() FROM next WHERE a.id = next.account_id
)
UPDATE ml_tasks t
SET state = 'running', attempt = t.attempt + 1, not_before = NULL,
    lease_token = gen_random_uuid(), lease_until = statement_timestamp()
        + make_interval(secs => :lease_s),
    started_at = statement_timestamp()
FROM next
WHERE t.id = next.id
RETURNING t.id, t.lease_token, t.brief, t.attempt, t.request_id, t.account_id, t.chat_id,
    t.thread_id, extract(epoch FROM t.started_at - t.queued_at)::float8 AS queued_s
""")

# The line as people see it: by priority, then account by account in turns. The wait: as many
# rounds as the tasks now running need for it, each as long as a recent task took.
_PLACES = text("""
WITH running AS (
    SELECT account_id, count(*) AS n FROM ml_tasks WHERE state = 'running' GROUP BY account_id
), turns AS (
    SELECT t.id, t.priority, t.queued_at, coalesce(r.n, 0) + row_number() OVER (
        PARTITION BY t.account_id ORDER BY t.priority DESC, t.queued_at, t.id
    ) AS turn
    FROM ml_tasks t LEFT JOIN running r USING (account_id)
    WHERE t.state = 'queued'
), line AS (
    SELECT id, row_number() OVER (ORDER BY priority DESC, turn, queued_at, id) AS place FROM turns
), recent AS (
    SELECT extract(epoch FROM finished_at - started_at)::float8 AS task_s
    FROM ml_tasks WHERE state = 'done' ORDER BY finished_at DESC LIMIT 20
)
SELECT line.id, line.place,
    ceil(line.place / greatest((SELECT sum(n) FROM running), 1))::float8
        * (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY task_s) FROM recent) AS wait_s
FROM line WHERE line.id = ANY(:task_ids)
""")

# Where the plan has it that the best picture is taken by itself.
_CHOOSE_BEST = text("""
UPDATE ml_tasks t SET chosen_prediction_id = p.id
FROM predictions p, holds h JOIN periods m ON m.id = h.period_id
WHERE t.id = :task_id AND p.task_id = t.id AND p.rank = 1 AND h.task_id = t.id AND m.auto_best
""")


async def lock_claims(session: AsyncSession) -> None:
    """Claims wait until this transaction ends. SKIP LOCKED alone would break the running cap:
    two claimers would each see one task running and both start the account's next."""
    await locks.alone(session, locks.CLAIMING_TASKS)


async def claim(session: AsyncSession, *, lease_s: float, account_running_cap: int) -> Claim | None:
    """The next task to work on, ours for `lease_s`; None when nothing may start now."""
    await lock_claims(session)
    row = (
        await session.execute(
            _CLAIM,
            {
                "aging_step_s": _AGING_STEP_S,
                "account_running_cap": account_running_cap,
                "lease_s": lease_s,
            },
        )
    ).one_or_none()
    if row is None:
        return None
    return Claim(
        task_id=row.id,
        token=row.lease_token,
        brief=cast(Brief, row.brief),
        attempt=row.attempt,
        request_id=row.request_id,
        account_id=row.account_id,
        chat_id=row.chat_id,
        thread_id=row.thread_id,
        queued_s=row.queued_s,
    )


async def heartbeat(session: AsyncSession, task_id: int, token: UUID, lease_s: float) -> bool:
    """Prolongs the lease. False: the task is no longer ours (cancelled, or given to another)."""
    return await _changes(
        session,
        update(Task)
        .where(*held(Task, task_id, token))
        .values(lease_until=func.now() + seconds(lease_s)),
    )


async def finish(
    session: AsyncSession, task_id: int, token: UUID, album: FinishedAlbum
) -> int | None:
    """Stores the pictures, charges for them and orders their delivery, whose id is returned.

    None: the task is no longer ours, and nothing was written.
    """
    if not album.images:
        raise ValueError("an album has at least one image")
    task = (
        await session.execute(
            update(Task)
            .where(*held(Task, task_id, token))
            .values(
                **_ended(TaskState.DONE),
                prompt=asdict(album.prompt),
                judge=album.judge,
                generator=album.generator,
                timings_ms=dict(album.timings_ms),
            )
            .returning(Task.chat_id, Task.thread_id)
            .execution_options(synchronize_session=False)
        )
    ).one_or_none()
    if task is None:
        return None
    await session.execute(
        insert(Prediction),
        [
            {**asdict(image), "gen_meta": dict(image.gen_meta), "task_id": task_id}
            for image in album.images
        ],
    )
    await session.execute(_CHOOSE_BEST, {"task_id": task_id})
    await quotas.capture(session, task_id, len(album.images))
    return await session.scalar(
        insert(Delivery)
        .values(
            task_id=task_id,
            kind=DeliveryKind.ALBUM,
            origin=FIRST,
            chat_id=task.chat_id,
            thread_id=task.thread_id,
        )
        .returning(Delivery.id)
    )


async def requeue(
    session: AsyncSession,
    task_id: int,
    token: UUID,
    *,
    not_before_s: float,
    spend_attempt: bool,
    error_code: str,
) -> TaskState | None:
    """Gives the task back, to be claimed again in `not_before_s`.

    When that was the last attempt it fails with `error_code`; with `spend_attempt` False (a
    shutdown) the attempt does not count. Returns the state it is in now, None if not ours.
    """
    spent = Task.attempt >= MAX_ATTEMPTS if spend_attempt else false()
    state = await session.scalar(
        update(Task)
        .where(*held(Task, task_id, token))
        .values(
            attempt=Task.attempt if spend_attempt else Task.attempt - 1,
            **_queued_or_failed(spent, error_code, not_before_s),
        )
        .returning(Task.state)
        .execution_options(synchronize_session=False)
    )
    if state is TaskState.FAILED:
        await quotas.void(session, task_id)
    return state


async def fail(session: AsyncSession, task_id: int, token: UUID, error_code: str) -> bool:
    """Gives up for good; nothing is charged. False: the task is no longer ours."""
    failed = await _changes(
        session,
        update(Task)
        .where(*held(Task, task_id, token))
        .values(**_ended(TaskState.FAILED), error_code=error_code),
    )
    if failed:
        await quotas.void(session, task_id)
    return failed


async def cancel(session: AsyncSession, account_id: int, task_id: int) -> bool:
    """Stops a waiting or running task, for nothing; its worker hears of it by its next heartbeat.

    False: it was over already. Raises NotFound.
    """
    found = await session.scalar(
        select(Task.id).where(Task.id == task_id, Task.account_id == account_id)
    )
    if found is None:
        raise NotFound("task", task_id)
    cancelled = await _changes(
        session,
        update(Task)
        .where(Task.id == task_id, Task.state.in_([TaskState.QUEUED, TaskState.RUNNING]))
        .values(**_ended(TaskState.CANCELLED)),
    )
    if cancelled:
        await quotas.void(session, task_id)
    return cancelled


async def sweep_leases(session: AsyncSession) -> SweepCounts:
    """Takes tasks from workers whose lease ran out: queued again, or failed after 3 attempts."""
    swept = (
        await session.execute(
            update(Task)
            .where(Task.state == TaskState.RUNNING, Task.lease_until < func.now())
            .values(**_queued_or_failed(Task.attempt >= MAX_ATTEMPTS, WORKER_DIED, 0))
            .returning(Task.id, Task.state)
            .execution_options(synchronize_session=False)
        )
    ).all()
    failed = [row.id for row in swept if row.state is TaskState.FAILED]
    if failed:
        await quotas.void_all(session, failed)
    return SweepCounts(requeued=len(swept) - len(failed), failed=len(failed))


async def queue_places(session: AsyncSession, task_ids: Sequence[int]) -> dict[int, QueuePlace]:
    """Where the queued ones among these tasks stand; an estimate, since others may overtake."""
    rows = await session.execute(_PLACES, {"task_ids": list(task_ids)})
    return {row.id: QueuePlace(place=row.place, wait_s=row.wait_s) for row in rows}


async def queue_place(session: AsyncSession, task_id: int) -> QueuePlace | None:
    """None: the task is not waiting."""
    return (await queue_places(session, [task_id])).get(task_id)


def _ended(state: TaskState) -> dict[str, object]:
    return {
        "state": state,
        **RELEASED,
        "finished_at": func.now(),
    }


def _queued_or_failed(
    spent: ColumnElement[bool], error_code: str, not_before_s: float
) -> dict[str, object]:
    state = Task.state.type
    return {
        "state": case(
            (spent, literal(TaskState.FAILED, state)), else_=literal(TaskState.QUEUED, state)
        ),
        "error_code": case((spent, error_code)),
        "finished_at": case((spent, func.now())),
        "not_before": case((not_(spent), func.now() + seconds(not_before_s))),
        **RELEASED,
    }


async def _changes(session: AsyncSession, statement: Update) -> bool:
    changed = await session.scalars(
        statement.returning(Task.id).execution_options(synchronize_session=False)
    )
    return changed.first() is not None
