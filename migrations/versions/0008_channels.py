"""Channels, and the posts that go out to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "accounts",
        sa.Column(
            "time_zone", sa.Text(), server_default=sa.text("'Europe/Moscow'"), nullable=False
        ),
    )
    op.add_column(
        "accounts",
        sa.Column("late_posts", sa.String(20), server_default=sa.text("'ask'"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_accounts_late_posts"), "accounts", "late_posts IN ('send', 'ask')"
    )
    op.create_table(
        "channels",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("connected_by", sa.BigInteger(), nullable=False),
        sa.Column(
            "connected_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("broken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("broken_reason", sa.Text(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(broken_at IS NULL) = (broken_reason IS NULL)", name=op.f("ck_channels_broken")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_channels_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["connected_by"], ["users.id"], name=op.f("fk_channels_connected_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
    )
    op.create_index(
        "uq_channels_account_id_chat_id",
        "channels",
        ["account_id", "chat_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index(op.f("ix_channels_chat_id"), "channels", ["chat_id"], unique=False)
    _create_posts()


def _create_posts() -> None:
    op.create_table(
        "posts",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("ranks", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("caption", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("shown_caption", sa.Text(), nullable=True),
        sa.Column("state", sa.String(20), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("publish_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "message_ids",
            postgresql.ARRAY(sa.BigInteger()),
            server_default=sa.text("'{}'::bigint[]"),
            nullable=False,
        ),
        sa.Column(
            "reactions", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("card_chat_id", sa.BigInteger(), nullable=True),
        sa.Column("card_message_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("cardinality(ranks) BETWEEN 1 AND 10", name=op.f("ck_posts_ranks")),
        sa.CheckConstraint(
            "(state = 'sending') = (lease_token IS NOT NULL)"
            " AND (lease_token IS NULL) = (lease_until IS NULL)",
            name=op.f("ck_posts_lease"),
        ),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_posts_sent")),
        sa.CheckConstraint(
            "state IN ('draft', 'cancelled') OR publish_at IS NOT NULL",
            name=op.f("ck_posts_publish_at"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('unknown', 'undeliverable') OR reason IS NOT NULL",
            name=op.f("ck_posts_reason"),
        ),
        sa.CheckConstraint("attempt >= 0", name=op.f("ck_posts_attempt")),
        sa.CheckConstraint(
            "state IN ('draft', 'scheduled', 'overdue', 'sending', 'sent', 'unknown',"
            " 'undeliverable', 'cancelled')",
            name=op.f("ck_posts_state"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_posts_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_posts_channel_id_channels")
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["ml_tasks.id"], name=op.f("fk_posts_task_id_ml_tasks")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_posts_created_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
        sa.UniqueConstraint("origin", name=op.f("uq_posts_origin")),
    )
    op.create_index(
        "uq_posts_sending_channel_id",
        "posts",
        ["channel_id"],
        unique=True,
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(
        "ix_posts_scheduled",
        "posts",
        ["channel_id", "publish_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'scheduled'"),
    )
    op.create_index(
        "ix_posts_to_edit",
        "posts",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'sent' AND caption <> shown_caption"),
    )
    op.create_index(
        op.f("ix_posts_account_id_publish_at"), "posts", ["account_id", "publish_at"], unique=False
    )
    op.create_index(op.f("ix_posts_channel_id"), "posts", ["channel_id"], unique=False)
    op.create_index(
        op.f("ix_posts_task_id_channel_id"), "posts", ["task_id", "channel_id"], unique=False
    )


def downgrade() -> None:
    op.drop_table("posts")
    op.drop_table("channels")
    op.drop_column("accounts", "late_posts")
    op.drop_column("accounts", "time_zone")
