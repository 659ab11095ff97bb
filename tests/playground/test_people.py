"""The person's side: chats, messages that change, events, commands, what makes no sense."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.playground.client import ANNA, BEN, CHANNEL, TEAM, Playground, in_background


async def test_who_is_there_from_the_start(playground: Playground) -> None:
    chats = {chat["id"]: chat for chat in (await playground.get("chats"))["chats"]}
    assert set(chats) == {ANNA, BEN, TEAM, CHANNEL}
    assert (chats[ANNA]["title"], chats[ANNA]["members"][0]["language_code"]) == ("Анна", "ru")
    assert (chats[BEN]["title"], chats[BEN]["members"][0]["language_code"]) == ("Ben", "en")
    assert chats[TEAM]["bot_status"] == "administrator"
    assert {member["id"] for member in chats[TEAM]["members"]} == {ANNA, BEN}
    assert chats[CHANNEL]["type"] == "channel"


async def test_new_people_get_ids_of_their_own(playground: Playground) -> None:
    first = await playground.post("chats", type="private", title="Вера")
    second = await playground.post("chats", type="private", members=[{"first_name": "Глеб"}])
    assert first["id"] != second["id"]
    assert [first["title"], second["title"]] == ["Вера", "Глеб"]
    await playground.say("привет", chat=second["id"])
    (update,) = await playground.updates()
    assert update["message"]["from"]["first_name"] == "Глеб"


async def test_changes_come_in_order_of_seq(playground: Playground) -> None:
    first = await playground.call("sendMessage", chat_id=ANNA, text="раз")
    await playground.call("sendMessage", chat_id=ANNA, text="два")
    target = {"chat_id": ANNA, "message_id": first["message_id"]}
    await playground.call("editMessageText", **target, text="раз!")
    answer = await playground.get(f"chats/{ANNA}/messages", since=1)
    assert answer["seq"] == 3
    assert [(m["seq"], m["text"]) for m in answer["messages"]] == [(2, "два"), (3, "раз!")]
    assert await playground.messages(since=3) == []


async def test_waiting_for_a_change(playground: Playground) -> None:
    waiting = in_background(playground.messages(since=0, wait=30))
    await playground.call("sendMessage", chat_id=BEN, text="не сюда")
    await playground.call("sendMessage", chat_id=ANNA, text="сюда")
    changed = await asyncio.wait_for(waiting, 5)
    assert [message["text"] for message in changed] == ["сюда"]
    assert await playground.messages(since=1, wait=0.01) == []


async def test_a_long_text_goes_out_in_several_messages(playground: Playground) -> None:
    text = "я" * 4097
    first = await playground.say(text)
    assert len(first["text"]) == 4096
    updates = await playground.updates()
    assert [len(update["message"]["text"]) for update in updates] == [4096, 1]


async def test_people_edit_and_delete_what_is_theirs(playground: Playground) -> None:
    mine = await playground.say("закат")
    await playground.post(f"chats/{ANNA}/edit", message_id=mine["message_id"], text="рассвет")
    bots = await playground.call("sendMessage", chat_id=ANNA, text="бот")
    await playground.post(f"chats/{ANNA}/edit", status=400, message_id=bots["message_id"], text="x")
    written, edited = await playground.updates()
    assert edited["edited_message"]["text"] == "рассвет"
    assert edited["edited_message"]["message_id"] == written["message"]["message_id"]
    await playground.post(f"chats/{ANNA}/delete", message_id=bots["message_id"])
    await playground.post(f"chats/{ANNA}/delete", status=404, message_id=bots["message_id"])
    assert [message["text"] for message in await playground.messages()] == ["рассвет"]
    theirs = await playground.say("моё", chat=TEAM, user_id=ANNA)
    body = {"message_id": theirs["message_id"], "user_id": BEN}
    await playground.post(f"chats/{TEAM}/delete", status=400, **body)


async def test_nothing_is_sent_without_content(playground: Playground) -> None:
    for body in ({}, {"text": ""}, {"text": "  "}):
        refused = await playground.post(f"chats/{ANNA}/send", status=400, **body)
        assert refused["ok"] is False
    await playground.post(f"chats/{ANNA}/send", status=404, text="x", reply_to_message_id=99)
    await playground.post(f"chats/{ANNA}/edit", status=400, message_id=1)
    assert await playground.updates() == []


async def test_commands_by_scope_and_language(playground: Playground) -> None:
    async def put(description: str, **where: Any) -> None:
        commands = [{"command": "gen", "description": description}]
        await playground.call("setMyCommands", commands=commands, **where)

    async def shown(chat: int, user: int) -> str | None:
        found = (await playground.get("commands", chat=chat, user=user))["commands"]
        return found[0]["description"] if found else None

    assert await shown(ANNA, ANNA) is None
    await put("default")
    await put("private ru", scope={"type": "all_private_chats"}, language_code="ru")
    await put("groups", scope={"type": "all_group_chats"})
    await put("admins", scope={"type": "all_chat_administrators"})
    assert await shown(ANNA, ANNA) == "private ru"
    assert await shown(BEN, BEN) == "default"
    assert await shown(TEAM, ANNA) == "admins"
    assert await shown(TEAM, BEN) == "groups"
    await put("this chat", scope={"type": "chat", "chat_id": BEN})
    assert await shown(BEN, BEN) == "this chat"
    scope = {"type": "chat", "chat_id": BEN}
    assert len(await playground.call("getMyCommands", scope=scope)) == 1
    await playground.call("deleteMyCommands", scope=scope)
    assert await shown(BEN, BEN) == "default"
    for command in ("Gen", "", "x" * 33):
        bad = await playground.raw(
            "setMyCommands", commands=[{"command": command, "description": "x"}]
        )
        assert bad.error == "Bad Request: BOT_COMMAND_INVALID"


async def test_descriptions_and_names_by_language(playground: Playground) -> None:
    await playground.call("setMyDescription", description="Shop window")
    await playground.call("setMyDescription", description="Витрина", language_code="ru")
    for code, text in [("ru", "Витрина"), ("de", "Shop window"), (None, "Shop window")]:
        fields = {"language_code": code} if code else {}
        assert await playground.call("getMyDescription", **fields) == {"description": text}
    await playground.call("setMyName", name="Новое имя")
    assert (await playground.call("getMe"))["first_name"] == "Новое имя"
    long = await playground.raw("setMyShortDescription", short_description="я" * 121)
    assert long.status == 400


async def test_a_page_hears_what_happens(playground: Playground) -> None:
    url = f"{playground.base_url}/sim/events"
    heard: dict[str, Any] = {}
    async with playground.http.get(url) as response:
        assert response.content_type == "text/event-stream"
        assert await response.content.readline() == b": open\n"
        await playground.call("sendChatAction", chat_id=ANNA, action="typing")
        sent = await playground.call("sendMessage", chat_id=ANNA, text="готово")
        await playground.call("setMyCommands", commands=[])
        await playground.post(f"chats/{TEAM}/members", action="open_topic", name="Осень")
        while not {"action", "message", "commands", "chat"} <= heard.keys():
            line = (await asyncio.wait_for(response.content.readline(), 5)).decode().strip()
            if line.startswith("event: "):
                data = (await response.content.readline()).decode().removeprefix("data: ")
                heard.setdefault(line.removeprefix("event: "), json.loads(data))
    assert heard["action"] == {"chat_id": ANNA, "action": "typing"}
    assert heard["message"]["chat_id"] == ANNA
    assert heard["message"]["message"] == {**sent, "seq": 1}
    assert heard["chat"] == {"chat_id": TEAM}


async def test_bad_calls_are_explained(playground: Playground) -> None:
    for path, status, body in [
        ("chats", 400, {"type": "secret"}),
        ("chats", 400, {"type": "group", "member": []}),
        ("chats", 400, {"type": "group", "id": 5}),
        ("chats/abc/send", 404, {"text": "x"}),
        (f"chats/{ANNA}/press", 404, {"message_id": 1, "text": "a"}),
        ("limits", 400, {}),
    ]:
        refused = await playground.post(path, status=status, **body)
        assert refused["ok"] is False
        assert refused["description"]
    await playground.get("chats", status=400, bot="x")
