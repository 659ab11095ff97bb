"""Status cards: what a request's message in the chat says, kept true from the database.

A card that shows something else than it should is found again after any crash, because what it
shows is stored beside the task. Progress comes from Redis and only decorates.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass

import structlog

from bot import delivery, views
from bot.errors import (
    ChatMigrated,
    MessageGone,
    RateLimited,
    Refused,
    Uncertain,
    Undeliverable,
)
from db import queue, statuses
from db.states import Shown, TaskState
from db.views import TaskStatus
from pipeline.types import Stage
from workers import patience
from workers.courier import Courier

log = structlog.get_logger()

_TICK_S = 0.15  # with the mock generator a whole album takes less than a second
_IDLE_TICK_S = 0.5
_CARDS_AT_ONCE = 100
_BOT_MAY_STILL_SEND_S = 10.0  # the bot sends a task's first card; later it will not come any more
_PAUSE_AFTER_FAULT_S = 5.0
_LONGEST_PAUSE_S = 300.0
_UNFINISHED = (Shown.QUEUED, Shown.RUNNING)


@dataclass(slots=True)
class _Memory:
    """What this process knows of a card; times are of the monotonic clock."""

    said: str | None = None
    edited_at: float = 0.0
    not_before: float = 0.0  # after a fault
    paced_until: float = 0.0  # for progress only
    doubtful_sends: int = 0

    def pause(self) -> None:
        """Leaves the card alone after a fault."""
        self.not_before = time.monotonic() + pause_after_fault_s(self.doubtful_sends)


class Cards:
    """Call it in a loop: each call looks once and starts the edits that are due."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._known: defaultdict[int, _Memory] = defaultdict(_Memory)  # by task
        self._editing: dict[int, asyncio.Task[None]] = {}

    async def __call__(self) -> None:
        async with self._courier.sessions.begin() as session:
            work = await statuses.status_work(session, _CARDS_AT_ONCE)
        running = [status.task_id for status in work if status.state is TaskState.RUNNING]
        progress = await queue.read_progress(self._courier.pool, running)
        # Cards of one chat share its pace: the one that waited longest goes first.
        for status in sorted(work, key=lambda status: self._known[status.task_id].edited_at):
            if self._is_due(status):
                card = card_of(status, progress.get(status.task_id))
                self._start(status, card)
        for task_id in self._known.keys() - {status.task_id for status in work}:
            del self._known[task_id]
        await asyncio.sleep(_TICK_S if work else _IDLE_TICK_S)

    async def close(self) -> None:
        """Ends the edits on their way."""
        for task in self._editing.values():
            task.cancel()
        await asyncio.gather(*self._editing.values(), return_exceptions=True)

    def _is_due(self, status: TaskStatus) -> bool:
        if status.task_id in self._editing:
            return False
        known, now = self._known[status.task_id], time.monotonic()
        if now < known.not_before or (status.wanted in _UNFINISHED and now < known.paced_until):
            return False
        return status.status_message_id is not None or status.age_s > _BOT_MAY_STILL_SEND_S

    def _start(self, status: TaskStatus, card: views.Card) -> None:
        if status.shown is status.wanted and self._known[status.task_id].said == card.text:
            return
        task = asyncio.create_task(self._show(status, card))
        self._editing[status.task_id] = task
        task.add_done_callback(lambda _: self._editing.pop(status.task_id, None))

    async def _show(self, status: TaskStatus, card: views.Card) -> None:
        known = self._known[status.task_id]
        with structlog.contextvars.bound_contextvars(
            request=status.request_id, task=status.task_id
        ):
            try:
                await self._put(status, card)
                known.said, known.edited_at = card.text, time.monotonic()
            except Undeliverable as error:
                log.warning("card can't be shown", reason=error.reason)
                await self._mark(status, lost=True)
            except RateLimited as error:
                moment = time.monotonic() + error.retry_after_s
                if status.wanted in _UNFINISHED:
                    known.paced_until = moment
                else:
                    known.not_before = moment
            except (Refused, Uncertain, ChatMigrated, MessageGone):
                known.pause()
            except Exception as error:
                known.pause()
                if not patience.is_away(error):
                    log.exception("card failed for a reason of our own")

    async def _put(self, status: TaskStatus, card: views.Card) -> None:
        """Edits the card, or sends a new one."""
        bot = self._courier.bot
        if status.status_message_id is None:
            if status.wanted is Shown.DONE:  # the album speaks for itself
                await self._mark(status)
            else:
                await self._send(status, card)
            return
        final = status.wanted not in _UNFINISHED
        try:
            await delivery.edit_status(
                bot, card, status.chat_id, status.status_message_id, final=final
            )
        except MessageGone:
            if status.wanted is not Shown.DONE:
                await self._send(status, card)
                return
        # Also when nothing changed by the record: somebody else may have edited it meanwhile, and
        # then the next look finds a card that shows the wrong thing.
        await self._mark(status)

    async def _send(self, status: TaskStatus, card: views.Card) -> None:
        bot, chat_id = self._courier.bot, status.chat_id
        try:
            message_id = await delivery.send_own_card(bot, card, chat_id, status.thread_id)
        except Uncertain:
            # The card may be there, unknown to us: each try may bring one more.
            self._known[status.task_id].doubtful_sends += 1
            raise
        await patience.in_transaction(
            self._courier.sessions,
            lambda session: statuses.set_status_message(
                session, status.task_id, message_id, status.wanted
            ),
        )

    async def _mark(self, status: TaskStatus, *, lost: bool = False) -> None:
        await patience.in_transaction(
            self._courier.sessions,
            lambda session: statuses.mark_status_shown(
                session, status.task_id, status.wanted, lost=lost
            ),
        )


def pause_after_fault_s(doubtful_sends: int) -> float:
    """How long a card is left alone: longer with every copy of it that may be in the chat."""
    return patience.pause_s(
        doubtful_sends + 1, first_s=_PAUSE_AFTER_FAULT_S, longest_s=_LONGEST_PAUSE_S
    )


def card_of(status: TaskStatus, progress: queue.Progress | None) -> views.Card:
    """A finished task whose album is on its way has no progress; one that only began has none
    yet."""
    place = status.place
    return views.status_card(
        status.locale,
        status.wanted,
        status.task_id,
        status.cleaned_prompt,
        place=place.place if place else 0,
        eta_s=place.wait_s if place else None,
        progress=_stage_of(status, progress),
        error_code=status.error_code,
    )


def _stage_of(status: TaskStatus, progress: queue.Progress | None) -> queue.Progress | None:
    if status.state is not TaskState.RUNNING:
        return None
    return progress or queue.Progress(Stage.ENHANCE, 0, 1)
