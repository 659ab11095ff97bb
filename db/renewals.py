"""Renewals: a period that is over is paid for from the wallet once, or waits, or ends in Free.

A period waits for money for three days, going on with what is left of its quota.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db import brands, channels, notices, periods
from db.errors import InsufficientFunds, WalletPaused
from db.models.plans import FREE
from db.money_views import NoticeClaim, PlanView, Renewed
from db.months import latest_start
from db.periods import Current
from db.states import TransferKind

GRACE = timedelta(days=3)
REMIND_DAYS = (3, 1)
"""So many days before a renewal that can't be paid for, its account is told."""

RENEWAL_SOON, GRACE_BEGAN, RENEWED, FREED = "renewal_soon", "grace", "renewed", "freed"
"""Kinds of notices."""

# In grace only what has a chance: everybody who waits would be looked at every minute.
_DUE = text("""
SELECT s.account_id
FROM subscriptions s
JOIN plans p ON p.code = coalesce(s.next_plan_code, s.plan_code)
LEFT JOIN wallets w ON w.account_id = s.account_id
WHERE s.plan_code <> 'free' AND s.renews_at <= :now
    AND (s.grace_until IS NULL OR s.grace_until <= :now OR p.price = 0
        OR (w.balance - w.reserved >= p.price AND w.paused_at IS NULL))
ORDER BY s.renews_at, s.account_id
LIMIT :limit
""")

_TO_REMIND = text("""
SELECT s.account_id, s.renews_at, p.code AS plan, p.title_ru, p.title_en, p.price,
    greatest(0, p.price - coalesce(w.balance - w.reserved, 0)) AS missing,
    w.paused_at IS NOT NULL AS paused, key.days, key.key
FROM subscriptions s
JOIN plans p ON p.code = coalesce(s.next_plan_code, s.plan_code)
JOIN periods m ON m.account_id = s.account_id AND m.ends_at = s.renews_at
LEFT JOIN wallets w ON w.account_id = s.account_id
CROSS JOIN LATERAL (
    SELECT days, 'renewal:' || m.id || ':' || days AS key
    FROM unnest(CAST(:days AS int[])) AS days
    WHERE s.renews_at <= CAST(:now AS timestamptz) + make_interval(days => days)
    ORDER BY days LIMIT 1
) AS key
WHERE s.plan_code <> 'free' AND s.renews_at > :now AND s.renews_at <= :latest
    AND p.price > 0
    AND (coalesce(w.balance - w.reserved, 0) < p.price OR w.paused_at IS NOT NULL)
    AND NOT EXISTS (SELECT FROM notices n WHERE n.key = key.key)
ORDER BY s.renews_at, s.account_id
LIMIT :limit
""")


# What a reminder says, as it stands now: nothing if its renewal has come or the money is there.
_LACKING = text("""
SELECT greatest(0, p.price - coalesce(w.balance - w.reserved, 0)) AS missing,
    w.paused_at IS NOT NULL AS paused
FROM subscriptions s
JOIN plans p ON p.code = coalesce(s.next_plan_code, s.plan_code)
LEFT JOIN wallets w ON w.account_id = s.account_id
WHERE s.account_id = :account_id AND p.code = :plan
    AND (coalesce(w.balance - w.reserved, 0) < p.price OR w.paused_at IS NOT NULL)
    AND CASE WHEN :in_grace THEN s.grace_until = CAST(:moment AS timestamptz)
        ELSE s.grace_until IS NULL AND s.renews_at = CAST(:moment AS timestamptz) END
""")


async def due(session: AsyncSession, *, now: datetime, limit: int = 100) -> list[int]:
    """Accounts for which `renew` has something to do now, the longest overdue first."""
    return list((await session.scalars(_DUE, {"now": now, "limit": limit})).all())


async def renew(session: AsyncSession, account_id: int, *, now: datetime) -> Renewed:
    """Pays for the next period if this one is over; whoever else does so meanwhile, once.

    `renewed`: charged; months that passed while nobody renewed cost nothing. `grace`: the money
    isn't there. `freed`: as the person chose, or because grace has ended. The account is told.
    Raises NotFound for an account that is none.
    """
    current = await periods.locked(session, account_id, now=now)
    if not current.is_over(now):
        return Renewed("not_due", current.standing)
    next_code, grace_until = current.standing.next_plan_code, current.standing.grace_until
    if next_code == FREE:
        return await _free(session, current, current.renews_at, now)
    if grace_until is not None and grace_until <= now:
        return await _free(session, current, grace_until, now)
    wanted = await periods.plan(session, next_code or current.plan.code)
    try:
        return await _pay(session, current, wanted, now)
    except InsufficientFunds as error:
        return await _wait(session, current, wanted, now, missing=error.missing, paused=False)
    except WalletPaused:
        return await _wait(session, current, wanted, now, missing=0, paused=True)


