"""Telegram's pace: 30 messages a second overall, 1 a second per chat, 20 a minute per group.

From core.telegram.org/bots/faq#my-bot-is-hitting-limits, which allows short bursts in a chat. A
message goes out while every bucket has something in it, and may leave a debt, as an album does.
"""

import math
import time
from dataclasses import dataclass, field

from playground.errors import ApiError

OVERALL_PER_S = 30.0
CHAT_PER_S = 1.0
CHAT_BURST = 5.0
GROUP_PER_MINUTE = 20.0
PASSES_AT = 0.5
"""A message passes with half a token in the bucket: a sender that keeps the pace exactly must not
be refused because two of its calls took different times on their way."""


@dataclass(slots=True)
class _Bucket:
    rate: float
    capacity: float
    level: float
    at: float

    def wait_s(self, now: float) -> float:
        """Seconds until something may pass; 0 when it may now."""
        self.level = min(self.capacity, self.level + (now - self.at) * self.rate)
        self.at = now
        return max(0.0, (PASSES_AT - self.level) / self.rate)


@dataclass(slots=True)
class Limits:
    """The pace of every bot; off until somebody enforces it."""

    enforced: bool = False
    _buckets: dict[tuple[int, str], _Bucket] = field(default_factory=dict)

    def enforce(self, enforced: bool) -> None:
        """Switch on or off; both forget what was sent before."""
        self.enforced = enforced
        self._buckets.clear()

    def spend(self, bot_id: int, chat_id: int | str, messages: int) -> None:
        """Count messages to a chat. Raises ApiError 429 with retry_after when it is too fast."""
        if not self.enforced:
            return
        now = time.monotonic()
        buckets = [self._bucket(bot_id, "overall", OVERALL_PER_S, OVERALL_PER_S, now)]
        if str(chat_id).startswith("-"):
            per_s = GROUP_PER_MINUTE / 60
            buckets.append(self._bucket(bot_id, f"group {chat_id}", per_s, GROUP_PER_MINUTE, now))
        buckets.append(self._bucket(bot_id, f"chat {chat_id}", CHAT_PER_S, CHAT_BURST, now))
        wait_s = max(bucket.wait_s(now) for bucket in buckets)
        if wait_s > 0:
            raise too_many_requests(math.ceil(wait_s))
        for bucket in buckets:
            bucket.level -= messages

    def _bucket(self, bot_id: int, name: str, rate: float, capacity: float, now: float) -> _Bucket:
        return self._buckets.setdefault((bot_id, name), _Bucket(rate, capacity, capacity, now))


def too_many_requests(retry_after_s: int) -> ApiError:
    """Telegram's 429."""
    return ApiError(
        429,
        f"Too Many Requests: retry after {retry_after_s}",
        {"retry_after": retry_after_s},
    )
