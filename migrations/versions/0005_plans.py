"""Plans, and which account has which. The rows are where an operator begins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PLANS = (
    # code, titles, position, price, picture_price, images, enhance, best, brands, loras, seats,
    # channels, priority
    ("free", "Бесплатный", "Free", 0, 0, 900, 40, True, False, 1, 0, 3, 0, 0),
    ("start", "Старт", "Start", 1, 49_000, 700, 200, True, True, 3, 1, 3, 1, 1),
    ("profi", "Профи", "Pro", 2, 149_000, 500, 800, True, True, 10, 3, 10, 3, 2),
    ("studio", "Студия", "Studio", 3, 399_000, 400, 3000, True, True, 50, 10, 30, 10, 3),
)
_COLUMNS = (
    "code",
    "title_ru",
    "title_en",
    "position",
    "price",
    "picture_price",
    "images_limit",
    "auto_enhance",
    "auto_best",
    "brand_limit",
    "lora_limit",
    "seats",
    "channels",
    "priority",
)


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title_ru", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("is_offered", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("picture_price", sa.BigInteger(), nullable=False),
        sa.Column("images_limit", sa.Integer(), nullable=False),
        sa.Column("auto_enhance", sa.Boolean(), nullable=False),
        sa.Column("auto_best", sa.Boolean(), nullable=False),
        sa.Column("brand_limit", sa.Integer(), nullable=False),
        sa.Column("lora_limit", sa.Integer(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "code <> 'free' OR (price = 0 AND is_offered)", name=op.f("ck_plans_free")
        ),
        sa.CheckConstraint("code ~ '^[a-z][a-z0-9_]{0,15}$'", name=op.f("ck_plans_code")),
        sa.CheckConstraint(
            "images_limit >= 0 AND brand_limit >= 0 AND lora_limit >= 0"
            " AND seats >= 1 AND channels >= 0",
            name=op.f("ck_plans_limits"),
        ),
        sa.CheckConstraint("price >= 0 AND picture_price >= 0", name=op.f("ck_plans_price")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_plans")),
    )
    op.create_table(
        "subscriptions",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_code", sa.Text(), nullable=False),
        sa.Column("next_plan_code", sa.Text(), nullable=True),
        sa.Column("anchor_day", sa.SmallInteger(), nullable=False),
        sa.Column("renews_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("grace_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "pays_per_picture", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("anchor_day BETWEEN 1 AND 31", name=op.f("ck_subscriptions_anchor_day")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_subscriptions_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["next_plan_code"], ["plans.code"], name=op.f("fk_subscriptions_next_plan_code_plans")
        ),
        sa.ForeignKeyConstraint(
            ["plan_code"], ["plans.code"], name=op.f("fk_subscriptions_plan_code_plans")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_subscriptions")),
    )
    op.create_index(
        "ix_subscriptions_renews_at",
        "subscriptions",
        ["renews_at"],
        unique=False,
        postgresql_where=sa.text("plan_code <> 'free'"),
    )
    plans = sa.table("plans", *(sa.column(name) for name in _COLUMNS))
    op.bulk_insert(plans, [dict(zip(_COLUMNS, plan, strict=True)) for plan in _PLANS])


def downgrade() -> None:
    op.drop_table("subscriptions")
    op.drop_table("plans")
