"""Plans: what there is to buy, where an account stands, what another plan costs it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from sqlalchemy import func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import periods
from db.errors import NotFound, Stale
from db.models import Period, Plan, Transfer
from db.models.plans import FREE
from db.money_views import Agreed, PlanView, Quote, Standing, Terms
from db.months import add_months as add_months
from db.months import latest_start
from db.periods import Current
from db.renewals import due as due
from db.renewals import remind as remind
from db.renewals import renew as renew
from db.states import TransferKind


class PlanFields(TypedDict, total=False):
    """What `put` can set. Kopecks: `price` a month, `picture_price` for each past the quota."""

    title_ru: str
    title_en: str
    position: int
    is_offered: bool
    price: int
    picture_price: int
    images_limit: int
    auto_enhance: bool
    auto_best: bool
    brand_limit: int
    lora_limit: int
    seats: int
    channels: int
    priority: int


async def list_(session: AsyncSession, *, withdrawn: bool = False) -> tuple[PlanView, ...]:
    """What may be chosen now, Free first; with `withdrawn` also what may not any more."""
    rows = await session.scalars(
        select(Plan)
        .where(or_(Plan.is_offered, literal(withdrawn)))
        .order_by(Plan.position, Plan.code)
        .execution_options(populate_existing=True)
    )
    return tuple(periods.plan_view(row) for row in rows)


async def put(session: AsyncSession, code: str, **fields: Unpack[PlanFields]) -> PlanView:
    """Changes a plan, from everybody's next period on. One that is not there yet is made with
    Free's terms but for the fields given. Raises NotFound for a new one without titles and price.
    """
    changed = await session.scalar(
        update(Plan)
        .where(Plan.code == code)
        .values({"code": code, **fields})
        .returning(Plan.code)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        if not fields.keys() >= {"title_ru", "title_en", "price"}:
            raise NotFound("plan")
        free = await periods.plan(session, FREE)
        last = await session.scalar(select(func.max(Plan.position))) or 0
        terms = asdict(free.terms)
        await session.execute(
            insert(Plan).values({"code": code, **terms, "position": last + 1, **fields})
        )
    return await periods.plan(session, code)


async def standing(session: AsyncSession, account_id: int, *, now: datetime) -> Standing:
    """The account's plan and period; never charges. Raises NotFound for an account that is none.

    Whoever is met for the first time begins with Free, whose months follow one another by
    themselves.
    """
    return (await periods.current(session, account_id, now=now)).standing


async def terms(session: AsyncSession, account_id: int, *, now: datetime) -> Terms:
    """What the account may do now. Raises NotFound for an account that is none."""
    return (await standing(session, account_id, now=now)).period.terms


async def quote(session: AsyncSession, account_id: int, plan_code: str, *, now: datetime) -> Quote:
    """What `choose` would do and charge. Raises NotFound for a plan that can't be chosen."""
    current = await periods.current(session, account_id, now=now)
    return _quote(current, await _choosable(session, plan_code, current), now)


async def choose(
    session: AsyncSession,
    account_id: int,
    plan_code: str,
    *,
    now: datetime,
    agreed: Agreed | None = None,
) -> Standing:
    """Takes a plan, as `quote` says: what costs more begins and is charged at once, what costs
    less begins with the next period, the plan that is there stays.

    Charged is what was `agreed`; None: nothing. Raises NotFound for a plan that can't be chosen,
    Stale where it would cost another sum, InsufficientFunds, WalletPaused; then nothing has been
    written.
    """
    current = await periods.locked(session, account_id, now=now)
    if agreed is not None and await _is_charged(session, _key(account_id, agreed)):
        return current.standing
    wanted = await _choosable(session, plan_code, current)
    offer = _quote(current, wanted, now)
    if offer.to_pay != (0 if agreed is None else agreed.to_pay):
        raise Stale("price")
    if offer.kind in ("buy", "upgrade"):
        return await _take(session, current, wanted, offer, now, agreed)
    if offer.kind == "downgrade" and current.is_over(now):
        return (await periods.free_from(session, current, now, now=now)).standing
    await periods.change(
        session, account_id, next_plan_code=wanted.code if offer.kind == "downgrade" else None
    )
    return await standing(session, account_id, now=now)


async def switch_pay_per_picture(
    session: AsyncSession, account_id: int, on: bool, *, now: datetime
) -> Standing:
    """Whether pictures past the quota are paid for from the wallet."""
    await periods.locked(session, account_id, now=now)
    await periods.change(session, account_id, pays_per_picture=on)
    return await standing(session, account_id, now=now)


async def _choosable(session: AsyncSession, plan_code: str, current: Current) -> PlanView:
    wanted = await periods.plan(session, plan_code)
    if not wanted.is_offered and plan_code != current.plan.code:
        raise NotFound("plan")
    return wanted


def _key(account_id: int, agreed: Agreed) -> str:
    return f"plan:{account_id}:{agreed.key}"


async def _is_charged(session: AsyncSession, key: str) -> bool:
    found = await session.scalar(select(Transfer.id).where(Transfer.key == key))
    return found is not None


async def _take(
    session: AsyncSession,
    current: Current,
    wanted: PlanView,
    offer: Quote,
    now: datetime,
    agreed: Agreed | None,
) -> Standing:
    """Pays what was agreed, ends the running period and begins the new one."""
    period = current.period
    starts_at, anchor_day = periods.start_after(period, now), now.day
    if wanted.code == current.plan.code:
        # Its own plan, while the period waits for money: the months go on as they were.
        anchor_day = current.anchor_day
        starts_at = latest_start(current.renews_at, anchor_day, now)
    # The period before the wallet, as holds lock them.
    await session.execute(
        select(Period.id).where(Period.id == period.id).with_for_update(key_share=True)
    )
    transfer_id: int | None = None
    if agreed is not None:
        transfer_id = await periods.charge(
            session,
            current,
            wanted,
            agreed.to_pay,
            kind=TransferKind.UPGRADE if offer.kind == "upgrade" else TransferKind.SUBSCRIPTION,
            starts_at=starts_at,
            key=_key(current.account_id, agreed),
        )
    await periods.cut(session, period, starts_at)
    begun = await periods.begin(
        session,
        current.account_id,
        wanted,
        starts_at=starts_at,
        anchor_day=anchor_day,
        transfer_id=transfer_id,
    )
    return begun.standing


def _quote(current: Current, wanted: PlanView, now: datetime) -> Quote:
    period, renews_at = current.period, current.renews_at
    is_over = current.is_over(now)
    if wanted.code == current.plan.code and not is_over:
        return Quote(wanted.code, "keep", wanted.price, 0, 0, period.starts_at)
    if wanted.code == FREE:
        return Quote(FREE, "downgrade", 0, 0, 0, max(now, renews_at))
    if current.plan.code == FREE or is_over:
        return Quote(wanted.code, "buy", wanted.price, 0, wanted.price, now)
    # By what was paid, not by what the plan costs today: so the credit is always less.
    if wanted.price > period.price:
        worth = credit(period.price, period.ends_at - now, period.ends_at - period.starts_at)
        return Quote(wanted.code, "upgrade", wanted.price, worth, wanted.price - worth, now)
    return Quote(wanted.code, "downgrade", wanted.price, 0, 0, renews_at)


def credit(price: int, left: timedelta, whole: timedelta) -> int:
    """What is left of a period is worth: floor(price * left / whole), exact to the microsecond."""
    tick = timedelta(microseconds=1)
    return price * (min(left, whole) // tick) // (whole // tick)
