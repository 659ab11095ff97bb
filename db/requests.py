"""Requests: a person's message becomes a draft; submitting it queues a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TypedDict, Unpack, cast

from sqlalchemy import Select, and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import brands, locks, periods, quotas
from db.errors import LimitReached, NotFound, Stale
from db.leases import seconds
from db.models import Account, Request, Task
from db.models import Brand as BrandRow
from db.states import RequestState, TaskState
from db.views import Brand, Brief, Draft, Locale, NewDraft, Submitted, Variation

WAITING_LIMIT = 10
"""Tasks of an account that wait at once."""


class DraftFields(TypedDict, total=False):
    """What `change_draft` can change."""

    raw_prompt: str
    cleaned_prompt: str
    platform: str | None
    goal: str | None
    aspect: str | None
    count: int
    enhance: bool
    brand_id: int | None
    photo_key: str | None


async def draft(session: AsyncSession, new: NewDraft) -> tuple[Draft, bool]:
    """The request of a message, and whether it is new: a message seen again finds its request.

    Raises NotFound for a brand of another account, LimitReached for a frozen one.
    """
    brand = None
    if new.brand_id is not None:
        brand = await brands.usable(session, new.account_id, new.brand_id)
    made = await session.scalar(
        insert(Request)
        .values(
            account_id=new.account_id,
            user_id=new.user_id,
            chat_id=new.chat_id,
            thread_id=new.thread_id,
            source_chat_id=new.chat_id,
            source_message_id=new.source_message_id,
            raw_prompt=new.raw_prompt,
            cleaned_prompt=new.cleaned_prompt,
            platform=new.platform,
            goal=new.goal,
            aspect=new.aspect,
            count=new.count,
            enhance=new.enhance,
            brand_id=new.brand_id,
            photo_key=new.photo_key,
            seed=new.seed,
            locale=new.locale,
        )
        .on_conflict_do_nothing()
        .returning(Request)
    )
    if made is not None:
        return _view(made, brand), True
    source = {"chat_id": new.chat_id, "message_id": new.source_message_id}
    found = await _find(session, _BY_MESSAGE, source)
    assert found is not None
    return found, False


async def get_draft(session: AsyncSession, account_id: int, request_id: int) -> Draft:
    """A request, whether still a draft or not. Raises NotFound."""
    found = await _find(session, _BY_ID, {"request_id": request_id, "account_id": account_id})
    if found is None:
        raise NotFound("request", request_id)
    return found


async def change_draft(
    session: AsyncSession, account_id: int, request_id: int, **fields: Unpack[DraftFields]
) -> Draft:
    """Sets the fields given, leaves the others.

    Raises NotFound (for a brand too), LimitReached for a frozen brand, Stale once the work has been
    ordered.
    """
    brand_id = fields.get("brand_id")
    if brand_id is not None:
        await brands.usable(session, account_id, brand_id)
    changed = await session.scalar(
        update(Request)
        .where(
            Request.id == request_id,
            Request.account_id == account_id,
            Request.state == RequestState.DRAFT,
        )
        .values(state=RequestState.DRAFT, **fields)
        .returning(Request)
        .execution_options(**_FRESH)
    )
    if changed is None:
        await get_draft(session, account_id, request_id)
        raise Stale("draft")
    return await _with_brand(session, changed)


async def of_message(
    session: AsyncSession, account_id: int, chat_id: int, source_message_id: int
) -> Draft | None:
    """The request that came from a message, whether still a draft or not."""
    source = {"chat_id": chat_id, "message_id": source_message_id}
    found = await _find(session, _BY_MESSAGE, source)
    return found if found is not None and found.account_id == account_id else None


async def set_card(session: AsyncSession, request_id: int, message_id: int) -> None:
    """Remembers which message is the request's draft card."""
    await session.execute(
        update(Request)
        .where(Request.id == request_id)
        .values(card_message_id=message_id)
        .execution_options(synchronize_session=False)
    )


async def prune_drafts(session: AsyncSession, *, older_than_days: float) -> int:
    """Deletes drafts that nobody has ordered for so long; returns how many."""
    oldest = func.now() - seconds(older_than_days * 86400)
    pruned = await session.scalars(
        delete(Request)
        .where(Request.state == RequestState.DRAFT, Request.created_at < oldest)
        .returning(Request.id)
        .execution_options(synchronize_session=False)
    )
    return len(pruned.all())


async def submit(
    session: AsyncSession,
    account_id: int,
    request_id: int,
    origin: str,
    *,
    chat_id: int,
    thread_id: int | None,
    now: datetime,
    status_message_id: int | None = None,
) -> Submitted:
    """Queues a task for the request as it stands now, for its author, and holds what it may cost.

    `origin` names the card and the action: the same origin again queues nothing. Raises NotFound,
    LimitReached, also for a brand that has been frozen since, QuotaOut, WalletPaused; the
    transaction must then be rolled back.
    """
    await locks.account(session, account_id)
    request = await _order(session, account_id, request_id)
    if request.brand is not None and request.brand.is_frozen:
        await brands.usable(session, account_id, request.brand.id)
    task = Task(
        request_id=request_id,
        account_id=account_id,
        user_id=request.user_id,
        locale=request.locale,
        origin=origin,
        brief=_brief(request),
        chat_id=chat_id,
        thread_id=thread_id,
        status_message_id=status_message_id,
    )
    return await _queue(session, task, now)


