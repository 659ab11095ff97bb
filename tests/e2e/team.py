"""A team of four in a topic, and its channel, to start conversations from."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot import texts
from tests.e2e.conftest import Unhurried
from tests.sim import ANNA, BEN, Message, Sim, Talk, from_bot, label, said

Sessions = async_sessionmaker[AsyncSession]

CLIENT, GUEST = 7001, 7002
BOT = "@vitrina_bot"
PROMPT = "осеннее меню кофейни, тыквенный латте"


def words(msgid: str, locale: str = "ru") -> str:
    return texts.of(locale).plain(msgid)


async def four_in_a_topic(sim: Sim) -> list[Talk]:
    """Anna brings the bot; Ben draws, Klim approves, a guest has no seat left."""
    people = [
        {"id": ANNA, "status": "creator"},
        {"id": BEN},
        {"id": CLIENT, "first_name": "Клим", "language_code": "ru"},
        {"id": GUEST, "first_name": "Гость", "language_code": "ru"},
    ]
    group = await sim.post(
        "chats", type="supergroup", title="Команда", members=people,
        bot_status="administrator", topics=["Осень"],
    )  # fmt: skip
    thread_id = group["topics"][0]["message_thread_id"]
    talks = [sim.talk(group["id"], int(str(one["id"])), thread_id) for one in people]
    await sim.talk(group["id"], ANNA).text("команды")
    for talk in talks[1:]:
        sent = await talk.send("/team@vitrina_bot")
        page = await talk.wait_for(lambda one, at=sent: one["message_id"] > at and "🤝" in str(one))  # type: ignore[misc]
    anna = talks[0]
    for name, role in (("Ben", "editor"), ("Клим", "approver")):
        await anna.press(name, await says(anna, page, name))
        await anna.press(words(role).capitalize(), await says(anna, page, words("🚫 Remove")))
        await anna.press(words("‹ Team"), await says(anna, page, "✓ " + words(role).capitalize()))
    await says(anna, page, "🤝")
    return talks


async def says(talk: Talk, card: Message, part: str) -> Message:
    """That message, once it has this on it."""
    return await talk.wait_for(
        lambda one: (
            one["message_id"] == card["message_id"]
            and (part in str(one.get("text")) or label(one, part) is not None)
        ),
        part,
    )


async def actions(talk: Talk, after: int) -> Message:
    """The card under the next album."""
    return await talk.wait_for(
        lambda one: one["message_id"] > after and label(one, "PNG") is not None, "action card"
    )


async def newer(talk: Talk, than: Message | int, part: str) -> Message:
    """A message of the bot that came after another, with this in it or on a button of it."""
    after = than if isinstance(than, int) else int(than["message_id"])
    return await talk.wait_for(
        lambda one: (
            one["message_id"] > after
            and from_bot(one)
            and (part in said(one) or label(one, part) is not None)
        ),
        part,
    )


async def channel(member: Talk, card: Message, sessions: Sessions, town: Unhurried) -> Talk:
    """Anna follows the way from a member's album to the team's first channel, as if its plan had
    some."""
    owner = town.talk(member.chat_id, ANNA, member.thread_id)
    await owner.press("📣", card)
    await newer(owner, card, "/plans")
    async with sessions.begin() as session:
        await session.execute(text("UPDATE periods SET channels = 3"))
    await owner.press("📣", card)
    way = await owner.button("➕")
    link = str(way["reply_markup"]["inline_keyboard"][0][0]["url"]).rpartition("=")[2]
    made = await town.post(
        "chats", type="channel", title="Кофе рядом", bot_status="left",
        members=[{"id": ANNA, "status": "creator"}, {"id": BEN}, {"id": CLIENT}],
    )  # fmt: skip
    anna = town.talk(ANNA)
    await anna.send(f"/start {link}")
    await anna.text("выберите свой канал")
    await town.post(
        f"chats/{ANNA}/share",
        user_id=ANNA, request_id=int(link.rpartition("_")[2]), chat_id=made["id"],
    )  # fmt: skip
    await anna.text("подключён")
    return town.talk(made["id"], ANNA)


async def published(shown: Talk, caption: str = "") -> Message:
    return await shown.wait_for(
        lambda one: "photo" in one and one.get("caption", "") == caption, f"a post: {caption}"
    )
