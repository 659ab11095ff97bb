"""May the bot do this here: chats by id, its standing and its rights, in Telegram's words."""

from playground.errors import BadRequest, Forbidden
from playground.state import PRESENT, Chat
from playground.world import World


def find_chat(world: World, chat_id: int | str | None) -> Chat:
    """A chat that the bot knows, by id or @username. Raises BadRequest."""
    if chat_id is None or chat_id == "":
        raise BadRequest("chat_id is empty")
    if isinstance(chat_id, str):
        for chat in world.chats.values():
            if chat.username and f"@{chat.username}".lower() == chat_id.lower():
                return chat
        raise BadRequest("chat not found")
    found = world.chats.get(chat_id)
    if found is None:
        raise BadRequest("chat not found")
    return found


def readable_chat(world: World, chat_id: int | str | None) -> Chat:
    """A chat that the bot is in. Raises BadRequest or Forbidden."""
    chat = find_chat(world, chat_id)
    if chat.migrated_to is not None:
        raise BadRequest(
            "group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": chat.migrated_to}
        )
    if chat.kind == "private":
        if chat.bot.status == "kicked":
            raise Forbidden("bot was blocked by the user")
        if chat.bot.status == "left":
            raise Forbidden("bot can't initiate conversation with a user")
        return chat
    if chat.bot.status == "kicked":
        raise Forbidden(f"bot was kicked from the {chat.kind} chat")
    if chat.bot.status not in PRESENT:
        raise Forbidden(f"bot is not a member of the {chat.kind} chat")
    return chat


def writable_chat(world: World, chat_id: int | str | None, what: str = "text messages") -> Chat:
    """A chat that the bot may send `what` to. Raises BadRequest or Forbidden."""
    chat = readable_chat(world, chat_id)
    if chat.kind == "channel" and not has_right(chat, "can_post_messages"):
        raise BadRequest("need administrator rights in the channel chat")
    if chat.bot.status == "restricted":
        right = "can_send_messages" if what == "text messages" else f"can_send_{what}"
        if not chat.bot.rights.get(right, False):
            raise BadRequest(f"not enough rights to send {what} to the chat")
    return chat


def has_right(chat: Chat, right: str) -> bool:
    """Whether the bot has an administrator's right."""
    if chat.bot.status == "creator":
        return True
    return chat.bot.status == "administrator" and chat.bot.rights.get(right, False)


def open_thread(chat: Chat, thread_id: int | None) -> int | None:
    """The topic to write in. Raises BadRequest where it is missing or closed."""
    if thread_id is None:
        return None
    topic = chat.topics.get(thread_id)
    if topic is None:
        raise BadRequest("message thread not found")
    if topic.closed and not has_right(chat, "can_manage_topics"):
        raise BadRequest("TOPIC_CLOSED")
    return thread_id
