"""A team of four in a topic, to start conversations from."""

from __future__ import annotations

from bot import texts
from tests.sim import ANNA, BEN, Message, Sim, Talk, label

CLIENT, GUEST = 7001, 7002
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
    await anna.press("Клим", page)
    await anna.press(words("approver"), await says(anna, page, words("🚫 Remove")))
    await says(anna, page, "✓ " + words("approver"))
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
