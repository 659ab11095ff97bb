"""Two teams that turn out to be one have one wallet and one plan from then on.

The older team's plan stays; of what the younger one paid for its month, the rest comes back in
proportion. The younger account keeps its old months and movements: they are history, and nothing
in it ever changes.
"""

from __future__ import annotations

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import wallet
from db.models import Hold, Notice, Order, Payment, Wallet
from db.states import SystemWallet, TransferKind

# The subscriptions in order of accounts first, as everywhere; then nobody renews either meanwhile.
_LOCK_PLANS = text("""
SELECT account_id FROM subscriptions WHERE account_id IN (:account_id, :into_id)
ORDER BY account_id
FOR NO KEY UPDATE
""")
_END_PLAN = text("""
WITH ended AS (
    UPDATE subscriptions
    SET plan_code = 'free', next_plan_code = NULL, grace_until = NULL, pays_per_picture = false
    WHERE account_id = :account_id
), newest AS (
    SELECT id, price, starts_at, ends_at FROM periods WHERE account_id = :account_id
    ORDER BY starts_at DESC LIMIT 1
    FOR NO KEY UPDATE
), cut AS (
    UPDATE periods p SET ends_at = greatest(p.starts_at, now())
    FROM newest WHERE p.id = newest.id AND p.ends_at > now()
)
SELECT floor(
    price * extract(epoch FROM ends_at - greatest(starts_at, now()))
        / extract(epoch FROM ends_at - starts_at)
)::bigint AS left_over
FROM newest WHERE price > 0 AND ends_at > now() AND ends_at > starts_at
""")


async def merge(session: AsyncSession, account_id: int, *, into_id: int) -> None:
    """Hands over all the money of `account_id`, what it holds, and what is still to come.

    Its tasks must be `into_id`'s already: so nobody who ends one meets us halfway.
    """
    both = {"account_id": account_id, "into_id": into_id}
    await session.execute(_LOCK_PLANS, both)
    # Holds before the period, as everywhere.
    for owned in (Hold, Order, Payment, Notice):
        await session.execute(
            update(owned).where(owned.account_id == account_id).values(account_id=into_id)
        )
    left_over = await session.scalar(_END_PLAN, {"account_id": account_id})
    await _merge_wallets(session, account_id, into_id)
    if left_over:
        await _credit(session, SystemWallet.REVENUE, into_id, left_over, f"merge:{account_id}:plan")


async def _merge_wallets(session: AsyncSession, account_id: int, into_id: int) -> None:
    rows = await session.execute(
        select(Wallet.account_id, Wallet.balance, Wallet.reserved, Wallet.paused_at)
        .where(Wallet.account_id.in_([account_id, into_id]))
        .order_by(Wallet.id)
        .with_for_update(key_share=True)
    )
    own = {row.account_id: row for row in rows}.get(account_id)
    if own is None:
        return
    await _set(session, account_id, reserved=0)
    if own.balance:
        await _credit(session, account_id, into_id, own.balance, f"merge:{account_id}")
    if own.reserved:
        await _set(session, into_id, reserved=Wallet.reserved + own.reserved)
    if own.paused_at is not None:
        await wallet.pause(session, into_id, now=own.paused_at)


async def _credit(
    session: AsyncSession, source: int | SystemWallet, into_id: int, amount: int, key: str
) -> None:
    memo = {"note": "teams merged"}
    await wallet.transfer(session, source, into_id, amount, TransferKind.CREDIT, key, memo)


async def _set(session: AsyncSession, account_id: int, **fields: object) -> None:
    await session.execute(
        update(Wallet)
        .where(Wallet.account_id == account_id)
        .values(**fields)
        .execution_options(synchronize_session=False)
    )
