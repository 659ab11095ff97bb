"""Reminders of open approvals: whom they name, when they come, and that they stop."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from db.states import Role
from tests.bot.office import execute, member
from tests.bot.stage import Person, Stage, buttons
from tests.bot.test_approval import asked, drawn, now_says, team_of_three
from tests.bot.test_team import team_id, team_page
from tests.sim import ANNA, Message
from workers import notices
from workers.courier import Courier
from workers.remind import Reminders

NOON = datetime(2027, 1, 11, 9, tzinfo=UTC)
"""12:00 in Moscow."""
DAY = timedelta(days=1)
WAITS = "ждёт согласования"


async def opened(live: Stage, at: datetime, thread: bool = False) -> tuple[Person, Person, Message]:
    """A round asked for at that moment: the owner, the client who approves, and the card."""
    anna, ben, client = await team_of_three(live, thread)
    card = await asked(ben, await drawn(ben))
    await execute(live, "UPDATE approvals SET created_at = :at", at=at)
    return anna, client, card


async def swept(courier: Courier, now: datetime) -> None:
    """What the io worker does at that moment, all of it twice at once."""
    sweep = Reminders(courier.sessions, lambda: now)
    await asyncio.gather(sweep(), sweep())
    while (claimed := await notices.claim(courier)) is not None:
        await notices.send(claimed, courier)


async def reminders(person: Person) -> list[Message]:
    return [one for one in await person.messages() if WAITS in one.get("text", "")]


def named(message: Message) -> dict[str, str]:
    """Whom a message mentions, by the text of the link."""
    return {
        message["text"][one["offset"] : one["offset"] + one["length"]]: str(
            one.get("url") or one.get("user", {}).get("id")
        )
        for one in message["entities"]
        if one["type"] in ("text_link", "text_mention")
    }


async def test_approvers_who_are_silent_are_named_in_the_cards_topic_twice_at_most(
    live: Stage, courier: Courier
) -> None:
    anna, client, card = await opened(live, NOON, thread=True)
    await execute(live, "UPDATE accounts SET approvals_needed = 2")
    await execute(live, "UPDATE approvals SET needed = 2")
    await swept(courier, NOON + DAY - timedelta(seconds=1))
    assert await reminders(anna) == []
    await swept(courier, NOON + DAY)
    (first,) = await reminders(anna)
    assert set(named(first)) == {"Анна", "Клим"}
    assert str(ANNA) in named(first)["Анна"]
    assert first["message_thread_id"] == anna.thread_id
    assert first["reply_to_message"]["message_id"] == card["message_id"]

    await client.press("✅", first)
    await now_says(anna, card, "Said yes: 1 of 2 (Клим)")
    await swept(courier, NOON + 2 * DAY - timedelta(seconds=1))
    await swept(courier, NOON + 2 * DAY)
    await swept(courier, NOON + 3 * DAY)
    _, second = await reminders(anna)
    assert set(named(second)) == {"Анна"}


async def test_nobody_is_reminded_at_night_by_the_teams_clocks(
    live: Stage, courier: Courier
) -> None:
    evening = NOON.replace(hour=20)  # 23:00 in Moscow, 6:00 in Vladivostok
    anna, _, _ = await opened(live, evening)
    for at in (evening + DAY, evening + DAY + timedelta(hours=9, minutes=59)):
        await swept(courier, at)
    assert await reminders(anna) == []
    await execute(live, "UPDATE accounts SET time_zone = 'Asia/Vladivostok'")
    await swept(courier, evening + DAY + timedelta(hours=2, minutes=59))
    assert await reminders(anna) == []
    await swept(courier, evening + DAY + timedelta(hours=3))  # 9:00 there
    assert len(await reminders(anna)) == 1


async def test_a_decision_silences_even_a_reminder_that_is_on_its_way(
    live: Stage, courier: Courier
) -> None:
    anna, client, card = await opened(live, NOON)
    await Reminders(live.sessions, lambda: NOON + DAY)()
    assert len(await live.rows("SELECT id FROM notices WHERE state = 'pending'")) == 1
    await client.press("Approve", card)
    await now_says(anna, card, "Said yes: Клим")
    await swept(courier, NOON + DAY)
    await swept(courier, NOON + 2 * DAY)
    assert await reminders(anna) == []


@pytest.mark.parametrize("is_on_its_way", [False, True])
async def test_nobody_is_reminded_of_a_deleted_album(
    live: Stage, courier: Courier, is_on_its_way: bool
) -> None:
    anna, _, _ = await opened(live, NOON)
    if is_on_its_way:
        await Reminders(live.sessions, lambda: NOON + DAY)()
    await execute(live, "UPDATE ml_tasks SET hidden_at = now()")
    await swept(courier, NOON + DAY)
    assert await reminders(anna) == []


async def test_a_team_says_after_how_long_or_never(live: Stage, courier: Courier) -> None:
    anna, _, _ = await opened(live, NOON)
    page = await team_page(anna)
    await anna.press("🔔 Напомнить через 24 часа", page)
    page = await now_says(anna, page, "🔕 Без напоминаний")
    await swept(courier, NOON + 9 * DAY)
    assert await reminders(anna) == []
    await anna.press("🔕", page)
    page = await now_says(anna, page, "🔔 Напомнить через 4 часа")
    await member(live, await team_id(live), anna.user_id, Role.VIEWER)
    await anna.press("🔔", page)
    assert "🔔 Напомнить через 4 часа" in buttons(await team_page(anna))
    await swept(courier, NOON + timedelta(hours=4))
    assert len(await reminders(anna)) == 1
