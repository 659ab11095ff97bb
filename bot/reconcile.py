"""Our books beside Telegram's own list of Star transactions: what we missed is made good.

https://core.telegram.org/bots/api#getstartransactions: oldest first, a refund under the id of its
payment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from aiogram import Bot
from aiogram.types import StarTransaction, TransactionPartnerUser
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot.errors import RefundRefused
from bot.refunds import refund
from db import payments, refunds
from db.errors import DbError
from db.money_views import Paid, PaymentView
from db.states import PaymentMethod, PaymentState

log = structlog.get_logger(__name__)

OPERATOR = "reconciliation"

_PAGE = 100
_PAYMENT = "invoice_payment"


@dataclass(slots=True)
class Report:
    """What a reconciliation saw and did, by charge id.

    `unmatched` were kept for the operator: they answer to no order. `differing` have another sum
    than Telegram says, `unknown` are in our books only: neither is touched.
    """

    transactions: int = 0
    credited: list[str] = field(default_factory=list)
    refunded: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    """Refunds that could neither be finished nor undone."""

    @property
    def repaired(self) -> int:
        return len(self.credited) + len(self.refunded)

    @property
    def needs_a_person(self) -> bool:
        return bool(self.unmatched or self.differing or self.unknown or self.stuck)


async def reconcile(
    bot: Bot, sessions: async_sessionmaker[AsyncSession], *, now: datetime
) -> Report:
    """Goes through all of Telegram's list, then finishes refunds that were left half done.

    Safe to run at any time, also beside the bot: all of it hangs on charge ids. Raises SendError
    when Telegram is away.
    """
    report = Report()
    seen: set[str] = set()
    async with sessions.begin() as session:
        ours = await payments.charges(session, PaymentMethod.STARS)
    async for page in _pages(bot):
        report.transactions += len(page)
        seen.update(move.id for move in page)
        async with sessions.begin() as session:
            known = await payments.by_charge(session, [move.id for move in page])
        for move in page:
            if move.id in known or _is_of_invoice(move):
                await _settle(sessions, move, known.get(move.id), report, now=now)
    report.unknown += [charge_id for charge_id in ours if charge_id not in seen]
    await _finish(bot, sessions, report, now=now)
    return report


async def _pages(bot: Bot) -> AsyncIterator[Sequence[StarTransaction]]:
    offset = 0
    while True:
        page = (await bot.get_star_transactions(offset=offset, limit=_PAGE)).transactions
        if page:
            yield page
        if len(page) < _PAGE:
            return
        offset += len(page)


def _is_of_invoice(move: StarTransaction) -> bool:
    """Whether somebody paid an invoice or got the money back: no withdrawal, gift and the like."""
    partner = move.source or move.receiver
    return isinstance(partner, TransactionPartnerUser) and partner.transaction_type == _PAYMENT


async def _settle(
    sessions: async_sessionmaker[AsyncSession],
    move: StarTransaction,
    known: PaymentView | None,
    report: Report,
    *,
    now: datetime,
) -> None:
    """Books a transaction, unless it is booked."""
    if known is not None and known.amount != move.amount:
        report.differing.append(move.id)
        return
    if move.source is None:
        if known is None or known.state is not PaymentState.REFUNDED:
            async with sessions.begin() as session:
                done = await refunds.reported(session, _paid(move), now=now)
            if done.created:
                report.refunded.append(move.id)
        return
    if known is None:
        async with sessions.begin() as session:
            credited = await payments.credit(session, _paid(move))
        if credited.created:
            (report.unmatched if credited.order is None else report.credited).append(move.id)


def _paid(move: StarTransaction) -> Paid:
    partner = move.source or move.receiver
    assert isinstance(partner, TransactionPartnerUser), "money of people only"
    return Paid(
        payload=partner.invoice_payload or "",
        user_id=partner.user.id,
        currency=payments.CURRENCIES[PaymentMethod.STARS],
        amount=move.amount,
        charge_id=move.id,
        provider_charge_id="",
        paid_at=move.date,
    )


async def _finish(
    bot: Bot, sessions: async_sessionmaker[AsyncSession], report: Report, *, now: datetime
) -> None:
    """Refunds whose process died between the debit and the end."""
    async with sessions.begin() as session:
        begun = await refunds.unfinished(session, PaymentMethod.STARS)
    for payment in begun:
        try:
            await refund(bot, sessions, payment.charge_id, operator=OPERATOR, now=now)
        except (RefundRefused, DbError) as error:
            log.warning("refund undone", charge=payment.charge_id, error=str(error))
            report.stuck.append(payment.charge_id)
        else:
            report.refunded.append(payment.charge_id)
