"""The webhook's answers: what Telegram must send again and what it must not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot import webhook
from tests.bot.stage import Stage
from tests.bot.test_generate import message_update
from tests.sim import ANNA

SECRET = "s3cret"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture
async def address(stage: Stage) -> AsyncIterator[str]:
    app: web.Application = webhook.create_app(stage.dispatcher, stage.bot, SECRET)
    async with TestServer(app) as server:
        yield str(server.make_url(webhook.PATH))


async def post(stage: Stage, address: str, secret: str = SECRET, **more: object) -> int:
    body: dict[str, object] = {"json": message_update(stage, 1, 7, "баннер для сайта")} | more
    async with stage.sim.http.post(address, headers={HEADER: secret}, **body) as answer:  # type: ignore[arg-type]
        return answer.status


async def test_200_comes_after_the_handler(stage: Stage, address: str) -> None:
    assert await post(stage, address) == HTTPStatus.OK
    assert len(await stage.rows("SELECT id FROM ml_requests")) == 1
    assert len(await stage.sim.calls("sendMessage")) == 1


async def test_a_failed_handler_is_a_500_and_the_repetition_does_what_was_missing(
    stage: Stage, address: str
) -> None:
    await stage.sim.fault("sendMessage", "500")
    assert await post(stage, address) == HTTPStatus.INTERNAL_SERVER_ERROR
    assert await post(stage, address) == HTTPStatus.OK
    assert await post(stage, address) == HTTPStatus.OK
    assert len(await stage.sim.calls("sendMessage")) == 2


@pytest.mark.parametrize("secret", ["", "wrong", "пароль", "\udce9"])
async def test_a_wrong_secret_is_a_401(stage: Stage, address: str, secret: str) -> None:
    assert await raw_post(address, secret.encode("utf-8", "surrogateescape")) == 401
    assert await stage.rows("SELECT id FROM ml_requests") == []


async def raw_post(address: str, secret: bytes) -> int:
    """aiohttp's own client refuses such headers; others do not."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n"
    writer.write(head.encode() + HEADER.encode() + b": " + secret + b"\r\n\r\n{}")
    await writer.drain()
    status = (await reader.readline()).split()[1]
    writer.close()
    await writer.wait_closed()
    return int(status)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
async def test_what_is_no_json_is_a_400(stage: Stage, address: str, body: bytes) -> None:
    assert await post(stage, address, json=None, data=body) == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "body", [b"[]", b'{"update_id": "x"}', b'{"update_id": 1, "message": {"message_id": "new"}}']
)
async def test_what_aiogram_cannot_read_is_not_asked_for_again(
    stage: Stage, address: str, body: bytes
) -> None:
    assert await post(stage, address, json=None, data=body) == HTTPStatus.OK
    assert await stage.sim.calls("sendMessage") == []


async def test_garbage_in_the_proxys_header_harms_nothing(stage: Stage, address: str) -> None:
    headers = {HEADER: SECRET, "X-Forwarded-For": "garbage, 1.2.3"}
    update = message_update(stage, 1, 7, "баннер")
    async with stage.sim.http.post(address, headers=headers, json=update) as answer:
        assert answer.status == HTTPStatus.OK


async def test_health(stage: Stage, address: str) -> None:
    url = address.replace(webhook.PATH, webhook.HEALTH_PATH)
    async with stage.sim.http.get(url) as answer:
        assert await answer.text() == "ok"


async def test_telegram_delivers_through_it(stage: Stage, address: str) -> None:
    await stage.bot.set_webhook(address, secret_token=SECRET)
    person = stage.person(ANNA)
    await person.send("баннер для сайта")
    await person.button("Создать")
