"""Which commands and description a person sees, by scope and language.

The order is Telegram's: https://core.telegram.org/bots/api#determining-list-of-commands
"""

from playground.state import Chat, JsonObject, json_text
from playground.world import World


def scope_key(scope: JsonObject, language: str) -> str:
    """Where a list of commands is kept: its scope and two-letter language ("" for any)."""
    return json_text([scope, language])


def _scopes(chat: Chat, user_id: int) -> list[JsonObject]:
    if chat.kind == "private":
        return [
            {"type": "chat", "chat_id": chat.id},
            {"type": "all_private_chats"},
            {"type": "default"},
        ]
    member = chat.members.get(user_id)
    admin = member is not None and member.status in ("creator", "administrator")
    scopes: list[JsonObject | None] = [
        {"type": "chat_member", "chat_id": chat.id, "user_id": user_id},
        {"type": "chat_administrators", "chat_id": chat.id} if admin else None,
        {"type": "chat", "chat_id": chat.id},
        {"type": "all_chat_administrators"} if admin else None,
        {"type": "all_group_chats"},
        {"type": "default"},
    ]
    return [scope for scope in scopes if scope is not None]


def commands_for(world: World, chat: Chat, user_id: int) -> list[JsonObject]:
    """The first list set for the narrowest scope, in the person's language or in none."""
    person = world.people.get(user_id)
    language = (person.language_code or "") if person else ""
    for scope in _scopes(chat, user_id):
        for code in (language, ""):
            found = world.profile.commands.get(scope_key(scope, code))
            if found:
                return found
    return []


def description_for(world: World, user_id: int) -> str:
    """What stands in an empty chat, in the person's language or in none; "" if the bot set none."""
    person = world.people.get(user_id)
    language = (person.language_code or "") if person else ""
    texts = world.profile.texts
    return texts.get(f"description:{language}") or texts.get("description:") or ""
