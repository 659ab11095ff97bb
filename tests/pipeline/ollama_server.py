"""An HTTP server that speaks Ollama's protocol, well or badly, for tests.

async with OllamaServer() as ollama:
    ollama.answers = [breaks_off("{"), says_json()]  # one a request; the last one stays
    settings = PipelineSettings(enhancer="ollama", ollama_host=ollama.host)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Self

from aiohttp import web
from aiohttp.test_utils import TestServer

MODEL = "qwen2.5:1.5b-instruct"

PROMPT = {
    "intent": "A cup of autumn latte stands on a wooden table.",
    "render": "steaming latte in a ceramic cup, cinnamon sticks and maple leaves beside it, "
    "rustic wooden table, close-up with empty space above, soft window light, cozy mood",
    "negative": "people, text, blurry",
}

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Json = dict[str, object]


class OllamaServer:
    """`answers` are those to `/api/chat`; `chats` what was asked; `models` are name -> bytes.

    `loads` are the chats without messages, which load a model; they end when `may_load` is set.
    """

    def __init__(self) -> None:
        self.models = {MODEL: 986_061_892}
        self.answers: list[Answer] = [says(json.dumps(PROMPT))]
        self.pull_steps: list[Json] = [
            {"status": "pulling manifest"},
            {"status": "pulling 183715c43589", "digest": "sha256:183715c43589", "total": 200},
            {
                "status": "pulling 183715c43589",
                "digest": "sha256:183715c43589",
                "total": 200,
                "completed": 200,
            },
            {"status": "verifying sha256 digest"},
            {"status": "success"},
        ]
        self.chats: list[Json] = []
        self.loads: list[Json] = []
        self.may_load = asyncio.Event()
        self.may_load.set()
        self.hung_up = asyncio.Event()
        app = web.Application()
        app.router.add_get("/api/tags", self._tags)
        app.router.add_post("/api/chat", self._chat)
        app.router.add_post("/api/pull", self._pull)
        self._server = TestServer(app)

    async def __aenter__(self) -> Self:
        await self._server.start_server(access_log=None)
        return self

    async def __aexit__(self, *args: object) -> None:
        await self._server.close()

    @property
    def host(self) -> str:
        return str(self._server.make_url("/"))

    async def _tags(self, request: web.Request) -> web.Response:
        listed = [{"name": name, "model": name, "size": size} for name, size in self.models.items()]
        return web.json_response({"models": listed})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        (self.chats if asked["messages"] else self.loads).append(asked)
        if asked["model"] not in self.models:
            return web.json_response({"error": f"model '{asked['model']}' not found"}, status=404)
        if not asked["messages"]:
            await self.may_load.wait()
            return web.json_response({**_part(""), "done": True, "done_reason": "load"})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            return await answer(request)
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up.set()
            raise

    async def _pull(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        response = await _ndjson(request, self.pull_steps)
        if self.pull_steps[-1] == {"status": "success"}:
            self.models[asked["model"]] = 200
        return response


def says(
    text: str,
    *,
    prompt_tokens: int | None = 700,
    done: bool = True,
    chunk_chars: int = 4,
    wait: asyncio.Event | None = None,
) -> Answer:
    """Streams the text as a model does; a `wait` is waited for before the last part."""

    async def answer(request: web.Request) -> web.StreamResponse:
        parts: list[Json] = [
            _part(text[at : at + chunk_chars]) for at in range(0, len(text), chunk_chars)
        ]
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for part in parts:
            await _write(response, part)
        if wait is not None:
            await wait.wait()
        if done:
            last = {**_part(""), "done": True, "done_reason": "stop", "eval_count": len(parts)}
            if prompt_tokens is not None:
                last["prompt_eval_count"] = prompt_tokens
            await _write(response, last)
        await response.write_eof()
        return response

    return answer


def says_json(**fields: object) -> Answer:
    """PROMPT with other fields."""
    return says(json.dumps({**PROMPT, **fields}, ensure_ascii=False), chunk_chars=64)


def sends(*lines: object) -> Answer:
    """JSON lines as they are, whatever a client makes of them."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await _ndjson(request, lines)

    return answer


def refuses(status: int, body: str, content_type: str = "application/json") -> Answer:
    """A plain answer instead of a stream."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=content_type)

    return answer


def sends_bytes(data: bytes, *, headers: dict[str, str] | None = None) -> Answer:
    """These bytes under status 200, in one piece."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=data, headers=headers or {"Content-Type": "application/x-ndjson"})

    return answer


def breaks_off(text: str = "") -> Answer:
    """Sends some of a stream, then the connection is gone."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100000"})
        if text:
            await response.prepare(request)
            await _write(response, _part(text))
        assert request.transport is not None
        request.transport.abort()
        return response

    return answer


def hangs(text: str = "") -> Answer:
    """Sends some of a stream, then nothing for ever."""
    return says(text, wait=asyncio.Event())


def floods(part: bytes) -> Answer:
    """Sends the same bytes until the client has had enough."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(part)
            await asyncio.sleep(0)  # The client runs on the same loop.

    return answer


def _part(content: str) -> Json:
    return {
        "model": MODEL,
        "created_at": "2026-11-20T10:00:00Z",
        "message": {"role": "assistant", "content": content},
        "done": False,
    }


async def _write(response: web.StreamResponse, part: object) -> None:
    await response.write(json.dumps(part, ensure_ascii=False).encode() + b"\n")


async def _ndjson(
    request: web.Request, lines: Sequence[object] | Iterable[object]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    for line in lines:
        await _write(response, line)
    await response.write_eof()
    return response
