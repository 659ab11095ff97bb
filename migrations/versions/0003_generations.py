"""Requests, the tasks that work on them, and the pictures made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ml_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=True),
        sa.Column("source_chat_id", sa.BigInteger(), nullable=False),
        sa.Column("source_message_id", sa.BigInteger(), nullable=False),
        sa.Column("raw_prompt", sa.Text(), nullable=False),
        sa.Column("cleaned_prompt", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("goal", sa.Text(), nullable=True),
        sa.Column("aspect", sa.Text(), nullable=True),
        sa.Column("count", sa.SmallInteger(), nullable=False),
        sa.Column("enhance", sa.Boolean(), nullable=False),
        sa.Column("brand_id", sa.BigInteger(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("card_message_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(20), server_default=sa.text("'draft'"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("aspect ~ '^[0-9]+:[0-9]+$'", name=op.f("ck_ml_requests_aspect")),
        sa.CheckConstraint("locale IN ('ru', 'en')", name=op.f("ck_ml_requests_locale")),
        sa.CheckConstraint("count BETWEEN 1 AND 4", name=op.f("ck_ml_requests_count")),
        sa.CheckConstraint("seed BETWEEN 0 AND 2147483647", name=op.f("ck_ml_requests_seed")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_ml_requests_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_ml_requests_brand_id_brands")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_ml_requests_user_id_users")
        ),
        sa.CheckConstraint("state IN ('draft', 'submitted')", name=op.f("ck_ml_requests_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ml_requests")),
        sa.UniqueConstraint(
            "source_chat_id",
            "source_message_id",
            name=op.f("uq_ml_requests_source_chat_id_source_message_id"),
        ),
    )
    op.create_index(op.f("ix_ml_requests_account_id"), "ml_requests", ["account_id"])
    op.create_index(op.f("ix_ml_requests_chat_id"), "ml_requests", ["chat_id"])
    op.create_index(
        "ix_ml_requests_drafts",
        "ml_requests",
        ["created_at"],
        postgresql_where=sa.text("state = 'draft'"),
    )
    op.create_table(
        "ml_tasks",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("brief", postgresql.JSONB(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=True),
        sa.Column("status_message_id", sa.BigInteger(), nullable=True),
        sa.Column("status_shown", sa.String(20), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("chosen_prediction_id", sa.BigInteger(), nullable=True),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("prompt", postgresql.JSONB(), nullable=True),
        sa.Column("judge", sa.Text(), nullable=True),
        sa.Column("generator", sa.Text(), nullable=True),
        sa.Column("timings_ms", postgresql.JSONB(), nullable=True),
        sa.Column(
            "queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'failed') = (error_code IS NOT NULL)", name=op.f("ck_ml_tasks_error_code")
        ),
        sa.CheckConstraint(
            "(state = 'running') = (lease_token IS NOT NULL)"
            " AND (lease_token IS NULL) = (lease_until IS NULL)",
            name=op.f("ck_ml_tasks_lease"),
        ),
        sa.CheckConstraint(
            "(state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name=op.f("ck_ml_tasks_finished_at"),
        ),
        sa.CheckConstraint(
            "state <> 'done' OR (prompt IS NOT NULL AND judge IS NOT NULL"
            " AND generator IS NOT NULL AND timings_ms IS NOT NULL)",
            name=op.f("ck_ml_tasks_result"),
        ),
        sa.CheckConstraint("attempt >= 0", name=op.f("ck_ml_tasks_attempt")),
        sa.CheckConstraint("locale IN ('ru', 'en')", name=op.f("ck_ml_tasks_locale")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_ml_tasks_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["ml_requests.id"], name=op.f("fk_ml_tasks_request_id_ml_requests")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_ml_tasks_user_id_users")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_ml_tasks_state"),
        ),
        sa.CheckConstraint(
            "status_shown IN ('queued', 'running', 'done', 'failed',"
            " 'cancelled', 'unknown', 'undeliverable')",
            name=op.f("ck_ml_tasks_status_shown"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ml_tasks")),
        sa.UniqueConstraint("request_id", "origin", name=op.f("uq_ml_tasks_request_id_origin")),
    )
    op.create_index(op.f("ix_ml_tasks_chat_id"), "ml_tasks", ["chat_id"])
    op.create_index(
        "ix_ml_tasks_done", "ml_tasks", ["finished_at"], postgresql_where=sa.text("state = 'done'")
    )
    op.create_index(
        "ix_ml_tasks_history",
        "ml_tasks",
        ["account_id", "id"],
        postgresql_where=sa.text("state = 'done' AND hidden_at IS NULL"),
    )
    op.create_index(
        "ix_ml_tasks_lease_until",
        "ml_tasks",
        ["lease_until"],
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "ix_ml_tasks_queued",
        "ml_tasks",
        ["account_id", "queued_at"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_ml_tasks_status",
        "ml_tasks",
        ["id"],
        postgresql_where=sa.text("status_shown IS NULL OR status_shown IN ('queued', 'running')"),
    )
    op.create_table(
        "predictions",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("clip_raw", sa.Double(), nullable=False),
        sa.Column("clip_n", sa.Double(), nullable=False),
        sa.Column("aes_raw", sa.Double(), nullable=False),
        sa.Column("aes_n", sa.Double(), nullable=False),
        sa.Column("final_score", sa.Double(), nullable=False),
        sa.Column("gen_meta", postgresql.JSONB(), nullable=False),
        sa.Column("photo_file_id", sa.Text(), nullable=True),
        sa.Column("document_file_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "clip_raw <> 'NaN' AND aes_raw <> 'NaN'", name=op.f("ck_predictions_raw_scores")
        ),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_predictions_sha256")),
        sa.CheckConstraint(
            "abs(final_score - (0.7 * clip_n + 0.3 * aes_n)) <= 1e-6",
            name=op.f("ck_predictions_final_score"),
        ),
        sa.CheckConstraint(
            "clip_n BETWEEN 0 AND 1 AND aes_n BETWEEN 0 AND 1 AND final_score BETWEEN 0 AND 1",
            name=op.f("ck_predictions_score_ranges"),
        ),
        sa.CheckConstraint("rank BETWEEN 1 AND 10", name=op.f("ck_predictions_rank")),
        sa.CheckConstraint(
            "width > 0 AND height > 0 AND size_bytes > 0", name=op.f("ck_predictions_size")
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["ml_tasks.id"], name=op.f("fk_predictions_task_id_ml_tasks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_predictions")),
        sa.UniqueConstraint("task_id", "rank", name=op.f("uq_predictions_task_id_rank")),
    )
    op.create_index(op.f("ix_predictions_storage_key"), "predictions", ["storage_key"])
    op.create_foreign_key(
        op.f("fk_ml_tasks_chosen_prediction_id_predictions"),
        "ml_tasks",
        "predictions",
        ["chosen_prediction_id"],
        ["id"],
        ondelete="SET NULL",
    )


def downgrade() -> None:
    op.drop_constraint(
        op.f("fk_ml_tasks_chosen_prediction_id_predictions"), "ml_tasks", type_="foreignkey"
    )
    op.drop_table("predictions")
    op.drop_table("ml_tasks")
    op.drop_table("ml_requests")
