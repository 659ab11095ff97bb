"""Buttons of status cards (stop, again, show again) and of action cards under albums."""

from __future__ import annotations

from aiogram import Bot, F, Router
from aiogram.types import CallbackQuery
from arq import ArqRedis

from bot import album_views, intake
from bot.callbacks import AlbumTap, CancelTap, ResendTap, RetryTap
from bot.clock import Clock
from bot.intake import Place, Sessions
from bot.taps import edit
from bot.who import Who, card_of, thread_of
from db import albums, deliveries, requests, tasks
from db.queue import publish_cancel, wake_io
from db.rights import Action
from db.states import DeliveryKind, DeliveryState
from db.views import AlbumView, Variation

router = Router(name="album")

LIKE_STRENGTH = 0.35
"""How far "like №1" goes from its picture: 0 is the same, 1 is free."""


@router.callback_query(CancelTap.filter())
async def cancel(
    query: CallbackQuery,
    callback_data: CancelTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
) -> None:
    who.may(Action.CREATE)
    async with sessions.begin() as session:
        task = await albums.task(session, who.account_id, callback_data.task_id)
        who.may_steer(task.user_id)
        stopped = await tasks.cancel(session, who.account_id, task.id)
        task = await albums.task(session, who.account_id, task.id)
    if not stopped:
        await query.answer(who.tr.plain("It is over already"))
        return
    await publish_cancel(pool, task.id)
    await query.answer(who.tr.plain("Cancelled"))
    await edit(bot, query, intake.task_card(task, None))


@router.callback_query(RetryTap.filter())
async def retry(
    query: CallbackQuery,
    callback_data: RetryTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
) -> None:
    """The same task once more, after a failure or a cancel: the very same seeds."""
    who.may(Action.CREATE)
    card = card_of(query)
    async with sessions.begin() as session:
        task = await albums.task(session, who.account_id, callback_data.task_id)
        who.may_steer(task.user_id)
        submitted = await requests.submit_again(
            session,
            who.account_id,
            task.id,
            f"retry:{task.id}",
            user_id=who.user_id,
            locale=who.locale,
            chat_id=card.chat.id,
            thread_id=thread_of(card),
            now=clock(),
        )
    await query.answer(_queued_words(who, submitted.created))
    await intake.show_task(bot, sessions, pool, who, submitted.task_id, _place(query))


@router.callback_query(ResendTap.filter())
async def show_again(
    query: CallbackQuery, callback_data: ResendTap, who: Who, sessions: Sessions, pool: ArqRedis
) -> None:
    """A person's own choice to see an album again that may have arrived."""
    who.may(Action.LOOK)
    async with sessions.begin() as session:
        task = await albums.task(session, who.account_id, callback_data.task_id)
        who.may_steer(task.user_id)
        resent = await deliveries.resend_unknown(
            session, who.account_id, task.id, f"again:{card_of(query).message_id}"
        )
    await wake_io(pool)
    if resent.state == DeliveryState.SENT:
        await query.answer(who.tr.plain("It has arrived, look below"))
    else:
        await query.answer(who.tr.plain("Sending it again"))


@router.callback_query(AlbumTap.filter(F.do == "choose"))
async def choose(
    query: CallbackQuery, callback_data: AlbumTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    who.may(Action.CHOOSE)
    async with sessions.begin() as session:
        task = await albums.task(session, who.account_id, callback_data.task_id)
        who.may_steer(task.user_id)
        album = await albums.choose(session, who.account_id, task.id, callback_data.rank)
    await query.answer(who.tr.plain("№{rank} is yours", rank=callback_data.rank))
    await edit(bot, query, album_views.actions(album))


@router.callback_query(AlbumTap.filter(F.do.in_({"why", "back"})))
async def why(
    query: CallbackQuery, callback_data: AlbumTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    """The explanation in place of the action card, and back."""
    who.may(Action.LOOK)
    album = await _album(sessions, who, callback_data.task_id)
    await query.answer()
    card = album_views.why(album) if callback_data.do == "why" else album_views.actions(album)
    await edit(bot, query, card)


@router.callback_query(AlbumTap.filter(F.do == "png"))
async def originals(
    query: CallbackQuery, callback_data: AlbumTap, who: Who, sessions: Sessions, pool: ArqRedis
) -> None:
    who.may(Action.LOOK)
    card = card_of(query)
    album = await _album(sessions, who, callback_data.task_id)
    async with sessions.begin() as session:
        requested = await deliveries.request(
            session,
            who.account_id,
            album.task_id,
            DeliveryKind.ORIGINALS,
            f"originals:{card.message_id}",
            chat_id=card.chat.id,
            thread_id=thread_of(card),
        )
    await wake_io(pool)
    if requested.state == DeliveryState.SENT:
        await query.answer(who.tr.plain("I have sent these files already, look below"))
    else:
        await query.answer(who.tr.plain("The files are on their way"))


@router.callback_query(AlbumTap.filter(F.do.in_({"more", "similar"})))
async def more(
    query: CallbackQuery,
    callback_data: AlbumTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
) -> None:
    """Other pictures for the same request, or ones close to a picture of this album."""
    who.may(Action.CREATE)
    album = await _album(sessions, who, callback_data.task_id)
    origin = f"{callback_data.do}:{card_of(query).message_id}:{callback_data.rank}"
    place = _place(query)
    async with sessions.begin() as session:
        task_id, created = await intake.queue_again(
            session, who, album, origin, place, clock(), _variation(album, callback_data)
        )
    await query.answer(_queued_words(who, created))
    await intake.show_task(bot, sessions, pool, who, task_id, place)


def _variation(album: AlbumView, tap: AlbumTap) -> Variation | None:
    if tap.do == "more":
        return None
    like = next((image for image in album.images if image.rank == tap.rank), album.images[0])
    return Variation(like.seed, LIKE_STRENGTH)


def _queued_words(who: Who, created: bool) -> str:
    return who.tr.plain("Off to work!") if created else who.tr.plain("You asked for this already")


async def _album(sessions: Sessions, who: Who, task_id: int) -> AlbumView:
    async with sessions.begin() as session:
        album = await albums.album(session, who.account_id, task_id)
    who.may_steer(album.user_id)
    return album


def _place(query: CallbackQuery) -> Place:
    card = card_of(query)
    return Place(card.chat.id, thread_of(card))
