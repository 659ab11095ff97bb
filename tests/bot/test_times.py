"""The times that a post's cards offer: by the clocks of its zone, and only those still to come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from aiogram.types import InlineKeyboardMarkup

from bot import channel_keyboards as keyboards
from bot import texts
from db import zones
from db.team_views import PostView
from tests.db import rows
from tests.db.channels import connected, drafted
from tests.db.rows import Sessions

RU = texts.of("ru")

PostIn = Callable[[str], PostView]


@pytest.fixture
async def post_in(sessions: Sessions) -> PostIn:
    """A draft, as if its account had that time zone."""
    who = await rows.person(sessions)
    draft = await drafted(sessions, who, await connected(sessions, who))
    return lambda zone: replace(draft, time_zone=zone)


def clock(zone: str, *utc: int) -> datetime:
    """What the clocks of the zone show at that moment."""
    return zones.local(datetime(*utc, tzinfo=UTC), zone)  # type: ignore[arg-type, misc]


def labels(markup: InlineKeyboardMarkup) -> list[str]:
    return [button.text for row in markup.inline_keyboard for button in row]


def values(markup: InlineKeyboardMarkup) -> list[str]:
    data = [str(button.callback_data) for row in markup.inline_keyboard for button in row]
    return [one.split(":", 3)[3] for one in data]


def test_quick_choices_are_by_the_zones_own_day(post_in: PostIn) -> None:
    """At 16:00 in London it is 2 in the morning of the next day in Vladivostok."""
    at = (2026, 11, 23, 16, 0)
    moscow, vladivostok = "Europe/Moscow", "Asia/Vladivostok"
    assert "202611241000" in values(keyboards.times(RU, post_in(moscow), clock(moscow, *at)))
    far = values(keyboards.times(RU, post_in(vladivostok), clock(vladivostok, *at)))
    assert {"202611241800", "202611251000"} <= set(far)


def test_an_evening_that_has_begun_is_not_offered(post_in: PostIn) -> None:
    for minute, offered in ((59, True), (60, False)):
        at = clock("Europe/Moscow", 2026, 11, 23, 14 + minute // 60, minute % 60)
        shown = labels(keyboards.times(RU, post_in("Europe/Moscow"), at))
        assert ("Сегодня 18:00" in shown, "Завтра 10:00" in shown) == (offered, True)


def test_the_hour_that_summer_time_leaves_out_can_not_be_chosen(post_in: PostIn) -> None:
    berlin, at = post_in("Europe/Berlin"), clock("Europe/Berlin", 2026, 3, 28, 12)
    spring = date(2026, 3, 29)
    hours = labels(keyboards.hours(RU, berlin, spring, at))
    assert hours[:3] == ["00:00", "01:00", "03:00"]
    assert labels(keyboards.minutes(RU, berlin, spring, 2, at)) == ["‹ Назад"]
    autumn = date(2026, 10, 25)
    assert len(labels(keyboards.hours(RU, berlin, autumn, at))) == 25


def test_of_an_hour_that_comes_twice_only_the_first_is_offered(post_in: PostIn) -> None:
    """Once its first coming is over, a tap on it could only be refused."""
    berlin = post_in("Europe/Berlin")
    autumn = date(2026, 10, 25)
    first = keyboards.minutes(RU, berlin, autumn, 2, clock("Europe/Berlin", 2026, 10, 25, 0, 20))
    assert labels(first)[:2] == ["02:30", "02:45"]
    again = clock("Europe/Berlin", 2026, 10, 25, 1, 10)
    assert (again.hour, again.fold) == (2, 1)
    assert labels(keyboards.minutes(RU, berlin, autumn, 2, again)) == ["‹ Назад"]
    assert labels(keyboards.hours(RU, berlin, autumn, again))[0] == "03:00"


def test_the_calendar_offers_no_day_without_a_time(post_in: PostIn) -> None:
    late = clock("Europe/Moscow", 2026, 11, 23, 20, 50)  # 23:50 there
    shown = labels(keyboards.month(RU, post_in("Europe/Moscow"), 2026, 11, late))
    assert "23" not in shown
    assert shown[7:14] == ["·", "24", "25", "26", "27", "28", "29"]
    assert "‹ Раньше" not in shown
    year_on = labels(keyboards.month(RU, post_in("Europe/Moscow"), 2027, 11, late))
    assert ("23" in year_on, "24" in year_on, "Позже ›" in year_on) == (True, False, False)
