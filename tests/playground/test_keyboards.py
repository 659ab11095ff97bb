"""Keyboards that Telegram takes, and those it refuses."""

from __future__ import annotations

import pytest

from tests.playground.client import ANNA, Playground, in_background


def inline(**button: object) -> dict[str, object]:
    return {"inline_keyboard": [[{"text": "кнопка", **button}]]}


@pytest.mark.parametrize(
    ("markup", "error"),
    [
        ("not json", "can't parse reply keyboard markup JSON object"),
        ([1], "object expected as reply markup"),
        (inline(callback_data="x" * 65), "BUTTON_DATA_INVALID"),
        (inline(callback_data="я" * 33), "BUTTON_DATA_INVALID"),
        (inline(callback_data=""), "BUTTON_DATA_INVALID"),
        (
            inline(),
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            inline(url="не адрес"),
            "inline keyboard button URL 'не адрес' is invalid: Wrong HTTP URL",
        ),
        (
            inline(url="http://localhost/x"),
            "inline keyboard button URL 'http://localhost/x' is invalid: Wrong HTTP URL",
        ),
        (inline(pay=True), "BUTTON_TYPE_INVALID"),
        (
            {"inline_keyboard": [{"text": "a", "callback_data": "b"}]},
            'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
        ),
        (
            {"inline_keyboard": [[{"callback_data": "b"}]]},
            "can't parse inline keyboard button: Can't find field \"text\"",
        ),
        (
            {"inline_keyboard": [[{"text": "a", "callback_data": "b"}] * 8] * 13},
            "reply markup is too long",
        ),
        ({"keyboard": [[{"text": ""}]]}, "keyboard button text must be non-empty"),
    ],
)
async def test_bad_keyboards_are_refused(
    playground: Playground, markup: object, error: str
) -> None:
    answer = await playground.raw("sendMessage", chat_id=ANNA, text="x", reply_markup=markup)
    assert answer.error == f"Bad Request: {error}"


@pytest.mark.parametrize(
    "markup",
    [
        inline(callback_data="x" * 64),
        inline(callback_data="я" * 32),
        inline(url="https://example.com/a?b=c"),
        inline(url="tg://user?id=1001"),
        inline(copy_text={"text": "скопируй"}),
        {"inline_keyboard": [[{"text": "a", "callback_data": "b"}] * 8] * 12},
    ],
)
async def test_good_inline_keyboards_come_back(
    playground: Playground, markup: dict[str, object]
) -> None:
    sent = await playground.call("sendMessage", chat_id=ANNA, text="x", reply_markup=markup)
    assert sent["reply_markup"] == markup


async def test_reply_keyboards_are_for_the_person_only(playground: Playground) -> None:
    keyboard = {"keyboard": [["Создать", {"text": "Помощь"}]], "resize_keyboard": True}
    sent = await playground.call("sendMessage", chat_id=ANNA, text="x", reply_markup=keyboard)
    assert "reply_markup" not in sent
    (shown,) = await playground.messages()
    assert shown["reply_markup"]["keyboard"] == [[{"text": "Создать"}, {"text": "Помощь"}]]
    removed = await playground.raw(
        "editMessageText",
        chat_id=ANNA,
        message_id=sent["message_id"],
        text="y",
        reply_markup={"remove_keyboard": True},
    )
    assert removed.status == 400


async def test_link_buttons_open_without_the_bot(playground: Playground) -> None:
    markup = inline(url="https://example.com")
    sent = await playground.call("sendMessage", chat_id=ANNA, text="x", reply_markup=markup)
    target = {"message_id": sent["message_id"], "text": "кнопка"}
    pressed = await playground.post(f"chats/{ANNA}/press", **target)
    assert pressed["url"] == "https://example.com"
    assert await playground.updates() == []


async def test_people_are_shared_through_a_button(playground: Playground) -> None:
    request = {"request_id": 7, "max_quantity": 2, "request_name": True}
    keyboard = {"keyboard": [[{"text": "Кого?", "request_users": request}]]}
    await playground.call("sendMessage", chat_id=ANNA, text="x", reply_markup=keyboard)
    await playground.post(f"chats/{ANNA}/share", request_id=7, user_ids=[1002])
    (update,) = await playground.updates()
    assert update["message"]["users_shared"] == {
        "request_id": 7,
        "users": [{"user_id": 1002, "first_name": "Ben"}],
    }
    await playground.post(f"chats/{ANNA}/share", status=400, request_id=7, user_ids=[1, 2, 3])
    await playground.post(f"chats/{ANNA}/share", status=404, request_id=8, user_ids=[1002])


async def test_sharing_a_channel_makes_the_bot_its_administrator(playground: Playground) -> None:
    channel = await playground.post(
        "chats",
        type="channel",
        title="Новости",
        members=[{"id": ANNA, "status": "creator"}],
        bot_status="left",
    )
    rights = {"can_post_messages": True, "can_manage_chat": True}
    request = {"request_id": 1, "chat_is_channel": True, "bot_administrator_rights": rights}
    keyboard = {"keyboard": [[{"text": "Где?", "request_chat": request}]]}
    await playground.call("sendMessage", chat_id=ANNA, text="x", reply_markup=keyboard)
    refused = await playground.raw("sendMessage", chat_id=channel["id"], text="рано")
    assert refused.error == "Forbidden: bot is not a member of the channel chat"

    share = playground.post(f"chats/{ANNA}/share", request_id=1, chat_id=channel["id"])
    await in_background(share)
    joined, shared = await playground.updates()
    assert joined["my_chat_member"]["new_chat_member"]["can_post_messages"] is True
    assert shared["message"]["chat_shared"] == {"request_id": 1, "chat_id": channel["id"]}
    await playground.call("sendMessage", chat_id=channel["id"], text="пора")


async def test_only_who_has_the_rights_that_are_asked_for_shares_a_channel(
    playground: Playground,
) -> None:
    """As Telegram's own dialogue, which does not even show the others."""
    members = [
        {"id": ANNA, "status": "administrator", "rights": {"can_edit_messages": True}},
        {"id": 1002, "status": "administrator"},
    ]
    channel = await playground.post("chats", type="channel", title="Новости", members=members)
    rights = {"can_post_messages": True, "can_edit_messages": False}
    request = {"request_id": 1, "chat_is_channel": True, "user_administrator_rights": rights}
    keyboard = {"keyboard": [[{"text": "Где?", "request_chat": request}]]}
    for person, status in ((ANNA, 400), (1002, 200)):
        await playground.call("sendMessage", chat_id=person, text="x", reply_markup=keyboard)
        shared = {"request_id": 1, "chat_id": channel["id"]}
        await playground.post(f"chats/{person}/share", status=status, **shared)
    listed = {one["id"]: one for one in (await playground.get("chats"))["chats"]}
    rights_of = {one["id"]: one["rights"] for one in listed[channel["id"]]["members"]}
    assert rights_of[ANNA] == {"can_edit_messages": True}
    assert rights_of[1002]["can_post_messages"] is True
