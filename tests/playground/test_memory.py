"""What a playground with a state folder remembers, after a stop and after a kill."""

from __future__ import annotations

import signal
from pathlib import Path

import aiohttp
import pytest

from playground.errors import StateUnusable
from playground.server import running
from tests.playground.client import ANNA, TEAM, TOKEN, Playground, picture, start


async def live_a_little(playground: Playground) -> str:
    """Leaves a trace of every kind; answers with a photo's file_id."""
    await playground.call("getMe")
    commands = [{"command": "gen", "description": "Создать"}]
    await playground.call("setMyCommands", commands=commands)
    photo = await playground.call("sendPhoto", {"photo": ("a.png", picture())}, chat_id=ANNA)
    gone = await playground.call("sendMessage", chat_id=ANNA, text="удалю")
    await playground.call("deleteMessage", chat_id=ANNA, message_id=gone["message_id"])
    await playground.post("chats", type="private", members=[{"id": 3003, "first_name": "Вера"}])
    await playground.post(f"chats/{TEAM}/members", action="open_topic", name="Осень")
    await playground.say("первое")
    await playground.updates()
    await playground.say("второе")
    return str(photo["photo"][-1]["file_id"])


async def check_it_is_there(playground: Playground, file_id: str) -> None:
    """Everything stands as it was, and numbers go on."""
    pending = await playground.call("getUpdates")
    texts = [update["message"].get("text") for update in pending]
    assert texts == [None, "первое", "второе"]  # the first tells of the topic
    shown = await playground.messages()
    assert [message.get("text") for message in shown] == [None, "первое", "второе"]
    sent = await playground.call("sendPhoto", chat_id=ANNA, photo=file_id)
    assert sent["message_id"] == shown[-1]["message_id"] + 1
    file = await playground.call("getFile", file_id=file_id)
    url = f"{playground.base_url}/file/bot{TOKEN}/{file['file_path']}"
    async with playground.http.get(url) as response:
        assert await response.read() == picture()
    assert (await playground.get("commands", chat=ANNA))["commands"][0]["command"] == "gen"
    chats = {chat["id"]: chat for chat in (await playground.get("chats"))["chats"]}
    assert chats[3003]["title"] == "Вера"
    assert [topic["name"] for topic in chats[TEAM]["topics"]] == ["Осень"]
    assert chats[ANNA]["seq"] == 6
    await playground.say("третье")
    last = (await playground.call("getUpdates"))[-1]
    assert last["update_id"] == pending[-1]["update_id"] + 1


async def test_a_restart_forgets_nothing(state_dir: Path) -> None:
    async with aiohttp.ClientSession() as http:
        async with running(state_dir=state_dir) as base_url:
            playground = Playground(base_url, http)
            file_id = await live_a_little(playground)
        async with running(state_dir=state_dir) as base_url:
            await check_it_is_there(Playground(base_url, http), file_id)


async def test_a_kill_forgets_nothing_that_was_answered(state_dir: Path) -> None:
    process, base_url = await start(state_dir)
    async with aiohttp.ClientSession() as http:
        file_id = await live_a_little(Playground(base_url, http))
        process.send_signal(signal.SIGKILL)
        await process.wait()
        async with running(state_dir=state_dir) as base_url:
            await check_it_is_there(Playground(base_url, http), file_id)


async def test_a_webhook_goes_on_after_a_restart(state_dir: Path) -> None:
    async with aiohttp.ClientSession() as http:
        async with running(state_dir=state_dir) as base_url:
            playground = Playground(base_url, http)
            await playground.call("setWebhook", url="http://127.0.0.1:9/nobody", secret_token="s")
            await playground.say("ждёт")
        async with running(state_dir=state_dir) as base_url:
            info = await Playground(base_url, http).call("getWebhookInfo")
    assert (info["url"], info["pending_update_count"]) == ("http://127.0.0.1:9/nobody", 1)


async def test_a_press_from_before_the_restart_can_be_answered(state_dir: Path) -> None:
    markup = {"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]}
    async with aiohttp.ClientSession() as http:
        async with running(state_dir=state_dir) as base_url:
            playground = Playground(base_url, http)
            sent = await playground.call("sendMessage", chat_id=ANNA, text="?", reply_markup=markup)
            press = {"message_id": sent["message_id"], "text": "a", "wait": 0.01}
            await playground.post(f"chats/{ANNA}/press", **press)
        async with running(state_dir=state_dir) as base_url:
            playground = Playground(base_url, http)
            (update,) = await playground.updates()
            query_id = update["callback_query"]["id"]
            assert await playground.call("answerCallbackQuery", callback_query_id=query_id)


async def test_one_folder_serves_one_playground(state_dir: Path) -> None:
    async with running(state_dir=state_dir):
        with pytest.raises(StateUnusable, match="locked"):
            async with running(state_dir=state_dir):
                pass
