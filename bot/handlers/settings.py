"""/settings: language, and what a person's new drafts start with."""

from __future__ import annotations

from typing import cast

from aiogram import Bot, F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from bot import keyboards, pages, texts
from bot.callbacks import SettingsTap
from bot.intake import Sessions
from bot.taps import edit
from bot.who import Who, card_of
from db import accounts
from db.accounts import SettingsFields
from db.views import Locale
from pipeline.types import Aspect

router = Router(name="settings")


@router.message(Command("settings"))
@router.message(F.text.in_(keyboards.menu_labels("settings")))
async def show(message: Message, who: Who, state: FSMContext) -> None:
    await state.clear()
    card = pages.settings(who.settings, who.locale, who.user_id, who.max_count)
    await message.answer(card.text, reply_markup=card.keyboard)


@router.callback_query(SettingsTap.filter())
async def change(
    query: CallbackQuery, callback_data: SettingsTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    who.must_be(callback_data.user_id)
    fields = _fields(callback_data)
    async with sessions.begin() as session:
        changed = await accounts.change_settings(session, who.user_id, **fields)
    locale = changed.locale or who.locale
    await query.answer(texts.of(locale).plain("Saved"))
    await edit(bot, query, pages.settings(changed, locale, who.user_id, who.max_count))
    if locale != who.locale and not who.is_group:
        tr = texts.of(locale)
        greeting = tr("🌐 We speak English now.")
        await bot.send_message(card_of(query).chat.id, greeting, reply_markup=keyboards.menu(tr))


def _fields(tap: SettingsTap) -> SettingsFields:
    """What a button asks for; values that no button offers change nothing."""
    match tap.field, tap.value:
        case "locale", value if value in texts.LOCALES:
            return {"locale": cast(Locale, value)}
        case "count", ("1" | "2" | "3" | "4") as value:
            return {"count": int(value)}
        case "aspect", "":
            return {"aspect": None}
        case "aspect", value if value in Aspect.__members__:
            return {"aspect": Aspect[value].value}
        case "enhance", ("0" | "1") as value:
            return {"enhance": value == "1"}
    return {}
