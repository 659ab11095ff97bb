"""Text messages: sending, editing, deleting, copying, forwarding, reacting."""

import time
from dataclasses import replace

from aiogram.methods import (
    CopyMessage,
    DeleteMessage,
    DeleteMessages,
    EditMessageReplyMarkup,
    EditMessageText,
    ForwardMessage,
    SendChatAction,
    SendMessage,
    SetMessageReaction,
)
from aiogram.types import EphemeralMessageParameters

from playground.entities import FormattedText
from playground.errors import BadRequest
from playground.methods.access import has_right, open_thread, readable_chat, writable_chat
from playground.methods.registry import Call, given, method, required
from playground.methods.sending import (
    caption_text,
    message_text,
    new_message,
    post,
    put_content,
)
from playground.state import BOT, PRESENT, Chat, JsonObject, Media, Message, without_none

DELETABLE_FOR_S = 48 * 3600
_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
_UNCHANGED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


@method(SendMessage, messages=lambda _: 1)
def send_message(call: Call, args: SendMessage) -> JsonObject:
    """sendMessage."""
    chat = writable_chat(call.world, args.chat_id)
    content = message_text(args.text, args.parse_mode, args.entities)
    message = put_content(new_message(call, chat, args), content)
    message.markup = call.markup()
    if args.ephemeral_message_parameters is not None:
        message.receiver_id = _receiver(call, chat, args.ephemeral_message_parameters)
    return call.world.rendered(post(call, chat, message))


def _receiver(call: Call, chat: Chat, parameters: EphemeralMessageParameters) -> int:
    """Who is to see an ephemeral message: somebody in the group, who has just pressed a button if
    the bot says so. Raises BadRequest."""
    if chat.kind not in ("group", "supergroup"):
        raise BadRequest("ephemeral messages can be sent only to groups and supergroups")
    member = chat.members.get(parameters.receiver_user_id)
    if member is None or member.status not in PRESENT:
        raise BadRequest("USER_NOT_PARTICIPANT")
    query_id = parameters.callback_query_id
    if query_id is not None and query_id not in call.world.queries:
        raise BadRequest("query is too old and response timeout expired or query ID is invalid")
    return parameters.receiver_user_id


def editable(call: Call, chat_id: int | str | None, message_id: int | None) -> Message:
    """A message that the bot may edit. Raises BadRequest in Telegram's words."""
    chat = readable_chat(call.world, chat_id)
    if message_id is None:
        raise BadRequest("message identifier is not specified")
    message = call.world.message(chat.id, message_id)
    if message is None:
        raise BadRequest("message to edit not found")
    own = message.sender_id == BOT
    if chat.kind == "channel":
        own = message.by_bot and has_right(chat, "can_post_messages")
        own = own or has_right(chat, "can_edit_messages")
    if not own or message.service or message.forward_origin is not None:
        raise BadRequest("message can't be edited")
    if message.markup is not None and "inline_keyboard" not in message.markup:
        raise BadRequest("message can't be edited")
    return message


def finish_edit(
    call: Call,
    message: Message,
    content: FormattedText | None,
    markup: JsonObject | None,
    media: Media | None = None,
) -> JsonObject:
    """Store an edit; `media` None keeps what is there. Raises BadRequest when nothing changes."""
    text, entities = message.text, message.entities
    if content is not None:
        text, entities = content.text or None, content.entities
    before = (message.text, message.entities, message.markup, message.media)
    after = (text, entities, markup, media or message.media)
    if before == after:
        raise BadRequest(_UNCHANGED)
    message.text, message.entities, message.markup, message.media = after
    message.edit_date = int(time.time())
    return call.world.rendered(call.world.put(message))


@method(EditMessageText, messages=lambda _: 1)
def edit_message_text(call: Call, args: EditMessageText) -> JsonObject:
    """editMessageText."""
    message = editable(call, args.chat_id, args.message_id)
    if message.media is not None or message.order is not None:
        raise BadRequest("there is no text in the message to edit")
    content = message_text(args.text or "", args.parse_mode, args.entities)
    return finish_edit(call, message, content, call.inline_markup())


@method(EditMessageReplyMarkup, messages=lambda _: 1)
def edit_message_reply_markup(call: Call, args: EditMessageReplyMarkup) -> JsonObject:
    """editMessageReplyMarkup."""
    message = editable(call, args.chat_id, args.message_id)
    return finish_edit(call, message, None, call.inline_markup(invoice=message.order is not None))


def _check_deletable(chat: Chat, message: Message) -> None:
    if chat.kind != "private" and has_right(chat, "can_delete_messages"):
        return
    own = message.sender_id == BOT or (chat.kind == "channel" and message.sender_id is None)
    if not own and chat.kind != "private":
        raise BadRequest("message can't be deleted")
    if time.time() - message.date > DELETABLE_FOR_S:
        raise BadRequest("message can't be deleted for everyone")


