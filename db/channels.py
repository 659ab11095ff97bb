"""Channels that accounts post to, and the rules their posts are scheduled by.

A channel is connected for an account; `broke` and `healed` follow what Telegram says of the bot's
rights there, for every account that has it. How many there may be is a matter of the plan. Those
over its limit, the oldest first, are frozen: kept and shown, and nothing is sent there until a
larger plan comes or a channel before them is removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import Boolean, Integer, Row, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit, locks, notices, periods
from db.audit import Deed
from db.errors import LimitReached, NotFound
from db.models import Account, Channel, Post
from db.states import POST_WAITS, LatePosts, PostState
from db.team_views import ChannelView, PostRules
from db.zones import ZONES

_LIMIT: Final = """coalesce(
    (SELECT p.channels FROM periods p WHERE p.account_id = channels.account_id
        ORDER BY p.starts_at DESC LIMIT 1),
    (SELECT p.channels FROM plans p WHERE p.code = 'free')
)"""
IS_FROZEN: Final = f"""(
    (SELECT count(*) FROM channels sooner
        WHERE sooner.account_id = channels.account_id AND sooner.id < channels.id
            AND sooner.removed_at IS NULL)
    >= {_LIMIT}
)"""
"""SQL, for a query of `channels`: whether the channel is over its account's limit. Text, because
those who claim posts ask for it as well."""

FROZEN = literal_column(IS_FROZEN, Boolean)
"""The same for a query of `Channel`."""


async def list_(session: AsyncSession, account_id: int) -> tuple[ChannelView, ...]:
    """The account's channels, oldest first."""
    rows = await session.execute(
        select(Channel, FROZEN)
        .where(Channel.account_id == account_id, Channel.removed_at.is_(None))
        .order_by(Channel.id)
        .execution_options(populate_existing=True)
    )
    return tuple(view(*found) for found in rows)


