"""Months: the anchor day holds through short months, leap years and new years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.months import add_months, latest_start


def _at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 22, 30, 15, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "n", "anchor_day", "then"),
    [
        (_at(2027, 1, 31), 1, 31, _at(2027, 2, 28)),
        (_at(2027, 2, 28), 1, 31, _at(2027, 3, 31)),
        (_at(2027, 1, 31), 3, 31, _at(2027, 4, 30)),
        (_at(2028, 1, 30), 1, 30, _at(2028, 2, 29)),
        (_at(2028, 2, 29), 12, 29, _at(2029, 2, 28)),
        (_at(2028, 2, 29), 1, 30, _at(2028, 3, 30)),
        (_at(2026, 12, 31), 1, 31, _at(2027, 1, 31)),
        (_at(2026, 11, 30), 15, 30, _at(2028, 2, 29)),
        (_at(2026, 12, 15), 1, 15, _at(2027, 1, 15)),
        (_at(2100, 1, 29), 1, 29, _at(2100, 2, 28)),
    ],
)
def test_a_month_ends_on_the_anchor_day_or_the_last(
    start: datetime, n: int, anchor_day: int, then: datetime
) -> None:
    assert add_months(start, n, anchor_day) == then


@given(st.floats(0, 6000), st.integers(0, 2000))
def test_the_month_of_a_moment_has_begun_and_not_ended(offset_days: float, days: int) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=offset_days)
    now = start + timedelta(days=days, seconds=days % 7)
    found = latest_start(start, start.day, now)
    n = (found.year - start.year) * 12 + found.month - start.month
    assert start <= found <= now < add_months(start, n + 1, start.day)
    assert found == add_months(start, n, start.day)


def test_a_month_ahead_is_not_brought_forward() -> None:
    assert latest_start(_at(2027, 3, 1), 1, _at(2027, 1, 15)) == _at(2027, 3, 1)
