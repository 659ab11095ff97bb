"""One claimed delivery: a single call to Telegram, and what became of it written down.

A delivery is claimed, and that is committed, before the call. Only a definite refusal puts it
back; whatever leaves a doubt ends as `unknown`, and a person decides about a second copy.
"""

from __future__ import annotations

import asyncio

import structlog
from obstore.exceptions import BaseError as StoreError
from sqlalchemy.ext.asyncio import AsyncSession

from bot import delivery
from bot.errors import (
    ChatMigrated,
    FileRefused,
    RateLimited,
    Refused,
    ThreadClosed,
    Uncertain,
    Undeliverable,
)
from db import accounts, albums, deliveries
from db.errors import FileMissing, NotFound, Stale
from db.states import DeliveryKind
from db.views import AlbumView, DeliveryClaim
from workers.courier import MOST_STORAGE_FAULTS, Courier, back_off_s
from workers.wakes import claim_and_work

log = structlog.get_logger()


async def deliver_all(courier: Courier, wake: asyncio.Event) -> None:
    """One slot: delivers one after another, until cancelled; `wake` says that there may be one."""

    async def claim() -> DeliveryClaim | None:
        async with courier.sessions.begin() as session:
            return await deliveries.claim(session, lease_s=courier.settings.delivery_lease_s)

    async def work(claimed: DeliveryClaim) -> None:
        await deliver(claimed, courier)

    async def idle_s() -> float:
        async with courier.sessions.begin() as session:
            return courier.idle_s(await deliveries.next_due_s(session))

    await claim_and_work(claim, work, wake, idle_s)


async def deliver(claim: DeliveryClaim, courier: Courier) -> None:
    """Sends it once and settles it. A call on its way is finished even when we are stopped."""
    await courier.finish(claim, _deliver(claim, courier))


async def _deliver(claim: DeliveryClaim, courier: Courier) -> None:
    with structlog.contextvars.bound_contextvars(
        task=claim.task_id, delivery=claim.id, kind=str(claim.kind)
    ):
        try:
            album = await courier.note(
                lambda session: albums.album(session, claim.account_id, claim.task_id)
            )
        except (NotFound, Stale):
            await _undeliverable(claim, courier, "gone")
            return
        with structlog.contextvars.bound_contextvars(request=album.request_id):
            await _send_and_settle(claim, album, courier)


async def _send_and_settle(claim: DeliveryClaim, album: AlbumView, courier: Courier) -> None:
    try:
        sent = await _send(claim, album, courier)
    except RateLimited as error:
        await _retry(claim, courier, error.retry_after_s, "rate_limited")
    except Refused as error:
        await _retry(claim, courier, back_off_s(claim.attempt), f"refused: {error.detail}")
    except ChatMigrated as error:
        await _follow(claim, courier, error.new_chat_id)
    except ThreadClosed:
        await _without_thread(claim, courier)
    except FileRefused:
        await _without_file_ids(claim, album, courier)
    except FileMissing:
        await _undeliverable(claim, courier, "file_missing")
    except (OSError, StoreError) as error:
        # Pictures are read before the call, so nothing was sent.
        if claim.attempt < MOST_STORAGE_FAULTS:
            await _retry(claim, courier, back_off_s(claim.attempt), f"storage: {error}")
        else:
            await _undeliverable(claim, courier, f"storage: {error}")
    except Undeliverable as error:
        await _undeliverable(claim, courier, error.reason)
    except Uncertain as error:
        await _unknown(claim, courier, error.detail)
    except Exception as error:
        log.exception("sending failed for a reason of our own")
        await _unknown(claim, courier, type(error).__name__)
    else:
        await _sent(claim, courier, sent)


async def _send(claim: DeliveryClaim, album: AlbumView, courier: Courier) -> delivery.SentAlbum:
    chat_id, thread_id = claim.chat_id, claim.thread_id
    if claim.kind is DeliveryKind.ALBUM:
        return await delivery.send_album(courier.bot, album, chat_id, thread_id, courier.store.get)
    if claim.kind is DeliveryKind.ORIGINALS:
        only_best = claim.origin == deliveries.BEST
        return await delivery.send_originals(
            courier.bot,
            album,
            chat_id,
            thread_id,
            courier.store.get,
            reply_to=claim.reply_to,
            only_best=only_best,
        )
    return await delivery.send_actions(courier.bot, album, chat_id, thread_id, claim.reply_to)


async def _sent(claim: DeliveryClaim, courier: Courier, sent: delivery.SentAlbum) -> None:
    is_album = claim.kind is DeliveryKind.ALBUM
    if await courier.settle(
        lambda session: deliveries.sent(
            session,
            claim.id,
            claim.token,
            sent.message_ids,
            photo_file_ids=sent.file_ids if is_album else {},
            document_file_ids={} if is_album else sent.file_ids,
        ),
    ):
        log.info("delivered", messages=len(sent.message_ids), attempt=claim.attempt)


async def _retry(
    claim: DeliveryClaim,
    courier: Courier,
    after_s: float,
    reason: str,
    *,
    drop_thread: bool = False,
) -> None:
    if await courier.settle(
        lambda session: deliveries.retry(
            session,
            claim.id,
            claim.token,
            not_before_s=after_s,
            reason=reason,
            drop_thread=drop_thread,
        ),
    ):
        log.warning("delivery put off", reason=reason, after_s=round(after_s, 1))


async def _follow(claim: DeliveryClaim, courier: Courier, new_chat_id: int) -> None:
    """The gateway has moved the chat, but not what was being sent: this delivery follows."""

    async def move(session: AsyncSession) -> bool:
        ours = await deliveries.retry(
            session, claim.id, claim.token, not_before_s=0.0, reason="migrated"
        )
        await accounts.migrate_chat(session, claim.chat_id, new_chat_id)
        return ours

    if await courier.settle(move):
        log.info("delivery follows the group", new_chat_id=new_chat_id)


async def _without_thread(claim: DeliveryClaim, courier: Courier) -> None:
    if claim.thread_id is None:
        await _undeliverable(claim, courier, "thread_closed")
    else:
        await _retry(claim, courier, 0.0, "thread_closed", drop_thread=True)


async def _without_file_ids(claim: DeliveryClaim, album: AlbumView, courier: Courier) -> None:
    """With the ids forgotten the files are uploaded; if those are refused, nothing helps."""
    if not any(image.photo_file_id or image.document_file_id for image in album.images):
        await _undeliverable(claim, courier, "file_refused")
        return

    async def forget(session: AsyncSession) -> bool:
        await deliveries.forget_file_ids(session, claim.task_id)
        return await deliveries.retry(
            session, claim.id, claim.token, not_before_s=0.0, reason="file_refused"
        )

    if await courier.settle(forget):
        log.warning("stored file ids refused, uploading again")


async def _undeliverable(claim: DeliveryClaim, courier: Courier, reason: str) -> None:
    if await courier.settle(
        lambda session: deliveries.undeliverable(session, claim.id, claim.token, reason),
    ):
        log.warning("undeliverable", reason=reason)


async def _unknown(claim: DeliveryClaim, courier: Courier, reason: str) -> None:
    if await courier.settle(
        lambda session: deliveries.unknown(session, claim.id, claim.token, reason)
    ):
        log.warning("nobody knows whether it arrived", reason=reason)
