"""The renewal loop with a clock of its own, and the whole way to the chat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import accounts, plans, wallet
from db.states import SystemWallet, TransferKind
from db.views import TelegramUser
from tests.db import rows
from tests.sim import ANNA, Sim
from tests.workers.conftest import Row
from workers import notices
from workers.courier import Courier
from workers.renew import Renewals

NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)
END = NOW.replace(month=2)
START = 49_000

Sessions = async_sessionmaker[AsyncSession]


async def subscriber(sessions: Sessions, user_id: int = ANNA, *, then: int = 0) -> int:
    """On Start since NOW, with so many kopecks left."""
    async with sessions.begin() as session:
        person = TelegramUser(user_id, "Анна", language_code="ru")
        account_id = (await accounts.ensure_user(session, person)).account_id
        await credit(session, account_id, START + then)
        await plans.standing(session, account_id, now=NOW - timedelta(days=1))
        await rows.choose(session, account_id, "start", now=NOW, key="tap")
    return account_id


async def credit(session: AsyncSession, account_id: int, amount: int, key: str = "first") -> None:
    await wallet.transfer(
        session, SystemWallet.OPERATOR, account_id, amount, TransferKind.CREDIT,
        f"{key}:{account_id}",
    )  # fmt: skip


async def run_at(sessions: Sessions, now: datetime) -> None:
    await Renewals(sessions, clock=lambda: now)()


CHARGES = "SELECT count(*) AS n FROM transfers WHERE kind = 'subscription'"
PLANS = "SELECT array_agg(plan_code ORDER BY account_id) AS codes FROM subscriptions"


async def test_everybody_due_is_renewed_however_many_and_only_once(
    sessions: Sessions, row: Row
) -> None:
    for user_id in range(1, 131):
        await subscriber(sessions, user_id, then=START)
    for _ in range(2):
        await run_at(sessions, END)
    assert (await row(CHARGES))["n"] == 260


async def test_one_accounts_trouble_is_not_the_others(
    sessions: Sessions, row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    first = await subscriber(sessions, 1, then=START)
    await subscriber(sessions, 2, then=START)
    # A period that is there although the subscription knows nothing of it: no fault of a server.
    async with sessions.begin() as session:
        await session.execute(
            text(
                "INSERT INTO transfers (source_id, destination_id, amount, kind, key, input_hash)"
                " SELECT 1, 2, 1, 'credit', :key, 'x'"
            ),
            {"key": f"renew:{first}:{END.isoformat()}"},
        )
    await run_at(sessions, END)
    assert (await row(CHARGES))["n"] == 3
    codes = await row("SELECT count(*) AS n FROM subscriptions WHERE renews_at > '2027-02-11'")
    assert codes["n"] == 1


async def test_from_the_first_reminder_to_free_and_back(
    courier: Courier, sim: Sim, row: Row
) -> None:
    sessions = courier.sessions
    account_id = await subscriber(sessions, then=100)
    talk = sim.talk(ANNA)
    for now, part in (
        (END - timedelta(days=3), "продлевается"),
        (END - timedelta(days=1), "не хватает"),
        (END, "не удалось продлить"),
        (END + timedelta(days=3), "деньги за него не пришли"),
    ):
        await run_at(sessions, now)
        await run_at(sessions, now + timedelta(minutes=1))
        await tell_all(courier)
        await talk.text(part)
    assert (await row(PLANS))["codes"] == ["free"]
    assert (await row("SELECT count(*) AS n FROM notices WHERE state = 'sent'"))["n"] == 4
    later = END + timedelta(days=4)
    async with sessions.begin() as session:
        await credit(session, account_id, START, key="second")
        await rows.choose(session, account_id, "start", now=later, key="again")
    await run_at(sessions, later + timedelta(minutes=1))
    assert (await row(CHARGES))["n"] == 2


async def test_who_has_the_money_hears_only_that_it_was_renewed(
    courier: Courier, sim: Sim, row: Row
) -> None:
    await subscriber(courier.sessions, then=START)
    for hours in range(-80, 80, 8):
        await run_at(courier.sessions, END + timedelta(hours=hours))
    await tell_all(courier)
    await sim.talk(ANNA).text("продлён до 10 марта 2027")
    assert (await row("SELECT count(*) AS n FROM notices"))["n"] == 1


async def test_a_late_reminder_says_what_is_true_by_then(
    courier: Courier, sim: Sim, row: Row
) -> None:
    sessions = courier.sessions
    account_id = await subscriber(sessions, then=100)
    await run_at(sessions, END - timedelta(days=3))
    async with sessions.begin() as session:
        await credit(session, account_id, 10_000, key="a part")
    await tell_all(courier)
    await sim.talk(ANNA).text("не хватает 389")

    await run_at(sessions, END - timedelta(days=1))
    async with sessions.begin() as session:
        await credit(session, account_id, START, key="all of it")
    await tell_all(courier)
    assert len(await sim.calls("sendMessage")) == 1
    assert await row("SELECT state, reason FROM notices ORDER BY id DESC LIMIT 1") == {
        "state": "undeliverable",
        "reason": "outdated",
    }


async def test_nobody_in_another_plan_by_now_hears_of_a_grace(courier: Courier, sim: Sim) -> None:
    sessions = courier.sessions
    account_id = await subscriber(sessions)
    await run_at(sessions, END)
    async with sessions.begin() as session:
        await credit(session, account_id, 4 * START, key="second")
        await rows.choose(session, account_id, "profi", now=END, key="larger")
    await tell_all(courier)
    assert await sim.calls("sendMessage") == []


async def tell_all(courier: Courier) -> None:
    while (claimed := await notices.claim(courier)) is not None:
        await notices.send(claimed, courier)
