"""Orders and posts know the topic in which they were asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("thread_id", sa.BigInteger(), nullable=True))
    op.add_column("posts", sa.Column("card_thread_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("posts", "card_thread_id")
    op.drop_column("orders", "thread_id")
