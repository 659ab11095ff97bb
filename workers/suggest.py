"""Captions proposed for posts: written while a person watches, and left on the post's card.

A model takes its time, so each is written in a task of its own under a lease that is kept up; the
card is edited as the text grows, where its chat has room for that. What is written is kept before
it is shown, and a card that could not be edited is edited later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace

import structlog

from bot import caption_views, delivery
from bot.errors import RateLimited, Refused, SendError, Uncertain
from db import captions, suggestions
from db.states import Part
from db.team_views import SuggestionClaim
from pipeline.captions import LONGEST, Caption, CaptionBrief, CaptionWriter
from pipeline.captions.templates import TemplateWriter
from workers.courier import Courier, back_off_s
from workers.wakes import claim_and_work

log = structlog.get_logger()

_AT_ONCE = 2
_LEASE_S = 30.0
_LOOK_EVERY_S = 2.5
"""Telegram's pace for edits in a private chat; in a group the gateway lets fewer through."""
_MOST_MODEL_ATTEMPTS = 2
"""After so many deaths of a worker the model is not asked again: it may be what kills it."""


class Scribe:
    """The io process' part in captions. `wake` is set when a person has asked for one."""

    def __init__(self, courier: Courier, writer: CaptionWriter) -> None:
        self._courier = courier
        self._writer = writer
        self.wake = asyncio.Event()

    def jobs(self) -> list[Coroutine[None, None, None]]:
        """All that runs beside the deliveries, for ever."""
        return [
            claim_and_work(self.claim, self.work, self.wake, self.idle_s) for _ in range(_AT_ONCE)
        ]

    async def claim(self) -> SuggestionClaim | None:
        async with self._courier.sessions.begin() as session:
            return await suggestions.claim(session, lease_s=_LEASE_S)

    async def idle_s(self) -> float:
        return self._courier.settings.poll_every_s

    async def work(self, claim: SuggestionClaim) -> None:
        """Writes it, unless that is done, and shows it."""
        with structlog.contextvars.bound_contextvars(task=claim.post.task_id, post=claim.post.id):
            if claim.caption is None:
                made = await self._written(claim)
                if made is None:
                    return
                claim = replace(claim, caption=made.text, writer=made.writer)
            await self._show(claim)

    async def _written(self, claim: SuggestionClaim) -> Caption | None:
        """None: it is no longer wanted, or no longer ours."""
        writer = self._writer if claim.attempt <= _MOST_MODEL_ATTEMPTS else TemplateWriter()
        so_far = ""

        def hear(text: str) -> None:
            nonlocal so_far
            so_far = text

        writing = asyncio.ensure_future(writer.write(_brief(claim), hear))
        try:
            while not (await asyncio.wait([writing], timeout=_LOOK_EVERY_S))[0]:
                if not await self._is_wanted(claim):
                    return None
                await self._show_so_far(claim, so_far)
        finally:
            writing.cancel()
            await asyncio.wait([writing])
        made = writing.result()
        log.info("caption written", writer=made.writer, fallback=made.fallback)
        kept = await self._courier.settle(
            lambda session: suggestions.written(session, claim, made.text, made.writer)
        )
        return made if kept else None

    async def _is_wanted(self, claim: SuggestionClaim) -> bool:
        async with self._courier.sessions.begin() as session:
            return await suggestions.keep(session, claim, lease_s=_LEASE_S)

    async def _show_so_far(self, claim: SuggestionClaim, text: str) -> None:
        """Left out where Telegram has no time for it: the next look shows more."""
        card = caption_views.writing(claim.locale, claim.post, claim.number, text)
        try:
            await delivery.edit_status(self._courier.bot, card, claim.chat_id, claim.message_id)
        except SendError as error:
            log.debug("growing caption not shown", error=error.detail)

    async def _show(self, claim: SuggestionClaim) -> None:
        if not await self._is_wanted(claim):
            return
        card = caption_views.suggested(
            claim.locale, claim.post, claim.number, claim.caption or "", claim.writer
        )
        try:
            await delivery.edit_status(
                self._courier.bot, card, claim.chat_id, claim.message_id, final=True
            )
        except RateLimited as error:
            await self._show_later(claim, error.retry_after_s)
        except (Refused, Uncertain):
            await self._show_later(claim, back_off_s(claim.attempt))
        except SendError as error:
            log.warning("caption can't be shown", error=error.detail)
            await self._courier.settle(lambda session: suggestions.shown(session, claim))
        else:
            await self._courier.settle(lambda session: suggestions.shown(session, claim))

    async def _show_later(self, claim: SuggestionClaim, after_s: float) -> None:
        await self._courier.settle(lambda session: suggestions.later(session, claim, after_s))


def _brief(claim: SuggestionClaim) -> CaptionBrief:
    return CaptionBrief(
        idea=claim.idea,
        locale=claim.locale,
        seed=claim.number - 1,
        room=min(LONGEST, claim.room),
        goal=claim.goal,
        platform=claim.platform,
        brand=claim.brand,
        is_signed=bool(claim.post.parts.signature)
        and Part.SIGNATURE in captions.shown(claim.post.parts),
    )
