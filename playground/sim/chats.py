"""Chats as a person's screen shows them: the list, the messages, files, commands, live events."""

import asyncio
from typing import Literal

from aiohttp import web
from pydantic import Field

from playground import render
from playground.commands import commands_for, description_for
from playground.demo import all_rights
from playground.errors import SimError
from playground.files import content_of
from playground.members import change_bot
from playground.services import open_topic
from playground.sim.http import Body, Routes, chat_of, number_in, read_body, reply
from playground.state import (
    PRESENT,
    Chat,
    ChatKind,
    JsonObject,
    Member,
    MemberStatus,
    Person,
    json_text,
    without_none,
)
from playground.world import World

LONGEST_WAIT_S = 60.0
_HEARTBEAT_S = 15.0
_FIRST_NEW_PERSON = 2001


class NewMember(Body):
    """Somebody in a new chat; an unknown id makes a new person."""

    id: int | None = None
    first_name: str = "Гость"
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    status: MemberStatus = "member"
    rights: dict[str, bool] | None = None


class NewChat(Body):
    """A chat to make."""

    type: ChatKind
    id: int | None = None
    title: str | None = None
    username: str | None = None
    members: list[NewMember] = Field(default_factory=list)
    bot_status: MemberStatus = "member"
    bot_rights: dict[str, bool] | None = None
    is_forum: bool = False
    topics: list[str] = Field(default_factory=list)


