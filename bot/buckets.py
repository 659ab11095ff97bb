"""Token buckets in Redis, shared by every process of the product."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import Redis


@dataclass(frozen=True, slots=True)
class Bucket:
    """Holds up to `burst` tokens, gains `rate` a second; one call takes `cost` of them."""

    key: str
    rate: float
    burst: float
    cost: float = 1.0


# All buckets or none are charged, in one step, on Redis' own clock: processes' clocks differ.
# A call is let through while each bucket has one token, and takes its whole cost even if that
# leaves a debt: an album of ten could otherwise never pass a bucket of five. Who may wait takes
# its tokens at once and then sleeps, so that callers go in the order in which they asked.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local max_wait = tonumber(ARGV[1])
local wait = 0
local levels = {}
for i, key in ipairs(KEYS) do
  local rate, burst = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local kept = redis.call('HMGET', key, 'level', 'at')
  local level = burst
  if kept[1] then
    level = math.min(burst, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * rate)
  end
  levels[i] = level
  if level < 1 then wait = math.max(wait, (1 - level) / rate) end
end
if wait <= max_wait then
  for i, key in ipairs(KEYS) do
    local rate, burst, cost =
      tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
    local level = levels[i] - cost
    redis.call('HSET', key, 'level', string.format('%.6f', level),
      'at', string.format('%.6f', now))
    redis.call('PEXPIRE', key, math.ceil((burst - level) / rate * 1000) + 1000)
  end
end
return string.format('%.6f', wait)
"""


class Buckets:
    """Takes tokens from several buckets at once."""

    def __init__(self, redis: Redis) -> None:
        self._take = redis.register_script(_TAKE)

    async def take(self, buckets: Sequence[Bucket], max_wait_s: float = 0.0) -> float:
        """Seconds to wait before going on; more than `max_wait_s` means: nothing was taken.

        Raises redis.RedisError.
        """
        args: list[float | str] = ["1e9" if math.isinf(max_wait_s) else max_wait_s]
        for bucket in buckets:
            args += [bucket.rate, bucket.burst, bucket.cost]
        waited = await self._take(keys=[bucket.key for bucket in buckets], args=args)
        return float(waited)
