"""Who did what in an account: lines are only ever added, a trigger refuses all else."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Event
from db.team_views import EventView


async def note(
    session: AsyncSession,
    account_id: int,
    user_id: int | None,
    action: str,
    what: str,
    **data: str | int | None,
) -> None:
    """Adds a line, in the transaction of what it tells of. `what` names a thing: `task 5`."""
    await session.execute(
        insert(Event).values(
            account_id=account_id, user_id=user_id, action=action, what=what, data=data
        )
    )


async def lines(
    session: AsyncSession, account_id: int, *, limit: int = 50
) -> tuple[EventView, ...]:
    """An account's last lines, newest first."""
    rows = await session.scalars(
        select(Event).where(Event.account_id == account_id).order_by(Event.id.desc()).limit(limit)
    )
    return tuple(
        EventView(row.id, row.user_id, row.action, row.what, row.data, row.at) for row in rows
    )
