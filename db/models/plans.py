"""Plans, which account has which, and the months that quotas are counted in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base

FREE = "free"
"""The plan everybody begins with, and comes back to."""


class Terms:
    """What a plan gives and costs. Kopecks: `price` a month, `picture_price` for each picture past
    the quota."""

    price: Mapped[int]
    picture_price: Mapped[int]
    images_limit: Mapped[int] = mapped_column(Integer)
    auto_enhance: Mapped[bool]
    auto_best: Mapped[bool]
    brand_limit: Mapped[int] = mapped_column(Integer)
    lora_limit: Mapped[int] = mapped_column(Integer)
    seats: Mapped[int] = mapped_column(Integer)
    channels: Mapped[int] = mapped_column(Integer)
    priority: Mapped[int] = mapped_column(Integer)


class Plan(Terms, Base):
    """What may be bought now; an operator changes the rows without a release."""

    __tablename__ = "plans"
    __table_args__ = (
        CheckConstraint("code ~ '^[a-z][a-z0-9_]{0,15}$'", name="code"),
        CheckConstraint("price >= 0 AND picture_price >= 0", name="price"),
        CheckConstraint("code <> 'free' OR (price = 0 AND is_offered)", name="free"),
        CheckConstraint(
            "images_limit >= 0 AND brand_limit >= 0 AND lora_limit >= 0"
            " AND seats >= 1 AND channels >= 0",
            name="limits",
        ),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    title_ru: Mapped[str]
    title_en: Mapped[str]
    position: Mapped[int] = mapped_column(SmallInteger)
    is_offered: Mapped[bool] = mapped_column(server_default=text("true"))


class Subscription(Base):
    """`next_plan_code`: what begins at the period's end (null: the same again). `anchor_day`: the
    day of the month on which periods begin, clipped in shorter months. `grace_until`: the last
    period is over and could not be paid for; until then it goes on. `pays_per_picture`: past the
    quota pictures are paid for from the wallet."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint("anchor_day BETWEEN 1 AND 31", name="anchor_day"),
        Index(
            "ix_subscriptions_renews_at", "renews_at", postgresql_where=text("plan_code <> 'free'")
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    plan_code: Mapped[str] = mapped_column(ForeignKey("plans.code"))
    next_plan_code: Mapped[str | None] = mapped_column(ForeignKey("plans.code"))
    anchor_day: Mapped[int] = mapped_column(SmallInteger)
    renews_at: Mapped[datetime]
    grace_until: Mapped[datetime | None]
    pays_per_picture: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Period(Terms, Base):
    """A month of an account. The plan's terms are copied when it begins, so a changed plan
    changes nothing that is paid for. `used` and `held` count pictures of the quota."""

    __tablename__ = "periods"
    __table_args__ = (
        UniqueConstraint("account_id", "starts_at"),
        CheckConstraint("ends_at >= starts_at", name="ends_at"),
        CheckConstraint("used >= 0 AND held >= 0 AND used + held <= images_limit", name="quota"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    plan_code: Mapped[str] = mapped_column(ForeignKey("plans.code"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    used: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    held: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("transfers.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
