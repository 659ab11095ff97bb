"""What a person was about to do when money or pictures ran out, kept beside the card that says so.

Redis holds it as a hint: with it the card offers to go on in one tap, and without it the person
finds the button where they left it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from redis.asyncio import Redis

_KEPT_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Errand:
    """`tap` is the packed button to press again, for `wanted` pictures; `plan` is a plan that was
    to be bought on the way. `agreed`: to pay for each picture what the card says."""

    tap: str | None = None
    wanted: int = 0
    plan: str | None = None
    agreed: bool = False


async def keep(redis: Redis, chat_id: int, message_id: int, errand: Errand) -> None:
    """Remembers what the person of this card wanted."""
    await redis.set(_key(chat_id, message_id), json.dumps(asdict(errand)), ex=_KEPT_S)


async def of(redis: Redis, chat_id: int, message_id: int | None) -> Errand | None:
    """What the person of this card wanted, if anything."""
    stored = None if message_id is None else await redis.get(_key(chat_id, message_id))
    return None if stored is None else Errand(**json.loads(stored))


async def take(redis: Redis, chat_id: int, message_id: int) -> Errand | None:
    """The same, and forgets it: whoever comes second finds none."""
    stored = await redis.getdel(_key(chat_id, message_id))
    return None if stored is None else Errand(**json.loads(stored))


async def carry(
    redis: Redis, chat_id: int, from_id: int | None, to_id: int, *, plan: str | None = None
) -> None:
    """The errand goes on from one message to the next; `plan` is to be bought first."""
    errand = await of(redis, chat_id, from_id) or Errand()
    if plan is not None:
        errand = Errand(errand.tap, errand.wanted, plan)
    if errand != Errand():
        await keep(redis, chat_id, to_id, errand)


def _key(chat_id: int, message_id: int) -> str:
    return f"errand:{chat_id}:{message_id}"
