"""Notices: what the product tells a person of its own accord, each once."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, SmallInteger, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, checked
from db.states import DeliveryState


class Notice(Base):
    """One row is one message. `kind` and `data` are worded when it is sent, in the person's
    language then. States as those of deliveries, but what may have arrived is let go."""

    __tablename__ = "notices"
    __table_args__ = (
        CheckConstraint(
            "(state = 'sending') = (lease_token IS NOT NULL)"
            " AND (lease_token IS NULL) = (lease_until IS NULL)",
            name="lease",
        ),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        CheckConstraint(
            "state NOT IN ('unknown', 'undeliverable') OR reason IS NOT NULL", name="reason"
        ),
        Index("ix_notices_pending", "id", postgresql_where=text("state = 'pending'")),
        Index("ix_notices_lease_until", "lease_until", postgresql_where=text("state = 'sending'")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    data: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    state: Mapped[DeliveryState] = mapped_column(
        checked(DeliveryState, "state"), server_default=text("'pending'")
    )
    not_before: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    lease_token: Mapped[uuid.UUID | None]
    lease_until: Mapped[datetime | None]
    reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
