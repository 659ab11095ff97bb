"""getUpdates that loses nothing: an update is confirmed only once it has been handled.

aiogram's own polling confirms a batch before its handlers have run, so a crash or a failing
handler drops what was in it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Sequence
from typing import cast

import structlog
from aiogram import Bot, Dispatcher
from aiogram.dispatcher.middlewares.user_context import UserContextMiddleware
from aiogram.methods import GetUpdates
from aiogram.types import Update
from pydantic import ValidationError

from bot.errors import RateLimited, Refused, SendError
from bot.filters import is_payment
from db.patience import is_away, pause_s, wait

log = structlog.get_logger(__name__)

MAX_OFFERS = 5
"""How often an update that fails by a fault of ours is handled before it is passed over."""

MAX_PAYMENT_OFFERS = 60
"""The same where it is about money: five minutes, not three seconds."""

_LONGEST_LIMIT_S = 60.0
"""A chat that Telegram shuts for longer counts as a fault: only 100 updates can be unconfirmed."""

_LOOK_EVERY_S = 0.3
"""How often new updates are asked for while others are being handled."""


RawUpdate = dict[str, object]


class RawUpdates(GetUpdates):
    """getUpdates with the updates as they came.

    Read as a whole, a single update that aiogram does not understand would hold up all others,
    for ever.
    """

    __returning__ = list[RawUpdate]


class Poller:
    """Fetches updates and hands them to the dispatcher until `stop` is called.

    Updates of one person in one chat are handled in order, those of different people at once:
    nobody waits for another's. `timeout_s` is how long Telegram holds an empty answer back.
    """

    def __init__(self, dispatcher: Dispatcher, bot: Bot, timeout_s: int = 30) -> None:
        self._dispatcher = dispatcher
        self._bot = bot
        self._timeout_s = timeout_s
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._offset: int | None = None
        self._has_webhook = True  # For all we know: then getUpdates is refused.
        self._lines: dict[tuple[int, int], deque[Update]] = {}
        self._is_done: dict[int, bool] = {}  # The updates from the offset on.

    def stop(self) -> None:
        """Finish what is being handled, confirm what is done, and return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        failed_calls = 0
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                updates = await self._fetch_or_stop()
                if updates is None:
                    failed_calls += 1
                    await self._pause(pause_s(failed_calls))
                    continue
                failed_calls = 0
                for update in updates:
                    self._line_up(update, group)
                await wait(self._idle, _LOOK_EVERY_S)
                self._advance()
        self._advance()
        await self._confirm()

    async def _fetch_or_stop(self) -> Sequence[Update] | None:
        """The updates not met before; none when asked to stop; None after a failed call."""
        fetching = asyncio.ensure_future(self._fetch())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({fetching, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return fetching.result() if fetching.done() else ()
        except SendError as error:
            log.warning("getUpdates failed", error=str(error))
            return None
        finally:
            for task in (fetching, stopping):
                task.cancel()
            await asyncio.gather(fetching, stopping, return_exceptions=True)

    async def _fetch(self) -> list[Update]:
        if self._has_webhook:
            await self._bot.delete_webhook()
            self._has_webhook = False
        call = RawUpdates(
            offset=self._offset,
            timeout=self._timeout_s,
            allowed_updates=self._dispatcher.resolve_used_update_types(),
        )
        found = await self._bot(call, request_timeout=self._timeout_s + 10)
        updates = cast("list[RawUpdate]", found)
        return [
            self._read(update_id, raw)
            for raw in updates
            if isinstance(update_id := raw.get("update_id"), int) and update_id not in self._is_done
        ]

    def _read(self, update_id: int, raw: RawUpdate) -> Update:
        """An update; an empty one, which no handler wants, for what aiogram can't read."""
        try:
            return Update.model_validate(raw, context={"bot": self._bot})
        except ValidationError as error:
            log.error("unreadable update passed over", update=update_id, error=str(error))
            return Update(update_id=update_id)

    def _line_up(self, update: Update, group: asyncio.TaskGroup) -> None:
        """Put an update behind those of the same person; others' go on beside it."""
        is_empty = not update.model_fields_set - {"update_id"}
        self._is_done[update.update_id] = is_empty
        if is_empty:
            return
        whose = _whose(update)
        if whose in self._lines:
            self._lines[whose].append(update)
            return
        self._lines[whose] = deque([update])
        self._idle.clear()
        group.create_task(self._handle_in_order(whose))

    async def _handle_in_order(self, whose: tuple[int, int]) -> None:
        line = self._lines[whose]
        while line and not self._stopping.is_set():
            await self._handle(line.popleft())
        del self._lines[whose]
        if not self._lines:
            self._idle.set()

    async def _handle(self, update: Update) -> None:
        """Offer an update until it is over and done with, or the bot stops."""
        faults, at_most = 0, MAX_PAYMENT_OFFERS if is_payment(update) else MAX_OFFERS
        for offer in itertools.count(1):
            error = await self._offer(update, offer)
            if error is None:
                break
            faults += not _will_pass(error)
            if faults == at_most:
                log.error("update passed over", update=update.update_id, kind=update.event_type)
                break
            await self._pause(_pause_after(error, offer))
            if self._stopping.is_set():
                return
        self._is_done[update.update_id] = True

    async def _offer(self, update: Update, offer: int) -> Exception | None:
        """What the update failed with, if it did."""
        try:
            await self._dispatcher.feed_update(self._bot, update, offer=offer)
        except Exception as error:
            if _will_pass(error):
                log.warning("update put off", update=update.update_id, error=repr(error))
            else:
                log.exception("update failed", update=update.update_id, offer=offer)
            return error
        return None

    def _advance(self) -> None:
        """Move the offset to the first update that must come again."""
        if not self._is_done:
            return
        waiting = [update_id for update_id, is_done in self._is_done.items() if not is_done]
        self._offset = offset = min(waiting, default=max(self._is_done) + 1)
        self._is_done = {one: done for one, done in self._is_done.items() if one >= offset}

    async def _pause(self, delay_s: float) -> None:
        await wait(self._stopping, delay_s)

    async def _confirm(self) -> None:
        """Tell Telegram what was handled, so that the next start is not offered it again."""
        if self._offset is None:
            return
        try:
            await self._bot(GetUpdates(offset=self._offset, limit=1, timeout=0))
        except SendError as error:
            log.warning("the last updates stay unconfirmed", error=str(error))


def _will_pass(error: Exception) -> bool:
    """Whether it is only a matter of time until the same update can be handled."""
    if isinstance(error, RateLimited):
        return error.retry_after_s <= _LONGEST_LIMIT_S
    return isinstance(error, Refused) or is_away(error)


def _pause_after(error: Exception, offers: int) -> float:
    if isinstance(error, RateLimited) and _will_pass(error):
        return error.retry_after_s
    return pause_s(offers)


def _whose(update: Update) -> tuple[int, int]:
    context = UserContextMiddleware.resolve_event_context(update)
    return (context.chat_id or 0, context.user_id or 0)
