"""What handlers of buttons share: the card that comes of a tap, and not doing a thing twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiogram import Bot
from aiogram.types import CallbackQuery
from redis.asyncio import Redis

from bot.delivery import edit_card, send_card
from bot.errors import SendError
from bot.views import Card
from bot.who import card_of, thread_of

_DOUBLE_TAP_S = 5

Press = Callable[[str], Awaitable[None]]
"""Does what another button of the same message would do; it takes what that button carries."""


async def edit(bot: Bot, query: CallbackQuery, card: Card) -> None:
    """Turns the message whose button was pressed into this card."""
    at = card_of(query)
    await edit_card(bot, card, at.chat.id, at.message_id)


async def send_below(bot: Bot, query: CallbackQuery, card: Card) -> int:
    """Sends a card to where the button was pressed; its message id."""
    at = card_of(query)
    return await send_card(bot, card, at.chat.id, thread_of(at))


async def take_buttons(bot: Bot, chat_id: int, message_id: int) -> None:
    """Takes the buttons off a message whose question is over. Where that fails they stay, and say
    so when they are pressed."""
    with suppress(SendError):
        await bot.edit_message_reply_markup(
            chat_id=chat_id, message_id=message_id, reply_markup=None
        )


async def is_first_tap(redis: Redis, query: CallbackQuery, action: str) -> bool:
    """Whether this card's action was not asked for within the last few seconds.

    For what no row of the database can tell twice from once: a nervous second tap is no second
    wish. The same tap handled once more is still the first.
    """
    card = card_of(query)
    key = f"tapped:{card.chat.id}:{card.message_id}:{action}"
    first = await redis.set(key, query.id, nx=True, get=True, ex=_DOUBLE_TAP_S)
    return first is None or first.decode() == query.id
