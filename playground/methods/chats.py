"""Chats and their members, as a bot asks about them."""

from aiogram.methods import (
    ExportChatInviteLink,
    GetChat,
    GetChatAdministrators,
    GetChatMember,
    GetChatMemberCount,
    LeaveChat,
    PinChatMessage,
    UnpinAllChatMessages,
    UnpinChatMessage,
)

from playground import render
from playground.errors import BadRequest
from playground.members import change_bot
from playground.methods.access import has_right, readable_chat
from playground.methods.registry import Call, method
from playground.services import post_service
from playground.state import BOT, PRESENT, Chat, JsonObject, Member
from playground.world import new_query_id


@method(GetChat)
def get_chat(call: Call, args: GetChat) -> JsonObject:
    """getChat: a ChatFullInfo."""
    chat = readable_chat(call.world, args.chat_id)
    shown: JsonObject = {
        **call.world.chat_object(chat),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": {
            "unlimited_gifts": False,
            "limited_gifts": False,
            "unique_gifts": False,
            "premium_subscription": False,
            "gifts_from_channels": False,
        },
    }
    pinned = call.world.message(chat.id, chat.pinned[-1]) if chat.pinned else None
    if pinned is not None:
        shown["pinned_message"] = call.world.rendered(pinned)
    if chat.kind != "private":
        if chat.invite_link is not None:
            shown["invite_link"] = chat.invite_link
        shown["permissions"] = dict.fromkeys(render.MEMBER_RIGHTS, True)
    return shown


def _member(call: Call, chat: Chat, user_id: int) -> Member:
    if user_id == call.world.profile.id:
        return chat.bot
    if user_id not in call.world.people:
        raise BadRequest("member not found")
    return chat.members.get(user_id, Member("left"))


@method(GetChatMember)
def get_chat_member(call: Call, args: GetChatMember) -> JsonObject:
    """getChatMember."""
    chat = readable_chat(call.world, args.chat_id)
    if args.user_id <= 0:
        raise BadRequest("invalid user_id specified")
    member = _member(call, chat, args.user_id)
    return render.member_object(member, call.world.user(args.user_id), chat.kind)


@method(GetChatAdministrators)
def get_chat_administrators(call: Call, args: GetChatAdministrators) -> list[JsonObject]:
    """getChatAdministrators."""
    chat = readable_chat(call.world, args.chat_id)
    if chat.kind == "private":
        raise BadRequest("there are no administrators in the private chat")
    everybody = {**chat.members, BOT: chat.bot}
    return [
        render.member_object(member, call.world.user(user_id), chat.kind)
        for user_id, member in everybody.items()
        if member.status in ("creator", "administrator")
    ]


@method(GetChatMemberCount)
def get_chat_member_count(call: Call, args: GetChatMemberCount) -> int:
    """getChatMemberCount."""
    chat = readable_chat(call.world, args.chat_id)
    return sum(one.status in PRESENT for one in (*chat.members.values(), chat.bot))


@method(ExportChatInviteLink)
def export_chat_invite_link(call: Call, args: ExportChatInviteLink) -> str:
    """exportChatInviteLink."""
    chat = readable_chat(call.world, args.chat_id)
    if not has_right(chat, "can_invite_users"):
        raise BadRequest("not enough rights to manage chat invite link")
    chat.invite_link = f"https://t.me/+{new_query_id()}"
    call.world.save_chat(chat)
    return chat.invite_link


@method(LeaveChat)
def leave_chat(call: Call, args: LeaveChat) -> bool:
    """leaveChat."""
    chat = readable_chat(call.world, args.chat_id)
    if chat.kind == "private":
        raise BadRequest("chat is not a group or a channel")
    change_bot(call.world, chat, Member("left"), by=BOT)
    return True


def _check_pin(chat: Chat) -> None:
    right = "can_edit_messages" if chat.kind == "channel" else "can_pin_messages"
    if chat.kind != "private" and not has_right(chat, right):
        raise BadRequest("not enough rights to manage pinned messages in the chat")


@method(PinChatMessage)
def pin_chat_message(call: Call, args: PinChatMessage) -> bool:
    """pinChatMessage."""
    chat = readable_chat(call.world, args.chat_id)
    _check_pin(chat)
    message = call.world.message(chat.id, args.message_id)
    if message is None:
        raise BadRequest("message to pin not found")
    if message.message_id in chat.pinned:
        raise BadRequest("CHAT_NOT_MODIFIED")
    chat.pinned.append(message.message_id)
    call.world.save_chat(chat)
    pinned: JsonObject = {"pinned_message": call.world.rendered(message)}
    post_service(call.world, chat, BOT, pinned, thread_id=message.thread_id)
    return True


@method(UnpinChatMessage)
def unpin_chat_message(call: Call, args: UnpinChatMessage) -> bool:
    """unpinChatMessage: the given one, or the latest."""
    chat = readable_chat(call.world, args.chat_id)
    _check_pin(chat)
    wanted = args.message_id or (chat.pinned[-1] if chat.pinned else 0)
    if wanted not in chat.pinned:
        raise BadRequest("message to unpin not found")
    chat.pinned.remove(wanted)
    call.world.save_chat(chat)
    return True


@method(UnpinAllChatMessages)
def unpin_all_chat_messages(call: Call, args: UnpinAllChatMessages) -> bool:
    """unpinAllChatMessages."""
    chat = readable_chat(call.world, args.chat_id)
    _check_pin(chat)
    chat.pinned.clear()
    call.world.save_chat(chat)
    return True
