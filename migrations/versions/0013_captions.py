"""What brands say under their posts, and what a post's caption is put together from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("brands", sa.Column("signature", sa.Text(), nullable=True))
    op.add_column(
        "brands",
        sa.Column(
            "hashtags",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'::text[]"),
            nullable=False,
        ),
    )
    op.add_column("brands", sa.Column("advertiser", sa.Text(), nullable=True))
    op.add_column("brands", sa.Column("erid", sa.Text(), nullable=True))
    op.add_column(
        "brands",
        sa.Column("marks_ai", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_brands_signature"),
        "brands",
        "char_length(signature) BETWEEN 1 AND 200 AND strpos(signature, chr(10)) = 0",
    )
    op.create_check_constraint(
        op.f("ck_brands_hashtags"),
        "brands",
        "cardinality(hashtags) <= 10 AND array_position(hashtags, NULL) IS NULL AND"
        " array_to_string(hashtags, ' ') ~ '^(#[^ #,]{1,50}( #[^ #,]{1,50})*)?$'",
    )
    op.create_check_constraint(
        op.f("ck_brands_advertising"),
        "brands",
        "(advertiser IS NULL) = (erid IS NULL)"
        " AND char_length(advertiser) BETWEEN 1 AND 150 AND erid ~ '^[A-Za-z0-9_-]{4,64}$'",
    )
    op.add_column(
        "posts",
        sa.Column(
            "parts", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
    )
    op.add_column("posts", sa.Column("shown_parts", postgresql.JSONB(), nullable=True))
    # Captions so far are a person's words alone.
    op.execute("""
        UPDATE posts SET parts = jsonb_build_object('body', caption),
            shown_parts = jsonb_build_object('body', shown_caption)
    """)
    op.execute("UPDATE posts SET shown_parts = NULL WHERE shown_caption IS NULL")
    op.create_check_constraint(
        op.f("ck_posts_shown_parts"), "posts", "(shown_caption IS NULL) = (shown_parts IS NULL)"
    )


def downgrade() -> None:
    """Captions stay whole: they were stored as they are read."""
    op.drop_column("posts", "shown_parts")
    op.drop_column("posts", "parts")
    for column in ("marks_ai", "erid", "advertiser", "hashtags", "signature"):
        op.drop_column("brands", column)
