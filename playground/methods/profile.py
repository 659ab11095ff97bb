"""The bot itself: getMe, commands by scope and language, names and descriptions."""

import re

from aiogram.methods import (
    DeleteMyCommands,
    GetChatMenuButton,
    GetMe,
    GetMyCommands,
    GetMyDescription,
    GetMyName,
    GetMyShortDescription,
    SetChatMenuButton,
    SetMyCommands,
    SetMyDescription,
    SetMyName,
    SetMyShortDescription,
)
from aiogram.types import BotCommandScope

from playground import render
from playground.commands import scope_key
from playground.errors import BadRequest
from playground.methods.access import find_chat
from playground.methods.registry import Call, method
from playground.state import JsonObject, as_number

COMMANDS_AT_MOST = 100
_LIMITS = {"name": 64, "description": 512, "short_description": 120}


@method(GetMe)
def get_me(call: Call, _: GetMe) -> JsonObject:
    """getMe."""
    return render.me(call.world.profile)


def _key(call: Call, scope: BotCommandScope | None, language: str | None) -> str:
    described: JsonObject = {"type": "default"}
    if scope is not None:
        described = scope.model_dump(mode="json", exclude_none=True)
    if "chat_id" in described:
        named = str(described["chat_id"])
        number = as_number(named)
        described["chat_id"] = find_chat(call.world, named if number is None else number).id
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise BadRequest("invalid language code specified")
    return scope_key(described, language or "")


@method(SetMyCommands)
def set_my_commands(call: Call, args: SetMyCommands) -> bool:
    """setMyCommands."""
    if len(args.commands) > COMMANDS_AT_MOST:
        raise BadRequest("BOT_COMMANDS_TOO_MUCH")
    commands: list[JsonObject] = []
    for one in args.commands:
        name = one.command.removeprefix("/")
        if not re.fullmatch(r"[a-z0-9_]{1,32}", name):
            raise BadRequest("BOT_COMMAND_INVALID")
        if not 1 <= len(one.description.strip()) <= 256:
            raise BadRequest("BOT_COMMAND_DESCRIPTION_INVALID")
        commands.append({"command": name, "description": one.description.strip()})
    call.world.profile.commands[_key(call, args.scope, args.language_code)] = commands
    _profile_changed(call)
    return True


@method(DeleteMyCommands)
def delete_my_commands(call: Call, args: DeleteMyCommands) -> bool:
    """deleteMyCommands."""
    call.world.profile.commands.pop(_key(call, args.scope, args.language_code), None)
    _profile_changed(call)
    return True


def _profile_changed(call: Call) -> None:
    call.world.save_profile()
    call.world.feed.publish("commands", {})


@method(GetMyCommands)
def get_my_commands(call: Call, args: GetMyCommands) -> list[JsonObject]:
    """getMyCommands: of exactly this scope and language."""
    return call.world.profile.commands.get(_key(call, args.scope, args.language_code), [])


def _set_text(call: Call, name: str, text: str | None, language: str | None) -> bool:
    if len(text or "") > _LIMITS[name]:
        raise BadRequest(f"bot {name.replace('_', ' ')} is too long")
    texts = call.world.profile.texts
    key = f"{name}:{language or ''}"
    if text:
        texts[key] = text
    else:
        texts.pop(key, None)
    _profile_changed(call)
    return True


def _text(call: Call, name: str, language: str | None) -> str | None:
    texts = call.world.profile.texts
    return texts.get(f"{name}:{language or ''}", texts.get(f"{name}:"))


@method(SetMyName)
def set_my_name(call: Call, args: SetMyName) -> bool:
    """setMyName."""
    return _set_text(call, "name", args.name, args.language_code)


@method(GetMyName)
def get_my_name(call: Call, args: GetMyName) -> JsonObject:
    """getMyName."""
    name = _text(call, "name", args.language_code)
    return {"name": name or call.world.profile.first_name}


@method(SetMyDescription)
def set_my_description(call: Call, args: SetMyDescription) -> bool:
    """setMyDescription."""
    return _set_text(call, "description", args.description, args.language_code)


@method(GetMyDescription)
def get_my_description(call: Call, args: GetMyDescription) -> JsonObject:
    """getMyDescription."""
    return {"description": _text(call, "description", args.language_code) or ""}


@method(SetMyShortDescription)
def set_my_short_description(call: Call, args: SetMyShortDescription) -> bool:
    """setMyShortDescription."""
    return _set_text(call, "short_description", args.short_description, args.language_code)


@method(GetMyShortDescription)
def get_my_short_description(call: Call, args: GetMyShortDescription) -> JsonObject:
    """getMyShortDescription."""
    return {"short_description": _text(call, "short_description", args.language_code) or ""}


@method(SetChatMenuButton)
def set_chat_menu_button(call: Call, args: SetChatMenuButton) -> bool:
    """setChatMenuButton."""
    button: JsonObject = {"type": "default"}
    if args.menu_button is not None:
        button = args.menu_button.model_dump(mode="json", exclude_none=True)
    call.world.profile.menu_buttons[args.chat_id or 0] = button
    call.world.save_profile()
    return True


@method(GetChatMenuButton)
def get_chat_menu_button(call: Call, args: GetChatMenuButton) -> JsonObject:
    """getChatMenuButton."""
    buttons = call.world.profile.menu_buttons
    own = buttons.get(args.chat_id or 0, {"type": "default"})
    return buttons.get(0, {"type": "commands"}) if own == {"type": "default"} else own
