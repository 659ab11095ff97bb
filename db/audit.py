"""Who did what in an account: lines are only ever added, a trigger refuses all else."""

from __future__ import annotations

import enum

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Event, Task, User
from db.team_views import EventView, JournalPage

PAGE = 10


class Deed(enum.StrEnum):
    """What a line tells of. Names are kept in the database for ever: none is renamed."""

    JOIN = "join"
    LEAVE = "leave"
    ROLE = "role"
    REMOVE = "remove"
    TRANSFER = "transfer"
    CLAIM = "claim"
    BOT = "bot"
    APPROVALS = "approvals"
    REMINDERS = "reminders"

    VOTE = "vote"
    UNVOTE = "unvote"
    ASK = "ask"
    APPROVE = "approve"
    CHANGES = "changes"
    REJECTED = "rejected"
    REMIND = "remind"

    CHANNEL_ADDED = "channel_added"
    CHANNEL_REMOVED = "channel_removed"
    CHANNEL_BROKEN = "channel_broken"
    CHANNEL_HEALED = "channel_healed"
    TIME_ZONE = "time_zone"
    LATE_POSTS = "late_posts"

    POST_NOW = "post_now"
    POST_AT = "post_at"
    POST_EDITED = "post_edited"
    POST_CANCELLED = "post_cancelled"
    POST_SENT = "post_sent"
    POST_UNKNOWN = "post_unknown"
    POST_UNDELIVERABLE = "post_undeliverable"
    POST_OVERDUE = "post_overdue"
    POST_ARRIVED = "post_arrived"
    POST_AGAIN = "post_again"

    PLAN = "plan"
    PAY_PER_PICTURE = "pay_per_picture"
    TOP_UP = "top_up"


async def note(
    session: AsyncSession,
    account_id: int,
    user_id: int | None,
    deed: Deed,
    what: str,
    *,
    tap: str | None = None,
    **data: str | int | None,
) -> None:
    """Adds a line, in the transaction of what it tells of. `what` names a thing: `task 5`.

    `user_id` None: nobody in person, the bot itself. `tap`: what `has_done` is asked about.
    """
    await session.execute(
        insert(Event).values(
            account_id=account_id, user_id=user_id, action=deed, what=what, data=data, tap=tap
        )
    )


async def has_done(session: AsyncSession, tap: str) -> bool:
    """Whether a line tells of what this tap did."""
    return await session.scalar(select(Event.id).where(Event.tap == tap)) is not None


async def page(
    session: AsyncSession, account_id: int, *, before_id: int | None = None
) -> JournalPage:
    """An account's last lines, newest first: all, or those older than `before_id`."""
    of_page = [Event.account_id == account_id]
    if before_id is not None:
        of_page.append(Event.id < before_id)
    rows = (
        await session.execute(
            select(Event, User.first_name)
            .outerjoin(User, User.id == Event.user_id)
            .where(*of_page)
            .order_by(Event.id.desc())
            .limit(PAGE + 1)
        )
    ).all()
    people = await _people(session, [row.what for row, _ in rows])
    prompts = await _prompts(session, account_id, [row.what for row, _ in rows])
    lines = tuple(
        EventView(
            id=row.id,
            by=name,
            deed=row.action,
            what=row.what,
            name=people.get(row.what) or prompts.get(row.what),
            data=row.data,
            at=row.at,
        )
        for row, name in rows[:PAGE]
    )
    return JournalPage(account_id, lines, lines[-1].id if len(rows) > PAGE else None)


async def _people(session: AsyncSession, things: list[str]) -> dict[str, str]:
    """The names of people whom lines tell of, by `user 5`."""
    rows = await session.execute(
        select(User.id, User.first_name).where(User.id.in_(_ids(things, "user")))
    )
    return {f"user {user_id}": name for user_id, name in rows}


async def _prompts(session: AsyncSession, account_id: int, things: list[str]) -> dict[str, str]:
    """What the albums that lines tell of were asked for with, by `task 5`."""
    rows = await session.execute(
        select(Task.id, Task.brief["cleaned_prompt"].astext).where(
            Task.id.in_(_ids(things, "task")), Task.account_id == account_id
        )
    )
    return {f"task {task_id}": prompt for task_id, prompt in rows}


def _ids(things: list[str], kind: str) -> set[int]:
    named = (thing.split() for thing in things)
    return {int(words[1]) for words in named if words[0] == kind}
