"""Votes under a team's album: one a person, which can be moved to another picture."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit
from db.errors import NotFound
from db.models import Prediction, Task, Vote


async def cast(
    session: AsyncSession, account_id: int, task_id: int, user_id: int, rank: int
) -> bool:
    """Gives or moves a person's vote; False: it was there already. Raises NotFound."""
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
        return False
    await audit.note(session, account_id, user_id, "vote", f"task {task_id}", rank=rank)
    return True
