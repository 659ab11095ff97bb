"""Publishing a post: what Telegram must allow, and the call itself, for the preview as well.

They raise the `SendError`s of `bot.errors` (`FileRefused` for a stored file_id), and whatever
`load` raises before the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiogram import Bot
from aiogram.types import ChatMemberAdministrator, ChatMemberOwner, InputMediaPhoto

from bot.delivery import Load, picture
from bot.errors import Undeliverable
from db.views import PredictionView

GONE = frozenset({"blocked", "no_chat", "no_rights"})
"""Reasons of `Undeliverable` that are the channel's, not the post's."""


async def may_post(bot: Bot, chat_id: int, user_id: int) -> bool:
    """Whether somebody, the bot itself perhaps, may post in a channel now."""
    try:
        member = await bot.get_chat_member(chat_id, user_id)
    except Undeliverable:
        return False  # the bot is not there, or neither is the channel
    return isinstance(member, ChatMemberOwner) or (
        isinstance(member, ChatMemberAdministrator) and bool(member.can_post_messages)
    )


async def send_post(
    bot: Bot,
    task_id: int,
    images: Sequence[PredictionView],
    caption: str,
    chat_id: int,
    thread_id: int | None,
    load: Load,
) -> tuple[int, ...]:
    """The pictures of a post with its caption (HTML) under them; the message ids in order."""
    files = await asyncio.gather(*(picture(task_id, image, load) for image in images))
    if len(files) == 1:
        sent = await bot.send_photo(
            chat_id, files[0], caption=caption or None, message_thread_id=thread_id
        )
        return (sent.message_id,)
    media = [
        InputMediaPhoto(media=file, caption=(caption or None) if place == 0 else None)
        for place, file in enumerate(files)
    ]
    messages = await bot.send_media_group(chat_id, list(media), message_thread_id=thread_id)
    return tuple(message.message_id for message in messages)
