"""Deliveries: one row is one call that sends something to a chat."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, checked
from db.states import DeliveryKind, DeliveryState


class Delivery(Base):
    """The unique index on `sending` keeps a chat's messages in order: one call at a time."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("task_id", "kind", "origin"),
        CheckConstraint(
            "(state = 'sending') = (lease_token IS NOT NULL)"
            " AND (lease_token IS NULL) = (lease_until IS NULL)",
            name="lease",
        ),
        CheckConstraint(
            "(state = 'sent') = (sent_at IS NOT NULL)"
            " AND (state = 'sent') = (cardinality(message_ids) > 0)",
            name="sent",
        ),
        CheckConstraint(
            "state NOT IN ('unknown', 'undeliverable') OR reason IS NOT NULL", name="reason"
        ),
        CheckConstraint("attempt >= 0", name="attempt"),
        Index(
            "uq_deliveries_sending_chat_id",
            "chat_id",
            unique=True,
            postgresql_where=text("state = 'sending'"),
        ),
        Index(
            "ix_deliveries_pending",
            "chat_id",
            "id",
            postgresql_where=text("state = 'pending'"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("ml_tasks.id"))
    kind: Mapped[DeliveryKind] = mapped_column(checked(DeliveryKind, "kind"))
    origin: Mapped[str]
    state: Mapped[DeliveryState] = mapped_column(
        checked(DeliveryState, "state"), server_default=text("'pending'")
    )
    chat_id: Mapped[int]
    thread_id: Mapped[int | None]
    not_before: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    lease_token: Mapped[uuid.UUID | None]
    lease_until: Mapped[datetime | None]
    message_ids: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), server_default=text("'{}'::bigint[]")
    )
    reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
