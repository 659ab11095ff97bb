"""Reading what tasks have made: an album, the choice among its pictures, the history."""

from __future__ import annotations

from typing import cast

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import NotFound, Stale
from db.models import Account, Approval, Prediction, Task, Vote
from db.states import Shown, TaskState
from db.statuses import wanted
from db.views import (
    AlbumView,
    Brief,
    HistoryItem,
    HistoryPage,
    Locale,
    PredictionView,
    PromptRecord,
    TaskView,
    TeamSay,
)


async def task(session: AsyncSession, account_id: int, task_id: int) -> TaskView:
    """Where a task stands. Raises NotFound."""
    found = (
        await session.execute(
            select(Task, wanted())
            .where(Task.id == task_id, Task.account_id == account_id)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if found is None:
        raise NotFound("task", task_id)
    row, shown = found
    return TaskView(
        id=row.id,
        user_id=row.user_id,
        locale=cast(Locale, row.locale),
        cleaned_prompt=cast(Brief, row.brief)["cleaned_prompt"],
        state=row.state,
        wanted=Shown(shown),
        error_code=row.error_code,
        status_message_id=row.status_message_id,
    )


async def album(session: AsyncSession, account_id: int, task_id: int) -> AlbumView:
    """A finished task's pictures. Raises NotFound, Stale when there is none (yet)."""
    found = (
        await session.execute(
            select(Task, Account.chat_id)
            .join(Account, Account.id == Task.account_id)
            .where(Task.id == task_id, Task.account_id == account_id)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if found is None:
        raise NotFound("task", task_id)
    row, group_id = found
    if row.state is not TaskState.DONE:
        raise Stale("album")
    pictures = await session.scalars(
        select(Prediction)
        .where(Prediction.task_id == task_id)
        .order_by(Prediction.rank)
        .execution_options(populate_existing=True)
    )
    team = None if group_id is None else await _say(session, task_id)
    return _album(row, tuple(_picture(picture) for picture in pictures), team)


async def choose(session: AsyncSession, account_id: int, task_id: int, rank: int) -> AlbumView:
    """Notes the picture that the person took. Raises NotFound, for the picture too."""
    chosen_id = await session.scalar(
        update(Task)
        .where(
            Task.id == task_id,
            Task.account_id == account_id,
            Task.hidden_at.is_(None),
            Prediction.task_id == Task.id,
            Prediction.rank == rank,
        )
        .values(chosen_prediction_id=Prediction.id)
        .returning(Task.id)
        .execution_options(synchronize_session=False)
    )
    if chosen_id is None:
        raise NotFound("picture", task_id)
    return await album(session, account_id, task_id)


async def history(
    session: AsyncSession, account_id: int, *, before_id: int | None = None, limit: int = 5
) -> HistoryPage:
    """An account's albums, newest first; `before_id` continues from an earlier page."""
    query = (
        select(Task)
        .where(
            Task.account_id == account_id,
            Task.state == TaskState.DONE,
            Task.hidden_at.is_(None),
        )
        .order_by(Task.id.desc())
        .limit(limit + 1)
        .execution_options(populate_existing=True)
    )
    if before_id is not None:
        query = query.where(Task.id < before_id)
    items = [_item(row) for row in await session.scalars(query)]
    more = len(items) > limit
    return HistoryPage(
        items=tuple(items[:limit]), next_before_id=items[limit - 1].task_id if more else None
    )


async def hide(session: AsyncSession, account_id: int, task_id: int) -> None:
    """Takes an album out of the history; hiding it again changes nothing. Raises NotFound."""
    hidden_id = await session.scalar(
        update(Task)
        .where(Task.id == task_id, Task.account_id == account_id, Task.state == TaskState.DONE)
        .values(hidden_at=func.coalesce(Task.hidden_at, func.now()))
        .returning(Task.id)
        .execution_options(synchronize_session=False)
    )
    if hidden_id is None:
        raise NotFound("album", task_id)


async def _say(session: AsyncSession, task_id: int) -> TeamSay:
    votes = await session.execute(
        select(Vote.rank, func.count()).where(Vote.task_id == task_id).group_by(Vote.rank)
    )
    approval = await session.scalar(
        select(Approval.state)
        .where(Approval.task_id == task_id)
        .order_by(Approval.id.desc())
        .limit(1)
    )
    return TeamSay(votes=dict(votes.all()), approval=approval)


def _item(row: Task) -> HistoryItem:
    brief = cast(Brief, row.brief)
    assert row.finished_at is not None
    return HistoryItem(
        task_id=row.id,
        cleaned_prompt=brief["cleaned_prompt"],
        count=brief["count"],
        finished_at=row.finished_at,
        origin=row.origin,
    )


def _album(row: Task, images: tuple[PredictionView, ...], team: TeamSay | None) -> AlbumView:
    # The table's CHECKs promise these of a task that is done.
    assert row.prompt is not None
    assert row.judge is not None
    assert row.generator is not None
    assert row.timings_ms is not None
    assert row.finished_at is not None
    brief = cast(Brief, row.brief)
    chosen = [image.rank for image in images if image.id == row.chosen_prediction_id]
    return AlbumView(
        task_id=row.id,
        request_id=row.request_id,
        user_id=row.user_id,
        locale=cast(Locale, row.locale),
        cleaned_prompt=brief["cleaned_prompt"],
        brief=brief,
        prompt=_prompt(row.prompt),
        images=images,
        chosen_rank=chosen[0] if chosen else None,
        judge=row.judge,
        generator=row.generator,
        timings_ms=row.timings_ms,
        finished_at=row.finished_at,
        team=team,
        origin=row.origin,
    )


def _prompt(stored: dict[str, object]) -> PromptRecord:
    return PromptRecord(
        render=cast(str, stored["render"]),
        negative=cast(str, stored["negative"]),
        intent=cast(str, stored["intent"]),
        backend=cast(str, stored["backend"]),
        unknown=tuple(cast("list[str]", stored["unknown"])),
        fallback=cast("str | None", stored.get("fallback")),
    )


def _picture(row: Prediction) -> PredictionView:
    return PredictionView(
        id=row.id,
        rank=row.rank,
        seed=row.seed,
        storage_key=row.storage_key,
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        size_bytes=row.size_bytes,
        clip_raw=row.clip_raw,
        clip_n=row.clip_n,
        aes_raw=row.aes_raw,
        aes_n=row.aes_n,
        final_score=row.final_score,
        gen_meta=row.gen_meta,
        photo_file_id=row.photo_file_id,
        document_file_id=row.document_file_id,
    )
