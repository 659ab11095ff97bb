"""The ledger: wallets, transfers, the months of a plan, what is held for tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SYSTEM = ("revenue", "stars", "provider", "operator", "receivables")

_REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "wallets",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("system", sa.String(20), nullable=True),
        sa.Column("balance", sa.BigInteger(), nullable=True),
        sa.Column("reserved", sa.BigInteger(), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(account_id IS NULL) <> (system IS NULL)", name=op.f("ck_wallets_owner")
        ),
        sa.CheckConstraint(
            "(system IS NOT NULL) = (balance IS NULL) AND (balance IS NULL) = (reserved IS NULL)",
            name=op.f("ck_wallets_stored_balance"),
        ),
        sa.CheckConstraint(
            "reserved >= 0 AND balance >= reserved", name=op.f("ck_wallets_balance")
        ),
        sa.CheckConstraint(
            "system IN ('revenue', 'stars', 'provider', 'operator', 'receivables')",
            name=op.f("ck_wallets_system"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_wallets_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallets")),
        sa.UniqueConstraint("account_id", name=op.f("uq_wallets_account_id")),
        sa.UniqueConstraint("system", name=op.f("uq_wallets_system")),
    )
    op.create_table(
        "transfers",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("destination_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("input_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "memo", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_transfers_amount")),
        sa.CheckConstraint("source_id <> destination_id", name=op.f("ck_transfers_two_wallets")),
        sa.CheckConstraint(
            "kind IN ('top_up', 'credit', 'subscription', 'upgrade', 'pictures',"
            " 'refund', 'refund_undone', 'chargeback')",
            name=op.f("ck_transfers_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["wallets.id"], name=op.f("fk_transfers_destination_id_wallets")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["wallets.id"], name=op.f("fk_transfers_source_id_wallets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
        sa.UniqueConstraint("key", name=op.f("uq_transfers_key")),
    )
    op.create_index(
        "ix_transfers_destination_id", "transfers", ["destination_id", "id"], unique=False
    )
    op.create_index("ix_transfers_source_id", "transfers", ["source_id", "id"], unique=False)
    op.create_table(
        "periods",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_code", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
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
        sa.Column("used", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("held", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("transfer_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("ck_periods_ends_at")),
        sa.CheckConstraint(
            "used >= 0 AND held >= 0 AND used + held <= images_limit", name=op.f("ck_periods_quota")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_periods_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["plan_code"], ["plans.code"], name=op.f("fk_periods_plan_code_plans")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfers.id"], name=op.f("fk_periods_transfer_id_transfers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_periods")),
        sa.UniqueConstraint(
            "account_id", "starts_at", name=op.f("uq_periods_account_id_starts_at")
        ),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("period_id", sa.BigInteger(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("paid", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("picture_price", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("captured_quota", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("captured_paid", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.String(20), server_default=sa.text("'open'"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'open') = (resolved_at IS NULL)"
            " AND (state = 'captured' OR captured_quota + captured_paid = 0)",
            name=op.f("ck_holds_resolved"),
        ),
        sa.CheckConstraint(
            "captured_quota BETWEEN 0 AND quota AND captured_paid BETWEEN 0 AND paid",
            name=op.f("ck_holds_captured"),
        ),
        sa.CheckConstraint("picture_price >= 0", name=op.f("ck_holds_picture_price")),
        sa.CheckConstraint(
            "quota >= 0 AND paid >= 0 AND quota + paid > 0", name=op.f("ck_holds_held")
        ),
        sa.CheckConstraint("state IN ('open', 'captured', 'voided')", name=op.f("ck_holds_state")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_holds_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["period_id"], ["periods.id"], name=op.f("fk_holds_period_id_periods")
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["ml_tasks.id"], name=op.f("fk_holds_task_id_ml_tasks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
        sa.UniqueConstraint("task_id", name=op.f("uq_holds_task_id")),
    )
    op.create_index(
        "ix_holds_open",
        "holds",
        ["account_id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(op.f("ix_holds_period_id"), "holds", ["period_id"], unique=False)
    op.execute(_REFUSE)
    op.execute(
        "CREATE TRIGGER transfers_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    wallets = sa.table("wallets", sa.column("system"))
    op.bulk_insert(wallets, [{"system": name} for name in _SYSTEM])


def downgrade() -> None:
    op.drop_table("holds")
    op.drop_table("periods")
    op.drop_table("transfers")
    op.drop_table("wallets")
    op.execute("DROP FUNCTION refuse_change")
