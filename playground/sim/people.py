"""What people do in a chat: write, press buttons, edit, delete, react."""

import asyncio
import time

from aiohttp import web
from pydantic import BaseModel

from playground.calls import Arguments, read_arguments
from playground.entities import FormattedText, finish
from playground.errors import SimError
from playground.files import take_document, take_photo
from playground.markup import inline_buttons
from playground.sim.http import Body, Routes, chat_of, message_in, person_in, read_body, reply
from playground.state import PRESENT, Chat, JsonObject, Media, Message, Query, u16
from playground.world import World, new_query_id

TEXT_UNITS_AT_MOST = 4096
CAPTION_UNITS_AT_MOST = 1024
ANSWER_WAIT_S = 15.0


class Sent(BaseModel):
    """A message by a person; `photo` and `document` come as multipart files."""

    user_id: int | None = None
    text: str | None = None
    caption: str | None = None
    reply_to_message_id: int | None = None
    message_thread_id: int | None = None
    anonymous: bool = False


class Press(Body):
    """A tap on an inline button, named by its text or by its callback data."""

    message_id: int
    user_id: int | None = None
    text: str | None = None
    data: str | None = None
    wait: float = ANSWER_WAIT_S


class Edited(Body):
    """A person's edit of their own message."""

    message_id: int
    text: str
    user_id: int | None = None


class Deleted(Body):
    """A person deletes a message."""

    message_id: int
    user_id: int | None = None


class Reacted(Body):
    """A person's reaction; no emoji takes it back."""

    message_id: int
    user_id: int | None = None
    emoji: str | None = None


class PeopleRoutes(Routes):
    """Acting in chats."""

    def routes(self) -> list[web.RouteDef]:
        """Where people act."""
        return [
            self.post("/sim/chats/{chat}/send", self.send),
            self.post("/sim/chats/{chat}/press", self.press),
            self.post("/sim/chats/{chat}/edit", self.edit),
            self.post("/sim/chats/{chat}/delete", self.remove),
            self.post("/sim/chats/{chat}/react", self.react),
        ]

    async def send(self, request: web.Request) -> web.Response:
        """Write into a chat; a text too long for one message goes out in several, as an app does.

        Answers with the first message.
        """
        world = self.world(request)
        chat = chat_of(world, request)
        arguments = await read_arguments(request, query=False)
        body = Sent.model_validate({k: v for k, v in arguments.fields.items() if v != ""})
        draft = _draft(world, chat, body)
        media = _media(world, arguments)
        contents = _contents(body, media)
        sent = []
        for content in contents:
            message = Message(
                message_id=world.next_message_id(chat),
                chat_id=chat.id,
                sender_id=draft.sender_id,
                date=int(time.time()),
                text=content.text or None,
                entities=content.entities,
                media=media,
                thread_id=draft.thread_id,
                reply_to=draft.reply_to,
            )
            sent.append(world.post(chat, message))
        return reply(world.shown(sent[0]))

    async def press(self, request: web.Request) -> web.Response:
        """Tap an inline button and wait for the bot's answer."""
        world = self.world(request)
        chat = chat_of(world, request)
        body = await read_body(request, Press)
        person = person_in(world, chat, body.user_id)
        message = message_in(world, chat, body.message_id)
        button = _button(message, body)
        if "url" in button:
            return reply({"answer": None, "url": button["url"]})
        if "pay" in button:
            raise SimError("a Pay button is pressed through /sim/pay")
        if "callback_data" not in button:
            raise SimError("this button sends nothing to the bot")
        query = world.ask(Query(new_query_id(), "callback", time.time()))
        answered: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        world.answers[query.id] = answered.set_result
        update: JsonObject = {
            "id": query.id,
            "from": world.user(person.id),
            "message": world.rendered(message),
            "chat_instance": str(abs(chat.id) * 7919),
            "data": button["callback_data"],
        }
        world.push("callback_query", update, queue=person.id + (3 << 33))
        self.telegram.store.flush()
        try:
            answer = await asyncio.wait_for(answered, body.wait)
        except TimeoutError:
            return reply({"answer": None})
        finally:
            world.answers.pop(query.id, None)
        return reply({"answer": answer})

    async def edit(self, request: web.Request) -> web.Response:
        """Edit one's own message."""
        world = self.world(request)
        chat = chat_of(world, request)
        body = await read_body(request, Edited)
        message = _own(world, chat, body.message_id, body.user_id)
        content = finish(FormattedText(body.text, []))
        most = TEXT_UNITS_AT_MOST if message.media is None else CAPTION_UNITS_AT_MOST
        if u16(content.text) > most or not (content.text or message.media):
            raise SimError("the text is empty or too long")
        message.text, message.entities = content.text or None, content.entities
        message.edit_date = int(time.time())
        world.put(message)
        if world.bot_sees(chat, message):
            world.push_message(message, edited=True)
        return reply(world.shown(message))

    async def remove(self, request: web.Request) -> web.Response:
        """Delete a message; in a private chat any, elsewhere one's own or as an administrator."""
        world = self.world(request)
        chat = chat_of(world, request)
        body = await read_body(request, Deleted)
        message = message_in(world, chat, body.message_id)
        person = person_in(world, chat, body.user_id)
        admin = chat.members[person.id].status in ("creator", "administrator")
        if chat.kind != "private" and message.sender_id != person.id and not admin:
            raise SimError("this message is somebody else's")
        world.delete(message)
        return reply(world.shown(message))

    async def react(self, request: web.Request) -> web.Response:
        """React to a message, or take the reaction back."""
        world = self.world(request)
        chat = chat_of(world, request)
        body = await read_body(request, Reacted)
        message = message_in(world, chat, body.message_id)
        person = person_in(world, chat, body.user_id)
        old = message.reactions.pop(person.id, [])
        new: list[JsonObject] = []
        if body.emoji:
            new = [{"type": "emoji", "emoji": body.emoji}]
            message.reactions[person.id] = new
        world.put(message)
        if old != new:
            _push_reaction(world, chat, message, person.id, old, new)
        return reply(world.shown(message))


