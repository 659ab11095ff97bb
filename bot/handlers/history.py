"""/history: albums by date; open one again, repeat it as it was or with changes, delete it."""

from __future__ import annotations

from aiogram import Bot, F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from arq import ArqRedis
from redis.asyncio import Redis

from bot import intake, keyboards, pages, quota
from bot.callbacks import HistoryTap
from bot.clock import Clock
from bot.intake import Place, Sessions, Understood
from bot.taps import edit, is_first_tap
from bot.views import Card
from bot.who import Who, card_of, thread_of
from db import albums, deliveries, posts, requests
from db.queue import wake_io
from db.rights import Action
from db.states import DeliveryKind, PostState

router = Router(name="history")

PAGE_SIZE = 5


@router.message(Command("history"))
@router.message(F.text.in_(keyboards.menu_labels("history")))
async def show(message: Message, who: Who, state: FSMContext, sessions: Sessions) -> None:
    who.may(Action.LOOK)
    await state.clear()
    card = await _page(sessions, who, 0)
    await message.answer(card.text, reply_markup=card.keyboard)


@router.callback_query(HistoryTap.filter(F.do == "page"))
async def page(
    query: CallbackQuery, callback_data: HistoryTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    who.may(Action.LOOK)
    card = await _page(sessions, who, callback_data.before)
    await query.answer()
    await edit(bot, query, card)


async def _page(sessions: Sessions, who: Who, before: int) -> Card:
    async with sessions.begin() as session:
        found = await albums.history(
            session, who.account_id, before_id=before or None, limit=PAGE_SIZE
        )
    return who.headed(pages.history(who.tr, found, first_page=before == 0))


@router.callback_query(HistoryTap.filter(F.do.in_({"item", "delete"})))
async def item(
    query: CallbackQuery, callback_data: HistoryTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    """One album's page, or the question before it is deleted."""
    who.may(Action.LOOK if callback_data.do == "item" else Action.CREATE)
    async with sessions.begin() as session:
        album = await albums.album(session, who.account_id, callback_data.task_id)
        posted = await posts.of_task(session, who.account_id, album.task_id)
    if callback_data.do == "item":
        card = who.headed(pages.history_item(who.tr, album))
    else:
        who.may_delete(album)
        scheduled = sum(post.state is PostState.SCHEDULED for post in posted)
        card = pages.sure_to_delete_album(who.tr, album.task_id, scheduled)
    await query.answer()
    await edit(bot, query, card)


@router.callback_query(HistoryTap.filter(F.do == "open"))
async def open_again(
    query: CallbackQuery,
    callback_data: HistoryTap,
    who: Who,
    sessions: Sessions,
    pool: ArqRedis,
    redis: Redis,
) -> None:
    """The album once more, by file_id. A nervous second tap is not a second wish."""
    who.may(Action.LOOK)
    card = card_of(query)
    if await is_first_tap(redis, query, f"open:{callback_data.task_id}"):
        async with sessions.begin() as session:
            await deliveries.request(
                session,
                who.account_id,
                callback_data.task_id,
                DeliveryKind.ALBUM,
                f"history:{query.id}",
                chat_id=card.chat.id,
                thread_id=thread_of(card),
            )
        await wake_io(pool)
    await query.answer(who.tr.plain("Here it comes"))


@router.callback_query(HistoryTap.filter(F.do == "repeat"))
async def repeat(
    query: CallbackQuery,
    callback_data: HistoryTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
) -> None:
    """The same task, drawn anew."""
    who.may(Action.CREATE)
    card = card_of(query)
    place = Place(card.chat.id, thread_of(card))
    async with sessions.begin() as session:
        album = await albums.album(session, who.account_id, callback_data.task_id)
        origin = f"repeat:{card.message_id}:{album.task_id}"
        task_id, created = await intake.queue_again(session, who, album, origin, place, clock())
    await query.answer(
        who.tr.plain("Off to work!") if created else who.tr.plain("You asked for this already")
    )
    await intake.show_task(bot, sessions, pool, who, task_id, place)


@router.callback_query(HistoryTap.filter(F.do == "change"))
async def change(
    query: CallbackQuery,
    callback_data: HistoryTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    """A new draft that starts as the old request was."""
    who.may(Action.CREATE)
    card = card_of(query)
    place = Place(card.chat.id, thread_of(card))
    async with sessions.begin() as session:
        album = await albums.album(session, who.account_id, callback_data.task_id)
        old = await requests.get_draft(session, who.account_id, album.request_id)
        idea = Understood(old.raw_prompt, old.cleaned_prompt, old.platform, old.goal)
        tap = "change", card.message_id, old.id
        means = await quota.means(session, who.account_id, now=clock())
        draft = await intake.open_draft(session, who, idea, place, means.terms, *tap)
        if draft.card_message_id is None:
            draft = await requests.change_draft(
                session,
                who.account_id,
                draft.id,
                aspect=old.aspect,
                count=min(old.count, who.max_count),
                enhance=old.enhance,
                brand_id=old.brand.id if old.brand else None,
                photo_key=old.photo_key,
            )
    await query.answer(intake.opened_words(who, draft))
    await intake.show_draft(bot, sessions, who, draft, place, means)


@router.callback_query(HistoryTap.filter(F.do == "sure"))
async def delete(
    query: CallbackQuery, callback_data: HistoryTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    who.may(Action.CREATE)
    async with sessions.begin() as session:
        album = await albums.album(session, who.account_id, callback_data.task_id)
        who.may_delete(album)
        await albums.hide(session, who.account_id, album.task_id)
    await query.answer(who.tr.plain("Deleted"))
    await edit(bot, query, await _page(sessions, who, 0))
