"""Deliveries: one row is one call to Telegram, and its states say what became of it.

pending -> sending        `claim`, committed before the call
sending -> sent           `sent`; after an album its action card is inserted, and after that the
                          best picture's file, where the plan takes it by itself
sending -> pending        `retry`: a definite refusal that will pass
sending -> unknown        `unknown`, `sweep_leases`: it may have arrived
sending -> undeliverable  `undeliverable`: a definite refusal that stays

Nothing leaves sent, unknown or undeliverable: showing an album again is a new row, asked for by
a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import locks
from db.errors import NotFound, Stale
from db.leases import RELEASED, SENDER_DIED, held, seconds
from db.models import Delivery, Prediction, Task
from db.states import DeliveryKind, DeliveryState, Shown, TaskState
from db.views import DeliveryClaim, Requested

BEST = "best"
"""The origin of the file that follows an album by itself, once: only the picture of rank 1."""

SHOWING = (DeliveryKind.ALBUM, DeliveryKind.ACTIONS)
"""What brings an album to a chat."""
ENDED_BADLY = (DeliveryState.UNKNOWN, DeliveryState.UNDELIVERABLE)
NOT_ARRIVED = (Shown.UNKNOWN, Shown.UNDELIVERABLE)
"""What a card then shows."""

# A chat's messages go one at a time and in order: only the first one waiting may go, and none
# while another is being sent. Action cards come first, their album is already there.
_HEADS = """
WITH heads AS (
    SELECT * FROM (
        SELECT DISTINCT ON (chat_id) id, chat_id, not_before
        FROM deliveries WHERE state = 'pending'
        ORDER BY chat_id, kind <> 'actions', id
    ) AS first
    WHERE NOT EXISTS (
        SELECT FROM deliveries s WHERE s.chat_id = first.chat_id AND s.state = 'sending'
    )
)
"""
_CLAIM = text(f"""{_HEADS}, next AS (
    SELECT d.id
    FROM heads h JOIN deliveries d ON d.id = h.id AND d.state = 'pending'
    WHERE h.not_before IS NULL OR h.not_before <= statement_timestamp()
    ORDER BY h.id
    LIMIT 1
    FOR NO KEY UPDATE OF d
)
UPDATE deliveries d
SET state = 'sending', attempt = d.attempt + 1, not_before = NULL,
    lease_token = gen_random_uuid(),
    lease_until = statement_timestamp() + make_interval(secs => :lease_s)
FROM next, ml_tasks t
WHERE d.id = next.id AND t.id = d.task_id
RETURNING d.id, d.lease_token, d.task_id, t.account_id, d.kind, d.origin, d.chat_id, d.thread_id,
    d.attempt, (
        SELECT a.message_ids[1] FROM deliveries a
        WHERE d.kind <> 'album' AND a.task_id = d.task_id AND a.kind = 'album' AND a.state = 'sent'
            AND a.chat_id = d.chat_id AND a.thread_id IS NOT DISTINCT FROM d.thread_id
        ORDER BY a.id DESC LIMIT 1
    ) AS reply_to
""")
# By the terms of the month that the task was paid from, as the choice itself.
_ORDER_BEST = text("""
INSERT INTO deliveries (task_id, kind, origin, chat_id, thread_id)
SELECT h.task_id, 'originals', :origin, :chat_id, :thread_id
FROM holds h JOIN periods m ON m.id = h.period_id
WHERE h.task_id = :task_id AND m.auto_best
ON CONFLICT DO NOTHING
""")
_REMEMBER_FILES = text("""
UPDATE predictions p
SET photo_file_id = coalesce(f.photo, p.photo_file_id),
    document_file_id = coalesce(f.document, p.document_file_id)
FROM unnest(CAST(:ids AS bigint[]), CAST(:photos AS text[]), CAST(:documents AS text[]))
    AS f (id, photo, document)
