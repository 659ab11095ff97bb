"""Open rounds that were asked for in a private chat go to their team's group."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a card: the next tap or vote sends one there, and a reminder has its buttons.
    op.execute("""
        UPDATE approvals p
        SET chat_id = a.chat_id, card_message_id = NULL,
            thread_id = CASE WHEN t.chat_id = a.chat_id THEN t.thread_id END
        FROM accounts a, ml_tasks t
        WHERE a.id = p.account_id AND t.id = p.task_id
            AND p.state = 'open' AND p.chat_id <> a.chat_id
    """)


def downgrade() -> None:
    """Nobody looks for them in private."""
