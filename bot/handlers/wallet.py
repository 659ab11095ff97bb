"""/wallet: the balance, what has moved, the statement."""

from __future__ import annotations

from aiogram import Bot, F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import BufferedInputFile, CallbackQuery, Message
from redis.asyncio import Redis

from bot import keyboards, plan_views, statement, wallet_views
from bot.callbacks import WalletTap
from bot.clock import Clock
from bot.intake import Sessions
from bot.taps import edit, is_first_tap
from bot.texts import MOSCOW
from bot.views import Card
from bot.who import Who, card_of, thread_of
from db import plans, wallet
from db.rights import Action

router = Router(name="wallet")

PAGE_SIZE = 6


@router.message(Command("wallet"))
@router.message(F.text.in_(keyboards.menu_labels("wallet")))
async def show(message: Message, who: Who, state: FSMContext, sessions: Sessions) -> None:
    await state.clear()
    who.may(Action.MANAGE_MONEY)
    card = await _page(sessions, who, 0)
    await message.answer(card.text, reply_markup=card.keyboard)


@router.callback_query(WalletTap.filter(F.do.in_({"show", "page"})))
async def page(
    query: CallbackQuery, callback_data: WalletTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    who.may(Action.MANAGE_MONEY)
    card = await _page(sessions, who, callback_data.value if callback_data.do == "page" else 0)
    await query.answer()
    await edit(bot, query, card)


@router.callback_query(WalletTap.filter(F.do == "csv"))
async def send_statement(
    query: CallbackQuery, who: Who, bot: Bot, sessions: Sessions, redis: Redis, clock: Clock
) -> None:
    """Everything that has moved, as a document."""
    who.may(Action.MANAGE_MONEY)
    card = card_of(query)
    if not await is_first_tap(redis, query, "csv"):
        await query.answer(who.tr.plain("Here it comes"))
        return
    async with sessions.begin() as session:
        moved = await wallet.statement(session, who.account_id)
        listed = await plans.list_(session)
    await query.answer(who.tr.plain("Here it comes"))
    titles = {plan.code: plan_views.title(who.tr, plan) for plan in listed}
    table = statement.csv_of(who.tr, moved, titles)
    await bot.send_document(
        card.chat.id,
        BufferedInputFile(table, f"vitrina-{clock().astimezone(MOSCOW):%Y-%m-%d}.csv"),
        message_thread_id=thread_of(card),
        disable_content_type_detection=True,
    )


async def _page(sessions: Sessions, who: Who, before: int) -> Card:
    async with sessions.begin() as session:
        purse = await wallet.wallet(session, who.account_id)
        moved = await wallet.movements(
            session, who.account_id, before_id=before or None, limit=PAGE_SIZE
        )
        listed = await plans.list_(session)
    titles = {plan.code: plan_views.title(who.tr, plan) for plan in listed}
    return who.headed(wallet_views.wallet(who.tr, purse, moved, titles, is_first=before == 0))
