"""What several requests in flight bring a GPU: `make bench ARGS=timeline`.

Six requests go through the real worker with its database, its Redis and its files, one at a time
and then as many as a worker takes on where a GPU draws. The stages are stand-ins that wait as long
as they are told: the enhancer as for a server, the other two in threads. Where torch sees a GPU,
real-size Stable Diffusion 1.5 with random weights draws instead.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import logging
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from PIL import Image
from sqlalchemy import func, select

from benchmarks import diffusion
from db import accounts, engine, images, migrate, queue, requests
from db.models import Task
from db.states import TaskState
from db.views import NewDraft, TelegramUser
from pipeline.run import Pipeline
from pipeline.settings import PipelineSettings
from pipeline.types import Brief, CancelFlag, Generator, OnPicture, Picture, Prompt, Score, Stage
from playground import embedded
from workers import gpu
from workers.generate import Studio
from workers.settings import WorkerSettings

REQUESTS = 6
SECONDS = {Stage.ENHANCE: 0.4, Stage.GENERATE: 1.0, Stage.JUDGE: 0.3}
COLUMNS = 72

_PATIENCE_S = 300.0
_SIDE_PX = 512


@dataclass(frozen=True, slots=True)
class Span:
    """A stage at work for a request (1, 2, ...), in seconds of one clock."""

    stage: Stage
    request: int
    start_s: float
    end_s: float


class Watch:
    """Notes when which stage is at work; knows how long stand-ins take."""

    def __init__(self, seconds: Mapping[Stage, float]) -> None:
        self.seconds = seconds
        self.spans: list[Span] = []

    @contextmanager
    def at_work(self, stage: Stage, request: int) -> Iterator[None]:
        start_s = time.perf_counter()
        yield
        self.spans.append(Span(stage, request, start_s, time.perf_counter()))


class Enhancer:
    name = "stand-in"

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    async def enhance(self, brief: Brief) -> Prompt:
        with self._watch.at_work(Stage.ENHANCE, brief.seed):
            await asyncio.sleep(self._watch.seconds[Stage.ENHANCE])
        return Prompt(brief.cleaned_prompt, "", str(brief.seed), self.name)


class Drawing:
    """The stage that the timeline is about: a generator on a GPU, watched."""

    device = "cuda"

    def __init__(self, watch: Watch, generator: Generator) -> None:
        self._watch = watch
        self._generator = generator
        self.name = generator.name
        self.max_count = generator.max_count
        self.starts_from_photos = generator.starts_from_photos

    def generate(
        self,
        prompt: Prompt,
        brief: Brief,
        seeds: Sequence[int],
        on_picture: OnPicture,
        cancel: CancelFlag,
    ) -> list[Picture]:
        with self._watch.at_work(Stage.GENERATE, brief.seed):
            return self._generator.generate(prompt, brief, seeds, on_picture, cancel)


class Waiting:
    """In place of a generator: waits, then hands over pictures that were there already."""

    name = "stand-in"
    max_count = 4
    starts_from_photos = False

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._picture = Image.effect_noise((_SIDE_PX, _SIDE_PX), 60).convert("RGB")

    def generate(
        self,
        prompt: Prompt,
        brief: Brief,
        seeds: Sequence[int],
        on_picture: OnPicture,
        cancel: CancelFlag,
    ) -> list[Picture]:
        time.sleep(self._seconds)
        return [Picture(seed, self._picture) for seed in seeds]


class Judge:
    name = "stand-in"

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def score(self, intent: str, images: Sequence[Image.Image]) -> list[Score]:
        with self._watch.at_work(Stage.JUDGE, int(intent)):
            time.sleep(self._watch.seconds[Stage.JUDGE])
        return [Score(0.3, 0.7, 5.5, 0.5) for _ in images]


def measure() -> Iterator[str]:
    """Lines to print."""
    with tempfile.TemporaryDirectory(prefix="timeline-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        generator, who_draws = _generator(folder)
        yield who_draws
        postgres, redis = embedded.postgres(folder), embedded.redis(folder)
        with embedded.running(postgres) as database_url, embedded.running(redis) as redis_url:
            migrate.upgrade(database_url)
            place = folder, database_url, redis_url
            with _quiet():
                one = asyncio.run(run(generator, *place, in_flight=1))
                three = asyncio.run(run(generator, *place, in_flight=None))
    column_s = max(map(_length_s, (one, three))) / COLUMNS
    for title, spans in (("one in flight", one), ("one a stage in flight", three)):
        yield f"{title}: {summary(spans)}"
        yield from rows(spans, column_s)
    yield f"a column is {column_s:.2f} s, a digit the request that a stage is at work for"


def _generator(folder: Path) -> tuple[Generator, str]:
    """Who draws, and how to say so."""
    if not _sees_gpu():
        lengths = ", ".join(f"{stage} {seconds:g} s" for stage, seconds in SECONDS.items())
        return Waiting(
            SECONDS[Stage.GENERATE]
        ), f"no GPU at hand: every stage is a timed stand-in, {lengths}"
    from pipeline.generate.diffusion import DiffusionGenerator

    diffusion.in_process(diffusion.save_models, folder)
    generator = DiffusionGenerator(
        PipelineSettings(
            models_dir=folder, diffusion_model=str(folder / "sd"), diffusion_safety=False
        )
    )
    generator.warm_up()
    others = ", ".join(f"{stage} {SECONDS[stage]:g} s" for stage in (Stage.ENHANCE, Stage.JUDGE))
    return generator, f"{generator.name} draws; the others are timed stand-ins, {others}"


def _sees_gpu() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


@contextmanager
def _quiet() -> Iterator[None]:
    """The worker logs only what went wrong."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    yield
    structlog.reset_defaults()


