"""A bot's queue of updates: numbered, kept until confirmed, fetched by long polling."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice

from playground.errors import ApiError
from playground.events import Bell
from playground.state import JsonObject

NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds a bot gets only when it names them (Bot API, getUpdates, allowed_updates)."""
FIRST_UPDATE_ID = 100_000_000
BY_ANOTHER_POLL = "other getUpdates request; make sure that only one bot instance is running"
BY_WEBHOOK = "setWebhook request"


@dataclass(slots=True)
class Update:
    """One update as it is sent; `queue` keeps the updates of one chat in their order.

    `place` orders the queue, since a raw update may carry any update_id or none. A raw one is
    confirmed only after it was offered, or an id below the bot's offset would never be seen.
    """

    place: int
    queue: int
    body: JsonObject
    raw: bool = False
    offered: bool = False

    def is_before(self, offset: int) -> bool:
        """Whether a getUpdates with this offset confirms the update."""
        update_id = self.body.get("update_id")
        if self.raw and not self.offered:
            return False
        return not isinstance(update_id, int) or update_id < offset


def is_allowed(kind: str, allowed: list[str] | None) -> bool:
    """Whether a bot that asked for `allowed` gets updates of this kind."""
    return kind in allowed if allowed else kind not in NOT_BY_DEFAULT


class UpdateQueue:
    """Updates that no getUpdates and no webhook has confirmed yet."""

    def __init__(self) -> None:
        self.pending: OrderedDict[int, Update] = OrderedDict()
        self.bell = Bell()
        self._poller: asyncio.Task[object] | None = None
        self._ousted: dict[asyncio.Task[object], str] = {}

    def add(self, update: Update) -> None:
        """Put an update at the end and wake whoever waits for it."""
        self.pending[update.place] = update
        self.bell.ring()

    def before(self, offset: int) -> list[int]:
        """Places of what the bot confirms by `offset`; a negative one keeps the last -offset."""
        if offset < 0:
            return list(self.pending)[:offset]
        return [place for place, update in self.pending.items() if update.is_before(offset)]

    def oust(self, reason: str) -> None:
        """End the poll that waits now, if there is one."""
        if self._poller is not None:
            self._ousted[self._poller] = reason
            self.bell.ring()

    async def poll(self, limit: int, timeout_s: float) -> list[JsonObject]:
        """Up to `limit` updates, waiting up to `timeout_s` for the first.

        Raises ApiError 409 in the poll that a newer one or a webhook has replaced.
        """
        task = asyncio.current_task()
        self.oust(BY_ANOTHER_POLL)
        self._poller = task
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        try:
            while not self.pending and (left := deadline - loop.time()) > 0:
                await self.bell.wait(left)
                if task in self._ousted:
                    raise ApiError(409, f"Conflict: terminated by {self._ousted[task]}")
        finally:
            if task is not None:
                self._ousted.pop(task, None)
            if self._poller is task:
                self._poller = None
        offered = list(islice(self.pending.values(), limit))
        for update in offered:
            update.offered = True
        return [update.body for update in offered]