def _draft(world: World, chat: Chat, body: Sent) -> Message:
    """Who writes and where, checked; not a message in the chat yet."""
    if chat.migrated_to is not None:
        raise SimError(f"this group is now the supergroup {chat.migrated_to}")
    if chat.kind == "private" and chat.bot.status == "kicked":
        raise SimError("the bot is blocked here: unblock it first")
    person = person_in(world, chat, body.user_id)
    member = chat.members[person.id]
    as_chat = chat.kind == "channel" or body.anonymous
    if as_chat and (chat.kind == "private" or member.status not in ("creator", "administrator")):
        raise SimError("only an administrator writes as the chat itself")
    thread_id = body.message_thread_id
    if body.reply_to_message_id is not None:
        replied = message_in(world, chat, body.reply_to_message_id)
        thread_id = replied.thread_id if thread_id is None else thread_id
    if thread_id is not None:
        topic = chat.topics.get(thread_id)
        if topic is None:
            raise SimError(f"no topic {thread_id} in this chat", 404)
        if topic.closed and member.status == "member":
            raise SimError("the topic is closed")
    return Message(
        message_id=0,
        chat_id=chat.id,
        sender_id=None if as_chat else person.id,
        date=0,
        thread_id=thread_id,
        reply_to=body.reply_to_message_id,
    )


def _media(world: World, arguments: Arguments) -> Media | None:
    if "photo" in arguments.files:
        return take_photo(world, arguments.files["photo"])
    if "document" in arguments.files:
        return take_document(world, arguments.files["document"])
    return None


def _contents(body: Sent, media: Media | None) -> list[FormattedText]:
    """The texts to send, each within Telegram's length."""
    text = (body.caption if body.caption is not None else body.text) or ""
    content = finish(FormattedText(text, []))
    if media is not None:
        if u16(content.text) > CAPTION_UNITS_AT_MOST:
            raise SimError("the caption is too long")
        return [content]
    if not content.text:
        raise SimError("there is nothing to send: give text, photo or document")
    parts = [FormattedText(part, []) for part in _split(content.text)]
    return [finish(part) for part in parts]


def _split(text: str) -> list[str]:
    """Cut a text into pieces of at most 4096 UTF-16 units, where an app would cut it."""
    parts = []
    while u16(text) > TEXT_UNITS_AT_MOST:
        cut, units = 0, 0
        while (units := units + u16(text[cut])) <= TEXT_UNITS_AT_MOST:
            cut += 1
        parts.append(text[:cut])
        text = text[cut:]
    return [*parts, text]


def _button(message: Message, press: Press) -> JsonObject:
    buttons = inline_buttons(message.markup)
    if press.text is None and press.data is None:
        raise SimError("say which button: text or data")
    for button in buttons:
        by_text = press.text is not None and button.get("text") == press.text
        if by_text or (press.data is not None and button.get("callback_data") == press.data):
            return button
    raise SimError(f"no such button; there are {[button.get('text') for button in buttons]}", 404)


def _own(world: World, chat: Chat, message_id: int, user_id: int | None) -> Message:
    message = message_in(world, chat, message_id)
    person = person_in(world, chat, user_id)
    channel_post = chat.kind == "channel" and message.sender_id is None
    if (message.sender_id != person.id and not channel_post) or message.service:
        raise SimError("this message is somebody else's")
    return message


def _push_reaction(
    world: World,
    chat: Chat,
    message: Message,
    user_id: int,
    old: list[JsonObject],
    new: list[JsonObject],
) -> None:
    """Bots hear of reactions in private chats, and as administrators elsewhere."""
    if chat.bot.status not in PRESENT:
        return
    if chat.kind != "private" and chat.bot.status != "administrator":
        return
    where: JsonObject = {
        "chat": world.chat_object(chat),
        "message_id": message.message_id,
        "date": int(time.time()),
    }
    if chat.kind == "channel":
        counts: dict[str, int] = {}
        for given in message.reactions.values():
            for reaction in given:
                emoji = str(reaction.get("emoji"))
                counts[emoji] = counts.get(emoji, 0) + 1
        listed = [
            {"type": {"type": "emoji", "emoji": emoji}, "total_count": count}
            for emoji, count in counts.items()
        ]
        world.push("message_reaction_count", {**where, "reactions": listed}, queue=chat.id)
        return
    change = {"user": world.user(user_id), "old_reaction": old, "new_reaction": new}
    world.push("message_reaction", {**where, **change}, queue=chat.id)
