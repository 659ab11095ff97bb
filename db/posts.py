"""Posts: pictures of an album on their way to a channel, as people make, move and call them off.

draft -> scheduled                            `publish_now`, `schedule`
scheduled, overdue, undeliverable -> scheduled   `publish_now`, `schedule`: now, or another time
unknown -> scheduled | sent                   `resend`, `arrived`: a person has looked
-> cancelled                                  `cancel`, until it is being sent

What the worker does with them is in `db/publishing.py`.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import albums, channels
from db.errors import LimitReached, NotFound, Stale
from db.models import Account, Channel, Post, Prediction
from db.states import PostState
from db.team_views import PostView

CAPTION_LIMIT = 1024
"""UTF-16 units, tags not counted: https://core.telegram.org/bots/api#sendphoto"""
FURTHEST = timedelta(days=366)

WAITS = (PostState.DRAFT, PostState.SCHEDULED, PostState.OVERDUE, PostState.UNDELIVERABLE)
"""Nothing of it has gone out, for certain."""
_TAG = re.compile(r"<[^<>]+>")


async def draft(
    session: AsyncSession, account_id: int, user_id: int, task_id: int, channel_id: int
) -> PostView:
    """The draft of a task's post for a channel: the chosen picture, without a caption.

    There is one such draft at a time, however often and by whomever it is asked for. Raises
    NotFound, Stale when the task has no album.
    """
    album = await albums.album(session, account_id, task_id)
    await channels.get(session, account_id, channel_id)
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
    await session.execute(
        insert(Post)
        .values(
            account_id=account_id,
            channel_id=channel_id,
            task_id=task_id,
            created_by=user_id,
            origin=origin,
            ranks=[album.chosen_rank or album.images[0].rank],
        )
        .on_conflict_do_nothing()
    )
    return await _one(session, Post.origin == origin)


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
    limit: int = 10,
) -> tuple[tuple[PostView, ...], int]:
    """A page of the posts of that time (the end not included) by time, and how many there are."""
    of_time = (
        Post.account_id == account_id,
        Post.publish_at >= starts_at,
        Post.publish_at < ends_at,
        Post.state.not_in((PostState.DRAFT, PostState.CANCELLED)),
    )
    total = await session.scalar(select(func.count()).select_from(Post).where(*of_time))
    page = _posts().where(*of_time).order_by(Post.publish_at, Post.id).offset(offset).limit(limit)
    return await _many(session, page), total or 0


async def set_ranks(
    session: AsyncSession, account_id: int, post_id: int, ranks: Sequence[int]
) -> PostView:
    """Which pictures go, in rank order. Raises NotFound, Stale once it is on its way."""
    post = await get(session, account_id, post_id)
    if not ranks or not set(ranks) <= set(post.album_ranks):
        raise NotFound("picture", post.task_id)
    await _change(session, account_id, post_id, WAITS, ranks=sorted(set(ranks)))
    return await get(session, account_id, post_id)


async def set_caption(
    session: AsyncSession, account_id: int, post_id: int, caption: str
) -> PostView:
    """The caption, HTML; of a published post the one it is to get.

    Raises NotFound, LimitReached("caption"), Stale while nobody may say what the channel shows.
    """
    if caption_length(caption) > CAPTION_LIMIT:
        raise LimitReached("caption", CAPTION_LIMIT)
    post = await get(session, account_id, post_id)
    if post.state is PostState.SENT and not post.message_ids:
        raise Stale("post")  # arrived by a person's word: which message it is, nobody knows
    await _change(
        session, account_id, post_id, (*WAITS, PostState.SENT), caption=caption, not_before=None
    )
    return await get(session, account_id, post_id)


def caption_length(caption: str) -> int:
    """As Telegram counts it: UTF-16 units of what is read, tags aside."""
    return len(html.unescape(_TAG.sub("", caption)).encode("utf-16-le")) // 2


async def publish_now(
    session: AsyncSession, account_id: int, post_id: int, *, now: datetime
) -> tuple[PostView, bool]:
    """Lets it go at once. False: it was on its way already, and nothing was changed.

    Raises NotFound, Stale for one that was called off or whose fate a person must tell.
    """
    moved = await session.scalar(
        update(Post)
        .where(
            *_of(account_id, post_id, WAITS),
            (Post.state != PostState.SCHEDULED) | (Post.publish_at > now),
        )
        .values(state=PostState.SCHEDULED, publish_at=now, not_before=None, reason=None)
        .returning(Post.id)
        .execution_options(synchronize_session=False)
    )
    post = await get(session, account_id, post_id)
    if moved is None and post.state in (PostState.CANCELLED, PostState.UNKNOWN):
        raise Stale("post")
    return post, moved is not None


