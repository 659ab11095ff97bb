"""Publishing posts: each when it is due, in one call to Telegram, and what became of it noted.

As with deliveries, a post is claimed, and that is committed, before the call; only a definite
refusal puts it back, and whatever leaves a doubt is for a person to settle. Captions changed after
publishing are brought to their posts, as often as it takes: showing one twice does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import structlog
from obstore.exceptions import BaseError as StoreError
from sqlalchemy.ext.asyncio import AsyncSession

from bot import channel_views, delivery, posting
from bot.clock import Clock, utc_now
from bot.errors import (
    FileRefused,
    RateLimited,
    Refused,
    SendError,
    Uncertain,
    Undeliverable,
)
from db import channels, deliveries, publishing, queue
from db.errors import FileMissing
from db.team_views import CaptionEdit, PostClaim
from workers import patience
from workers.courier import MOST_STORAGE_FAULTS, Courier, back_off_s
from workers.wakes import claim_and_work

log = structlog.get_logger()

_EDITS_AT_ONCE = 20
_EDIT_AGAIN_S = 5.0
_MOST_CARDS = 1000


class Publisher:
    """The io process' part in posts. `wake` is set when a person has asked for something."""

    def __init__(self, courier: Courier, *, clock: Clock = utc_now) -> None:
        self._courier = courier
        self._clock = clock
        self._cards: asyncio.Queue[int] = asyncio.Queue(_MOST_CARDS)
        self.wake = asyncio.Event()
        self.wake_edits = asyncio.Event()

    def jobs(self) -> list[Coroutine[None, None, None]]:
        """All that runs beside the deliveries, for ever."""
        settings = self._courier.settings
        return [
            *(
                claim_and_work(self.claim, self.publish, self.wake, self.idle_s)
                for _ in range(settings.deliveries_in_flight)
            ),
            patience.every(settings.sweep_every_s, self.sweep, "sweep of posts"),
            patience.forever(self.edit_then_wait, "captions of posts"),
            patience.forever(self.show_next, "cards of posts"),
        ]

    # --- one post ---

    async def claim(self) -> PostClaim | None:
        async with self._courier.sessions.begin() as session:
            return await publishing.claim(
                session, now=self._clock(), lease_s=self._courier.settings.delivery_lease_s
            )

    async def idle_s(self) -> float:
        """How long to sleep: a post goes out the moment it is due."""
        async with self._courier.sessions.begin() as session:
            due_s = await publishing.next_due_s(session, now=self._clock())
        return self._courier.idle_s(due_s)

    async def publish(self, claim: PostClaim) -> None:
        """Sends it once and settles it. A call on its way is finished even when we are stopped."""
        await self._courier.finish(claim, self._publish(claim))

    async def _publish(self, claim: PostClaim) -> None:
        with structlog.contextvars.bound_contextvars(task=claim.task_id, post=claim.id):
            try:
                if not await self._is_open(claim):
                    await self._closed(claim, "no_rights")
                    return
                message_ids = await self._send(claim)
            except RateLimited as error:
                await self._retry(claim, error.retry_after_s, "rate_limited")
            except Refused as error:
                await self._retry(claim, back_off_s(claim.attempt), f"refused: {error.detail}")
            except FileRefused:
                await self._without_file_ids(claim)
            except FileMissing:
                await self._undeliverable(claim, "file_missing")
            except (OSError, StoreError) as error:
                # Pictures are read before the call, so nothing was sent.
                await self._storage_fault(claim, error)
            except Undeliverable as error:
                if error.reason in posting.GONE:
                    await self._closed(claim, error.reason)
                else:
                    await self._undeliverable(claim, error.reason)
            except Uncertain as error:
                await self._unknown(claim, error.detail)
            except SendError as error:
                await self._undeliverable(claim, type(error).__name__)
            except Exception as error:
                log.exception("publishing failed for a reason of our own")
                await self._unknown(claim, type(error).__name__)
            else:
                await self._sent(claim, message_ids)
            self._show(claim.id)

    async def _is_open(self, claim: PostClaim) -> bool:
        """Whether we may post there now. Only asking, so a doubt about it is none of the post's.

        Raises RateLimited, Refused.
        """
        bot = self._courier.bot
        try:
            return await posting.may_post(bot, claim.chat_id, bot.id)
        except Uncertain as error:
            raise Refused(error.detail) from error

    async def _send(self, claim: PostClaim) -> tuple[int, ...]:
        return await posting.send_post(
            self._courier.bot,
            claim.task_id,
            claim.images,
            claim.caption,
            claim.chat_id,
            None,
            self._courier.store.get,
        )

    async def _sent(self, claim: PostClaim, message_ids: tuple[int, ...]) -> None:
        async def note(session: AsyncSession) -> bool:
            ours = await publishing.sent(session, claim.id, claim.token, message_ids)
            await channels.healed(session, claim.chat_id)
            return ours

        if await self._courier.settle(note):
            late_s = (self._clock() - claim.publish_at).total_seconds()
            log.info("published", late_s=round(late_s, 1), attempt=claim.attempt)

    async def _retry(self, claim: PostClaim, after_s: float, reason: str) -> None:
        if await self._courier.settle(
            lambda session: publishing.retry(
                session, claim.id, claim.token, not_before_s=after_s, reason=reason
            )
        ):
            log.warning("post put off", reason=reason, after_s=round(after_s, 1))

    async def _without_file_ids(self, claim: PostClaim) -> None:
        """With the ids forgotten the files are uploaded; if those are refused, nothing helps."""
        if not any(image.photo_file_id for image in claim.images):
            await self._undeliverable(claim, "file_refused")
            return

        async def forget(session: AsyncSession) -> bool:
            await deliveries.forget_file_ids(session, claim.task_id)
            return await publishing.retry(
                session, claim.id, claim.token, not_before_s=0.0, reason="file_refused"
            )

        if await self._courier.settle(forget):
            log.warning("stored file ids refused, uploading again")

    async def _storage_fault(self, claim: PostClaim, error: Exception) -> None:
        if claim.attempt < MOST_STORAGE_FAULTS:
            await self._retry(claim, back_off_s(claim.attempt), f"storage: {error}")
        else:
            await self._undeliverable(claim, f"storage: {error}")

    async def _closed(self, claim: PostClaim, reason: str) -> None:
        """The channel is at fault: whoever posts there is told, and the post waits for them."""

        async def note(session: AsyncSession) -> bool:
            await channels.broke(session, claim.chat_id, reason, now=self._clock())
            return await publishing.undeliverable(session, claim.id, claim.token, reason)

        if await self._courier.settle(note):
            log.warning("the channel is closed to us", reason=reason, channel=claim.channel_id)
            await queue.wake_io(self._courier.pool)

    async def _undeliverable(self, claim: PostClaim, reason: str) -> None:
        if await self._courier.settle(
            lambda session: publishing.undeliverable(session, claim.id, claim.token, reason)
        ):
            log.warning("undeliverable", reason=reason)
            await queue.wake_io(self._courier.pool)

    async def _unknown(self, claim: PostClaim, reason: str) -> None:
        if await self._courier.settle(
            lambda session: publishing.unknown(session, claim.id, claim.token, reason)
        ):
            log.warning("nobody knows whether it arrived", reason=reason)
            await queue.wake_io(self._courier.pool)

    # --- what lies around them ---

    async def let_go(self) -> None:
        """Posts of dead senders: a person is asked."""
        async with self._courier.sessions.begin() as session:
            dead = await publishing.sweep_leases(session)
        if dead:
            log.warning("posts of a dead sender in doubt", posts=dead)
            for post_id in dead:
                self._show(post_id)
            await queue.wake_io(self._courier.pool)

    async def sweep(self) -> None:
        """Posts that are hours late, or due in a channel over the plan's limit: a person is
        asked."""
        async with self._courier.sessions.begin() as session:
            # First, so that the account hears of the plan, and not that we were away.
            refused = await publishing.refuse_frozen(session, now=self._clock())
            late = await publishing.put_to_question(session, now=self._clock())
        if refused:
            log.info("posts to channels over the plan's limit", posts=refused)
        if late:
            log.warning("posts are late", posts=late)
        for post_id in refused:
            self._show(post_id)
        if refused or late:
            await queue.wake_io(self._courier.pool)

    async def edit_then_wait(self) -> None:
        """Brings changed captions to the channels, then sleeps until woken."""
        self.wake_edits.clear()
        if await self.edit():
            return
        await patience.wait(self.wake_edits, self._courier.settings.poll_every_s)

    async def edit(self) -> int:
        """Brings what is to be changed now; how many captions that was."""
        async with self._courier.sessions.begin() as session:
            wanted = await publishing.edits(session, _EDITS_AT_ONCE)
        for one in wanted:
            await self._edit(one)
            self._show(one.post_id)
        return len(wanted)

    async def _edit(self, edit: CaptionEdit) -> None:
        try:
            await self._courier.bot.edit_message_caption(
                chat_id=edit.chat_id, message_id=edit.message_id, caption=edit.caption or None
            )
        except RateLimited as error:
            await self._edit_later(edit, error.retry_after_s)
        except (Refused, Uncertain) as error:
            log.warning("caption not changed yet", post=edit.post_id, error=error.detail)
            await self._edit_later(edit, _EDIT_AGAIN_S)
        except SendError as error:
            reason = error.reason if isinstance(error, Undeliverable) else type(error).__name__
            log.warning("caption refused", post=edit.post_id, error=error.detail)
            await self._courier.note(lambda session: publishing.edit_refused(session, edit, reason))
        else:
            await self._courier.note(lambda session: publishing.edited(session, edit))

    async def _edit_later(self, edit: CaptionEdit, after_s: float) -> None:
        await self._courier.note(lambda session: publishing.edit_later(session, edit, after_s))

    def _show(self, post_id: int) -> None:
        """Has the post's card say how it went; one that is skipped says it at the next tap."""
        if not self._cards.full():
            self._cards.put_nowait(post_id)

    async def show_next(self) -> None:
        """Brings one card up to date. Apart from publishing: cards share the pace of their chat."""
        post_id = await self._cards.get()
        async with self._courier.sessions.begin() as session:
            card = await publishing.card(session, post_id)
        if card is None:
            return
        try:
            shown = channel_views.post_card(card.locale, card.post, now=self._clock())
            await delivery.edit_status(
                self._courier.bot, shown, card.chat_id, card.message_id, final=True
            )
        except SendError as error:
            log.warning("card not shown", post=post_id, error=str(error))
