"""Captions that are proposed for posts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "suggestions",
        sa.Column("post_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("state", sa.String(20), server_default=sa.text("'open'"), nullable=False),
        sa.Column("caption", sa.Text(), nullable=True),
        sa.Column("writer", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column(
            "not_before",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(caption IS NULL) = (writer IS NULL)", name=op.f("ck_suggestions_writer")
        ),
        sa.CheckConstraint(
            "state <> 'ready' OR caption IS NOT NULL", name=op.f("ck_suggestions_caption")
        ),
        sa.CheckConstraint("state = 'open' OR token IS NULL", name=op.f("ck_suggestions_token")),
        sa.CheckConstraint("locale IN ('ru', 'en')", name=op.f("ck_suggestions_locale")),
        sa.CheckConstraint(
            "state IN ('open', 'ready', 'dropped')", name=op.f("ck_suggestions_state")
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_suggestions_post_id_posts")
        ),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_suggestions")),
    )
    op.create_index(
        "ix_suggestions_open",
        "suggestions",
        ["not_before"],
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    op.drop_table("suggestions")
