"""Sending an album, its action card and its originals: each function is one call to Telegram.

They raise the `SendError`s of `bot.errors` (`FileRefused` for a stored file_id), and whatever
`load` raises before the call; what becomes of a delivery is the worker's to decide.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiogram import Bot
from aiogram.types import (
    BufferedInputFile,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
    ReplyParameters,
)
from PIL import Image

from bot import album_views
from bot.errors import ThreadClosed, Undeliverable
from bot.gateway import FinalEdit, StatusEdit
from bot.views import Card
from db.views import AlbumView, PredictionView

JPEG_QUALITY = 90

Load = Callable[[str], Awaitable[bytes]]
"""The bytes of a stored picture, by its storage key."""

File = BufferedInputFile | str


@dataclass(frozen=True, slots=True)
class SentAlbum:
    """What Telegram gave back: message ids in order, and a file_id for each prediction id."""

    message_ids: tuple[int, ...]
    file_ids: dict[int, str]


async def send_album(
    bot: Bot, album: AlbumView, chat_id: int, thread_id: int | None, load: Load
) -> SentAlbum:
    """The pictures in rank order with their scores: one media group, or a photo if it is one.

    Pictures sent before go by file_id, without their files being read.
    """
    files = await asyncio.gather(*(picture(album.task_id, image, load) for image in album.images))
    caption = album_views.caption(album)
    if len(files) == 1:
        photo = await bot.send_photo(
            chat_id,
            files[0],
            caption=caption,
            message_thread_id=thread_id,
        )
        return _sent(album.images, [photo])
    media = [
        InputMediaPhoto(media=file, caption=caption if place == 0 else None)
        for place, file in enumerate(files)
    ]
    messages = await bot.send_media_group(chat_id, list(media), message_thread_id=thread_id)
    return _sent(album.images, messages)


async def picture(task_id: int, image: PredictionView, load: Load) -> File:
    """A picture to send: by file_id where it has been sent before, else as a JPEG."""
    if image.photo_file_id is not None:
        return image.photo_file_id
    png = await load(image.storage_key)
    data = await asyncio.to_thread(_to_jpeg, png)
    return BufferedInputFile(data, f"vitrina-{task_id}-{image.rank}.jpg")


def _to_jpeg(png: bytes) -> bytes:
    buffer = io.BytesIO()
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
            picture.convert("RGB").save(buffer, "JPEG", quality=JPEG_QUALITY)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's for bytes that are no PNG
        raise Undeliverable("file_broken", str(error)) from error
    return buffer.getvalue()


async def send_actions(
    bot: Bot, album: AlbumView, chat_id: int, thread_id: int | None, reply_to: int | None
) -> SentAlbum:
    """The card with the buttons of an album, in answer to `reply_to`, its first picture."""
    card = album_views.actions(album)
    return SentAlbum((await send_card(bot, card, chat_id, thread_id, reply_to),), {})


async def send_originals(
    bot: Bot,
    album: AlbumView,
    chat_id: int,
    thread_id: int | None,
    load: Load,
    *,
    reply_to: int | None,
    only_best: bool = False,
) -> SentAlbum:
    """The PNG files as documents, in rank order; by file_id where they have been sent before.

    They answer `reply_to`, the album's first picture.
    """
    images = album.images[:1] if only_best else album.images
    files = await asyncio.gather(*(_document(album, image, load) for image in images))
    if len(files) == 1:
        document = await bot.send_document(
            chat_id,
            files[0],
            caption=album_views.best_caption(album) if only_best else None,
            message_thread_id=thread_id,
            disable_content_type_detection=True,
            reply_parameters=_answering(reply_to),
        )
        return _sent(images, [document])
    media = [InputMediaDocument(media=file, disable_content_type_detection=True) for file in files]
    messages = await bot.send_media_group(
        chat_id,
        list(media),
        message_thread_id=thread_id,
        reply_parameters=_answering(reply_to),
    )
    return _sent(images, messages)


async def _document(album: AlbumView, image: PredictionView, load: Load) -> File:
    if image.document_file_id is not None:
        return image.document_file_id
    png = await load(image.storage_key)
    return BufferedInputFile(png, f"vitrina-{album.task_id}-{image.rank}.png")


def _sent(images: Sequence[PredictionView], messages: Sequence[Message]) -> SentAlbum:
    file_ids = {
        image.id: file_id
        for image, message in zip(images, messages, strict=False)
        if (file_id := _file_id(message)) is not None
    }
    return SentAlbum(tuple(message.message_id for message in messages), file_ids)


def _file_id(message: Message) -> str | None:
    if message.photo:
        return message.photo[-1].file_id
    return message.document.file_id if message.document else None


async def send_card(
    bot: Bot, card: Card, chat_id: int, thread_id: int | None, reply_to: int | None = None
) -> int:
    """A new message with this card, in answer to `reply_to` if it is there; its message id."""
    message = await bot.send_message(
        chat_id,
        card.text,
        message_thread_id=thread_id,
        reply_markup=card.keyboard,
        reply_parameters=_answering(reply_to),
    )
    return message.message_id


def _answering(message_id: int | None) -> ReplyParameters | None:
    """Somebody may have deleted what is answered."""
    if message_id is None:
        return None
    return ReplyParameters(message_id=message_id, allow_sending_without_reply=True)


async def send_own_card(
    bot: Bot, card: Card, chat_id: int, thread_id: int | None, reply_to: int | None = None
) -> int:
    """A card that the bot sends of its own accord: where its topic is closed or gone by now, it
    goes to the group, and answers nothing there."""
    try:
        return await send_card(bot, card, chat_id, thread_id, reply_to)
    except ThreadClosed:
        if thread_id is None:
            raise
        return await send_card(bot, card, chat_id, None)


async def edit_card(bot: Bot, card: Card, chat_id: int, message_id: int) -> None:
    """Turns a message into this card. Raises MessageGone."""
    await bot.edit_message_text(
        card.text, chat_id=chat_id, message_id=message_id, reply_markup=card.keyboard
    )


async def edit_status(
    bot: Bot, card: Card, chat_id: int, message_id: int, *, final: bool = False
) -> None:
    """Show a status card in place. Raises MessageGone when a new card must be sent instead.

    A `final` card says how it ended: it is waited for like any message. Another one raises
    RateLimited where no token is free.
    """
    method = FinalEdit if final else StatusEdit
    await bot(
        method(chat_id=chat_id, message_id=message_id, text=card.text, reply_markup=card.keyboard)
    )
