"""Topping up the wallet: how much, by what, the invoice, and taking it back."""

from __future__ import annotations

import re

from aiogram import Bot, F, Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from redis.asyncio import Redis

from bot import dialogue, errands, invoices, wallet_views
from bot.callbacks import WalletTap
from bot.clock import Clock
from bot.errors import MessageGone, Undeliverable
from bot.filters import IsPrompt
from bot.intake import Sessions
from bot.settings import PaymentTerms
from bot.taps import edit, is_first_tap, send_below
from bot.who import Who, card_of, thread_of
from db import payments
from db.rights import Action

router = Router(name="top_up")


class TopUp(StatesGroup):
    sum = State()


@router.callback_query(WalletTap.filter(F.do == "top_up"))
async def choose_sum(query: CallbackQuery, who: Who, bot: Bot, terms: PaymentTerms) -> None:
    who.may(Action.MANAGE_MONEY)
    await query.answer()
    await edit(bot, query, wallet_views.sums(who.tr, terms, who.account_id))


@router.callback_query(WalletTap.filter(F.do == "sum"))
async def choose_method(
    query: CallbackQuery,
    callback_data: WalletTap,
    who: Who,
    bot: Bot,
    terms: PaymentTerms,
) -> None:
    """A sum from a button, at least the smallest that can be paid."""
    who.may(Action.MANAGE_MONEY)
    await query.answer()
    kopecks = max(callback_data.value, terms.min_kopecks)
    if not terms.methods or kopecks > terms.max_kopecks:
        card = wallet_views.sums(who.tr, terms, who.account_id)
    else:
        card = wallet_views.methods(who.tr, terms, who.account_id, kopecks, callback_data.plan)
    await edit(bot, query, card)


@router.callback_query(WalletTap.filter(F.do == "any"))
async def ask_sum(
    query: CallbackQuery, who: Who, bot: Bot, state: FSMContext, redis: Redis, terms: PaymentTerms
) -> None:
    """The question goes below, so that an answer can be told from what was said before."""
    who.may(Action.MANAGE_MONEY)
    card = card_of(query)
    await query.answer()
    if not await is_first_tap(redis, query, "any"):
        return
    asked = wallet_views.ask_sum(who.tr, terms, in_group=who.is_group)
    question_id = await send_below(bot, query, asked)
    await errands.carry(redis, card.chat.id, card.message_id, question_id)
    await dialogue.opened(state, TopUp.sum, question_id, {})


@router.message(TopUp.sum, IsPrompt())
async def take_sum(
    message: Message, who: Who, state: FSMContext, redis: Redis, terms: PaymentTerms
) -> None:
    question_id = await dialogue.question(state)
    if await dialogue.answered(message, state) is None:
        return
    who.may(Action.MANAGE_MONEY)
    kopecks = kopecks_of(message.text or "")
    if kopecks is None or not terms.min_kopecks <= kopecks <= terms.max_kopecks:
        await message.reply(wallet_views.bad_sum(who.tr, terms))
        return
    card = wallet_views.methods(who.tr, terms, who.account_id, kopecks, "")
    sent = await message.answer(card.text, reply_markup=card.keyboard)
    await errands.carry(redis, message.chat.id, question_id, sent.message_id)
    await dialogue.closed(state, message.message_id)


_SUM = re.compile(
    r"(\d{1,9})(?:[.,](\d{1,2}))?\s*(?:₽|р|р\.|руб|руб\.|рублей|rub|roubles)?", re.ASCII
)


def kopecks_of(text: str) -> int | None:
    """A sum as people write it: 700, 1 500, 1500,50 ₽. None for anything else."""
    # Only groups of three are one number: "100 200" may be two sums.
    joined = re.sub(r"(?<=\d)[\s\u00a0\u202f](?=\d{3}(?!\d))", "", text.strip().lower())
    found = _SUM.fullmatch(joined)
    if found is None:
        return None
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


@router.callback_query(WalletTap.filter(F.do == "stop"))
async def stop(query: CallbackQuery, who: Who, bot: Bot, state: FSMContext) -> None:
    """Leaves the dialogue. Raises NotYours for somebody else's question."""
    await dialogue.tapped(query, who, state, TopUp.sum)
    card = card_of(query)
    await dialogue.closed(state, card.message_id)
    await query.answer(who.tr.plain("Stopped"))
    stopped = who.tr("↩️ Stopped, nothing was changed.")
    await bot.edit_message_text(stopped, chat_id=card.chat.id, message_id=card.message_id)


@router.callback_query(WalletTap.filter(F.do == "pay"))
async def send_invoice(
    query: CallbackQuery,
    callback_data: WalletTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    terms: PaymentTerms,
    clock: Clock,
) -> None:
    """An order, and the invoice it is paid on. A second tap at once makes no second one."""
    who.may(Action.MANAGE_MONEY)
    kopecks, card = callback_data.value, card_of(query)
    method = next((one for one in terms.methods if one == callback_data.method), None)
    if method is None or not terms.min_kopecks <= kopecks <= terms.max_kopecks:
        await query.answer()
        await edit(bot, query, wallet_views.sums(who.tr, terms, who.account_id))
        return
    if not await is_first_tap(redis, query, "pay"):
        await query.answer(who.tr.plain("The invoice is below"))
        return
    async with sessions.begin() as session:
        order = await payments.open_order(
            session,
            who.account_id,
            who.user_id,
            method=method,
            credit=kopecks,
            rate=terms.rate(method),
            chat_id=card.chat.id,
            thread_id=thread_of(card),
            now=clock(),
            ttl=terms.order_ttl,
        )
    await query.answer(who.tr.plain("The invoice is below"))
    below = wallet_views.below_invoice(who.tr, order)
    sent = await bot(invoices.invoice(who.tr, order, terms, below=below))
    async with sessions.begin() as session:
        await payments.set_message(session, order.id, sent.message_id)
    here = card.chat.id, card.message_id
    await errands.carry(redis, *here, sent.message_id, plan=callback_data.plan or None)
    await edit(bot, query, wallet_views.invoice_sent(who.tr, order))


@router.callback_query(WalletTap.filter(F.do == "cancel"))
async def cancel(
    query: CallbackQuery, callback_data: WalletTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    """Nobody can pay the invoice any more, and it goes."""
    who.may(Action.MANAGE_MONEY)
    card = card_of(query)
    async with sessions.begin() as session:
        await payments.cancel_order(session, who.account_id, callback_data.value)
    await query.answer(who.tr.plain("The invoice is cancelled"))
    try:
        await bot.delete_message(card.chat.id, card.message_id)
    except (MessageGone, Undeliverable):
        # Too old to be deleted: pre-checkout refuses it all the same.
        await bot.edit_message_reply_markup(
            chat_id=card.chat.id, message_id=card.message_id, reply_markup=None
        )
