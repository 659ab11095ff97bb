"""Months as subscriptions count them: from an anchor day, clipped where a month is shorter."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime


def add_months(moment: datetime, n: int, anchor_day: int) -> datetime:
    """`n` months on, on the anchor day (1..31) or the month's last: 31 Jan, 28 Feb, 31 Mar."""
    years, month = divmod(moment.month - 1 + n, 12)
    year = moment.year + years
    day = min(anchor_day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def latest_start(start: datetime, anchor_day: int, now: datetime) -> datetime:
    """When the month began that `now` is in, counting on from `start`; `start` if that is ahead."""
    n = (now.year - start.year) * 12 + now.month - start.month
    if n > 0 and add_months(start, n, anchor_day) > now:
        n -= 1
    return add_months(start, n, anchor_day) if n > 0 else start
