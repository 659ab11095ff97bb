"""Redis carries hints in JSON; without Redis they are lost, and nothing else is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.asyncio import Redis

from db import queue
from playground import embedded


@pytest.fixture
async def pool(redis_url: str) -> AsyncIterator[ArqRedis]:
    pool = await queue.create_pool(redis_url)
    yield pool
    await pool.aclose()


async def _work(pool: ArqRedis, name: str, queue_name: str) -> int:
    """How often a worker of this queue runs its job until nothing is left."""
    runs = 0

    async def job(ctx: object) -> None:
        nonlocal runs
        runs += 1

    worker = Worker(
        functions=[func(job, name=name)],
        queue_name=queue_name,
        redis_pool=pool,
        burst=True,
        handle_signals=False,
        keep_result=0,
        job_serializer=queue.serialize,
        job_deserializer=queue.deserialize,
    )
    await worker.async_run()
    return runs


async def test_every_wake_arrives_at_its_own_worker(pool: ArqRedis) -> None:
    await queue.wake_gpu(pool)
    await queue.wake_gpu(pool)
    await queue.wake_io(pool)
    assert await _work(pool, queue.RUN_GENERATIONS, queue.GPU_QUEUE) == 2
    assert await _work(pool, queue.RUN_DELIVERIES, queue.IO_QUEUE) == 1
    assert await pool.keys("*result*") == []


async def test_what_lies_in_redis_is_json(pool: ArqRedis) -> None:
    await queue.wake_gpu(pool)
    [key] = await pool.keys("arq:job:*")
    stored = await pool.get(key)
    assert queue.deserialize(stored)["f"] == queue.RUN_GENERATIONS


async def test_progress_is_read_for_many_tasks_at_once(pool: ArqRedis) -> None:
    await queue.write_progress(pool, 1, queue.Progress("generate", 1, 4))
    await queue.write_progress(pool, 1, queue.Progress("generate", 2, 4))
    await queue.write_progress(pool, 2, queue.Progress("judge", 0, 1))
    assert await queue.read_progress(pool, [1, 2, 3]) == {
        1: queue.Progress("generate", 2, 4),
        2: queue.Progress("judge", 0, 1),
    }
    assert await queue.read_progress(pool, []) == {}
    assert 0 < await pool.ttl("progress:1") <= 3600


async def test_a_cancel_is_heard_by_all_that_listen(redis_url: str, pool: ArqRedis) -> None:
    clients = [Redis.from_url(redis_url) for _ in range(2)]

    async def first_heard(client: Redis) -> int:
        async with contextlib.aclosing(queue.cancelled(client)) as heard:
            async for task_id in heard:
                return task_id
        raise AssertionError

    listening = [asyncio.create_task(first_heard(client)) for client in clients]
    while (await pool.pubsub_numsub("vitrina:cancel"))[0][1] < 2:
        pass
    await queue.publish_cancel(pool, 42)
    assert await asyncio.gather(*listening) == [42, 42]
    for client in clients:
        await client.aclose()


async def test_without_redis_a_hint_is_lost_and_nothing_raised(tmp_path: Path) -> None:
    with embedded.running(embedded.redis(tmp_path)) as url:
        pool = await queue.create_pool(url)
    await queue.wake_gpu(pool)
    await queue.wake_io(pool)
    await queue.publish_cancel(pool, 1)
    await queue.write_progress(pool, 1, queue.Progress("judge", 0, 1))
    assert await queue.read_progress(pool, [1]) == {}
    await pool.aclose()


@pytest.mark.parametrize(
    ("url", "host", "port", "database"),
    [
        ("redis://:secret@cache:6380/2", "cache", 6380, 2),
        ("redis://localhost", "localhost", 6379, 0),
    ],
)
def test_urls_are_understood(url: str, host: str, port: int, database: int) -> None:
    settings = queue.redis_settings(url)
    assert (settings.host, settings.port, settings.database) == (host, port, database)
