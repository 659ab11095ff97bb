"""Posts as the worker sees them: claimed when due, sent once, and what became of that.

scheduled -> sending        `claim`, committed before the call
sending -> sent             `sent`
sending -> scheduled        `retry`: a definite refusal that will pass
sending -> unknown          `unknown`, `sweep_leases`: it may have arrived; a person looks
sending -> undeliverable    `undeliverable`: a definite refusal that stays
scheduled -> undeliverable  `refuse_frozen`: due in a channel over the plan's limit
scheduled -> overdue        `put_to_question`: hours late, where the account wants to be asked

The account is told of each of these ends but the good one, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Text, and_, case, func, or_, select, text, update
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db import albums, audit, captions, channels, locks, notices, posts, zones
from db.audit import Deed
from db.leases import RELEASED, SENDER_DIED, held, seconds
from db.locales import locale_of
from db.models import Account, Channel, Post, User, UserSettings
from db.models.channels import CAPTION_TO_EDIT
from db.states import LatePosts, PostState
from db.team_views import CaptionEdit, PostCard, PostClaim, PostView

LATE = timedelta(hours=2)
"""What is this late is asked about, unless the account wants it sent."""
OVER_PLAN = "over_plan"
"""Why nothing is sent to a frozen channel."""


# A channel's posts go one at a time and in order: only the first one waiting may go, and none
# while another is being sent. What is too late and must be asked about stands in nobody's way.
# Whether a channel is frozen is asked once for each, not for each of its posts.
_HEADS = f"""
WITH heads AS (
    SELECT first.* FROM (
        SELECT DISTINCT ON (p.channel_id) p.id, p.channel_id, p.publish_at, p.not_before
        FROM posts p JOIN accounts a ON a.id = p.account_id
        WHERE p.state = 'scheduled'
            AND (a.late_posts = 'send' OR p.publish_at >= :late_before)
        ORDER BY p.channel_id, p.publish_at, p.id
    ) AS first JOIN channels ON channels.id = first.channel_id AND channels.removed_at IS NULL
    WHERE NOT EXISTS (
        SELECT FROM posts s WHERE s.channel_id = first.channel_id AND s.state = 'sending'
    ) AND NOT {channels.IS_FROZEN}
)
"""
_CLAIM = text(f"""{_HEADS}, next AS (
    SELECT p.id
    FROM heads h JOIN posts p ON p.id = h.id AND p.state = 'scheduled' AND p.publish_at <= :now
    WHERE h.not_before IS NULL OR h.not_before <= statement_timestamp()
    ORDER BY h.publish_at, h.id
    LIMIT 1
    FOR NO KEY UPDATE OF p
)
UPDATE posts p
SET state = 'sending', attempt = p.attempt + 1, not_before = NULL,
    lease_token = gen_random_uuid(),
    lease_until = statement_timestamp() + make_interval(secs => :lease_s)
FROM next, channels c
WHERE p.id = next.id AND c.id = p.channel_id
RETURNING p.id, p.lease_token, p.account_id, p.channel_id, c.chat_id, p.task_id, p.caption,
    p.ranks, p.attempt, p.publish_at
