"""Which Bot API methods are known, and what a method's handler is given."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from aiogram.client.default import Default
from pydantic import BaseModel

from playground.calls import Upload
from playground.errors import BadRequest
from playground.markup import parse_markup
from playground.state import JsonObject
from playground.world import World

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


@dataclass(slots=True, frozen=True)
class Call:
    """A call besides its checked method: whose it is, its keyboard and its files.

    `partial` makes an album break off in the middle, as it does on Telegram now and then.
    """

    world: World
    raw_markup: object
    uploads: dict[str, Upload]
    partial: bool = False

    def markup(self) -> JsonObject | None:
        """The keyboard of a new message. Raises BadRequest."""
        return parse_markup(self.raw_markup)

    def inline_markup(self, *, invoice: bool = False) -> JsonObject | None:
        """The keyboard where only an inline one is allowed. Raises BadRequest."""
        return parse_markup(self.raw_markup, inline_only=True, invoice=invoice)


@dataclass(slots=True, frozen=True)
class Endpoint:
    """A method that the playground knows; `messages` counts what it sends, for the pace."""

    name: str
    model: type[BaseModel]
    run: Callable[[Call, BaseModel], object]
    messages: Callable[[BaseModel], int]


ENDPOINTS: dict[str, Endpoint] = {}
"""Endpoints by lower-case name: Telegram does not care about the case of a method."""


def method(
    model: type[M], messages: Callable[[M], int] = lambda _: 0
) -> Callable[[Callable[[Call, M], object]], Callable[[Call, M], object]]:
    """Make a function the handler of an aiogram method class."""

    def register(run: Callable[[Call, M], object]) -> Callable[[Call, M], object]:
        name = str(model.__dict__["__api_method__"])
        ENDPOINTS[name.lower()] = Endpoint(
            name,
            model,
            cast(Callable[[Call, BaseModel], object], run),
            cast(Callable[[BaseModel], int], messages),
        )
        return run

    return register


def given(value: T | Default | None) -> T | None:
    """A field's value; aiogram puts a Default object where nothing was given."""
    return None if isinstance(value, Default) else value


def required(value: T | None, name: str) -> T:
    """A field that aiogram's class leaves optional and this playground needs."""
    if value is None:
        raise BadRequest(f'parameter "{name}" is required')
    return value
