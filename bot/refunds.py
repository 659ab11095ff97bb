"""A refund by the operator: out of the wallet, then back through Telegram, then done or undone."""

from __future__ import annotations

from datetime import datetime

import structlog
from aiogram import Bot
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot.errors import RefundRefused, Undeliverable
from db import refunds
from db.money_views import PaymentView
from db.states import PaymentMethod, PaymentState

log = structlog.get_logger(__name__)

_DONE_BEFORE = "CHARGE_ALREADY_REFUNDED"


async def refund(
    bot: Bot,
    sessions: async_sessionmaker[AsyncSession],
    charge_id: str,
    *,
    operator: str,
    now: datetime,
) -> PaymentView:
    """Gives a payment back; may be run again after any crash.

    Roubles stay `refunding`: a provider's money is given back in the provider's own cabinet, and
    then confirmed. Raises NotFound, InsufficientFunds, RefundRefused (undone), and SendError when
    nobody knows what Telegram did: then it is still `refunding`, to be run again.
    """
    async with sessions.begin() as session:
        payment = await refunds.begin(session, charge_id, operator=operator)
    if payment.state is PaymentState.REFUNDED or payment.method is PaymentMethod.PROVIDER:
        return payment
    try:
        await bot.refund_star_payment(payment.user_id, charge_id)
    except Undeliverable as error:
        if _DONE_BEFORE not in error.detail:
            # Only an answer about this charge undoes it. A call that did not get through may
            # follow one that did.
            async with sessions.begin() as session:
                await refunds.undo(session, charge_id)
            raise RefundRefused(error.detail) from error
    async with sessions.begin() as session:
        return await refunds.finish(session, charge_id, now=now)
