"""What time it is for the business: passed to handlers, so that tests can move it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""The present moment, aware, in UTC."""


def utc_now() -> datetime:
    return datetime.now(UTC)
