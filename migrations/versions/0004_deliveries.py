"""What is to be sent to a chat, and what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=True),
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
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'sending') = (lease_token IS NOT NULL)"
            " AND (lease_token IS NULL) = (lease_until IS NULL)",
            name=op.f("ck_deliveries_lease"),
        ),
        sa.CheckConstraint(
            "(state = 'sent') = (sent_at IS NOT NULL)"
            " AND (state = 'sent') = (cardinality(message_ids) > 0)",
            name=op.f("ck_deliveries_sent"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('unknown', 'undeliverable') OR reason IS NOT NULL",
            name=op.f("ck_deliveries_reason"),
        ),
        sa.CheckConstraint("attempt >= 0", name=op.f("ck_deliveries_attempt")),
        sa.ForeignKeyConstraint(
            ["task_id"], ["ml_tasks.id"], name=op.f("fk_deliveries_task_id_ml_tasks")
        ),
        sa.CheckConstraint(
            "kind IN ('album', 'actions', 'originals')", name=op.f("ck_deliveries_kind")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'sending', 'sent', 'unknown', 'undeliverable')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "task_id", "kind", "origin", name=op.f("uq_deliveries_task_id_kind_origin")
        ),
    )
    op.create_index(
        "ix_deliveries_pending",
        "deliveries",
        ["chat_id", "id"],
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "uq_deliveries_sending_chat_id",
        "deliveries",
        ["chat_id"],
        unique=True,
        postgresql_where=sa.text("state = 'sending'"),
    )


def downgrade() -> None:
    op.drop_table("deliveries")
