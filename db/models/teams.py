"""What teams decide together: votes, approvals with their questions, and who did what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, checked
from db.states import Answer, ApprovalState


class Vote(Base):
    """A person's one vote under an album, for the picture of `rank`."""

    __tablename__ = "votes"
    __table_args__ = (CheckConstraint("rank BETWEEN 1 AND 10", name="rank"),)

    task_id: Mapped[int] = mapped_column(ForeignKey("ml_tasks.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger)
    cast_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Approval(Base):
    """One round of an album's approval; `needed` say yes, or one says what is wrong (`reason`).

    `next_request_id` is what was drawn from the changes asked for; an album of it is the next
    round, and names this one as its `parent_id`. `reminders`: how many the round has had.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        CheckConstraint("round >= 1", name="round"),
        CheckConstraint("needed BETWEEN 1 AND 9", name="needed"),
        CheckConstraint(
            "(state = 'open') = (decided_at IS NULL) AND (state = 'open') = (decided_by IS NULL)",
            name="decided",
        ),
        CheckConstraint("(state IN ('changes', 'rejected')) = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("next_request_id IS NULL OR state = 'changes'", name="next_request"),
        CheckConstraint(
            "reminders BETWEEN 0 AND 2 AND (reminders = 0) = (reminded_at IS NULL)",
            name="reminders",
        ),
        Index(
            "uq_approvals_open_task_id",
            "task_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        UniqueConstraint("next_request_id"),
        Index(None, "task_id"),
        Index(None, "account_id"),
        Index(None, "chat_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    task_id: Mapped[int] = mapped_column(ForeignKey("ml_tasks.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("approvals.id"))
    round: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    state: Mapped[ApprovalState] = mapped_column(
        checked(ApprovalState, "state"), server_default=text("'open'")
    )
    needed: Mapped[int] = mapped_column(SmallInteger)
    asked_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    chat_id: Mapped[int]
    thread_id: Mapped[int | None]
    card_message_id: Mapped[int | None]
    reason: Mapped[str | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    next_request_id: Mapped[int | None] = mapped_column(ForeignKey("ml_requests.id"))
    reminders: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    reminded_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    decided_at: Mapped[datetime | None]


class Approver(Base):
    """Somebody who has said yes in a round. `by_role`: their role let them; false: Telegram's word
    at that tap, that they administer the group."""

    __tablename__ = "approvers"

    approval_id: Mapped[int] = mapped_column(ForeignKey("approvals.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    by_role: Mapped[bool] = mapped_column(server_default=text("true"))
    said_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Question(Base):
    """A message of ours whose reply says what to change or why not. `answered_by` is the reply."""

    __tablename__ = "approval_questions"

    chat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    approval_id: Mapped[int] = mapped_column(ForeignKey("approvals.id"))
    answer: Mapped[Answer] = mapped_column(checked(Answer, "answer"))
    answered_by: Mapped[int | None]


class Event(Base):
    """Who did what in an account. `tap`: the id of the tap that did it, where one handled once more
    would undo it. A trigger refuses to change or delete rows."""

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "account_id", "id"),
        Index("uq_events_tap", "tap", unique=True, postgresql_where=text("tap IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str]
    what: Mapped[str] = mapped_column("object")
    data: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    tap: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
