"""Status cards: kept true by the io worker, whatever happened in between."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from bot.buckets import Bucket, Buckets
from db import queue, statuses, tasks, teams
from db.states import Presence, Shown
from db.views import Claim
from pipeline.types import CancelFlag
from tests.sim import ANNA, Sim, label, said
from tests.workers.conftest import Ask, Asked, Row
from tests.workers.waiting import until
from workers import generate, patience
from workers.courier import Courier
from workers.generate import Studio
from workers.status import Cards, pause_after_fault_s


@pytest.fixture
async def cards(courier: Courier) -> AsyncIterator[Cards]:
    """Cards that are being kept."""
    cards = Cards(courier)
    keeping = asyncio.create_task(patience.forever(cards, "cards"))
    yield cards
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
    await cards.close()


async def with_card(courier: Courier, ask: Ask) -> Asked:
    """A queued task with a card, as the bot leaves it."""
    card = await courier.bot.send_message(ANNA, "card")
    return await ask(status_message_id=card.message_id)


async def claim(courier: Courier) -> Claim:
    async with courier.sessions.begin() as session:
        claimed = await tasks.claim(session, lease_s=30, account_running_cap=2)
    assert claimed is not None
    return claimed


async def test_the_card_follows_the_task_to_its_end(
    courier: Courier, cards: Cards, sim: Sim, ask: Ask
) -> None:
    await with_card(courier, ask)
    anna = sim.talk(ANNA)
    await anna.text("В очереди")
    claimed = await claim(courier)
    await queue.write_progress(courier.pool, claimed.task_id, queue.Progress("generate", 1, 4))
    drawing = await anna.text("2/4")
    assert label(drawing, "Отмен") is not None
    async with courier.sessions.begin() as session:
        await tasks.fail(session, claimed.task_id, claimed.token, "internal")
    failed = await anna.text("😔")
    assert label(failed, "Отмен") is None
    assert len(await anna.messages()) == 1


async def test_a_card_that_was_deleted_is_sent_anew(
    courier: Courier, cards: Cards, sim: Sim, ask: Ask, row: Row
) -> None:
    asked = await with_card(courier, ask)
    anna = sim.talk(ANNA)
    (card,) = await anna.messages()
    await courier.bot.delete_message(ANNA, card["message_id"])
    async with courier.sessions.begin() as session:
        await tasks.cancel(session, asked.account_id, asked.task_id)
    cancelled = await anna.text("🚫")
    assert cancelled["message_id"] != card["message_id"]

    async def remembered() -> bool:
        stored = await row("SELECT status_message_id, status_shown FROM ml_tasks")
        return tuple(stored.values()) == (cancelled["message_id"], "cancelled")

    await until(remembered)


async def test_after_a_doubtful_delivery_the_card_offers_to_show_it_again(
    studio: Studio, courier: Courier, cards: Cards, sim: Sim, ask: Ask
) -> None:
    await with_card(courier, ask)
    await generate.make(await claim(courier), studio, CancelFlag())
    async with courier.sessions.begin() as session:
        await session.execute(text("UPDATE deliveries SET state = 'unknown', reason = 'reset'"))
    card = await sim.talk(ANNA).text("🤔")
    assert label(card, "Показать ещё раз") is not None


async def test_a_task_whose_bot_died_gets_its_first_card_here(
    courier: Courier, cards: Cards, sim: Sim, ask: Ask
) -> None:
    await ask()
    async with courier.sessions.begin() as session:
        await session.execute(text("UPDATE ml_tasks SET queued_at = now() - interval '11 s'"))
    assert "В очереди" in said(await sim.talk(ANNA).text("кофе"))


async def test_a_fresh_task_is_left_to_the_bot(courier: Courier, sim: Sim, ask: Ask) -> None:
    await ask()
    cards = Cards(courier)
    await cards()
    await cards.close()
    assert await sim.talk(ANNA).messages() == []


async def test_a_blocked_chat_is_not_tried_for_ever(
    courier: Courier, cards: Cards, sim: Sim, ask: Ask, row: Row
) -> None:
    asked = await with_card(courier, ask)
    await sim.post(f"chats/{ANNA}/members", action="block")
    async with courier.sessions.begin() as session:
        await tasks.cancel(session, asked.account_id, asked.task_id)

    async def given_up() -> bool:
        return (await row("SELECT status_shown FROM ml_tasks"))["status_shown"] == "cancelled"

    await until(given_up)
    refused = [one for one in await sim.calls("editMessageText") if one["status"] == 403]
    assert len(refused) >= 1


async def test_a_card_that_ended_while_the_bot_was_out_of_the_group_is_drawn_when_it_is_back(
    courier: Courier, cards: Cards, sim: Sim, ask: Ask, row: Row
) -> None:
    chat_id = (await sim.group())["id"]
    card = await courier.bot.send_message(chat_id, "card")
    asked = await ask(chat_id, status_message_id=card.message_id)
    members = f"chats/{chat_id}/members"
    await sim.post(members, action="kick", bot=True)
    async with courier.sessions.begin() as session:
        await tasks.cancel(session, asked.account_id, asked.task_id)

    async def given_up() -> bool:
        return (await row("SELECT status_shown FROM ml_tasks"))["status_shown"] == "cancelled"

    await until(given_up)
    await sim.post(members, action="promote", bot=True)
    async with courier.sessions.begin() as session:
        await teams.set_presence(session, chat_id, ANNA, Presence.ADMINISTRATOR)
    await sim.talk(chat_id, ANNA).text("Отменено")


async def test_progress_that_comes_too_fast_is_not_asked_about_at_every_look(
    courier: Courier, cards: Cards, sim: Sim, ask: Ask
) -> None:
    async def asked_for_tokens() -> int:
        stats = await courier.pool.info("commandstats")
        return int(stats.get("cmdstat_evalsha", {"calls": 0})["calls"])

    await with_card(courier, ask)
    anna = sim.talk(ANNA)
    await anna.text("В очереди")
    before = await asked_for_tokens()
    claimed = await claim(courier)
    await queue.write_progress(courier.pool, claimed.task_id, queue.Progress("generate", 1, 4))
    await anna.text("2/4")
    assert await asked_for_tokens() - before <= 3


async def test_the_end_does_not_wait_for_the_pace_of_progress(
    courier: Courier, cards: Cards, sim: Sim, ask: Ask
) -> None:
    asked = await with_card(courier, ask)
    await sim.talk(ANNA).text("В очереди")
    debt = Bucket(f"pace:{courier.bot.id}:status:{ANNA}", 1.0, 1.0, 600.0)
    await Buckets(courier.pool).take([debt], 600.0)
    await claim(courier)
    async with courier.sessions.begin() as session:
        await tasks.cancel(session, asked.account_id, asked.task_id)
    await sim.talk(ANNA).text("🚫")


def test_a_card_that_may_be_there_is_sent_ever_more_rarely() -> None:
    pauses_s = [pause_after_fault_s(sends) for sends in range(8)]
    assert pauses_s == [5, 10, 20, 40, 80, 160, 300, 300]


async def test_nothing_to_draw_is_looked_for_less_often(courier: Courier) -> None:
    cards = Cards(courier)
    started = time.monotonic()
    await cards()
    assert time.monotonic() - started > 0.4


async def test_an_edit_that_came_late_is_put_right(
    courier: Courier, cards: Cards, sim: Sim, ask: Ask
) -> None:
    """The bot wrote "cancelled" while a progress edit was on its way and landed after it."""
    asked = await with_card(courier, ask)
    anna = sim.talk(ANNA)
    await anna.text("В очереди")
    async with courier.sessions.begin() as session:
        await tasks.cancel(session, asked.account_id, asked.task_id)
        await statuses.mark_status_shown(session, asked.task_id, Shown.QUEUED)
    await anna.text("🚫")
