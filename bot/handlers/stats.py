"""/stats: what people made of the posts, by brand, format and hour, and the best posts."""

from __future__ import annotations

from datetime import datetime, timedelta

from aiogram import Bot, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from bot import stats_views
from bot.callbacks import StatsTap
from bot.clock import Clock
from bot.intake import Sessions
from bot.stats_views import Page
from bot.taps import edit
from bot.views import Card
from bot.who import Who
from db import channels, stats
from db.rights import Action

router = Router(name="stats")


@router.message(Command("stats"))
async def show(
    message: Message, who: Who, state: FSMContext, sessions: Sessions, clock: Clock
) -> None:
    await state.clear()
    card = await _card(sessions, who, StatsTap(), clock())
    await message.answer(card.text, reply_markup=card.keyboard)


@router.callback_query(StatsTap.filter())
async def turn(
    query: CallbackQuery,
    callback_data: StatsTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    card = await _card(sessions, who, callback_data, clock())
    await query.answer()
    await edit(bot, query, card)


async def _card(sessions: Sessions, who: Who, tap: StatsTap, now: datetime) -> Card:
    """Raises NotAllowed, NotFound for a channel that is not the account's."""
    who.may(Action.LOOK)
    since = now - timedelta(days=tap.days) if tap.days else None
    scope = stats.Scope(who.account_id, tap.channel_id or None, since)
    async with sessions.begin() as session:
        zone = (await channels.rules(session, who.account_id)).time_zone
        listed = await channels.list_(session, who.account_id)
        channel = None
        if tap.channel_id:
            channel = await channels.get(session, who.account_id, tap.channel_id)
        page = Page(tap, listed, channel, zone)
        if tap.do == "channels":
            return stats_views.which_channel(who.tr, page)
        if tap.by == "brand":
            return stats_views.brands(who.tr, page, await stats.by_brand(session, scope))
        if tap.by == "format":
            return stats_views.sizes(who.tr, page, await stats.by_size(session, scope))
        if tap.by == "hour":
            return stats_views.hours(who.tr, page, await stats.by_hour(session, scope))
        return stats_views.best(who.tr, page, *await stats.best(session, scope))
