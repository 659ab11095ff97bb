"""Both sides of a playground over HTTP, for its tests."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

ANNA = 1001
BEN = 1002
TEAM = -1000000002001
CHANNEL = -1000000003001
TOKEN = "4242:test-token"
BOT_ID = 4242


def picture(width_px: int = 640, height_px: int = 480, name: str = "PNG") -> bytes:
    """A picture's bytes."""
    out = BytesIO()
    Image.new("RGB", (width_px, height_px), "teal").save(out, name)
    return out.getvalue()


@dataclass
class Answer:
    """A Bot API answer as it came."""

    status: int
    body: dict[str, Any]

    @property
    def error(self) -> str:
        assert not self.body["ok"], self.body
        assert self.body["error_code"] == self.status
        return str(self.body["description"])


@dataclass
class Playground:
    """Both sides of a running playground."""

    base_url: str
    http: aiohttp.ClientSession
    token: str = TOKEN
    offset: int = 0

    async def raw(
        self, method: str, files: Mapping[str, tuple[str, bytes]] | None = None, **fields: Any
    ) -> Answer:
        """A Bot API call: JSON, or multipart where files come along."""
        url = f"{self.base_url}/bot{self.token}/{method}"
        if files is None:
            request = self.http.post(url, json=fields)
        else:
            # Names unquoted, as aiogram sends them.
            form = aiohttp.FormData(quote_fields=False)
            for name, value in fields.items():
                text = value if isinstance(value, str) else json.dumps(value)
                form.add_field(name, text)
            for name, (filename, content) in files.items():
                form.add_field(name, BytesIO(content), filename=filename)
            request = self.http.post(url, data=form)
        async with request as response:
            return Answer(response.status, await response.json())

    async def call(
        self, method: str, files: Mapping[str, tuple[str, bytes]] | None = None, **fields: Any
    ) -> Any:
        """A Bot API call that has to succeed."""
        answer = await self.raw(method, files, **fields)
        assert answer.status == 200, answer.body
        assert answer.body["ok"] is True
        return answer.body["result"]

    async def updates(self, timeout: int = 0, **fields: Any) -> list[Any]:
        """New updates, the earlier ones confirmed."""
        got = await self.call("getUpdates", offset=self.offset, timeout=timeout, **fields)
        if got:
            self.offset = got[-1]["update_id"] + 1
        return list(got)

    async def get(self, path: str, status: int = 200, **params: Any) -> Any:
        """A /sim GET."""
        async with self.http.get(f"{self.base_url}/sim/{path}", params=params) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:
        """A /sim POST."""
        async with self.http.post(f"{self.base_url}/sim/{path}", json=body) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def say(self, text: str, chat: int = ANNA, **fields: Any) -> Any:
        """A person writes."""
        return await self.post(f"chats/{chat}/send", text=text, **fields)

    async def send_file(self, kind: str, name: str, content: bytes, **fields: str) -> Any:
        """Anna sends a photo or a document."""
        form = aiohttp.FormData(fields, quote_fields=False)
        form.add_field(kind, BytesIO(content), filename=name)
        url = f"{self.base_url}/sim/chats/{ANNA}/send"
        async with self.http.post(url, data=form) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def download(self, file_id: str) -> bytes:
        """A file down the bot's way."""
        file = await self.call("getFile", file_id=file_id)
        url = f"{self.base_url}/file/bot{self.token}/{file['file_path']}"
        async with self.http.get(url) as response:
            assert response.status == 200
            return await response.read()

    async def messages(self, chat: int = ANNA, **params: Any) -> list[Any]:
        """What stands in a chat."""
        return list((await self.get(f"chats/{chat}/messages", **params))["messages"])

    async def log(self, method: str | None = None) -> list[Any]:
        """Rows of the log, of one method."""
        calls = (await self.get("log", after=0))["calls"]
        return [row for row in calls if method in (None, row["method"])]


async def answer_press(playground: Playground, **answer: Any) -> Any:
    """The bot's side of a button press: waits for the query and answers it."""
    while True:
        for update in await playground.updates(timeout=5):
            if "callback_query" in update:
                query = update["callback_query"]
                await playground.call(
                    "answerCallbackQuery", callback_query_id=query["id"], **answer
                )
                return query


def in_background(coroutine: Any) -> asyncio.Task[Any]:
    """A task that the test awaits later."""
    return asyncio.create_task(coroutine)


COMMAND = "import typer; from playground.cli import playground; typer.run(playground)"


async def start(state_dir: Path) -> tuple[asyncio.subprocess.Process, str]:
    """`vitrina playground` in a process of its own, and its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        COMMAND,
        f"--state-dir={state_dir}",
        "--port=0",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    return process, line.removeprefix("Playground: ").strip()
