"""The audit remembers the taps that would undo themselves if they were handled once more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("tap", sa.Text(), nullable=True))
    op.create_index(
        "uq_events_tap",
        "events",
        ["tap"],
        unique=True,
        postgresql_where=sa.text("tap IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_events_tap", "events")
    op.drop_column("events", "tap")
