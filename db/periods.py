"""An account's plan and its periods as rows: found, made when missing, begun anew.

What the rules of `db.plans` and `db.renewals` stand on. Whoever changes an account's plan holds
its subscription's row; after it they lock periods, then wallets, as holds do.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import wallet
from db.errors import NotFound, WalletPaused
from db.models import Account, Period, Plan, Subscription
from db.models.plans import FREE
from db.money_views import PeriodView, PlanView, Standing, Terms
from db.months import add_months, latest_start
from db.states import SystemWallet, TransferKind

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Current:
    """Where an account stands, and when its next period is to begin: `renews_at`, and from then on
    every `anchor_day` of the month."""

    account_id: int
    standing: Standing
    anchor_day: int
    renews_at: datetime

    @property
    def plan(self) -> PlanView:
        return self.standing.plan

    @property
    def period(self) -> PeriodView:
        return self.standing.period

    def is_over(self, now: datetime) -> bool:
        """Whether the period has run out and the next one has not begun."""
        return now >= self.renews_at


async def current(session: AsyncSession, account_id: int, *, now: datetime) -> Current:
    """As it is now: who is met for the first time begins with Free, whose months need no charge
    to roll over. Raises NotFound for an account that is none."""
    found = await _look(session, account_id)
    if found is None or _is_to_roll(found, now):
        return await locked(session, account_id, now=now)
    return found


async def locked(session: AsyncSession, account_id: int, *, now: datetime) -> Current:
    """The same, and until the transaction's end nobody else changes the account's plan."""
    if not await _lock(session, account_id):
        if await _subscribe(session, account_id, now):
            free = await plan(session, FREE)
            return await begin(session, account_id, free, starts_at=now, anchor_day=now.day)
        # A twin of this call was faster, or there is no such account.
        if not await _lock(session, account_id):
            raise NotFound("account", account_id)
    # Looked at after the lock is ours: what others did while we waited for it is seen.
    found = await _look(session, account_id)
    assert found is not None
    if _is_to_roll(found, now):
        return await free_from(session, found, found.renews_at, now=now)
    return found


async def begin(
    session: AsyncSession,
    account_id: int,
    of_plan: PlanView,
    *,
    starts_at: datetime,
    anchor_day: int,
    transfer_id: int | None = None,
) -> Current:
    """A new period on the plan's terms of today. The subscription must be locked."""
    ends_at = add_months(starts_at, 1, anchor_day)
    period = await session.scalar(
        insert(Period)
        .values(
            account_id=account_id,
            plan_code=of_plan.code,
            starts_at=starts_at,
            ends_at=ends_at,
            price=of_plan.price,
            transfer_id=transfer_id,
            **asdict(of_plan.terms),
        )
        .returning(Period)
    )
    subscription = await change(
        session,
        account_id,
        plan_code=of_plan.code,
        next_plan_code=None,
        anchor_day=anchor_day,
        renews_at=ends_at,
        grace_until=None,
    )
    assert period is not None
    return _view(subscription, of_plan, period)


async def free_from(
    session: AsyncSession, before: Current, start: datetime, *, now: datetime
) -> Current:
    """Free, its months counted from `start`; those that nobody was there for are left out."""
    # Grace ends on a day that is not the old anchor.
    anchor_day = before.anchor_day if start == before.renews_at else start.day
    return await begin(
        session,
        before.account_id,
        await plan(session, FREE),
        starts_at=latest_start(start, anchor_day, now),
        anchor_day=anchor_day,
    )


async def charge(
    session: AsyncSession,
    before: Current,
    wanted: PlanView,
    amount: int,
    *,
    kind: TransferKind,
    starts_at: datetime,
    key: str,
) -> int | None:
    """Takes the price of a period from the wallet; the transfer's id, None for a gift.

    Raises InsufficientFunds, WalletPaused; then nothing has been written.
    """
    if amount == 0:
        return None
    account_id = before.account_id
    if (await wallet.wallet(session, account_id)).paused:
        raise WalletPaused
    memo = {
        "plan": wanted.code,
        "title_ru": wanted.title_ru,
        "title_en": wanted.title_en,
        "starts_at": starts_at.isoformat(),
    }
    made = await wallet.transfer(session, account_id, SystemWallet.REVENUE, amount, kind, key, memo)
    return made.id


