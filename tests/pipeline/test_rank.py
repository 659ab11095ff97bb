"""Ranking, and the formula it follows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.rank import rank
from pipeline.types import Score

_unit = st.floats(0, 1)
_scores = st.lists(st.builds(Score, st.just(0.0), _unit, st.just(0.0), _unit), max_size=8)


@given(_scores)
def test_best_final_score_comes_first_and_everyone_has_a_place(scores: list[Score]) -> None:
    order = rank(scores)
    assert sorted(order) == list(range(len(scores)))
    finals = [scores[index].final for index in order]
    assert finals == sorted(finals, reverse=True)


def test_equal_pictures_keep_their_order() -> None:
    low, high = Score(0.1, 0.1, 1, 0.1), Score(0.2, 0.9, 5, 0.9)
    assert rank([low, high, low, high]) == [1, 3, 0, 2]


def test_final_score_is_seven_to_three() -> None:
    score = Score(clip_raw=0.3, clip_n=0.75, aes_raw=5.5, aes_n=0.5)
    assert abs(score.final - (0.7 * 0.75 + 0.3 * 0.5)) < 1e-12


def test_nothing_ranks_to_nothing() -> None:
    assert rank([]) == []
