"""What came of an account's posts: reactions by brand, by size, by hour, and the best posts.

A post counts once it is in a channel and we know its messages; of one that has arrived by a
person's word alone nobody can tell us the reactions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

ENOUGH = 10
"""With fewer posts a mean says more about chance than about the posts."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which posts: of one of the account's channels (None: of all), sent since (None: ever)."""

    account_id: int
    channel_id: int | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Some posts and the reactions they had; `squares`: the sum of each post's count squared."""

    posts: int = 0
    reactions: int = 0
    squares: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.posts + other.posts,
            self.reactions + other.reactions,
            self.squares + other.squares,
        )

    @property
    def is_enough(self) -> bool:
        return self.posts >= ENOUGH

    @property
    def mean(self) -> float:
        """Reactions a post; 0 where there is none."""
        return self.reactions / self.posts if self.posts else 0.0

    @property
    def error(self) -> float:
        """The standard error of the mean; needs two posts."""
        deviations = self.squares - self.posts * self.mean**2
        return math.sqrt(max(0.0, deviations) / (self.posts - 1) / self.posts)


def may_be_chance(one: Tally, other: Tally) -> bool:
    """Whether two means are less than two standard errors of their difference apart: posts that
    are all alike differ by more in about one case of twenty."""
    return abs(one.mean - other.mean) < 2 * math.hypot(one.error, other.error)


@dataclass(frozen=True, slots=True)
class TopPost:
    """A post with many reactions. `caption` is HTML, as the channel shows it."""

    chat_id: int
    username: str | None
    message_id: int
    caption: str
    ranks: tuple[int, ...]
    sent_at: datetime
    reactions: int


# A channel that was disconnected and connected again is the same chat, with all its posts.
_COUNTED = """
WITH counted AS (
    SELECT p.id, p.account_id, p.task_id, p.ranks, p.sent_at, p.message_ids,
        coalesce(p.shown_caption, p.caption) AS caption, c.chat_id, c.username, given.given
    FROM posts p
    JOIN channels c ON c.id = p.channel_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(one::bigint), 0) AS given
        FROM jsonb_path_query(p.reactions, '$.*.*') one
    ) given
    WHERE p.account_id = :account_id
        AND p.state = 'sent'
        AND p.sent_at >= coalesce(CAST(:since AS timestamptz), '-infinity')
        AND cardinality(p.message_ids) > 0
        AND (
            CAST(:channel_id AS bigint) IS NULL
            OR c.chat_id = (
                SELECT chat_id FROM channels WHERE id = :channel_id AND account_id = :account_id
            )
        )
)
"""
_TALLY = "count(*) AS posts, sum(given) AS reactions, sum(given * given) AS squares"

# The brief says whether the brand was still there when the pictures were ordered; by its name,
# because one that was deleted and made anew is the same to people.
_BY_BRAND = text(f"""{_COUNTED}
SELECT max(b.name) AS brand, {_TALLY}
FROM counted p
JOIN ml_tasks t ON t.id = p.task_id
JOIN ml_requests r ON r.id = t.request_id
LEFT JOIN brands b ON b.id = r.brand_id AND jsonb_typeof(t.brief -> 'brand') = 'object'
GROUP BY b.name_key
ORDER BY b.name_key
""")
_BY_SIZE = text(f"""{_COUNTED}
SELECT i.width, i.height, {_TALLY}
FROM counted p JOIN predictions i ON i.task_id = p.task_id AND i.rank = p.ranks[1]
GROUP BY i.width, i.height
ORDER BY i.width, i.height
""")
_BY_HOUR = text(f"""{_COUNTED}
SELECT extract(hour FROM p.sent_at AT TIME ZONE a.time_zone)::int AS hour, {_TALLY}
FROM counted p JOIN accounts a ON a.id = p.account_id
GROUP BY hour
ORDER BY hour
""")
_BEST = text(f"""{_COUNTED}, total AS (
    SELECT {_TALLY} FROM counted
)
SELECT p.chat_id, p.username, p.message_ids[1] AS message_id, p.caption, p.ranks, p.sent_at,
    p.given, total.posts, total.reactions, total.squares
FROM counted p, total
ORDER BY p.given DESC, p.sent_at DESC, p.id
LIMIT :limit
""")


async def by_brand(session: AsyncSession, scope: Scope) -> dict[str | None, Tally]:
    """By the brand's name; None: drawn without a brand."""
    return {row.brand: _tally(row) for row in await _rows(session, scope, _BY_BRAND)}


async def by_size(session: AsyncSession, scope: Scope) -> dict[tuple[int, int], Tally]:
    """By width and height in pixels of the post's first picture."""
    found = await _rows(session, scope, _BY_SIZE)
    return {(row.width, row.height): _tally(row) for row in found}


async def by_hour(session: AsyncSession, scope: Scope) -> dict[int, Tally]:
    """By the hour, 0..23, that the clocks of the account's time zone showed."""
    return {row.hour: _tally(row) for row in await _rows(session, scope, _BY_HOUR)}


async def best(
    session: AsyncSession, scope: Scope, limit: int = 3
) -> tuple[Tally, tuple[TopPost, ...]]:
    """All posts together, and those with the most reactions, the newest first among equals."""
    found = await _rows(session, scope, _BEST, limit=limit)
    if not found:
        return Tally(), ()
    return _tally(found[0]), tuple(
        TopPost(
            chat_id=row.chat_id,
            username=row.username,
            message_id=row.message_id,
            caption=row.caption,
            ranks=tuple(row.ranks),
            sent_at=row.sent_at,
            reactions=int(row.given),
        )
        for row in found
        if row.given
    )


async def _rows(
    session: AsyncSession, scope: Scope, query: TextClause, **values: int
) -> Sequence[Row[*tuple[object, ...]]]:
    found = await session.execute(
        query,
        {
            "account_id": scope.account_id,
            "channel_id": scope.channel_id,
            "since": scope.since,
            **values,
        },
    )
    return found.all()


def _tally(row: Row[*tuple[object, ...]]) -> Tally:
    return Tally(int(row.posts), int(row.reactions), int(row.squares))
