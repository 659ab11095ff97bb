"""/brands: the list, a brand's page, the default one, deleting."""

from __future__ import annotations

from aiogram import Bot, F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from bot import keyboards, pages
from bot.callbacks import BrandTap
from bot.clock import Clock
from bot.intake import Sessions
from bot.taps import edit
from bot.views import Card
from bot.who import Who
from db import brands, plans
from db.rights import Action

router = Router(name="brands")


@router.message(Command("brands"))
@router.message(F.text.in_(keyboards.menu_labels("brands")))
async def show(
    message: Message, who: Who, state: FSMContext, sessions: Sessions, clock: Clock
) -> None:
    who.may(Action.LOOK)
    await state.clear()
    card = await _list(sessions, who, clock)
    await message.answer(card.text, reply_markup=card.keyboard)


@router.callback_query(BrandTap.filter(F.do == "list"))
async def back_to_list(
    query: CallbackQuery, who: Who, bot: Bot, sessions: Sessions, clock: Clock
) -> None:
    who.may(Action.LOOK)
    card = await _list(sessions, who, clock)
    await query.answer()
    await edit(bot, query, card)


@router.callback_query(BrandTap.filter(F.do.in_({"open", "delete"})))
async def open_brand(
    query: CallbackQuery, callback_data: BrandTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    """A brand's page, or the question before it is deleted."""
    who.may(Action.LOOK)
    async with sessions.begin() as session:
        brand = await brands.get(session, who.account_id, callback_data.brand_id)
    await query.answer()
    if callback_data.do == "open":
        await edit(bot, query, who.headed(pages.brand(who.tr, brand)))
    else:
        await edit(bot, query, pages.sure_to_delete_brand(who.tr, brand))


@router.callback_query(BrandTap.filter(F.do.in_({"default", "undefault"})))
async def set_default(
    query: CallbackQuery, callback_data: BrandTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    who.may(Action.MANAGE_BRANDS)
    brand_id = callback_data.brand_id
    async with sessions.begin() as session:
        chosen = brand_id if callback_data.do == "default" else None
        await brands.set_default(session, who.account_id, chosen)
        brand = await brands.get(session, who.account_id, brand_id)
    await query.answer(who.tr.plain("Saved"))
    await edit(bot, query, who.headed(pages.brand(who.tr, brand)))


@router.callback_query(BrandTap.filter(F.do == "sure"))
async def delete(
    query: CallbackQuery,
    callback_data: BrandTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    who.may(Action.MANAGE_BRANDS)
    async with sessions.begin() as session:
        await brands.delete(session, who.account_id, callback_data.brand_id)
    await query.answer(who.tr.plain("Deleted"))
    await edit(bot, query, await _list(sessions, who, clock))


async def _list(sessions: Sessions, who: Who, clock: Clock) -> Card:
    async with sessions.begin() as session:
        terms = await plans.terms(session, who.account_id, now=clock())
        listed = await brands.list_(session, who.account_id)
    return who.headed(pages.brands(who.tr, listed, terms.brand_limit))
