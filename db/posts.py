"""Posts: pictures of an album on their way to a channel, as people make, move and call them off.

draft -> scheduled                            `publish_now`, `schedule`
scheduled, overdue, undeliverable -> scheduled   `publish_now`, `schedule`: now, or another time
unknown -> scheduled | sent                   `resend`, `arrived`: a person has looked
unknown -> cancelled                          `resend`, where the channel was removed meanwhile
-> cancelled                                  `cancel`, until it is being sent

What the worker does with them is in `db/publishing.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import albums, captions, channels
from db.errors import NotFound, Stale
from db.models import Account, Brand, Channel, Post, Prediction, Request, Task
from db.states import POST_WAITS, Part, PostState
from db.team_views import CaptionParts, PostView
from db.views import AlbumView

FURTHEST = timedelta(days=366)
PAGE = 10
"""Posts of the content plan."""


async def draft(
    session: AsyncSession, account_id: int, user_id: int, task_id: int, channel_id: int
) -> PostView:
    """The draft of a task's post for a channel: one picture, no words but the brand's.

    There is one such draft at a time, however often and by whomever it is asked for. Raises
    NotFound, Stale when the task has no album, LimitReached("channels") for a frozen channel.
    """
    album = await albums.album(session, account_id, task_id)
    await channels.check_usable(session, await channels.get(session, account_id, channel_id))
    ended = await session.scalar(
        select(func.count())
        .select_from(Post)
        .where(
            Post.task_id == task_id,
            Post.channel_id == channel_id,
            Post.state != PostState.DRAFT,
        )
    )
    origin = f"{task_id}:{channel_id}:{ended}"
    parts = await captions.first(session, task_id, album.locale)
    await session.execute(
        insert(Post)
        .values(
            account_id=account_id,
            channel_id=channel_id,
            task_id=task_id,
            created_by=user_id,
            origin=origin,
            ranks=[_first_rank(album)],
            parts=captions.stored(parts),
            caption=captions.compose(parts),
        )
        .on_conflict_do_nothing()
    )
    return await _one(session, Post.origin == origin)


def _first_rank(album: AlbumView) -> int:
    """The chosen picture, else the one with the most votes, else the best."""
    votes = album.team.votes if album.team else {}
    ranks = [image.rank for image in album.images]
    return album.chosen_rank or max(ranks, key=lambda rank: (votes.get(rank, 0), -rank))


async def get(session: AsyncSession, account_id: int, post_id: int) -> PostView:
    """Raises NotFound."""
    return await _one(session, Post.id == post_id, Post.account_id == account_id)


async def of_task(session: AsyncSession, account_id: int, task_id: int) -> tuple[PostView, ...]:
    """The posts made from an album, but for drafts and what was called off; oldest first."""
    return await _many(
        session,
        _posts()
        .where(
            Post.account_id == account_id,
            Post.task_id == task_id,
            Post.state.not_in((PostState.DRAFT, PostState.CANCELLED)),
        )
        .order_by(Post.id),
    )


async def between(
    session: AsyncSession,
    account_id: int,
    starts_at: datetime,
    ends_at: datetime,
    *,
    offset: int = 0,
) -> tuple[tuple[PostView, ...], int]:
    """A page of the posts of that time (the end not included) by time, and how many there are."""
    of_time = (
        Post.account_id == account_id,
        Post.publish_at >= starts_at,
        Post.publish_at < ends_at,
        Post.state.not_in((PostState.DRAFT, PostState.CANCELLED)),
    )
    total = await session.scalar(select(func.count()).select_from(Post).where(*of_time))
    page = _posts().where(*of_time).order_by(Post.publish_at, Post.id).offset(offset).limit(PAGE)
    return await _many(session, page), total or 0


async def set_ranks(
    session: AsyncSession, account_id: int, post_id: int, ranks: Sequence[int]
) -> PostView:
    """Which pictures go, in rank order. Raises NotFound, Stale once it is on its way."""
    post = await get(session, account_id, post_id)
    if not ranks or not set(ranks) <= set(post.album_ranks):
        raise NotFound("picture", post.task_id)
    await _change(session, account_id, post_id, POST_WAITS, ranks=sorted(set(ranks)))
    return await get(session, account_id, post_id)


async def set_caption(
    session: AsyncSession, account_id: int, post_id: int, caption: str
) -> PostView:
    """A person's words of the caption, HTML; of a published post those it is to get.

    Raises NotFound, CaptionTooLong, Stale while nobody may say what the channel shows.
    """
    post = await _locked(session, account_id, post_id)
    return await _recompose(session, post, replace(post.parts, body=caption))


async def switch(
    session: AsyncSession, account_id: int, post_id: int, part: Part, *, on: bool
) -> PostView:
    """Has a part of the caption or not; switched on it says what the brand says at present.

    Raises as `set_caption`, and NotFound for a part that there is nothing of.
    """
    post = await get(session, account_id, post_id)
    # Before the post: whoever changes a brand locks its posts after it.
    brand = await captions.brand_of(session, post.task_id)
    post = await _locked(session, account_id, post_id)
    if not on:
        return await _recompose(session, post, replace(post.parts, on=post.parts.on - {part}))
    if part not in post.offers:
        raise NotFound("part of a caption", post_id)
    parts = replace(post.parts, on=post.parts.on | {part})
    return await _recompose(session, post, captions.with_brand(parts, brand, only=part))


async def _recompose(session: AsyncSession, post: PostView, parts: CaptionParts) -> PostView:
    if post.state is PostState.SENT and not post.message_ids:
        raise Stale("post")  # arrived by a person's word: which message it is, nobody knows
    caption = captions.compose(parts)
    # What a grown brand has made too long may be shortened step by step.
    if captions.length(caption) > captions.length(post.caption):
        captions.check(parts)
    fields = {"parts": captions.stored(parts), "caption": caption}
    if caption == post.shown_caption != post.caption:
        # The edit that is taken back may have arrived: only one more makes sure.
        fields |= {"shown_parts": captions.stored(post.parts), "shown_caption": post.caption}
    states = (*POST_WAITS, PostState.SENT)
    await _change(session, post.account_id, post.id, states, not_before=None, **fields)
    return await get(session, post.account_id, post.id)


async def _locked(session: AsyncSession, account_id: int, post_id: int) -> PostView:
    """A post that nobody else changes meanwhile. Raises NotFound."""
    await session.execute(
        select(Post.id)
        .where(Post.id == post_id, Post.account_id == account_id)
        .with_for_update(key_share=True)
    )
    return await get(session, account_id, post_id)


async def publish_now(
    session: AsyncSession, account_id: int, post_id: int, *, now: datetime
) -> tuple[PostView, bool]:
    """Lets it go at once. False: it was on its way already, and nothing was changed.

    Raises NotFound, CaptionTooLong, LimitReached("channels"), Stale for one that was called off or
    whose fate a person must tell.
    """
    await _check_may_go(session, account_id, post_id)
    moved = await _moved(
        session,
        *_of(account_id, post_id, POST_WAITS),
        _CONNECTED,
        (Post.state != PostState.SCHEDULED) | (Post.publish_at > now),
        state=PostState.SCHEDULED,
        publish_at=now,
        not_before=None,
        reason=None,
    )
    post = await get(session, account_id, post_id)
    if not moved and post.state in (PostState.CANCELLED, PostState.UNKNOWN):
        raise Stale("post")
    return post, moved


async def schedule(
    session: AsyncSession, account_id: int, post_id: int, publish_at: datetime, *, now: datetime
) -> PostView:
    """Gives it a time, or another one.

    Raises NotFound, CaptionTooLong, LimitReached("channels"), Stale("time") for one that is past or
    more than a year ahead, Stale("post") once it is on its way.
    """
    if not now < publish_at <= now + FURTHEST:
        raise Stale("time")
    await _check_may_go(session, account_id, post_id)
    await _change(
        session,
        account_id,
        post_id,
        POST_WAITS,
        state=PostState.SCHEDULED,
        publish_at=publish_at,
        not_before=None,
        reason=None,
    )
    return await get(session, account_id, post_id)


async def _check_may_go(session: AsyncSession, account_id: int, post_id: int) -> None:
    """A draft's caption follows its brand, and may have grown beyond what a post can have; a plan
    may have grown too small for the channel."""
    post = await _locked(session, account_id, post_id)
    if post.state in POST_WAITS:
        await channels.check_usable(session, post.channel)
    if post.state is PostState.DRAFT:
        captions.check(post.parts)


async def cancel(session: AsyncSession, account_id: int, post_id: int) -> PostView:
    """Calls it off, whether its channel is still there or not; doing so again changes nothing.

    Raises NotFound, Stale once it is sent.
    """
    which = _of(account_id, post_id, (*POST_WAITS, PostState.CANCELLED))
    moved = await _moved(session, *which, state=PostState.CANCELLED, not_before=None)
    post = await get(session, account_id, post_id)
    if not moved:
        raise Stale("post")
    return post


async def resend(
    session: AsyncSession, account_id: int, post_id: int, attempt: int, *, now: datetime
) -> tuple[PostView, bool]:
    """A person says that this attempt has not arrived: once more, or called off if its channel was
    removed meanwhile. False: settled already.

    Raises NotFound, LimitReached("channels").
    """
    post = await get(session, account_id, post_id)
    stays = await channels.stays(session, post_id)
    if stays and (post.state, post.attempt) == (PostState.UNKNOWN, attempt):
        await channels.check_usable(session, post.channel)
    moved = await _moved(
        session,
        *_of(account_id, post_id, (PostState.UNKNOWN,)),
        Post.attempt == attempt,
        state=PostState.SCHEDULED if stays else PostState.CANCELLED,
        publish_at=now,
        not_before=None,
        reason=None,
    )
    return await get(session, account_id, post_id), moved


async def arrived(
    session: AsyncSession, account_id: int, post_id: int, attempt: int, *, now: datetime
) -> tuple[PostView, bool]:
    """A person sees this attempt in the channel, the account's or not. False: settled already."""
    moved = await _moved(
        session,
        *_of(account_id, post_id, (PostState.UNKNOWN,)),
        Post.attempt == attempt,
        state=PostState.SENT,
        sent_at=now,
        shown_caption=Post.caption,
        shown_parts=Post.parts,
        reason=None,
    )
    return await get(session, account_id, post_id), moved


