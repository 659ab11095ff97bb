"""Measuring a judge against people: layouts, protocol, intervals, the command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.errors import BadData
from pipeline.judge.evaluation import Pairs, evaluate, judged, tie_points, tie_threshold
from pipeline.judge.preferences import Preference, read
from pipeline.types import Score


def _lines(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


# Layouts.


@pytest.mark.parametrize(
    ("row", "places"),
    [
        ({"prompt": "a", "images": ["x", "y"], "choice": 1}, (0, -1)),
        ({"prompt": "a", "images": ["x", "y"], "choice": None}, (0, 0)),
        ({"prompt": "a", "images": ["x", "y", "z"], "ranking": [2, 1, 2]}, (2, 1, 2)),
        ({"caption": "a", "image_0": "x", "image_1": "y", "label_0": 1, "label_1": 0}, (-1, 0)),
        (
            {"caption": "a", "image_0": "x", "image_1": "y", "label_0": 0.5, "label_1": 0.5},
            (-0.5, -0.5),
        ),
        ({"prompt": "a", "image_path": ["x", "y", "z"], "rank": [3, 1, 2]}, (3, 1, 2)),
        ({"prompt": "a", "image_path": ["x", "y"], "human_preference": [0, 1]}, (0, -1)),
        ({"prompt": "a", "generations": ["x", "y"], "ranking": [1, 2], "id": "7"}, (1, 2)),
    ],
)
def test_layouts_are_told_apart(
    tmp_path: Path, row: dict[str, object], places: tuple[float, ...]
) -> None:
    file = _lines(tmp_path / "data.jsonl", row)
    images = tuple(tmp_path / name for name in "xyz"[: len(places)])
    assert read(file) == [Preference("a", images, places)]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"images": ["x", "y"], "choice": 0}',
        '{"prompt": " ", "images": ["x", "y"], "choice": 0}',
        '{"prompt": "a", "choice": 0}',
        '{"prompt": "a", "images": ["x", "y"]}',
        '{"prompt": "a", "images": ["x", "y"], "choice": 2}',
        '{"prompt": "a", "images": ["x", "y"], "choice": "x"}',
        '{"prompt": "a", "images": ["x"], "choice": 0}',
        '{"prompt": "a", "images": ["x", 7], "choice": 0}',
        '{"prompt": "a", "images": ["x", "y"], "ranking": [1, 2, 3]}',
        '{"prompt": "a", "images": ["x", "y"], "ranking": ["first", "second"]}',
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text('{"prompt": "a", "images": ["x", "y"], "choice": 0}\n\n' + line)
    with pytest.raises(BadData, match=r"data\.jsonl:3"):
        read(file)


def test_missing_empty_and_binary_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("none", "empty", "binary"):
        with pytest.raises(BadData, match=name):
            read(tmp_path / name)


# The protocol.


@pytest.mark.parametrize(
    ("difference", "label", "points"),
    [(0.5, 1, 1), (-0.5, 1, 0), (0.05, 1, 0.5), (0.5, 0, 0.5), (0.05, 0, 1), (-0.5, -1, 1)],
)
def test_tie_protocol_of_the_paper(difference: float, label: float, points: float) -> None:
    assert tie_points(np.array([difference]), np.array([label]), 0.1) == [points]


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.sampled_from([-1.0, 0.0, 1.0])), min_size=1),
    st.floats(0, 3),
)
def test_no_threshold_has_more_points_than_the_chosen_one(
    rows: list[tuple[float, float]], other: float
) -> None:
    difference, label = np.array(rows).T
    best = tie_points(difference, label, tie_threshold(difference, label)).sum()
    assert tie_points(difference, label, other).sum() <= best + 1e-9


class Critic:
    """Scores a picture by its red channel (match) and its green one (beauty), 0..1."""

    name = "critic"

    def score(self, intent: str, images: Sequence[Image.Image]) -> list[Score]:
        scores = []
        for image in images:
            red, green, _ = image.getpixel((0, 0))
            match, beauty = red / 255, green / 255
            scores.append(Score(match * 0.4, match, 1 + 9 * beauty, beauty))
        return scores


def _picture(folder: Path, red: int, green: int) -> Path:
    path = folder / f"{red}-{green}.png"
    Image.new("RGB", (4, 4), (red, green, 0)).save(path)
    return path


def _people(folder: Path, prompts: int, match_weight: float) -> list[Preference]:
    """People who choose by a weight of their own between what the critic measures."""
    rng = np.random.default_rng(5)
    preferences = []
    for number in range(prompts):
        colours = rng.integers(0, 256, (4, 2))
        worth = colours @ np.array([match_weight, 1 - match_weight])
        places = tuple(float(place) for place in (-worth).argsort().argsort())
        paths = tuple(_picture(folder, int(r), int(g)) for r, g in colours)
        preferences.append(Preference(f"prompt {number}", paths, places))
    return preferences


def test_people_who_look_at_the_match_alone_are_read_right(tmp_path: Path) -> None:
    done: list[int] = []
    pairs = judged(Critic(), _people(tmp_path, 40, match_weight=1.0), done.append)
    report = evaluate(pairs)
    match, beauty, blend = report.measures
    assert (report.prompts, report.pairs, done[-1]) == (40, 240, 40)
    assert match.accuracy.value > 0.99
    assert 0.35 < beauty.accuracy.value < 0.65
    assert beauty.accuracy.value < blend.accuracy.value < match.accuracy.value
    assert beauty.accuracy.low < beauty.accuracy.value < beauty.accuracy.high
    assert report.best_weight > 0.9
    assert report.best.value >= report.usual.value


def test_best_weight_is_near_the_one_that_people_had(tmp_path: Path) -> None:
    report = evaluate(judged(Critic(), _people(tmp_path, 60, match_weight=0.4), lambda done: None))
    assert report.best_weight == pytest.approx(0.4, abs=0.06)
    assert report.best.value > report.usual.value


def _pairs(label: Sequence[float], match: Sequence[float], group: Sequence[int]) -> Pairs:
    groups = np.array(group)
    values = np.array(match, dtype=np.float64)
    return Pairs(
        np.array(label, dtype=np.float64),
        match=values,
        beauty=np.zeros_like(values),
        match_raw=values,
        beauty_raw=np.zeros_like(values),
        group=groups,
        fit=groups % 2 == 1,
    )


def test_pairs_of_one_prompt_do_not_narrow_the_interval() -> None:
    label, match = [1.0, 1.0, 1.0, 1.0] * 5, [1.0, -1.0, 1.0, 1.0] * 5
    alone = evaluate(_pairs(label, match, list(range(20)))).measures[0].accuracy
    repeated = evaluate(_pairs(label * 9, match * 9, list(range(20)) * 9)).measures[0].accuracy
    assert repeated.count == 9 * alone.count
    assert (repeated.low, repeated.high) == pytest.approx((alone.low, alone.high))


def test_equal_scores_are_worth_half_a_point() -> None:
    report = evaluate(_pairs([1, -1, 1, 1], [0, 0, 0, 0], [0, 1, 2, 3]))
    assert report.measures[0].accuracy.value == 0.5


@pytest.mark.parametrize("label", [[0, 0, 0, 0], [1, 0, 1, 0]])
def test_halves_without_a_preference_are_refused(label: list[float]) -> None:
    with pytest.raises(BadData, match="too few"):
        evaluate(_pairs(label, [1, 1, 1, 1], [0, 1, 2, 3]))


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_an_unreadable_picture_is_named(tmp_path: Path, content: bytes | None) -> None:
    lost = tmp_path / "lost.png"
    if content is not None:
        lost.write_bytes(content)
    preference = Preference("a", (_picture(tmp_path, 1, 1), lost), (1, 2))
    with pytest.raises(BadData, match=r"lost\.png"):
        judged(Critic(), [preference], lambda done: None)


# The command.


def _file(tmp_path: Path) -> Path:
    people = _people(tmp_path, 20, match_weight=0.5)
    rows = [
        {"prompt": p.prompt, "images": [i.name for i in p.images], "ranking": p.places}
        for p in people
    ]
    return _lines(tmp_path / "people.jsonl", *rows)


def test_command_prints_accuracies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import vitrina

    assert vitrina.run(["judge-eval", str(_file(tmp_path)), "--judge", "pixels"]) == 0
    out = capsys.readouterr().out
    assert "judge: pixels; 20 prompts, 120 pairs, 0 of them ties" in out
    for word in ("prompt match", "aesthetics", "S", "fits best"):
        assert word in out


def test_command_speaks_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import vitrina

    assert vitrina.run(["judge-eval", str(_file(tmp_path)), "--judge", "pixels", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["judge"] == "pixels"
    assert [measure["name"] for measure in report["measures"]] == [
        "prompt match",
        "aesthetics",
        "S",
    ]
    for measure in report["measures"]:
        accuracy = measure["accuracy"]
        assert 0 <= accuracy["low"] <= accuracy["value"] <= accuracy["high"] <= 1


def test_command_refuses_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import vitrina

    assert vitrina.run(["judge-eval", str(tmp_path / "none.jsonl")]) != 0
    assert "none.jsonl" in capsys.readouterr().err
