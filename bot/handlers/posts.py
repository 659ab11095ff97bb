"""Posts on their way from an album: the channel, the pictures, the caption, the preview."""

from __future__ import annotations

import html

from aiogram import Bot, F, Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from arq import ArqRedis
from redis.asyncio import Redis

from bot import channel_views, dialogue, posting
from bot.callbacks import AlbumTap, PostTap, PostTo
from bot.clock import Clock
from bot.errors import FileRefused
from bot.filters import IsPrompt
from bot.handlers.channels import way_to_first
from bot.intake import Sessions
from bot.postcards import noted, redraw, send_new_card, show_card, steered, today_of
from bot.taps import is_first_tap, send_below
from bot.views import shortened
from bot.who import Who, card_of, thread_of
from db import albums, approvals, captions, channels, posts, teams
from db.audit import Deed
from db.errors import NotFound, Stale
from db.queue import wake_io
from db.rights import Action
from db.states import POST_WAITS
from db.team_views import PostView
from pipeline import lettering

router = Router(name="posts")


class PostDialogue(StatesGroup):
    caption = State()


# --- from the album ---


@router.callback_query(AlbumTap.filter(F.do == "post"))
async def begin(
    query: CallbackQuery,
    callback_data: AlbumTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    clock: Clock,
) -> None:
    """With one channel straight to the draft, with several the question which, with none that the
    plan allows how to come by one."""
    who.may(Action.PUBLISH)
    async with sessions.begin() as session:
        album = await albums.album(session, who.account_id, callback_data.task_id)
        listed = await channels.list_(session, who.account_id)
    if all(channel.is_frozen for channel in listed):
        await query.answer()
        await send_below(bot, query, await way_to_first(bot, sessions, who, clock()))
        return
    if not await is_first_tap(redis, query, "post"):
        await query.answer()
        return
    await query.answer(await _still_to_approve(sessions, who, album.task_id))
    if len(listed) > 1:
        await send_below(bot, query, channel_views.which_channel(who.tr, album.task_id, listed))
        return
    post = await _draft(sessions, who, album.task_id, listed[0].id)
    at = card_of(query)
    await send_new_card(bot, who, sessions, post, clock, at.chat.id, thread_of(at))


async def _still_to_approve(sessions: Sessions, who: Who, task_id: int) -> str | None:
    """What whoever may not publish an album yet is told before they prepare it."""
    async with sessions.begin() as session:
        if who.is_admin or await teams.may_publish(session, who.account_id, task_id, who.user_id):
            return None
    return who.tr.plain("Prepare the post: it can go out once the album is approved")


@router.callback_query(PostTo.filter())
async def draft(
    query: CallbackQuery,
    callback_data: PostTo,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    who.may(Action.PUBLISH)
    post = await _draft(sessions, who, callback_data.task_id, callback_data.channel_id)
    await query.answer()
    await show_card(bot, query, who, sessions, post, clock)


async def _draft(sessions: Sessions, who: Who, task_id: int, channel_id: int) -> PostView:
    async with sessions.begin() as session:
        return await posts.draft(session, who.account_id, who.user_id, task_id, channel_id)


# --- the draft ---


@router.callback_query(PostTap.filter(F.do == "ranks"))
async def choose_pictures(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    ranks = [int(digit) for digit in callback_data.value if digit.isdecimal()]
    async with sessions.begin() as session:
        post = await steered(session, who, callback_data.post_id)
        post = await posts.set_ranks(session, who.account_id, post.id, ranks)
        await noted(session, who, post, Deed.POST_EDITED)
    await query.answer()
    await redraw(bot, query, who, post, clock)


@router.callback_query(PostTap.filter(F.do == "caption"))
async def take_caption(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    """None, or the idea as it was understood; what it wants written on the picture, if anything."""
    async with sessions.begin() as session:
        post = await steered(session, who, callback_data.post_id)
        caption = ""
        if callback_data.value == "idea":
            idea = await approvals.idea(session, post.task_id)
            idea = shortened(lettering.caption(idea), captions.room(post.parts))
            caption = html.escape(idea, quote=False)
        post = await posts.set_caption(session, who.account_id, post.id, caption)
        await noted(session, who, post, Deed.POST_EDITED)
    await query.answer()
    await redraw(bot, query, who, post, clock)


@router.callback_query(PostTap.filter(F.do == "write"))
async def ask_caption(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    state: FSMContext,
    sessions: Sessions,
) -> None:
    async with sessions.begin() as session:
        post = await steered(session, who, callback_data.post_id)
    await query.answer()
    card = channel_views.caption_question(who.tr, post, in_group=who.is_group)
    question_id = await send_below(bot, query, card)
    answers: dialogue.Answers = {"post_id": post.id}
    await dialogue.opened(state, PostDialogue.caption, question_id, answers)


@router.callback_query(PostTap.filter(F.do == "stop"))
async def stop_writing(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    state: FSMContext,
    sessions: Sessions,
    clock: Clock,
) -> None:
    who.may(Action.PUBLISH)
    await dialogue.tapped(query, who, state, PostDialogue.caption)
    async with sessions.begin() as session:
        post = await posts.get(session, who.account_id, callback_data.post_id)
    await dialogue.closed(state, card_of(query).message_id)
    await query.answer()
    await redraw(bot, query, who, post, clock)


@router.message(PostDialogue.caption, IsPrompt())
async def take_written_caption(
    message: Message,
    who: Who,
    bot: Bot,
    state: FSMContext,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
) -> None:
    """Written by the person, formatting and all; a published post gets it too.

    Raises CaptionTooLong, which leaves the question open; NotFound and Stale end it.
    """
    answers = await dialogue.answered(message, state)
    if answers is None:
        return
    try:
        async with sessions.begin() as session:
            post = await steered(session, who, answers["post_id"])
            post = await posts.set_caption(session, who.account_id, post.id, message.html_text)
            await noted(session, who, post, Deed.POST_EDITED)
    except (NotFound, Stale):
        await dialogue.closed(state, message.message_id)
        raise
    await wake_io(pool)
    await send_new_card(bot, who, sessions, post, clock, message.chat.id, thread_of(message))
    await dialogue.closed(state, message.message_id)


@router.callback_query(PostTap.filter(F.do == "preview"))
async def preview(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    """The post as the channel will show it, and under it the question when."""
    who.may(Action.PUBLISH)
    async with sessions.begin() as session:
        post = await posts.get(session, who.account_id, callback_data.post_id)
        album = await albums.album(session, who.account_id, post.task_id)
    if post.state not in POST_WAITS:  # an old card: it has gone out since, or was called off
        await query.answer()
        await redraw(bot, query, who, post, clock)
        return
    captions.check(post.parts)
    images = [image for image in album.images if image.rank in post.ranks]
    await query.answer()
    at = card_of(query)
    place = at.chat.id, thread_of(at)
    await posting.send_post(bot, post.task_id, images, post.caption, *place, _never_sent)
    await send_below(bot, query, channel_views.preview(who.tr, post, today_of(post, clock)))


async def _never_sent(key: str) -> bytes:
    raise FileRefused(f"never sent: {key}")
