"""getUpdates that loses nothing: an update is confirmed only once it has been handled.

aiogram's own polling confirms a batch before its handlers have run, so a crash or a failing
handler drops what was in it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from typing import cast

import structlog
from aiogram import Bot, Dispatcher
from aiogram.dispatcher.middlewares.user_context import UserContextMiddleware
from aiogram.methods import GetUpdates
from aiogram.types import Update
from pydantic import ValidationError

from bot.errors import SendError

log = structlog.get_logger(__name__)

MAX_OFFERS = 5
"""How often a failing update is handled before it is passed over."""

_BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)


RawUpdate = dict[str, object]


class RawUpdates(GetUpdates):
    """getUpdates with the updates as they came.

    Read as a whole, a single update that aiogram does not understand would hold up all others,
    for ever.
    """

    __returning__ = list[RawUpdate]


class Poller:
    """Fetches updates and hands them to the dispatcher until `stop` is called.

    Updates of one person in one chat are handled in order, those of different people at once.
    `timeout_s` is how long Telegram holds an empty answer back.
    """

    def __init__(self, dispatcher: Dispatcher, bot: Bot, timeout_s: int = 30) -> None:
        self._dispatcher = dispatcher
        self._bot = bot
        self._timeout_s = timeout_s
        self._stopping = asyncio.Event()
        self._offset: int | None = None
        self._handled: set[int] = set()
        self._failures: dict[int, int] = {}

    def stop(self) -> None:
        """Finish the batch in hand, confirm it, and return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        failed_rounds = 0
        while not self._stopping.is_set():
            updates = await self._fetch_or_stop(failed_rounds)
            if updates is None:
                failed_rounds += 1
                continue
            await self.handle(updates)
            failed_rounds = failed_rounds + 1 if self._failures else 0
            if self._failures:
                await self._pause(failed_rounds)
        await self._confirm()

    async def _fetch_or_stop(self, failed_rounds: int) -> Sequence[Update] | None:
        """The next updates; none when asked to stop; None after a failed call and a pause."""
        fetching = asyncio.ensure_future(self._fetch())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({fetching, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return fetching.result() if fetching.done() else ()
        except SendError as error:
            log.warning("getUpdates failed", error=str(error))
            await self._pause(failed_rounds + 1)
            return None
        finally:
            for task in (fetching, stopping):
                task.cancel()
            await asyncio.gather(fetching, stopping, return_exceptions=True)

    async def _fetch(self) -> list[Update]:
        call = RawUpdates(
            offset=self._offset,
            timeout=self._timeout_s,
            allowed_updates=self._dispatcher.resolve_used_update_types(),
        )
        found = await self._bot(call, request_timeout=self._timeout_s + 10)
        updates = cast("list[RawUpdate]", found)
        return [self._read(raw) for raw in updates if isinstance(raw.get("update_id"), int)]

    def _read(self, raw: RawUpdate) -> Update:
        """An update; an empty one, which no handler wants, for what aiogram can't read."""
        try:
            return Update.model_validate(raw, context={"bot": self._bot})
        except ValidationError as error:
            log.error("unreadable update passed over", update=raw["update_id"], error=str(error))
            return Update(update_id=int(str(raw["update_id"])))

    async def handle(self, updates: Sequence[Update]) -> None:
        """Handle a batch, then move the offset to the first update that must come again."""
        due = [update for update in updates if update.update_id not in self._handled]
        await asyncio.gather(*(self._handle_in_order(line) for line in _lines(due)))
        unhandled = [u.update_id for u in updates if u.update_id not in self._handled]
        if updates:
            last = max(update.update_id for update in updates)
            self._offset = min(unhandled, default=last + 1)
            self._handled = {done for done in self._handled if done >= self._offset}

    async def _handle_in_order(self, line: Iterable[Update]) -> None:
        for update in line:
            if not await self._handle_one(update):
                return  # What the person did next must not overtake it.

    async def _handle_one(self, update: Update) -> bool:
        """Whether the update is over and done with."""
        if not update.model_fields_set - {"update_id"}:
            self._handled.add(update.update_id)
            return True
        try:
            await self._dispatcher.feed_update(self._bot, update)
        except Exception:
            failures = self._failures.get(update.update_id, 0) + 1
            log.exception("update failed", update=update.update_id, offer=failures)
            if failures < MAX_OFFERS:
                self._failures[update.update_id] = failures
                return False
            log.error("update passed over", update=update.update_id, kind=update.event_type)
        self._failures.pop(update.update_id, None)
        self._handled.add(update.update_id)
        return True

    async def _pause(self, failed_rounds: int) -> None:
        delay_s = _BACKOFF_S[min(failed_rounds, len(_BACKOFF_S)) - 1]
        try:
            await asyncio.wait_for(self._stopping.wait(), delay_s)
        except TimeoutError:
            return

    async def _confirm(self) -> None:
        """Tell Telegram what was handled, so that the next start is not offered it again."""
        if self._offset is None:
            return
        try:
            await self._bot(GetUpdates(offset=self._offset, limit=1, timeout=0))
        except SendError as error:
            log.warning("the last updates stay unconfirmed", error=str(error))


def _lines(updates: Iterable[Update]) -> list[list[Update]]:
    """The updates of each person in each chat, in order."""
    ordered = sorted(updates, key=lambda update: (_whose(update), update.update_id))
    return [list(line) for _, line in itertools.groupby(ordered, key=_whose)]


def _whose(update: Update) -> tuple[int, int]:
    context = UserContextMiddleware.resolve_event_context(update)
    return (context.chat_id or 0, context.user_id or 0)
