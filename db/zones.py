"""Wall clock time: what an hour of a day is in a time zone, summer time and all."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

ZONES: tuple[str, ...] = (
    "Europe/Kaliningrad",
    "Europe/Moscow",
    "Europe/Samara",
    "Asia/Yekaterinburg",
    "Asia/Omsk",
    "Asia/Novosibirsk",
    "Asia/Irkutsk",
    "Asia/Yakutsk",
    "Asia/Vladivostok",
    "Asia/Magadan",
    "Asia/Kamchatka",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Istanbul",
    "Asia/Tbilisi",
    "Asia/Almaty",
    "Asia/Tashkent",
    "Asia/Dubai",
)
"""Those that can be chosen, by their IANA names."""


def moment(day: date, at: time, zone: str) -> datetime:
    """When the clocks of `zone` show it, in UTC.

    An hour that the change to summer time leaves out is taken as the one after it, an hour that
    comes twice as the first of the two.
    """
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def local(instant: datetime, zone: str) -> datetime:
    """What the clocks of `zone` show."""
    return instant.astimezone(ZoneInfo(zone))
