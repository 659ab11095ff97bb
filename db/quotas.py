"""What a task may cost is held when it is ordered, charged for what was made, else given back.

Pictures come from the month's quota first; what is over is paid for from the wallet, where that is
switched on. A hold is resolved exactly once, whoever is first; the order of locks is in db.wallet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import wallet
from db.errors import QuotaOut, WalletPaused
from db.models import Hold, Period, Prediction, Task, Wallet
from db.money_views import Held, Standing
from db.periods import Current
from db.states import HoldState, SystemWallet, TaskState, TransferKind

_SWEEP_LIMIT = 100

# Nearly always the quota does, and this is all.
_HOLD_QUOTA = text("""
WITH taken AS (
    UPDATE periods SET held = held + :count
    WHERE id = :period_id AND used + held + :count <= images_limit
    RETURNING id
)
INSERT INTO holds (task_id, account_id, period_id, quota)
SELECT :task_id, :account_id, id, :count FROM taken
RETURNING id
""")

_CAPTURE = text("""
WITH resolved AS (
    UPDATE holds
    SET state = 'captured', resolved_at = now(), captured_quota = least(quota, :made),
        captured_paid = least(paid, greatest(:made - quota, 0))
    WHERE task_id = :task_id AND state = 'open'
    RETURNING account_id, period_id, quota, captured_quota,
        paid * picture_price AS reserved, captured_paid * picture_price AS cost, captured_paid
), counted AS (
    UPDATE periods p SET held = p.held - r.quota, used = p.used + r.captured_quota
    FROM resolved r WHERE p.id = r.period_id
)
SELECT account_id, reserved, cost, captured_paid FROM resolved
""")

_VOID = text("""
WITH found AS (
    SELECT id FROM holds WHERE task_id = ANY(:task_ids) AND state = 'open'
    ORDER BY id
    FOR NO KEY UPDATE
), resolved AS (
    UPDATE holds h SET state = 'voided', resolved_at = now()
    FROM found WHERE h.id = found.id
    RETURNING h.account_id, h.period_id, h.quota, h.paid * h.picture_price AS reserved
), freed AS (
    SELECT p.id, r.quota
    FROM periods p JOIN (
        SELECT period_id, sum(quota) AS quota FROM resolved GROUP BY period_id
    ) AS r ON p.id = r.period_id
    ORDER BY p.id
    FOR NO KEY UPDATE OF p
), counted AS (
    UPDATE periods p SET held = p.held - freed.quota FROM freed WHERE p.id = freed.id
)
SELECT account_id, reserved FROM resolved
""")

_GIVE_BACK = text("""
WITH due AS (
    SELECT w.id, d.amount
    FROM wallets w JOIN unnest(CAST(:account_ids AS bigint[]), CAST(:amounts AS bigint[]))
        AS d (account_id, amount) ON w.account_id = d.account_id
    ORDER BY w.id
    FOR NO KEY UPDATE OF w
)
UPDATE wallets w SET reserved = w.reserved - due.amount FROM due WHERE w.id = due.id
""")


async def hold(session: AsyncSession, current: Current, task_id: int, count: int) -> Held:
    """Sets aside `count` pictures (1 or more) for a new task.

    `current` must be locked: a hold on a period that is just being replaced would be a gift.
    After an error nothing has been held. Raises QuotaOut, WalletPaused when pictures would have to
    be paid for.
    """
    if count < 1:
        raise ValueError("at least one picture")
    standing = current.standing
    held_id = await session.scalar(
        _HOLD_QUOTA,
        {
            "account_id": current.account_id,
            "task_id": task_id,
            "period_id": standing.period.id,
            "count": count,
        },
    )
    if held_id is not None:
        return Held(quota=count, paid=0, picture_price=standing.period.terms.picture_price)
    return await _hold_rest(session, standing, task_id, count)


async def capture(session: AsyncSession, task_id: int, made: int) -> bool:
    """Charges for the `made` pictures, from the quota first, and gives the rest back.

    More than was held costs no more. False: there was no open hold, and nothing was written.
    """
    row = (await session.execute(_CAPTURE, {"task_id": task_id, "made": made})).one_or_none()
    if row is None:
        return False
    await _give_back(session, {row.account_id: row.reserved})
    if row.cost:
        await wallet.transfer(
            session,
            row.account_id,
            SystemWallet.REVENUE,
            row.cost,
            TransferKind.PICTURES,
            f"task:{task_id}",
            {"task": task_id, "pictures": row.captured_paid},
        )
    return True


async def void(session: AsyncSession, task_id: int) -> bool:
    """Gives everything back. False: there was no open hold."""
    return await void_all(session, [task_id]) == 1


async def void_all(session: AsyncSession, task_ids: Sequence[int]) -> int:
    """The same for several tasks; returns how many holds were open."""
    resolved = (await session.execute(_VOID, {"task_ids": list(task_ids)})).all()
    amounts: dict[int, int] = {}
    for row in resolved:
        amounts[row.account_id] = amounts.get(row.account_id, 0) + row.reserved
    await _give_back(session, amounts)
    return len(resolved)


async def sweep(session: AsyncSession) -> int:
    """Resolves holds that were left open though their tasks are over; returns how many."""
    left = await _left_open(session)
    if not left:
        return 0
    # All that follows is locked here: one after the other, captures would mix the order.
    await session.execute(
        select(Period.id)
        .where(Period.id.in_({row.period_id for row in left}))
        .order_by(Period.id)
        .with_for_update(key_share=True)
    )
    await session.execute(
        select(Wallet.id)
        .where(Wallet.account_id.in_({row.account_id for row in left}))
        .order_by(Wallet.id)
        .with_for_update(key_share=True)
    )
    done = [row.task_id for row in left if row.state is TaskState.DONE]
    for task_id in done:
        made = select(func.count()).where(Prediction.task_id == task_id)
        await capture(session, task_id, await session.scalar(made) or 0)
    await void_all(session, [row.task_id for row in left if row.task_id not in done])
    return len(left)


async def _hold_rest(session: AsyncSession, standing: Standing, task_id: int, count: int) -> Held:
    """Takes what is left of the quota, and reserves the price of the rest."""
    period = standing.period
    left = await session.scalar(
        select(Period.images_limit - Period.used - Period.held)
        .where(Period.id == period.id)
        .with_for_update(key_share=True)
    )
    assert left is not None
    quota = min(count, left)
    held = Held(quota=quota, paid=count - quota, picture_price=period.terms.picture_price)
    if held.paid:
        if not standing.pays_per_picture:
            raise QuotaOut(left, count, None)
        await _reserve(session, period.account_id, held, left)
    await session.execute(
        update(Period)
        .where(Period.id == period.id)
        .values(held=Period.held + quota)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        insert(Hold).values(
            task_id=task_id,
            account_id=period.account_id,
            period_id=period.id,
            quota=quota,
            paid=held.paid,
            picture_price=held.picture_price,
        )
    )
    return held


async def _reserve(session: AsyncSession, account_id: int, held: Held, left: int) -> None:
    cost = held.paid * held.picture_price
    await session.execute(
        select(Wallet.id).where(Wallet.account_id == account_id).with_for_update(key_share=True)
    )
    view = await wallet.wallet(session, account_id)
    if view.paused:
        raise WalletPaused
    if view.free < cost:
        raise QuotaOut(left, held.quota + held.paid, cost - view.free)
    await session.execute(
        update(Wallet)
        .where(Wallet.account_id == account_id)
        .values(reserved=Wallet.reserved + cost)
        .execution_options(synchronize_session=False)
    )


async def _give_back(session: AsyncSession, amounts: Mapping[int, int]) -> None:
    """Takes kopecks out of what accounts have reserved."""
    due = {account_id: amount for account_id, amount in amounts.items() if amount}
    if due:
        await session.execute(_GIVE_BACK, {"account_ids": list(due), "amounts": list(due.values())})


async def _left_open(session: AsyncSession) -> Sequence[Row[int, int, int, TaskState]]:
    """Locked, so that their tasks' own workers do not meet us halfway."""
    # One by one for the few that are open: a join would tempt Postgres to read all tasks.
    state = select(Task.state).where(Task.id == Hold.task_id).scalar_subquery()
    found = await session.execute(
        select(Hold.task_id, Hold.account_id, Hold.period_id, state.label("state"))
        .where(
            Hold.state == HoldState.OPEN,
            state.not_in([TaskState.QUEUED, TaskState.RUNNING]),
        )
        .order_by(Hold.id)
        .limit(_SWEEP_LIMIT)
        .with_for_update(of=Hold, key_share=True, skip_locked=True)
    )
    return found.all()
