"""Reminders of open approvals: after how long, and how often a round has had one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "accounts",
        sa.Column(
            "remind_after_h", sa.SmallInteger(), server_default=sa.text("24"), nullable=False
        ),
    )
    op.create_check_constraint(
        op.f("ck_accounts_remind_after_h"), "accounts", "remind_after_h IN (0, 4, 24)"
    )
    op.add_column(
        "approvals",
        sa.Column("reminders", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("approvals", sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_approvals_reminders"),
        "approvals",
        "reminders BETWEEN 0 AND 2 AND (reminders = 0) = (reminded_at IS NULL)",
    )


def downgrade() -> None:
    op.drop_column("approvals", "reminded_at")
    op.drop_column("approvals", "reminders")
    op.drop_column("accounts", "remind_after_h")
