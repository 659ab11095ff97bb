"""Brand profiles of an account: made, changed, deleted, one of them the default.

How many there may be is a matter of the plan. Those over its limit, the oldest but the default
one first, are frozen: kept and shown, and not to be used or changed until a larger plan comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, Unpack

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db import captions, locks
from db.errors import BrandNameTaken, LimitReached, NotFound
from db.models import Account, Period, Plan
from db.models import Brand as Row
from db.models.plans import FREE
from db.views import Brand

NAME_MAX = 40
STYLE_SHORT_MAX = 200


class BrandFields(TypedDict, total=False):
    """What `edit` can change."""

    name: str
    style_original: str
    style_short: str
    palette: Sequence[str]
    preset: str | None
    signature: str | None
    hashtags: Sequence[str]
    advertiser: str | None
    erid: str | None
    marks_ai: bool


async def create(
    session: AsyncSession,
    account_id: int,
    *,
    name: str,
    style_original: str,
    style_short: str,
    palette: Sequence[str],
    preset: str | None,
) -> Brand:
    """Adds a brand; the very same once more is the brand that is there (a message handled twice).

    Raises BrandNameTaken, LimitReached with the plan's limit.
    """
    await _lock(session, account_id)
    values = {
        "style_original": style_original,
        "style_short": style_short,
        "palette": list(palette),
        "preset": preset,
    }
    same_name = await _named(session, account_id, name)
    if same_name is not None:
        if all(getattr(same_name, field) == value for field, value in values.items()):
            return await get(session, account_id, same_name.id)
        raise BrandNameTaken(name)
    count = await session.scalar(
        select(func.count()).where(Row.account_id == account_id, Row.deleted_at.is_(None))
    )
    limit = await _limit(session, account_id)
    if (count or 0) >= limit:
        raise LimitReached("brands", limit)
    brand_id = await session.scalar(
        insert(Row)
        .values(account_id=account_id, name=name, name_key=_name_key(name), **values)
        .returning(Row.id)
    )
    assert brand_id is not None
    return await get(session, account_id, brand_id)


async def list_(session: AsyncSession, account_id: int) -> tuple[Brand, ...]:
    """The account's brands in the order they were made."""
    rows = await session.execute(_ALL, {"account_id": account_id})
    return tuple(view(*found) for found in rows)


async def get(session: AsyncSession, account_id: int, brand_id: int) -> Brand:
    """Raises NotFound, also for another account's brand and a deleted one."""
    found = (
        await session.execute(_ONE, {"account_id": account_id, "brand_id": brand_id})
    ).one_or_none()
    if found is None:
        raise NotFound("brand", brand_id)
    return view(*found)


async def usable(session: AsyncSession, account_id: int, brand_id: int) -> Brand:
    """A brand to draw with. Raises NotFound, LimitReached for a frozen one."""
    brand = await get(session, account_id, brand_id)
    if brand.is_frozen:
        raise LimitReached("brands", await _limit(session, account_id))
    return brand


async def count_frozen(session: AsyncSession, account_id: int) -> int:
    """How many of the account's brands are over its plan's limit."""
    return sum(brand.is_frozen for brand in await list_(session, account_id))


async def edit(
    session: AsyncSession, account_id: int, brand_id: int, **fields: Unpack[BrandFields]
) -> Brand:
    """Sets the fields given, leaves the others; drafts of posts follow.

    Raises NotFound, BrandNameTaken, LimitReached for a frozen one.
    """
    await _lock(session, account_id)
    await usable(session, account_id, brand_id)
    values: dict[str, object] = dict(fields)
    if "palette" in fields:
        values["palette"] = list(fields["palette"])
    if "hashtags" in fields:
        values["hashtags"] = list(fields["hashtags"])
    if "name" in fields:
        same_name = await _named(session, account_id, fields["name"])
        if same_name is not None and same_name.id != brand_id:
            raise BrandNameTaken(fields["name"])
        values["name_key"] = _name_key(fields["name"])
    if values:
        await session.execute(
            update(Row)
            .where(Row.id == brand_id, Row.account_id == account_id, Row.deleted_at.is_(None))
            .values(**values)
        )
        await captions.follow(session, account_id, brand_id)
    return await get(session, account_id, brand_id)


