"""Who is in a chat and with which rights, and the updates that a change causes."""

import time

from playground import render
from playground.services import post_service
from playground.state import BOT, PRESENT, Chat, JsonObject, Member
from playground.world import World


def _change(world: World, chat: Chat, user_id: int, by: int, old: Member, new: Member) -> None:
    """Tell the bot about a member: itself by my_chat_member, others where it is an admin."""
    change: JsonObject = {
        "chat": world.chat_object(chat),
        "from": world.user(by),
        "date": int(time.time()),
        "old_chat_member": render.member_object(old, world.user(user_id), chat.kind),
        "new_chat_member": render.member_object(new, world.user(user_id), chat.kind),
    }
    if user_id == BOT:
        world.push("my_chat_member", change, queue=chat.id)
    elif chat.bot.status == "administrator":
        world.push("chat_member", change, queue=chat.id)


def change_bot(world: World, chat: Chat, new: Member, by: int) -> None:
    """The bot is added, promoted, demoted, removed or blocked by somebody, or leaves."""
    old, chat.bot = chat.bot, new
    world.save_chat(chat)
    if old != new:
        _change(world, chat, BOT, by, old, new)
        _announce(world, chat, BOT, by, old, new)


def change_person(world: World, chat: Chat, user_id: int, new: Member, by: int) -> None:
    """A person joins, leaves, or gets other rights."""
    old = chat.members.get(user_id, Member("left"))
    chat.members[user_id] = new
    world.save_chat(chat)
    if old != new:
        _change(world, chat, user_id, by, old, new)
        _announce(world, chat, user_id, by, old, new)


def _announce(world: World, chat: Chat, user_id: int, by: int, old: Member, new: Member) -> None:
    """Groups say who came and who left; private chats and channels do not."""
    if chat.kind not in ("group", "supergroup"):
        return
    user = world.user(user_id)
    if old.status not in PRESENT and new.status in PRESENT:
        post_service(world, chat, by, {"new_chat_members": [user]})
    elif old.status in PRESENT and new.status not in PRESENT:
        post_service(world, chat, by, {"left_chat_member": user})