""")
_OF_ITS_MESSAGES = text("""(
    SELECT coalesce(jsonb_object_agg(message, counts), '{}')
    FROM jsonb_each(posts.reactions) AS told (message, counts)
    WHERE message = ANY (CAST(:sent_ids AS text[]))
)""")
_NEXT_DUE = text(f"""{_HEADS}
SELECT min(greatest(0,
    extract(epoch FROM publish_at - CAST(:now AS timestamptz)),
    extract(epoch FROM not_before - statement_timestamp())
))::float8
FROM heads
""")


async def claim(session: AsyncSession, *, now: datetime, lease_s: float = 120) -> PostClaim | None:
    """The post that is due first and may go now. Commit before sending: a crash must leave
    `sending`."""
    await locks.alone(session, locks.CLAIMING_POSTS)
    row = (
        await session.execute(_CLAIM, {"lease_s": lease_s, "now": now, "late_before": now - LATE})
    ).one_or_none()
    if row is None:
        return None
    album = await albums.album(session, row.account_id, row.task_id)
    return PostClaim(
        id=row.id,
        token=row.lease_token,
        account_id=row.account_id,
        channel_id=row.channel_id,
        chat_id=row.chat_id,
        task_id=row.task_id,
        caption=row.caption,
        images=tuple(image for image in album.images if image.rank in row.ranks),
        attempt=row.attempt,
        publish_at=row.publish_at,
    )


async def next_due_s(session: AsyncSession, *, now: datetime) -> float | None:
    """Seconds until a post will be due, 0 for now; None: none is scheduled, or only behind what is
    being sent."""
    due_s: float | None = await session.scalar(_NEXT_DUE, {"now": now, "late_before": now - LATE})
    return due_s


async def sent(
    session: AsyncSession,
    post_id: int,
    token: UUID,
    message_ids: Sequence[int],
) -> bool:
    """Notes the messages. False: no longer ours, and nothing was written."""
    account_id = await session.scalar(
        update(Post)
        .where(*held(Post, post_id, token))
        .values(
            state=PostState.SENT,
            sent_at=func.now(),
            message_ids=list(message_ids),
            reactions=_OF_ITS_MESSAGES.bindparams(sent_ids=[str(one) for one in message_ids]),
            shown_caption=Post.caption,
            shown_parts=Post.parts,
            reason=None,
            **RELEASED,
        )
        .returning(Post.account_id)
        .execution_options(synchronize_session=False)
    )
    if account_id is not None:
        await _note(session, await posts.get(session, account_id, post_id), Deed.POST_SENT)
    return account_id is not None


async def retry(
    session: AsyncSession, post_id: int, token: UUID, *, not_before_s: float, reason: str
) -> bool:
    """Back to scheduled for `not_before_s`: Telegram has certainly not taken it. Called off if its
    channel was removed meanwhile.

    False: no longer ours.
    """
    stays = await channels.stays(session, post_id)
    moved_id = await session.scalar(
        update(Post)
        .where(*held(Post, post_id, token))
        .values(
            state=PostState.SCHEDULED if stays else PostState.CANCELLED,
            not_before=func.now() + seconds(not_before_s),
            reason=reason,
            **RELEASED,
        )
        .returning(Post.id)
        .execution_options(synchronize_session=False)
    )
    return moved_id is not None


async def unknown(session: AsyncSession, post_id: int, token: UUID, reason: str) -> bool:
    """It may have arrived, in whole or in part. False: no longer ours."""
    ours = held(Post, post_id, token)
    return bool(await _end_badly(session, ours, PostState.UNKNOWN, reason))


async def undeliverable(session: AsyncSession, post_id: int, token: UUID, reason: str) -> bool:
    """It can't be sent as things are. False: no longer ours."""
    ours = held(Post, post_id, token)
    return bool(await _end_badly(session, ours, PostState.UNDELIVERABLE, reason))


async def sweep_leases(session: AsyncSession) -> tuple[int, ...]:
    """Posts whose sender died become unknown; their ids."""
    dead = (Post.state == PostState.SENDING, Post.lease_until < func.now())
    return await _end_badly(session, dead, PostState.UNKNOWN, SENDER_DIED)


async def refuse_frozen(session: AsyncSession, *, now: datetime) -> tuple[int, ...]:
    """Posts that are due in frozen channels become undeliverable; their ids."""
    due = (
        Post.state == PostState.SCHEDULED,
        Post.publish_at <= now,
        Channel.id == Post.channel_id,
        Channel.removed_at.is_(None),
        channels.FROZEN,
    )
    return await _end_badly(session, due, PostState.UNDELIVERABLE, OVER_PLAN)


async def put_to_question(session: AsyncSession, *, now: datetime) -> int:
    """Posts that are hours late, of accounts that want to be asked; returns how many.

    Those of one topic are one question.
    """
    found = (
        await session.execute(
            update(Post)
            .where(
                Post.state == PostState.SCHEDULED,
                Post.publish_at < now - LATE,
                Account.id == Post.account_id,
                Account.late_posts == LatePosts.ASK,
            )
            .values(state=PostState.OVERDUE, not_before=None)
            .returning(
                Post.id,
                Post.account_id,
                Post.publish_at,
                Account.time_zone,
                Account.chat_id,
                case((Post.card_chat_id == Account.chat_id, Post.card_thread_id)).label("thread"),
            )
            .execution_options(synchronize_session=False)
        )
    ).all()
    late = sorted(found, key=lambda row: (row.account_id, row.thread or 0, row.publish_at))
    for (account_id, _), there in groupby(late, lambda row: (row.account_id, row.thread)):
        first, *others = there
        if not others:
            await _tell(session, account_id, first.id, "post_overdue")
            continue
        count = len(others) + 1
        data: dict[str, object] = {
            "count": count,
            "first_day": zones.local(first.publish_at, first.time_zone).date().isoformat(),
            "chat_id": first.chat_id,
            "thread_id": first.thread,
        }
        await notices.tell(session, account_id, "posts_overdue", data, key=_key())
        await audit.note(session, account_id, None, Deed.POST_OVERDUE, "posts", count=count)
    return len(late)


async def edits(session: AsyncSession, limit: int) -> tuple[CaptionEdit, ...]:
    """Published posts whose caption was changed since, those that may be tried now."""
    rows = await session.execute(
        select(
            Post.id,
            Post.account_id,
            Channel.chat_id,
            Post.message_ids[1],
            Post.caption,
            Post.parts,
        )
        .join(Channel, Channel.id == Post.channel_id)
        .where(
            text(CAPTION_TO_EDIT),
            func.coalesce(Post.not_before, func.now()) <= func.now(),
        )
        .order_by(Post.id)
        .limit(limit)
    )
    return tuple(
        CaptionEdit(post_id, account_id, chat_id, message_id, caption, captions.read(parts))
        for post_id, account_id, chat_id, message_id, caption, parts in rows
    )


