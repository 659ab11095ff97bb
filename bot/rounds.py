"""The card of a round of approval: sent once, and kept true to what the database says."""

from __future__ import annotations

from contextlib import suppress

from aiogram import Bot

from bot import album_views, team_views
from bot.delivery import edit_card, send_own_card
from bot.errors import MessageGone
from bot.intake import Sessions
from db import albums, approvals
from db.states import ApprovalState
from db.team_views import ApprovalView


async def send(bot: Bot, sessions: Sessions, round_: ApprovalView) -> None:
    """A new card, under the album."""
    card = team_views.approval(round_)
    message_id = await send_own_card(
        bot, card, round_.chat_id, round_.thread_id, round_.album_message_id
    )
    async with sessions.begin() as session:
        await approvals.set_card(session, round_.id, message_id)


async def send_left_behind(bot: Bot, sessions: Sessions, chat_id: int) -> None:
    """New cards for the open rounds of a group that has become this supergroup."""
    async with sessions.begin() as session:
        waiting = await approvals.cardless(session, chat_id)
    for round_ in waiting:
        await send(bot, sessions, round_)


async def decided(bot: Bot, sessions: Sessions, round_: ApprovalView) -> None:
    """The round's card, and the album's, which says how it stands, where it is still there."""
    await redraw(bot, sessions, round_)
    if round_.state is ApprovalState.OPEN or round_.actions_message_id is None:
        return
    async with sessions.begin() as session:
        album = await albums.album(session, round_.account_id, round_.task_id)
    card = album_views.actions(album)
    with suppress(MessageGone):
        await edit_card(bot, card, round_.chat_id, round_.actions_message_id)


async def redraw(bot: Bot, sessions: Sessions, round_: ApprovalView) -> None:
    """Brings the card up to date, and looks again: two may have said yes at one moment."""
    while True:
        if round_.card_message_id is None:
            await send(bot, sessions, round_)
            return
        card = team_views.approval(round_)
        try:
            await edit_card(bot, card, round_.chat_id, round_.card_message_id)
        except MessageGone:
            await send(bot, sessions, round_)
            return
        async with sessions.begin() as session:
            now_is = await approvals.get(session, round_.account_id, round_.id)
        if now_is == round_:
            return
        round_ = now_is
