"""Files that people send: fetched with a limit, and without the token in any error."""

from __future__ import annotations

import io

from aiogram import Bot
from aiogram.types import Message
from aiohttp import ClientError

from bot.errors import BadUpload

MAX_BYTES = 10 * 2**20


async def picture_of(bot: Bot, message: Message) -> bytes:
    """The picture in a message, sent as a photo or a file. Raises BadUpload."""
    file = message.photo[-1] if message.photo else message.document
    if file is None:
        raise BadUpload("not_an_image")
    if (file.file_size or 0) > MAX_BYTES:
        raise BadUpload("too_large")
    buffer = io.BytesIO()
    try:
        await bot.download(file, buffer)
    except (ClientError, TimeoutError, OSError):
        # `from None`: aiohttp's error holds the file's address, and with it the bot's token.
        raise BadUpload("broken") from None
    return buffer.getvalue()
