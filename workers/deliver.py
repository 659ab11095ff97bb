"""One claimed delivery: a single call to Telegram, and what became of it written down.

A delivery is claimed, and that is committed, before the call. Only a definite refusal puts it
back; whatever leaves a doubt ends as `unknown`, and a person decides about a second copy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiogram import Bot
from arq import ArqRedis
from obstore.exceptions import BaseError as StoreError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

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
from db import accounts, albums, deliveries, images
from db.errors import FileMissing, NotFound, Stale
from db.states import DeliveryKind
from db.views import AlbumView, DeliveryClaim
from workers import patience
from workers.settings import WorkerSettings

log = structlog.get_logger()

_LONGEST_PAUSE_S = 60.0
_MOST_STORAGE_FAULTS = 10  # minutes of them; then the chat's other messages have waited enough
_FINISH_SENDING_S = 8.0  # within the supervisor's grace
_SETTLE_S = 60.0  # an outcome that is not written down turns into `unknown`


@dataclass(frozen=True, slots=True)
class Courier:
    """What it takes to bring things to Telegram."""

    sessions: async_sessionmaker[AsyncSession]
    pool: ArqRedis
    store: images.Store
    bot: Bot
    settings: WorkerSettings


async def deliver(claim: DeliveryClaim, courier: Courier) -> None:
    """Sends it once and settles it. A call on its way is finished even when we are stopped."""
    sending = asyncio.create_task(_deliver(claim, courier))
    try:
        await asyncio.shield(sending)
    except asyncio.CancelledError:
        await asyncio.wait([sending], timeout=_FINISH_SENDING_S)
        sending.cancel()
        raise


async def _deliver(claim: DeliveryClaim, courier: Courier) -> None:
    with structlog.contextvars.bound_contextvars(
        task=claim.task_id, delivery=claim.id, kind=str(claim.kind)
    ):
        try:
            async with courier.sessions.begin() as session:
                album = await albums.album(session, claim.account_id, claim.task_id)
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
        await _retry(claim, courier, _back_off_s(claim), f"refused: {error.detail}")
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
        if claim.attempt < _MOST_STORAGE_FAULTS:
            await _retry(claim, courier, _back_off_s(claim), f"storage: {error}")
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
            courier.bot, album, chat_id, thread_id, courier.store.get, only_best=only_best
        )
    return await delivery.send_actions(courier.bot, album, chat_id, thread_id)


async def _sent(claim: DeliveryClaim, courier: Courier, sent: delivery.SentAlbum) -> None:
    is_album = claim.kind is DeliveryKind.ALBUM
    if await _settle(
        courier,
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
    if await _settle(
        courier,
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

    if await _settle(courier, move):
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

    if await _settle(courier, forget):
        log.warning("stored file ids refused, uploading again")


async def _undeliverable(claim: DeliveryClaim, courier: Courier, reason: str) -> None:
    if await _settle(
        courier,
        lambda session: deliveries.undeliverable(session, claim.id, claim.token, reason),
    ):
        log.warning("undeliverable", reason=reason)


async def _unknown(claim: DeliveryClaim, courier: Courier, reason: str) -> None:
    if await _settle(
        courier, lambda session: deliveries.unknown(session, claim.id, claim.token, reason)
    ):
        log.warning("nobody knows whether it arrived", reason=reason)


async def _settle(courier: Courier, work: Callable[[AsyncSession], Awaitable[bool]]) -> bool:
    """Whether the delivery was still ours to settle: its lease may have run out meanwhile."""
    ours = await patience.in_transaction(courier.sessions, work, for_s=_SETTLE_S)
    if not ours:
        log.warning("delivery was no longer ours, nothing written")
    return ours


def _back_off_s(claim: DeliveryClaim) -> float:
    return min(2.0**claim.attempt, _LONGEST_PAUSE_S)