async def remember_card(
    session: AsyncSession,
    account_id: int,
    post_id: int,
    chat_id: int,
    message_id: int,
    *,
    thread_id: int | None = None,
) -> None:
    """The message that is to say how the post went, and the topic that hears of it."""
    await session.execute(
        update(Post)
        .where(Post.id == post_id, Post.account_id == account_id)
        .values(card_chat_id=chat_id, card_thread_id=thread_id, card_message_id=message_id)
        .execution_options(synchronize_session=False)
    )


_CONNECTED = (
    select(Channel.id).where(Channel.id == Post.channel_id, Channel.removed_at.is_(None)).exists()
)


def _of(
    account_id: int, post_id: int, states: Sequence[PostState]
) -> tuple[ColumnElement[bool], ...]:
    return Post.id == post_id, Post.account_id == account_id, Post.state.in_(states)


async def _moved(session: AsyncSession, *which: ColumnElement[bool], **fields: object) -> bool:
    """Sets fields of a post. False: it is not, or no longer, as `which` says."""
    moved_id = await session.scalar(
        update(Post)
        .where(*which)
        .values(fields)
        .returning(Post.id)
        .execution_options(synchronize_session=False)
    )
    return moved_id is not None


async def _change(
    session: AsyncSession,
    account_id: int,
    post_id: int,
    states: Sequence[PostState],
    **fields: object,
) -> None:
    """Raises NotFound, Stale when it is in no state of `states`, or its channel is gone."""
    which = (*_of(account_id, post_id, states), _CONNECTED)
    if not await _moved(session, *which, **fields):
        await get(session, account_id, post_id)
        raise Stale("post")


