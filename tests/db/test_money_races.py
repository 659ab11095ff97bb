"""Money amid a team's move: nobody waits for each other in turn, and all of it is found again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db import accounts, newcomers, payments, plans, quotas, refunds, tasks, wallet
from db.money_views import Audit, Paid
from db.states import PaymentMethod, SystemWallet, TransferKind
from tests.db import rows
from tests.db.rows import Person, Sessions

OLD, NEW = -5, -1005
NOW = datetime.now(UTC)


async def _team(sessions: Sessions, user_id: int, chat_id: int) -> Person:
    await rows.person(sessions, user_id)
    async with sessions.begin() as session:
        member = await newcomers.enter(session, user_id, chat_id, "SMM", draws=True, now=NOW)
    return Person(user_id, member.account_id)


async def _migrate(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await accounts.migrate_chat(session, OLD, NEW)


async def _until_waiting(sessions: Sessions, count: int) -> None:
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while await rows.rows(sessions, query) != [(count,)]:
        await asyncio.sleep(0.005)


async def _moved_amid(
    sessions: Sessions, work: Callable[[AsyncSession], Awaitable[object]], table: str
) -> None:
    """The group moves while `work` waits for a row of `table`."""

    async def done() -> None:
        async with sessions.begin() as session:
            await work(session)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group, sessions.begin() as session:
        await session.execute(text(f"SELECT FROM {table} FOR NO KEY UPDATE"))
        group.create_task(done())
        await _until_waiting(sessions, 1)
        group.create_task(_migrate(sessions))
        await _until_waiting(sessions, 2)


async def _sound(sessions: Sessions) -> None:
    async with sessions() as session:
        assert await wallet.audit(session) == Audit(total=0, wrong=())


async def _order(sessions: Sessions, who: Person, chat_id: int) -> Paid:
    async with sessions.begin() as session:
        order = await payments.open_order(
            session, who.account_id, who.id, method=PaymentMethod.STARS, credit=500, rate=150,
            chat_id=chat_id, now=NOW, ttl=timedelta(hours=1),
        )  # fmt: skip
    return Paid(order.payload, who.id, "XTR", order.amount, "charge", "", NOW)


async def test_a_renewal_and_a_merger_do_not_block_each_other(sessions: Sessions) -> None:
    await _team(sessions, 1, OLD)
    early = await _team(sessions, 2, NEW)
    await rows.subscribe(sessions, early.account_id, "start", now=NOW - timedelta(days=40))
    await rows.credit(sessions, early.account_id, 49_000)
    await _moved_amid(
        sessions, lambda session: plans.renew(session, early.account_id, now=NOW), "wallets"
    )
    await _sound(sessions)


async def test_a_payment_and_a_move_do_not_block_each_other(sessions: Sessions) -> None:
    team = await _team(sessions, 1, OLD)
    await rows.credit(sessions, team.account_id, 100)
    paid = await _order(sessions, team, OLD)
    await _moved_amid(sessions, lambda session: payments.credit(session, paid), "wallets")
    async with sessions() as session:
        assert (await wallet.wallet(session, team.account_id)).balance == 600


async def test_an_album_that_is_paid_for_and_a_move_do_not_block_each_other(
    sessions: Sessions,
) -> None:
    await rows.free_pictures(sessions, 0)
    team = await _team(sessions, 1, OLD)
    await rows.credit(sessions, team.account_id, 10_000)
    async with sessions.begin() as session:
        await plans.switch_pay_per_picture(session, team.account_id, True, now=NOW)
    await rows.queued(sessions, team, chat_id=OLD)
    claimed = await rows.claim(sessions)
    assert claimed is not None
    album = rows.finished_album(2)
    await _moved_amid(
        sessions,
        lambda session: tasks.finish(session, claimed.task_id, claimed.token, album),
        "periods",
    )
    async with sessions() as session:
        left = await wallet.wallet(session, team.account_id)
    assert (left.balance, left.reserved) == (10_000 - 2 * 900, 0)
    await _sound(sessions)


async def test_a_refund_and_a_merger_do_not_block_each_other(sessions: Sessions) -> None:
    team = await _team(sessions, 1, OLD)
    early = await _team(sessions, 2, NEW)
    paid = await _order(sessions, early, NEW)
    async with sessions.begin() as session:
        await payments.credit(session, paid)
    await _moved_amid(sessions, lambda session: refunds.reported(session, paid, now=NOW), "wallets")
    async with sessions() as session:
        assert (await wallet.wallet(session, team.account_id)).balance == 0
    await _sound(sessions)


async def test_a_sweep_of_holds_and_a_merger_do_not_block_each_other(sessions: Sessions) -> None:
    await _team(sessions, 1, OLD)
    early = await _team(sessions, 2, NEW)
    task_id = await rows.queued(sessions, early, chat_id=NEW)
    await rows.execute(
        sessions, "UPDATE ml_tasks SET state = 'cancelled', finished_at = now() WHERE id = :id",
        id=task_id,
    )  # fmt: skip
    async with asyncio.timeout(20), asyncio.TaskGroup() as group, sessions.begin() as session:
        # As far as the sweep comes before it locks periods.
        await session.execute(text("SELECT FROM holds FOR NO KEY UPDATE"))
        group.create_task(_migrate(sessions))
        await _until_waiting(sessions, 1)
        assert await quotas.sweep(session) == 1
    await _sound(sessions)


async def test_money_taken_back_after_a_merger_is_owed_though_nobody_has_a_wallet(
    sessions: Sessions,
) -> None:
    team = await _team(sessions, 1, OLD)
    early = await _team(sessions, 2, NEW)
    paid = await _order(sessions, early, NEW)
    async with sessions.begin() as session:
        await payments.credit(session, paid)
        await wallet.transfer(
            session, early.account_id, SystemWallet.REVENUE, 500, TransferKind.PICTURES, "spent"
        )
    await _migrate(sessions)
    async with sessions.begin() as session:
        back = await refunds.reported(session, paid, now=NOW)
    assert (back.taken, back.shortfall) == (0, 500)
    async with sessions() as session:
        assert (await wallet.wallet(session, team.account_id)).paused
    await _sound(sessions)
