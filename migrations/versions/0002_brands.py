"""Brand profiles, and the one an account starts with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "brands",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("style_original", sa.Text(), nullable=False),
        sa.Column("style_short", sa.Text(), nullable=False),
        sa.Column("palette", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("preset", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "array_position(palette, NULL) IS NULL AND"
            " array_to_string(palette, ',') ~ '^(#[0-9a-f]{6}(,#[0-9a-f]{6})*)?$'",
            name=op.f("ck_brands_palette"),
        ),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 40", name=op.f("ck_brands_name")),
        sa.CheckConstraint("char_length(style_short) <= 200", name=op.f("ck_brands_style_short")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_brands_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brands")),
    )
    op.create_index(
        "uq_brands_account_id_name_key",
        "brands",
        ["account_id", "name_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.add_column("accounts", sa.Column("default_brand_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_accounts_default_brand_id_brands"),
        "accounts",
        "brands",
        ["default_brand_id"],
        ["id"],
        ondelete="SET NULL",
    )


def downgrade() -> None:
    op.drop_column("accounts", "default_brand_id")
    op.drop_table("brands")
