"""Order with an eye to difference: maximal marginal relevance and near-twins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rank import TWIN_COSINE, Place, cosine, diversify, places, rank
from pipeline.types import Score

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"


def _score(final: float, *direction: float) -> Score:
    vector = np.array(direction, dtype=np.float32)
    return Score(0, final, 0, final, embedding=vector / np.linalg.norm(vector))


def _at(final: float, degrees: float) -> Score:
    return _score(final, np.cos(np.radians(degrees)), np.sin(np.radians(degrees)))


def test_a_near_twin_of_the_best_gives_way_to_something_else() -> None:
    scores = [_at(0.80, 0), _at(0.79, 5), _at(0.75, 60)]
    assert rank(scores) == [0, 1, 2]
    assert diversify(scores, 0.3) == [0, 2, 1]


def test_a_much_better_picture_keeps_its_place_though_alike() -> None:
    scores = [_at(0.80, 0), _at(0.79, 5), _at(0.40, 60)]
    assert diversify(scores, 0.3) == [0, 1, 2]


def test_places_tell_the_plain_order_and_the_twins() -> None:
    scores = [_at(0.79, 5), _at(0.75, 60), _at(0.80, 0), _at(0.70, 58)]
    assert places(scores, 0.3) == [
        Place(index=2, score_rank=1),
        Place(index=1, score_rank=3),
        Place(index=0, score_rank=2, twin_of=1),
        Place(index=3, score_rank=4, twin_of=2),
    ]


def test_twins_begin_at_the_threshold() -> None:
    edge = float(np.degrees(np.arccos(TWIN_COSINE)))
    near, far = _at(0.5, edge - 0.5), _at(0.5, edge + 0.5)
    assert places([_at(0.9, 0), near], 0.0)[1].twin_of == 1
    assert places([_at(0.9, 0), far], 0.0)[1].twin_of is None


_finals = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@given(_finals, st.integers(0, 10_000), st.floats(0, 1))
def test_everyone_has_one_place_and_the_best_is_first(
    finals: list[float], seed: int, diversity: float
) -> None:
    rng = np.random.default_rng(seed)
    scores = [_score(final, *rng.normal(size=4)) for final in finals]
    order = diversify(scores, diversity)
    assert sorted(order) == list(range(len(scores)))
    assert order[0] == rank(scores)[0]
    assert diversify(scores, 0) == rank(scores)


@given(_finals, st.floats(0, 1))
def test_without_embeddings_order_is_by_score_and_nobody_is_a_twin(
    finals: list[float], diversity: float
) -> None:
    scores = [Score(0, final, 0, final) for final in finals]
    found = places(scores, diversity)
    assert [place.index for place in found] == rank(scores)
    assert [place.score_rank for place in found] == list(range(1, len(finals) + 1))
    assert {place.twin_of for place in found} == {None}


def test_nothing_has_no_places() -> None:
    assert places([], 0.3) == []


@pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no recorded values at {GOLDEN}")
def test_different_photos_are_no_twins_nor_are_two_crops_of_one_kitten() -> None:
    recorded = np.load(GOLDEN / "clip_retrieval" / "embeddings.npz")
    names = list(recorded["names"])
    photos = [_score(0.5, *vector.astype(np.float32)) for vector in recorded["image_embs"]]
    found = places(photos, 0.3)
    assert {place.twin_of for place in found} == {None}
    kittens = cosine(photos[names.index("123_456")], photos[names.index("456_123")])
    assert kittens == pytest.approx(0.869, abs=1e-3)
    assert kittens < TWIN_COSINE < cosine(photos[0], photos[0])
