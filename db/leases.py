"""Leases: a row that a worker has taken is its worker's until a moment, and no longer.

Deliveries, notices, posts and tasks have a token and an end of the lease exactly while they are
being worked on (a check of each table's), so whose token it is, is all that must be asked. What a
lease has run out of is settled by whoever sweeps, and its token is forgotten: no heartbeat that
comes too late brings it back.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Interval, func, literal, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from db.models import Delivery, Notice, Post, Task
from db.money_views import NoticeClaim
from db.team_views import PostClaim
from db.views import DeliveryClaim

SendingClaim = DeliveryClaim | NoticeClaim | PostClaim
"""What is being brought to Telegram."""

RELEASED: Final[dict[str, None]] = {"lease_token": None, "lease_until": None}
"""What the end of the work changes, whatever became of it."""

SENDER_DIED = "sender_died"
"""Why nobody knows what became of something that was being sent."""


def held(
    row: type[Delivery] | type[Notice] | type[Post] | type[Task], row_id: int, token: UUID
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Whether it is still its worker's who was given `token`, for the WHERE of a change."""
    return row.id == row_id, row.lease_token == token


async def keep(session: AsyncSession, claims: Collection[SendingClaim], *, lease_s: float) -> None:
    """A heartbeat: prolongs the leases of what is still its sender's."""
    tables = (DeliveryClaim, Delivery), (NoticeClaim, Notice), (PostClaim, Post)
    for kind, row in tables:
        tokens = {claim.id: claim.token for claim in claims if isinstance(claim, kind)}
        if tokens:
            await session.execute(
                update(row)
                .where(row.id.in_(tokens.keys()), row.lease_token.in_(tokens.values()))
                .values(lease_until=func.now() + seconds(lease_s))
                .execution_options(synchronize_session=False)
            )


def seconds(length_s: float) -> ColumnElement[timedelta]:
    """An interval to add to `now()`."""
    return literal(timedelta(seconds=length_s), Interval())