async def submit_again(
    session: AsyncSession,
    account_id: int,
    task_id: int,
    origin: str,
    *,
    user_id: int,
    locale: Locale,
    chat_id: int,
    thread_id: int | None,
    now: datetime,
    seed: int | None = None,
    variation: Variation | None = None,
) -> Submitted:
    """Queues one more task with the brief of `task_id`, for whoever asks for it now.

    `seed` None: the very same pictures; else others, `variation` says close to which of that task.
    The same origin again queues nothing. Raises NotFound, also for a deleted album, LimitReached.
    """
    await locks.account(session, account_id)
    old = await session.scalar(
        select(Task)
        .where(Task.id == task_id, Task.account_id == account_id, Task.hidden_at.is_(None))
        .execution_options(populate_existing=True)
    )
    if old is None:
        raise NotFound("task", task_id)
    like = None if variation is None else asdict(variation) | {"of": old.brief["variation"]}
    task = Task(
        request_id=old.request_id,
        account_id=account_id,
        user_id=user_id,
        locale=locale,
        origin=origin,
        brief=old.brief if seed is None else old.brief | {"seed": seed, "variation": like},
        chat_id=chat_id,
        thread_id=thread_id,
    )
    return await _queue(session, task, now)


async def _queue(session: AsyncSession, task: Task, now: datetime) -> Submitted:
    same = {"request_id": task.request_id, "origin": task.origin}
    line = await session.execute(_SAME_AND_WAITING, {**same, "account_id": task.account_id})
    found_id, waiting = line.one()
    if found_id is not None:
        return Submitted(task_id=found_id, created=False)
    if waiting >= WAITING_LIMIT:
        raise LimitReached("waiting tasks", WAITING_LIMIT)
    current = await periods.locked(session, task.account_id, now=now)
    task.priority = current.period.terms.priority
    session.add(task)
    await session.flush()
    await quotas.hold(session, current, task.id, cast(Brief, task.brief)["count"])
    return Submitted(task_id=task.id, created=True)


async def _order(session: AsyncSession, account_id: int, request_id: int) -> Draft:
    """Closes the draft; its row stays locked, so no change slips in before the task is made."""
    ordered = await session.scalar(
        update(Request)
        .where(Request.id == request_id, Request.account_id == account_id)
        .values(state=RequestState.SUBMITTED)
        .returning(Request)
        .execution_options(**_FRESH)
    )
    if ordered is None:
        raise NotFound("request", request_id)
    return await _with_brand(session, ordered)


def _brief(request: Draft) -> dict[str, object]:
    brand = request.brand
    brief: Brief = {
        "raw_prompt": request.raw_prompt,
        "cleaned_prompt": request.cleaned_prompt,
        "platform": request.platform,
        "goal": request.goal,
        "aspect": request.aspect,
        "count": request.count,
        "seed": request.seed,
        "enhance": request.enhance,
        "brand": None
        if brand is None
        else {
            "name": brand.name,
            "style_short": brand.style_short,
            "palette": list(brand.palette),
        },
        "variation": None,
        "photo": request.photo_key,
    }
    return {**brief}


_FRESH: dict[str, bool] = {"synchronize_session": False, "populate_existing": True}

# Made once: SQLAlchemy needs longer to put them together than Postgres to answer them.
_FOUND: Select[Request, BrandRow, int | None, bool] = (
    select(Request, BrandRow, Account.default_brand_id, brands.IS_FROZEN)
    .join(Account, Account.id == Request.account_id)
    .outerjoin(BrandRow, and_(BrandRow.id == Request.brand_id, BrandRow.deleted_at.is_(None)))
    .execution_options(populate_existing=True)
)


_BY_ID = _FOUND.where(
    Request.id == bindparam("request_id"), Request.account_id == bindparam("account_id")
)
_BY_MESSAGE = _FOUND.where(
    Request.source_chat_id == bindparam("chat_id"),
    Request.source_message_id == bindparam("message_id"),
)
_SAME_AND_WAITING = select(
    select(Task.id)
    .where(Task.request_id == bindparam("request_id"), Task.origin == bindparam("origin"))
    .scalar_subquery(),
    select(func.count())
    .where(Task.account_id == bindparam("account_id"), Task.state == TaskState.QUEUED)
    .scalar_subquery(),
)


async def _with_brand(session: AsyncSession, row: Request) -> Draft:
    """A row that was just written: its brand is looked up, if it has one."""
    if row.brand_id is None:
        return _view(row, None)
    return await get_draft(session, row.account_id, row.id)


async def _find(
    session: AsyncSession,
    query: Select[Request, BrandRow, int | None, bool],
    values: Mapping[str, int],
) -> Draft | None:
    """With its brand, unless that has been deleted since."""
    found = (await session.execute(query, values)).one_or_none()
    if found is None:
        return None
    row, brand_row, default_id, frozen = found
    return _view(row, None if brand_row is None else brands.view(brand_row, default_id, frozen))


def _view(row: Request, brand: Brand | None) -> Draft:
    return Draft(
        id=row.id,
        account_id=row.account_id,
        user_id=row.user_id,
        chat_id=row.chat_id,
        thread_id=row.thread_id,
        source_message_id=row.source_message_id,
        raw_prompt=row.raw_prompt,
        cleaned_prompt=row.cleaned_prompt,
        platform=row.platform,
        goal=row.goal,
        aspect=row.aspect,
        count=row.count,
        enhance=row.enhance,
        brand=brand,
        seed=row.seed,
        locale=cast(Locale, row.locale),
        card_message_id=row.card_message_id,
        state=row.state,
        photo_key=row.photo_key,
        brand_gone=brand is None and row.brand_id is not None,
    )
