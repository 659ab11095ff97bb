"""In a group: talk that is not for the bot, and admins who write in the group's own name."""

from __future__ import annotations

import pytest

from bot.settings import BotSettings
from tests.bot.stage import Person, Stage
from tests.sim import ANNA, BEN, TOKEN, Message, Sim


@pytest.fixture
def options(sim: Sim) -> BotSettings:
    return BotSettings(
        token=TOKEN, api_url=sim.url, poll_timeout_s=10, throttle_burst=4, throttle_per_s=0.01
    )


async def test_who_only_talks_is_not_noted_and_not_answered(live: Stage) -> None:
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    await anna.text("для этой команды")
    for words in ("привет", "История", "/help@another_bot", "/start@another_bot you"):
        await ben.send(words)
    before = [one["message_id"] for one in await ben.messages()]
    assert [one["message_id"] for one in await anna.settled()] == before
    assert await live.rows("SELECT id FROM users") == [{"id": ANNA}]


async def test_talk_is_not_counted_as_flood(live: Stage) -> None:
    group = await live.sim.group()
    anna = live.person(ANNA, group["id"])
    await anna.text("для этой команды")
    for number in range(6):
        await anna.send(f"болтаем {number}")
    await anna.answer_to(f"/help@{(await anna.username()).upper()}", "Как это работает")


async def anonymous_draft(admin: Person) -> Message:
    """The card of what the group's admin asked for in the group's name."""
    hello = await admin.wait_for(lambda one: bool(one["from"]["is_bot"]), "hello")
    await admin.send("баннер для сайта", anonymous=True, reply_to_message_id=hello["message_id"])
    return await admin.wait_for(lambda one: "reply_markup" in one, "draft")


async def test_what_an_owner_asked_for_anonymously_is_theirs_and_no_editors(live: Stage) -> None:
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    await ben.send(f"/gen@{await ben.username()}")
    await ben.text("Write what to draw")
    shown = await anonymous_draft(anna)
    assert (await ben.press("✨", shown))["text"] == "This menu is not yours"
    assert await live.rows("SELECT id FROM ml_tasks") == []
    assert (await anna.press("✨", shown))["text"] == "Взял в работу!"
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 1


async def test_an_admin_of_the_group_may_use_what_an_admin_asked_for(live: Stage) -> None:
    group = await live.sim.post(
        "chats",
        type="supergroup",
        title="Команда",
        members=[{"id": ANNA, "status": "creator"}, {"id": BEN, "status": "administrator"}],
        bot_status="administrator",
    )
    ben = live.person(BEN, group["id"])
    shown = await anonymous_draft(ben)
    assert (await ben.press("✨", shown))["text"] == "Off to work!"
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 1


async def test_anonymous_admins_of_different_groups_are_not_one_flood(live: Stage) -> None:
    for _ in range(2):
        anna = live.person(ANNA, (await live.sim.group())["id"])
        await anna.text("для этой команды")
        command = f"/help@{await anna.username()}"
        for _ in range(3):
            sent = await anna.send(command, anonymous=True)
            await anna.next(sent, "/history")