async def remind(session: AsyncSession, *, now: datetime, limit: int = 100) -> int:
    """Tells accounts whose wallet won't do for the coming renewal; returns how many were told."""
    rows = await session.execute(
        _TO_REMIND,
        {
            "now": now,
            "latest": now + timedelta(days=max(REMIND_DAYS)),
            "days": list(REMIND_DAYS),
            "limit": limit,
        },
    )
    told = 0
    for row in rows.all():
        data = {
            "plan": row.plan,
            "title_ru": row.title_ru,
            "title_en": row.title_en,
            "price": row.price,
            "missing": row.missing,
            "paused": row.paused,
            "days": row.days,
            "at": row.renews_at.isoformat(),
        }
        told += await notices.tell(session, row.account_id, RENEWAL_SOON, data, key=row.key)
    return told


async def as_it_stands(session: AsyncSession, notice: NoticeClaim) -> NoticeClaim | None:
    """A notice with what is lacking at this moment; None if nothing is, or all has changed.

    Other kinds than reminders tell what has happened, and stay as they are.
    """
    if notice.kind not in (RENEWAL_SOON, GRACE_BEGAN):
        return notice
    in_grace = notice.kind == GRACE_BEGAN
    row = (
        await session.execute(
            _LACKING,
            {
                "account_id": notice.account_id,
                "plan": notice.data["plan"],
                "in_grace": in_grace,
                "moment": datetime.fromisoformat(str(notice.data["until" if in_grace else "at"])),
            },
        )
    ).one_or_none()
    if row is None:
        return None
    missing = 0 if row.paused else row.missing
    return replace(notice, data={**notice.data, "missing": missing, "paused": row.paused})


async def _pay(session: AsyncSession, current: Current, wanted: PlanView, now: datetime) -> Renewed:
    account_id, anchor_day = current.account_id, current.anchor_day
    starts_at = latest_start(current.renews_at, anchor_day, now)
    transfer_id = await periods.charge(
        session,
        current,
        wanted,
        wanted.price,
        kind=TransferKind.SUBSCRIPTION,
        starts_at=starts_at,
        key=f"renew:{account_id}:{starts_at.isoformat()}",
    )
    begun = await periods.begin(
        session,
        account_id,
        wanted,
        starts_at=starts_at,
        anchor_day=anchor_day,
        transfer_id=transfer_id,
    )
    data = {
        "price": wanted.price,
        "until": begun.period.ends_at.isoformat(),
        "changed": wanted.code != current.plan.code,
        **await _frozen(session, account_id),
    }
    await _tell(session, begun, RENEWED, wanted, data)
    return Renewed("renewed", begun.standing)


async def _wait(
    session: AsyncSession,
    current: Current,
    wanted: PlanView,
    now: datetime,
    *,
    missing: int,
    paused: bool,
) -> Renewed:
    """Grace begins, counted from when it was found out: nobody could pay before they were told."""
    if current.standing.grace_until is not None:
        return Renewed("grace", current.standing)
    until = now + GRACE
    await periods.change(session, current.account_id, grace_until=until)
    data = {
        "price": wanted.price,
        "missing": missing,
        "paused": paused,
        "until": until.isoformat(),
    }
    await _tell(session, current, GRACE_BEGAN, wanted, data)
    return Renewed("grace", replace(current.standing, grace_until=until))


async def _free(session: AsyncSession, current: Current, start: datetime, now: datetime) -> Renewed:
    begun = await periods.free_from(session, current, start, now=now)
    data = {
        "chosen": current.standing.next_plan_code == FREE,
        **await _frozen(session, current.account_id),
    }
    await _tell(session, begun, FREED, current.plan, data)
    return Renewed("freed", begun.standing)


async def _frozen(session: AsyncSession, account_id: int) -> dict[str, int]:
    """How much of what the account has is over the limits of its new period."""
    return {
        "frozen": await brands.count_frozen(session, account_id),
        "frozen_channels": await channels.count_frozen(session, account_id),
    }


async def _tell(
    session: AsyncSession, of: Current, kind: str, plan: PlanView, data: Mapping[str, object]
) -> None:
    """Once for the period it is about."""
    titles = {"plan": plan.code, "title_ru": plan.title_ru, "title_en": plan.title_en}
    key = f"{kind}:{of.period.id}"
    await notices.tell(session, of.account_id, kind, {**titles, **data}, key=key)