async def get(session: AsyncSession, account_id: int, channel_id: int) -> ChannelView:
    """Raises NotFound, also for a channel that was removed."""
    found = (
        await session.execute(
            select(Channel, FROZEN)
            .where(
                Channel.id == channel_id,
                Channel.account_id == account_id,
                Channel.removed_at.is_(None),
            )
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if found is None:
        raise NotFound("channel", channel_id)
    return view(*found)


async def check_usable(session: AsyncSession, channel: ChannelView) -> None:
    """Raises LimitReached("channels") for a frozen one."""
    if channel.is_frozen:
        of_account = select(literal_column(_LIMIT, Integer)).where(Channel.id == channel.id)
        limit = await session.scalar(of_account.select_from(Channel))
        raise LimitReached("channels", limit or 0)


async def count_frozen(session: AsyncSession, account_id: int) -> int:
    """How many of the account's channels are over its plan's limit."""
    return sum(channel.is_frozen for channel in await list_(session, account_id))


async def connect(
    session: AsyncSession,
    account_id: int,
    user_id: int,
    *,
    chat_id: int,
    title: str,
    username: str | None,
    now: datetime,
) -> ChannelView:
    """Connects a channel in which the bot may post; one connected before is refreshed.

    Raises LimitReached("channels") when the plan allows no more.
    """
    # Two channels connected at once must not pass the limit together.
    await locks.account(session, account_id)
    known = await list_(session, account_id)
    if chat_id not in {channel.chat_id for channel in known}:
        current = await periods.current(session, account_id, now=now)
        limit = current.period.terms.channels
        if len(known) >= limit:
            raise LimitReached("channels", limit)
    fresh = {"title": title, "username": username, "broken_at": None, "broken_reason": None}
    made = await session.execute(
        insert(Channel)
        .values(
            account_id=account_id,
            chat_id=chat_id,
            connected_by=user_id,
            title=title,
            username=username,
        )
        .on_conflict_do_update(
            index_elements=["account_id", "chat_id"],
            index_where=Channel.removed_at.is_(None),
            set_=fresh,
        )
        .returning(Channel, FROZEN)
        .execution_options(populate_existing=True)
    )
    channel = view(*made.one())
    what = f"channel {channel.id}"
    await audit.note(session, account_id, user_id, Deed.CHANNEL_ADDED, what, channel=title)
    return channel


async def remove(
    session: AsyncSession, account_id: int, channel_id: int, *, now: datetime
) -> ChannelView:
    """Takes a channel off the account and cancels what was still to go there. Raises NotFound."""
    removed = (
        await session.execute(
            update(Channel)
            .where(
                Channel.id == channel_id,
                Channel.account_id == account_id,
                Channel.removed_at.is_(None),
            )
            .values(removed_at=now)
            .returning(Channel, FROZEN)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if removed is None:
        raise NotFound("channel", channel_id)
    await session.execute(
        update(Post)
        .where(
            Post.channel_id == channel_id,
            Post.state.in_(POST_WAITS),
        )
        .values(state=PostState.CANCELLED, not_before=None)
        .execution_options(synchronize_session=False)
    )
    return view(*removed)


async def stays(session: AsyncSession, post_id: int) -> bool:
    """Whether a post's channel is connected, and will be until the transaction's end.

    To be asked before the post is changed: `remove` locks the channel first, too.
    """
    of_post = select(Post.channel_id).where(Post.id == post_id).scalar_subquery()
    removed_at = await session.scalar(
        select(Channel.removed_at).where(Channel.id == of_post).with_for_update(read=True)
    )
    return removed_at is None


async def broke(
    session: AsyncSession, chat_id: int, reason: str, *, now: datetime
) -> tuple[ChannelView, ...]:
    """Notes that the bot can't post in a chat, and tells the accounts whose channels it was.

    Returns those that worked until now.
    """
    rows = await session.execute(
        update(Channel)
        .where(
            Channel.chat_id == chat_id, Channel.removed_at.is_(None), Channel.broken_at.is_(None)
        )
        .values(broken_at=now, broken_reason=reason)
        .returning(Channel, FROZEN)
        .execution_options(populate_existing=True)
    )
    return await _told(session, rows, "channel_broken", Deed.CHANNEL_BROKEN)


async def healed(session: AsyncSession, chat_id: int) -> tuple[ChannelView, ...]:
    """Notes that the bot can post in a chat, and tells the accounts that were told it can't.

    Returns the channels that did not work until now.
    """
    rows = await session.execute(
        update(Channel)
        .where(
            Channel.chat_id == chat_id,
            Channel.removed_at.is_(None),
            Channel.broken_at.is_not(None),
        )
        .values(broken_at=None, broken_reason=None)
        .returning(Channel, FROZEN)
        .execution_options(populate_existing=True)
    )
    return await _told(session, rows, "channel_healed", Deed.CHANNEL_HEALED)


async def rules(session: AsyncSession, account_id: int) -> PostRules:
    """Raises NotFound for an account that is none."""
    row = (
        await session.execute(
            select(Account.time_zone, Account.late_posts).where(Account.id == account_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("account", account_id)
    return PostRules(row.time_zone, row.late_posts)


async def change_rules(
    session: AsyncSession,
    account_id: int,
    *,
    time_zone: str | None = None,
    late_posts: LatePosts | None = None,
) -> PostRules:
    """Sets what is given. What is scheduled keeps its moment. Raises NotFound, for a zone too."""
    if time_zone is not None:
        if time_zone not in ZONES:
            raise NotFound("time zone")
        await _set(session, account_id, time_zone=time_zone)
    if late_posts is not None:
        await _set(session, account_id, late_posts=late_posts)
    return await rules(session, account_id)


async def _told(
    session: AsyncSession, rows: Iterable[Row[Channel, bool]], kind: str, deed: Deed
) -> tuple[ChannelView, ...]:
    changed = tuple(view(*found) for found in rows)
    for channel in changed:
        data = {"channel": channel.title, "reason": channel.broken_reason}
        await notices.tell(session, channel.account_id, kind, data, key=f"channel:{uuid4()}")
        what = f"channel {channel.id}"
        await audit.note(session, channel.account_id, None, deed, what, channel=channel.title)
    return changed


async def _set(session: AsyncSession, account_id: int, **fields: object) -> None:
    await session.execute(
        update(Account)
        .where(Account.id == account_id)
        .values(fields)
        .execution_options(synchronize_session=False)
    )


def view(row: Channel, frozen: bool) -> ChannelView:
    return ChannelView(
        id=row.id,
        account_id=row.account_id,
        chat_id=row.chat_id,
        title=row.title,
        username=row.username,
        broken_reason=row.broken_reason,
        is_frozen=frozen,
    )
