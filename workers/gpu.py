"""The process that makes pictures: woken over arq, it claims tasks until none is claimable.

It knows nothing of Telegram and must not import aiogram: start-up time and memory.
"""

from __future__ import annotations

import asyncio

import structlog

from db import capacity, engine, images, liveness, queue, tasks
from db.capacity import Capacity
from db.settings import DatabaseSettings
from db.views import Claim
from pipeline.errors import BackendBusy
from pipeline.run import Pipeline
from pipeline.settings import PipelineSettings
from pipeline.types import CancelFlag
from workers import generate, patience
from workers.generate import Studio
from workers.settings import WorkerSettings
from workers.wakes import claim_and_work, listen

log = structlog.get_logger()


async def run(settings: WorkerSettings, database: DatabaseSettings) -> None:
    """The whole process, until cancelled; it reports ready once its models are loaded and warm.

    Raises BackendUnavailable for a wrong setting.
    """
    pipeline = Pipeline.from_settings(PipelineSettings())
    db = engine.create(database.database_url)
    pool = await queue.create_pool(database.redis_url)
    try:
        await capacity.tell(pool, _capacity(pipeline))
        await warm_up(pipeline)
        log.info(
            "gpu worker is up",
            enhancer=pipeline.enhancer.name,
            generator=pipeline.generator.name,
            judge=pipeline.judge.name,
        )
        await serve(
            Studio(
                sessions=engine.session_factory(db),
                pool=pool,
                store=images.Store(database.images_url),
                pipeline=pipeline,
                settings=settings,
            )
        )
    finally:
        await pool.aclose()
        await db.dispose()


def _capacity(pipeline: Pipeline) -> Capacity:
    return Capacity(pipeline.generator.max_count, pipeline.generator.starts_from_photos)


async def warm_up(pipeline: Pipeline) -> None:
    """Loads the models, trying as often as it takes: a GPU's memory may still be another process's.

    Raises BackendUnavailable.
    """
    while True:
        try:
            return await pipeline.warm_up()
        except BackendBusy as error:
            log.warning("models can't be loaded for now", error=str(error))
            await asyncio.sleep(error.retry_after_s)


async def serve(studio: Studio) -> None:
    """Makes albums until cancelled; tasks in hand are then given back."""
    wake = asyncio.Event()
    running: dict[int, CancelFlag] = {}

    async def claim() -> Claim | None:
        async with studio.sessions.begin() as session:
            return await tasks.claim(
                session,
                lease_s=studio.settings.lease_s,
                account_running_cap=studio.settings.account_running_cap,
            )

    async def work(claimed: Claim) -> None:
        running[claimed.task_id] = CancelFlag()
        try:
            await generate.make(claimed, studio, running[claimed.task_id])
        finally:
            del running[claimed.task_id]

    async def idle_s() -> float:
        return studio.settings.poll_every_s

    async def obey_cancels() -> None:
        async for task_id in queue.cancelled(studio.pool):
            if task_id in running:
                running[task_id].set()

    async with asyncio.TaskGroup() as group:
        group.create_task(listen(studio.pool, queue.GPU_QUEUE, queue.RUN_GENERATIONS, wake))
        group.create_task(patience.forever(obey_cancels, "listening for cancels"))
        group.create_task(liveness.beat(studio.pool, "gpu"))
        group.create_task(capacity.keep_telling(studio.pool, _capacity(studio.pipeline)))
        for _ in range(studio.settings.tasks_in_flight or studio.pipeline.requests_in_flight):
            group.create_task(claim_and_work(claim, work, wake, idle_s))
