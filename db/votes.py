"""Votes under a team's album: one a person, which can be moved to another picture or taken back."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit, locks
from db.audit import Deed
from db.errors import NotFound
from db.models import Prediction, Task, User, Vote


async def cast(
    session: AsyncSession, account_id: int, task_id: int, user_id: int, rank: int, tap: str
) -> bool:
    """Gives or moves a person's vote; the same once more takes it back. Returns whether they have
    one now. Raises NotFound.

    `tap` is the id of the person's tap: handled once more, it changes nothing.
    """
    await locks.account(session, account_id)
    if await audit.has_done(session, tap):
        return await _is_cast(session, account_id, task_id, user_id, rank)
    picture = await session.scalar(
        select(Prediction.id)
        .join(Task, Task.id == Prediction.task_id)
        .where(
            Task.id == task_id,
            Task.account_id == account_id,
            Task.hidden_at.is_(None),
            Prediction.rank == rank,
        )
    )
    if picture is None:
        raise NotFound("picture", task_id)
    statement = insert(Vote).values(task_id=task_id, user_id=user_id, rank=rank)
    changed = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=[Vote.task_id, Vote.user_id],
            set_={"rank": rank, "cast_at": statement.excluded.cast_at},
            where=Vote.rank != rank,
        ).returning(Vote.rank)
    )
    if changed is None:
        await session.execute(
            delete(Vote).where(Vote.task_id == task_id, Vote.user_id == user_id, Vote.rank == rank)
        )
    deed = Deed.UNVOTE if changed is None else Deed.VOTE
    await audit.note(session, account_id, user_id, deed, f"task {task_id}", tap=tap, rank=rank)
    return changed is not None


async def voters(session: AsyncSession, task_id: int) -> dict[int, tuple[str, ...]]:
    """Who voted for which picture: names in the order of their votes, by rank."""
    rows = await session.execute(
        select(Vote.rank, func.array_agg(aggregate_order_by(User.first_name, Vote.cast_at)))
        .join(User, User.id == Vote.user_id)
        .where(Vote.task_id == task_id)
        .group_by(Vote.rank)
        .order_by(Vote.rank)
    )
    return {rank: tuple(names) for rank, names in rows}


async def _is_cast(
    session: AsyncSession, account_id: int, task_id: int, user_id: int, rank: int
) -> bool:
    """Whether a person's vote is for this picture."""
    found = await session.scalar(
        select(Vote.rank)
        .join(Task, Task.id == Vote.task_id)
        .where(
            Vote.task_id == task_id,
            Vote.user_id == user_id,
            Vote.rank == rank,
            Task.account_id == account_id,
        )
    )
    return found is not None
