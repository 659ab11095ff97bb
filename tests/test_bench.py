"""`make bench`: parts by name, and those that can't run say so in a line."""

from __future__ import annotations

import sys

import pytest

from benchmarks import bench


def test_a_part_that_is_not_there_is_refused_and_the_others_named() -> None:
    with pytest.raises(SystemExit, match=r"nonesuch: unknown, one of tap, .*judge, diffusion"):
        bench.main(["judge", "nonesuch"])


def test_a_part_whose_libraries_are_missing_is_skipped_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    bench.main(["judge"])
    _, line = capsys.readouterr().out.splitlines()
    assert line == "judge: skipped, torchmetrics not installed: pip install 'vitrina[bench]'"
