"""Plans: what there is to buy, where an account stands, and what another plan would cost it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db import periods
from db.errors import NotFound
from db.models import Plan
from db.models.plans import FREE
from db.money_views import PlanView, Quote, Standing, Terms
from db.months import add_months as add_months
from db.periods import Current


async def list_(session: AsyncSession) -> tuple[PlanView, ...]:
    """What may be chosen now, Free first."""
    rows = await session.scalars(
        select(Plan)
        .where(Plan.is_offered)
        .order_by(Plan.position, Plan.code)
        .execution_options(populate_existing=True)
    )
    return tuple(periods.plan_view(row) for row in rows)


async def standing(session: AsyncSession, account_id: int, *, now: datetime) -> Standing:
    """The account's plan and period; never charges. Raises NotFound for an account that is none.

    Whoever is met for the first time begins with Free, whose months follow one another by
    themselves.
    """
    return periods.standing(await periods.current(session, account_id, now=now))


async def terms(session: AsyncSession, account_id: int, *, now: datetime) -> Terms:
    """What the account may do now. Raises NotFound for an account that is none."""
    return (await standing(session, account_id, now=now)).period.terms


async def quote(session: AsyncSession, account_id: int, plan_code: str, *, now: datetime) -> Quote:
    """What `choose` would do and charge. Raises NotFound for a plan that can't be chosen."""
    current = await periods.current(session, account_id, now=now)
    return _quote(current, await _choosable(session, plan_code, current), now)


async def switch_pay_per_picture(
    session: AsyncSession, account_id: int, on: bool, *, now: datetime
) -> Standing:
    """Whether pictures past the quota are paid for from the wallet."""
    await periods.locked(session, account_id, now=now)
    await periods.change(session, account_id, pays_per_picture=on)
    return await standing(session, account_id, now=now)


async def _choosable(session: AsyncSession, plan_code: str, current: Current) -> Plan:
    wanted = await periods.plan(session, plan_code)
    if not wanted.is_offered and plan_code != current.subscription.plan_code:
        raise NotFound("plan")
    return wanted


def _quote(current: Current, wanted: Plan, now: datetime) -> Quote:
    subscription, period = current.subscription, current.period
    is_over = current.is_over(now)
    if wanted.code == subscription.plan_code and not is_over:
        return Quote(wanted.code, "keep", wanted.price, 0, 0, period.starts_at)
    if wanted.code == FREE:
        return Quote(FREE, "downgrade", 0, 0, 0, max(now, subscription.renews_at))
    if subscription.plan_code == FREE or is_over:
        return Quote(wanted.code, "buy", wanted.price, 0, wanted.price, now)
    # By what was paid, not by what the plan costs today: so the credit is always less.
    if wanted.price > period.price:
        credit = _credit(current, now)
        return Quote(wanted.code, "upgrade", wanted.price, credit, wanted.price - credit, now)
    return Quote(wanted.code, "downgrade", wanted.price, 0, 0, subscription.renews_at)


def _credit(current: Current, now: datetime) -> int:
    """floor(price * time left / the period's time), to the microsecond."""
    period = current.period
    whole = _microseconds(period.ends_at - period.starts_at)
    left = _microseconds(period.ends_at - now)
    return period.price * min(left, whole) // whole


def _microseconds(length: timedelta) -> int:
    return length // timedelta(microseconds=1)
