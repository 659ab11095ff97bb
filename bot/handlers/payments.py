"""Payments as Telegram reports them: may it go through, it went through, it was given back.

An error here makes Telegram send the update again. What is credited or taken back hangs on the
charge id, so that any of it may be handled any number of times.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime

import structlog
from aiogram import Bot, F, Router
from aiogram.types import Message, PreCheckoutQuery, RefundedPayment, SuccessfulPayment
from arq import ArqRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot import invoices, texts
from bot.clock import Clock
from bot.errors import SendError
from bot.handlers import quota
from bot.intake import Sessions
from bot.settings import PaymentTerms
from bot.texts import N_, Texts
from db import accounts, payments, plans, refunds
from db.errors import PaymentRefused
from db.locales import locale_of
from db.money_views import OrderView, Paid
from db.queue import wake_io
from db.views import TelegramUser

log = structlog.get_logger(__name__)
router = Router(name="payments")

_LOOK_FOR_S = 1.5
"""How long the database may take: Telegram gives up after 10 s, a person long before."""

_REFUSALS = {
    "unknown": N_("I don't know this invoice. Ask for a new one: /wallet"),
    "user": N_("This invoice was made for somebody else. Ask for one of your own: /wallet"),
    "amount": N_("The sum of this invoice is not the one agreed on. Ask for a new one: /wallet"),
    "currency": N_("This invoice is in another currency. Ask for a new one: /wallet"),
    "expired": N_("This invoice is out of date. Ask for a new one: /wallet"),
    "cancelled": N_("This invoice was cancelled. Ask for a new one: /wallet"),
    "paid": N_("This invoice is paid already. For one more top-up: /wallet"),
    "paused": N_("This wallet is paused: a payment was taken back. Write to the bot's owner."),
}
_NO_ANSWER = N_("I can't check this invoice right now. Nothing was charged; try again in a minute.")


@router.pre_checkout_query()
async def pre_checkout(query: PreCheckoutQuery, sessions: Sessions, clock: Clock) -> None:
    """Yes or no within two seconds: also without a database it is a no in words, not silence."""
    looking = asyncio.ensure_future(_refusal(query, sessions, clock()))
    # Not wait_for: it would wait for the end of a cancelled query, which may not come.
    await asyncio.wait({looking}, timeout=_LOOK_FOR_S)
    if not looking.done():
        looking.cancel()
        log.error("pre-checkout took too long", payload=query.invoice_payload)
        refusal: str | None = _texts(query).plain(_NO_ANSWER)
    elif error := looking.exception():
        log.error("pre-checkout failed", payload=query.invoice_payload, exc_info=error)
        refusal = _texts(query).plain(_NO_ANSWER)
    else:
        refusal = looking.result()
    await query.answer(ok=refusal is None, error_message=refusal)


async def _refusal(query: PreCheckoutQuery, sessions: Sessions, now: datetime) -> str | None:
    """Why this must not be paid, in the payer's language; None when it may."""
    user = query.from_user
    async with sessions.begin() as session:
        payer = await accounts.ensure_user(
            session, TelegramUser(user.id, user.first_name, user.username, user.language_code)
        )
        try:
            await payments.check(
                session,
                payload=query.invoice_payload,
                user_id=user.id,
                currency=query.currency,
                amount=query.total_amount,
                now=now,
            )
        except PaymentRefused as refused:
            log.info("payment refused", reason=refused.reason, payload=query.invoice_payload)
            return texts.of(payer.locale).plain(_REFUSALS[refused.reason])
    return None


def _texts(query: PreCheckoutQuery) -> Texts:
    """As Telegram shows the person's language, for when the database can't tell."""
    return texts.of(locale_of(query.from_user.language_code))


@router.message(F.successful_payment)
async def credit(
    message: Message,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    pool: ArqRedis,
    terms: PaymentTerms,
    clock: Clock,
) -> None:
    """The money is there: into the wallet, and on to a renewal that waited for it."""
    assert message.successful_payment is not None
    paid = _paid(message, message.successful_payment)
    with structlog.contextvars.bound_contextvars(charge=paid.charge_id, payload=paid.payload):
        try:
            async with sessions.begin() as session:
                credited = await payments.credit(session, paid)
        except Exception as error:
            # All that an operator needs to credit it by hand, should it never succeed.
            log.error("payment not booked yet", error=repr(error), paid=asdict(paid))
            raise
        log.info("payment", amount=paid.amount, currency=paid.currency, created=credited.created)
        if credited.order is not None:
            async with sessions.begin() as session:
                await plans.renew(session, credited.order.account_id, now=clock())
        await _wake(pool)
        if credited.order is not None:
            await _leave_the_receipt(message, bot, credited.order)
            await _go_on(message, credited.order, bot, sessions, redis, terms, clock)


@router.message(F.refunded_payment)
async def take_back(message: Message, sessions: Sessions, pool: ArqRedis, clock: Clock) -> None:
    """Telegram gave the money back: out of the wallet, as far as it is still there."""
    assert message.refunded_payment is not None
    paid = _paid(message, message.refunded_payment)
    with structlog.contextvars.bound_contextvars(charge=paid.charge_id, payload=paid.payload):
        async with sessions.begin() as session:
            done = await refunds.reported(session, paid, now=clock())
        log.info("refund", created=done.created, taken=done.taken, shortfall=done.shortfall)
        await _wake(pool)


async def _leave_the_receipt(message: Message, bot: Bot, order: OrderView) -> None:
    """A paid invoice can't be cancelled: only its first button stays, now for the receipt."""
    if order.message_id is None or message.from_user is None:
        return
    tr = texts.of(locale_of(message.from_user.language_code))
    try:
        await bot.edit_message_reply_markup(
            chat_id=order.chat_id,
            message_id=order.message_id,
            reply_markup=invoices.keyboard(tr, order),
        )
    except SendError as error:
        # The money is booked, and the other buttons do no harm.
        log.info("the invoice stays as it is", error=str(error))


async def _go_on(
    message: Message,
    order: OrderView,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    terms: PaymentTerms,
    clock: Clock,
) -> None:
    """Back to what the money was needed for, once."""
    async with sessions.begin() as session:
        known = await accounts.settings(session, order.user_id)
    code = message.from_user.language_code if message.from_user else None
    tr = texts.of(locale_of(code, known.locale))
    try:
        await quota.go_on_after(order, tr, bot, sessions, redis, terms, clock)
    except (SendError, RedisError) as error:
        # The money is booked, and the button that was pressed first still works.
        log.info("the way on is not shown", error=str(error))


async def _wake(pool: ArqRedis) -> None:
    """The notice is written; without Redis it only goes out a little later."""
    try:
        await wake_io(pool)
    except (RedisError, OSError) as error:
        log.warning("the io worker is not woken", error=repr(error))


def _paid(message: Message, payment: SuccessfulPayment | RefundedPayment) -> Paid:
    payer = message.from_user
    return Paid(
        payload=payment.invoice_payload,
        user_id=message.chat.id if payer is None or payer.is_bot else payer.id,
        currency=payment.currency,
        amount=payment.total_amount,
        charge_id=payment.telegram_payment_charge_id,
        provider_charge_id=payment.provider_payment_charge_id or "",
        paid_at=message.date.astimezone(UTC),
    )
