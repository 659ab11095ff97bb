"""Records as Telegram's JSON objects, the way a bot or a chat page reads them."""

from playground.state import (
    BOT,
    Chat,
    File,
    JsonObject,
    Media,
    Member,
    Message,
    Order,
    Person,
    Profile,
    without_none,
)

ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)
GROUP_RIGHTS = ("can_pin_messages", "can_manage_topics")
CHANNEL_RIGHTS = ("can_post_messages", "can_edit_messages", "can_manage_direct_messages")
MEMBER_RIGHTS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)


GROUP_ANONYMOUS_BOT: JsonObject = {
    "id": 1087968824,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}
"""Stands in `from` where an anonymous administrator writes as the group itself."""


def bot_user(profile: Profile) -> JsonObject:
    """The bot as a User."""
    return {
        "id": profile.id,
        "is_bot": True,
        "first_name": profile.texts.get("name:", profile.first_name),
        "username": profile.username,
    }


def me(profile: Profile) -> JsonObject:
    """The bot as getMe shows it."""
    return {
        **bot_user(profile),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def person_user(person: Person) -> JsonObject:
    """A person as a User."""
    return without_none(
        {
            "id": person.id,
            "is_bot": False,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "username": person.username,
            "language_code": person.language_code,
        }
    )


def chat_object(chat: Chat, person: Person | None) -> JsonObject:
    """A Chat; `person` is the other side of a private one."""
    if person is not None and chat.kind == "private":
        return without_none(
            {
                "id": chat.id,
                "type": "private",
                "first_name": person.first_name,
                "last_name": person.last_name,
                "username": person.username,
            }
        )
    return without_none(
        {
            "id": chat.id,
            "type": chat.kind,
            "title": chat.title,
            "username": chat.username,
            "is_forum": True if chat.is_forum else None,
        }
    )


def member_object(member: Member, user: JsonObject, kind: str) -> JsonObject:
    """A ChatMember with every field its status calls for."""
    shown: JsonObject = {"status": member.status, "user": user}
    if member.status == "creator":
        shown["is_anonymous"] = False
    elif member.status == "administrator":
        specific = CHANNEL_RIGHTS if kind == "channel" else GROUP_RIGHTS
        rights = {right: member.rights.get(right, False) for right in (*ADMIN_RIGHTS, *specific)}
        rights["can_manage_chat"] = True
        shown |= {"can_be_edited": False, "is_anonymous": False, **rights}
    elif member.status == "restricted":
        shown |= {"is_member": True, "until_date": 0}
        shown |= {right: member.rights.get(right, False) for right in MEMBER_RIGHTS}
    elif member.status == "kicked":
        shown["until_date"] = 0
    return shown


def photo_size(file: File) -> JsonObject:
    """A PhotoSize."""
    return without_none(
        {
            "file_id": file.file_id,
            "file_unique_id": file.unique_id,
            "width": file.width,
            "height": file.height,
            "file_size": file.size_bytes if file.max_side_px is None else None,
        }
    )


def media_fields(media: Media, files: dict[str, File]) -> JsonObject:
    """The `photo` or `document` part of a Message."""
    stored = [files[file_id] for file_id in media.file_ids]
    if media.kind == "photo":
        spoiler = True if media.has_spoiler else None
        sizes = [photo_size(file) for file in stored]
        return without_none({"photo": sizes, "has_media_spoiler": spoiler})
    file = stored[0]
    thumbnail = files.get(file.thumbnail_id or "")
    return {
        "document": without_none(
            {
                "file_id": file.file_id,
                "file_unique_id": file.unique_id,
                "file_name": file.name,
                "mime_type": file.mime,
                "file_size": file.size_bytes,
                "thumbnail": photo_size(thumbnail) if thumbnail else None,
            }
        )
    }


def invoice_object(order: Order) -> JsonObject:
    """An Invoice."""
    return {
        "title": order.title,
        "description": order.description,
        "start_parameter": order.start_parameter,
        "currency": order.currency,
        "total_amount": order.total_amount,
    }


def checkout_object(order: Order) -> JsonObject:
    """What the chat page knows of an invoice beyond the Invoice: what to ask for, and its fate."""
    return {
        "need_email": order.need_email,
        "paid": order.charge_id is not None,
        "email": order.email,
    }


def sender_fields(
    message: Message, chat: JsonObject, profile: Profile, people: dict[int, Person]
) -> JsonObject:
    """Who a message is from; None as its sender means the chat itself."""
    if message.sender_id == BOT:
        return {"from": bot_user(profile)}
    if message.sender_id is None:
        anonymous = {} if chat["type"] == "channel" else {"from": GROUP_ANONYMOUS_BOT}
        return {**anonymous, "sender_chat": chat}
    return {"from": person_user(people[message.sender_id])}