async def run(
    generator: Generator,
    folder: Path,
    database_url: str,
    redis_url: str,
    *,
    in_flight: int | None,
    seconds: Mapping[Stage, float] = SECONDS,
) -> list[Span]:
    """The spans of six requests that wait when the worker comes.

    `in_flight`: None for as many as a worker takes on where a GPU draws.
    """
    watch = Watch(seconds)
    db = engine.create(database_url)
    pool = await queue.create_pool(redis_url)
    studio = Studio(
        engine.session_factory(db),
        pool,
        images.Store(str(folder / "images")),
        Pipeline(Enhancer(watch), Drawing(watch, generator), Judge(watch)),
        WorkerSettings(tasks_in_flight=in_flight),
    )
    try:
        await _submit(studio)
        working = asyncio.create_task(gpu.serve(studio))
        async with asyncio.timeout(_PATIENCE_S):
            await _until_done(studio, working)
        working.cancel()
        await asyncio.wait([working])
    finally:
        await pool.aclose()
        await db.dispose()
    return watch.spans


async def _submit(studio: Studio) -> None:
    """A request each of six people; a request's number is its seed."""
    for number in range(1, REQUESTS + 1):
        async with studio.sessions.begin() as session:
            person = await accounts.ensure_user(session, TelegramUser(number, f"P{number}"))
            new = NewDraft(
                account_id=person.account_id,
                user_id=number,
                chat_id=number,
                source_message_id=time.monotonic_ns(),
                raw_prompt="кофе осенью",
                cleaned_prompt="кофе осенью",
                seed=number,
                locale="ru",
                count=4,
            )
            draft, _ = await requests.draft(session, new)
            await requests.submit(
                session,
                person.account_id,
                draft.id,
                "bench",
                chat_id=number,
                thread_id=None,
                now=datetime.now(UTC),
            )


async def _until_done(studio: Studio, working: asyncio.Task[None]) -> None:
    waiting = select(func.count()).where(Task.state.in_((TaskState.QUEUED, TaskState.RUNNING)))
    while not working.done():
        async with studio.sessions() as session:
            if await session.scalar(waiting) == 0:
                return
        await asyncio.sleep(0.1)
    working.result()


def rows(spans: Sequence[Span], column_s: float) -> Iterator[str]:
    """A row a stage: in each column the request it is at work for at the column's middle."""
    start_s = min(span.start_s for span in spans)
    for stage in Stage:
        row = [" "] * round(_length_s(spans) / column_s)
        for column in range(len(row)):
            now_s = start_s + (column + 0.5) * column_s
            for span in spans:
                if span.stage == stage and span.start_s <= now_s < span.end_s:
                    row[column] = str(span.request)
        yield f"  {stage:<9}|{''.join(row)}|"


def summary(spans: Sequence[Span]) -> str:
    """How long it took, and whether the generator had to wait."""
    drawing = sorted(
        (span for span in spans if span.stage == Stage.GENERATE), key=lambda span: span.start_s
    )
    busy = sum(span.end_s - span.start_s for span in drawing) / _length_s(spans)
    waits_s = [after.start_s - before.end_s for before, after in itertools.pairwise(drawing)]
    return (
        f"{len(drawing)} requests in {_length_s(spans):.1f} s, the generator busy {busy:.0%} of it;"
        f" between two requests it waits {statistics.median(waits_s) * 1000:.0f} ms"
    )


def _length_s(spans: Sequence[Span]) -> float:
    return max(span.end_s for span in spans) - min(span.start_s for span in spans)
