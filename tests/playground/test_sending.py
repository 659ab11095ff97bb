"""Messages: sending, editing, deleting, copying, and the errors Telegram gives."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playground.client import (
    ANNA,
    BEN,
    CHANNEL,
    TEAM,
    Playground,
    answer_press,
    in_background,
)

KEYBOARD = {"inline_keyboard": [[{"text": "Да", "callback_data": "yes"}]]}
UNCHANGED = (
    "Bad Request: message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)


async def test_a_message_arrives_with_its_buttons(playground: Playground) -> None:
    sent = await playground.call("sendMessage", chat_id=ANNA, text="ок?", reply_markup=KEYBOARD)
    assert sent["reply_markup"] == KEYBOARD
    (shown,) = await playground.messages()
    assert shown["from"]["id"] == 4242
    assert {key: shown[key] for key in sent} == sent


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"text": "x"}, "Bad Request: chat_id is empty"),
        ({"chat_id": "", "text": "x"}, "Bad Request: chat_id is empty"),
        ({"chat_id": 5, "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": "@nobody", "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": ANNA}, "Bad Request: message text is empty"),
        ({"chat_id": ANNA, "text": " \n "}, "Bad Request: message text is empty"),
        (
            {"chat_id": ANNA, "text": "<b></b>", "parse_mode": "HTML"},
            "Bad Request: message text is empty",
        ),
        ({"chat_id": ANNA, "text": "я" * 4097}, "Bad Request: message is too long"),
        ({"chat_id": ANNA, "text": "😀" * 2049}, "Bad Request: message is too long"),
        ({"chat_id": ANNA, "text": "\ud800"}, "Bad Request: strings must be encoded in UTF-8"),
        (
            {"chat_id": ANNA, "text": "x", "parse_mode": "BBCode"},
            "Bad Request: unsupported parse_mode",
        ),
        (
            {"chat_id": ANNA, "text": "x", "reply_parameters": {"message_id": 999}},
            "Bad Request: message to be replied not found",
        ),
        (
            {"chat_id": ANNA, "text": "x", "message_thread_id": 999},
            "Bad Request: message thread not found",
        ),
    ],
)
async def test_bad_messages_are_refused(
    playground: Playground, fields: dict[str, Any], error: str
) -> None:
    answer = await playground.raw("sendMessage", **fields)
    assert (answer.status, answer.error) == (400, error)
    assert await playground.messages() == []


async def test_lengths_count_after_parsing_in_utf16(playground: Playground) -> None:
    text = "<b>" + "😀" * 2048 + "</b>"
    sent = await playground.call("sendMessage", chat_id=ANNA, text=text, parse_mode="HTML")
    assert sent["entities"] == [{"type": "bold", "offset": 0, "length": 4096}]


async def test_a_reply_may_go_without_what_it_answers(playground: Playground) -> None:
    gone = {"message_id": 999, "allow_sending_without_reply": True}
    sent = await playground.call("sendMessage", chat_id=ANNA, text="x", reply_parameters=gone)
    assert "reply_to_message" not in sent
    answer = await playground.call(
        "sendMessage", chat_id=ANNA, text="y", reply_to_message_id=sent["message_id"]
    )
    assert answer["reply_to_message"]["text"] == "x"


async def test_forms_and_query_strings_work_too(playground: Playground) -> None:
    url = f"{playground.base_url}/bot{playground.token}/SENDMESSAGE"
    async with playground.http.get(url, params={"chat_id": "1001", "text": "5"}) as response:
        assert (await response.json())["result"]["text"] == "5"
    form = {
        "chat_id": "1001",
        "text": "форма",
        "disable_notification": "true",
        "reply_markup": '{"inline_keyboard":[[{"text":"Да","callback_data":"yes"}]]}',
    }
    async with playground.http.post(url, data=form) as response:
        sent = (await response.json())["result"]
    assert sent["reply_markup"] == KEYBOARD
    row = (await playground.log("sendMessage"))[-1]
    assert row["chat_id"] == 1001
    assert row["arguments"]["reply_markup"] == KEYBOARD


async def test_edits_change_text_and_buttons(playground: Playground) -> None:
    sent = await playground.call("sendMessage", chat_id=ANNA, text="0 %", reply_markup=KEYBOARD)
    target = {"chat_id": ANNA, "message_id": sent["message_id"]}
    edited = await playground.call("editMessageText", **target, text="50 %")
    assert edited["text"] == "50 %"
    assert "reply_markup" not in edited
    assert edited["edit_date"] >= edited["date"]
    edited = await playground.call("editMessageReplyMarkup", **target, reply_markup=KEYBOARD)
    assert (edited["text"], edited["reply_markup"]) == ("50 %", KEYBOARD)
    (shown,) = await playground.messages()
    assert shown["seq"] == 3
    assert await playground.updates() == []


async def test_edits_that_change_nothing_are_refused(playground: Playground) -> None:
    sent = await playground.call(
        "sendMessage", chat_id=ANNA, text="<i>то же</i>", parse_mode="HTML", reply_markup=KEYBOARD
    )
    target = {"chat_id": ANNA, "message_id": sent["message_id"]}
    same = await playground.raw(
        "editMessageText",
        **target,
        text=" <em>то же</em> ",
        parse_mode="HTML",
        reply_markup=KEYBOARD,
    )
    assert same.error == UNCHANGED
    same = await playground.raw("editMessageReplyMarkup", **target, reply_markup=KEYBOARD)
    assert same.error == UNCHANGED
    assert (await playground.messages())[0]["seq"] == 1


async def test_what_cannot_be_edited(playground: Playground) -> None:
    theirs = await playground.say("моё")
    mine = await playground.call("sendMessage", chat_id=ANNA, text="x")
    reply_keyboard = {"keyboard": [["кнопка"]]}
    with_keyboard = await playground.call(
        "sendMessage", chat_id=ANNA, text="x", reply_markup=reply_keyboard
    )
    for message_id, error in [
        (999, "message to edit not found"),
        (theirs["message_id"], "message can't be edited"),
        (with_keyboard["message_id"], "message can't be edited"),
    ]:
        answer = await playground.raw(
            "editMessageText", chat_id=ANNA, message_id=message_id, text="y"
        )
        assert answer.error == f"Bad Request: {error}"
    target = {"chat_id": ANNA, "message_id": mine["message_id"]}
    no_caption = await playground.raw("editMessageCaption", **target, caption="y")
    assert no_caption.error == "Bad Request: there is no caption in the message to edit"
    await playground.call("deleteMessage", **target)
    gone = await playground.raw("editMessageText", **target, text="y")
    assert gone.error == "Bad Request: message to edit not found"


async def test_deleting(playground: Playground) -> None:
    mine = await playground.call("sendMessage", chat_id=ANNA, text="x")
    theirs = await playground.say("y")
    target = {"chat_id": ANNA, "message_id": mine["message_id"]}
    assert await playground.call("deleteMessage", **target) is True
    again = await playground.raw("deleteMessage", **target)
    assert again.error == "Bad Request: message to delete not found"
    await playground.call("deleteMessages", chat_id=ANNA, message_ids=[1, theirs["message_id"], 77])
    assert await playground.messages() == []
    changed = await playground.messages(since=0)
    assert all(message["deleted"] for message in changed)
    assert [message["seq"] for message in changed] == [3, 4]


async def test_in_a_group_others_messages_need_a_right(playground: Playground) -> None:
    theirs = await playground.say("моё", chat=TEAM, user_id=BEN)
    rights = {"can_pin_messages": True}
    await playground.post(f"chats/{TEAM}/members", action="promote", bot=True, rights=rights)
    target = {"chat_id": TEAM, "message_id": theirs["message_id"]}
    refused = await playground.raw("deleteMessage", **target)
    assert refused.error == "Bad Request: message can't be deleted"
    await playground.post(f"chats/{TEAM}/members", action="promote", bot=True)
    assert await playground.call("deleteMessage", **target) is True


async def test_message_ids_are_shared_by_private_chats_and_own_in_supergroups(
    playground: Playground,
) -> None:
    async def send(chat: int) -> int:
        sent = await playground.call("sendMessage", chat_id=chat, text="x")
        return int(sent["message_id"])

    assert [await send(chat) for chat in (ANNA, BEN, TEAM, ANNA, TEAM)] == [1, 2, 1, 3, 2]


async def test_copy_and_forward(playground: Playground) -> None:
    source = await playground.say("смотри https://example.com")
    origin = {"from_chat_id": ANNA, "message_id": source["message_id"]}
    copy = await playground.call("copyMessage", chat_id=BEN, **origin)
    forward = await playground.call("forwardMessage", chat_id=BEN, **origin)
    assert set(copy) == {"message_id"}
    assert forward["forward_origin"]["sender_user"]["id"] == ANNA
    shown = await playground.messages(BEN)
    assert [message["text"] for message in shown] == [source["text"]] * 2
    assert shown[0]["entities"][0]["type"] == "url"
    assert "forward_origin" not in shown[0]
    missing = await playground.raw("copyMessage", chat_id=BEN, from_chat_id=ANNA, message_id=9)
    assert missing.error == "Bad Request: message to copy not found"


async def test_protected_content_is_not_copied(playground: Playground) -> None:
    kept = await playground.call("sendMessage", chat_id=ANNA, text="x", protect_content=True)
    assert kept["has_protected_content"] is True
    origin = {"from_chat_id": ANNA, "message_id": kept["message_id"]}
    for method in ("copyMessage", "forwardMessage"):
        assert "can't be" in (await playground.raw(method, chat_id=BEN, **origin)).error


async def test_a_press_is_answered_once(playground: Playground) -> None:
    sent = await playground.call("sendMessage", chat_id=ANNA, text="?", reply_markup=KEYBOARD)
    bot = in_background(answer_press(playground, text="Готово", show_alert=True))
    pressed = await playground.post(f"chats/{ANNA}/press", message_id=sent["message_id"], text="Да")
    query = await bot
    assert pressed == {"answer": {"text": "Готово", "show_alert": True}}
    assert query["data"] == "yes"
    assert query["message"]["message_id"] == sent["message_id"]
    for query_id in (query["id"], "123"):
        late = await playground.raw("answerCallbackQuery", callback_query_id=query_id)
        assert late.error == (
            "Bad Request: query is too old and response timeout expired or query ID is invalid"
        )


async def test_a_press_without_an_answer_ends(playground: Playground) -> None:
    sent = await playground.call("sendMessage", chat_id=ANNA, text="?", reply_markup=KEYBOARD)
    pressed = await playground.post(
        f"chats/{ANNA}/press", message_id=sent["message_id"], data="yes", wait=0.01
    )
    assert pressed == {"answer": None}
    (update,) = await playground.updates()
    query_id = update["callback_query"]["id"]
    assert await playground.call("answerCallbackQuery", callback_query_id=query_id) is True
    await playground.post(
        f"chats/{ANNA}/press", status=404, message_id=sent["message_id"], text="Нет"
    )


async def test_unknown_methods_are_404_and_logged(playground: Playground) -> None:
    answer = await playground.raw("sendHologram", chat_id=ANNA)
    assert (answer.status, answer.error) == (404, "Not Found: method not found")
    (row,) = await playground.log()
    assert (row["method"], row["status"], row["n"]) == ("sendHologram", 404, 1)


async def test_the_bot_reacts(playground: Playground) -> None:
    theirs = await playground.say("красота")
    target = {"chat_id": ANNA, "message_id": theirs["message_id"]}
    reaction = [{"type": "emoji", "emoji": "🔥"}]
    await playground.call("setMessageReaction", **target, reaction=reaction)
    assert (await playground.messages())[0]["reactions"] == {"4242": reaction}
    many = await playground.raw("setMessageReaction", **target, reaction=reaction * 2)
    assert many.error == "Bad Request: REACTIONS_TOO_MANY"
    await playground.call("setMessageReaction", **target)
    assert "reactions" not in (await playground.messages())[0]


async def test_pinning(playground: Playground) -> None:
    sent = await playground.call("sendMessage", chat_id=TEAM, text="важно")
    await playground.call("pinChatMessage", chat_id=TEAM, message_id=sent["message_id"])
    chat = await playground.call("getChat", chat_id=TEAM)
    assert chat["pinned_message"]["text"] == "важно"
    assert (await playground.messages(TEAM))[-1]["pinned_message"]["text"] == "важно"
    await playground.call("unpinChatMessage", chat_id=TEAM)
    assert "pinned_message" not in await playground.call("getChat", chat_id=TEAM)
    missing = await playground.raw("pinChatMessage", chat_id=TEAM, message_id=99)
    assert missing.error == "Bad Request: message to pin not found"


async def test_channel_posts_come_from_the_channel(playground: Playground) -> None:
    posted = await playground.call("sendMessage", chat_id="@vitrina_channel", text="новость")
    assert posted["sender_chat"]["id"] == CHANNEL
    assert "from" not in posted
    target = {"chat_id": CHANNEL, "message_id": posted["message_id"]}
    assert (await playground.call("editMessageText", **target, text="правка"))["text"] == "правка"
    await playground.say("от админа", chat=CHANNEL, user_id=ANNA)
    (update,) = await playground.updates()
    assert update["channel_post"]["text"] == "от админа"
    await playground.post(f"chats/{CHANNEL}/send", status=400, user_id=BEN, text="можно?")


async def test_who_may_only_post_in_a_channel_edits_their_own_posts(playground: Playground) -> None:
    """As TDLib has it: the right to edit is about what others have posted."""
    posted = await playground.call("sendMessage", chat_id=CHANNEL, text="новость")
    foreign = await playground.say("от админа", chat=CHANNEL, user_id=ANNA)
    for rights, own, others in (
        ({"can_post_messages": True}, True, False),
        ({"can_edit_messages": True}, True, True),
        ({"can_delete_messages": True}, False, False),
    ):
        change = {"action": "promote", "bot": True, "rights": rights}
        await playground.post(f"chats/{CHANNEL}/members", **change)
        for message, may in ((posted, own), (foreign, others)):
            target = {"chat_id": CHANNEL, "message_id": message["message_id"]}
            text = f"правка {rights}"
            edited = await playground.raw("editMessageText", **target, text=text)
            refusal = edited.body.get("description")
            assert refusal == (None if may else "Bad Request: message can't be edited")
