"""Requests (what a person asked), tasks (the work for it) and predictions (the pictures)."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, checked
from db.states import RequestState, Shown, TaskState

CARD_NOT_SETTLED = "status_shown IS NULL OR status_shown IN ('queued', 'running')"
"""The partial index on tasks whose card may still change; queries repeat it word for word.

Whoever changes what a settled card should show sets `status_shown` to null.
"""


class Request(Base):
    """`chat_id` follows a group that becomes a supergroup; `source_chat_id` does not, because
    the new chat counts its messages from one again. `photo_key` is where the photo to start from is
    stored."""

    __tablename__ = "ml_requests"
    __table_args__ = (
        UniqueConstraint("source_chat_id", "source_message_id"),
        CheckConstraint("count BETWEEN 1 AND 4", name="count"),
        CheckConstraint("seed BETWEEN 0 AND 2147483647", name="seed"),
        CheckConstraint("locale IN ('ru', 'en')", name="locale"),
        CheckConstraint("aspect ~ '^[0-9]+:[0-9]+$'", name="aspect"),
        Index(None, "account_id"),
        Index(None, "chat_id"),
        CheckConstraint("photo_key LIKE 'photos/%'", name="photo_key"),
        Index(
            "ix_ml_requests_photo_key",
            "photo_key",
            postgresql_where=text("photo_key IS NOT NULL"),
        ),
        Index("ix_ml_requests_drafts", "created_at", postgresql_where=text("state = 'draft'")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    chat_id: Mapped[int]
    thread_id: Mapped[int | None]
    source_chat_id: Mapped[int]
    source_message_id: Mapped[int]
    raw_prompt: Mapped[str]
    cleaned_prompt: Mapped[str]
    platform: Mapped[str | None]
    goal: Mapped[str | None]
    aspect: Mapped[str | None]
    count: Mapped[int] = mapped_column(SmallInteger)
    enhance: Mapped[bool]
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brands.id"))
    seed: Mapped[int]
    locale: Mapped[str]
    card_message_id: Mapped[int | None]
    photo_key: Mapped[str | None]
    state: Mapped[RequestState] = mapped_column(
        checked(RequestState, "state"), server_default=text("'draft'")
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Task(Base):
    """One run of the pipeline for `user_id`. `brief` is frozen when it is queued; `origin` names
    the card and the action that asked for it, so that a second tap makes no second task."""

    __tablename__ = "ml_tasks"
    __table_args__ = (
        UniqueConstraint("request_id", "origin"),
        CheckConstraint(
            "(state = 'running') = (lease_token IS NOT NULL)"
            " AND (lease_token IS NULL) = (lease_until IS NULL)",
            name="lease",
        ),
        CheckConstraint(
            "(state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name="finished_at",
        ),
        CheckConstraint("(state = 'failed') = (error_code IS NOT NULL)", name="error_code"),
        CheckConstraint(
            "state <> 'done' OR (prompt IS NOT NULL AND judge IS NOT NULL"
            " AND generator IS NOT NULL AND timings_ms IS NOT NULL)",
            name="result",
        ),
        CheckConstraint("attempt >= 0", name="attempt"),
        CheckConstraint("locale IN ('ru', 'en')", name="locale"),
        Index(
            "ix_ml_tasks_queued",
            "account_id",
            "queued_at",
            postgresql_where=text("state = 'queued'"),
        ),
        Index("ix_ml_tasks_lease_until", "lease_until", postgresql_where=text("state = 'running'")),
        Index(
            "ix_ml_tasks_history",
            "account_id",
            "id",
            postgresql_where=text("state = 'done' AND hidden_at IS NULL"),
        ),
        Index("ix_ml_tasks_done", "finished_at", postgresql_where=text("state = 'done'")),
        Index(
            "ix_ml_tasks_status",
            "id",
            postgresql_where=text(CARD_NOT_SETTLED),
        ),
        Index(None, "chat_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("ml_requests.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    locale: Mapped[str]
    origin: Mapped[str]
    state: Mapped[TaskState] = mapped_column(
        checked(TaskState, "state"), server_default=text("'queued'")
    )
    brief: Mapped[dict[str, object]] = mapped_column(JSONB)
    priority: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    not_before: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    lease_token: Mapped[uuid.UUID | None]
    lease_until: Mapped[datetime | None]
    chat_id: Mapped[int]
    thread_id: Mapped[int | None]
    status_message_id: Mapped[int | None]
    status_shown: Mapped[Shown | None] = mapped_column(checked(Shown, "status_shown"))
    status_lost: Mapped[bool] = mapped_column(server_default=text("false"))
    error_code: Mapped[str | None]
    chosen_prediction_id: Mapped[int | None] = mapped_column(
        ForeignKey("predictions.id", use_alter=True, ondelete="SET NULL")
    )
    hidden_at: Mapped[datetime | None]
    prompt: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
    judge: Mapped[str | None]
    generator: Mapped[str | None]
    timings_ms: Mapped[dict[str, float] | None] = mapped_column(JSONB(none_as_null=True))
    queued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Prediction(Base):
    """A picture of a finished task. `final_score = 0.7 * clip_n + 0.3 * aes_n`, to 1e-6;
    `gen_meta` holds how it was made and scored, whole."""

    __tablename__ = "predictions"
    __table_args__ = (
        UniqueConstraint("task_id", "rank"),
        Index(None, "storage_key"),
        CheckConstraint("rank BETWEEN 1 AND 10", name="rank"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        CheckConstraint("width > 0 AND height > 0 AND size_bytes > 0", name="size"),
        CheckConstraint(
            "clip_n BETWEEN 0 AND 1 AND aes_n BETWEEN 0 AND 1 AND final_score BETWEEN 0 AND 1",
            name="score_ranges",
        ),
        CheckConstraint("clip_raw <> 'NaN' AND aes_raw <> 'NaN'", name="raw_scores"),
        CheckConstraint(
            "abs(final_score - (0.7 * clip_n + 0.3 * aes_n)) <= 1e-6", name="final_score"
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("ml_tasks.id"))
    rank: Mapped[int] = mapped_column(SmallInteger)
    seed: Mapped[int]
    storage_key: Mapped[str]
    sha256: Mapped[str]
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    size_bytes: Mapped[int]
    clip_raw: Mapped[float] = mapped_column(Double)
    clip_n: Mapped[float] = mapped_column(Double)
    aes_raw: Mapped[float] = mapped_column(Double)
    aes_n: Mapped[float] = mapped_column(Double)
    final_score: Mapped[float] = mapped_column(Double)
    gen_meta: Mapped[dict[str, object]] = mapped_column(JSONB)
    photo_file_id: Mapped[str | None]
    document_file_id: Mapped[str | None]
