"""Proposed captions by the io process as it runs: woken, written, on the card."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

from sqlalchemy import text

from db import channels, plans, posts, queue, suggestions, tasks
from pipeline.types import CancelFlag
from tests.sim import ANNA, Sim, said
from tests.workers.conftest import Ask, Row
from tests.workers.waiting import until
from workers import generate, io
from workers.courier import Courier
from workers.generate import Studio

NOW = datetime.now(UTC)


async def test_the_io_process_is_woken_and_leaves_it_on_the_card(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask, row: Row
) -> None:
    asked = await ask(ANNA)
    async with studio.sessions.begin() as session:
        claim = await tasks.claim(session, lease_s=30, account_running_cap=2)
    assert claim is not None
    await generate.make(claim, studio, CancelFlag())
    card = await courier.bot.send_message(ANNA, "Пишу текст")
    async with courier.sessions.begin() as session:
        await plans.terms(session, asked.account_id, now=NOW)
        await session.execute(text("UPDATE periods SET channels = 1"))
        channel = await channels.connect(
            session, asked.account_id, ANNA, chat_id=-100500, title="Кофе", username=None, now=NOW
        )
        post = await posts.draft(session, asked.account_id, ANNA, asked.task_id, channel.id)
        one, _ = await suggestions.ask(
            session, asked.account_id, post.id, locale="ru", chat_id=ANNA,
            message_id=card.message_id,
        )  # fmt: skip
        await suggestions.start(session, post.id, one.number)
    running = asyncio.create_task(io.serve(courier))
    await queue.wake_io(courier.pool)

    async def is_on_the_card() -> bool:
        messages = (await sim.get(f"chats/{ANNA}/messages"))["messages"]
        return any("собрано по шаблонам" in said(one) for one in messages)

    await until(is_on_the_card)
    await until(lambda: _is_ready(row))
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def _is_ready(row: Row) -> bool:
    return (await row("SELECT state FROM suggestions"))["state"] == "ready"
