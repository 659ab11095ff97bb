"""`make bench`: parts by name, and those that can't run say so in a line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import bench, timeline
from benchmarks.timeline import Span
from pipeline.types import Stage


def test_a_part_that_is_not_there_is_refused_and_the_others_named() -> None:
    with pytest.raises(SystemExit, match=r"nonesuch: unknown, one of tap, .*wallet, judge, diff"):
        bench.main(["judge", "nonesuch"])


def test_a_part_whose_libraries_are_missing_is_skipped_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    bench.main(["judge"])
    _, line = capsys.readouterr().out.splitlines()
    assert line == "judge: skipped, torchmetrics not installed: pip install -e '.[bench]'"


async def test_the_timeline_has_every_stage_of_every_request(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    spans = await timeline.run(
        timeline.Waiting(0.0),
        tmp_path,
        database_url,
        redis_url,
        in_flight=None,
        seconds=dict.fromkeys(Stage, 0.0),
    )
    assert sorted((span.stage, span.request) for span in spans) == sorted(
        (stage, request) for stage in Stage for request in range(1, 7)
    )


def test_a_timeline_shows_which_request_each_stage_is_at_work_for() -> None:
    spans = [
        Span(Stage.ENHANCE, 1, 5.0, 5.2),
        Span(Stage.ENHANCE, 2, 5.2, 5.4),
        Span(Stage.GENERATE, 1, 5.2, 5.6),
        Span(Stage.GENERATE, 2, 5.7, 5.9),
        Span(Stage.JUDGE, 1, 5.6, 5.8),
        Span(Stage.JUDGE, 2, 5.9, 6.0),
    ]
    assert [*timeline.rows(spans, 0.1)] == [
        "  enhance  |1122      |",
        "  generate |  1111 22 |",
        "  judge    |      11 2|",
    ]
    assert timeline.summary(spans) == (
        "2 requests in 1.0 s, the generator busy 60% of it; between two requests it waits 100 ms"
    )
