"""Captions that are proposed for posts: asked for by a tap, written by a worker, taken or left.

none, dropped -> open         `ask`: a person wants one
ready -> open                 `ask(after=...)`: another one
open -> ready                 `shown`: written, and on the post's card
open, ready -> dropped        `drop`: called off, or taken

A post has one at a time; its `number` tells them apart, and is what its buttons carry. While it is
open a worker may hold it until `not_before`; the row of a worker that died becomes another's then.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import approvals, captions, posts
from db.errors import NotFound, Stale
from db.leases import seconds
from db.models import Post, Suggestion, Task
from db.states import PostState, SuggestionState
from db.team_views import SuggestionClaim, SuggestionView
from db.views import Brief, Locale

_CARD_FIRST_S = 5.0
"""Should the bot die before it says `start`."""


async def ask(
    session: AsyncSession,
    account_id: int,
    post_id: int,
    *,
    locale: Locale,
    chat_id: int,
    message_id: int,
    after: int | None = None,
) -> tuple[SuggestionView, bool]:
    """Wants a caption for a draft on the card that was tapped; `after`: another one than that.

    The card is the asker's for a moment, to say so: a worker begins once it is told to `start`.

    False: there is one already, or it is being written, and nothing was changed. Raises NotFound,
    Stale for a post that has gone beyond a draft.
    """
    post = await posts.get(session, account_id, post_id)
    if post.state is not PostState.DRAFT:
        raise Stale("post")
    fresh: dict[str, object] = {
        "locale": locale,
        "chat_id": chat_id,
        "message_id": message_id,
        "state": SuggestionState.OPEN,
        "caption": None,
        "writer": None,
        "attempt": 0,
        "token": None,
        "not_before": func.now() + seconds(_CARD_FIRST_S),
    }
    over = Suggestion.state == SuggestionState.DROPPED
    if after is not None:
        is_answered = (Suggestion.state == SuggestionState.READY) & (Suggestion.number == after)
        over = or_(over & (Suggestion.number == after), is_answered)
    asked_id = await session.scalar(
        insert(Suggestion)
        .values(post_id=post_id, **fresh)
        .on_conflict_do_update(
            index_elements=["post_id"],
            set_={**fresh, "number": Suggestion.number + 1},
            where=over,
        )
        .returning(Suggestion.post_id)
        .execution_options(synchronize_session=False)
    )
    return await get(session, account_id, post_id), asked_id is not None


async def start(session: AsyncSession, post_id: int, number: int) -> None:
    """The card says that it is being written: a worker may begin."""
    await session.execute(
        update(Suggestion)
        .where(
            Suggestion.post_id == post_id,
            Suggestion.number == number,
            Suggestion.state == SuggestionState.OPEN,
            Suggestion.token.is_(None),
        )
        .values(not_before=func.now())
        .execution_options(synchronize_session=False)
    )


async def get(session: AsyncSession, account_id: int, post_id: int) -> SuggestionView:
    """The post's newest. Raises NotFound."""
    await posts.get(session, account_id, post_id)
    row = await session.scalar(
        select(Suggestion)
        .where(Suggestion.post_id == post_id)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("suggestion", post_id)
    return SuggestionView(
        post_id=row.post_id,
        number=row.number,
        state=row.state,
        caption=row.caption,
        writer=row.writer,
        locale=cast(Locale, row.locale),
    )


async def drop(session: AsyncSession, account_id: int, post_id: int, number: int) -> bool:
    """Whoever writes it stops. False: it is not the newest, or over already. Raises NotFound."""
    await posts.get(session, account_id, post_id)
    dropped_id = await session.scalar(
        update(Suggestion)
        .where(
            Suggestion.post_id == post_id,
            Suggestion.number == number,
            Suggestion.state != SuggestionState.DROPPED,
        )
        .values(state=SuggestionState.DROPPED, token=None)
        .returning(Suggestion.post_id)
        .execution_options(synchronize_session=False)
    )
    return dropped_id is not None


# --- the worker's part ---


async def claim(session: AsyncSession, *, lease_s: float) -> SuggestionClaim | None:
    """The one that has waited longest, to be written, or to be shown if it is written."""
    next_id = (
        select(Suggestion.post_id)
        .where(Suggestion.state == SuggestionState.OPEN, Suggestion.not_before <= func.now())
        .order_by(Suggestion.not_before, Suggestion.post_id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    row = await session.scalar(
        update(Suggestion)
        .where(Suggestion.post_id == next_id)
        .values(
            token=uuid4(),
            not_before=func.now() + seconds(lease_s),
            attempt=Suggestion.attempt + 1,
        )
        .returning(Suggestion)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if row is None:
        return None
    account_id, frozen = (
        await session.execute(
            select(Post.account_id, Task.brief)
            .join(Task, Task.id == Post.task_id)
            .where(Post.id == row.post_id)
        )
    ).one()
    brief = cast(Brief, frozen)
    post = await posts.get(session, account_id, row.post_id)
    brand = await captions.brand_of(session, post.task_id)
    assert row.token is not None
    return SuggestionClaim(
        post=post,
        number=row.number,
        token=row.token,
        attempt=row.attempt,
        caption=row.caption,
        writer=row.writer,
        locale=cast(Locale, row.locale),
        chat_id=row.chat_id,
        message_id=row.message_id,
        idea=await approvals.idea(session, post.task_id),
        goal=brief["goal"],
        platform=brief["platform"],
        brand=brand.name if brand is not None and brand.deleted_at is None else None,
        room=captions.room(post.parts),
    )


async def keep(session: AsyncSession, claim: SuggestionClaim, *, lease_s: float) -> bool:
    """Holds it for longer. False: no longer ours, or no longer wanted."""
    return await _set(session, claim, not_before=func.now() + seconds(lease_s))


async def written(session: AsyncSession, claim: SuggestionClaim, caption: str, writer: str) -> bool:
    """Keeps it until the card shows it. False: no longer ours."""
    return await _set(session, claim, caption=caption, writer=writer)


async def shown(session: AsyncSession, claim: SuggestionClaim) -> bool:
    """The card shows it, or is gone. False: no longer ours."""
    return await _set(session, claim, state=SuggestionState.READY, token=None)


async def later(session: AsyncSession, claim: SuggestionClaim, after_s: float) -> bool:
    """Telegram has no time for the card at present. False: no longer ours."""
    return await _set(session, claim, token=None, not_before=func.now() + seconds(after_s))


async def _set(session: AsyncSession, claim: SuggestionClaim, **fields: object) -> bool:
    changed_id = await session.scalar(
        update(Suggestion)
        .where(*_held(claim.post.id, claim.token))
        .values(fields)
        .returning(Suggestion.post_id)
        .execution_options(synchronize_session=False)
    )
    return changed_id is not None


def _held(post_id: int, token: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        Suggestion.post_id == post_id,
        Suggestion.token == token,
        Suggestion.state == SuggestionState.OPEN,
    )