async def edited(session: AsyncSession, edit: CaptionEdit) -> None:
    """The channel shows it now."""
    await session.execute(
        update(Post)
        .where(Post.id == edit.post_id)
        .values(
            shown_caption=edit.caption,
            shown_parts=captions.stored(edit.parts),
            not_before=None,
            reason=None,
        )
        .execution_options(synchronize_session=False)
    )


async def edit_later(session: AsyncSession, edit: CaptionEdit, after_s: float) -> None:
    """Telegram has no time for it at present."""
    await session.execute(
        update(Post)
        .where(Post.id == edit.post_id)
        .values(not_before=func.now() + seconds(after_s))
        .execution_options(synchronize_session=False)
    )


async def edit_refused(session: AsyncSession, edit: CaptionEdit, reason: str) -> None:
    """The post keeps the caption it has, and the account is told."""
    refused_id = await session.scalar(
        update(Post)
        .where(
            Post.id == edit.post_id,
            Post.caption == edit.caption,
            Post.caption != Post.shown_caption,
        )
        .values(caption=Post.shown_caption, parts=Post.shown_parts, not_before=None, reason=reason)
        .returning(Post.id)
        .execution_options(synchronize_session=False)
    )
    if refused_id is not None:
        await _tell(session, edit.account_id, refused_id, "post_edit_refused")


async def count_reactions(
    session: AsyncSession, chat_id: int, message_id: int, counts: Mapping[str, int]
) -> None:
    """How often each reaction was given to a message: to the post that it belongs to, if any.

    Each message of an album has its own, which take the place of those told before. A post that is
    being sent keeps what is told in its channel meanwhile, until its messages are known.
    """
    others = Post.reactions.op("-")(cast_to(str(message_id), Text))
    fresh = {str(message_id): dict(counts)} if counts else {}
    await session.execute(
        update(Post)
        .where(
            or_(
                and_(Post.state == PostState.SENT, Post.message_ids.contains([message_id])),
                text("posts.state = 'sending'"),  # as the index has it
            ),
            Channel.id == Post.channel_id,
            Channel.chat_id == chat_id,
        )
        .values(reactions=others.op("||")(cast_to(fresh, JSONB)))
        .execution_options(synchronize_session=False)
    )


async def card(session: AsyncSession, post_id: int) -> PostCard | None:
    """The card that is to say how the post went, if there is one."""
    row = (
        await session.execute(
            select(
                Post.account_id,
                Post.card_chat_id,
                Post.card_message_id,
                User.language_code,
                UserSettings.locale,
            )
            .join(User, User.id == Post.created_by)
            .join(UserSettings, UserSettings.user_id == User.id)
            .where(Post.id == post_id, Post.card_message_id.is_not(None))
        )
    ).one_or_none()
    if row is None:
        return None
    return PostCard(
        post=await posts.get(session, row.account_id, post_id),
        chat_id=row.card_chat_id,
        message_id=row.card_message_id,
        locale=locale_of(row.language_code, row.locale),
    )


async def _end_badly(
    session: AsyncSession, which: Sequence[ColumnElement[bool]], state: PostState, reason: str
) -> tuple[int, ...]:
    """The ids of those that did."""
    ended = (
        await session.execute(
            update(Post)
            .where(*which)
            .values(state=state, reason=reason, **RELEASED)
            .returning(Post.id, Post.account_id)
            .execution_options(synchronize_session=False)
        )
    ).all()
    for row in ended:
        await _tell(session, row.account_id, row.id, f"post_{state}")
    return tuple(row.id for row in ended)


async def _tell(session: AsyncSession, account_id: int, post_id: int, kind: str) -> None:
    """What happened to a post, with what it takes to word it and to do something about it."""
    post = await posts.get(session, account_id, post_id)
    place = select(Post.card_chat_id, Post.card_thread_id).where(Post.id == post_id)
    chat_id, thread_id = (await session.execute(place)).one()
    if kind in set(Deed):
        await _note(session, post, Deed(kind))
    assert post.publish_at is not None
    data: dict[str, object] = {
        "post_id": post.id,
        "channel": post.channel.title,
        "publish_at": post.publish_at.isoformat(),
        "time_zone": post.time_zone,
        "attempt": post.attempt,
        "reason": post.reason,
        "chat_id": chat_id,
        "thread_id": thread_id,
    }
    await notices.tell(session, account_id, kind, data, key=_key())


async def _note(session: AsyncSession, post: PostView, deed: Deed) -> None:
    """A line of the audit: nobody's deed, but what became of somebody's."""
    what = f"post {post.id}"
    await audit.note(session, post.account_id, None, deed, what, channel=post.channel.title)


def _key() -> str:
    """Told in the transaction of what it tells of, which happens once: no twin can come."""
    return f"post:{uuid4()}"
