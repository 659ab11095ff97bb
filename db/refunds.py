"""Money that goes back to who paid it, by the operator's wish or by Telegram's.

credited -> refunding -> refunded   `begin`, then Telegram, then `finish`
refunding -> credited               `undo`: Telegram refused
credited -> refunded                `reported`: Telegram gave it back without being asked
unmatched -> refunding -> refunded  it answered to no order, so no wallet is touched
unmatched -> credited               `payments.credit`: its order is known after all

The wallet is debited before Telegram is called, so that nobody spends what is being given back.
A crash in between leaves `refunding`: begin again, Telegram gives a charge back only once.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import notices, payments, wallet
from db.errors import NotFound
from db.models import Payment, Transfer, Wallet
from db.money_views import Paid, PaymentView, Refunded
from db.payments import METHOD_WALLETS
from db.states import PaymentMethod, PaymentState, SystemWallet, TransferKind

log = structlog.get_logger()

REFUNDED = "refunded"
"""The notice about a refund the operator made; its data: `sum` and `balance`, in kopecks."""

CHARGED_BACK = "charged_back"
"""The notice about one of Telegram's: `sum`, `balance`, and `shortfall`, what was spent of it."""


async def begin(session: AsyncSession, charge_id: str, *, operator: str) -> PaymentView:
    """Takes the money from the wallet; commit before Telegram is called.

    One that is `refunding` or `refunded` is answered as it is. Raises NotFound, InsufficientFunds
    when part of the money is spent or held.
    """
    payment = await _locked(session, charge_id)
    if payment.state in (PaymentState.REFUNDING, PaymentState.REFUNDED):
        return payment
    if payment.account_id is not None:
        await wallet.transfer(
            session,
            payment.account_id,
            METHOD_WALLETS[payment.method],
            payment.credit,
            TransferKind.REFUND,
            f"refund:{charge_id}:{await _attempt(session, charge_id)}",
            {"charge": charge_id, "operator": operator},
        )
    return await _set(session, charge_id, PaymentState.REFUNDING)


async def finish(session: AsyncSession, charge_id: str, *, now: datetime) -> PaymentView:
    """Telegram has given the money back; again changes nothing. Raises NotFound."""
    payment = await _locked(session, charge_id)
    if payment.state is not PaymentState.REFUNDING:
        return payment
    if payment.account_id is not None:
        left = await wallet.wallet(session, payment.account_id)
        place = await payments.place(session, charge_id)
        told = {"sum": payment.credit, "balance": left.balance, **place}
        await notices.tell(session, payment.account_id, REFUNDED, told, key=f"refund:{charge_id}")
    return await _set(session, charge_id, PaymentState.REFUNDED, refunded_at=now)


async def undo(session: AsyncSession, charge_id: str) -> PaymentView:
    """Telegram refused to give it back: so does the wallet get its money again.

    Anything but `refunding` stays as it is. Raises NotFound.
    """
    payment = await _locked(session, charge_id)
    if payment.state is not PaymentState.REFUNDING:
        return payment
    if payment.account_id is None:
        return await _set(session, charge_id, PaymentState.UNMATCHED)
    await wallet.transfer(
        session,
        METHOD_WALLETS[payment.method],
        payment.account_id,
        payment.credit,
        TransferKind.REFUND_UNDONE,
        _undo_key(charge_id, await _attempt(session, charge_id)),
        {"charge": charge_id},
    )
    return await _set(session, charge_id, PaymentState.CREDITED)


async def reported(session: AsyncSession, paid: Paid, *, now: datetime) -> Refunded:
    """Telegram says that it gave a payment back; `paid` is that payment.

    What the wallet has is taken. What was spent already is owed (from `receivables`), and the
    wallet is paused. A payment we never heard of is booked first, so that it adds up.
    """
    if await payments.payment(session, paid.charge_id) is None:
        await payments.credit(session, paid)
    payment = await _locked(session, paid.charge_id)
    if payment.state is PaymentState.REFUNDED:
        return Refunded(payment, created=False, taken=0, shortfall=0)
    if payment.state is PaymentState.REFUNDING:
        return Refunded(await finish(session, paid.charge_id, now=now), True, payment.credit, 0)
    taken = 0
    if payment.account_id is not None:
        taken = await _take_back(session, payment, payment.account_id, now=now)
    done = await _set(session, paid.charge_id, PaymentState.REFUNDED, refunded_at=now)
    return Refunded(done, created=True, taken=taken, shortfall=payment.credit - taken)


async def unfinished(session: AsyncSession, method: PaymentMethod) -> tuple[PaymentView, ...]:
    """Refunds that were begun and neither finished nor undone, oldest first."""
    rows = await session.scalars(
        select(Payment)
        .where(Payment.state == PaymentState.REFUNDING, Payment.method == method)
        .order_by(Payment.id)
    )
    return tuple(payments.payment_view(row) for row in rows)


async def _take_back(
    session: AsyncSession, payment: PaymentView, account_id: int, *, now: datetime
) -> int:
    """Debits what the wallet has and books the rest as owed; returns what it had."""
    to = METHOD_WALLETS[payment.method]
    key, memo = f"chargeback:{payment.charge_id}", {"charge": payment.charge_id}
    # Locked, so that what is free now can be taken in the next statement.
    row = (
        await session.execute(
            select(Wallet.balance, Wallet.reserved)
            .where(Wallet.account_id == account_id)
            .with_for_update(key_share=True)
        )
    ).one_or_none()
    # An account that took over from a merged one may never have had money of its own.
    balance, free = (0, 0) if row is None else (row.balance, row.balance - row.reserved)
    taken: int = min(free, payment.credit)
    shortfall = payment.credit - taken
    if taken:
        await wallet.transfer(session, account_id, to, taken, TransferKind.CHARGEBACK, key, memo)
    if shortfall:
        owed = {**memo, "account": account_id}
        await wallet.transfer(
            session,
            SystemWallet.RECEIVABLES,
            to,
            shortfall,
            TransferKind.CHARGEBACK,
            f"{key}:shortfall",
            owed,
        )
        await wallet.pause(session, account_id, now=now)
        log.error("refunded money was spent", **owed, shortfall=shortfall)
    place = await payments.place(session, payment.charge_id)
    left = balance - taken
    told = {"sum": payment.credit, "balance": left, "shortfall": shortfall, **place}
    await notices.tell(session, account_id, CHARGED_BACK, told, key=key)
    return taken


async def _locked(session: AsyncSession, charge_id: str) -> PaymentView:
    payment = await payments.payment(session, charge_id, lock=True)
    if payment is None:
        raise NotFound("payment")
    return payment


async def _set(
    session: AsyncSession,
    charge_id: str,
    state: PaymentState,
    *,
    refunded_at: datetime | None = None,
) -> PaymentView:
    row = await session.scalar(
        update(Payment)
        .where(Payment.charge_id == charge_id)
        .values(state=state, refunded_at=refunded_at)
        .returning(Payment)
        .execution_options(populate_existing=True)
    )
    assert row is not None
    return payments.payment_view(row)


async def _attempt(session: AsyncSession, charge_id: str) -> int:
    """The number of this refund of a charge, from 1: one more than were undone."""
    number = 1
    while await session.scalar(
        select(Transfer.id).where(Transfer.key == _undo_key(charge_id, number))
    ):
        number += 1
    return number


def _undo_key(charge_id: str, attempt: int) -> str:
    return f"refund:{charge_id}:{attempt}:undone"
