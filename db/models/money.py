"""The ledger: wallets, transfers between them, and what is held for tasks at work.

Amounts are kopecks. Rows of `transfers` are never changed or deleted: a trigger refuses it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, checked
from db.states import HoldState, SystemWallet, TransferKind


class Wallet(Base):
    """An account's money, or one end of the ledger outside of any account.

    System wallets keep no balance, theirs is the sum of their transfers: a stored one would be a
    row that every debit waits for. `paused_at`: paid actions are off, because Telegram gave back
    money that had been spent already.
    """

    __tablename__ = "wallets"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) <> (system IS NULL)", name="owner"),
        CheckConstraint(
            "(system IS NOT NULL) = (balance IS NULL) AND (balance IS NULL) = (reserved IS NULL)",
            name="stored_balance",
        ),
        CheckConstraint("reserved >= 0 AND balance >= reserved", name="balance"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), unique=True)
    system: Mapped[SystemWallet | None] = mapped_column(
        checked(SystemWallet, "system"), unique=True
    )
    balance: Mapped[int | None]
    reserved: Mapped[int | None]
    paused_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Transfer(Base):
    """`key` makes it happen once; `input_hash` tells the same key with other input. `memo` says
    what it was for (a plan, a task, an order, an operator's words)."""

    __tablename__ = "transfers"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("source_id <> destination_id", name="two_wallets"),
        Index("ix_transfers_source_id", "source_id", "id"),
        Index("ix_transfers_destination_id", "destination_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("wallets.id"))
    destination_id: Mapped[int] = mapped_column(ForeignKey("wallets.id"))
    amount: Mapped[int]
    kind: Mapped[TransferKind] = mapped_column(checked(TransferKind, "kind"))
    key: Mapped[str] = mapped_column(unique=True)
    input_hash: Mapped[bytes] = mapped_column(LargeBinary)
    memo: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Hold(Base):
    """What a task may cost: `quota` pictures of a period, `paid` pictures from the wallet at
    `picture_price` each. Captured for what was made (quota first), the rest is given back."""

    __tablename__ = "holds"
    __table_args__ = (
        UniqueConstraint("task_id"),
        CheckConstraint("quota >= 0 AND paid >= 0 AND quota + paid > 0", name="held"),
        CheckConstraint("picture_price >= 0", name="picture_price"),
        CheckConstraint(
            "captured_quota BETWEEN 0 AND quota AND captured_paid BETWEEN 0 AND paid",
            name="captured",
        ),
        CheckConstraint(
            "(state = 'open') = (resolved_at IS NULL)"
            " AND (state = 'captured' OR captured_quota + captured_paid = 0)",
            name="resolved",
        ),
        Index("ix_holds_open", "account_id", postgresql_where=text("state = 'open'")),
        Index(None, "period_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("ml_tasks.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    period_id: Mapped[int] = mapped_column(ForeignKey("periods.id"))
    quota: Mapped[int] = mapped_column(Integer)
    paid: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    picture_price: Mapped[int] = mapped_column(server_default=text("0"))
    captured_quota: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    captured_paid: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    state: Mapped[HoldState] = mapped_column(
        checked(HoldState, "state"), server_default=text("'open'")
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    resolved_at: Mapped[datetime | None]
