"""The things a Telegram is made of, as they are kept: people, chats, messages, files.

Records are plain and mutable; `world.World` changes them and saves them. The bot itself is sender
`BOT` in a record, so that nothing has to be rewritten when a world gets its bot.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

JsonObject = dict[str, object]

BOT = 0
"""Sender and member id that stands for the bot whose world this is."""

ChatKind = Literal["private", "group", "supergroup", "channel"]
MemberStatus = Literal["creator", "administrator", "member", "restricted", "left", "kicked"]
PRESENT: frozenset[MemberStatus] = frozenset({"creator", "administrator", "member", "restricted"})


@dataclass(slots=True)
class Person:
    """Somebody who can talk to the bot."""

    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None


@dataclass(slots=True)
class Member:
    """Somebody's standing in a chat."""

    status: MemberStatus
    rights: dict[str, bool] = field(default_factory=dict)


@dataclass(slots=True)
class Topic:
    """One topic of a forum; its thread id is the id of the message that opened it."""

    thread_id: int
    name: str
    closed: bool = False


@dataclass(slots=True)
class Chat:
    """A chat and who is in it; the bot's own standing is `bot`."""

    id: int
    kind: ChatKind
    title: str | None = None
    username: str | None = None
    bot: Member = field(default_factory=lambda: Member("member"))
    members: dict[int, Member] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    is_forum: bool = False
    pinned: list[int] = field(default_factory=list)
    invite_link: str | None = None
    migrated_to: int | None = None
    last_message_id: int = 0
    seq: int = 0


@dataclass(slots=True)
class Media:
    """What a message carries besides text: file ids, smallest picture first."""

    kind: Literal["photo", "document"]
    file_ids: list[str]
    has_spoiler: bool = False


@dataclass(slots=True)
class Order:
    """What an invoice asks for; `payload` is the bot's own and never shown to a person.

    `charge_id` and `email` (where `need_email`) are there once it is paid.
    """

    title: str
    description: str
    payload: str
    currency: str
    total_amount: int
    start_parameter: str = ""
    charge_id: str | None = None
    link: str = ""
    need_email: bool = False
    email: str | None = None


@dataclass(slots=True)
class Message:
    """A message as it stands now; `text` is the caption where there is media. An ephemeral one is
    there for its receiver only.

    In a channel all are the chat's own, `by_bot` those that the bot has posted there.
    """

    message_id: int
    chat_id: int
    sender_id: int | None
    date: int
    seq: int = 0
    text: str | None = None
    entities: list[JsonObject] = field(default_factory=list)
    media: Media | None = None
    order: Order | None = None
    service: JsonObject = field(default_factory=dict)
    markup: JsonObject | None = None
    thread_id: int | None = None
    reply_to: int | None = None
    media_group_id: str | None = None
    forward_origin: JsonObject | None = None
    author_signature: str | None = None
    edit_date: int | None = None
    protected: bool = False
    by_bot: bool = False
    reactions: dict[int, list[JsonObject]] = field(default_factory=dict)
    deleted: bool = False
    receiver_id: int | None = None


@dataclass(slots=True)
class File:
    """A stored file; pictures of one upload share a blob, `max_side_px` says how far to shrink."""

    file_id: str
    unique_id: str
    number: int
    kind: Literal["photo", "document"]
    blob: str
    path: str
    size_bytes: int
    mime: str
    name: str | None = None
    width: int | None = None
    height: int | None = None
    max_side_px: int | None = None
    thumbnail_id: str | None = None


@dataclass(slots=True)
class Query:
    """A question to the bot that waits for its answer: a button press or a pre-checkout."""

    id: str
    kind: Literal["callback", "pre_checkout"]
    asked_at: float


@dataclass(slots=True)
class Charge:
    """A payment that went through."""

    charge_id: str
    user_id: int
    chat_id: int
    amount: int
    currency: str
    payload: str
    date: int
    refunded_at: int | None = None
    email: str | None = None


@dataclass(slots=True)
class Webhook:
    """Where updates are sent, and how the last delivery failed."""

    url: str
    secret_token: str | None = None
    max_connections: int = 40
    last_error_date: int | None = None
    last_error_message: str | None = None


@dataclass(slots=True)
class Profile:
    """The bot of a world, its texts and its counters."""

    id: int
    token: str | None = None
    username: str = "vitrina_bot"
    first_name: str = "Vitrina"
    texts: dict[str, str] = field(default_factory=dict)
    commands: dict[str, list[JsonObject]] = field(default_factory=dict)
    menu_buttons: dict[int, JsonObject] = field(default_factory=dict)
    allowed_updates: list[str] | None = None
    webhook: Webhook | None = None
    last_message_id: int = 0
    last_update_id: int = 0
    last_place: int = 0
    last_file: int = 0


def as_number(text: object) -> int | None:
    """An id or number written as text, as forms and addresses carry it; None for anything else."""
    if isinstance(text, str) and re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    return None


def u16(text: str) -> int:
    """Length in UTF-16 code units, the unit of every Telegram limit and offset."""
    return len(text) + sum(char > "\uffff" for char in text)


def json_text(value: object) -> str:
    """Compact JSON, as Telegram writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def without_none(values: Mapping[str, object]) -> JsonObject:
    """Telegram leaves absent fields out; so do we."""
    return {key: value for key, value in values.items() if value is not None}