async def cut(session: AsyncSession, period: PeriodView, ends_at: datetime) -> None:
    """Ends a period early; one that is over already stays as it was. Its holds still resolve."""
    await session.execute(
        update(Period)
        .where(Period.id == period.id, Period.ends_at > ends_at)
        .values(ends_at=ends_at)
        .execution_options(synchronize_session=False)
    )


def start_after(period: PeriodView, now: datetime) -> datetime:
    """`now`, or just after the period began: no two begin at once, whatever the clocks say."""
    return max(now, period.starts_at + _TICK)


async def change(session: AsyncSession, account_id: int, **fields: object) -> Subscription:
    """Sets fields of a locked subscription; returns it as it is then."""
    changed = await session.scalar(
        update(Subscription)
        .where(Subscription.account_id == account_id)
        .values(**fields)
        .returning(Subscription)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    assert changed is not None
    return changed


async def plan(session: AsyncSession, code: str) -> PlanView:
    """Raises NotFound."""
    found = await session.get(Plan, code, populate_existing=True)
    if found is None:
        raise NotFound("plan")
    return plan_view(found)


def plan_view(row: Plan) -> PlanView:
    """A stored plan as others see it."""
    return PlanView(
        code=row.code,
        title_ru=row.title_ru,
        title_en=row.title_en,
        price=row.price,
        terms=_terms(row),
        is_offered=row.is_offered,
    )


def _period_view(row: Period) -> PeriodView:
    return PeriodView(
        id=row.id,
        account_id=row.account_id,
        plan_code=row.plan_code,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        price=row.price,
        terms=_terms(row),
        used=row.used,
        held=row.held,
    )


def _terms(row: Plan | Period) -> Terms:
    return Terms(
        images_limit=row.images_limit,
        auto_enhance=row.auto_enhance,
        auto_best=row.auto_best,
        brand_limit=row.brand_limit,
        lora_limit=row.lora_limit,
        seats=row.seats,
        channels=row.channels,
        priority=row.priority,
        picture_price=row.picture_price,
    )


def _is_to_roll(found: Current, now: datetime) -> bool:
    return found.plan.code == FREE and found.is_over(now)


# Made once: it is asked for with every request, and costs more to put together than to answer.
_NEWEST = (
    select(func.max(Period.starts_at))
    .where(Period.account_id == bindparam("account_id"))
    .scalar_subquery()
)
_CURRENT = (
    select(Subscription, Plan, Period)
    .join(Plan, Plan.code == Subscription.plan_code)
    .join(Period, and_(Period.account_id == Subscription.account_id, Period.starts_at == _NEWEST))
    .where(Subscription.account_id == bindparam("account_id"))
    .execution_options(populate_existing=True)
)

# The account first: the new period will refer to it, and a team's move locks it before all else.
_LOCK = text("""
WITH account AS MATERIALIZED (
    SELECT id FROM accounts WHERE id = :account_id FOR KEY SHARE
)
SELECT s.account_id FROM account JOIN subscriptions s ON s.account_id = account.id
FOR NO KEY UPDATE OF s
""")


async def _look(session: AsyncSession, account_id: int) -> Current | None:
    found = (await session.execute(_CURRENT, {"account_id": account_id})).one_or_none()
    if found is None:
        return None
    subscription, plan_row, period_row = found
    return _view(subscription, plan_view(plan_row), period_row)


def _view(subscription: Subscription, of_plan: PlanView, period: Period) -> Current:
    return Current(
        account_id=subscription.account_id,
        standing=Standing(
            plan=of_plan,
            period=_period_view(period),
            next_plan_code=subscription.next_plan_code,
            grace_until=subscription.grace_until,
            pays_per_picture=subscription.pays_per_picture,
        ),
        anchor_day=subscription.anchor_day,
        renews_at=subscription.renews_at,
    )


async def _lock(session: AsyncSession, account_id: int) -> bool:
    """False: there is no subscription yet."""
    return await session.scalar(_LOCK, {"account_id": account_id}) is not None


async def _subscribe(session: AsyncSession, account_id: int, now: datetime) -> bool:
    """False: there is no such account, or a twin of this call was faster."""
    made_for = await session.scalar(
        insert(Subscription)
        .from_select(
            ["account_id", "plan_code", "anchor_day", "renews_at"],
            select(Account.id, literal(FREE), literal(now.day), literal(now)).where(
                Account.id == account_id
            ),
        )
        .on_conflict_do_nothing()
        .returning(Subscription.account_id)
    )
    return made_for is not None
