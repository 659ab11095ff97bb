"""When a post goes out: now, at a time, not at all; and what became of it."""

from __future__ import annotations

from datetime import datetime

from aiogram import Bot, F, Router
from aiogram.types import CallbackQuery
from arq import ArqRedis

from bot import channel_views
from bot.callbacks import PostTap
from bot.channel_keyboards import quick_times
from bot.clock import Clock
from bot.intake import Sessions
from bot.postcards import (
    noted,
    parsed,
    publishable,
    redraw,
    settleable,
    show_card,
    steered,
    today_of,
)
from bot.taps import edit
from bot.texts import N_
from bot.views import Card
from bot.who import Who
from db import posts, zones
from db.audit import Deed
from db.errors import Stale
from db.queue import wake_io
from db.rights import Action
from db.states import POST_WAITS, PostState
from db.team_views import PostView

router = Router(name="publishing")


# --- when ---


@router.callback_query(PostTap.filter(F.do.in_({"times", "month", "day", "hour"})))
async def choose_time(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    """Quick choices, or day, hour and minute one after another. Raises Stale for no such time."""
    async with sessions.begin() as session:
        post = await steered(session, who, callback_data.post_id)
    if post.state in POST_WAITS:
        card = _time_card(who, post, callback_data, today_of(post, clock))
    else:
        card = channel_views.post_card(who.locale, post, now=clock())
    await query.answer()
    await edit(bot, query, card)


def _time_card(who: Who, post: PostView, tap: PostTap, today: datetime) -> Card:
    if tap.do == "times":
        return channel_views.times(who.tr, post, today)
    if tap.do == "month":
        month = parsed(tap.value, "%Y%m")
        return channel_views.month(who.tr, post, month.year, month.month, today)
    if tap.do == "day":
        return channel_views.hours(who.tr, post, parsed(tap.value, "%Y%m%d").date(), today)
    hour = parsed(tap.value, "%Y%m%d%H")
    return channel_views.minutes(who.tr, post, hour.date(), hour.hour, today)


@router.callback_query(PostTap.filter(F.do.in_({"at", "quick"})))
async def schedule(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
) -> None:
    """At the time of the button. One that is past, or whose “tomorrow” is over, is not taken: the
    card then offers what is still to come."""
    try:
        async with sessions.begin() as session:
            post = await publishable(session, who, callback_data.post_id)
            at = _chosen(callback_data, today_of(post, clock))
            moment = zones.moment(at.date(), at.time(), post.time_zone)
            post = await posts.schedule(session, who.account_id, post.id, moment, now=clock())
            await noted(session, who, post, Deed.POST_AT)
    except Stale as error:
        if error.what in ("day", "time"):
            await edit(bot, query, channel_views.times(who.tr, post, today_of(post, clock)))
        raise
    await wake_io(pool)
    await query.answer(who.tr.plain("Scheduled"))
    await show_card(bot, query, who, sessions, post, clock)


def _chosen(tap: PostTap, today: datetime) -> datetime:
    """Raises Stale("time") for what no button says, Stale("day") for yesterday's “tomorrow”."""
    at = parsed(tap.value, "%Y%m%d%H%M")
    if tap.do == "quick" and at not in dict(quick_times(today)):
        raise Stale("day")
    return at


@router.callback_query(PostTap.filter(F.do == "now"))
async def publish(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
) -> None:
    async with sessions.begin() as session:
        post = await publishable(session, who, callback_data.post_id)
        post, changed = await posts.publish_now(session, who.account_id, post.id, now=clock())
        if changed:
            await noted(session, who, post, Deed.POST_NOW)
    if not changed:
        await query.answer(who.tr.plain("It is on its way already"))
        await redraw(bot, query, who, post, clock)
        return
    await query.answer(who.tr.plain("Publishing"))
    # Before the worker hears of it: its card must not be overtaken by this one.
    await show_card(bot, query, who, sessions, post, clock)
    await wake_io(pool)


# --- afterwards ---


@router.callback_query(PostTap.filter(F.do.in_({"show", "cancel"})))
async def show(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    """The post as it stands, or the question before it is called off."""
    who.may(Action.LOOK if callback_data.do == "show" else Action.PUBLISH)
    async with sessions.begin() as session:
        post = await posts.get(session, who.account_id, callback_data.post_id)
    await query.answer()
    if callback_data.do == "cancel":
        await edit(bot, query, channel_views.sure_to_cancel(who.tr, post))
    else:
        await show_card(bot, query, who, sessions, post, clock)


@router.callback_query(PostTap.filter(F.do == "sure"))
async def cancel(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    async with sessions.begin() as session:
        before = await steered(session, who, callback_data.post_id)
        post = await posts.cancel(session, who.account_id, before.id)
        if before.state is not PostState.CANCELLED:
            await noted(session, who, post, Deed.POST_CANCELLED)
    await query.answer(who.tr.plain("Called off"))
    await redraw(bot, query, who, post, clock)


_SETTLED: dict[PostState, tuple[Deed, str]] = {
    PostState.SENT: (Deed.POST_ARRIVED, N_("Saved")),
    PostState.SCHEDULED: (Deed.POST_AGAIN, N_("Publishing")),
    PostState.CANCELLED: (
        Deed.POST_CANCELLED,
        N_("The channel is disconnected, so nothing can be sent there: the post is called off."),
    ),
}


@router.callback_query(PostTap.filter(F.do.in_({"arrived", "again"})))
async def settle(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
) -> None:
    """A person has looked at the channel: it is there, or it must be sent once more."""
    value = callback_data.value
    attempt = int(value) if value.isdecimal() and len(value) < 9 else -1
    change = posts.arrived if callback_data.do == "arrived" else posts.resend
    async with sessions.begin() as session:
        post = await settleable(session, who, callback_data.post_id)
        post, changed = await change(session, who.account_id, post.id, attempt, now=clock())
        words = N_("That has been settled already")
        if changed:
            deed, words = _SETTLED[post.state]
            await noted(session, who, post, deed)
    await query.answer(who.tr.plain(words))
    await show_card(bot, query, who, sessions, post, clock)
    await wake_io(pool)


@router.callback_query(PostTap.filter(F.do == "nothing"))
async def nothing(query: CallbackQuery) -> None:
    """A weekday's name, or a day that is past."""
    await query.answer()
