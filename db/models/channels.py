"""Channels that an account posts to, and its posts: one row is one call that publishes."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TypedDict

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, checked
from db.states import PostState, SuggestionState
from db.views import Locale

CAPTION_TO_EDIT = "state = 'sent' AND caption <> shown_caption"
"""The partial index on posts whose caption in the channel is an older one; queries repeat it."""


class StoredParts(TypedDict, total=False):
    """`CaptionParts` as they are stored."""

    body: str
    signature: str
    hashtags: str
    advertiser: str
    erid: str
    locale: Locale
    on: list[str]


class Channel(Base):
    """`broken_at`: since when the bot can't post there; null again once it can. A removed channel
    stays for its posts' sake."""

    __tablename__ = "channels"
    __table_args__ = (
        CheckConstraint("(broken_at IS NULL) = (broken_reason IS NULL)", name="broken"),
        Index(
            "uq_channels_account_id_chat_id",
            "account_id",
            "chat_id",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
        Index(None, "chat_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    chat_id: Mapped[int]
    title: Mapped[str]
    username: Mapped[str | None]
    connected_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    connected_at: Mapped[datetime] = mapped_column(server_default=func.now())
    broken_at: Mapped[datetime | None]
    broken_reason: Mapped[str | None]
    removed_at: Mapped[datetime | None]


class Post(Base):
    """Pictures of a task (`ranks`, in order) for a channel. `caption` is HTML; `shown_caption` is
    what the channel shows, and `parts` and `shown_parts` what those are put together from
    (`db.captions`). `reactions`: for each message that has some, how often which; while it is
    being sent, of any message in its channel. The card, where there is one, says in the chat how it
    went. The unique index on `sending` keeps a channel's posts in order."""

    __tablename__ = "posts"
    __table_args__ = (
        CheckConstraint("cardinality(ranks) BETWEEN 1 AND 10", name="ranks"),
        CheckConstraint(
            "(state = 'sending') = (lease_token IS NOT NULL)"
            " AND (lease_token IS NULL) = (lease_until IS NULL)",
            name="lease",
        ),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        CheckConstraint(
            "state IN ('draft', 'cancelled') OR publish_at IS NOT NULL", name="publish_at"
        ),
        CheckConstraint(
            "state NOT IN ('unknown', 'undeliverable') OR reason IS NOT NULL", name="reason"
        ),
        CheckConstraint("attempt >= 0", name="attempt"),
        CheckConstraint("(shown_caption IS NULL) = (shown_parts IS NULL)", name="shown_parts"),
        Index(
            "uq_posts_sending_channel_id",
            "channel_id",
            unique=True,
            postgresql_where=text("state = 'sending'"),
        ),
        Index(
            "ix_posts_scheduled",
            "channel_id",
            "publish_at",
            "id",
            postgresql_where=text("state = 'scheduled'"),
        ),
        Index("ix_posts_to_edit", "id", postgresql_where=text(CAPTION_TO_EDIT)),
        Index("ix_posts_sent", "account_id", "sent_at", postgresql_where=text("state = 'sent'")),
        Index(None, "message_ids", postgresql_using="gin"),
        Index(None, "account_id", "publish_at"),
        Index(None, "channel_id"),
        Index(None, "task_id", "channel_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"))
    task_id: Mapped[int] = mapped_column(ForeignKey("ml_tasks.id"))
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    origin: Mapped[str] = mapped_column(unique=True)
    ranks: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    caption: Mapped[str] = mapped_column(server_default=text("''"))
    shown_caption: Mapped[str | None]
    parts: Mapped[StoredParts] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    shown_parts: Mapped[StoredParts | None] = mapped_column(JSONB(none_as_null=True))
    state: Mapped[PostState] = mapped_column(
        checked(PostState, "state"), server_default=text("'draft'")
    )
    publish_at: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    lease_token: Mapped[uuid.UUID | None]
    lease_until: Mapped[datetime | None]
    message_ids: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), server_default=text("'{}'::bigint[]")
    )
    reactions: Mapped[dict[str, dict[str, int]]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb")
    )
    card_chat_id: Mapped[int | None]
    card_thread_id: Mapped[int | None]
    card_message_id: Mapped[int | None]
    reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]


class Suggestion(Base):
    """A caption proposed for a post, the `number`-th (`db.suggestions`). Nobody may take it up
    before `not_before`: that is a worker's lease, with its `token`, or a pause."""

    __tablename__ = "suggestions"
    __table_args__ = (
        CheckConstraint("(caption IS NULL) = (writer IS NULL)", name="writer"),
        CheckConstraint("state <> 'ready' OR caption IS NOT NULL", name="caption"),
        CheckConstraint("state = 'open' OR token IS NULL", name="token"),
        CheckConstraint("locale IN ('ru', 'en')", name="locale"),
        Index("ix_suggestions_open", "not_before", postgresql_where=text("state = 'open'")),
    )

    post_id: Mapped[int] = mapped_column(
        ForeignKey("posts.id"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    state: Mapped[SuggestionState] = mapped_column(
        checked(SuggestionState, "state"), server_default=text("'open'")
    )
    caption: Mapped[str | None]
    writer: Mapped[str | None]
    locale: Mapped[str]
    chat_id: Mapped[int]
    message_id: Mapped[int]
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    token: Mapped[uuid.UUID | None]
    not_before: Mapped[datetime] = mapped_column(server_default=func.now())
