"""A team met twice, in its old chat and in its new one, keeps every kopeck when it is one again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from db import accounts, newcomers, notices, payments, plans, quotas, requests, wallet
from db.errors import DbError
from db.money_views import Audit, Paid, WalletView
from db.states import PaymentMethod, SystemWallet, TransferKind
from tests.db import rows
from tests.db.rows import Person, Sessions

OLD, NEW = -5, -1005


async def _team(sessions: Sessions, user_id: int, chat_id: int) -> Person:
    await rows.person(sessions, user_id)
    async with sessions.begin() as session:
        member = await newcomers.enter(
            session, user_id, chat_id, "SMM", draws=True, now=datetime.now(UTC)
        )
    return Person(user_id, member.account_id)


async def _two_teams(sessions: Sessions) -> tuple[Person, Person]:
    return await _team(sessions, 1, OLD), await _team(sessions, 2, NEW)


async def _merge(sessions: Sessions) -> None:
    for _ in range(2):
        async with sessions.begin() as session:
            await accounts.migrate_chat(session, OLD, NEW)


async def _wallet(sessions: Sessions, who: Person) -> WalletView:
    async with sessions() as session:
        return await wallet.wallet(session, who.account_id)


async def _sound(sessions: Sessions) -> None:
    async with sessions() as session:
        assert await wallet.audit(session) == Audit(total=0, wrong=())


async def _held_task(sessions: Sessions, who: Person, *, paid: bool) -> int:
    async with sessions.begin() as session:
        now = datetime.now(UTC)
        await plans.switch_pay_per_picture(session, who.account_id, True, now=now)
    if paid:
        await rows.execute(
            sessions, "UPDATE periods SET used = images_limit WHERE account_id = :id",
            id=who.account_id,
        )  # fmt: skip
    return await rows.queued(sessions, who, chat_id=NEW)


async def test_the_money_of_both_is_in_one_wallet(sessions: Sessions) -> None:
    team, early = await _two_teams(sessions)
    await rows.credit(sessions, team.account_id, 700, "a")
    await rows.credit(sessions, early.account_id, 300, "b")
    await _merge(sessions)
    assert (await _wallet(sessions, team)).balance == 1000
    assert (await _wallet(sessions, early)).balance == 0
    async with sessions() as session:
        newest, *_ = (await wallet.movements(session, team.account_id)).items
    assert (newest.amount, newest.kind) == (300, TransferKind.CREDIT)
    await _sound(sessions)


@pytest.mark.parametrize("richer", [0, 1])
async def test_one_wallet_alone_is_enough(sessions: Sessions, richer: int) -> None:
    both = await _two_teams(sessions)
    await rows.credit(sessions, both[richer].account_id, 300)
    await _merge(sessions)
    assert (await _wallet(sessions, both[0])).balance == 300
    await _sound(sessions)


async def test_what_is_held_is_charged_to_the_one_that_stays(sessions: Sessions) -> None:
    team, early = await _two_teams(sessions)
    await rows.credit(sessions, early.account_id, 10_000)
    paid_task = await _held_task(sessions, early, paid=True)
    assert (await _wallet(sessions, early)).reserved == 3600
    await _merge(sessions)
    merged = await _wallet(sessions, team)
    assert (merged.balance, merged.reserved) == (10_000, 3600)
    await _sound(sessions)
    async with sessions.begin() as session:
        assert await quotas.capture(session, paid_task, 3)
    assert await _wallet(sessions, team) == replace(merged, balance=7300, reserved=0)
    await _sound(sessions)


async def test_pictures_held_from_the_younger_quota_are_counted_there(sessions: Sessions) -> None:
    team, early = await _two_teams(sessions)
    task_id = await _held_task(sessions, early, paid=False)
    await _merge(sessions)
    async with sessions.begin() as session:
        assert await quotas.capture(session, task_id, 3)
        left = (await plans.standing(session, team.account_id, now=datetime.now(UTC))).period.left
    assert left == 40
    assert await rows.rows(sessions, "SELECT used, held FROM periods ORDER BY used") == [
        (0, 0),
        (3, 0),
    ]


async def test_a_pause_of_either_stays(sessions: Sessions) -> None:
    team, early = await _two_teams(sessions)
    async with sessions.begin() as session:
        await wallet.pause(session, early.account_id, now=datetime.now(UTC))
    await _merge(sessions)
    assert (await _wallet(sessions, team)).paused


async def test_the_older_plan_stays_and_the_other_is_given_back_in_proportion(
    sessions: Sessions,
) -> None:
    team, early = await _two_teams(sessions)
    now = datetime.now(UTC)
    await rows.subscribe(sessions, early.account_id, "profi", now=now - timedelta(days=14))
    [(starts_at, ends_at)] = await rows.rows(
        sessions,
        "SELECT starts_at, ends_at FROM periods WHERE plan_code = 'profi'",
    )
    assert isinstance(starts_at, datetime)
    assert isinstance(ends_at, datetime)
    await _merge(sessions)
    after = datetime.now(UTC)
    balance = (await _wallet(sessions, team)).balance
    length = ends_at - starts_at
    assert 149_000 * (ends_at - after) // length <= balance <= 149_000 * (ends_at - now) // length
    async with sessions.begin() as session:
        assert (await plans.standing(session, team.account_id, now=after)).plan.code == "free"
        assert await plans.due(session, now=after + timedelta(days=90), limit=9) == []
    await _sound(sessions)


async def test_the_older_paid_plan_goes_on(sessions: Sessions) -> None:
    team, early = await _two_teams(sessions)
    await rows.subscribe(sessions, team.account_id, "start")
    await rows.subscribe(sessions, early.account_id, "start", now=datetime.now(UTC))
    await _merge(sessions)
    async with sessions.begin() as session:
        now = datetime.now(UTC)
        assert (await plans.standing(session, team.account_id, now=now)).plan.code == "start"
    assert 0 < (await _wallet(sessions, team)).balance <= 49_000
    await _sound(sessions)


async def test_an_order_of_the_younger_is_paid_into_the_wallet_that_stays(
    sessions: Sessions,
) -> None:
    team, early = await _two_teams(sessions)
    now = datetime.now(UTC)
    async with sessions.begin() as session:
        orders = [
            await payments.open_order(
                session, early.account_id, 2, method=PaymentMethod.STARS, credit=500, rate=150,
                chat_id=NEW, now=now, ttl=timedelta(hours=1),
            )
            for _ in range(2)
        ]  # fmt: skip
        before, after = (
            Paid(order.payload, 2, "XTR", order.amount, f"c{order.id}", "", now) for order in orders
        )
        await payments.credit(session, before)
    await _merge(sessions)
    async with sessions.begin() as session:
        assert (await payments.credit(session, after)).created
        assert not (await payments.credit(session, before)).created
    assert (await _wallet(sessions, team)).balance == 1000
    owners = "SELECT account_id FROM {} GROUP BY account_id"
    for table in ("orders", "payments", "notices"):
        assert await rows.rows(sessions, owners.format(table)) == [(team.account_id,)]
    await _sound(sessions)


async def test_an_invoice_of_the_old_chat_is_not_looked_for_in_the_new_one(
    sessions: Sessions,
) -> None:
    team = await _team(sessions, 1, OLD)
    async with sessions.begin() as session:
        order = await payments.open_order(
            session, team.account_id, 1, method=PaymentMethod.PROVIDER, credit=500, rate=None,
            chat_id=OLD, now=datetime.now(UTC), ttl=timedelta(hours=1),
        )  # fmt: skip
        await payments.set_message(session, order.id, 77)
    await _merge(sessions)
    assert await rows.rows(sessions, "SELECT chat_id, message_id FROM orders") == [(NEW, None)]


async def test_a_merger_amid_orders_and_ends_loses_nothing(sessions: Sessions) -> None:
    team, early = await _two_teams(sessions)
    await rows.credit(sessions, early.account_id, 20_000)
    ids = [await _held_task(sessions, early, paid=n == 0) for n in range(4)]

    async def capture(task_id: int) -> None:
        async with sessions.begin() as session:
            # Who ends a task has locked it.
            ended = "UPDATE ml_tasks SET state = 'cancelled', finished_at = now() WHERE id = :id"
            await session.execute(text(ended), {"id": task_id})
            await quotas.capture(session, task_id, 2)

    async def spend(n: int) -> None:
        async with sessions.begin() as session:
            await wallet.transfer(
                session, early.account_id, SystemWallet.REVENUE, 100, TransferKind.PICTURES, f"s{n}"
            )

    async def order() -> None:
        async with sessions.begin() as session:
            draft, _ = await requests.draft(session, rows.new_draft(early, chat_id=NEW))
            await requests.submit(
                session, early.account_id, draft.id, "tap", chat_id=NEW, thread_id=None,
                now=datetime.now(UTC),
            )  # fmt: skip

    answers = await asyncio.gather(
        *map(capture, ids), *map(spend, range(4)), order(), _merge(sessions), order(),
        return_exceptions=True,
    )  # fmt: skip
    assert [a for a in answers if isinstance(a, Exception) and not isinstance(a, DbError)] == []
    await _sound(sessions)
    left = await _wallet(sessions, team)
    spent = await rows.rows(
        sessions,
        "SELECT sum(t.amount)::bigint FROM transfers t JOIN wallets w ON w.id = t.destination_id"
        " WHERE w.system = 'revenue'",
    )
    assert spent == [(20_000 - left.balance - (await _wallet(sessions, early)).balance,)]


async def test_people_are_told_in_the_chat_that_is_left(sessions: Sessions) -> None:
    team, early = await _two_teams(sessions)
    async with sessions.begin() as session:
        await notices.tell(session, early.account_id, payments.TOPPED_UP, {"sum": 1}, key="k")
    await _merge(sessions)
    async with sessions.begin() as session:
        claimed = await notices.claim(session)
    assert claimed is not None
    assert (claimed.account_id, claimed.chat_id) == (team.account_id, NEW)
