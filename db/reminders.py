"""Reminders of albums that wait for their approval: a round has two at most, and none at night."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import cast

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit, notices, teams
from db.audit import Deed
from db.models import Approval, Approver, Task, User
from db.money_views import NoticeClaim
from db.rights import Action
from db.states import ApprovalState

WAITS = "approval_waits"
"""The kind of the notice."""

MOST = 2
AFTER_H = (0, 4, 24)
"""After how many hours a team can want it; 0: never."""

_MOST_NAMED = 20
_PROMPT_CHARS = 200

# By the team's own clocks: who is asked at night answers nothing, and switches reminders off.
# A team whose group is moving at this moment holds its account, and is reminded next time: to wait
# for it with the round in hand would be a deadlock.
_REMIND = text("""
WITH due AS (
    SELECT p.id FROM approvals p
        JOIN accounts a ON a.id = p.account_id
        JOIN ml_tasks t ON t.id = p.task_id AND t.hidden_at IS NULL
    WHERE p.state = 'open' AND p.reminders < :most AND a.remind_after_h > 0
        AND coalesce(p.reminded_at, p.created_at)
            <= CAST(:now AS timestamptz) - make_interval(hours => a.remind_after_h)
        AND CAST(CAST(:now AS timestamptz) AT TIME ZONE a.time_zone AS time) >= '09:00'
        AND CAST(CAST(:now AS timestamptz) AT TIME ZONE a.time_zone AS time) < '22:00'
    ORDER BY p.id
    LIMIT :limit
    FOR NO KEY UPDATE OF p SKIP LOCKED
    FOR KEY SHARE OF a SKIP LOCKED
)
UPDATE approvals p
SET reminders = p.reminders + 1, reminded_at = :now
FROM due, ml_tasks t
WHERE p.id = due.id AND t.id = p.task_id
RETURNING p.id, p.account_id, p.task_id, p.reminders, p.needed, p.chat_id, p.thread_id,
    p.card_message_id, t.brief->>'cleaned_prompt' AS prompt
""")


async def remind(session: AsyncSession, *, now: datetime, limit: int) -> int:
    """Tells teams of their open rounds that have waited long enough; returns how many rounds."""
    due = (await session.execute(_REMIND, {"now": now, "limit": limit, "most": MOST})).all()
    for round_ in due:
        data: dict[str, object] = {
            "approval_id": round_.id,
            "prompt": round_.prompt[:_PROMPT_CHARS],
            "chat_id": round_.chat_id,
            "thread_id": round_.thread_id,
            "reply_to": round_.card_message_id,
        }
        key = f"approval:{round_.id}:{round_.reminders}"
        await notices.tell(session, round_.account_id, WAITS, data, key=key)
        what = f"task {round_.task_id}"
        await audit.note(session, round_.account_id, None, Deed.REMIND, what, approval=round_.id)
    return len(due)


async def as_it_stands(session: AsyncSession, notice: NoticeClaim) -> NoticeClaim | None:
    """A reminder with who is silent at this moment; None once the round is over, or its album is
    deleted.

    Notices of other kinds stay as they are.
    """
    if notice.kind != WAITS:
        return notice
    approval_id = cast(int, notice.data["approval_id"])
    waits = await session.scalar(
        select(Approval.id)
        .join(Task, Task.id == Approval.task_id)
        .where(
            Approval.id == approval_id,
            Approval.state == ApprovalState.OPEN,
            Task.hidden_at.is_(None),
        )
    )
    if waits is None:
        return None
    names = await silent(session, notice.account_id, approval_id)
    return replace(notice, data={**notice.data, "silent": names[:_MOST_NAMED]})


async def silent(
    session: AsyncSession, account_id: int, approval_id: int
) -> tuple[tuple[int, str], ...]:
    """Id and name of each approver who has not said yes in a round, by name."""
    able = await teams.able_to(session, account_id, Action.APPROVE)
    said = select(Approver.user_id).where(Approver.approval_id == approval_id)
    rows = await session.execute(
        select(User.id, User.first_name)
        .where(User.id.in_(able), User.id.not_in(said))
        .order_by(User.first_name, User.id)
    )
    return tuple((user_id, name) for user_id, name in rows)
