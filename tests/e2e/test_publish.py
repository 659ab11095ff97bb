"""From a team's album to its channel: whole conversations, with moved time and bad days midway."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import text

from tests.e2e.conftest import Unhurried
from tests.e2e.team import (
    BOT,
    CLIENT,
    PROMPT,
    Sessions,
    actions,
    channel,
    four_in_a_topic,
    newer,
    published,
    says,
    words,
)
from tests.sim import ANNA, BEN, Message, Sim, Talk, label, said


async def group(sim: Sim, kind: str) -> tuple[Talk, Talk]:
    """Anna brings the bot into a group of hers with Ben."""
    chat = await sim.post(
        "chats", type=kind, title="Отдел", members=[{"id": ANNA, "status": "creator"}, {"id": BEN}],
        bot_status="administrator",
    )  # fmt: skip
    anna, ben = (sim.talk(chat["id"], person) for person in (ANNA, BEN))
    await anna.text("команды")
    return anna, ben


async def scheduled(talk: Talk, card: Message) -> Message:
    """From an album's card, or a post's, to tomorrow at ten; the post's card."""
    if label(card, "📣") is not None:
        before = (await talk.messages())[-1]
        await talk.press("📣", card)
        card = await newer(talk, before, "👁")
    await talk.press("👁", card)
    when = await newer(talk, card, "10:00")
    await talk.press("10:00", when)
    return await says(talk, when, "🗓")


async def due_at(sessions: Sessions) -> datetime:
    """When the newest post is to go out."""
    async with sessions() as session:
        found = await session.scalar(text("SELECT publish_at FROM posts ORDER BY id DESC LIMIT 1"))
    assert isinstance(found, datetime)
    return found


async def test_from_joining_to_a_post_with_reactions(town: Unhurried, sessions: Sessions) -> None:
    anna, ben, klim, _ = await four_in_a_topic(town)
    card = await actions(ben, await ben.send(f"/gen{BOT} {PROMPT}"))
    for count, voter in enumerate((anna, klim), start=1):
        await voter.press("👍 2", card)
        card = await says(anna, card, f"👍 2 · {count}")
    await ben.press("📨", card)
    await klim.press("✅", await klim.button(words("✏️ Changes", "en")))
    await says(anna, card, "Approved")

    shown = await channel(ben, card, sessions, town)
    await ben.press("📣 To the channel", card)
    draft = await newer(ben, card, "Post to “Кофе рядом”")
    assert "№2" in said(draft)  # as the team has voted
    await ben.press("✍️ Write a caption", draft)
    question = await newer(ben, draft, "Send the caption")
    await ben.send("Тыквенный латте", reply_to_message_id=question["message_id"])
    draft = await newer(ben, question, "Тыквенный латте")
    when = await scheduled(ben, draft)
    assert await shown.messages() == []
    town.wait_until(await due_at(sessions))
    post = await published(shown, "Тыквенный латте")
    when = await says(ben, when, "Published")

    for user_id, emoji in ((ANNA, "🔥"), (BEN, "🔥"), (CLIENT, "👍")):
        await town.post(
            f"chats/{shown.chat_id}/react",
            user_id=user_id, message_id=post["message_id"], emoji=emoji,
        )  # fmt: skip
    plan = await newer(klim, await klim.send(f"/plan_posts{BOT}"), "План постов")
    await klim.press("1", plan)
    page = await says(klim, plan, "Опубликовано")
    assert "🔥 2 👍 1" in said(page)
    refused = await klim.press("✏️ Текст", page)
    assert "согласующий" in refused["text"]
    await ben.press("✏️", when)
    question = await newer(ben, plan, "Send the caption")
    await ben.send("Тыквенный латте и корица", reply_to_message_id=question["message_id"])
    assert (await published(shown, "Тыквенный латте и корица"))["message_id"] == post["message_id"]
    assert len(await shown.messages()) == 1


async def test_the_group_moves_and_two_publish_at_once(town: Unhurried, sessions: Sessions) -> None:
    anna, ben = await group(town, "group")
    card = await actions(ben, await ben.send(f"/gen{BOT} {PROMPT}"))
    await ben.press("📨", card)
    await anna.press("✅", await anna.button(words("✏️ Changes", "en")))
    await says(anna, card, "Approved")
    shown = await channel(ben, card, sessions, town)
    await scheduled(ben, card)

    moved = await town.post(f"chats/{anna.chat_id}/members", action="migrate")
    stale = await ben.press("📣", card)
    assert "переехала" in stale["text"]
    anna, ben = (town.talk(moved["id"], person) for person in (ANNA, BEN))
    town.wait_until(await due_at(sessions))
    first = await published(shown)
    plan = await newer(ben, await ben.send(f"/plan_posts{BOT}"), "✅")

    await ben.press("1", await newer(ben, await ben.send(f"/history{BOT}"), "History"))
    await ben.press("Open the album", await newer(ben, plan, "Open the album"))
    await ben.press("📣 To the channel", await newer(ben, plan, "📣 To the channel"))
    draft = await newer(ben, plan, "Post to “Кофе рядом”")
    await ben.press("👁", draft)
    when = await newer(ben, draft, "This is how it will look")
    answers = await asyncio.gather(*(one.press("🚀 Now", when) for one in (anna, ben)))
    assert len({answer["text"] for answer in answers}) == 2  # one publishes, one is told
    await says(ben, when, "Published")
    second = await published(shown)
    assert second["message_id"] > first["message_id"]
    assert len(await shown.messages()) == 2


async def test_a_bot_that_lost_its_right_tells_the_team_and_posts_when_it_is_back(
    town: Unhurried, sessions: Sessions
) -> None:
    anna, _ = await group(town, "supergroup")
    card = await actions(anna, await anna.send(f"/gen{BOT} {PROMPT}"))
    shown = await channel(anna, card, sessions, town)
    when = await scheduled(anna, card)
    await town.post(f"chats/{shown.chat_id}/members", action="demote", bot=True)
    told = await newer(anna, when, "Не могу публиковать")
    town.wait_until(await due_at(sessions))
    late = await newer(anna, told, "Пост не опубликован")
    await town.post(f"chats/{shown.chat_id}/members", action="promote", bot=True)
    await newer(anna, late, "снова могу")
    assert await shown.messages() == []
    await anna.press("Открыть пост", late)
    await anna.press("Сейчас", await says(anna, late, "Сейчас"))
    await published(shown)
    await says(anna, late, "Опубликовано")


async def test_what_a_long_absence_delayed_is_asked_about_or_sent(
    town: Unhurried, sessions: Sessions
) -> None:
    anna, _ = await group(town, "supergroup")
    card = await actions(anna, await anna.send(f"/gen{BOT} {PROMPT}"))
    shown = await channel(anna, card, sessions, town)
    await scheduled(anna, card)
    town.wait_until(await due_at(sessions) + timedelta(hours=3))
    asked = await newer(anna, card, "Пост опоздал")
    assert await shown.messages() == []
    await anna.press("Открыть пост", asked)
    await anna.press("Сейчас", await says(anna, asked, "Опоздал"))
    first = await published(shown)

    rules = await newer(anna, await anna.send(f"/channels{BOT}"), "Опоздавшие: спросить")
    await anna.press("Опоздавшие", rules)
    await says(anna, rules, "Опоздавшие: отправить")
    await scheduled(anna, card)
    town.wait_until(await due_at(sessions) + timedelta(hours=3))
    await shown.wait_for(lambda one: one["message_id"] > first["message_id"], "the second post")
    assert len(await shown.messages()) == 2