async def schedule(
    session: AsyncSession, account_id: int, post_id: int, publish_at: datetime, *, now: datetime
) -> PostView:
    """Gives it a time, or another one. Raises NotFound, Stale("time") for one that is past or more
    than a year ahead, Stale("post") once it is on its way."""
    if not now < publish_at <= now + FURTHEST:
        raise Stale("time")
    await _change(
        session,
        account_id,
        post_id,
        WAITS,
        state=PostState.SCHEDULED,
        publish_at=publish_at,
        not_before=None,
        reason=None,
    )
    return await get(session, account_id, post_id)


async def cancel(session: AsyncSession, account_id: int, post_id: int) -> PostView:
    """Calls it off; doing so again changes nothing. Raises NotFound, Stale once it is sent."""
    states = (*WAITS, PostState.CANCELLED)
    await _change(session, account_id, post_id, states, state=PostState.CANCELLED, not_before=None)
    return await get(session, account_id, post_id)


async def resend(
    session: AsyncSession, account_id: int, post_id: int, attempt: int, *, now: datetime
) -> tuple[PostView, bool]:
    """A person says that this attempt has not arrived: once more. False: settled already."""
    moved = await session.scalar(
        update(Post)
        .where(*_of(account_id, post_id, (PostState.UNKNOWN,)), Post.attempt == attempt)
        .values(state=PostState.SCHEDULED, publish_at=now, not_before=None, reason=None)
        .returning(Post.id)
        .execution_options(synchronize_session=False)
    )
    return await get(session, account_id, post_id), moved is not None


async def arrived(
    session: AsyncSession, account_id: int, post_id: int, *, now: datetime
) -> tuple[PostView, bool]:
    """A person sees it in the channel. False: settled already."""
    moved = await session.scalar(
        update(Post)
        .where(*_of(account_id, post_id, (PostState.UNKNOWN,)))
        .values(state=PostState.SENT, sent_at=now, shown_caption=Post.caption, reason=None)
        .returning(Post.id)
        .execution_options(synchronize_session=False)
    )
    return await get(session, account_id, post_id), moved is not None


async def remember_card(
    session: AsyncSession, account_id: int, post_id: int, chat_id: int, message_id: int
) -> None:
    """The message that is to say how the post went."""
    await session.execute(
        update(Post)
        .where(Post.id == post_id, Post.account_id == account_id)
        .values(card_chat_id=chat_id, card_message_id=message_id)
        .execution_options(synchronize_session=False)
    )


def _of(
    account_id: int, post_id: int, states: Sequence[PostState]
) -> tuple[ColumnElement[bool], ...]:
    return (
        Post.id == post_id,
        Post.account_id == account_id,
        Post.state.in_(states),
        select(Channel.id)
        .where(Channel.id == Post.channel_id, Channel.removed_at.is_(None))
        .exists(),
    )


async def _change(
    session: AsyncSession,
    account_id: int,
    post_id: int,
    states: Sequence[PostState],
    **fields: object,
) -> None:
    """Raises NotFound, Stale when it is in no state of `states`, or its channel is gone."""
    changed_id = await session.scalar(
        update(Post)
        .where(*_of(account_id, post_id, states))
        .values(fields)
        .returning(Post.id)
        .execution_options(synchronize_session=False)
    )
    if changed_id is None:
        await get(session, account_id, post_id)
        raise Stale("post")


def _posts() -> Select[Post, Channel, str, list[int]]:
    ranks: ScalarSelect[list[int]] = (
        select(func.array_agg(aggregate_order_by(Prediction.rank, Prediction.rank)))
        .where(Prediction.task_id == Post.task_id)
        .scalar_subquery()
    )
    return (
        select(Post, Channel, Account.time_zone, ranks)
        .join(Channel, Channel.id == Post.channel_id)
        .join(Account, Account.id == Post.account_id)
        .execution_options(populate_existing=True)
    )


async def _one(session: AsyncSession, *which: ColumnElement[bool]) -> PostView:
    found = await _many(session, _posts().where(*which))
    if not found:
        raise NotFound("post")
    return found[0]


async def _many(
    session: AsyncSession, query: Select[Post, Channel, str, list[int]]
) -> tuple[PostView, ...]:
    rows = (await session.execute(query)).all()
    return tuple(_view(post, channel, zone, ranks) for post, channel, zone, ranks in rows)


def _view(row: Post, channel: Channel, time_zone: str, album_ranks: list[int] | None) -> PostView:
    return PostView(
        id=row.id,
        account_id=row.account_id,
        channel=channels.view(channel),
        task_id=row.task_id,
        created_by=row.created_by,
        ranks=tuple(row.ranks),
        album_ranks=tuple(album_ranks or ()),
        caption=row.caption,
        shown_caption=row.shown_caption,
        state=row.state,
        publish_at=row.publish_at,
        sent_at=row.sent_at,
        attempt=row.attempt,
        message_ids=tuple(row.message_ids),
        reactions=_summed(row.reactions.values()),
        reason=row.reason,
        time_zone=time_zone,
    )


def _summed(of_messages: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The reactions to all messages of a post, the most frequent first."""
    counts: Counter[str] = Counter()
    for of_message in of_messages:
        counts.update(of_message)
    return dict(counts.most_common())
