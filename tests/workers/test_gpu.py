"""The gpu worker's loop: woken by arq, claiming from Postgres."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from arq import ArqRedis
from PIL import Image

from db import capacity, liveness, queue, tasks
from db.capacity import Capacity
from db.settings import DatabaseSettings
from pipeline.errors import BackendBusy
from pipeline.run import Pipeline
from pipeline.types import Brief, CancelFlag, OnPicture, Picture, Prompt, Score, Stage
from tests.pipeline.ollama_server import OllamaServer
from tests.workers.conftest import SETTINGS, Ask, Critic, Painter, Row, Words
from tests.workers.waiting import until
from workers import gpu
from workers.generate import Studio

ONLY_WOKEN = SETTINGS.model_copy(update={"poll_every_s": 600.0})


@contextlib.asynccontextmanager
async def serving(studio: Studio) -> AsyncIterator[None]:
    serving = asyncio.create_task(gpu.serve(studio))
    yield
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait_for(serving, 20)


@pytest.fixture
def woken(studio: Studio) -> Studio:
    """A studio that finds work only when it is woken."""
    return Studio(studio.sessions, studio.pool, studio.store, studio.pipeline, ONLY_WOKEN)


def all_done(row: Row, count: int) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        found = await row("SELECT count(*) AS n FROM ml_tasks WHERE state = 'done'")
        return found["n"] == count

    return holds


async def test_what_waited_before_the_start_is_made(woken: Studio, ask: Ask, row: Row) -> None:
    await ask()
    async with serving(woken):
        await until(all_done(row, 1))


async def test_one_wake_up_is_enough_for_all_that_waits(
    woken: Studio, ask: Ask, row: Row, pool: ArqRedis
) -> None:
    async with serving(woken):
        await ask()
        await queue.wake_gpu(pool)
        await until(all_done(row, 1))
        for user_id in range(1001, 1021):
            await ask(user_id, user_id=user_id)
        await queue.wake_gpu(pool)
        await until(all_done(row, 21))
    assert await pool.zcard(queue.GPU_QUEUE) == 0


class Together:
    """Three stages that go on only once all are at work at once: for three requests."""

    name = "together"
    max_count = 4
    starts_from_photos = False
    device = "cuda"

    def __init__(self) -> None:
        self._barrier = threading.Barrier(len(Stage), timeout=20)
        self._calls = Counter[Stage]()

    def _at_work(self, stage: Stage) -> None:
        """The first request's judging, the second one's drawing, the third one's enhancing."""
        self._calls[stage] += 1
        if self._calls[stage] == [Stage.JUDGE, Stage.GENERATE, Stage.ENHANCE].index(stage) + 1:
            self._barrier.wait()

    async def enhance(self, brief: Brief) -> Prompt:
        await asyncio.to_thread(self._at_work, Stage.ENHANCE)
        return await Words().enhance(brief)

    def generate(
        self,
        prompt: Prompt,
        brief: Brief,
        seeds: Sequence[int],
        on_picture: OnPicture,
        cancel: CancelFlag,
    ) -> list[Picture]:
        self._at_work(Stage.GENERATE)
        return Painter().generate(prompt, brief, seeds, on_picture, cancel)

    def score(self, intent: str, images: Sequence[Image.Image]) -> list[Score]:
        self._at_work(Stage.JUDGE)
        return Critic().score(intent, images)


async def test_on_a_gpu_three_tasks_are_at_work_one_a_stage(
    studio: Studio, ask: Ask, row: Row
) -> None:
    together = Together()
    pipeline = Pipeline(together, together, together)
    for user_id in range(1001, 1004):
        await ask(user_id, user_id=user_id)
    async with serving(replace(studio, pipeline=pipeline)):
        await until(all_done(row, 3))


async def test_it_tells_what_it_can_make(studio: Studio, painter: Painter, pool: ArqRedis) -> None:
    painter.max_count, painter.starts_from_photos = 2, True

    async def told() -> bool:
        return await capacity.offered(pool) == Capacity(2, starts_from_photos=True)

    async with serving(studio):
        await until(told)


async def test_an_emptied_redis_loses_nothing(
    studio: Studio, ask: Ask, row: Row, pool: ArqRedis
) -> None:
    async with serving(studio):
        await ask()
        await queue.wake_gpu(pool)
        await pool.flushall()
        await until(all_done(row, 1))


async def test_a_published_cancel_stops_the_drawing_at_once(
    woken: Studio, ask: Ask, row: Row, painter: Painter, pool: ArqRedis
) -> None:
    patient = ONLY_WOKEN.model_copy(update={"heartbeat_s": 600.0})
    studio = Studio(woken.sessions, pool, woken.store, woken.pipeline, patient)
    painter.step.clear()
    async with serving(studio):
        cancelled = await ask()
        await queue.wake_gpu(pool)
        assert await asyncio.to_thread(painter.drawing.wait, 20)
        async with studio.sessions.begin() as session:
            assert await tasks.cancel(session, cancelled.account_id, cancelled.task_id)
        await queue.publish_cancel(pool, cancelled.task_id)
        painter.drawing.clear()
        await ask()
        await queue.wake_gpu(pool)
        # The only painter is free again, although nobody let the first drawing go on.
        assert await asyncio.to_thread(painter.drawing.wait, 20)
        painter.step.set()
        await until(all_done(row, 1))


async def test_stopping_gives_back_what_is_in_hand(
    woken: Studio, ask: Ask, row: Row, painter: Painter, pool: ArqRedis
) -> None:
    painter.step.clear()
    async with serving(woken):
        await ask()
        await queue.wake_gpu(pool)
        assert await asyncio.to_thread(painter.drawing.wait, 20)
    task = await row("SELECT state, attempt FROM ml_tasks")
    assert task == {"state": "queued", "attempt": 0}


async def test_it_is_not_ready_before_its_models_are_loaded(
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    redis_url: str,
    image_dir: Path,
    pool: ArqRedis,
) -> None:
    async with OllamaServer() as ollama:
        ollama.may_load.clear()
        monkeypatch.setenv("PIPELINE_ENHANCER", "ollama")
        monkeypatch.setenv("PIPELINE_OLLAMA_HOST", ollama.host)
        database = DatabaseSettings(
            database_url=database_url, redis_url=redis_url, images_url=str(image_dir)
        )
        with structlog.testing.capture_logs() as logs:
            running = asyncio.create_task(gpu.run(SETTINGS, database))
            await until(lambda: _true(bool(ollama.loads)))
            assert await liveness.alive_roles(pool) == ()
            ollama.may_load.set()
            await until(lambda: _is_alive(pool))
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
    assert logs[0]["event"] == "gpu worker is up"


async def test_models_that_find_no_memory_are_loaded_later(studio: Studio) -> None:
    class Shy(Painter):
        tries = 0

        def warm_up(self) -> None:
            self.tries += 1
            if self.tries < 3:
                raise BackendBusy("shy", "out of memory", retry_after_s=0.0)

    shy = Shy()
    studio.pipeline.generator = shy
    await gpu.warm_up(studio.pipeline)
    assert shy.tries == 3


async def _is_alive(pool: ArqRedis) -> bool:
    return await liveness.alive_roles(pool) == ("gpu",)


async def _true(value: bool) -> bool:
    return value


def test_it_imports_no_aiogram() -> None:
    code = "import sys, workers.gpu; sys.exit('aiogram' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
