"""/start, the menu, /help, /cancel, words of greeting, what the bot notices about its chats."""

from __future__ import annotations

from datetime import UTC, datetime

from aiogram import Bot, F, Router
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.filters import Command, CommandStart, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message

from bot import dialogue, intake, keyboards, pages, quota, rounds
from bot.callbacks import ExampleTap
from bot.clock import Clock
from bot.filters import Says
from bot.intake import Place, Sessions
from bot.who import Who, card_of, thread_of
from db import accounts
from db.rights import Action

router = Router(name="start")

_HELLO = (
    *("привет", "здравствуй", "здравствуйте", "добрый день", "добрый вечер"),
    *("hello", "hi", "hey"),
)
_PRICE = (
    *("сколько стоит", "сколько это стоит", "какая цена", "какие цены", "цена", "цены", "тарифы"),
    *("how much", "how much is it", "how much does it cost", "price", "prices", "pricing"),
)


@router.message(CommandStart())
async def start(message: Message, who: Who, bot: Bot, state: FSMContext) -> None:
    await state.clear()
    if who.is_group:
        await message.reply(pages.group_welcome(who.tr, await _username(bot)))
        return
    await message.answer(pages.welcome(who.tr, who.name), reply_markup=keyboards.menu(who.tr))
    card = pages.try_example(who.tr)
    await message.answer(card.text, reply_markup=card.keyboard)


@router.message(Command("help"))
@router.message(F.text.in_(keyboards.menu_labels("help")))
async def show_help(message: Message, who: Who, state: FSMContext) -> None:
    await state.clear()
    markup = None if who.is_group else keyboards.menu(who.tr)
    await message.answer(pages.help_page(who.tr), reply_markup=markup)


@router.message(F.text.in_(keyboards.menu_labels("create")))
async def create(message: Message, who: Who, state: FSMContext) -> None:
    await state.clear()
    card = pages.create(who.tr)
    await message.answer(card.text, reply_markup=card.keyboard)


@router.message(Command("cancel"))
@router.message(Says("отмена", "отмени", "отменить", "cancel"))
async def cancel(message: Message, who: Who, state: FSMContext) -> None:
    """Leaves any dialogue; tasks are stopped on their own cards."""
    talking = await state.get_state() is not None
    await dialogue.closed(state, message.message_id)
    if talking:
        await message.reply(who.tr("↩️ Stopped. Send an idea whenever you like."))
    else:
        await message.reply(
            who.tr("There is nothing to stop. To stop drawing, tap “Cancel” on its card.")
        )


@router.message(Says(*_HELLO), StateFilter(None))
async def greet(message: Message, who: Who) -> None:
    card = pages.greeting(who.tr)
    await message.answer(card.text, reply_markup=card.keyboard)


@router.message(Says(*_PRICE), StateFilter(None))
async def tell_price(message: Message, who: Who) -> None:
    await message.reply(who.tr("💳 What pictures cost and what each plan gives: /plans"))


@router.callback_query(ExampleTap.filter())
async def try_example(
    query: CallbackQuery,
    callback_data: ExampleTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    """An example becomes a draft, as if the person had written it."""
    who.may(Action.CREATE)
    if not 0 <= callback_data.index < len(keyboards.EXAMPLES):
        await query.answer()
        return
    card = card_of(query)
    raw = who.tr.plain(keyboards.EXAMPLES[callback_data.index])
    idea = await intake.understand(raw)
    place = Place(card.chat.id, thread_of(card))
    tap = "example", card.message_id, callback_data.index
    async with sessions.begin() as session:
        means = await quota.means(session, who.account_id, now=clock())
        draft = await intake.open_draft(session, who, idea, place, means.terms, *tap)
    await query.answer(intake.opened_words(who, draft))
    await intake.show_draft(bot, sessions, who, draft, place, means)


@router.message(F.migrate_to_chat_id | F.migrate_from_chat_id)
async def migrated(message: Message, bot: Bot, sessions: Sessions) -> None:
    """A group became a supergroup: both chats say so, in either order. What still waits for an
    answer gets a card in the new one."""
    old_id = message.migrate_from_chat_id or message.chat.id
    new_id = message.migrate_to_chat_id or message.chat.id
    async with sessions.begin() as session:
        await accounts.migrate_chat(session, old_id, new_id)
    if message.chat.id == new_id:
        await rounds.send_left_behind(bot, sessions, new_id)


@router.my_chat_member(F.chat.type == ChatType.PRIVATE)
async def blocked(event: ChatMemberUpdated, sessions: Sessions) -> None:
    if event.new_chat_member.status == ChatMemberStatus.KICKED:
        async with sessions.begin() as session:
            await accounts.set_blocked(session, event.chat.id, datetime.now(UTC))


async def _username(bot: Bot) -> str:
    return (await bot.me()).username or ""