def _posts() -> Select[Post, Channel, bool, str, list[int], Brand | None]:
    ranks: ScalarSelect[list[int]] = (
        select(func.array_agg(aggregate_order_by(Prediction.rank, Prediction.rank)))
        .where(Prediction.task_id == Post.task_id)
        .scalar_subquery()
    )
    return (
        select(Post, Channel, channels.FROZEN, Account.time_zone, ranks, Brand)
        .join(Channel, Channel.id == Post.channel_id)
        .join(Account, Account.id == Post.account_id)
        .join(Task, Task.id == Post.task_id)
        .join(Request, Request.id == Task.request_id)
        .outerjoin(Brand, Brand.id == Request.brand_id)
        .execution_options(populate_existing=True)
    )


async def _one(session: AsyncSession, *which: ColumnElement[bool]) -> PostView:
    found = await _many(session, _posts().where(*which))
    if not found:
        raise NotFound("post")
    return found[0]


async def _many(
    session: AsyncSession, query: Select[Post, Channel, bool, str, list[int], Brand | None]
) -> tuple[PostView, ...]:
    rows = (await session.execute(query)).all()
    return tuple(_view(*row) for row in rows)


def _view(
    row: Post,
    channel: Channel,
    frozen: bool,
    time_zone: str,
    album_ranks: list[int] | None,
    brand: Brand | None,
) -> PostView:
    parts = captions.read(row.parts)
    return PostView(
        id=row.id,
        account_id=row.account_id,
        channel=channels.view(channel, frozen),
        task_id=row.task_id,
        created_by=row.created_by,
        ranks=tuple(row.ranks),
        album_ranks=tuple(album_ranks or ()),
        caption=row.caption,
        shown_caption=row.shown_caption,
        parts=parts,
        offers=captions.offers(parts, brand),
        state=row.state,
        publish_at=row.publish_at,
        sent_at=row.sent_at,
        attempt=row.attempt,
        message_ids=tuple(row.message_ids),
        reactions=_summed(row),
        reason=row.reason,
        time_zone=time_zone,
    )


def _summed(row: Post) -> dict[str, int]:
    """The reactions to all messages of a post, the most frequent first."""
    counts: Counter[str] = Counter()
    for message_id in row.message_ids:
        counts.update(row.reactions.get(str(message_id), {}))
    return dict(counts.most_common())