class ChatRoutes(Routes):
    """Looking at chats, and making them."""

    def routes(self) -> list[web.RouteDef]:
        """Where people look."""
        return [
            self.get("/sim/bots", self.bots),
            self.get("/sim/chats", self.chats),
            self.post("/sim/chats", self.create),
            self.get("/sim/chats/{chat}/messages", self.messages),
            self.get("/sim/file/{file_id}", self.file),
            self.get("/sim/commands", self.commands),
            self.get("/sim/events", self.events),
        ]

    async def bots(self, _: web.Request) -> web.Response:
        """Every bot, the first one first."""
        users = [render.bot_user(world.profile) for world in self.telegram.worlds]
        return reply({"bots": users})

    async def chats(self, request: web.Request) -> web.Response:
        """Every chat with its members and its last message."""
        world = self.world(request)
        return reply({"chats": [chat_view(world, chat) for chat in world.chats.values()]})

    async def create(self, request: web.Request) -> web.Response:
        """Make a chat; a group or channel tells the bot that it was added."""
        world = self.world(request)
        body = await read_body(request, NewChat)
        chat = _create_private(world, body) if body.type == "private" else _create(world, body)
        return reply(chat_view(world, chat))

    async def messages(self, request: web.Request) -> web.Response:
        """Messages as they stand now; with `since`, what has changed, waiting for it."""
        world = self.world(request)
        chat = chat_of(world, request)
        since = number_in(request, "since")
        if since is None:
            found = [one for one in world.messages.get(chat.id, {}).values() if not one.deleted]
        else:
            await _wait_for_change(world, chat, since, _wait_s(request))
            changed = [one for one in world.messages.get(chat.id, {}).values() if one.seq > since]
            found = sorted(changed, key=lambda one: one.seq)
        return reply({"seq": chat.seq, "messages": [world.shown(one) for one in found]})

    async def file(self, request: web.Request) -> web.Response:
        """A file's bytes, as a browser can show them."""
        world = self.world(request)
        file = world.files.get(request.match_info["file_id"])
        if file is None:
            raise SimError("no such file", 404)
        try:
            content, mime = await asyncio.to_thread(content_of, world, file)
        except FileNotFoundError as error:
            raise SimError("the file's bytes are gone", 404) from error
        headers = {"Cache-Control": "private, max-age=31536000, immutable"}
        return web.Response(body=content, content_type=mime.partition(";")[0], headers=headers)

    async def commands(self, request: web.Request) -> web.Response:
        """The command menu of a person in a chat, and how the bot describes itself to them."""
        world = self.world(request)
        chat = world.chats.get(number_in(request, "chat") or 0)
        if chat is None:
            raise SimError("no such chat", 404)
        user_id = number_in(request, "user") or chat.id
        return reply(
            {
                "commands": commands_for(world, chat, user_id),
                "description": description_for(world, user_id),
            }
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events until the page or the server goes."""
        world = self.world(request)
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        page = world.feed.open()
        try:
            await response.prepare(request)
            await response.write(b": open\n\n")
            while True:
                try:
                    event = await asyncio.wait_for(page.get(), _HEARTBEAT_S)
                except TimeoutError:
                    await response.write(b": alive\n\n")
                    continue
                if event is None:
                    return response
                text = f"event: {event.name}\ndata: {json_text(event.data)}\n\n"
                await response.write(text.encode())
        except ConnectionResetError:
            return response
        finally:
            world.feed.leave(page)


def _wait_s(request: web.Request) -> float:
    """How long to wait for a change, in seconds. Raises SimError."""
    try:
        wait_s = float(request.query.get("wait", "0"))
    except ValueError as error:
        raise SimError("wait must be a number of seconds") from error
    return wait_s if 0 <= wait_s <= LONGEST_WAIT_S else LONGEST_WAIT_S


async def _wait_for_change(world: World, chat: Chat, since: int, wait_s: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while chat.seq <= since and (left := deadline - loop.time()) > 0:
        await world.changes.wait(left)


def chat_view(world: World, chat: Chat) -> JsonObject:
    """A chat for the list of chats."""
    members = [
        {**world.user(user_id), "status": member.status, "rights": member.rights}
        for user_id, member in chat.members.items()
    ]
    messages = reversed(world.messages.get(chat.id, {}).values())
    there = (one for one in messages if not one.deleted and one.receiver_id is None)
    last = next(there, None)
    shown = world.chat_object(chat)
    return without_none(
        {
            **shown,
            "title": chat.title or shown.get("first_name"),
            "members": members,
            "bot_status": chat.bot.status,
            "bot_rights": chat.bot.rights,
            "is_forum": chat.is_forum,
            "topics": [
                {"message_thread_id": one.thread_id, "name": one.name, "closed": one.closed}
                for one in chat.topics.values()
            ],
            "migrated_to": chat.migrated_to,
            "last_message": world.shown(last) if last else None,
            "seq": chat.seq,
        }
    )


def _person(world: World, new: NewMember) -> Person:
    """A known person as they are, with what is given changed; or a new one."""
    user_id = new.id or max([*world.people, _FIRST_NEW_PERSON - 1]) + 1
    if user_id <= 0:
        raise SimError("a person's id must be positive")
    person = world.people.get(user_id) or Person(user_id, new.first_name)
    for name in new.model_fields_set & {"first_name", "last_name", "username", "language_code"}:
        setattr(person, name, getattr(new, name))
    world.save_person(person)
    return person


def _create_private(world: World, body: NewChat) -> Chat:
    new = body.members[0] if body.members else NewMember()
    if body.id is not None:
        new.id = body.id
    if body.title and "first_name" not in new.model_fields_set:
        new.first_name = body.title
    person = _person(world, new)
    chat = world.chats.get(person.id) or world.open_private_chat(person)
    chat.bot = Member(body.bot_status)
    world.save_chat(chat)
    return chat


def _create(world: World, body: NewChat) -> Chat:
    chat_id = body.id or free_chat_id(world, body.type)
    if chat_id >= 0 or chat_id in world.chats:
        raise SimError(f"chat id {chat_id} is taken or not negative")
    if body.topics and body.type != "supergroup":
        raise SimError("only a supergroup has topics")
    chat = Chat(chat_id, body.type, title=body.title or "Чат", username=body.username)
    chat.bot = Member("left")
    chat.is_forum = body.is_forum or bool(body.topics)
    for new in body.members:
        rights = new.rights
        if rights is None:
            rights = all_rights(body.type) if new.status == "administrator" else {}
        chat.members[_person(world, new).id] = Member(new.status, rights)
    world.save_chat(chat)
    by = next(iter(chat.members), None)
    if by is not None:
        for name in body.topics:
            open_topic(world, chat, by, name)
    standing = Member(body.bot_status, body.bot_rights or {})
    if body.bot_rights is None and body.bot_status == "administrator":
        standing.rights = all_rights(body.type)
    if by is None or body.bot_status not in PRESENT:
        chat.bot = standing
        world.save_chat(chat)
    else:
        change_bot(world, chat, standing, by)
    return chat


def free_chat_id(world: World, kind: Literal["group", "supergroup", "channel"] | ChatKind) -> int:
    """A chat id as Telegram would give it: groups -N, supergroups and channels -100..N."""
    base = 0 if kind == "group" else -1_000_000_000_000
    number = 5001
    while base - number in world.chats:
        number += 1
    return base - number
