"""Members who came to look on, and to whom nobody has given a role."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "members",
        sa.Column("looks_on", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_members_looks_on"), "members", "NOT looks_on OR role = 'viewer'"
    )


def downgrade() -> None:
    op.drop_column("members", "looks_on")
