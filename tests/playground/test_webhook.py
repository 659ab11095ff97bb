"""Webhooks: the secret, redelivery, order, and a call in the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from tests.playground.client import ANNA, BEN, Playground, in_background


@dataclass
class Hook:
    """A bot's web server: keeps what comes and answers as told."""

    url: str = ""
    bodies: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    headers: list[str | None] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.headers.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        self.bodies.put_nowait(await request.json())
        return self.answers.pop(0) if self.answers else web.Response()

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.bodies.get(), 5)


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    """A running web server of a bot."""
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield hook
    await runner.cleanup()


async def test_updates_come_with_the_secret(playground: Playground, hook: Hook) -> None:
    await playground.say("до вебхука")
    await playground.call("setWebhook", url=hook.url, secret_token="s3cret_-")
    assert (await hook.next())["message"]["text"] == "до вебхука"
    await playground.say("после")
    assert (await hook.next())["message"]["text"] == "после"
    assert hook.headers == ["s3cret_-"] * 2


async def test_a_refused_update_comes_again_until_it_is_taken(
    playground: Playground, hook: Hook
) -> None:
    hook.answers = [web.Response(status=500), web.Response(status=404)]
    await playground.call("setWebhook", url=hook.url)
    await playground.say("раз")
    await playground.say("два")
    texts = [(await hook.next())["message"]["text"] for _ in range(4)]
    assert texts == ["раз", "раз", "раз", "два"]
    info = await playground.call("getWebhookInfo")
    assert info["url"] == hook.url
    assert info["last_error_message"] == "Wrong response from the webhook: 404 Not Found"


async def test_one_stuck_chat_does_not_hold_another(playground: Playground, hook: Hook) -> None:
    hook.answers = [web.Response(status=500)]
    await playground.call("setWebhook", url=hook.url)
    await playground.say("застряло", chat=ANNA)
    assert (await hook.next())["message"]["text"] == "застряло"
    await playground.say("проходит", chat=BEN)
    assert (await hook.next())["message"]["text"] == "проходит"


async def test_a_bot_that_is_down_gets_everything_later(playground: Playground, hook: Hook) -> None:
    await playground.call("setWebhook", url="http://127.0.0.1:9/nobody")
    await playground.say("ау")
    info = await playground.call("getWebhookInfo")
    assert info["pending_update_count"] == 1
    await playground.call("setWebhook", url=hook.url)
    assert (await hook.next())["message"]["text"] == "ау"


async def test_the_answer_may_be_a_call(playground: Playground, hook: Hook) -> None:
    said = {"method": "sendMessage", "chat_id": ANNA, "text": "из ответа"}
    hook.answers = [web.json_response(said)]
    await playground.call("setWebhook", url=hook.url)
    await playground.say("раз")
    changed = await playground.messages(since=1, wait=5)
    assert [message["text"] for message in changed] == ["из ответа"]
    assert len(await playground.log("sendMessage")) == 1


async def test_polling_and_a_webhook_exclude_each_other(playground: Playground, hook: Hook) -> None:
    await playground.call("setWebhook", url=hook.url)
    answer = await playground.raw("getUpdates")
    assert answer.status == 409
    assert "can't use getUpdates method while webhook is active" in answer.error
    await playground.call("deleteWebhook", drop_pending_updates=True)
    await playground.say("теперь опрос")
    assert len(await playground.updates()) == 1
    assert (await playground.call("getWebhookInfo"))["url"] == ""


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"url": "ftp://a.ru"}, "invalid webhook URL specified"),
        ({"url": "просто текст"}, "invalid webhook URL specified"),
        ({"url": "https://a.ru", "secret_token": "x" * 257}, "secret token is too long"),
        (
            {"url": "https://a.ru", "secret_token": "секрет"},
            "secret token contains unallowed characters",
        ),
    ],
)
async def test_bad_webhooks(playground: Playground, fields: dict[str, Any], error: str) -> None:
    answer = await playground.raw("setWebhook", **fields)
    assert answer.error == f"Bad Request: {error}"


async def test_a_webhook_ends_a_poll(playground: Playground, hook: Hook) -> None:
    poll = in_background(playground.raw("getUpdates", timeout=30))
    await playground.call("getMe")
    await asyncio.wait_for(_until_it_ends(playground, poll, hook), 10)
    assert (await poll).error == "Conflict: terminated by setWebhook request"


async def _until_it_ends(playground: Playground, poll: asyncio.Task[Any], hook: Hook) -> None:
    """Set the webhook again until the poll, which may not have arrived yet, is over."""
    while not poll.done():
        await playground.call("deleteWebhook")
        await playground.call("setWebhook", url=hook.url)
        await asyncio.wait([poll], timeout=0.05)
