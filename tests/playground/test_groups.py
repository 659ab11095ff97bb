"""Groups: privacy, rights, topics, coming and going, blocking, migration."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playground.client import ANNA, BEN, BOT_ID, TEAM, Playground


async def new_group(playground: Playground, **fields: Any) -> int:
    """A group with Anna and Ben, the bot a plain member unless said otherwise."""
    members = [{"id": ANNA, "status": "creator"}, {"id": BEN}]
    body = {"type": "supergroup", "title": "Отдел", "members": members, **fields}
    chat = await playground.post("chats", **body)
    return int(chat["id"])


async def test_a_new_group_tells_the_bot_it_was_added(playground: Playground) -> None:
    chat = await new_group(playground)
    added, announced = await playground.updates()
    change = added["my_chat_member"]
    assert (change["old_chat_member"]["status"], change["new_chat_member"]["status"]) == (
        "left",
        "member",
    )
    assert change["from"]["id"] == ANNA
    assert change["chat"]["id"] == chat
    assert [user["id"] for user in announced["message"]["new_chat_members"]] == [BOT_ID]
    assert change["new_chat_member"]["user"]["id"] == BOT_ID


async def test_privacy_mode_hides_what_is_not_for_the_bot(playground: Playground) -> None:
    await playground.call("getMe")
    chat = await new_group(playground)
    await playground.updates()
    mine = await playground.call("sendMessage", chat_id=chat, text="я тут")
    other = await playground.say("болтовня", chat=chat, user_id=BEN)
    await playground.say(
        "ответ не боту", chat=chat, user_id=ANNA, reply_to_message_id=other["message_id"]
    )
    await playground.say("/gen закат", chat=chat, user_id=BEN)
    await playground.say("/gen@vitrina_bot закат", chat=chat, user_id=BEN)
    await playground.say("/gen@other_bot закат", chat=chat, user_id=BEN)
    await playground.say(
        "ответ боту", chat=chat, user_id=BEN, reply_to_message_id=mine["message_id"]
    )
    texts = [update["message"]["text"] for update in await playground.updates()]
    assert texts == ["/gen закат", "/gen@vitrina_bot закат", "ответ боту"]


async def test_an_administrator_bot_hears_everything(playground: Playground) -> None:
    await playground.say("просто так", chat=TEAM, user_id=BEN)
    (update,) = await playground.updates()
    assert update["message"]["text"] == "просто так"
    assert update["message"]["chat"]["type"] == "supergroup"


async def test_members_and_their_standing(playground: Playground) -> None:
    chat = await new_group(playground)
    member = await playground.call("getChatMember", chat_id=chat, user_id=ANNA)
    assert member["status"] == "creator"
    me = await playground.call("getChatMember", chat_id=chat, user_id=BOT_ID)
    assert (me["status"], me["user"]["is_bot"]) == ("member", True)
    admins = await playground.call("getChatAdministrators", chat_id=chat)
    assert [admin["user"]["id"] for admin in admins] == [ANNA]
    assert await playground.call("getChatMemberCount", chat_id=chat) == 3

    await playground.post(f"chats/{chat}/members", action="promote", user_id=BEN)
    await playground.post(f"chats/{chat}/members", action="promote", bot=True)
    admins = await playground.call("getChatAdministrators", chat_id=chat)
    assert {admin["user"]["id"] for admin in admins} == {ANNA, BEN, BOT_ID}
    await playground.post(f"chats/{chat}/members", action="leave", user_id=BEN)
    left = await playground.call("getChatMember", chat_id=chat, user_id=BEN)
    assert left["status"] == "left"
    stranger = await playground.raw("getChatMember", chat_id=chat, user_id=31337)
    assert stranger.error == "Bad Request: member not found"
    private = await playground.raw("getChatAdministrators", chat_id=ANNA)
    assert private.error == "Bad Request: there are no administrators in the private chat"


async def test_an_administrator_bot_hears_of_members_when_it_asks(playground: Playground) -> None:
    await playground.updates(allowed_updates=["chat_member", "message"])
    await playground.post(f"chats/{TEAM}/members", action="join", user_id=3003, first_name="Вера")
    change, announced = await playground.updates()
    assert change["chat_member"]["new_chat_member"]["user"]["first_name"] == "Вера"
    assert announced["message"]["new_chat_members"][0]["id"] == 3003


@pytest.mark.parametrize(
    ("kind", "action", "error"),
    [
        ("group", "kick", "Forbidden: bot was kicked from the group chat"),
        ("supergroup", "kick", "Forbidden: bot was kicked from the supergroup chat"),
        ("supergroup", "leave", "Forbidden: bot is not a member of the supergroup chat"),
        ("channel", "kick", "Forbidden: bot was kicked from the channel chat"),
        ("channel", "demote", "Bad Request: need administrator rights in the channel chat"),
        (
            "supergroup",
            "restrict",
            "Bad Request: not enough rights to send text messages to the chat",
        ),
    ],
)
async def test_a_bot_without_the_right_is_refused(
    playground: Playground, kind: str, action: str, error: str
) -> None:
    chat = await new_group(playground, type=kind, bot_status="administrator")
    await playground.call("sendMessage", chat_id=chat, text="можно")
    await playground.post(f"chats/{chat}/members", action=action, bot=True)
    answer = await playground.raw("sendMessage", chat_id=chat, text="нельзя")
    assert answer.error == error
    changed = [u for u in await playground.updates() if "my_chat_member" in u]
    assert len(changed) == 2


async def test_photos_need_their_own_right(playground: Playground) -> None:
    chat = await new_group(playground)
    rights = {"can_send_messages": True}
    await playground.post(f"chats/{chat}/members", action="restrict", bot=True, rights=rights)
    await playground.call("sendMessage", chat_id=chat, text="текст можно")
    answer = await playground.raw("sendPhoto", chat_id=chat, photo="x")
    assert answer.error == "Bad Request: not enough rights to send photos to the chat"


async def test_blocking_and_unblocking(playground: Playground) -> None:
    await playground.call("sendMessage", chat_id=ANNA, text="привет")
    await playground.post(f"chats/{ANNA}/members", action="block")
    for method, fields in [
        ("sendMessage", {"text": "x"}),
        ("sendChatAction", {"action": "typing"}),
    ]:
        answer = await playground.raw(method, chat_id=ANNA, **fields)
        assert (answer.status, answer.error) == (403, "Forbidden: bot was blocked by the user")
    await playground.post(f"chats/{ANNA}/send", status=400, text="ау")
    (update,) = await playground.updates()
    assert update["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    await playground.post(f"chats/{ANNA}/members", action="unblock")
    (update,) = await playground.updates()
    assert update["my_chat_member"]["new_chat_member"]["status"] == "member"
    await playground.call("sendMessage", chat_id=ANNA, text="снова")


async def test_a_bot_may_not_write_first(playground: Playground) -> None:
    chat = await playground.post("chats", type="private", bot_status="left")
    answer = await playground.raw("sendMessage", chat_id=chat["id"], text="здравствуйте")
    assert answer.error == "Forbidden: bot can't initiate conversation with a user"


async def test_leaving(playground: Playground) -> None:
    chat = await new_group(playground)
    assert await playground.call("leaveChat", chat_id=chat) is True
    again = await playground.raw("leaveChat", chat_id=chat)
    assert again.error == "Forbidden: bot is not a member of the supergroup chat"


async def test_topics(playground: Playground) -> None:
    chat = await new_group(playground, topics=["Осень"], bot_status="administrator")
    (topic,) = (await playground.get("chats"))["chats"][-1]["topics"]
    thread = topic["message_thread_id"]
    asked = await playground.say("/gen клён", chat=chat, user_id=BEN, message_thread_id=thread)
    assert (asked["message_thread_id"], asked["is_topic_message"]) == (thread, True)
    there = {"chat_id": chat, "message_thread_id": thread}
    sent = await playground.call("sendMessage", **there, text="рисую")
    assert sent["message_thread_id"] == thread
    replied = await playground.call(
        "sendMessage", chat_id=chat, text="готово", reply_to_message_id=asked["message_id"]
    )
    assert replied["message_thread_id"] == thread
    missing = await playground.raw("sendMessage", chat_id=chat, text="x", message_thread_id=999)
    assert missing.error == "Bad Request: message thread not found"

    made = await playground.post(f"chats/{chat}/members", action="open_topic", name="Зима")
    assert made["message_thread_id"] != thread
    await playground.post(f"chats/{chat}/members", action="close_topic", message_thread_id=thread)
    await playground.call("sendMessage", **there, text="админу можно")
    await playground.post(f"chats/{chat}/members", action="demote", bot=True)
    closed = await playground.raw("sendMessage", **there, text="x")
    assert closed.error == "Bad Request: TOPIC_CLOSED"
    await playground.post(f"chats/{chat}/members", action="reopen_topic", message_thread_id=thread)
    await playground.call("sendMessage", **there, text="x")


async def test_a_group_becomes_a_supergroup(playground: Playground) -> None:
    group = await new_group(playground, type="group")
    await playground.updates()
    supergroup = (await playground.post(f"chats/{group}/members", action="migrate"))["id"]
    moved, arrived = await playground.updates()
    assert moved["message"]["migrate_to_chat_id"] == supergroup
    assert moved["message"]["chat"]["id"] == group
    assert arrived["message"]["migrate_from_chat_id"] == group
    answer = await playground.raw("sendMessage", chat_id=group, text="x")
    assert answer.error == "Bad Request: group chat was upgraded to a supergroup chat"
    assert answer.body["parameters"] == {"migrate_to_chat_id": supergroup}
    sent = await playground.call("sendMessage", chat_id=supergroup, text="x")
    assert sent["chat"]["type"] == "supergroup"
    await playground.post(f"chats/{group}/members", status=400, action="migrate")


async def test_only_members_speak(playground: Playground) -> None:
    await playground.post(f"chats/{TEAM}/members", action="leave", user_id=BEN)
    refused = await playground.post(f"chats/{TEAM}/send", status=400, user_id=BEN, text="x")
    assert refused == {"ok": False, "description": "1002 is not in this chat"}
    await playground.post(f"chats/{TEAM}/send", status=400, text="кто я?")
    await playground.post(f"chats/{TEAM}/send", status=404, user_id=5, text="x")
    await playground.post("chats/12/send", status=404, text="x")
    await playground.post(f"chats/{TEAM}/members", status=400, action="fly", user_id=BEN)


async def test_an_invite_link_needs_the_right(playground: Playground) -> None:
    link = await playground.call("exportChatInviteLink", chat_id=TEAM)
    assert (await playground.call("getChat", chat_id=TEAM))["invite_link"] == link
    chat = await new_group(playground)
    refused = await playground.raw("exportChatInviteLink", chat_id=chat)
    assert refused.error == "Bad Request: not enough rights to manage chat invite link"


async def test_an_anonymous_administrator_comes_as_the_group(playground: Playground) -> None:
    await playground.say("/gen лес", chat=TEAM, user_id=ANNA, anonymous=True)
    (update,) = await playground.updates()
    assert update["message"]["sender_chat"]["id"] == TEAM
    assert update["message"]["from"]["username"] == "GroupAnonymousBot"
    await playground.post(f"chats/{TEAM}/send", status=400, user_id=BEN, text="x", anonymous=True)


async def test_an_ephemeral_message_is_for_one_member_and_leaves_no_message_id(
    playground: Playground,
) -> None:
    chat = await new_group(playground)
    to_ben = {"receiver_user_id": BEN}
    sent = await playground.call(
        "sendMessage", chat_id=chat, text="шёпот", ephemeral_message_parameters=to_ben
    )
    assert sent["message_id"] == 0
    assert sent["receiver_user"]["id"] == BEN
    assert sent["ephemeral_message_id"] > 0
    shown = await playground.messages(chat)
    assert [one["receiver_user"]["id"] for one in shown if one.get("text") == "шёпот"] == [BEN]
    late = {**to_ben, "callback_query_id": "1"}
    for where, parameters, why in (
        (chat, {"receiver_user_id": 9}, "USER_NOT_PARTICIPANT"),
        (ANNA, {"receiver_user_id": ANNA}, "only to groups"),
        (chat, late, "query is too old"),
    ):
        refused = await playground.raw(
            "sendMessage", chat_id=where, text="x", ephemeral_message_parameters=parameters
        )
        assert why in refused.error