async def delete(session: AsyncSession, account_id: int, brand_id: int) -> None:
    """Takes a brand out of sight; albums made with it keep its name. Raises NotFound."""
    deleted_id = await session.scalar(
        update(Row)
        .where(Row.id == brand_id, Row.account_id == account_id, Row.deleted_at.is_(None))
        .values(deleted_at=func.now())
        .returning(Row.id)
    )
    if deleted_id is None:
        raise NotFound("brand", brand_id)
    await captions.follow(session, account_id, brand_id)
    await session.execute(
        update(Account)
        .where(Account.id == account_id, Account.default_brand_id == brand_id)
        .values(default_brand_id=None)
    )


async def set_default(session: AsyncSession, account_id: int, brand_id: int | None) -> None:
    """The brand that new drafts start with; None: neutral.

    Raises NotFound, LimitReached for a frozen one.
    """
    # Which brands are frozen hangs from which is the default.
    await _lock(session, account_id)
    if brand_id is not None:
        await usable(session, account_id, brand_id)
    await session.execute(
        update(Account).where(Account.id == account_id).values(default_brand_id=brand_id)
    )


async def default(session: AsyncSession, account_id: int) -> Brand | None:
    """The brand that new drafts start with; a frozen one is none."""
    found = (await session.execute(_DEFAULT, {"account_id": account_id})).one_or_none()
    brand = None if found is None else view(*found)
    return None if brand is None or brand.is_frozen else brand


def _is_frozen() -> ColumnElement[bool]:
    other = aliased(Row)
    goes_before = or_(
        other.id == Account.default_brand_id,
        and_(other.id < Row.id, Row.id.is_distinct_from(Account.default_brand_id)),
    )
    before = (
        select(func.count())
        .select_from(other)
        .where(
            other.account_id == Account.id,
            other.deleted_at.is_(None),
            other.id != Row.id,
            goes_before,
        )
        .correlate(Row, Account)
        .scalar_subquery()
    )
    return before >= func.coalesce(*_limits())


def _limits() -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    """The limit of an `Account`'s period, and that of whoever has none yet."""
    newest = aliased(Period)
    of_period = (
        select(newest.brand_limit)
        .where(newest.account_id == Account.id)
        .order_by(newest.starts_at.desc())
        .limit(1)
        .correlate(Account)
        .scalar_subquery()
    )
    return of_period, select(Plan.brand_limit).where(Plan.code == FREE).scalar_subquery()


# Made once: SQLAlchemy needs longer to put them together than Postgres to answer them.
IS_FROZEN = _is_frozen()
"""For a query of `Brand` and `Account`: whether the brand is over its account's limit."""
_OF_ACCOUNT: Select[Row, int | None, bool] = (
    select(Row, Account.default_brand_id, IS_FROZEN)
    .join(Account, Account.id == Row.account_id)
    .where(Row.account_id == bindparam("account_id"), Row.deleted_at.is_(None))
    .execution_options(populate_existing=True)
)
_ALL = _OF_ACCOUNT.order_by(Row.id)
_ONE = _OF_ACCOUNT.where(Row.id == bindparam("brand_id"))
_DEFAULT = _OF_ACCOUNT.where(Row.id == Account.default_brand_id)
_LIMIT = (
    select(func.coalesce(*_limits()))
    .select_from(Account)
    .where(Account.id == bindparam("account_id"))
)


async def _limit(session: AsyncSession, account_id: int) -> int:
    return await session.scalar(_LIMIT, {"account_id": account_id}) or 0


async def _lock(session: AsyncSession, account_id: int) -> None:
    """One change of an account's brands at a time, so that limit and names can be looked up."""
    if not await locks.account(session, account_id):
        raise NotFound("account", account_id)


async def _named(session: AsyncSession, account_id: int, name: str) -> Row | None:
    return await session.scalar(
        select(Row)
        .where(
            Row.account_id == account_id,
            Row.name_key == _name_key(name),
            Row.deleted_at.is_(None),
        )
        .execution_options(populate_existing=True)
    )


def _name_key(name: str) -> str:
    return " ".join(name.split()).casefold()


def view(row: Row, default_id: int | None, frozen: bool) -> Brand:
    """A stored brand as others see it; `default_id` is its account's default."""
    return Brand(
        id=row.id,
        account_id=row.account_id,
        name=row.name,
        style_original=row.style_original,
        style_short=row.style_short,
        palette=tuple(row.palette),
        preset=row.preset,
        is_default=row.id == default_id,
        is_frozen=frozen,
        signature=row.signature,
        hashtags=tuple(row.hashtags),
        advertiser=row.advertiser,
        erid=row.erid,
        marks_ai=row.marks_ai,
    )
