"""One claimed notice: a single message, and what became of it written down.

As with deliveries only a definite refusal puts it back. Nobody asks for a notice again, so what
may have arrived is let go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot import notices as words
from bot.errors import ChatMigrated, RateLimited, Refused, ThreadClosed, Uncertain, Undeliverable
from db import accounts, notices, reminders, renewals
from db.money_views import NoticeClaim
from workers.courier import Courier, back_off_s
from workers.wakes import claim_and_work

log = structlog.get_logger()

OUTDATED = "outdated"

Settle = Callable[[AsyncSession], Awaitable[bool]]


async def send_all(courier: Courier, wake: asyncio.Event) -> None:
    """Sends notices one after another, until cancelled; `wake` says that there may be one."""

    async def claim_one() -> NoticeClaim | None:
        return await claim(courier)

    async def send_one(claimed: NoticeClaim) -> None:
        await send(claimed, courier)

    async def idle_s() -> float:
        return courier.settings.poll_every_s

    await claim_and_work(claim_one, send_one, wake, idle_s)


async def claim(courier: Courier) -> NoticeClaim | None:
    """The next notice to send; those of senders that died are let go first, and so are reminders
    of what has been put right since."""
    async with courier.sessions.begin() as session:
        if dead := await notices.sweep_leases(session):
            log.warning("notices of a dead sender let go", notices=dead)
    while True:
        async with courier.sessions.begin() as session:
            found = await notices.claim(session, lease_s=courier.settings.delivery_lease_s)
            if found is None:
                return None
            current = await renewals.as_it_stands(session, found)
            if current and (current := await reminders.as_it_stands(session, current)):
                return current
            await notices.undeliverable(session, found.id, found.token, OUTDATED)
        log.info("a notice is no longer true", notice=found.id, kind=found.kind)


async def send(claimed: NoticeClaim, courier: Courier) -> None:
    """Sends it once and settles it. A call on its way is finished even when we are stopped."""
    await courier.finish(claimed, _send_and_settle(claimed, courier))


async def _send_and_settle(claimed: NoticeClaim, courier: Courier) -> None:
    with structlog.contextvars.bound_contextvars(notice=claimed.id, kind=claimed.kind):
        settle, outcome = await _send(claimed, courier)
        if await courier.settle(settle):
            log.info("notice settled", outcome=outcome, attempt=claimed.attempt)


async def _send(claimed: NoticeClaim, courier: Courier) -> tuple[Settle, str]:
    """How to settle it, and that in a word for the log."""
    id, token = claimed.id, claimed.token
    try:
        card = words.card(claimed)
    except Exception:
        log.exception("no words for a notice")
        return (lambda s: notices.undeliverable(s, id, token, "no_words")), "no_words"
    try:
        await courier.bot.send_message(
            claimed.chat_id,
            card.text,
            reply_markup=card.keyboard,
            message_thread_id=words.thread_of(claimed),
            reply_parameters=words.reply_of(claimed),
            disable_notification=words.is_quiet(claimed),
        )
    except RateLimited as error:
        return _again(claimed, error.retry_after_s, "rate_limited")
    except Refused as error:
        return _again(claimed, back_off_s(claimed.attempt), f"refused: {error.detail}")
    except ChatMigrated as error:
        return _follow(claimed, error.new_chat_id)
    except ThreadClosed:
        return _without_thread(claimed)
    except Undeliverable as error:
        reason = error.reason
        return (lambda s: notices.undeliverable(s, id, token, reason)), reason
    except Uncertain as error:
        detail = error.detail
        return (lambda s: notices.unknown(s, id, token, detail)), "unknown"
    except Exception as error:
        log.exception("a notice failed for a reason of our own")
        name = type(error).__name__
        return (lambda s: notices.unknown(s, id, token, name)), "unknown"
    return (lambda s: notices.sent(s, id, token)), "sent"


def _again(claimed: NoticeClaim, after_s: float, reason: str) -> tuple[Settle, str]:
    return (
        lambda session: notices.retry(
            session, claimed.id, claimed.token, not_before_s=after_s, reason=reason
        )
    ), reason


def _without_thread(claimed: NoticeClaim) -> tuple[Settle, str]:
    reason = "thread_closed"
    if words.thread_of(claimed) is None:
        return (lambda s: notices.undeliverable(s, claimed.id, claimed.token, reason)), reason
    return (
        lambda session: notices.retry(
            session, claimed.id, claimed.token, not_before_s=0.0, reason=reason, drop_thread=True
        )
    ), reason


def _follow(claimed: NoticeClaim, new_chat_id: int) -> tuple[Settle, str]:
    """The group is a supergroup now: its account moves, and the notice goes there next time."""

    async def move(session: AsyncSession) -> bool:
        await accounts.migrate_chat(session, claimed.chat_id, new_chat_id)
        return await notices.retry(
            session, claimed.id, claimed.token, not_before_s=0.0, reason="migrated"
        )

    return move, "migrated"
