"""Status cards: the message that shows where a task stands, from the queue to its album.

`wanted` is what a card should show, from the task and from the delivery of its album:

queued, running, failed, cancelled   as the task
done + action card sent              done
done + something on its way          running
done + it may not, or did not arrive unknown, undeliverable

Of several deliveries of one album the newest counts.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import ColumnElement, String, case, func, literal, or_, select, text, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncSession

from db import tasks
from db.deliveries import ENDED_BADLY, SHOWING
from db.models import Delivery, Request, Task
from db.models.generations import CARD_NOT_SETTLED
from db.states import DeliveryState, Shown, TaskState
from db.views import Locale, QueuePlace, TaskStatus

_CARDS_OF_A_CHAT = 3


def wanted() -> ColumnElement[str]:
    """What the card of a row of `ml_tasks` should show; a value of `Shown`."""
    delivered = (
        select(
            case(
                (Delivery.state.in_(ENDED_BADLY), sql_cast(Delivery.state, String)),
                (Delivery.state == DeliveryState.SENT, Shown.DONE.value),
                else_=Shown.RUNNING.value,
            )
        )
        .where(Delivery.task_id == Task.id, Delivery.kind.in_(SHOWING))
        .order_by(Delivery.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return case(
        (Task.state != TaskState.DONE, sql_cast(Task.state, String)),
        else_=func.coalesce(delivered, Shown.DONE.value),
    )


async def status_work(session: AsyncSession, limit: int) -> tuple[TaskStatus, ...]:
    """Cards to draw: first those that show the wrong thing, then those of tasks in progress.

    A few of each chat, whose pace allows no more, so that a long backlog hides nobody's card.
    """
    wrong = Task.status_shown.is_(None) | (sql_cast(Task.status_shown, String) != wanted())
    active = wanted().in_([Shown.QUEUED.value, Shown.RUNNING.value])
    rank = case((wrong, 0), else_=1)
    # Chosen first and joined then, so that a long queue is not read in full width.
    in_chat = func.row_number().over(partition_by=Task.chat_id, order_by=(rank, Task.id))
    due = (
        select(
            Task.id, wanted().label("wanted"), rank.label("rank"), in_chat.label("place_in_chat")
        )
        .where(text(f"({CARD_NOT_SETTLED})"), or_(wrong, active))
        .subquery()
    )
    chosen = (
        select(due)
        .where(due.c.place_in_chat <= _CARDS_OF_A_CHAT)
        .order_by(due.c.rank, due.c.id)
        .limit(limit)
        .subquery()
    )
    age_s = func.extract("epoch", func.now() - Task.queued_at)
    found = (
        await session.execute(
            select(Task, Request, chosen.c.wanted, age_s)
            .join(chosen, chosen.c.id == Task.id)
            .join(Request, Request.id == Task.request_id)
            .order_by(chosen.c.rank, Task.id)
            .execution_options(populate_existing=True)
        )
    ).all()
    queued = [task.id for task, *_ in found if task.state is TaskState.QUEUED]
    places = await tasks.queue_places(session, queued) if queued else {}
    return tuple(
        _view(task, request, Shown(shown), float(age), places.get(task.id))
        for task, request, shown, age in found
    )


async def set_status_message(
    session: AsyncSession, task_id: int, message_id: int, shown: Shown
) -> None:
    """Remembers a card and what it shows; see `mark_status_shown`."""
    await session.execute(
        update(Task)
        .where(Task.id == task_id)
        .values(status_message_id=message_id, status_shown=_unless_it_moved_on(shown))
        .execution_options(synchronize_session=False)
    )


async def mark_status_shown(
    session: AsyncSession, task_id: int, shown: Shown, *, lost: bool = False
) -> None:
    """Notes what the card shows now; `lost`: what it would, were its chat not closed to the bot.

    Where it should show something else by now, it is drawn again.
    """
    await session.execute(
        update(Task)
        .where(Task.id == task_id)
        .values(status_shown=_unless_it_moved_on(shown), status_lost=lost)
        .execution_options(synchronize_session=False)
    )


async def draw_lost(session: AsyncSession, chat_id: int) -> None:
    """The bot may write in this chat again: its cards that were lost are drawn."""
    await session.execute(
        update(Task)
        .where(Task.chat_id == chat_id, Task.status_lost)
        .values(status_shown=None, status_lost=False)
        .execution_options(synchronize_session=False)
    )


def _unless_it_moved_on(shown: Shown) -> ColumnElement[Shown | None]:
    """Null for a card that is out of date: a settled value would hide it from `status_work`."""
    return case((wanted() == shown.value, literal(shown, Task.status_shown.type)))


def _view(
    task: Task, request: Request, shown: Shown, age_s: float, place: QueuePlace | None
) -> TaskStatus:
    return TaskStatus(
        task_id=task.id,
        request_id=task.request_id,
        chat_id=task.chat_id,
        thread_id=task.thread_id,
        locale=cast(Locale, task.locale),
        status_message_id=task.status_message_id,
        shown=task.status_shown,
        wanted=shown,
        state=task.state,
        place=place,
        error_code=task.error_code,
        cleaned_prompt=request.cleaned_prompt,
        age_s=age_s,
    )
