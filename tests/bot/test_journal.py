"""The team's journal: every deed in words, by the team's clocks, in pages, for who manages it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from bot import journal_views, texts
from db import audit
from db.audit import Deed
from db.states import Role
from db.team_views import EventView
from tests.bot.office import execute, member
from tests.bot.stage import Person, Stage
from tests.bot.test_approval import asked, drawn, now_says, team_of_three
from tests.bot.test_team import team_id, team_page
from tests.sim import ANNA, Message

NOON = datetime(2027, 1, 11, 9, tzinfo=UTC)
DATA: dict[str, object] = {
    "role": "editor", "before": "viewer", "presence": "kicked", "needed": 2, "hours": 4,
    "rank": 3, "reason": "не <тот> цвет", "channel": "Кофе & чай", "zone": "Europe/Berlin",
    "late": "ask", "at": NOON.isoformat(), "sum": 49_000, "on": 1,
}  # fmt: skip


@pytest.mark.parametrize("locale", texts.LOCALES)
def test_every_deed_has_words(locale: str) -> None:
    tr = texts.of(locale)
    said = set()
    for deed in Deed:
        line = EventView(1, "Анна", deed, "plan start", "Клим <3", DATA, NOON)
        words = journal_views.words(tr, line, "Europe/Moscow")
        assert not re.search(r"[{}]|<(?!/?\w)", words)
        said.add(words)
    assert len(said) == len(Deed)


async def journal(person: Person, page: Message) -> Message:
    await person.press("📜", page)
    return await person.wait_for(
        lambda one: one["message_id"] == page["message_id"] and "📜" in one["text"], "journal"
    )


async def test_the_journal_says_who_did_what_and_when_by_the_teams_clocks(live: Stage) -> None:
    anna, ben, client = await team_of_three(live)
    card = await drawn(ben)
    round_ = await asked(ben, card)
    await client.press("Reject", round_)
    question = await client.text("почему нет?")
    await client.send("не <наш> цвет", reply_to_message_id=question["message_id"])
    await now_says(anna, round_, "Rejected")
    page = await team_page(anna)
    await anna.press("🤝", page)
    page = await now_says(anna, page, "согласий: 2")
    shown = await journal(anna, page)
    at = r"\d+ \S+, \d\d:\d\d · "
    for line in (
        "Анна: нужно согласий: 2",
        "Клим: отклонено, «не <наш> цвет»: осеннее меню кофейни",
        "Ben: на согласование: осеннее меню кофейни",
        "Ben: теперь в команде, роль — наблюдатель",
    ):
        assert re.search(at + re.escape(line), shown["text"]), line
    await execute(live, "UPDATE accounts SET time_zone = 'Asia/Vladivostok'")
    await anna.press("‹ Команда", shown)
    elsewhere = await journal(anna, await now_says(anna, page, "🤝"))
    assert "Владивосток" in elsewhere["text"]
    assert re.findall(r"\d\d:\d\d", elsewhere["text"]) != re.findall(r"\d\d:\d\d", shown["text"])


async def test_the_journal_has_pages_and_is_for_who_manages_the_team(live: Stage) -> None:
    anna, ben, _ = await team_of_three(live)
    async with live.sessions.begin() as session:
        for number in range(25):
            await audit.note(
                session, await team_id(live), ANNA, Deed.APPROVALS, "team", needed=100 + number
            )
    page = await team_page(anna)
    assert (await ben.press("📜", page))["text"].startswith("Your role here is editor")
    shown = await journal(anna, page)
    seen = re.findall(r"согласий: (\d+)", shown["text"])
    for _ in range(2):
        await anna.press(" ›", shown)
        last = seen[-1]
        shown = await anna.wait_for(
            lambda one, last=last: (  # type: ignore[misc]
                one["message_id"] == page["message_id"]
                and f"согласий: {int(last) - 1}\n" in one["text"] + "\n"
            )
        )
        seen += re.findall(r"согласий: (\d+)", shown["text"])
    assert seen == [str(100 + number) for number in reversed(range(25))]
    await member(live, await team_id(live), ANNA, Role.VIEWER)
    assert "наблюдатель" in (await anna.press("‹ К новым", shown))["text"]
