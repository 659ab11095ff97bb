"""What every method that sends a message has in common."""

import time
from typing import Protocol

from aiogram.client.default import Default
from aiogram.types import MessageEntity, ReplyParameters

from playground.entities import FormattedText, finish, parse_html
from playground.errors import BadRequest
from playground.markdown import parse_markdown, parse_markdown_v2
from playground.methods.access import open_thread
from playground.methods.registry import Call, given
from playground.state import BOT, Chat, Media, Message, u16

TEXT_UNITS_AT_MOST = 4096
CAPTION_UNITS_AT_MOST = 1024


class Sending(Protocol):
    """The fields that all sending methods share."""

    @property
    def message_thread_id(self) -> int | None: ...
    @property
    def protect_content(self) -> bool | Default | None: ...
    @property
    def reply_parameters(self) -> ReplyParameters | None: ...
    @property
    def reply_to_message_id(self) -> int | None: ...
    @property
    def allow_sending_without_reply(self) -> bool | None: ...


def formatted(
    text: str, parse_mode: str | Default | None, entities: list[MessageEntity] | None
) -> FormattedText:
    """A text by its parse mode or its given entities. Raises BadRequest."""
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise BadRequest("strings must be encoded in UTF-8")
    mode = (given(parse_mode) or "").lower()
    if entities and not mode:
        given_entities = [entity.model_dump(mode="json", exclude_none=True) for entity in entities]
        return finish(FormattedText(text, given_entities))
    if mode == "html":
        return finish(parse_html(text))
    if mode == "markdownv2":
        return finish(parse_markdown_v2(text))
    if mode == "markdown":
        return finish(parse_markdown(text))
    if mode:
        raise BadRequest("unsupported parse_mode")
    return finish(FormattedText(text, []))


def message_text(
    text: str, parse_mode: str | Default | None, entities: list[MessageEntity] | None
) -> FormattedText:
    """The text of a message: 1-4096 units after parsing. Raises BadRequest."""
    result = formatted(text, parse_mode, entities)
    if not result.text:
        raise BadRequest("message text is empty")
    if u16(result.text) > TEXT_UNITS_AT_MOST:
        raise BadRequest("message is too long")
    return result


def caption_text(
    caption: str | None, parse_mode: str | Default | None, entities: list[MessageEntity] | None
) -> FormattedText:
    """A caption: 0-1024 units after parsing. Raises BadRequest."""
    result = formatted(caption or "", parse_mode, entities)
    if u16(result.text) > CAPTION_UNITS_AT_MOST:
        raise BadRequest("message caption is too long")
    return result


def new_message(call: Call, chat: Chat, sending: Sending) -> Message:
    """A message of the bot with its place in the chat; not posted yet. Raises BadRequest."""
    thread_id = open_thread(chat, sending.message_thread_id)
    reply_to = _reply_to(call, chat, sending)
    if thread_id is None and reply_to is not None:
        thread_id = call.world.messages[chat.id][reply_to].thread_id
    return Message(
        message_id=0,
        chat_id=chat.id,
        sender_id=None if chat.kind == "channel" else BOT,
        by_bot=True,
        date=int(time.time()),
        thread_id=thread_id,
        reply_to=reply_to,
        protected=given(sending.protect_content) or False,
    )


def _reply_to(call: Call, chat: Chat, sending: Sending) -> int | None:
    parameters = sending.reply_parameters
    reply_to = parameters.message_id if parameters else sending.reply_to_message_id
    if reply_to is None:
        return None
    if call.world.message(chat.id, reply_to) is not None:
        return reply_to
    optional = sending.allow_sending_without_reply
    if parameters is not None:
        optional = given(parameters.allow_sending_without_reply)
    if not optional:
        raise BadRequest("message to be replied not found")
    return None


def put_content(message: Message, content: FormattedText, media: Media | None = None) -> Message:
    """Fill a message with text, or with media and its caption."""
    message.text = content.text or None
    message.entities = content.entities
    message.media = media
    return message


def post(call: Call, chat: Chat, message: Message) -> Message:
    """Give a message its number and put it into the chat, for all to see."""
    message.message_id = call.world.next_message_id(chat)
    return call.world.put(message)
