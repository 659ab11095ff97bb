"""Files that people send: fetched with a limit, and without the token in any error."""

from __future__ import annotations

import asyncio
import io

from aiogram import Bot, F
from aiogram.types import Document, Message, PhotoSize
from aiohttp import ClientError

from bot.errors import BadUpload, Undeliverable
from db import images
from pipeline.images import clean_photo

MAX_BYTES = 20 * 2**20
"""The most that Telegram gives to bots: https://core.telegram.org/bots/api#getfile"""

IS_PICTURE = F.photo | F.document.mime_type.startswith("image/")


def has_picture(message: Message) -> bool:
    """Whether a picture was sent, as a photo or as a file."""
    return bool(IS_PICTURE.resolve(message))


async def keep_photo(bot: Bot, store: images.Store, message: Message) -> str:
    """Stores the picture in a message as a photo to start from; its key.

    Raises BadUpload, pipeline's BadImage.
    """
    data = await picture_of(bot, message)
    key = photo_key(message)
    await store.put(key, await asyncio.to_thread(clean_photo, data))
    return key


def photo_key(message: Message) -> str:
    """Where the picture in a message is kept. Raises BadUpload."""
    return images.photo_key(message.chat.id, message.message_id, _file(message).file_unique_id)


async def picture_of(bot: Bot, message: Message) -> bytes:
    """The picture in a message, sent as a photo or a file. Raises BadUpload."""
    file = _file(message)
    if (file.file_size or 0) > MAX_BYTES:
        raise BadUpload("too_large")
    buffer = io.BytesIO()
    try:
        await bot.download(file, buffer)
    except Undeliverable:  # Telegram finds it too large, whatever its size was said to be.
        raise BadUpload("too_large") from None
    except (ClientError, TimeoutError, OSError):
        # `from None`: aiohttp's error holds the file's address, and with it the bot's token.
        raise BadUpload("broken") from None
    return buffer.getvalue()


def _file(message: Message) -> PhotoSize | Document:
    file = message.photo[-1] if message.photo else message.document
    if file is None:
        raise BadUpload("not_an_image")
    return file
