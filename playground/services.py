"""Service messages: what a chat writes by itself when something happens in it."""

import time

from playground.errors import SimError
from playground.state import Chat, JsonObject, Message, Topic
from playground.world import World


def post_service(
    world: World, chat: Chat, sender_id: int | None, what: JsonObject, thread_id: int | None = None
) -> Message:
    """Put a service message into a chat, from whoever caused it."""
    message = Message(
        message_id=world.next_message_id(chat),
        chat_id=chat.id,
        sender_id=None if chat.kind == "channel" else sender_id,
        date=int(time.time()),
        service=what,
        thread_id=thread_id,
    )
    return world.post(chat, message)


def open_topic(world: World, chat: Chat, sender_id: int, name: str) -> Topic:
    """Open a topic of a forum; the message that says so gives it its number."""
    chat.is_forum = True
    created: JsonObject = {"forum_topic_created": {"name": name, "icon_color": 0x6FB9F0}}
    message_id = world.next_message_id(chat)
    topic = Topic(message_id, name)
    chat.topics[message_id] = topic
    world.save_chat(chat)
    message = Message(
        message_id=message_id,
        chat_id=chat.id,
        sender_id=sender_id,
        date=int(time.time()),
        service=created,
        thread_id=message_id,
    )
    world.post(chat, message)
    return topic


def migrate(world: World, group: Chat, by: int, new_id: int) -> Chat:
    """A basic group becomes a supergroup with another id. Raises SimError."""
    if group.kind != "group" or group.migrated_to is not None:
        raise SimError("only a basic group that has not migrated becomes a supergroup")
    supergroup = Chat(
        new_id,
        "supergroup",
        title=group.title,
        bot=group.bot,
        members=dict(group.members),
    )
    world.save_chat(supergroup)
    post_service(world, group, by, {"migrate_to_chat_id": new_id})
    group.migrated_to = new_id
    world.save_chat(group)
    post_service(world, supergroup, by, {"migrate_from_chat_id": group.id})
    return supergroup