WHERE p.id = f.id AND p.task_id = :task_id
""")
_NEXT_DUE = text(f"""{_HEADS}
SELECT min(greatest(0, extract(epoch FROM coalesce(not_before, now()) - now())))::float8
FROM heads
""")


async def claim(session: AsyncSession, *, lease_s: float = 120) -> DeliveryClaim | None:
    """The oldest delivery that may go now. Commit before sending: a crash must leave `sending`."""
    # One look at what is being sent at a time: without it, the unique index on `sending` would
    # turn a rare second look into an error.
    await locks.alone(session, locks.CLAIMING_DELIVERIES)
    row = (await session.execute(_CLAIM, {"lease_s": lease_s})).one_or_none()
    if row is None:
        return None
    return DeliveryClaim(
        id=row.id,
        token=row.lease_token,
        task_id=row.task_id,
        account_id=row.account_id,
        kind=DeliveryKind(row.kind),
        origin=row.origin,
        chat_id=row.chat_id,
        thread_id=row.thread_id,
        reply_to=row.reply_to,
        attempt=row.attempt,
    )


async def sent(
    session: AsyncSession,
    delivery_id: int,
    token: UUID,
    message_ids: Sequence[int],
    photo_file_ids: Mapping[int, str] | None = None,
    document_file_ids: Mapping[int, str] | None = None,
) -> bool:
    """Notes the messages, and Telegram's file ids by prediction id; orders an album's action card.

    False: the delivery was no longer ours, and nothing was written.
    """
    row = (
        await session.execute(
            update(Delivery)
            .where(*held(Delivery, delivery_id, token))
            .values(
                state=DeliveryState.SENT,
                sent_at=func.now(),
                message_ids=list(message_ids),
                reason=None,
                **RELEASED,
            )
            .returning(
                Delivery.task_id,
                Delivery.kind,
                Delivery.origin,
                Delivery.chat_id,
                Delivery.thread_id,
            )
            .execution_options(synchronize_session=False)
        )
    ).one_or_none()
    if row is None:
        return False
    await _remember_files(session, row.task_id, photo_file_ids or {}, document_file_ids or {})
    await _order_next(session, row.task_id, row.kind, row.origin, row.chat_id, row.thread_id)
    return True


async def retry(
    session: AsyncSession,
    delivery_id: int,
    token: UUID,
    *,
    not_before_s: float,
    reason: str,
    drop_thread: bool = False,
) -> bool:
    """Back to pending for `not_before_s`: Telegram has certainly not taken it.

    `drop_thread`: without the topic next time, it is closed. False: no longer ours.
    """
    thread = {"thread_id": None} if drop_thread else {}
    moved_id = await session.scalar(
        update(Delivery)
        .where(*held(Delivery, delivery_id, token))
        .values(
            state=DeliveryState.PENDING,
            not_before=func.now() + seconds(not_before_s),
            reason=reason,
            **thread,
            **RELEASED,
        )
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return moved_id is not None


async def unknown(session: AsyncSession, delivery_id: int, token: UUID, reason: str) -> bool:
    """It may have arrived, in whole or in part. False: no longer ours."""
    ours = held(Delivery, delivery_id, token)
    return bool(await _end_badly(session, ours, DeliveryState.UNKNOWN, reason))


async def undeliverable(session: AsyncSession, delivery_id: int, token: UUID, reason: str) -> bool:
    """Telegram refused it and will again. False: no longer ours."""
    ours = held(Delivery, delivery_id, token)
    return bool(await _end_badly(session, ours, DeliveryState.UNDELIVERABLE, reason))


async def sweep_leases(session: AsyncSession) -> int:
    """Deliveries whose sender died become unknown; returns how many."""
    return await _end_badly(
        session,
        (Delivery.state == DeliveryState.SENDING, Delivery.lease_until < func.now()),
        DeliveryState.UNKNOWN,
        SENDER_DIED,
    )


async def next_due_s(session: AsyncSession) -> float | None:
    """Seconds until `claim` will find something that only waits for its time, 0 for now.

    None: nothing is pending, or only behind what is being sent, whose end is the next moment.
    """
    due_s: float | None = await session.scalar(_NEXT_DUE)
    return due_s


async def request(
    session: AsyncSession,
    account_id: int,
    task_id: int,
    kind: DeliveryKind,
    origin: str,
    *,
    chat_id: int | None = None,
    thread_id: int | None = None,
) -> Requested:
    """Orders something of a finished task to be sent.

    The same origin again orders nothing, unless all that it ordered has ended badly. It goes
    where the task was asked for, unless `chat_id` (then with `thread_id`) names another place.
    Raises NotFound, also for a deleted album, Stale when the task has no album.
    """
    task = await _done_task(session, account_id, task_id)
    of_origin = (
        Delivery.task_id == task_id,
        Delivery.kind == kind,
        or_(Delivery.origin == origin, Delivery.origin.startswith(f"{origin}:", autoescape=True)),
    )
    before = await session.scalars(select(Delivery.state).where(*of_origin))
    failures = sum(state in ENDED_BADLY for state in before)
    made_id = await session.scalar(
        insert(Delivery)
        .values(
            task_id=task_id,
            kind=kind,
            origin=f"{origin}:{failures}" if failures else origin,
            chat_id=task.chat_id if chat_id is None else chat_id,
            thread_id=task.thread_id if chat_id is None else thread_id,
        )
        .on_conflict_do_nothing()
        .returning(Delivery.id)
    )
    if made_id is not None and kind in SHOWING:
        await session.execute(
            update(Task)
            .where(Task.id == task_id, Task.status_shown.in_(NOT_ARRIVED))
            .values(status_shown=None)
            .execution_options(synchronize_session=False)
        )
    newest = await session.scalar(
        select(Delivery.state).where(*of_origin).order_by(Delivery.id.desc()).limit(1)
    )
    assert newest is not None
    return Requested(created=made_id is not None, state=newest)


async def resend_unknown(
    session: AsyncSession, account_id: int, task_id: int, origin: str
) -> Requested:
    """ "Show again": sends what is missing, the album or only its action card.

    Orders nothing while the newest attempt is on its way, or once it has arrived. Raises
    NotFound, Stale when the task has no album.
    """
    await _done_task(session, account_id, task_id)
    newest = (
        await session.execute(
            select(Delivery.kind, Delivery.state)
            .where(Delivery.task_id == task_id, Delivery.kind.in_(SHOWING))
            .order_by(Delivery.id.desc())
            .limit(1)
        )
    ).one()
    if newest.state not in ENDED_BADLY:
        return Requested(created=False, state=newest.state)
    return await request(session, account_id, task_id, newest.kind, origin)


async def forget_file_ids(session: AsyncSession, task_id: int) -> None:
    """Telegram refused one: the next delivery uploads the files again."""
    await session.execute(
        update(Prediction)
        .where(Prediction.task_id == task_id)
        .values(photo_file_id=None, document_file_id=None)
        .execution_options(synchronize_session=False)
    )


async def _end_badly(
    session: AsyncSession,
    which: Sequence[ColumnElement[bool]],
    state: DeliveryState,
    reason: str,
) -> int:
    """Returns how many. Where the card is done with, a new one will offer to show the album."""
    ended = (
        await session.execute(
            update(Delivery)
            .where(*which)
            .values(state=state, reason=reason, **RELEASED)
            .returning(Delivery.task_id, Delivery.kind)
            .execution_options(synchronize_session=False)
        )
    ).all()
    missed = [row.task_id for row in ended if row.kind in SHOWING]
    if missed:
        await session.execute(
            update(Task)
            .where(Task.id.in_(missed), Task.status_shown == Shown.DONE)
            .values(status_message_id=None, status_shown=None)
            .execution_options(synchronize_session=False)
        )
    return len(ended)


async def _order_next(
    session: AsyncSession,
    task_id: int,
    kind: DeliveryKind,
    origin: str,
    chat_id: int,
    thread_id: int | None,
) -> None:
    """What follows an album by itself, each once the one before it is there."""
    if kind is DeliveryKind.ALBUM:
        await session.execute(
            insert(Delivery)
            .values(
                task_id=task_id,
                kind=DeliveryKind.ACTIONS,
                origin=origin,
                chat_id=chat_id,
                thread_id=thread_id,
            )
            .on_conflict_do_nothing()
        )
    elif kind is DeliveryKind.ACTIONS:
        # However it came to be there: the first time, or shown again after a doubt.
        where = {"chat_id": chat_id, "thread_id": thread_id}
        await session.execute(_ORDER_BEST, {"task_id": task_id, "origin": BEST, **where})


async def _remember_files(
    session: AsyncSession, task_id: int, photos: Mapping[int, str], documents: Mapping[int, str]
) -> None:
    ids = sorted(photos.keys() | documents.keys())
    if ids:
        await session.execute(
            _REMEMBER_FILES,
            {
                "task_id": task_id,
                "ids": ids,
                "photos": [photos.get(id_) for id_ in ids],
                "documents": [documents.get(id_) for id_ in ids],
            },
        )


async def _done_task(session: AsyncSession, account_id: int, task_id: int) -> Task:
    task = await session.scalar(
        select(Task)
        .where(Task.id == task_id, Task.account_id == account_id, Task.hidden_at.is_(None))
        .execution_options(populate_existing=True)
    )
    if task is None:
        raise NotFound("task", task_id)
    if task.state is not TaskState.DONE:
        raise Stale("album")
    return task
