"""Notices against the playground and its faults: what the chat got, what the database says."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from bot.gateway import create_bot
from db import accounts, notices, plans
from db.money_views import NoticeClaim
from db.views import TelegramUser
from tests.sim import ANNA, TOKEN, Sim
from tests.workers.conftest import Row
from workers.courier import Courier
from workers.notices import claim, send

GRACE = {
    "plan": "profi",
    "title_ru": "Профи",
    "title_en": "Pro",
    "price": 149_000,
    "missing": 149_000,
    "paused": False,
    "until": "2027-03-03T12:00:00+00:00",
}
NOTICE = "SELECT state, reason, attempt FROM notices"


async def told(
    courier: Courier, chat_id: int = ANNA, kind: str = "grace", thread_id: int | None = None
) -> None:
    async with courier.sessions.begin() as session:
        await accounts.ensure_user(session, TelegramUser(ANNA, "Анна", language_code="ru"))
        chat_type = "private" if chat_id > 0 else "supergroup"
        account_id = await accounts.for_chat(session, ANNA, chat_id, chat_type, "Команда")
        await plans.standing(session, account_id, now=datetime(2027, 1, 31, tzinfo=UTC))
        await session.execute(
            text("UPDATE subscriptions SET plan_code = 'profi', grace_until = :until"),
            {"until": datetime.fromisoformat(str(GRACE["until"]))},
        )
        data = {**GRACE, "chat_id": chat_id, "thread_id": thread_id}
        assert await notices.tell(session, account_id, kind, data, key="k")


async def claimed(courier: Courier) -> NoticeClaim:
    found = await claim(courier)
    assert found is not None
    return found


async def send_next(courier: Courier) -> None:
    await send(await claimed(courier), courier)


async def test_a_notice_arrives_once_with_its_buttons(courier: Courier, sim: Sim, row: Row) -> None:
    await told(courier)
    await send_next(courier)
    message = await sim.talk(ANNA).text("не удалось продлить")
    buttons = [one["text"] for line in message["reply_markup"]["inline_keyboard"] for one in line]
    assert buttons == ["➕ Пополнить на 1\u00a0490\u00a0₽", "💎 Тариф"]
    assert (await row(NOTICE))["state"] == "sent"
    assert await claim(courier) is None


async def test_a_long_429_puts_it_off(courier: Courier, sim: Sim, row: Row) -> None:
    await told(courier)
    await sim.fault("sendMessage", "429", retry_after=30)
    await send_next(courier)
    assert (await row(NOTICE))["state"] == "pending"
    assert await claim(courier) is None


@pytest.mark.parametrize("mode", ["500", "hang", "drop"])
async def test_a_doubt_is_let_go(courier: Courier, sim: Sim, row: Row, mode: str) -> None:
    await told(courier)
    await sim.fault("sendMessage", mode)
    await send_next(courier)
    assert (await row(NOTICE))["state"] == "unknown"
    assert await claim(courier) is None
    assert len(await sim.calls("sendMessage")) == 1


async def test_a_refused_connection_is_tried_again(courier: Courier, sim: Sim, row: Row) -> None:
    await told(courier)
    nowhere = create_bot(TOKEN, "http://127.0.0.1:9", courier.pool)
    await send_next(dataclasses.replace(courier, bot=nowhere))
    await nowhere.session.close()
    assert (await row(NOTICE))["state"] == "pending"


async def test_who_blocked_the_bot_is_not_told(courier: Courier, sim: Sim, row: Row) -> None:
    await told(courier)
    await sim.post(f"chats/{ANNA}/members", action="block")
    await send_next(courier)
    found = await row(NOTICE)
    assert (found["state"], found["reason"]) == ("undeliverable", "blocked")


async def test_a_migrated_group_is_followed(courier: Courier, sim: Sim, row: Row) -> None:
    members = [{"id": ANNA, "status": "creator"}]
    group = await sim.post("chats", type="group", title="Г", members=members)
    await told(courier, group["id"])
    supergroup = await sim.post(f"chats/{group['id']}/members", action="migrate")
    await send_next(courier)
    assert (await row(NOTICE))["state"] == "pending"
    await send_next(courier)
    assert (await row(NOTICE))["state"] == "sent"
    await sim.talk(supergroup["id"], ANNA).text("не удалось продлить")


async def test_what_belongs_to_a_closed_topic_is_said_outside_it(
    courier: Courier, sim: Sim, row: Row
) -> None:
    group = await sim.group(topics=("Кофе",))
    thread_id = group["topics"][0]["message_thread_id"]
    # An administrator may write into closed topics, a member may not.
    await sim.post(f"chats/{group['id']}/members", action="demote", bot=True)
    await sim.post(
        f"chats/{group['id']}/members", action="close_topic", message_thread_id=thread_id
    )
    await told(courier, group["id"], thread_id=thread_id)
    await send_next(courier)
    await send_next(courier)
    assert (await row(NOTICE))["state"] == "sent"
    message = await sim.talk(group["id"], ANNA).text("не удалось продлить")
    assert "message_thread_id" not in message


async def test_a_kind_without_words_does_not_stop_the_others(
    courier: Courier, sim: Sim, row: Row
) -> None:
    await told(courier, kind="nonsense")
    await send_next(courier)
    found = await row(NOTICE)
    assert (found["state"], found["reason"]) == ("undeliverable", "no_words")
    assert await sim.calls("sendMessage") == []


async def test_a_notice_that_takes_its_time_is_its_senders(courier: Courier, row: Row) -> None:
    await told(courier)
    held = await claimed(courier)
    async with courier.sessions.begin() as session:
        await session.execute(text("UPDATE notices SET lease_until = now() - interval '1 s'"))
    courier.held[held.token] = held
    await courier.keep_leases()
    assert await claim(courier) is None
    assert (await row(NOTICE))["state"] == "sending"


async def test_a_dead_senders_notice_is_let_go_by_the_next(courier: Courier, row: Row) -> None:
    await told(courier)
    await claimed(courier)
    async with courier.sessions.begin() as session:
        await session.execute(text("UPDATE notices SET lease_until = now() - interval '1 s'"))
    assert await claim(courier) is None
    assert (await row(NOTICE))["reason"] == "sender_died"
