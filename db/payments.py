"""Top-ups: orders (invoices), what Telegram says was paid, and money that goes back.

orders    open -> paid | cancelled; an order past its `expires_at` is refused before it is paid
payments  what becomes of them later is in db/refunds.py

Money Telegram has taken is booked whatever its order's state, once for each charge id: the order
is locked first, and the transfer's key is made from the charge id.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from db import audit, notices, wallet
from db.audit import Deed
from db.errors import NotFound, PaymentRefused, Stale, WalletPaused
from db.models import Account, Order, Payment
from db.money_views import Credited, OrderView, Paid, PaymentView
from db.states import OrderState, PaymentMethod, PaymentState, SystemWallet, TransferKind

log = structlog.get_logger()

CURRENCIES = {PaymentMethod.STARS: "XTR", PaymentMethod.PROVIDER: "RUB"}

TOPPED_UP = "topped_up"
"""The notice about a credit; its data: `sum` and `balance` after it, in kopecks."""

_PAYLOAD_BYTES = 24


async def open_order(
    session: AsyncSession,
    account_id: int,
    user_id: int,
    *,
    method: PaymentMethod,
    credit: int,
    rate: int | None,
    chat_id: int,
    thread_id: int | None = None,
    now: datetime,
    ttl: timedelta,
) -> OrderView:
    """A new order for `credit` kopecks, which only `user_id` may pay, within `ttl`.

    `rate`: kopecks for a Star, None for roubles. Stars are whole, so a sum that is no multiple of
    the rate costs the next one; the credit stays what was asked. Raises WalletPaused.
    """
    if (await wallet.wallet(session, account_id)).paused:
        raise WalletPaused
    row = await session.scalar(
        insert(Order)
        .values(
            account_id=account_id,
            user_id=user_id,
            method=method,
            currency=CURRENCIES[method],
            amount=credit if rate is None else -(-credit // rate),
            credit=credit,
            rate=rate,
            payload=secrets.token_urlsafe(_PAYLOAD_BYTES),
            expires_at=now + ttl,
            chat_id=chat_id,
            thread_id=thread_id,
        )
        .returning(Order)
    )
    assert row is not None
    return _order_view(row)


async def set_message(session: AsyncSession, order_id: int, message_id: int) -> None:
    """Notes the message that shows the invoice."""
    await session.execute(
        update(Order)
        .where(Order.id == order_id)
        .values(message_id=message_id)
        .execution_options(synchronize_session=False)
    )


async def cancel_order(session: AsyncSession, account_id: int, order_id: int) -> OrderView:
    """Nobody can pay it from now on; again changes nothing.

    Raises NotFound, Stale for one that is paid.
    """
    row = await session.scalar(
        select(Order)
        .where(Order.id == order_id, Order.account_id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("order", order_id)
    if row.state is OrderState.PAID:
        raise Stale("order")
    row.state = OrderState.CANCELLED
    await session.flush()
    return _order_view(row)


async def check(
    session: AsyncSession, *, payload: str, user_id: int, currency: str, amount: int, now: datetime
) -> OrderView:
    """Pre-checkout: the order, if this payment for it may go through. Waits for nobody's lock.

    Raises PaymentRefused.
    """
    row = await session.scalar(
        select(Order).where(Order.payload == payload).execution_options(populate_existing=True)
    )
    if row is None:
        raise PaymentRefused("unknown")
    order = _order_view(row)
    reasons = {
        "user": order.user_id != user_id,
        "currency": order.currency != currency,
        "amount": order.amount != amount,
        "paid": order.state is OrderState.PAID,
        "cancelled": order.state is OrderState.CANCELLED,
        "expired": order.expires_at <= now,
    }
    for reason, applies in reasons.items():
        if applies:
            raise PaymentRefused(reason)
    if (await wallet.wallet(session, order.account_id)).paused:
        raise PaymentRefused("paused")
    return order


async def credit(session: AsyncSession, paid: Paid) -> Credited:
    """Books money that Telegram has taken, once for each charge id, and tells the account.

    Also on an order that is expired, cancelled, or paid by another charge or person: the money
    has been taken. What answers to no order is kept as `unmatched` for the operator, until the same
    charge comes with an order that it answers to.
    """
    order = await _order_of(session, paid)
    if order is None:
        return Credited(None, await _keep_unmatched(session, paid), None)
    # By now a twin that was faster has committed: the order's lock was its own. The payment's lock
    # keeps out a refund of what was unmatched.
    known = await payment(session, paid.charge_id, lock=True)
    created = known is None or known.state is PaymentState.UNMATCHED
    if created:
        await _book(session, order, paid, is_kept=known is not None)
    left = await wallet.wallet(session, order.account_id)
    if created:
        told = {"sum": order.credit, "balance": left.balance, **_place(order)}
        await notices.tell(
            session, order.account_id, TOPPED_UP, told, key=f"charge:{paid.charge_id}"
        )
        await audit.note(
            session, order.account_id, order.user_id, Deed.TOP_UP, "wallet", sum=order.credit
        )
    return Credited(_order_view(order), created, left)


async def payment(
    session: AsyncSession, charge_id: str, *, lock: bool = False
) -> PaymentView | None:
    """The payment of a charge; with `lock`, nobody else changes it in the meantime."""
    query = select(Payment).where(Payment.charge_id == charge_id)
    if lock:
        await _lock_account(session, Payment.account_id, Payment.charge_id == charge_id)
    row = await session.scalar(
        (query.with_for_update() if lock else query).execution_options(populate_existing=True)
    )
    return None if row is None else payment_view(row)


async def by_charge(session: AsyncSession, charge_ids: Sequence[str]) -> dict[str, PaymentView]:
    """Those of the charges that are booked."""
    rows = await session.scalars(
        select(Payment)
        .where(Payment.charge_id.in_(charge_ids))
        .execution_options(populate_existing=True)
    )
    return {row.charge_id: payment_view(row) for row in rows}


async def charges(session: AsyncSession, method: PaymentMethod) -> tuple[str, ...]:
    """The charge ids of all payments by a method, oldest first."""
    rows = await session.scalars(
        select(Payment.charge_id).where(Payment.method == method).order_by(Payment.id)
    )
    return tuple(rows)


async def place(session: AsyncSession, charge_id: str) -> Mapping[str, object]:
    """Where a payment's order was asked for, as a notice's data has it; empty without an order."""
    order = await session.scalar(
        select(Order)
        .join(Payment, Payment.order_id == Order.id)
        .where(Payment.charge_id == charge_id)
        .execution_options(populate_existing=True)
    )
    return {} if order is None else _place(order)


def _place(order: Order) -> Mapping[str, object]:
    return {"chat_id": order.chat_id, "thread_id": order.thread_id}


async def _order_of(session: AsyncSession, paid: Paid) -> Order | None:
    """The order that was paid, locked; None when this is not what it asked for."""
    await _lock_account(session, Order.account_id, Order.payload == paid.payload)
    order = await session.scalar(
        select(Order)
        .where(Order.payload == paid.payload)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if order is None:
        return None
    is_as_asked = (order.currency, order.amount) == (paid.currency, paid.amount)
    return order if is_as_asked else None


async def _lock_account(
    session: AsyncSession,
    of: InstrumentedAttribute[int] | InstrumentedAttribute[int | None],
    which: ColumnElement[bool],
) -> None:
    """First of all: what is booked will refer to it, and a team's move locks it before its orders
    and payments."""
    await session.execute(
        select(Account.id)
        .where(Account.id == select(of).where(which).scalar_subquery())
        .with_for_update(read=True, key_share=True)
    )


async def _book(session: AsyncSession, order: Order, paid: Paid, *, is_kept: bool) -> None:
    """`is_kept`: there is a row of it, which answered to no order so far."""
    transferred = await wallet.transfer(
        session,
        METHOD_WALLETS[order.method],
        order.account_id,
        order.credit,
        TransferKind.TOP_UP,
        f"charge:{paid.charge_id}",
        {"order": order.id, "charge": paid.charge_id, "amount": paid.amount, "rate": order.rate},
    )
    booked = {
        "order_id": order.id,
        "account_id": order.account_id,
        "credit": order.credit,
        "transfer_id": transferred.id,
        "state": PaymentState.CREDITED,
        **_as_paid(paid, order.method),
    }
    if is_kept:
        await session.execute(
            update(Payment)
            .where(Payment.charge_id == paid.charge_id)
            .values(booked)
            .execution_options(synchronize_session=False)
        )
    else:
        await session.execute(insert(Payment).values(booked))
    order.state = OrderState.PAID
    await session.flush()


async def _keep_unmatched(session: AsyncSession, paid: Paid) -> bool:
    method = PaymentMethod.STARS if paid.currency == "XTR" else PaymentMethod.PROVIDER
    made_id = await session.scalar(
        insert(Payment)
        .values(credit=0, state=PaymentState.UNMATCHED, **_as_paid(paid, method))
        .on_conflict_do_nothing(index_elements=[Payment.charge_id])
        .returning(Payment.id)
    )
    if made_id is not None:
        log.error("a payment answers to no order", charge=paid.charge_id, payload=paid.payload)
    return made_id is not None


METHOD_WALLETS = {
    PaymentMethod.STARS: SystemWallet.STARS,
    PaymentMethod.PROVIDER: SystemWallet.PROVIDER,
}
"""Where the money of a method comes from, and goes back to."""


def _as_paid(paid: Paid, method: PaymentMethod) -> dict[str, object]:
    return {
        "user_id": paid.user_id,
        "charge_id": paid.charge_id,
        "provider_charge_id": paid.provider_charge_id,
        "method": method,
        "currency": paid.currency,
        "amount": paid.amount,
        "paid_at": paid.paid_at,
    }


def _order_view(row: Order) -> OrderView:
    return OrderView(
        id=row.id,
        account_id=row.account_id,
        user_id=row.user_id,
        method=row.method,
        currency=row.currency,
        amount=row.amount,
        credit=row.credit,
        rate=row.rate,
        payload=row.payload,
        state=row.state,
        expires_at=row.expires_at,
        chat_id=row.chat_id,
        thread_id=row.thread_id,
        message_id=row.message_id,
    )


def payment_view(row: Payment) -> PaymentView:
    return PaymentView(
        charge_id=row.charge_id,
        provider_charge_id=row.provider_charge_id,
        account_id=row.account_id,
        user_id=row.user_id,
        method=row.method,
        currency=row.currency,
        amount=row.amount,
        credit=row.credit,
        state=row.state,
    )
