"""Notices: what the product tells an account of its own accord, each once, in its own chat.

What was asked for in a topic of that chat is told there: `chat_id` and `thread_id` of `data`.

pending -> sending        `claim`, committed before the call
sending -> sent           `sent`
sending -> pending        `retry`: a definite refusal that will pass
sending -> unknown        `unknown`, `sweep_leases`: it may have arrived, and is let go
sending -> undeliverable  `undeliverable`: a definite refusal that stays
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, text, update
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.leases import RELEASED, SENDER_DIED, held, seconds
from db.locales import locale_of
from db.models import Notice
from db.money_views import NoticeClaim
from db.states import DeliveryState

# In the order they were told: none of an account's goes while an older one waits or is being sent.
_CLAIM = text("""
WITH next AS (
    SELECT n.id FROM notices n
    WHERE n.state = 'pending'
        AND (n.not_before IS NULL OR n.not_before <= statement_timestamp())
        AND NOT EXISTS (
            SELECT FROM notices o
            WHERE o.state = 'pending' AND o.account_id = n.account_id AND o.id < n.id
        )
        AND NOT EXISTS (
            SELECT FROM notices o WHERE o.state = 'sending' AND o.account_id = n.account_id
        )
    ORDER BY n.id
    LIMIT 1
    FOR NO KEY UPDATE OF n SKIP LOCKED
)
UPDATE notices n
SET state = 'sending', attempt = n.attempt + 1, not_before = NULL,
    lease_token = gen_random_uuid(),
    lease_until = statement_timestamp() + make_interval(secs => :lease_s)
FROM next, accounts a
    LEFT JOIN users u ON u.id = a.owner_user_id
    LEFT JOIN user_settings s ON s.user_id = u.id
WHERE n.id = next.id AND a.id = n.account_id
RETURNING n.id, n.lease_token, n.account_id, n.kind, n.data, n.attempt,
    coalesce(a.chat_id, a.owner_user_id) AS chat_id, u.language_code, s.locale
""")


async def tell(
    session: AsyncSession, account_id: int, kind: str, data: Mapping[str, object], *, key: str
) -> bool:
    """Writes a notice to be sent; False: it was told under this key before."""
    told_id = await session.scalar(
        insert(Notice)
        .values(account_id=account_id, kind=kind, data=dict(data), key=key)
        .on_conflict_do_nothing()
        .returning(Notice.id)
    )
    return told_id is not None


async def claim(session: AsyncSession, *, lease_s: float = 120) -> NoticeClaim | None:
    """The oldest notice that may go now, with the account's chat and its owner's language.

    Commit before sending: a crash must leave `sending`.
    """
    row = (await session.execute(_CLAIM, {"lease_s": lease_s})).one_or_none()
    if row is None:
        return None
    return NoticeClaim(
        id=row.id,
        token=row.lease_token,
        account_id=row.account_id,
        kind=row.kind,
        data=row.data,
        chat_id=row.chat_id,
        locale=locale_of(row.language_code, row.locale),
        attempt=row.attempt,
    )


async def sent(session: AsyncSession, notice_id: int, token: UUID) -> bool:
    """It has arrived. False: no longer ours, and nothing was written."""
    ours = held(Notice, notice_id, token)
    return bool(await _settle(session, ours, DeliveryState.SENT, sent_at=func.now()))


async def retry(
    session: AsyncSession,
    notice_id: int,
    token: UUID,
    *,
    not_before_s: float,
    reason: str,
    drop_thread: bool = False,
) -> bool:
    """Back to pending for `not_before_s`: Telegram has certainly not taken it; with `drop_thread`
    it goes to the group's main topic next time. False: not ours."""
    ours, later = held(Notice, notice_id, token), func.now() + seconds(not_before_s)
    pending = DeliveryState.PENDING
    # An answer would go where the message is that it answers.
    main = {"data": Notice.data.op("-")(array(["thread_id", "reply_to"]))} if drop_thread else {}
    return bool(await _settle(session, ours, pending, not_before=later, reason=reason, **main))


async def unknown(session: AsyncSession, notice_id: int, token: UUID, reason: str) -> bool:
    """It may have arrived; it is not sent again. False: no longer ours."""
    ours = held(Notice, notice_id, token)
    return bool(await _settle(session, ours, DeliveryState.UNKNOWN, reason=reason))


async def undeliverable(session: AsyncSession, notice_id: int, token: UUID, reason: str) -> bool:
    """Telegram refused it and will again. False: no longer ours."""
    ours = held(Notice, notice_id, token)
    return bool(await _settle(session, ours, DeliveryState.UNDELIVERABLE, reason=reason))


async def sweep_leases(session: AsyncSession) -> int:
    """Notices whose sender died become unknown; returns how many."""
    dead = (Notice.state == DeliveryState.SENDING, Notice.lease_until < func.now())
    return await _settle(session, dead, DeliveryState.UNKNOWN, reason=SENDER_DIED)


async def _settle(
    session: AsyncSession,
    which: Sequence[ColumnElement[bool]],
    state: DeliveryState,
    **fields: object,
) -> int:
    settled = await session.scalars(
        update(Notice)
        .where(*which)
        .values({"state": state, **RELEASED, **fields})
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    )
    return len(settled.all())
