"""Faults, the pace, and the log that judges."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.playground.client import ANNA, BEN, TEAM, Playground, picture


async def test_too_many_requests_on_demand(playground: Playground) -> None:
    await playground.post("faults", method="sendMessage", mode="429", times=2, retry_after=3)
    for _ in range(2):
        answer = await playground.raw("sendMessage", chat_id=ANNA, text="x")
        assert answer.error == "Too Many Requests: retry after 3"
        assert answer.body["parameters"] == {"retry_after": 3}
    await playground.call("getMe")
    await playground.call("sendMessage", chat_id=ANNA, text="x")
    assert [row["status"] for row in await playground.log("sendMessage")] == [429, 429, 200]


async def test_server_errors(playground: Playground) -> None:
    await playground.post("faults", mode="500")
    assert (await playground.raw("getMe")).error == "Internal Server Error"
    await playground.post("faults", mode="502html")
    url = f"{playground.base_url}/bot{playground.token}/getMe"
    async with playground.http.get(url) as response:
        assert response.status == 502
        assert response.content_type == "text/html"
    assert [row["status"] for row in await playground.log()] == [500, 502]
    assert await playground.messages() == []


async def test_a_dropped_call_has_done_its_work(playground: Playground) -> None:
    await playground.post("faults", method="sendMessage", mode="drop")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await playground.raw("sendMessage", chat_id=ANNA, text="дошло")
    assert [message["text"] for message in await playground.messages()] == ["дошло"]
    (row,) = await playground.log("sendMessage")
    assert (row["status"], row["fault"]) == (200, "drop")


async def test_a_hanging_call_has_not(playground: Playground) -> None:
    await playground.post("faults", method="sendMessage", mode="hang", chat_id=ANNA)
    await playground.call("sendMessage", chat_id=BEN, text="другой чат")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(playground.raw("sendMessage", chat_id=ANNA, text="x"), 0.2)
    assert await playground.messages() == []
    assert (await playground.log("sendMessage"))[-1]["fault"] == "hang"


async def test_faults_are_taken_back(playground: Playground) -> None:
    await playground.post("faults", mode="500", times=99)
    assert (await playground.get("faults"))["faults"][0]["times"] == 99
    async with playground.http.delete(f"{playground.base_url}/sim/faults") as response:
        assert await response.json() == {"faults": []}
    await playground.call("getMe")
    await playground.post("faults", status=400, mode="flood")


async def test_the_pace_per_chat(playground: Playground) -> None:
    for _ in range(20):
        await playground.call("sendMessage", chat_id=ANNA, text="без ограничений")
    await playground.post("limits", enforce=True)
    for _ in range(5):
        await playground.call("sendMessage", chat_id=ANNA, text="в запасе пять")
    answer = await playground.raw("sendMessage", chat_id=ANNA, text="шестое")
    assert answer.status == 429
    assert answer.body["parameters"] == {"retry_after": 1}
    await playground.call("sendMessage", chat_id=BEN, text="другому можно")
    await playground.post("limits", enforce=False)
    await playground.call("sendMessage", chat_id=ANNA, text="опять можно")


async def test_every_picture_of_an_album_counts(playground: Playground) -> None:
    await playground.post("limits", enforce=True)
    media = [{"type": "photo", "media": "attach://p"}] * 10
    await playground.call("sendMediaGroup", {"p": ("p.png", picture())}, chat_id=ANNA, media=media)
    answer = await playground.raw("sendMessage", chat_id=ANNA, text="x")
    assert answer.body["parameters"]["retry_after"] == 6


async def test_the_pace_of_a_group(playground: Playground) -> None:
    await playground.post("limits", enforce=True)
    media = [{"type": "photo", "media": "attach://p"}] * 10
    files = {"p": ("p.png", picture())}
    await playground.call("sendMediaGroup", files, chat_id=TEAM, media=media)
    answer = await playground.raw("sendMessage", chat_id=TEAM, text="x")
    assert answer.status == 429


async def test_log_rows_are_numbered_and_in_time_order(playground: Playground) -> None:
    for n in range(5):
        await playground.call("sendMessage", chat_id=ANNA, text=str(n))
    rows = (await playground.get("log", after=2))["calls"]
    assert [row["n"] for row in rows] == [3, 4, 5]
    assert [row["arguments"]["text"] for row in rows] == ["2", "3", "4"]
    times = [row["time"] for row in rows]
    assert times == sorted(times)
    assert (await playground.get("log", after=5))["calls"] == []
    await playground.get("log", status=400, after="вчера")


async def test_an_album_may_break_off_in_the_middle(playground: Playground) -> None:
    await playground.post("faults", method="sendMediaGroup", mode="partial")
    media = [{"type": "photo", "media": "attach://p"}] * 4
    files = {"p": ("p.png", picture())}
    answer = await playground.raw("sendMediaGroup", files, chat_id=ANNA, media=media)
    assert answer.error.startswith("Bad Request: failed to send message #3 with the error message")
    assert len(await playground.messages()) == 2


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"[1]"),
        ("application/json", b"\xff"),
        ("application/json", b"[" * 100_000),
        ("multipart/form-data; boundary=x", b"nothing of the kind"),
        ("multipart/form-data", b"no boundary"),
        ("application/x-www-form-urlencoded", b"chat_id=%FF&text=x"),
    ],
)
async def test_broken_bodies_are_bad_requests(
    playground: Playground, kind: str, body: bytes
) -> None:
    url = f"{playground.base_url}/bot{playground.token}/sendMessage"
    headers = {"Content-Type": kind}
    async with playground.http.post(url, data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["ok"] is False
    assert await playground.messages() == []
