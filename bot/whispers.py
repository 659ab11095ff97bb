"""Notes for one person in a group: Telegram shows them to nobody else there.

An ephemeral message (Bot API 10.2) does not reach everybody, and a server may refuse it: then the
note goes to the private chat, and where the bot may not begin one it says what to do.
"""

from __future__ import annotations

from aiogram import Bot
from aiogram.types import CallbackQuery, EphemeralMessageParameters

from bot.errors import ThreadClosed, Undeliverable
from bot.texts import Html
from bot.who import Who, card_of, thread_of


async def whisper(bot: Bot, query: CallbackQuery, who: Who, text: Html) -> None:
    """Answers a tap in a group with a note that only its presser sees."""
    card = card_of(query)
    to_presser = EphemeralMessageParameters(
        receiver_user_id=who.user_id, callback_query_id=query.id
    )
    try:
        # Telegram takes it for 15 s after the tap, so it comes before all else.
        await bot.send_message(
            card.chat.id,
            text,
            message_thread_id=thread_of(card),
            ephemeral_message_parameters=to_presser,
        )
    except (Undeliverable, ThreadClosed):
        await _in_private(bot, query, who, text)
    else:
        await query.answer()


async def _in_private(bot: Bot, query: CallbackQuery, who: Who, text: Html) -> None:
    name = (await bot.me()).username or ""
    try:
        await bot.send_message(who.user_id, text)
    except Undeliverable:
        words = who.tr.plain(
            "Write to me first: open t.me/{bot}, tap “Start”, then tap here again.", bot=name
        )
        await query.answer(words, show_alert=True)
    else:
        await query.answer(who.tr.plain("Only for you: t.me/{bot}", bot=name), show_alert=True)
