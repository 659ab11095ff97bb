"""getUpdates: long polling, confirmation by offset, kinds of updates."""

from __future__ import annotations

import asyncio

from tests.playground.client import ANNA, TOKEN, Playground, in_background


async def test_updates_come_until_they_are_confirmed(playground: Playground) -> None:
    await playground.say("раз")
    await playground.say("два")
    first = await playground.call("getUpdates")
    assert [update["message"]["text"] for update in first] == ["раз", "два"]
    assert await playground.call("getUpdates") == first

    second_id = first[1]["update_id"]
    assert first[0]["update_id"] + 1 == second_id
    rest = await playground.call("getUpdates", offset=second_id)
    assert [update["message"]["text"] for update in rest] == ["два"]
    assert await playground.call("getUpdates", offset=second_id + 1) == []


async def test_a_long_poll_returns_as_soon_as_somebody_writes(playground: Playground) -> None:
    poll = in_background(playground.call("getUpdates", timeout=30))
    await playground.say("привет")
    updates = await asyncio.wait_for(poll, 5)
    assert updates[0]["message"]["from"]["first_name"] == "Анна"


async def test_limit_and_negative_offset(playground: Playground) -> None:
    for text in "abcd":
        await playground.say(text)
    assert len(await playground.call("getUpdates", limit=3)) == 3
    last = await playground.call("getUpdates", offset=-1)
    assert [update["message"]["text"] for update in last] == ["d"]
    assert len(await playground.call("getUpdates")) == 1


async def test_two_polls_at_once_leave_one(playground: Playground) -> None:
    polls = {in_background(playground.raw("getUpdates", timeout=30)) for _ in range(2)}
    done, left = await asyncio.wait(polls, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    lost = done.pop().result()
    assert lost.status == 409
    assert "terminated by other getUpdates request" in lost.error
    await playground.say("кому?")
    assert len((await left.pop()).body["result"]) == 1


async def test_allowed_updates_are_remembered(playground: Playground) -> None:
    await playground.call("getUpdates", allowed_updates=["callback_query"])
    await playground.say("не нужно")
    assert await playground.call("getUpdates") == []
    await playground.call("getUpdates", allowed_updates=[])
    await playground.say("нужно")
    assert [u["message"]["text"] for u in await playground.call("getUpdates")] == ["нужно"]


async def test_reactions_come_only_when_asked_for(playground: Playground) -> None:
    message = await playground.call("sendMessage", chat_id=ANNA, text="нравится?")
    await playground.post(f"chats/{ANNA}/react", message_id=message["message_id"], emoji="👍")
    assert await playground.updates() == []
    await playground.updates(allowed_updates=["message_reaction"])
    shown = await playground.post(f"chats/{ANNA}/react", message_id=message["message_id"])
    assert "reactions" not in shown
    (update,) = await playground.updates()
    assert update["message_reaction"]["old_reaction"] == [{"type": "emoji", "emoji": "👍"}]
    assert update["message_reaction"]["new_reaction"] == []


async def test_what_was_written_before_the_bot_came_is_waiting_for_it(
    playground: Playground,
) -> None:
    assert (await playground.get("bots"))["bots"][0]["id"] != 4242
    await playground.say("есть кто?")
    assert len(await playground.updates()) == 1
    assert (await playground.get("bots"))["bots"][0]["id"] == 4242


async def test_every_token_is_a_bot_of_its_own(playground: Playground) -> None:
    await playground.call("sendMessage", chat_id=ANNA, text="я первый")
    playground.token = "99:other"
    me = await playground.call("getMe")
    assert me["id"] == 99
    await playground.call("sendMessage", chat_id=ANNA, text="я второй")
    assert [m["text"] for m in await playground.messages()] == ["я первый"]
    assert [m["text"] for m in await playground.messages(bot=99)] == ["я второй"]
    assert [bot["id"] for bot in (await playground.get("bots"))["bots"]] == [4242, 99]
    await playground.get("chats", status=404, bot=98)


async def test_bad_tokens_are_unauthorized(playground: Playground) -> None:
    await playground.call("getMe")
    for token in ("nonsense", "4242:another-secret", ":abc", "12"):
        playground.token = token
        assert (await playground.raw("getMe")).error.startswith("Unauthorized")
    playground.token = TOKEN
    await playground.call("getMe")


async def test_raw_updates_go_out_as_they_are(playground: Playground) -> None:
    await playground.say("обычное")
    (usual,) = await playground.updates()
    old = {"update_id": usual["update_id"] - 50, "message": usual["message"]}
    for body in (old, old, {"update_id": 7, "nonsense": [1]}, {"no": "id"}):
        await playground.post("updates", **body)
    bodies = await playground.call("getUpdates", offset=playground.offset)
    assert bodies == [old, old, {"update_id": 7, "nonsense": [1]}, {"no": "id"}]
    assert await playground.call("getUpdates", offset=playground.offset) == []
