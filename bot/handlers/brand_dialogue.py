"""The dialogue that makes a brand in three messages (name, style, colours), or changes one part."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aiogram import Bot, F, Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from bot import dialogue, names, pages, palette
from bot.callbacks import BrandTap
from bot.clock import Clock
from bot.delivery import send_card
from bot.dialogue import Answers
from bot.filters import IsForBot, IsPrompt
from bot.intake import Sessions
from bot.taps import take_buttons
from bot.uploads import picture_of
from bot.who import Who, card_of, thread_of
from db import brands, plans
from db.brands import BrandFields
from db.errors import BrandNameTaken, LimitReached, NotFound
from db.rights import Action
from db.views import Brand
from pipeline.errors import BadBrief
from pipeline.styles import PRESETS

if TYPE_CHECKING:
    from pipeline.enhance.lexicon import Translation

router = Router(name="brand_dialogue")

STYLE_MAX = 300
COLOURS_MAX = 300
"""Characters that are looked at for colours: five names are never longer."""


class BrandDialogue(StatesGroup):
    name = State()
    style = State()
    palette = State()


_STEPS: dict[str, State] = {
    "name": BrandDialogue.name,
    "style": BrandDialogue.style,
    "palette": BrandDialogue.palette,
}


@dataclass(frozen=True, slots=True)
class Talk:
    """With whom, where, and what was answered so far. `up_to` is the last message dealt with."""

    bot: Bot
    who: Who
    state: FSMContext
    sessions: Sessions
    chat_id: int
    thread_id: int | None
    up_to: int
    answers: Answers

    async def ask(self, step: str, **answers: object) -> None:
        """Put the next question on the screen."""
        so_far: Answers = {**self.answers, **answers}  # type: ignore[typeddict-item]
        card = pages.brand_question(self.who.tr, step, so_far, in_group=self.who.is_group)
        question_id = await send_card(self.bot, card, self.chat_id, self.thread_id)
        await dialogue.opened(self.state, _STEPS[step], question_id, so_far)

    async def finish(self, brand: Brand, unknown: list[str]) -> None:
        card = self.who.headed(pages.brand(self.who.tr, brand, unknown))
        await send_card(self.bot, card, self.chat_id, self.thread_id)
        await dialogue.closed(self.state, self.up_to)


def _talk(
    message: Message, who: Who, state: FSMContext, sessions: Sessions, answers: Answers
) -> Talk:
    who.may(Action.MANAGE_BRANDS)
    assert message.bot is not None
    place = message.chat.id, thread_of(message)
    return Talk(message.bot, who, state, sessions, *place, message.message_id, answers)


def _talk_on(
    query: CallbackQuery, who: Who, state: FSMContext, sessions: Sessions, answers: Answers
) -> Talk:
    who.may(Action.MANAGE_BRANDS)
    assert query.bot is not None
    card = card_of(query)
    place = card.chat.id, thread_of(card)
    return Talk(query.bot, who, state, sessions, *place, card.message_id, answers)


@router.callback_query(BrandTap.filter(F.do == "new"))
async def begin(
    query: CallbackQuery, who: Who, state: FSMContext, sessions: Sessions, clock: Clock
) -> None:
    who.may(Action.MANAGE_BRANDS)
    async with sessions.begin() as session:
        terms = await plans.terms(session, who.account_id, now=clock())
        listed = await brands.list_(session, who.account_id)
    if len(listed) >= terms.brand_limit:
        raise LimitReached("brands", terms.brand_limit)
    await query.answer()
    await _talk_on(query, who, state, sessions, {}).ask("name")


@router.callback_query(BrandTap.filter((F.do == "edit") & F.value.in_(set(_STEPS))))
async def edit(
    query: CallbackQuery, callback_data: BrandTap, who: Who, state: FSMContext, sessions: Sessions
) -> None:
    who.may(Action.MANAGE_BRANDS)
    async with sessions.begin() as session:
        brand = await brands.get(session, who.account_id, callback_data.brand_id)
    await query.answer()
    talk = _talk_on(query, who, state, sessions, {"brand_id": brand.id})
    await talk.ask(callback_data.value)


@router.callback_query(BrandTap.filter(F.do == "cancel"))
async def cancel(query: CallbackQuery, who: Who, state: FSMContext, bot: Bot) -> None:
    await dialogue.tapped(query, who, state)
    card = card_of(query)
    await dialogue.closed(state, card.message_id)
    await query.answer(who.tr.plain("Stopped"))
    stopped = who.tr("↩️ Stopped, nothing was changed.")
    await bot.edit_message_text(stopped, chat_id=card.chat.id, message_id=card.message_id)


# --- the three answers ---


@router.message(BrandDialogue.name, IsPrompt())
async def take_name(message: Message, who: Who, state: FSMContext, sessions: Sessions) -> None:
    answers = await dialogue.answered(message, state)
    if answers is None:
        return
    name = " ".join((message.text or "").split())
    if not 1 <= len(name) <= brands.NAME_MAX:
        await message.reply(
            who.tr("The name is too long: up to {n} characters, please.", n=brands.NAME_MAX)
        )
        return
    talk = _talk(message, who, state, sessions, answers)
    if "brand_id" in answers:
        await _change(talk, {"name": name})
        return
    async with sessions.begin() as session:
        listed = await brands.list_(session, who.account_id)
    if name.casefold() in {brand.name.casefold() for brand in listed}:
        raise BrandNameTaken(name)
    if "palette" in answers:  # all answered before, only the name was taken meanwhile
        await _create(replace(talk, answers={**answers, "name": name}))
    else:
        await talk.ask("style", name=name)


@router.message(BrandDialogue.style, IsPrompt())
async def take_style(message: Message, who: Who, state: FSMContext, sessions: Sessions) -> None:
    answers = await dialogue.answered(message, state)
    if answers is None:
        return
    style = " ".join((message.text or "").split())
    try:
        translated = await asyncio.to_thread(_translate, style)
    except BadBrief:
        await message.reply(
            who.tr(
                "Describe the style in a few words, up to {n} characters: "
                "“pastel colours, airy, minimal”.",
                n=STYLE_MAX,
            )
        )
        return
    fields: BrandFields = {
        "style_original": style,
        "style_short": translated.text[: brands.STYLE_SHORT_MAX],
        "preset": None,
    }
    unknown = list(translated.unknown)
    await _take_style(_talk(message, who, state, sessions, answers), fields, unknown)


@router.callback_query(BrandTap.filter(F.do == "preset"))
async def take_preset(
    query: CallbackQuery, callback_data: BrandTap, who: Who, state: FSMContext, sessions: Sessions
) -> None:
    answers = await dialogue.tapped(query, who, state, BrandDialogue.style)
    preset = PRESETS.get(callback_data.value)
    if preset is None:
        await query.answer()
        return
    fields: BrandFields = {
        "style_original": names.preset(who.tr, preset),
        "style_short": preset.style_short,
        "preset": callback_data.value,
        "palette": preset.palette,
    }
    talk = _talk_on(query, who, state, sessions, answers)
    await _take_style(talk, fields, [])
    await query.answer()
    await take_buttons(talk.bot, talk.chat_id, card_of(query).message_id)


def _translate(style: str) -> Translation:
    """Raises BadBrief. Blocks while the dictionaries load, which nothing needs before."""
    from pipeline.enhance.lexicon import translate_style

    if len(style) > STYLE_MAX:
        raise BadBrief("too_long")
    return translate_style(style)


async def _take_style(talk: Talk, fields: BrandFields, unknown: list[str]) -> None:
    if "brand_id" in talk.answers:
        await _change(talk, fields, unknown)
    else:
        await talk.ask("palette", **fields, unknown=unknown)


@router.message(BrandDialogue.palette, IsPrompt())
async def take_codes(message: Message, who: Who, state: FSMContext, sessions: Sessions) -> None:
    answers = await dialogue.answered(message, state)
    if answers is None:
        return
    codes = await asyncio.to_thread(palette.parse, (message.text or "")[:COLOURS_MAX])
    if codes.bad or not 1 <= len(codes.colours) <= palette.MAX_COLOURS:
        await message.reply(pages.bad_colours(who.tr, codes))
        return
    talk = _talk(message, who, state, sessions, answers)
    await _take_palette(talk, codes.colours)


@router.message(BrandDialogue.palette, IsForBot(), F.photo | F.document)
async def take_logo(message: Message, who: Who, state: FSMContext, sessions: Sessions) -> None:
    answers = await dialogue.answered(message, state)
    if answers is None:
        return
    talk = _talk(message, who, state, sessions, answers)
    logo = await picture_of(talk.bot, message)
    colours = await asyncio.to_thread(palette.dominant, logo)
    await _take_palette(talk, colours)


@router.callback_query(BrandTap.filter(F.do == "skip"))
async def skip_palette(
    query: CallbackQuery, who: Who, state: FSMContext, sessions: Sessions
) -> None:
    """No colours of one's own: a preset's stay."""
    answers = await dialogue.tapped(query, who, state, BrandDialogue.palette)
    talk = _talk_on(query, who, state, sessions, answers)
    await _take_palette(talk, tuple(answers.get("palette", ())))
    await query.answer()
    await take_buttons(talk.bot, talk.chat_id, card_of(query).message_id)


async def _take_palette(talk: Talk, colours: tuple[str, ...]) -> None:
    if "brand_id" in talk.answers:
        await _change(talk, {"palette": colours})
    else:
        await _create(replace(talk, answers={**talk.answers, "palette": list(colours)}))


async def _create(talk: Talk) -> None:
    """Raises BrandNameTaken and LimitReached: all may have changed since the first question."""
    answers = talk.answers
    try:
        async with talk.sessions.begin() as session:
            brand = await brands.create(
                session,
                talk.who.account_id,
                name=answers["name"],
                style_original=answers["style_original"],
                style_short=answers["style_short"],
                palette=answers["palette"],
                preset=answers["preset"],
            )
            if len(await brands.list_(session, talk.who.account_id)) == 1:
                # The first brand is the one meant; its page says so and can take it back.
                await brands.set_default(session, talk.who.account_id, brand.id)
                brand = await brands.get(session, talk.who.account_id, brand.id)
    except BrandNameTaken:
        await talk.ask("name")
        raise
    except LimitReached:
        await dialogue.closed(talk.state, talk.up_to)
        raise
    await talk.finish(brand, answers.get("unknown", []))


async def _change(talk: Talk, fields: BrandFields, unknown: list[str] | None = None) -> None:
    """Raises BrandNameTaken, which leaves the question open, and NotFound, which ends it."""
    brand_id = talk.answers["brand_id"]
    try:
        async with talk.sessions.begin() as session:
            if fields.get("preset"):
                before = await brands.get(session, talk.who.account_id, brand_id)
                fields = _with_own_colours(fields, before)
            brand = await brands.edit(session, talk.who.account_id, brand_id, **fields)
    except NotFound:
        await dialogue.closed(talk.state, talk.up_to)
        raise
    await talk.finish(brand, unknown or [])


def _with_own_colours(fields: BrandFields, brand: Brand) -> BrandFields:
    """What a ready style changes of a brand: of its colours those of another ready style."""
    ready = {preset.palette for preset in PRESETS.values()}
    if not brand.palette or brand.palette in ready:
        return fields
    return {**fields, "palette": brand.palette}
