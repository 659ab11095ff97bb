"""How soon a worker starts after the commit, and how much it idles between waiting tasks.

The baseline is what one writes first: an arq worker with default settings and one job at a time.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from arq import create_pool
from arq.jobs import Job
from arq.worker import Worker, func
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.figures import median, p95
from benchmarks.product import Product
from db import accounts, engine, queue, requests
from db.views import NewDraft, TelegramUser
from pipeline.brief import make_brief
from pipeline.run import Pipeline
from pipeline.settings import PipelineSettings

_STARTS = 20
_WAITING = 20
_PROMPT = "осенний латте в уютной кофейне"
_QUEUE = "bench:defaults"


async def measure(product: Product) -> list[str]:
    db = engine.create(product.database_url)
    try:
        ours = [await _our_start(product, db, 200_000 + index) for index in range(_STARTS)]
        our_idle = await _our_idle(product, db)
    finally:
        await db.dispose()
    starts: list[float] = []
    theirs = [await _default_start(product.redis_url, starts) for _ in range(_STARTS)]
    their_idle = await _default_idle(product.redis_url)
    return [
        f"commit to start:         median {median(ours) * 1000:.0f} ms, p95 {p95(ours) * 1000:.0f}"
        f" ms  (aim: median under 20); arq's defaults {median(theirs) * 1000:.0f} ms,"
        f" {median(theirs) / median(ours):.0f} x",
        f"idle between {_WAITING} tasks:   {our_idle:.1%}  (aim: under 5 %);"
        f" arq's defaults {their_idle:.1%}",
    ]


async def _submit(db: AsyncEngine, user_ids: list[int], prompt: str) -> list[int]:
    """A task each, all in one transaction; their ids."""
    sessions = engine.session_factory(db)
    task_ids = []
    async with sessions.begin() as session:
        for user_id in user_ids:
            user = await accounts.ensure_user(session, TelegramUser(user_id, f"P{user_id}"))
            new = NewDraft(
                account_id=user.account_id,
                user_id=user_id,
                chat_id=user_id,
                source_message_id=1,
                raw_prompt=prompt,
                cleaned_prompt=prompt,
                seed=user_id,
                locale="ru",
                count=4,
            )
            draft, _ = await requests.draft(session, new)
            submitted = await requests.submit(
                session,
                user.account_id,
                draft.id,
                "bench",
                chat_id=user_id,
                thread_id=None,
                now=datetime.now(UTC),
            )
            task_ids.append(submitted.task_id)
    return task_ids


async def _our_start(product: Product, db: AsyncEngine, user_id: int) -> float:
    await product.newcomer(user_id)
    pool = await queue.create_pool(product.redis_url)
    [task_id] = await _submit(db, [user_id], _PROMPT)
    committed = datetime.now(UTC)
    await queue.wake_gpu(pool)
    started, _, _ = (await _ended(db, [task_id]))[0]
    await pool.aclose()
    return (started - committed).total_seconds()


async def _our_idle(product: Product, db: AsyncEngine) -> float:
    """The share of the time from the first start to the last end in which no stage ran."""
    users = [210_000 + index for index in range(_WAITING)]
    for user_id in users:
        await product.newcomer(user_id)
    pool = await queue.create_pool(product.redis_url)
    task_ids = await _submit(db, users, _PROMPT)
    await queue.wake_gpu(pool)
    rows = await _ended(db, task_ids)
    await pool.aclose()
    wall = (max(row[1] for row in rows) - min(row[0] for row in rows)).total_seconds()
    return max(0.0, 1 - sum(row[2] for row in rows) / wall)


async def _ended(db: AsyncEngine, task_ids: list[int]) -> list[tuple[datetime, datetime, float]]:
    """Start, end and the stages' own seconds of each task, once all are done."""
    query = text(
        "SELECT started_at, finished_at, (SELECT sum(value::text::float) / 1000"
        " FROM jsonb_each(timings_ms) WHERE key <> 'total')"
        " FROM ml_tasks WHERE id = ANY(:ids) AND state = 'done'"
    )
    while True:
        async with db.connect() as connection:
            rows = (await connection.execute(query, {"ids": task_ids})).all()
        if len(rows) == len(task_ids):
            return [(row[0], row[1], row[2]) for row in rows]
        await asyncio.sleep(0.02)


async def _default_start(redis_url: str, starts: list[float]) -> float:
    async def job(ctx: dict[object, object]) -> None:
        starts.append(time.time())

    async def one() -> float:
        pool = await create_pool(queue.redis_settings(redis_url))
        enqueued = time.time()
        await _done(await pool.enqueue_job("job", _queue_name=_QUEUE))
        await pool.aclose()
        return starts[-1] - enqueued

    return await _beside_default_worker(redis_url, job, one)


async def _default_idle(redis_url: str) -> float:
    pipeline = Pipeline.from_settings(PipelineSettings())
    spans: list[tuple[float, float]] = []

    async def job(ctx: dict[object, object]) -> None:
        started = time.time()
        await pipeline.run(make_brief(_PROMPT, seed=len(spans)))
        spans.append((started, time.time()))

    async def all_of_them() -> float:
        pool = await create_pool(queue.redis_settings(redis_url))
        jobs = [await pool.enqueue_job("job", _queue_name=_QUEUE) for _ in range(_WAITING)]
        for enqueued in jobs:
            await _done(enqueued)
        await pool.aclose()
        wall = spans[-1][1] - spans[0][0]
        return 1 - sum(end - start for start, end in spans) / wall

    return await _beside_default_worker(redis_url, job, all_of_them)


async def _done(job: Job | None) -> None:
    assert job is not None
    await job.result(timeout=300, poll_delay=0.02)


async def _beside_default_worker(
    redis_url: str,
    job: Callable[[dict[object, object]], Awaitable[None]],
    work: Callable[[], Awaitable[float]],
) -> float:
    worker = Worker(
        functions=[func(job, name="job")],
        queue_name=_QUEUE,
        redis_settings=queue.redis_settings(redis_url),
        max_jobs=1,
        handle_signals=False,
    )
    running = asyncio.create_task(worker.async_run())
    try:
        # A moment of chance, else the start of the worker's half-second poll is what is measured.
        await asyncio.sleep(random.uniform(0.1, 0.6))
        return await work()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await worker.close()
