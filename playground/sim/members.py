"""Who comes and goes, who may do what, topics, and sharing chats and people with the bot."""

from typing import Literal

from aiohttp import web

from playground.demo import all_rights
from playground.errors import SimError
from playground.markup import reply_buttons
from playground.members import change_bot, change_person
from playground.services import migrate, open_topic, post_service
from playground.sim.chats import chat_view, free_chat_id
from playground.sim.http import Body, Routes, chat_of, person_in, read_body, reply
from playground.state import (
    BOT,
    PRESENT,
    Chat,
    JsonObject,
    Member,
    MemberStatus,
    Message,
    Person,
    Topic,
    without_none,
)
from playground.world import World

Action = Literal[
    "join",
    "leave",
    "kick",
    "promote",
    "demote",
    "restrict",
    "block",
    "unblock",
    "migrate",
    "open_topic",
    "close_topic",
    "reopen_topic",
]
_STATUS: dict[str, MemberStatus] = {
    "join": "member",
    "leave": "left",
    "kick": "kicked",
    "promote": "administrator",
    "demote": "member",
    "restrict": "restricted",
    "block": "kicked",
    "unblock": "member",
}


class Change(Body):
    """What happens to somebody in a chat; `user_id` may be the bot's own id."""

    action: Action
    user_id: int | None = None
    bot: bool = False
    by_user_id: int | None = None
    rights: dict[str, bool] | None = None
    first_name: str | None = None
    language_code: str | None = None
    name: str | None = None
    message_thread_id: int | None = None


class Share(Body):
    """What a person chose after a request_chat or request_users button."""

    request_id: int
    user_id: int | None = None
    message_id: int | None = None
    chat_id: int | None = None
    user_ids: list[int] | None = None


class MemberRoutes(Routes):
    """Members, topics and sharing."""

    def routes(self) -> list[web.RouteDef]:
        """Where standings change."""
        return [
            self.post("/sim/chats/{chat}/members", self.change),
            self.post("/sim/chats/{chat}/share", self.share),
        ]

    async def change(self, request: web.Request) -> web.Response:
        """Change a standing, a topic, or the kind of the chat. Answers with the chat."""
        world = self.world(request)
        chat = chat_of(world, request)
        body = await read_body(request, Change)
        if body.action == "migrate":
            new_id = free_chat_id(world, "supergroup")
            return reply(chat_view(world, migrate(world, chat, _by(world, chat, body), new_id)))
        if body.action.endswith("_topic"):
            topic = _change_topic(world, chat, body)
            return reply({**chat_view(world, chat), "message_thread_id": topic.thread_id})
        about_bot = body.bot or body.user_id == world.profile.id
        if body.action in ("block", "unblock") or about_bot:
            _change_bot(world, chat, body)
        else:
            _change_person(world, chat, body)
        return reply(chat_view(world, chat))

    async def share(self, request: web.Request) -> web.Response:
        """Answer a button that asks for a chat or for people."""
        world = self.world(request)
        chat = chat_of(world, request)
        body = await read_body(request, Share)
        person = person_in(world, chat, body.user_id)
        kind, wanted = _request(world, chat, body)
        if kind == "request_users":
            what = _share_users(world, body, wanted)
        else:
            what = _share_chat(world, body, wanted, person)
        message = post_service(world, chat, person.id, what)
        return reply(world.shown(message))


def _by(world: World, chat: Chat, body: Change) -> int:
    """Who did it: as said, else the owner, else anybody there."""
    if body.by_user_id is not None:
        if body.by_user_id not in world.people:
            raise SimError(f"no person {body.by_user_id}", 404)
        return body.by_user_id
    owners = [one for one, member in chat.members.items() if member.status == "creator"]
    return next(iter([*owners, *chat.members]), BOT)


def _member(chat: Chat, body: Change) -> Member:
    status = _STATUS[body.action]
    rights = body.rights
    if rights is None:
        rights = all_rights(chat.kind) if status == "administrator" else {}
    return Member(status, rights)


def _change_bot(world: World, chat: Chat, body: Change) -> None:
    private = body.action in ("block", "unblock")
    if private != (chat.kind == "private"):
        raise SimError(f"{body.action} does not fit a {chat.kind} chat")
    if chat.migrated_to is not None:
        raise SimError(f"this group is now the supergroup {chat.migrated_to}")
    by = chat.id if private else _by(world, chat, body)
    change_bot(world, chat, _member(chat, body), by)


