"""A post's caption: the switches of its parts, and one that is proposed."""

from __future__ import annotations

import html

from aiogram import Bot, F, Router
from aiogram.types import CallbackQuery
from arq import ArqRedis

from bot import caption_views
from bot.callbacks import PostTap
from bot.clock import Clock
from bot.intake import Sessions
from bot.postcards import noted, redraw, steered
from bot.taps import edit
from bot.who import Who, card_of
from db import posts, suggestions
from db.audit import Deed
from db.queue import wake_io
from db.rights import Action
from db.states import Part, SuggestionState

router = Router(name="captions")

_NUMBER = r"^\d{0,9}$"
_SWITCHES = {f"{part}{int(on)}": (part, on) for part in Part for on in (True, False)}


@router.callback_query(PostTap.filter((F.do == "part") & F.value.in_(set(_SWITCHES))))
async def switch(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
) -> None:
    """To what the button says, so that a tap handled twice changes nothing; a published post
    follows."""
    part, on = _SWITCHES[callback_data.value]
    async with sessions.begin() as session:
        post = await steered(session, who, callback_data.post_id)
        post = await posts.switch(session, who.account_id, post.id, part, on=on)
        await noted(session, who, post, Deed.POST_EDITED)
    await wake_io(pool)
    await query.answer()
    await redraw(bot, query, who, post, clock)


# --- a proposed one ---


@router.callback_query(PostTap.filter((F.do == "suggest") & F.value.regexp(_NUMBER)))
async def suggest(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
) -> None:
    """Has one written, or another one; a worker writes it, and edits this card meanwhile."""
    at = card_of(query)
    async with sessions.begin() as session:
        post = await steered(session, who, callback_data.post_id)
        one, is_new = await suggestions.ask(
            session,
            who.account_id,
            post.id,
            locale=who.locale,
            chat_id=at.chat.id,
            message_id=at.message_id,
            after=int(callback_data.value) if callback_data.value else None,
        )
    if is_new:
        await query.answer()
        # Before the worker hears of it: its text must not be overtaken by this card.
        await edit(bot, query, caption_views.writing(who.locale, post, one.number))
        async with sessions.begin() as session:
            await suggestions.start(session, post.id, one.number)
        await wake_io(pool)
    elif one.state is SuggestionState.OPEN:
        await query.answer(who.tr.plain("I am writing one already"))
    elif one.state is SuggestionState.READY and one.caption is not None:
        await query.answer()
        card = caption_views.suggested(who.locale, post, one.number, one.caption, one.writer)
        await edit(bot, query, card)
    else:
        await query.answer()
        await redraw(bot, query, who, post, clock)


@router.callback_query(PostTap.filter((F.do == "take") & F.value.regexp(_NUMBER)))
async def take(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
) -> None:
    """The proposed words become the post's; a tap on an older one shows the post as it is."""
    async with sessions.begin() as session:
        post = await steered(session, who, callback_data.post_id)
        one = await suggestions.get(session, who.account_id, post.id)
        is_it = str(one.number) == callback_data.value and one.state is SuggestionState.READY
        if is_it and one.caption is not None:
            body = html.escape(one.caption, quote=False)
            post = await posts.set_caption(session, who.account_id, post.id, body)
            await suggestions.drop(session, who.account_id, post.id, one.number)
            await noted(session, who, post, Deed.POST_EDITED)
    await wake_io(pool)
    await query.answer()
    await redraw(bot, query, who, post, clock)


@router.callback_query(PostTap.filter((F.do == "unsuggest") & F.value.regexp(_NUMBER)))
async def leave(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    """Neither this one nor another: whoever writes it stops."""
    who.may(Action.PUBLISH)
    async with sessions.begin() as session:
        number = int(callback_data.value or 0)
        await suggestions.drop(session, who.account_id, callback_data.post_id, number)
        post = await posts.get(session, who.account_id, callback_data.post_id)
    await query.answer()
    await redraw(bot, query, who, post, clock)
