"""Lengths of time as Postgres counts them, for leases and back-off."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Interval, literal
from sqlalchemy.sql.elements import ColumnElement


def seconds(length_s: float) -> ColumnElement[timedelta]:
    """An interval to add to `now()`."""
    return literal(timedelta(seconds=length_s), Interval())
