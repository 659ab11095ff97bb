"""A whole run: stages in order, progress, cancel, seeds, the files' bytes."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from PIL import Image

from pipeline.errors import BackendUnavailable, Cancelled
from pipeline.generate.mock import MockGenerator
from pipeline.judge.pixels import PixelsJudge
from pipeline.run import Pipeline, derive_seed
from pipeline.settings import PipelineSettings
from pipeline.types import (
    Album,
    BrandStyle,
    Brief,
    CancelFlag,
    Picture,
    Progress,
    Prompt,
    Score,
    Stage,
)

BRIEF = Brief("осенний кофе", "осенний кофе", seed=42, brand=BrandStyle("Ч", "bold", ("#b3202c",)))


class Words:
    """An enhancer that needs no vocabulary."""

    name = "words"

    async def enhance(self, brief: Brief) -> Prompt:
        return Prompt("autumn coffee, studio light", "blurry", "autumn coffee", "words", ("осень",))


class Plain:
    """A generator whose pictures cost nothing; `on_start` is called in its thread."""

    name = "plain"
    starts_from_photos = False

    def __init__(self, max_count: int = 4, on_start: Callable[[], None] = lambda: None) -> None:
        self.max_count = max_count
        self.on_start = on_start

    def generate(
        self,
        prompt: Prompt,
        brief: Brief,
        seeds: Sequence[int],
        on_picture: Callable[[int], None],
        cancel: CancelFlag,
    ) -> list[Picture]:
        self.on_start()
        pictures = []
        for done, seed in enumerate(seeds, start=1):
            if cancel.is_set():
                raise Cancelled
            pictures.append(Picture(seed, Image.new("RGB", (64, 64), (seed % 256, 0, 0))))
            on_picture(done)
        return pictures


class Marks:
    """A judge that gives the marks it was told to."""

    name = "marks"

    def __init__(self, *marks: float) -> None:
        self.marks = marks

    def score(self, intent: str, images: Sequence[Image.Image]) -> list[Score]:
        return [Score(mark, mark, mark, mark) for mark in self.marks[: len(images)]]


def make(brief: Brief = BRIEF) -> Album:
    pipeline = Pipeline(Words(), MockGenerator(256 * 256), PixelsJudge())
    return asyncio.run(pipeline.run(brief))


def shas(album: Album) -> list[str]:
    return [image.sha256 for image in album.images]


def test_same_request_gives_byte_identical_files_in_two_processes() -> None:
    script = "from tests.pipeline.test_run import *; print(*shas(make()))"
    answers = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": salt, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for salt in ("0", "1")
    ]
    assert answers[0] == answers[1]
    assert len(set(answers[0])) == 4


def test_another_seed_or_brand_gives_other_files() -> None:
    first = set(shas(make()))
    assert not first & set(shas(make(replace(BRIEF, seed=43))))
    assert not first & set(shas(make(replace(BRIEF, brand=None))))


def test_album_is_in_rank_order_and_knows_its_files() -> None:
    album = make()
    finals = [image.score.final for image in album.images]
    assert [image.rank for image in album.images] == [1, 2, 3, 4]
    assert finals == sorted(finals, reverse=True)
    for image in album.images:
        score = image.score
        assert abs(score.final - (0.7 * score.clip_n + 0.3 * score.aes_n)) < 1e-6
        assert image.sha256 == hashlib.sha256(image.png).hexdigest()
        assert Image.open(io.BytesIO(image.png)).size == (image.width, image.height) == (256, 256)
    assert (album.generator, album.judge, album.prompt.backend) == ("mock", "pixels", "words")


def test_files_say_that_they_are_generated_and_how() -> None:
    image = make().images[0]
    text = Image.open(io.BytesIO(image.png)).text  # type: ignore[attr-defined]
    assert text["Source"] == "AI-generated"
    parameters = json.loads(text["parameters"])
    assert parameters["seed"] == image.seed
    assert parameters["prompt"] == "autumn coffee, studio light"
    assert parameters["negative_prompt"] == "blurry"
    assert parameters["generator"] == "mock"


async def test_ranks_follow_the_scores_and_ties_the_order_of_making() -> None:
    album = await Pipeline(Words(), Plain(), Marks(0.2, 0.9, 0.2, 0.4)).run(BRIEF)
    made = [derive_seed(42, index) for index in range(4)]
    assert [image.seed for image in album.images] == [made[1], made[3], made[0], made[2]]


async def test_progress_goes_through_the_stages_once() -> None:
    seen: list[Progress] = []
    await Pipeline(Words(), Plain(), Marks(1, 1)).run(
        replace(BRIEF, count=2), on_progress=seen.append
    )
    assert seen == [
        Progress(Stage.ENHANCE, 0, 1),
        Progress(Stage.ENHANCE, 1, 1),
        Progress(Stage.GENERATE, 0, 2),
        Progress(Stage.GENERATE, 1, 2),
        Progress(Stage.GENERATE, 2, 2),
        Progress(Stage.JUDGE, 0, 1),
        Progress(Stage.JUDGE, 1, 1),
    ]


async def test_timings_name_every_stage() -> None:
    album = await Pipeline(Words(), Plain(), Marks(1, 1, 1, 1)).run(BRIEF)
    assert set(album.timings_ms) == {"enhance", "generate", "encode", "judge", "total"}
    parts = sum(value for name, value in album.timings_ms.items() if name != "total")
    assert parts <= album.timings_ms["total"] + 1


async def test_cancel_while_drawing_stops_within_one_picture() -> None:
    cancel, seen = CancelFlag(), []

    def stop_at_second(step: Progress) -> None:
        seen.append((step.stage, step.done))
        if (step.stage, step.done) == (Stage.GENERATE, 2):
            cancel.set()

    with pytest.raises(Cancelled):
        await Pipeline(Words(), Plain(), Marks(1, 1, 1, 1)).run(
            BRIEF, on_progress=stop_at_second, cancel=cancel
        )
    assert seen[-1] == (Stage.GENERATE, 2)


@pytest.mark.parametrize("stage", list(Stage))
async def test_cancel_at_any_stage_makes_nothing(stage: Stage) -> None:
    cancel = CancelFlag()

    def stop(step: Progress) -> None:
        if step.stage is stage:
            cancel.set()

    with pytest.raises(Cancelled):
        await Pipeline(Words(), Plain(), Marks(1, 1, 1, 1)).run(
            BRIEF, on_progress=stop, cancel=cancel
        )


async def test_cancelled_task_ends_only_when_its_thread_has() -> None:
    """Else the stage would be free while the backend still works in it."""
    started, release, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        release.wait(5)
        ended.set()

    pipeline = Pipeline(Words(), Plain(on_start=work), Marks(1, 1, 1, 1))
    task = asyncio.create_task(pipeline.run(BRIEF))
    await asyncio.to_thread(started.wait, 5)
    task.cancel()
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_two_requests_never_draw_at_the_same_time() -> None:
    inside, most = [0], [0]

    class Counting(Plain):
        def generate(self, *args: object, **kwargs: object) -> list[Picture]:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            try:
                return super().generate(*args, **kwargs)  # type: ignore[arg-type]
            finally:
                inside[0] -= 1

    pipeline = Pipeline(Words(), Counting(), Marks(1, 1, 1, 1))
    await asyncio.gather(*(pipeline.run(replace(BRIEF, seed=seed)) for seed in range(6)))
    assert most == [1]


async def test_a_defect_in_a_backend_is_not_swallowed() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    pipeline = Pipeline(Words(), Plain(on_start=fail), Marks())
    with pytest.raises(ZeroDivisionError):
        await pipeline.run(BRIEF)
    pipeline.generator = Plain()
    pipeline.judge = Marks(1, 1, 1, 1)
    assert len((await pipeline.run(BRIEF)).images) == 4


async def test_generator_that_can_make_fewer_makes_fewer() -> None:
    album = await Pipeline(Words(), Plain(max_count=2), Marks(1, 1)).run(BRIEF)
    assert len(album.images) == 2
    assert album.brief.count == 4


async def test_own_words_are_drawn_when_enhancing_is_off() -> None:
    album = await Pipeline(Words(), Plain(), Marks(1, 1, 1, 1)).run(replace(BRIEF, enhance=False))
    assert album.prompt == Prompt("осенний кофе", "", "autumn coffee", "off", ("осень",))


async def test_own_words_are_judged_against_their_translation() -> None:
    settings = PipelineSettings(enhancer="mock", judge="pixels", picture_area_px=256 * 256)
    brief = replace(BRIEF, enhance=False, count=1)
    prompt = (await Pipeline.from_settings(settings).run(brief)).prompt
    assert prompt.render == "осенний кофе"
    assert prompt.intent.isascii()
    assert "coffee" in prompt.intent


class Slow(Marks):
    """A judge whose work takes until it is told to go on."""

    def __init__(self, events: list[str]) -> None:
        super().__init__(1, 1, 1, 1)
        self.events = events
        self.asked, self.go_on = threading.Event(), threading.Event()

    def score(self, intent: str, images: Sequence[Image.Image]) -> list[Score]:
        self.asked.set()
        assert self.go_on.wait(10)
        self.events.append("judged")
        return super().score(intent, images)


@pytest.mark.parametrize("take_turns", [False, True])
async def test_taking_turns_a_request_is_judged_before_the_next_is_drawn(take_turns: bool) -> None:
    events: list[str] = []
    drawn_twice = threading.Event()

    def on_start() -> None:
        events.append("drawn")
        if events.count("drawn") == 2:
            drawn_twice.set()

    judge = Slow(events)
    pipeline = Pipeline(Words(), Plain(on_start=on_start), judge, take_turns=take_turns)
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(pipeline.run(BRIEF))
        await asyncio.to_thread(judge.asked.wait, 10)
        if not take_turns:  # The second one is drawn while the first is being judged.
            assert await asyncio.to_thread(drawn_twice.wait, 10)
        judge.go_on.set()
    overlapping = ["drawn", "drawn", "judged", "judged"]
    assert events == (["drawn", "judged"] * 2 if take_turns else overlapping)


@pytest.mark.parametrize("take_turns", [False, True])
async def test_a_request_cancelled_before_its_turn_waits_for_nobody(take_turns: bool) -> None:
    drawing, go_on = threading.Event(), threading.Event()

    def on_start() -> None:
        drawing.set()
        assert go_on.wait(10)

    pipeline = Pipeline(Words(), Plain(on_start=on_start), Marks(1, 1, 1, 1), take_turns=take_turns)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(pipeline.run(BRIEF))
        assert await asyncio.to_thread(drawing.wait, 10)
        cancel = CancelFlag()
        waiting = asyncio.create_task(pipeline.run(BRIEF, cancel=cancel))
        third = group.create_task(pipeline.run(BRIEF))
        early, _ = await asyncio.wait([waiting], timeout=0.3)
        cancel.set()
        stopped, _ = await asyncio.wait([waiting], timeout=5)
        still_drawing = not first.done()
        go_on.set()
        with pytest.raises(Cancelled):
            await waiting
    assert not early
    assert stopped
    assert still_drawing
    assert len(third.result().images) == 4


@pytest.mark.parametrize("ticks", range(6))
async def test_a_request_stopped_as_its_turn_comes_hands_the_turn_on(ticks: int) -> None:
    """Whenever in that moment: what waited for a lock may have got it already."""
    drawing, go_on = threading.Event(), threading.Event()

    def on_start() -> None:
        drawing.set()
        assert go_on.wait(10)

    pipeline = Pipeline(Words(), Plain(on_start=on_start), Marks(1, 1, 1, 1), take_turns=True)
    first = asyncio.create_task(pipeline.run(BRIEF))
    assert await asyncio.to_thread(drawing.wait, 10)
    waiting = asyncio.create_task(pipeline.run(BRIEF))
    await asyncio.sleep(0.05)
    go_on.set()
    await first
    for _ in range(ticks):
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len((await asyncio.wait_for(pipeline.run(BRIEF), 10)).images) == 4


async def test_warming_up_loads_what_takes_long_and_nothing_else() -> None:
    class Warm(Marks):
        loaded = 0

        def warm_up(self) -> None:
            self.loaded += 1

    class WarmWords(Words):
        loaded = 0

        async def warm_up(self) -> None:
            self.loaded += 1

    judge, enhancer = Warm(1), WarmWords()
    await Pipeline(Words(), Plain(), judge, translator=enhancer).warm_up()
    assert (judge.loaded, enhancer.loaded) == (1, 1)
    await Pipeline(enhancer, Plain(), Marks()).warm_up()
    assert enhancer.loaded == 2


async def test_warming_up_reads_the_lexicon_once_for_all() -> None:
    from pipeline.enhance.lexicon.vocabulary import vocabulary

    vocabulary.cache_clear()
    pipeline = Pipeline.from_settings(PipelineSettings(judge="pixels"))
    await pipeline.warm_up()
    assert vocabulary.cache_info().currsize == 1


@pytest.mark.parametrize(("device", "requests"), [("cuda", 3), ("cpu", 2), (None, 2)])
def test_a_gpu_is_given_a_request_for_each_stage(device: str | None, requests: int) -> None:
    generator = Plain()
    if device:
        generator.device = device  # type: ignore[attr-defined]
    assert Pipeline(Words(), generator, Marks()).requests_in_flight == requests


def test_seeds_are_stable_distinct_and_tell_their_place() -> None:
    assert [derive_seed(42, index) for index in range(4)] == [
        1934056628,
        1934056629,
        1934056630,
        1934056631,
    ]
    many = {derive_seed(seed, index) for seed in range(500) for index in range(4)}
    assert len(many) == 2000
    assert all(0 <= seed < 2**31 for seed in many)


@pytest.mark.parametrize("part", ["enhancer", "generator", "judge"])
def test_unknown_backend_is_refused_by_name(part: str) -> None:
    settings = PipelineSettings(enhancer="mock").model_copy(update={part: "nonesuch"})
    with pytest.raises(BackendUnavailable, match="nonesuch"):
        Pipeline.from_settings(settings)
