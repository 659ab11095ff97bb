"""Requests: a person's message becomes a draft; submitting it queues a task."""

from __future__ import annotations

from typing import TypedDict, Unpack, cast

from sqlalchemy import and_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from db import brands, tasks
from db.errors import NotFound, Stale
from db.models import Account, Request, Task
from db.models import Brand as BrandRow
from db.states import RequestState
from db.views import Brand, Brief, Draft, Locale, NewDraft, Submitted, Variation


class DraftFields(TypedDict, total=False):
    """What `change_draft` can change."""

    platform: str | None
    goal: str | None
    aspect: str | None
    count: int
    enhance: bool
    brand_id: int | None


async def draft(session: AsyncSession, new: NewDraft) -> tuple[Draft, bool]:
    """The request of a message, and whether it is new: a message seen again finds its request.

    Raises NotFound for a brand of another account.
    """
    if new.brand_id is not None:
        await brands.get(session, new.account_id, new.brand_id)
    made_id = await session.scalar(
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
            seed=new.seed,
            locale=new.locale,
            is_group=new.is_group,
        )
        .on_conflict_do_nothing()
        .returning(Request.id)
    )
    of_message = _of_message(new.chat_id, new.source_message_id)
    found = await _find(session, of_message)
    assert found is not None
    return found, made_id is not None


async def get_draft(session: AsyncSession, account_id: int, request_id: int) -> Draft:
    """A request, whether still a draft or not. Raises NotFound, also for a deleted one."""
    found = await _find(
        session,
        and_(
            Request.id == request_id,
            Request.account_id == account_id,
            Request.state != RequestState.DELETED,
        ),
    )
    if found is None:
        raise NotFound("request", request_id)
    return found


async def change_draft(
    session: AsyncSession, account_id: int, request_id: int, **fields: Unpack[DraftFields]
) -> Draft:
    """Sets the fields given, leaves the others.

    Raises NotFound (for a brand too), Stale once the work has been ordered.
    """
    brand_id = fields.get("brand_id")
    if brand_id is not None:
        await brands.get(session, account_id, brand_id)
    changed_id = await session.scalar(
        update(Request)
        .where(
            Request.id == request_id,
            Request.account_id == account_id,
            Request.state == RequestState.DRAFT,
        )
        .values(state=RequestState.DRAFT, **fields)
        .returning(Request.id)
        .execution_options(synchronize_session=False)
    )
    found = await get_draft(session, account_id, request_id)
    if changed_id is None:
        raise Stale("draft")
    return found


async def change_prompt(
    session: AsyncSession,
    chat_id: int,
    source_message_id: int,
    *,
    raw_prompt: str,
    cleaned_prompt: str,
    platform: str | None,
    goal: str | None,
) -> Draft | None:
    """Follows a message that its author edited.

    None: no request came from it. A state other than draft: the work has begun, and nothing
    was changed.
    """
    of_message = _of_message(chat_id, source_message_id)
    await session.execute(
        update(Request)
        .where(of_message, Request.state == RequestState.DRAFT)
        .values(raw_prompt=raw_prompt, cleaned_prompt=cleaned_prompt, platform=platform, goal=goal)
        .execution_options(synchronize_session=False)
    )
    return await _find(session, of_message)


async def set_card(session: AsyncSession, request_id: int, message_id: int) -> None:
    """Remembers which message is the request's draft card."""
    await session.execute(
        update(Request)
        .where(Request.id == request_id)
        .values(card_message_id=message_id)
        .execution_options(synchronize_session=False)
    )


async def submit(
    session: AsyncSession,
    account_id: int,
    request_id: int,
    origin: str,
    *,
    chat_id: int,
    thread_id: int | None,
    seed: int | None = None,
    variation: Variation | None = None,
    status_message_id: int | None = None,
) -> Submitted:
    """Queues a task for the request as it stands now.

    `origin` names the card and the action: the same origin again queues nothing. `seed` None:
    the request's own. Raises NotFound.
    """
    request = await _order(session, account_id, request_id)
    made_id = await session.scalar(
        insert(Task)
        .values(
            request_id=request_id,
            account_id=account_id,
            origin=origin,
            brief=_brief(request, request.seed if seed is None else seed, variation),
            chat_id=chat_id,
            thread_id=thread_id,
            status_message_id=status_message_id,
        )
        .on_conflict_do_nothing()
        .returning(Task.id)
    )
    if made_id is not None:
        return Submitted(task_id=made_id, created=True)
    task_id = await session.scalar(
        select(Task.id).where(Task.request_id == request_id, Task.origin == origin)
    )
    assert task_id is not None
    return Submitted(task_id=task_id, created=False)


async def delete_request(session: AsyncSession, account_id: int, request_id: int) -> None:
    """Takes a request with all its albums out of the history, and stops its tasks.

    Raises NotFound.
    """
    deleted_id = await session.scalar(
        update(Request)
        .where(
            Request.id == request_id,
            Request.account_id == account_id,
            Request.state != RequestState.DELETED,
        )
        .values(state=RequestState.DELETED)
        .returning(Request.id)
        .execution_options(synchronize_session=False)
    )
    if deleted_id is None:
        raise NotFound("request", request_id)
    await tasks.cancel_all_of(session, request_id)


async def _order(session: AsyncSession, account_id: int, request_id: int) -> Draft:
    """Closes the draft; its row stays locked, so no change slips in before the task is made."""
    await session.execute(
        update(Request)
        .where(
            Request.id == request_id,
            Request.account_id == account_id,
            Request.state != RequestState.DELETED,
        )
        .values(state=RequestState.SUBMITTED)
        .execution_options(synchronize_session=False)
    )
    return await get_draft(session, account_id, request_id)


def _brief(request: Draft, seed: int, variation: Variation | None) -> Brief:
    brand = request.brand
    return {
        "raw_prompt": request.raw_prompt,
        "cleaned_prompt": request.cleaned_prompt,
        "platform": request.platform,
        "goal": request.goal,
        "aspect": request.aspect,
        "count": request.count,
        "seed": seed,
        "enhance": request.enhance,
        "brand": None
        if brand is None
        else {
            "name": brand.name,
            "style_short": brand.style_short,
            "palette": list(brand.palette),
        },
        "variation": None
        if variation is None
        else {"seed": variation.seed, "strength": variation.strength},
    }


def _of_message(chat_id: int, message_id: int) -> ColumnElement[bool]:
    return and_(Request.source_chat_id == chat_id, Request.source_message_id == message_id)


async def _find(session: AsyncSession, which: ColumnElement[bool]) -> Draft | None:
    """With its brand, unless that has been deleted since."""
    found = (
        await session.execute(
            select(Request, BrandRow, Account.default_brand_id)
            .join(Account, Account.id == Request.account_id)
            .outerjoin(
                BrandRow, and_(BrandRow.id == Request.brand_id, BrandRow.deleted_at.is_(None))
            )
            .where(which)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if found is None:
        return None
    row, brand_row, default_id = found
    return _view(row, None if brand_row is None else brands.view(brand_row, default_id))


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
        is_group=row.is_group,
    )
