"""What every /sim call shares: its bot, its body, its answer and its errors."""

import functools
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from playground.calls import read_arguments
from playground.errors import ApiError, SimError
from playground.state import PRESENT, Chat, Message, Person, as_number, json_text
from playground.telegram import Telegram
from playground.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
B = TypeVar("B", bound="Body")


class Body(BaseModel):
    """A request's JSON; a field that nobody knows is a mistake worth hearing of."""

    model_config = ConfigDict(extra="forbid")


def reply(value: object, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(status=status, text=json_text(value), content_type="application/json")


class Routes:
    """A group of /sim calls on one Telegram."""

    def __init__(self, telegram: Telegram) -> None:
        self.telegram = telegram

    def world(self, request: web.Request) -> World:
        """The world of ?bot=ID, or the first. Raises SimError."""
        return self.telegram.by_bot(number_in(request, "bot"))

    def get(self, path: str, handler: Handler) -> web.RouteDef:
        """A GET route with errors as JSON."""
        return web.get(path, self._guarded(handler))

    def post(self, path: str, handler: Handler) -> web.RouteDef:
        """A POST route with errors as JSON."""
        return web.post(path, self._guarded(handler))

    def delete(self, path: str, handler: Handler) -> web.RouteDef:
        """A DELETE route with errors as JSON."""
        return web.delete(path, self._guarded(handler))

    def _guarded(self, handler: Handler) -> Handler:
        """What a call changed is on disk before it is answered, refused or not."""

        @functools.wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except SimError as error:
                return _refusal(error.description, error.status)
            except ApiError as error:
                return _refusal(error.description, error.code)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                where = ".".join(str(part) for part in first["loc"])
                return _refusal(f"{where}: {first['msg']}", 400)
            finally:
                self.telegram.store.flush()

        return guarded


def _refusal(description: str, status: int) -> web.Response:
    return reply({"ok": False, "description": description}, status)


async def read_body(request: web.Request, model: type[B]) -> B:
    """The checked body of a call. Raises ValidationError or ApiError."""
    return model.model_validate((await read_arguments(request, query=False)).fields)


def number_in(request: web.Request, name: str) -> int | None:
    """A whole number in the query. Raises SimError."""
    raw = request.query.get(name)
    if raw is None:
        return None
    number = as_number(raw)
    if number is None:
        raise SimError(f"{name} must be a whole number")
    return number


def chat_of(world: World, request: web.Request) -> Chat:
    """The chat in the path. Raises SimError 404."""
    raw = request.match_info["chat"]
    chat = world.chats.get(as_number(raw) or 0)
    if chat is None:
        raise SimError(f"no chat {raw}", 404)
    return chat


def person_in(world: World, chat: Chat, user_id: int | None) -> Person:
    """Who acts; in a private chat it can only be its person. Raises SimError."""
    if user_id is None and chat.kind == "private":
        user_id = chat.id
    if user_id is None:
        raise SimError("user_id is needed: this chat has several people")
    person = world.people.get(user_id)
    if person is None:
        raise SimError(f"no person {user_id}", 404)
    member = chat.members.get(user_id)
    if member is None or member.status not in PRESENT:
        raise SimError(f"{user_id} is not in this chat")
    return person


def message_in(world: World, chat: Chat, message_id: int) -> Message:
    """A message of the chat that is still there. Raises SimError 404."""
    message = world.message(chat.id, message_id)
    if message is None:
        raise SimError(f"no message {message_id} in this chat", 404)
    return message
