"""/plan_posts: the content plan week by week, and what people think of the posts."""

from __future__ import annotations

from collections import Counter
from datetime import date, time, timedelta

from aiogram import Bot, F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import (
    CallbackQuery,
    Message,
    MessageReactionCountUpdated,
    ReactionTypeCustomEmoji,
    ReactionTypeEmoji,
)

from bot import channel_views, keyboards
from bot.callbacks import WeekTap
from bot.clock import Clock
from bot.intake import Sessions
from bot.postcards import parsed
from bot.taps import edit
from bot.views import Card
from bot.who import Who
from db import channels, posts, publishing, zones
from db.errors import Stale
from db.rights import Action

router = Router(name="content_plan")

_CUSTOM = "✨"
"""Stands for every emoji of a channel's own: bots can't show those in a text."""


@router.message(Command("plan_posts"))
@router.message(F.text.in_(keyboards.menu_labels("posts")))
async def plan(
    message: Message, who: Who, state: FSMContext, sessions: Sessions, clock: Clock
) -> None:
    await state.clear()
    card = await _week(sessions, who, WeekTap(), clock)
    await message.answer(card.text, reply_markup=card.keyboard)


@router.callback_query(WeekTap.filter())
async def turn_to_week(
    query: CallbackQuery,
    callback_data: WeekTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    card = await _week(sessions, who, callback_data, clock)
    await query.answer()
    await edit(bot, query, card)


async def _week(sessions: Sessions, who: Who, tap: WeekTap, clock: Clock) -> Card:
    who.may(Action.LOOK)
    async with sessions.begin() as session:
        zone = (await channels.rules(session, who.account_id)).time_zone
        today = zones.local(clock(), zone).date()
        day = parsed(tap.monday, "%Y%m%d").date() if tap.monday else today
        monday = _near(day, today) - timedelta(days=day.weekday())
        found, total = await posts.between(
            session,
            who.account_id,
            zones.moment(monday, time(), zone),
            zones.moment(monday + timedelta(days=7), time(), zone),
            offset=tap.offset,
        )
    return channel_views.week(who.tr, found, monday, tap.offset, total, zone)


def _near(day: date, today: date) -> date:
    """Raises Stale for a day that no plan reaches."""
    if abs((day - today).days) > 2 * posts.FURTHEST.days:
        raise Stale("time")
    return day


@router.message_reaction_count()
async def count_reactions(event: MessageReactionCountUpdated, sessions: Sessions) -> None:
    """How people like a post: Telegram tells the whole count of a message each time.

    Paid ones are left out: of those it counts the stars, not the people.
    """
    counts: Counter[str] = Counter()
    for reaction in event.reactions:
        if isinstance(reaction.type, ReactionTypeEmoji):
            counts[reaction.type.emoji] += reaction.total_count
        elif isinstance(reaction.type, ReactionTypeCustomEmoji):
            counts[_CUSTOM] += reaction.total_count
    async with sessions.begin() as session:
        await publishing.count_reactions(session, event.chat.id, event.message_id, counts)
