"""Photos, documents and albums: sending, editing, and fetching files."""

from aiogram.methods import (
    EditMessageCaption,
    EditMessageMedia,
    GetFile,
    SendDocument,
    SendMediaGroup,
    SendPhoto,
)
from aiogram.types import InputFile, InputMediaDocument, InputMediaPhoto

from playground.errors import BadRequest
from playground.files import DOWNLOAD_BYTES_AT_MOST, known, take_document, take_photo
from playground.methods.access import writable_chat
from playground.methods.messages import editable, finish_edit
from playground.methods.registry import Call, given, method
from playground.methods.sending import (
    Sending,
    caption_text,
    new_message,
    post,
    put_content,
)
from playground.state import Chat, JsonObject, Media, Message
from playground.world import new_query_id

ALBUM_AT_LEAST, ALBUM_AT_MOST = 2, 10


def _media(call: Call, kind: str, reference: str | InputFile, *, spoiler: bool = False) -> Media:
    """What a media field points at: an upload that came along, or a file_id."""
    if not isinstance(reference, str) or not reference:
        raise BadRequest(f"there is no {kind} in the request")
    if not reference.startswith("attach://"):
        if reference.startswith(("http://", "https://")):
            # No playground reaches out of its machine.
            raise BadRequest("failed to get HTTP URL content")
        return known(call.world, kind, reference, spoiler=spoiler)
    upload = call.uploads.get(reference.removeprefix("attach://"))
    if upload is None:
        raise BadRequest(f"there is no {kind} in the request")
    if kind == "photo":
        return take_photo(call.world, upload, spoiler=spoiler)
    return take_document(call.world, upload)


@method(SendPhoto, messages=lambda _: 1)
def send_photo(call: Call, args: SendPhoto) -> JsonObject:
    """sendPhoto."""
    chat = writable_chat(call.world, args.chat_id, "photos")
    caption = caption_text(args.caption, args.parse_mode, args.caption_entities)
    message = new_message(call, chat, args)
    message.markup = call.markup()
    media = _media(call, "photo", args.photo, spoiler=bool(args.has_spoiler))
    return call.world.rendered(post(call, chat, put_content(message, caption, media)))


@method(SendDocument, messages=lambda _: 1)
def send_document(call: Call, args: SendDocument) -> JsonObject:
    """sendDocument."""
    chat = writable_chat(call.world, args.chat_id, "documents")
    caption = caption_text(args.caption, args.parse_mode, args.caption_entities)
    message = new_message(call, chat, args)
    message.markup = call.markup()
    media = _media(call, "document", args.document)
    return call.world.rendered(post(call, chat, put_content(message, caption, media)))


def _item(call: Call, chat: Chat, args: Sending, item: object) -> Message:
    """One album item as a message, not posted yet."""
    if not isinstance(item, InputMediaPhoto | InputMediaDocument):
        raise BadRequest("can't use the media of the specified type in the album")
    caption = caption_text(item.caption, item.parse_mode, item.caption_entities)
    spoiler = isinstance(item, InputMediaPhoto) and bool(item.has_spoiler)
    media = _media(call, item.type, item.media, spoiler=spoiler)
    return put_content(new_message(call, chat, args), caption, media)


@method(SendMediaGroup, messages=lambda args: len(args.media))
def send_media_group(call: Call, args: SendMediaGroup) -> list[JsonObject]:
    """sendMediaGroup: 2-10 of one kind, no keyboard; all of it is checked before any is sent."""
    if call.raw_markup not in (None, ""):
        raise BadRequest("reply markup is not allowed in an album")
    if not args.media:
        raise BadRequest("there must be at least one media in the group")
    if not ALBUM_AT_LEAST <= len(args.media) <= ALBUM_AT_MOST:
        raise BadRequest(
            f"the number of media in an album must be {ALBUM_AT_LEAST}-{ALBUM_AT_MOST}"
        )
    if len({item.type for item in args.media} & {"photo", "document"}) > 1:
        raise BadRequest("document can't be mixed with other media types")
    chat = writable_chat(call.world, args.chat_id, "photos")
    messages = [_item(call, chat, args, item) for item in args.media]
    group_id = new_query_id()
    for message in messages:
        message.media_group_id = group_id
    if call.partial:
        sent = messages[: len(messages) // 2]
        for message in sent:
            post(call, chat, message)
        place = f"failed to send message #{len(sent) + 1}"
        raise BadRequest(f'{place} with the error message "Internal Server Error"')
    return [call.world.rendered(post(call, chat, message)) for message in messages]


@method(EditMessageCaption, messages=lambda _: 1)
def edit_message_caption(call: Call, args: EditMessageCaption) -> JsonObject:
    """editMessageCaption."""
    message = editable(call, args.chat_id, args.message_id)
    if message.media is None:
        raise BadRequest("there is no caption in the message to edit")
    caption = caption_text(args.caption, args.parse_mode, args.caption_entities)
    return finish_edit(call, message, caption, call.inline_markup())


@method(EditMessageMedia, messages=lambda _: 1)
def edit_message_media(call: Call, args: EditMessageMedia) -> JsonObject:
    """editMessageMedia: another picture or document in the same message."""
    message = editable(call, args.chat_id, args.message_id)
    item = args.media
    if not isinstance(item, InputMediaPhoto | InputMediaDocument):
        raise BadRequest("can't parse InputMedia: only photos and documents are known here")
    if (
        message.media_group_id is not None
        and message.media
        and message.media.kind != str(item.type)
    ):
        raise BadRequest("can't use the media of the specified type in the album")
    caption = caption_text(item.caption, item.parse_mode, item.caption_entities)
    markup = call.inline_markup()
    spoiler = isinstance(item, InputMediaPhoto) and bool(given(item.has_spoiler))
    media = _media(call, item.type, item.media, spoiler=spoiler)
    return finish_edit(call, message, caption, markup, media)


@method(GetFile)
def get_file(call: Call, args: GetFile) -> JsonObject:
    """getFile: files up to 20 MB."""
    file = call.world.files.get(args.file_id)
    if file is None:
        raise BadRequest("wrong file_id or the file is temporarily unavailable")
    if file.size_bytes > DOWNLOAD_BYTES_AT_MOST:
        raise BadRequest("file is too big")
    return {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_path": file.path,
        **({"file_size": file.size_bytes} if file.max_side_px is None else {}),
    }
