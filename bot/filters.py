"""Which messages are meant for the bot as a prompt or an answer."""

from __future__ import annotations

import re

from aiogram import Bot, F
from aiogram.enums import ChatType
from aiogram.filters import Filter
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, Update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot import dialogue
from bot.callbacks import HistoryTap
from db import approvals
from db.engine import autocommit

_WORD = re.compile(r"\w+")
_DRAWS_AGAIN = HistoryTap.filter(F.do.in_({"repeat", "change"}))


class IsPrompt(Filter):
    """Words that are no command: any in a private chat, in a group those that reply to the bot."""

    async def __call__(self, message: Message, bot: Bot) -> bool:
        if not message.text or message.text.startswith("/"):
            return False
        return message.chat.type == ChatType.PRIVATE or replies_to(message, bot)


class AsksAnother(Filter):
    """A reply to a question of ours to somebody else; hands `asked_id` to the handler: whom."""

    async def __call__(self, message: Message, state: FSMContext) -> bool | dict[str, int]:
        replied = message.reply_to_message
        if replied is None or message.chat.type == ChatType.PRIVATE or _is_slashed(message):
            return False
        asked_id = await dialogue.asked(state, replied.message_id)
        return False if asked_id in (None, state.key.user_id) else {"asked_id": asked_id}


class Says(Filter):
    """A whole message of these words in a private chat, however they are spelled."""

    def __init__(self, *phrases: str) -> None:
        self._phrases = frozenset(phrases)

    async def __call__(self, message: Message) -> bool:
        words = " ".join(_WORD.findall((message.text or "").casefold()))
        return message.chat.type == ChatType.PRIVATE and words in self._phrases


class IsForBot(Filter):
    """Anything sent to the bot: in a private chat, or as a reply to it in a group."""

    async def __call__(self, message: Message, bot: Bot) -> bool:
        return message.chat.type == ChatType.PRIVATE or replies_to(message, bot)


def is_payment(update: Update) -> bool:
    """Whether it is about money: then nothing may drop it or make it wait."""
    if update.pre_checkout_query is not None:
        return True
    message = update.message
    return message is not None and bool(message.successful_payment or message.refunded_payment)


def replies_to(message: Message, bot: Bot) -> bool:
    """Every first message of a topic names the topic's opening as what it replies to."""
    answered = message.reply_to_message
    return (
        answered is not None
        and answered.forum_topic_created is None
        and answered.from_user is not None
        and answered.from_user.id == bot.id
    )


async def asks_for_pictures(update: Update, bot: Bot) -> bool:
    """Whether somebody in a group wants something drawn: an idea of theirs (/gen, words or a photo
    in reply) or one of the team's history anew."""
    if (query := update.callback_query) is not None:
        return bool(await _DRAWS_AGAIN(query))
    message = update.message
    if message is None:
        return False
    if _is_slashed(message):
        return await is_command(message, bot) and _command(_words(message)) == "gen"
    return replies_to(message, bot) and bool(message.text or message.photo)


async def answers_question(
    update: Update, state: FSMContext, sessions: async_sessionmaker[AsyncSession]
) -> bool:
    """Whether it is a reply to a question of ours, whomever that asks: then it is no idea."""
    message = update.message
    if message is None or message.reply_to_message is None or _is_slashed(message):
        return False
    question_id = message.reply_to_message.message_id
    if await dialogue.asked(state, question_id) is not None:
        return True
    async with autocommit(sessions) as session:
        return await approvals.question(session, message.chat.id, question_id) is not None


async def is_command(message: Message, bot: Bot) -> bool:
    """Whether it begins with a command, unless that names another bot."""
    words = _words(message)
    if not words.startswith("/"):
        return False
    mention = words.split(maxsplit=1)[0].partition("@")[2]
    return not mention or mention.lower() == ((await bot.me()).username or "").lower()


def _is_slashed(message: Message) -> bool:
    return _words(message).startswith("/")


def _words(message: Message) -> str:
    return message.text or message.caption or ""


def _command(words: str) -> str:
    return words.split(maxsplit=1)[0].removeprefix("/").partition("@")[0]
