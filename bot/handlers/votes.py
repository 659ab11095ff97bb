"""Votes under a team's album."""

from __future__ import annotations

from aiogram import Bot, Router
from aiogram.types import CallbackQuery

from bot import album_views, rounds
from bot.callbacks import VoteTap
from bot.intake import Sessions
from bot.taps import edit
from bot.who import Who
from db import albums, approvals, votes
from db.rights import Action
from db.states import ApprovalState
from db.views import AlbumView

router = Router(name="votes")

_MOST_EDITS = 3


@router.callback_query(VoteTap.filter())
async def vote(
    query: CallbackQuery, callback_data: VoteTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    """A tap on one's own choice takes it back, so a tap handled once more must not count twice."""
    who.may(Action.VOTE)
    task_id, rank = callback_data.task_id, callback_data.rank
    async with sessions.begin() as session:
        has_vote = await votes.cast(session, who.account_id, task_id, who.user_id, rank, query.id)
        album = await albums.album(session, who.account_id, task_id)
    if has_vote:
        await query.answer(who.tr.plain("Your vote: №{rank}", rank=rank))
    else:
        await query.answer(who.tr.plain("Your vote for №{rank} is taken back", rank=rank))
    await show(query, who, bot, sessions, album)
    if album.team is not None and album.team.approval is ApprovalState.OPEN:
        async with sessions.begin() as session:
            round_ = await approvals.of_task(session, who.account_id, task_id)
        await rounds.redraw(bot, sessions, round_)


async def show(
    query: CallbackQuery, who: Who, bot: Bot, sessions: Sessions, album: AlbumView
) -> None:
    """Brings the action card up to date, and looks again: edits of taps at one moment may arrive
    in any order, and the last word must be that of the database."""
    for _ in range(_MOST_EDITS):
        shown = album
        await edit(bot, query, album_views.actions(shown))
        async with sessions.begin() as session:
            album = await albums.album(session, who.account_id, shown.task_id)
        if album.team == shown.team and album.chosen_rank == shown.chosen_rank:
            return