def _change_person(world: World, chat: Chat, body: Change) -> None:
    if chat.kind == "private":
        raise SimError(f"{body.action} does not fit a private chat")
    if body.user_id is None:
        raise SimError("user_id is needed")
    person = world.people.get(body.user_id)
    if person is None:
        person = Person(body.user_id, body.first_name or "Гость", language_code=body.language_code)
        world.save_person(person)
    by_self = body.action in ("join", "leave") and body.by_user_id is None
    by = person.id if by_self else _by(world, chat, body)
    change_person(world, chat, person.id, _member(chat, body), by)


def _change_topic(world: World, chat: Chat, body: Change) -> Topic:
    """Open a topic, or close and reopen one."""
    if chat.kind != "supergroup":
        raise SimError("only a supergroup has topics")
    person = person_in(world, chat, body.user_id or _by(world, chat, body))
    if body.action == "open_topic":
        return open_topic(world, chat, person.id, body.name or "Тема")
    topic = chat.topics.get(body.message_thread_id or 0)
    if topic is None:
        raise SimError("no such topic: give message_thread_id", 404)
    closed = body.action == "close_topic"
    if topic.closed != closed:
        topic.closed = closed
        world.save_chat(chat)
        said: JsonObject = {"forum_topic_closed" if closed else "forum_topic_reopened": {}}
        post_service(world, chat, person.id, said, thread_id=topic.thread_id)
    return topic


def _request(world: World, chat: Chat, body: Share) -> tuple[str, JsonObject]:
    """(kind, request) of the button that is answered. Raises SimError 404."""
    messages: list[Message] = list(world.messages.get(chat.id, {}).values())
    for message in reversed(messages):
        if message.deleted or body.message_id not in (None, message.message_id):
            continue
        for button in reply_buttons(message.markup):
            for kind in ("request_users", "request_chat"):
                wanted = button.get(kind)
                if isinstance(wanted, dict) and wanted.get("request_id") == body.request_id:
                    return kind, wanted
    raise SimError(f"no button asks for request {body.request_id}", 404)


def _share_users(world: World, body: Share, wanted: JsonObject) -> JsonObject:
    chosen = body.user_ids or []
    most = wanted.get("max_quantity", 1)
    if not chosen or not isinstance(most, int) or len(chosen) > most:
        raise SimError(f"give 1 to {most} user_ids")
    users: list[JsonObject] = []
    for user_id in chosen:
        person = world.people.get(user_id)
        if person is None:
            raise SimError(f"no person {user_id}", 404)
        shown: JsonObject = {"user_id": user_id}
        if wanted.get("request_name"):
            shown |= {"first_name": person.first_name, "last_name": person.last_name}
        if wanted.get("request_username"):
            shown["username"] = person.username
        users.append(without_none(shown))
    return {"users_shared": {"request_id": body.request_id, "users": users}}


def _share_chat(world: World, body: Share, wanted: JsonObject, person: Person) -> JsonObject:
    chat = world.chats.get(body.chat_id or 0)
    if chat is None or chat.kind == "private":
        raise SimError("give the chat_id of a group or channel", 404)
    if bool(wanted.get("chat_is_channel")) != (chat.kind == "channel"):
        raise SimError("the button asks for another kind of chat")
    member = chat.members.get(person.id, Member("left"))
    if wanted.get("chat_is_created") and member.status != "creator":
        raise SimError("the button asks for a chat that the person owns")
    if not _has_rights(member, wanted.get("user_administrator_rights")):
        raise SimError("the button asks for a chat that the person administers, with its rights")
    _let_bot_in(world, chat, wanted, person, member)
    shown: JsonObject = {"request_id": body.request_id, "chat_id": chat.id}
    if wanted.get("request_title"):
        shown["title"] = chat.title
    if wanted.get("request_username") and chat.username:
        shown["username"] = chat.username
    return {"chat_shared": shown}


def _has_rights(member: Member, wanted: object) -> bool:
    """Whether somebody has all the administrator's rights that are wanted, if any are."""
    if not isinstance(wanted, dict) or member.status == "creator":
        return True
    return all(member.rights.get(name) for name, on in wanted.items() if on)


def _let_bot_in(
    world: World, chat: Chat, wanted: JsonObject, person: Person, member: Member
) -> None:
    """Telegram adds or promotes the bot where the button asks for it and the person may."""
    rights = wanted.get("bot_administrator_rights")
    if isinstance(rights, dict):
        if member.status not in ("creator", "administrator"):
            raise SimError("the person may not make the bot an administrator there")
        given = {name: True for name, on in rights.items() if on}
        if not given.items() <= {k: True for k, on in chat.bot.rights.items() if on}.items():
            change_bot(world, chat, Member("administrator", given), person.id)
    elif wanted.get("bot_is_member") and chat.bot.status not in PRESENT:
        change_bot(world, chat, Member("member"), person.id)
