"""One bot's Telegram: its people, chats, messages, files and updates, and every change to them.

Each bot lives in a world of its own; no two bots meet in a chat. A world begins without a bot and
takes the first one that makes a call, so that what people wrote before it came is not lost.
"""

import time
from collections.abc import Callable
from secrets import token_hex

from playground import render
from playground.events import Bell, Feed
from playground.state import (
    BOT,
    PRESENT,
    Charge,
    Chat,
    File,
    JsonObject,
    Member,
    Message,
    Order,
    Person,
    Profile,
    Query,
)
from playground.store import Store
from playground.updates import FIRST_UPDATE_ID, Update, UpdateQueue, is_allowed

ANSWER_WITHIN_S = {"callback": 60.0, "pre_checkout": 10.0}
"""How long Telegram takes an answer; for callbacks it is not documented, about a minute."""


class World:
    """Everything one bot can see. Changes are saved; `store.flush` puts them on disk."""

    def __init__(self, number: int, profile: Profile, store: Store) -> None:
        self.number = number
        self.profile = profile
        self.store = store
        self.people: dict[int, Person] = {}
        self.chats: dict[int, Chat] = {}
        self.messages: dict[int, dict[int, Message]] = {}
        self.files: dict[str, File] = {}
        self.by_path: dict[str, File] = {}
        self.by_blob: dict[str, list[File]] = {}
        self.queries: dict[str, Query] = {}
        self.charges: dict[str, Charge] = {}
        self.links: dict[str, Order] = {}
        self.updates = UpdateQueue()
        self.feed = Feed()
        self.changes = Bell()
        self.answers: dict[str, Callable[[JsonObject], None]] = {}

    @classmethod
    def load(cls, number: int, store: Store) -> "World":
        """A world as it was when it was last flushed."""
        world = cls(number, next(store.load(number, "profile", Profile)), store)
        world.people = {person.id: person for person in store.load(number, "person", Person)}
        world.chats = {chat.id: chat for chat in store.load(number, "chat", Chat)}
        for message in store.load(number, "message", Message):
            world.messages.setdefault(message.chat_id, {})[message.message_id] = message
        for chat_id, messages in world.messages.items():
            world.messages[chat_id] = dict(sorted(messages.items()))
        for file in sorted(store.load(number, "file", File), key=lambda one: one.number):
            world._index(file)
        world.queries = {query.id: query for query in store.load(number, "query", Query)}
        world.charges = {
            charge.charge_id: charge for charge in store.load(number, "charge", Charge)
        }
        world.links = {order.link: order for order in store.load(number, "link", Order)}
        for update in sorted(store.load(number, "update", Update), key=lambda one: one.place):
            world.updates.pending[update.place] = update
        return world

    # saving

    def _save(self, kind: str, key: object, record: object) -> None:
        self.store.save(self.number, kind, str(key), record)

    def save_profile(self) -> None:
        """The bot's own data changed."""
        self._save("profile", "", self.profile)

    def save_person(self, person: Person) -> None:
        """A person is new or changed."""
        self.people[person.id] = person
        self._save("person", person.id, person)

    def save_chat(self, chat: Chat) -> None:
        """A chat is new or changed; pages hear of it."""
        self.chats[chat.id] = chat
        self._save("chat", chat.id, chat)
        self.feed.publish("chat", {"chat_id": chat.id})

    def save_file(self, file: File) -> None:
        """A file came in."""
        self._index(file)
        self._save("file", file.file_id, file)

    def _index(self, file: File) -> None:
        self.files[file.file_id] = file
        self.by_path[file.path] = file
        self.by_blob.setdefault(file.blob, []).append(file)

    def save_charge(self, charge: Charge) -> None:
        """A payment went through or was returned."""
        self.charges[charge.charge_id] = charge
        self._save("charge", charge.charge_id, charge)

    def save_link(self, order: Order) -> None:
        """An invoice that is paid through its link."""
        self.links[order.link] = order
        self._save("link", order.link, order)

    def take_bot(self, bot_id: int, token: str) -> None:
        """The bot of this world has come: put its id where the placeholder's was written down."""
        placeholder, self.profile.id = self.profile.id, bot_id
        self.profile.token = token
        self.save_profile()
        for update in self.updates.pending.values():
            if not update.raw:
                _rename_bot(update.body, placeholder, bot_id)
                self._save("update", update.place, update)
        for messages in self.messages.values():
            for message in messages.values():
                if message.service:
                    _rename_bot(message.service, placeholder, bot_id)
                    self._save("message", f"{message.chat_id}:{message.message_id}", message)

    # chats

    def open_private_chat(self, person: Person) -> Chat:
        """A person starts to talk to the bot."""
        self.save_person(person)
        chat = Chat(person.id, "private", members={person.id: Member("member")})
        self.save_chat(chat)
        return chat

    def user(self, user_id: int) -> JsonObject:
        """A person or the bot as a User."""
        if user_id in (BOT, self.profile.id):
            return render.bot_user(self.profile)
        return render.person_user(self.people[user_id])

    def chat_object(self, chat: Chat) -> JsonObject:
        """A chat as a Chat."""
        return render.chat_object(chat, self.people.get(chat.id))

    # messages

    def next_message_id(self, chat: Chat) -> int:
        """Private chats and basic groups share one count, as in Telegram; others have their own."""
        if chat.kind in ("supergroup", "channel"):
            chat.last_message_id += 1
            return chat.last_message_id
        self.profile.last_message_id += 1
        self.save_profile()
        return self.profile.last_message_id

    def message(self, chat_id: int, message_id: int | None) -> Message | None:
        """A message that is still there."""
        found = self.messages.get(chat_id, {}).get(message_id or 0)
        return None if found is None or found.deleted else found

    def put(self, message: Message) -> Message:
        """Save a new or changed message under a new seq, and tell everybody who looks on."""
        chat = self.chats[message.chat_id]
        chat.seq += 1
        message.seq = chat.seq
        self.messages.setdefault(chat.id, {})[message.message_id] = message
        self._save("message", f"{chat.id}:{message.message_id}", message)
        self._save("chat", chat.id, chat)
        shown = self.shown(message)
        self.feed.publish("message", {"chat_id": chat.id, "seq": chat.seq, "message": shown})
        self.changes.ring()
        return message

    def post(self, chat: Chat, message: Message) -> Message:
        """Add a message; the bot gets an update where Telegram would send one."""
        self.put(message)
        if message.sender_id != BOT and self.bot_sees(chat, message):
            self.push_message(message, edited=False)
        return message

    def push_message(self, message: Message, *, edited: bool) -> None:
        """Queue the update of a new or edited message."""
        post = self.chats[message.chat_id].kind == "channel"
        kind = ("edited_" if edited else "") + ("channel_post" if post else "message")
        self.push(kind, self.rendered(message), queue=message.chat_id)

    def bot_sees(self, chat: Chat, message: Message) -> bool:
        """Membership and privacy mode (core.telegram.org/bots/features#privacy-mode)."""
        if chat.bot.status not in PRESENT:
            return False
        if chat.kind in ("private", "channel") or chat.bot.status == "administrator":
            return True
        if message.service:
            return True
        replied = self.messages[chat.id].get(message.reply_to or 0)
        if replied is not None and replied.sender_id == BOT:
            return True
        return self._is_command_for_bot(message)

    def _is_command_for_bot(self, message: Message) -> bool:
        text = message.text or ""
        if not text.startswith("/"):
            return False
        command = text.split(maxsplit=1)[0]
        name = command.partition("@")[2]
        return not name or name.lower() == self.profile.username.lower()

    def rendered(self, message: Message, *, nested: bool = False) -> JsonObject:
        """A Message as the bot reads it: without reply keyboards, which Telegram keeps back."""
        shown = self._shown(message, nested=nested)
        markup = message.markup or {}
        if "inline_keyboard" not in markup:
            shown.pop("reply_markup", None)
        if message.receiver_id is not None:
            shown |= {"message_id": 0, "ephemeral_message_id": message.message_id}
        return shown

    def shown(self, message: Message) -> JsonObject:
        """A Message as the chat page reads it, with its seq."""
        if message.deleted:
            return {"message_id": message.message_id, "deleted": True, "seq": message.seq}
        shown = self._shown(message, nested=False)
        if message.reactions:
            shown["reactions"] = {
                str(user_id or self.profile.id): given
                for user_id, given in message.reactions.items()
            }
        if message.order is not None:
            shown["checkout"] = render.checkout_object(message.order)
        return {**shown, "seq": message.seq}

    def _shown(self, message: Message, *, nested: bool) -> JsonObject:
        chat = self.chat_object(self.chats[message.chat_id])
        shown: JsonObject = {"message_id": message.message_id}
        shown |= render.sender_fields(message, chat, self.profile, self.people)
        shown |= {"chat": chat, "date": message.date}
        for name in ("edit_date", "media_group_id", "forward_origin", "author_signature"):
            value = getattr(message, name)
            if value is not None:
                shown[name] = value
        if message.thread_id is not None:
            shown |= {"message_thread_id": message.thread_id, "is_topic_message": True}
        if message.protected:
            shown["has_protected_content"] = True
        if message.receiver_id is not None:
            shown["receiver_user"] = render.person_user(self.people[message.receiver_id])
        replied = self.message(message.chat_id, message.reply_to)
        if replied is not None and not nested:
            shown["reply_to_message"] = self.rendered(replied, nested=True)
        return shown | self._content(message)

    def _content(self, message: Message) -> JsonObject:
        content: JsonObject = {}
        if message.media is not None:
            content |= render.media_fields(message.media, self.files)
        if message.text is not None:
            prefix = "caption" if message.media is not None else "text"
            content[prefix] = message.text
            entities = [self._with_user(entity) for entity in message.entities]
            if entities:
                content["caption_entities" if prefix == "caption" else "entities"] = entities
        if message.order is not None:
            content["invoice"] = render.invoice_object(message.order)
        content |= message.service
        if message.markup is not None:
            content["reply_markup"] = message.markup
        return content

    def _with_user(self, entity: JsonObject) -> JsonObject:
        """A text mention with the whole User in it."""
        mentioned = entity.get("user")
        if isinstance(mentioned, dict) and mentioned.get("id") in self.people:
            return {**entity, "user": render.person_user(self.people[mentioned["id"]])}
        return entity

    def delete(self, message: Message) -> None:
        """Take a message away; its number and seq stay, so that nobody reuses them."""
        message.deleted = True
        message.text, message.media, message.markup, message.service = None, None, None, {}
        chat = self.chats[message.chat_id]
        if message.message_id in chat.pinned:
            chat.pinned.remove(message.message_id)
        self.put(message)

    # updates and queries

    def push(self, kind: str, content: JsonObject, *, queue: int = 0) -> None:
        """Queue an update, unless the bot did not ask for its kind."""
        if is_allowed(kind, self.profile.allowed_updates):
            body: JsonObject = {"update_id": self.next_update_id(), kind: content}
            self._queue(body, queue, raw=False)

    def next_update_id(self) -> int:
        """Update ids go up by one and never start over."""
        last = self.profile.last_update_id or FIRST_UPDATE_ID
        self.profile.last_update_id = last + 1
        self.save_profile()
        return self.profile.last_update_id

    def push_raw(self, body: JsonObject) -> None:
        """Queue any body at all as an update."""
        self._queue(body, queue=0, raw=True)

    def _queue(self, body: JsonObject, queue: int, *, raw: bool) -> None:
        self.profile.last_place += 1
        self.save_profile()
        update = Update(self.profile.last_place, queue, body, raw)
        self._save("update", update.place, update)
        self.updates.add(update)

    def confirm(self, places: list[int]) -> None:
        """The bot has these updates; forget them."""
        for place in places:
            self.updates.pending.pop(place, None)
            self.store.delete(self.number, "update", str(place))

    def ask(self, query: Query) -> Query:
        """Remember a question that the bot may answer once."""
        self.queries[query.id] = query
        self._save("query", query.id, query)
        return query

    def take_query(self, query_id: str, kind: str) -> Query | None:
        """The question being answered, once and in time; None otherwise."""
        query = self.queries.get(query_id)
        if query is None or query.kind != kind:
            return None
        del self.queries[query_id]
        self.store.delete(self.number, "query", query_id)
        return query if time.time() - query.asked_at <= ANSWER_WITHIN_S[kind] else None


def _rename_bot(value: object, old_id: int, new_id: int) -> None:
    """Change the id of a bot's User wherever it stands in a JSON value."""
    if isinstance(value, dict):
        if value.get("is_bot") is True and value.get("id") == old_id:
            value["id"] = new_id
        for inner in value.values():
            _rename_bot(inner, old_id, new_id)
    elif isinstance(value, list):
        for inner in value:
            _rename_bot(inner, old_id, new_id)


def new_query_id() -> str:
    """An id for a callback or pre-checkout query: a long number, as Telegram's are."""
    return str(int(token_hex(8), 16))
