"""Photos to start from: a request names the one it was sent with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ml_requests", sa.Column("photo_key", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_ml_requests_photo_key"), "ml_requests", "photo_key LIKE 'photos/%'"
    )
    op.create_index(
        "ix_ml_requests_photo_key",
        "ml_requests",
        ["photo_key"],
        postgresql_where=sa.text("photo_key IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_column("ml_requests", "photo_key")
