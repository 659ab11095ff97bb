"""Leases: a row that a worker has taken is its worker's until a moment, and no longer.

Deliveries, notices, posts and tasks have a token and an end of the lease exactly while they are
being worked on (a check of each table's), so whose token it is, is all that must be asked.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Interval, literal
from sqlalchemy.sql.elements import ColumnElement

from db.models import Delivery, Notice, Post, Task

RELEASED: Final[dict[str, None]] = {"lease_token": None, "lease_until": None}
"""What the end of the work changes, whatever became of it."""

SENDER_DIED = "sender_died"
"""Why nobody knows what became of something that was being sent."""


def held(
    row: type[Delivery] | type[Notice] | type[Post] | type[Task], row_id: int, token: UUID
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Whether it is still its worker's who was given `token`, for the WHERE of a change."""
    return row.id == row_id, row.lease_token == token


def seconds(length_s: float) -> ColumnElement[timedelta]:
    """An interval to add to `now()`."""
    return literal(timedelta(seconds=length_s), Interval())
