"""Reactions are kept for each message of a post; posts are found by a message and by when sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Counted so far was the first message alone.
    op.execute("""
        UPDATE posts SET reactions = jsonb_build_object(message_ids[1], reactions)
        WHERE reactions <> '{}' AND cardinality(message_ids) > 0
    """)
    op.create_index(op.f("ix_posts_message_ids"), "posts", ["message_ids"], postgresql_using="gin")
    op.create_index(
        "ix_posts_sent",
        "posts",
        ["account_id", "sent_at"],
        postgresql_where=sa.text("state = 'sent'"),
    )


def downgrade() -> None:
    op.drop_index("ix_posts_sent", "posts")
    op.drop_index(op.f("ix_posts_message_ids"), "posts")
    op.execute("""
        UPDATE posts SET reactions = coalesce(reactions -> message_ids[1]::text, '{}')
        WHERE reactions <> '{}'
    """)
