"""Channels and posts to start tests from."""

from __future__ import annotations

from datetime import UTC, datetime

from db import channels, plans, posts
from db.team_views import ChannelView, PostView
from tests.db import rows
from tests.db.rows import Person, Sessions

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CHAT = -1000000003001


async def allow(sessions: Sessions, who: Person, limit: int = 3) -> None:
    """As if the account's plan had so many channels."""
    async with sessions.begin() as session:
        await plans.terms(session, who.account_id, now=NOW)
    await rows.execute(
        sessions,
        "UPDATE periods SET channels = :n WHERE account_id = :id",
        n=limit,
        id=who.account_id,
    )


async def connect(
    sessions: Sessions, who: Person, chat_id: int = CHAT, title: str = "Кофе рядом"
) -> ChannelView:
    async with sessions.begin() as session:
        return await channels.connect(
            session, who.account_id, who.id, chat_id=chat_id, title=title, username=None, now=NOW
        )


async def connected(sessions: Sessions, who: Person, chat_id: int = CHAT) -> ChannelView:
    await allow(sessions, who, 100)
    return await connect(sessions, who, chat_id)


async def drafted(
    sessions: Sessions, who: Person, channel: ChannelView, task_id: int | None = None
) -> PostView:
    """A draft made from an album of two pictures."""
    task = task_id or (await rows.done(sessions, who))[0]
    async with sessions.begin() as session:
        return await posts.draft(session, who.account_id, who.id, task, channel.id)


async def scheduled(
    sessions: Sessions,
    who: Person,
    channel: ChannelView,
    publish_at: datetime = NOW,
    task_id: int | None = None,
) -> PostView:
    """A post due at a moment, past ones too."""
    post = await drafted(sessions, who, channel, task_id)
    async with sessions.begin() as session:
        post, _ = await posts.publish_now(session, who.account_id, post.id, now=publish_at)
    return post


async def published(
    sessions: Sessions,
    channel: ChannelView,
    task_id: int,
    *reactions: int,
    sent_at: datetime = NOW,
) -> None:
    """Posts sent at a moment, one for each count of reactions: those to its second message."""
    await rows.execute(
        sessions,
        """
        INSERT INTO posts (account_id, channel_id, task_id, created_by, origin, ranks, caption,
            shown_caption, shown_parts, state, publish_at, sent_at, message_ids, reactions)
        SELECT c.account_id, c.id, :task_id, c.connected_by, gen_random_uuid()::text, '{1}',
            caption, caption, '{}', 'sent', :sent_at, :sent_at, ARRAY[message, message + 1],
            CASE WHEN count > 0
                THEN jsonb_build_object(message + 1, jsonb_build_object('🔥', count)) ELSE '{}' END
        FROM channels c, unnest(CAST(:reactions AS bigint[])) WITH ORDINALITY AS given (count, n),
            LATERAL (
                SELECT 1000 * :task_id + 10 * n AS message, 'Пост <b>' || n || '</b>' AS caption
            ) AS shown
        WHERE c.id = :channel_id
        """,
        task_id=task_id,
        channel_id=channel.id,
        reactions=list(reactions),
        sent_at=sent_at,
    )
