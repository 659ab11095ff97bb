"""Waking workers, telling them to cancel, and passing on progress: everything Redis is used for.

Redis only carries hints. What must happen is in Postgres and is found there by the sweep, so a
Redis that is away or was emptied costs time, nothing else: the functions that give a hint log
such an error and return.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import asdict, dataclass
from typing import cast

import arq
import structlog
from arq.connections import ArqRedis, RedisSettings
from redis.asyncio import Redis
from redis.exceptions import RedisError

GPU_QUEUE = "vitrina:gpu"
IO_QUEUE = "vitrina:io"
RUN_GENERATIONS = "run_generations"
RUN_DELIVERIES = "run_deliveries"

_CANCEL_CHANNEL = "vitrina:cancel"
_PROGRESS_TTL_S = 3600

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a running task stands: `done` of `total` steps of a stage of the pipeline, and `part`
    (0..1) of the next one."""

    stage: str
    done: int
    total: int
    part: float = 0.0


def serialize(value: dict[str, object]) -> bytes:
    """JSON for arq: what lies in Redis must not be able to run code, as pickle does."""
    return json.dumps(value).encode()


def deserialize(data: bytes) -> dict[str, object]:
    return cast("dict[str, object]", json.loads(data))


def redis_settings(redis_url: str) -> RedisSettings:
    """For arq's workers; `redis://`, `rediss://` and `unix://` URLs."""
    return RedisSettings.from_dsn(redis_url)


async def create_pool(redis_url: str) -> ArqRedis:
    """The connection that all functions here take. Close it with `aclose()`."""
    return await arq.create_pool(
        redis_settings(redis_url), job_serializer=serialize, job_deserializer=deserialize
    )


async def wake_gpu(pool: ArqRedis) -> None:
    """Tells the gpu workers that a task may wait. Call it after the commit."""
    await _wake(pool, RUN_GENERATIONS, GPU_QUEUE)


async def wake_io(pool: ArqRedis) -> None:
    """Tells the io workers that a delivery may wait. Call it after the commit."""
    await _wake(pool, RUN_DELIVERIES, IO_QUEUE)


async def publish_cancel(redis: Redis, task_id: int) -> None:
    """Tells the worker of a cancelled task at once; else its next heartbeat does."""
    try:
        await redis.publish(_CANCEL_CHANNEL, task_id)
    except (RedisError, OSError) as error:
        _log.warning("cancel not published", task_id=task_id, error=str(error))


async def cancelled(redis: Redis) -> AsyncIterator[int]:
    """Ids of tasks as they are cancelled, from now on, for ever. Raises redis' errors."""
    async with redis.pubsub() as subscription:
        await subscription.subscribe(_CANCEL_CHANNEL)
        async for message in subscription.listen():
            if message["type"] == "message":
                yield int(message["data"])


async def write_progress(redis: Redis, task_id: int, progress: Progress) -> None:
    """Overwrites a task's progress; forgotten after an hour."""
    try:
        await redis.set(_progress_key(task_id), json.dumps(asdict(progress)), ex=_PROGRESS_TTL_S)
    except (RedisError, OSError) as error:
        _log.warning("progress not written", task_id=task_id, error=str(error))


async def read_progress(redis: Redis, task_ids: Sequence[int]) -> dict[int, Progress]:
    """The progress of those tasks that have any; empty while Redis is away."""
    if not task_ids:
        return {}
    try:
        values = await cast(
            "Awaitable[list[bytes | None]]", redis.mget([_progress_key(id_) for id_ in task_ids])
        )
    except (RedisError, OSError) as error:
        _log.warning("progress not read", error=str(error))
        return {}
    return {
        task_id: Progress(**json.loads(value))
        for task_id, value in zip(task_ids, values, strict=True)
        if value is not None
    }


async def _wake(pool: ArqRedis, job: str, queue: str) -> None:
    try:
        # No job id of ours: arq swallows an id that is queued or running already, and the wake
        # would be lost between the worker's last look and its job's end.
        await pool.enqueue_job(job, _queue_name=queue)
    except (RedisError, OSError) as error:
        _log.warning("worker not woken", queue=queue, error=str(error))


def _progress_key(task_id: int) -> str:
    return f"progress:{task_id}"
