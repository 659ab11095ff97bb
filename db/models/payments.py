"""Top-ups: what was offered to a person (an order), and what Telegram says was paid."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, checked
from db.states import OrderState, PaymentMethod, PaymentState


class Order(Base):
    """An invoice. `amount` is in the currency's smallest unit (Stars, kopecks), `credit` in
    kopecks; `rate` (kopecks for a Star, null for roubles) is kept as it was when offered."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("amount > 0 AND credit > 0", name="amount"),
        CheckConstraint("(method = 'stars') = (rate IS NOT NULL) AND rate > 0", name="rate"),
        CheckConstraint(
            "currency = CASE method WHEN 'stars' THEN 'XTR' ELSE 'RUB' END", name="currency"
        ),
        Index(None, "account_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    method: Mapped[PaymentMethod] = mapped_column(checked(PaymentMethod, "method"))
    currency: Mapped[str]
    amount: Mapped[int]
    credit: Mapped[int]
    rate: Mapped[int | None]
    payload: Mapped[str] = mapped_column(unique=True)
    state: Mapped[OrderState] = mapped_column(
        checked(OrderState, "state"), server_default=text("'open'")
    )
    expires_at: Mapped[datetime]
    chat_id: Mapped[int]
    thread_id: Mapped[int | None]
    message_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Payment(Base):
    """Money Telegram has taken, credited once for each charge id. `order_id` and `account_id` are
    null for one that answers to no order: it is kept for the operator, not credited."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount > 0 AND credit >= 0", name="amount"),
        CheckConstraint("(order_id IS NULL) = (account_id IS NULL)", name="order"),
        CheckConstraint("(transfer_id IS NULL) = (order_id IS NULL)", name="transfer"),
        CheckConstraint("(state = 'refunded') = (refunded_at IS NOT NULL)", name="refunded_at"),
        Index(None, "account_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[int]
    charge_id: Mapped[str] = mapped_column(unique=True)
    provider_charge_id: Mapped[str]
    method: Mapped[PaymentMethod] = mapped_column(checked(PaymentMethod, "method"))
    currency: Mapped[str]
    amount: Mapped[int]
    credit: Mapped[int]
    state: Mapped[PaymentState] = mapped_column(
        checked(PaymentState, "state"), server_default=text("'credited'")
    )
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("transfers.id"))
    paid_at: Mapped[datetime]
    refunded_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
