"""Teams: who has left, votes under albums, approvals in rounds, and who did what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column(
            "data",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_events_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_events_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_account_id_id"), "events", ["account_id", "id"], unique=False)
    op.create_table(
        "approvals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("round", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "approved",
                "changes",
                "rejected",
                name=op.f("ck_approvals_state"),
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            server_default=sa.text("'open'"),
            nullable=False,
        ),
        sa.Column("needed", sa.SmallInteger(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=True),
        sa.Column("card_message_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("next_request_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL) AND (state = 'open') = (decided_by IS NULL)",
            name=op.f("ck_approvals_decided"),
        ),
        sa.CheckConstraint(
            "(state IN ('changes', 'rejected')) = (reason IS NOT NULL)",
            name=op.f("ck_approvals_reason"),
        ),
        sa.CheckConstraint(
            "next_request_id IS NULL OR state = 'changes'", name=op.f("ck_approvals_next_request")
        ),
        sa.CheckConstraint("needed BETWEEN 1 AND 9", name=op.f("ck_approvals_needed")),
        sa.CheckConstraint("round >= 1", name=op.f("ck_approvals_round")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_approvals_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["users.id"], name=op.f("fk_approvals_asked_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["users.id"], name=op.f("fk_approvals_decided_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["next_request_id"],
            ["ml_requests.id"],
            name=op.f("fk_approvals_next_request_id_ml_requests"),
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["approvals.id"], name=op.f("fk_approvals_parent_id_approvals")
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["ml_tasks.id"], name=op.f("fk_approvals_task_id_ml_tasks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sa.UniqueConstraint("next_request_id", name=op.f("uq_approvals_next_request_id")),
    )
    op.create_index(op.f("ix_approvals_account_id"), "approvals", ["account_id"], unique=False)
    op.create_index(op.f("ix_approvals_chat_id"), "approvals", ["chat_id"], unique=False)
    op.create_index(op.f("ix_approvals_task_id"), "approvals", ["task_id"], unique=False)
    op.create_index(
        "uq_approvals_open_task_id",
        "approvals",
        ["task_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "votes",
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column(
            "cast_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("rank BETWEEN 1 AND 10", name=op.f("ck_votes_rank")),
        sa.ForeignKeyConstraint(
            ["task_id"], ["ml_tasks.id"], name=op.f("fk_votes_task_id_ml_tasks")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_votes_user_id_users")),
        sa.PrimaryKeyConstraint("task_id", "user_id", name=op.f("pk_votes")),
    )
    op.create_table(
        "approval_questions",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("approval_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "answer",
            sa.Enum(
                "changes",
                "rejected",
                name=op.f("ck_approval_questions_answer"),
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["approval_id"],
            ["approvals.id"],
            name=op.f("fk_approval_questions_approval_id_approvals"),
        ),
        sa.PrimaryKeyConstraint("chat_id", "message_id", name=op.f("pk_approval_questions")),
    )
    op.create_table(
        "approvers",
        sa.Column("approval_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "said_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approvals.id"], name=op.f("fk_approvers_approval_id_approvals")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_approvers_user_id_users")),
        sa.PrimaryKeyConstraint("approval_id", "user_id", name=op.f("pk_approvers")),
    )
    op.add_column("accounts", sa.Column("presence", sa.String(20), nullable=True))
    op.create_check_constraint(
        op.f("ck_accounts_presence"),
        "accounts",
        "presence IN ('member', 'administrator', 'restricted', 'left', 'kicked')",
    )
    op.add_column(
        "accounts",
        sa.Column(
            "approvals_needed", sa.SmallInteger(), server_default=sa.text("1"), nullable=False
        ),
    )
    op.create_check_constraint(
        op.f("ck_accounts_approvals_needed"), "accounts", "approvals_needed BETWEEN 1 AND 9"
    )
    op.add_column("members", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("members", sa.Column("removed_by", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_members_removed"), "members", "removed_by IS NULL OR left_at IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("ck_members_owner_is_there"), "members", "left_at IS NULL OR role <> 'owner'"
    )
    op.create_index(
        "uq_members_owner",
        "members",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("role = 'owner'"),
    )
    op.create_foreign_key(
        op.f("fk_members_removed_by_users"), "members", "users", ["removed_by"], ["id"]
    )
    op.add_column("user_settings", sa.Column("team_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_user_settings_team_id_accounts"),
        "user_settings",
        "accounts",
        ["team_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.execute(
        "CREATE TRIGGER events_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON events"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_members_owner_is_there"), "members", type_="check")
    op.drop_constraint(op.f("ck_members_removed"), "members", type_="check")
    op.drop_constraint(
        op.f("fk_user_settings_team_id_accounts"), "user_settings", type_="foreignkey"
    )
    op.drop_column("user_settings", "team_id")
    op.drop_constraint(op.f("fk_members_removed_by_users"), "members", type_="foreignkey")
    op.drop_index(
        "uq_members_owner", table_name="members", postgresql_where=sa.text("role = 'owner'")
    )
    op.drop_column("members", "removed_by")
    op.drop_column("members", "left_at")
    op.drop_column("accounts", "approvals_needed")
    op.drop_column("accounts", "presence")

    op.drop_table("approvers")
    op.drop_table("approval_questions")
    op.drop_table("votes")
    op.drop_index(
        "uq_approvals_open_task_id",
        table_name="approvals",
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index(op.f("ix_approvals_task_id"), table_name="approvals")
    op.drop_index(op.f("ix_approvals_chat_id"), table_name="approvals")
    op.drop_index(op.f("ix_approvals_account_id"), table_name="approvals")
    op.drop_table("approvals")
    op.drop_index(op.f("ix_events_account_id_id"), table_name="events")
    op.drop_table("events")