@method(DeleteMessage)
def delete_message(call: Call, args: DeleteMessage) -> bool:
    """deleteMessage."""
    chat = readable_chat(call.world, args.chat_id)
    message = call.world.message(chat.id, args.message_id)
    if message is None:
        raise BadRequest("message to delete not found")
    _check_deletable(chat, message)
    call.world.delete(message)
    return True


@method(DeleteMessages)
def delete_messages(call: Call, args: DeleteMessages) -> bool:
    """deleteMessages: what is not there is passed over, as Telegram does."""
    chat = readable_chat(call.world, args.chat_id)
    if not 1 <= len(args.message_ids) <= 100:
        raise BadRequest("too many message identifiers specified")
    found = [call.world.message(chat.id, message_id) for message_id in args.message_ids]
    there = [message for message in found if message is not None]
    for message in there:
        _check_deletable(chat, message)
    for message in there:
        call.world.delete(message)
    return True


def _source(call: Call, chat_id: int | str, message_id: int, verb: str) -> Message:
    source = call.world.message(readable_chat(call.world, chat_id).id, message_id)
    if source is None:
        raise BadRequest(f"message to {verb} not found")
    if source.service or source.protected:
        raise BadRequest(f"the message can't be {verb}ed".replace("copyed", "copied"))
    return source


@method(CopyMessage, messages=lambda _: 1)
def copy_message(call: Call, args: CopyMessage) -> JsonObject:
    """copyMessage."""
    source = _source(call, args.from_chat_id, args.message_id, "copy")
    if source.order is not None:
        raise BadRequest("the message can't be copied")
    what = "text messages" if source.media is None else f"{source.media.kind}s"
    chat = writable_chat(call.world, args.chat_id, what)
    message = new_message(call, chat, args)
    content = FormattedText(source.text or "", source.entities)
    if args.caption is not None and source.media is not None:
        content = caption_text(args.caption, args.parse_mode, args.caption_entities)
    put_content(message, content, source.media)
    message.markup = call.markup()
    return {"message_id": post(call, chat, message).message_id}


@method(ForwardMessage, messages=lambda _: 1)
def forward_message(call: Call, args: ForwardMessage) -> JsonObject:
    """forwardMessage."""
    source = _source(call, args.from_chat_id, args.message_id, "forward")
    chat = writable_chat(call.world, args.chat_id)
    message = Message(
        message_id=0,
        chat_id=chat.id,
        sender_id=None if chat.kind == "channel" else BOT,
        by_bot=True,
        date=int(time.time()),
        text=source.text,
        entities=source.entities,
        media=source.media,
        order=replace(source.order, charge_id=None) if source.order else None,
        thread_id=open_thread(chat, args.message_thread_id),
        forward_origin=source.forward_origin or _origin(call, source),
        protected=given(args.protect_content) or False,
    )
    return call.world.rendered(post(call, chat, message))


def _origin(call: Call, source: Message) -> JsonObject:
    if source.sender_id is not None:
        user = call.world.user(source.sender_id)
        return {"type": "user", "sender_user": user, "date": source.date}
    chat = call.world.chat_object(call.world.chats[source.chat_id])
    if chat["type"] == "channel":
        place = {"chat": chat, "message_id": source.message_id}
        return {"type": "channel", **place, "date": source.date}
    return {"type": "chat", "sender_chat": chat, "date": source.date}


@method(SetMessageReaction)
def set_message_reaction(call: Call, args: SetMessageReaction) -> bool:
    """setMessageReaction: at most one from a bot."""
    chat = readable_chat(call.world, args.chat_id)
    message = call.world.message(chat.id, args.message_id)
    if message is None:
        raise BadRequest("message to react not found")
    reactions = args.reaction or []
    if len(reactions) > 1:
        raise BadRequest("REACTIONS_TOO_MANY")
    message.reactions[BOT] = [one.model_dump(mode="json", exclude_none=True) for one in reactions]
    if not reactions:
        del message.reactions[BOT]
    call.world.put(message)
    return True


@method(SendChatAction)
def send_chat_action(call: Call, args: SendChatAction) -> bool:
    """sendChatAction: pages show it for five seconds."""
    chat = writable_chat(call.world, args.chat_id)
    open_thread(chat, args.message_thread_id)
    if required(args.action, "action") not in _ACTIONS:
        raise BadRequest("wrong parameter action in request")
    call.world.feed.publish(
        "action",
        without_none(
            {
                "chat_id": chat.id,
                "action": args.action,
                "message_thread_id": args.message_thread_id,
            }
        ),
    )
    return True
