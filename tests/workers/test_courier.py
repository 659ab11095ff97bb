"""How long things wait for their next try."""

from __future__ import annotations

from db.patience import pause_s
from workers.courier import back_off_s


def test_pauses_double_up_to_a_minute() -> None:
    assert [back_off_s(attempt) for attempt in (1, 2, 3, 5, 6)] == [2.0, 4.0, 8.0, 32.0, 60.0]


def test_a_day_without_telegram_is_lived_through() -> None:
    assert back_off_s(5_000) == 60.0


def test_a_night_without_a_server_is_lived_through() -> None:
    assert [pause_s(failures) for failures in (0, 1, 2, 6, 100_000)] == [0.2, 0.2, 0.4, 5.0, 5.0]
