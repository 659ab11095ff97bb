"""The last router: what no other handler knew what to do with gets a kind word, not silence."""

from __future__ import annotations

from aiogram import F, Router
from aiogram.enums import ChatType, ContentType
from aiogram.filters import StateFilter
from aiogram.types import CallbackQuery, Message

from bot import pages
from bot.who import Who

router = Router(name="fallback")

_SENT = {
    ContentType.TEXT,
    ContentType.PHOTO,
    ContentType.DOCUMENT,
    ContentType.STICKER,
    ContentType.VOICE,
    ContentType.VIDEO,
    ContentType.VIDEO_NOTE,
    ContentType.AUDIO,
    ContentType.ANIMATION,
    ContentType.CONTACT,
    ContentType.LOCATION,
    ContentType.VENUE,
    ContentType.POLL,
    ContentType.DICE,
    ContentType.STORY,
}
"""What a person sends; the other types are service messages, which nobody answers."""


@router.callback_query()
async def unknown_button(query: CallbackQuery, who: Who) -> None:
    """A button of an older version, or data that is none of ours."""
    await query.answer(who.tr.plain("This button no longer works. Open the menu again, please."))


@router.message(F.chat.type == ChatType.PRIVATE, F.text.startswith("/"))
async def unknown_command(message: Message, who: Who) -> None:
    await message.reply(who.tr("I don't know this command. What I can do: /help"))


@router.message(F.chat.type == ChatType.PRIVATE, ~StateFilter(None), F.content_type.in_(_SENT))
async def not_an_answer(message: Message, who: Who) -> None:
    await message.reply(who.tr("I am waiting for the answer to my question above. Stop: /cancel"))


@router.message(F.chat.type == ChatType.PRIVATE, F.content_type.in_(_SENT))
async def unknown_content(message: Message, who: Who) -> None:
    await message.reply(pages.what_can_be_sent(who.tr, photos=who.can_start_from_photos))
