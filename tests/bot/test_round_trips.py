"""What the bot asks the database for one update: time that everybody behind it waits for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.bot.stage import Sessions, Stage, data_of

Cost = Callable[[], Awaitable[int]]


@pytest.fixture
def cost(stage: Stage, sessions: Sessions) -> Iterator[Cost]:
    """Handles what has come meanwhile; how many statements that took, without BEGIN and COMMIT."""
    bind = sessions.kw["bind"]
    assert isinstance(bind, AsyncEngine)
    seen: list[object] = []
    handled = 0

    def note(*what: object) -> None:
        seen.append(what)

    async def handle() -> int:
        nonlocal handled
        seen.clear()
        for update in await stage.bot.get_updates(offset=handled + 1):
            await stage.dispatcher.feed_update(stage.bot, update)
            handled = update.update_id
        return len(seen)

    event.listen(bind.sync_engine, "before_cursor_execute", note)
    yield handle
    event.remove(bind.sync_engine, "before_cursor_execute", note)


async def test_a_draft_its_buttons_and_its_task_take_few_statements(
    stage: Stage, cost: Cost
) -> None:
    anna = stage.person()
    await anna.send("осенний латте")
    assert await cost() <= 17, "from somebody new: with an account and the first month of Free"

    await anna.send("зимний чай для инстаграма")
    assert await cost() <= 6, "who, plan, wallet, default brand, draft, card"

    card = await anna.button("Создать")
    await anna.tap(data_of(card, "Формат"), card)
    await cost()  # Once more, since here a tap comes under another name than a message.
    await anna.tap(data_of(card, "Instagram"), card)
    assert await cost() <= 4, "who, draft, plan, wallet"

    await anna.tap(data_of(card, "Улучшать"), card)
    assert await cost() <= 5, "the change as well"

    await anna.tap(data_of(card, "Создать"), card)
    assert await cost() <= 12
    await anna.text("В очереди")
