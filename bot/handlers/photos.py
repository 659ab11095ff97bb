"""A photo to start from: with a caption, answered with words, or asked for them."""

from __future__ import annotations

from aiogram import Bot, F, Router
from aiogram.filters import Command, CommandObject, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import Message
from redis.asyncio import Redis

from bot import dialogue, intake, pages, quota
from bot.clock import Clock
from bot.filters import IsForBot, IsPrompt
from bot.handlers.generate import is_tail, place_of
from bot.intake import Sessions, Understood
from bot.uploads import IS_PICTURE, has_picture, keep_photo
from bot.who import Who
from db import images, requests
from db.rights import Action

router = Router(name="photos")

_MEDIA_GROUP_S = 60


class PhotoDialogue(StatesGroup):
    words = State()


def _shows_a_photo(answered: Message) -> bool:
    """Whether somebody's picture is answered: the bot's own are answered with new ideas."""
    return has_picture(answered) and not (answered.from_user and answered.from_user.is_bot)


_UNDER_PHOTO = F.reply_to_message.func(_shows_a_photo)
_FREE = StateFilter(None, PhotoDialogue.words)


@router.message(IS_PICTURE, Command("gen", ignore_case=True))
@router.message(IS_PICTURE, IsForBot(), _FREE)
async def photo(
    message: Message,
    who: Who,
    state: FSMContext,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    store: images.Store,
    clock: Clock,
) -> None:
    """With a caption a draft; without one the question what should become of it."""
    who.may(Action.CREATE)
    is_first = await _first_of_group(redis, message)
    if message.caption:
        await state.clear()
        idea = await intake.understand(message.caption)
        await _draft(message, idea, message, who, bot, sessions, store, clock)
    elif is_first and who.can_start_from_photos:
        key = await keep_photo(bot, store, message)
        card = pages.photo_question(who.tr, in_group=who.is_group)
        question = await message.reply(card.text, reply_markup=card.keyboard)
        answers: dialogue.Answers = {"photo_key": key}
        await dialogue.opened(state, PhotoDialogue.words, question.message_id, answers)
    elif is_first:
        await message.reply(pages.no_picture_input(who.tr))


@router.message(Command("gen", ignore_case=True), F.text, _UNDER_PHOTO)
async def gen_under_photo(
    message: Message,
    command: CommandObject,
    who: Who,
    state: FSMContext,
    bot: Bot,
    sessions: Sessions,
    store: images.Store,
    clock: Clock,
) -> None:
    """/gen in answer to somebody's photo."""
    who.may(Action.CREATE)
    await state.clear()
    if not command.args:
        await message.reply(pages.gen_usage(who.tr))
        return
    idea = await intake.understand(command.args)
    await _draft(message, idea, message.reply_to_message, who, bot, sessions, store, clock)


@router.message(IsPrompt(), _UNDER_PHOTO, _FREE)
async def words_under_photo(
    message: Message,
    who: Who,
    state: FSMContext,
    bot: Bot,
    sessions: Sessions,
    store: images.Store,
    clock: Clock,
) -> None:
    """Plain words in answer to one's photo."""
    who.may(Action.CREATE)
    await dialogue.closed(state, message.message_id)
    idea = await intake.understand(message.text or "")
    await _draft(message, idea, message.reply_to_message, who, bot, sessions, store, clock)


@router.message(PhotoDialogue.words, IsPrompt())
async def words(
    message: Message,
    who: Who,
    state: FSMContext,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    store: images.Store,
    clock: Clock,
) -> None:
    """What should become of the photo that was sent before."""
    who.may(Action.CREATE)
    answers = await dialogue.answered(message, state)
    if answers is None or await is_tail(redis, message):
        return
    idea = await intake.understand(message.text or "")
    await _draft(message, idea, answers["photo_key"], who, bot, sessions, store, clock)
    await dialogue.closed(state, message.message_id)


async def _draft(
    message: Message,
    idea: Understood,
    photo: Message | str | None,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    store: images.Store,
    clock: Clock,
) -> None:
    """The draft of a message with its photo (in a message, or stored already).

    Where no photo can be started from it is of the words alone, and the person is told first.
    """
    key = None
    if who.can_start_from_photos:
        key = await keep_photo(bot, store, photo) if isinstance(photo, Message) else photo
    place = place_of(message, who)
    async with sessions.begin() as session:
        source = message.message_id
        means = await quota.means(session, who.account_id, now=clock())
        draft = await intake.new_draft(session, who, idea, place, source, means.terms, key)
    if key is not None:
        await intake.show_draft(bot, sessions, who, draft, place, means)
    elif draft.card_message_id is None:
        card = pages.caption_offer(who.tr, draft)
        offer = await message.reply(card.text, reply_markup=card.keyboard)
        async with sessions.begin() as session:
            await requests.set_card(session, draft.id, offer.message_id)


async def _first_of_group(redis: Redis, message: Message) -> bool:
    """An album of photos comes as many messages; one answer is enough."""
    if message.media_group_id is None:
        return True
    key = f"album-answered:{message.chat.id}:{message.media_group_id}"
    first = await redis.set(key, message.message_id, nx=True, get=True, ex=_MEDIA_GROUP_S)
    return first is None or int(first) == message.message_id
