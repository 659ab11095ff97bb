"""Near-twins of an album are drawn again once, and the better spread is kept."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import BackendBusy, BadBrief, Cancelled
from pipeline.run import Pipeline, derive_seed
from pipeline.types import (
    Album,
    Brief,
    CancelFlag,
    OnPicture,
    Photo,
    Picture,
    Progress,
    Prompt,
    Score,
    Stage,
    Variation,
)
from tests.pipeline.test_run import BRIEF, Marks, Plain, Words

Verdict = tuple[float, float]
"""A final score, and the direction of the embedding in degrees."""

FIRST: list[Verdict] = [(0.8, 0), (0.7, 5), (0.6, 60), (0.5, 120)]
"""The second is a near-twin of the first."""


class Drawer(Plain):
    """Keeps what it was asked for; fails at the second asking with `fault`."""

    def __init__(self, fault: Exception | None = None, lost: int = 0) -> None:
        super().__init__()
        self.asked: list[list[int]] = []
        self.fault = fault
        self.lost = lost

    def generate(
        self,
        prompt: Prompt,
        brief: Brief,
        seeds: Sequence[int],
        on_picture: OnPicture,
        cancel: CancelFlag,
    ) -> list[Picture]:
        self.asked.append(list(seeds))
        if len(self.asked) > 1 and self.fault:
            raise self.fault
        drawn = super().generate(prompt, brief, seeds, on_picture, cancel)
        return drawn[self.lost :] if len(self.asked) > 1 else drawn


class Eyes:
    """A judge with embeddings: a list of verdicts for each time it is asked."""

    name = "eyes"

    def __init__(self, *times: list[Verdict]) -> None:
        self.times = list(times)

    def score(self, intent: str, images: Sequence[Image.Image]) -> list[Score]:
        verdicts = self.times.pop(0)
        assert len(verdicts) == len(images)
        return [_score(*verdict) for verdict in verdicts]


def _score(final: float, degrees: float) -> Score:
    at = np.radians(degrees)
    vector = np.array([np.cos(at), np.sin(at)], dtype=np.float32)
    return Score(final, final, final, final, embedding=vector)


def make(
    drawer: Drawer, judge: Eyes | Marks, brief: Brief = BRIEF, diversity: float = 0.3
) -> Album:
    return asyncio.run(Pipeline(Words(), drawer, judge, diversity=diversity).run(brief))


AGAIN = derive_seed(42, 1, again=True)


def test_a_near_twin_is_drawn_again_with_a_seed_of_its_own() -> None:
    drawer = Drawer()
    album = make(drawer, Eyes(FIRST, [(0.65, 90)]))
    assert drawer.asked == [[derive_seed(42, index) for index in range(4)], [AGAIN]]
    assert len(album.images) == 4
    assert {image.twin_of for image in album.images} == {None}
    [new] = [image for image in album.images if image.seed == AGAIN]
    assert new.score.final == pytest.approx(0.65)
    assert new.meta["instead_of_seed"] == derive_seed(42, 1)
    text = Image.open(io.BytesIO(new.png)).text  # type: ignore[attr-defined]
    assert json.loads(text["parameters"])["seed"] == AGAIN


def test_the_twin_stays_and_is_marked_if_the_new_one_is_liker_still() -> None:
    drawer = Drawer()
    album = make(drawer, Eyes(FIRST, [(0.9, 2)]))
    assert len(drawer.asked) == 2
    assert sorted(image.seed for image in album.images) == sorted(drawer.asked[0])
    [twin] = [image for image in album.images if image.twin_of]
    assert (twin.rank, twin.twin_of, twin.score_rank) == (4, 1, 2)


def test_of_two_twins_the_less_alike_is_kept_and_marked() -> None:
    album = make(Drawer(), Eyes(FIRST, [(0.7, 10)]))
    [twin] = [image for image in album.images if image.twin_of]
    assert (twin.seed, twin.twin_of) == (AGAIN, 1)


def test_a_new_picture_that_is_best_comes_first() -> None:
    album = make(Drawer(), Eyes(FIRST, [(0.95, 90)]))
    assert album.images[0].seed == AGAIN
    assert album.images[0].score_rank == 1


def test_three_of_a_kind_are_told_apart_by_two() -> None:
    first: list[Verdict] = [(0.8, 0), (0.7, 5), (0.6, 3), (0.5, 120)]
    drawer = Drawer()
    album = make(drawer, Eyes(first, [(0.7, 60), (0.6, 62)]))
    assert len(drawer.asked[1]) == 2
    # The two new ones are twins of each other: only one of them helps.
    assert [image.twin_of for image in album.images].count(None) == 3


def test_a_new_picture_that_may_not_be_shown_leaves_the_other_a_place() -> None:
    first: list[Verdict] = [(0.8, 0), (0.7, 5), (0.6, 3), (0.5, 120)]
    album = make(Drawer(lost=1), Eyes(first, [(0.7, 60)]))
    assert len(album.images) == 4
    assert [image.twin_of for image in album.images].count(None) == 3


@pytest.mark.parametrize("fault", [BadBrief("unsafe"), BackendBusy("diffusion", "out of memory")])
def test_if_nothing_new_can_be_drawn_the_album_stays(fault: Exception) -> None:
    album = make(Drawer(fault), Eyes(FIRST))
    assert len(album.images) == 4
    assert [image.twin_of for image in album.images] == [None, None, None, 1]


def test_the_same_request_is_drawn_apart_the_same_way() -> None:
    first, second = (make(Drawer(), Eyes(FIRST, [(0.65, 90)])) for _ in range(2))
    assert [image.sha256 for image in first.images] == [image.sha256 for image in second.images]


def test_what_is_unlike_or_asked_to_be_alike_is_drawn_once_and_so_is_plain_order() -> None:
    unlike: list[Verdict] = [(0.8, 0), (0.7, 40), (0.6, 80), (0.5, 120)]
    variation = replace(BRIEF, variation=Variation(seed=1))
    from_photo = replace(BRIEF, photo=Photo(Image.new("RGB", (64, 64))))
    for verdicts, brief, diversity in (
        (unlike, BRIEF, 0.3),
        (FIRST, variation, 0.3),
        (FIRST, from_photo, 0.3),
        (FIRST, BRIEF, 0.0),
    ):
        drawer = Drawer()
        make(drawer, Eyes(verdicts), brief, diversity)
        assert len(drawer.asked) == 1


def test_a_judge_without_embeddings_gets_the_order_of_scores() -> None:
    drawer = Drawer()
    album = make(drawer, Marks(0.2, 0.9, 0.2, 0.4))
    assert len(drawer.asked) == 1
    assert [image.score_rank for image in album.images] == [1, 2, 3, 4]
    assert [image.score.final for image in album.images] == pytest.approx([0.9, 0.4, 0.2, 0.2])


async def test_progress_tells_the_pictures_that_are_there_already() -> None:
    seen: list[Progress] = []
    pipeline = Pipeline(Words(), Drawer(), Eyes(FIRST, [(0.65, 90)]), diversity=0.3)
    album = await pipeline.run(BRIEF, on_progress=seen.append)
    assert seen[-5:] == [
        Progress(Stage.JUDGE, 1, 1),
        Progress(Stage.GENERATE, 3, 4),
        Progress(Stage.GENERATE, 4, 4),
        Progress(Stage.JUDGE, 0, 1),
        Progress(Stage.JUDGE, 1, 1),
    ]
    assert sum(album.timings_ms[stage] for stage in Stage) <= album.timings_ms["total"] + 1


@pytest.mark.parametrize("stage", [Stage.GENERATE, Stage.JUDGE])
async def test_cancel_while_drawing_again_makes_nothing(stage: Stage) -> None:
    cancel, drawer = CancelFlag(), Drawer()

    def stop(step: Progress) -> None:
        if step.stage is stage and len(drawer.asked) == 2:
            cancel.set()

    pipeline = Pipeline(Words(), drawer, Eyes(FIRST, [(0.65, 90)]), diversity=0.3)
    with pytest.raises(Cancelled):
        await pipeline.run(BRIEF, on_progress=stop, cancel=cancel)
    assert len(drawer.asked) == 2


def test_seeds_of_second_tries_are_stable_and_keep_their_place() -> None:
    firsts = {derive_seed(seed, index) for seed in range(500) for index in range(4)}
    again = [derive_seed(seed, index, again=True) for seed in range(500) for index in range(4)]
    assert again[:4] == [2012440192, 2012440193, 2012440194, 2012440195]
    assert len(firsts | set(again)) == 4000
    assert [seed & 3 for seed in again[:4]] == [0, 1, 2, 3]
