"""What a brand's posts say: signature, hashtags, advertising, the AI label, changed in the chat."""

from __future__ import annotations

from aiogram import Bot, F, Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from bot import brand_words, dialogue, views
from bot.callbacks import BrandTap
from bot.dialogue import Answers
from bot.filters import IsPrompt
from bot.intake import Sessions
from bot.taps import edit, send_below, take_buttons
from bot.who import Who, card_of
from db import brands
from db.brands import BrandFields
from db.errors import NotFound
from db.rights import Action

router = Router(name="brand_words")


class BrandWords(StatesGroup):
    signature = State()
    hashtags = State()
    advertiser = State()
    erid = State()


_FIRST_STEPS: dict[str, tuple[str, State]] = {
    "signature": ("signature", BrandWords.signature),
    "hashtags": ("hashtags", BrandWords.hashtags),
    "advertising": ("advertiser", BrandWords.advertiser),
}
_NOTHING: dict[str, BrandFields] = {
    "signature": {"signature": None},
    "hashtags": {"hashtags": ()},
    "advertising": {"advertiser": None, "erid": None},
}


@router.callback_query(BrandTap.filter(F.do == "posts"))
async def show(
    query: CallbackQuery, callback_data: BrandTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    who.may(Action.LOOK)
    async with sessions.begin() as session:
        brand = await brands.get(session, who.account_id, callback_data.brand_id)
    await query.answer()
    await edit(bot, query, brand_words.page(who.tr, brand))


@router.callback_query(BrandTap.filter((F.do == "unsay") & F.value.in_(set(_NOTHING))))
@router.callback_query(BrandTap.filter((F.do == "mark") & F.value.in_({"0", "1"})))
async def change(
    query: CallbackQuery, callback_data: BrandTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    """What a button says whole: nothing any more, or the AI label or not."""
    who.may(Action.MANAGE_BRANDS)
    value = callback_data.value
    fields = _NOTHING.get(value, {"marks_ai": value == "1"})
    async with sessions.begin() as session:
        brand = await brands.edit(session, who.account_id, callback_data.brand_id, **fields)
    await query.answer(who.tr.plain("Saved"))
    await edit(bot, query, brand_words.page(who.tr, brand))


@router.callback_query(BrandTap.filter((F.do == "say") & F.value.in_(set(_FIRST_STEPS))))
async def ask(
    query: CallbackQuery,
    callback_data: BrandTap,
    who: Who,
    bot: Bot,
    state: FSMContext,
    sessions: Sessions,
) -> None:
    who.may(Action.MANAGE_BRANDS)
    async with sessions.begin() as session:
        brand = await brands.usable(session, who.account_id, callback_data.brand_id)
    await query.answer()
    name, step = _FIRST_STEPS[callback_data.value]
    answers: Answers = {"brand_id": brand.id}
    known = brand.advertiser if name == "advertiser" else None
    if known:
        answers["advertiser"] = known
    card = brand_words.question(who.tr, name, in_group=who.is_group, advertiser=known)
    await dialogue.opened(state, step, await send_below(bot, query, card), answers)


@router.message(BrandWords.signature, IsPrompt())
async def take_signature(message: Message, who: Who, state: FSMContext, sessions: Sessions) -> None:
    answers = await dialogue.answered(message, state)
    if answers is None:
        return
    signature = " ".join((message.text or "").split())
    if len(signature) > brand_words.SIGNATURE_MAX:
        await message.reply(views.too_long(who.tr, brand_words.SIGNATURE_MAX))
        return
    await _save(message, who, state, sessions, answers, {"signature": signature})


@router.message(BrandWords.hashtags, IsPrompt())
async def take_hashtags(message: Message, who: Who, state: FSMContext, sessions: Sessions) -> None:
    answers = await dialogue.answered(message, state)
    if answers is None:
        return
    found = brand_words.parse_hashtags(message.text or "")
    if found.bad or not 1 <= len(found.good) <= brand_words.MOST_HASHTAGS:
        await message.reply(brand_words.bad_hashtags(who.tr, found))
        return
    await _save(message, who, state, sessions, answers, {"hashtags": found.good})


@router.message(BrandWords.advertiser, IsPrompt())
async def take_advertiser(message: Message, who: Who, state: FSMContext) -> None:
    answers = await dialogue.answered(message, state)
    if answers is None:
        return
    who.may(Action.MANAGE_BRANDS)
    advertiser = " ".join((message.text or "").split())
    if len(advertiser) > brand_words.ADVERTISER_MAX:
        await message.reply(views.too_long(who.tr, brand_words.ADVERTISER_MAX))
        return
    card = brand_words.question(who.tr, "erid", in_group=who.is_group)
    asked = await message.answer(card.text, reply_markup=card.keyboard)
    answers = {**answers, "advertiser": advertiser}
    await dialogue.opened(state, BrandWords.erid, asked.message_id, answers)


@router.callback_query(BrandTap.filter(F.do == "same"))
async def keep_advertiser(query: CallbackQuery, who: Who, bot: Bot, state: FSMContext) -> None:
    """Another erid for the advertiser there is."""
    who.may(Action.MANAGE_BRANDS)
    answers = await dialogue.tapped(query, who, state, BrandWords.advertiser)
    await query.answer()
    card = brand_words.question(who.tr, "erid", in_group=who.is_group)
    await dialogue.opened(state, BrandWords.erid, await send_below(bot, query, card), answers)
    question = card_of(query)
    await take_buttons(bot, question.chat.id, question.message_id)


@router.message(BrandWords.erid, IsPrompt())
async def take_erid(message: Message, who: Who, state: FSMContext, sessions: Sessions) -> None:
    answers = await dialogue.answered(message, state)
    if answers is None:
        return
    erid = brand_words.parse_erid(message.text or "")
    if erid is None:
        await message.reply(brand_words.bad_erid(who.tr))
        return
    fields: BrandFields = {"advertiser": answers["advertiser"], "erid": erid}
    await _save(message, who, state, sessions, answers, fields)


async def _save(
    message: Message,
    who: Who,
    state: FSMContext,
    sessions: Sessions,
    answers: Answers,
    fields: BrandFields,
) -> None:
    """Raises NotFound for a brand that is gone, which ends the dialogue."""
    who.may(Action.MANAGE_BRANDS)
    try:
        async with sessions.begin() as session:
            brand = await brands.edit(session, who.account_id, answers["brand_id"], **fields)
    except NotFound:
        await dialogue.closed(state, message.message_id)
        raise
    card = brand_words.page(who.tr, brand)
    await message.answer(card.text, reply_markup=card.keyboard)
    await dialogue.closed(state, message.message_id)
