"""An Ollama server: chat by schema, the list of its models, pulling one. Its errors stop here.

BackendUnavailable  `model_missing`, `unauthorized`, `rejected` (it won't have our request),
                    `bad_host` (the address is no address)
BackendBusy         `unreachable`, `timeout`, `failed` (5xx, or an error amid the stream),
                    `broken` (cut off, or an answer unlike Ollama's)
BadAnswer           the model wrote more than any prompt has
"""

from __future__ import annotations

import re
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TypeVar, cast

import httpx

from pipeline.errors import BackendBusy, BackendUnavailable, BadAnswer, PipelineError
from pipeline.settings import PipelineSettings

try:
    from ollama import AsyncClient, ChatResponse, ResponseError
except ValueError as error:  # Its own client is made on import, for the address in OLLAMA_HOST.
    raise BackendUnavailable("ollama", f"OLLAMA_HOST: {error}", code="bad_host") from error

NUM_PREDICT = 320
"""Tokens an answer may have: 75 each of render and negative, an intent, and the JSON around."""

MAX_ANSWER_CHARS = 8000
"""A server that ignores NUM_PREDICT is stopped here."""

MAX_ANSWER_BYTES = 250_000
"""The same for what never becomes a part of an answer: a line is read whole, however long."""

_CONNECT_S = 3.0
_PULL_SILENCE_S = 600.0
"""Ollama says nothing while it checks a file's SHA-256."""

_UNAUTHORIZED = {401, 403}
_PASSING = {-1, 408, 425, 429}
"""-1 is the client's status of an error amid a stream."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model wrote; `prompt_tokens` is how much it read of what we sent, if told."""

    text: str
    prompt_tokens: int | None


def unwatched(done: int, total: int) -> None:
    """For callers that count no tokens."""


def _unread(text: str) -> None:
    """For callers that wait for the whole."""


class OllamaServer:
    """The server and model of the settings. Connections are made for each call and closed."""

    def __init__(self, settings: PipelineSettings) -> None:
        self.host = re.sub(r"//[^/@]*@", "//", settings.ollama_host)
        self.model = settings.ollama_model
        self.num_ctx = settings.ollama_num_ctx
        self._address = settings.ollama_host
        self._keep_alive = _keep_alive(settings.ollama_keep_alive)
        self._deadline_s = settings.ollama_deadline_s
        # Loading the certificates takes 40 ms: once, and not at all for plain HTTP.
        secure = settings.ollama_host.startswith("https:")
        self._certificates = httpx.create_ssl_context() if secure else False

    async def chat(
        self,
        messages: Sequence[Mapping[str, str]],
        schema: dict[str, object] | None,
        *,
        seed: int,
        temperature: float = 0.3,
        on_tokens: Callable[[int, int], None] = unwatched,
        on_text: Callable[[str], None] = _unread,
    ) -> Reply:
        """One answer, by that JSON schema if there is one.

        After each token `on_tokens(done, NUM_PREDICT)`, and `on_text` with the text so far.
        """
        with self._faults():
            async with self._client(self._deadline_s, on_response=_bounded) as client:
                answer = await client.chat(
                    self.model,
                    messages,
                    stream=True,
                    think=False,
                    format=schema,
                    options={
                        "num_ctx": self.num_ctx,
                        "num_predict": NUM_PREDICT,
                        "seed": seed,
                        "temperature": temperature,
                    },
                    keep_alive=self._keep_alive,
                )
                async with _closing(answer) as parts:
                    return await _read(parts, on_tokens, on_text)

    async def load(self) -> None:
        """Have the server load the model as `chat` will want it, and keep it for `keep_alive`."""
        with self._faults():
            async with self._client(None) as client:
                await client.chat(
                    self.model, [], options={"num_ctx": self.num_ctx}, keep_alive=self._keep_alive
                )

    async def models(self) -> dict[str, int]:
        """Bytes on the server's disk by model name."""
        with self._faults():
            async with self._client(_CONNECT_S) as client:
                listed = (await client.list()).models
                return {model.model: int(model.size or 0) for model in listed if model.model}

    async def pull(self, on_bytes: Callable[[str, int, int | None], None]) -> None:
        """Have the server fetch the model; `on_bytes(layer, there, in all)` as it goes on.

        The server resumes what it has in part, and checks what it fetched.
        """
        finished = False
        with self._faults(pulling=True):
            async with self._client(_PULL_SILENCE_S) as client:
                answer = await client.pull(self.model, stream=True)
                async with _closing(answer) as steps:
                    async for step in steps:
                        finished = step.status == "success"
                        if step.digest and step.total:
                            layer = step.digest.removeprefix("sha256:")[:12]
                            on_bytes(layer, step.completed or 0, step.total)
        if not finished:
            raise BackendBusy("ollama", "the pull was cut off: run it again", code="broken")

    def _client(
        self,
        silence_s: float | None,
        *,
        on_response: Callable[[httpx.Response], Awaitable[None]] | None = None,
    ) -> AsyncClient:
        """A client that waits so long for the next byte; the caller has its own deadline."""
        try:
            timeout = httpx.Timeout(silence_s, connect=min(_CONNECT_S, silence_s or _CONNECT_S))
            return AsyncClient(
                self._address,
                timeout=timeout,
                verify=self._certificates,
                follow_redirects=False,  # They could lead to a host that nobody verifies.
                event_hooks={"response": [on_response] if on_response else []},
            )
        except (ValueError, httpx.InvalidURL) as error:
            raise BackendUnavailable(
                "ollama", f"{self.host!r} is no address: {error}", code="bad_host"
            ) from error

    @contextmanager
    def _faults(self, *, pulling: bool = False) -> Iterator[None]:
        try:
            yield
        except PipelineError:
            raise
        except ResponseError as error:
            raise self._refusal(error, pulling) from error
        except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise BackendBusy(
                "ollama",
                f"nothing answers at {self.host}: start Ollama there (ollama serve),"
                " or set PIPELINE_OLLAMA_HOST",
                code="unreachable",
            ) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise BackendUnavailable(
                "ollama", f"{self.host!r} is no address: {error}", code="bad_host"
            ) from error
        except httpx.TimeoutException as error:
            raise BackendBusy("ollama", "fell silent", code="timeout") from error
        except Exception as error:
            # The client lets through whatever a strange answer makes it raise: JSON and pydantic
            # errors, AttributeError for JSON that is no object, RecursionError for nested JSON.
            raise BackendBusy(
                "ollama", f"answered unlike Ollama: {type(error).__name__}", code="broken"
            ) from error

    def _refusal(self, error: ResponseError, pulling: bool) -> BackendUnavailable | BackendBusy:
        status, said = error.status_code, _one_line(error.error)
        if status in _UNAUTHORIZED:
            return BackendUnavailable(
                "ollama", f"{self.host} wants other credentials: {said}", code="unauthorized"
            )
        if pulling and (status == httpx.codes.NOT_FOUND or "file does not exist" in said):
            return BackendUnavailable("ollama", f"{self.model}: {said}", code="model_missing")
        if status == httpx.codes.NOT_FOUND and "model" in said:
            return BackendUnavailable("ollama", self.missing(), code="model_missing")
        if status in _PASSING or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return BackendBusy("ollama", said, code="failed")
        return BackendUnavailable("ollama", f"{self.host}: {status} {said}", code="rejected")

    def missing(self) -> str:
        """What to do about a model that the server lacks."""
        return (
            f"{self.host} has no model {self.model}: run `vitrina models pull {self.model}`"
            f" (or `ollama pull {self.model}`)"
        )


@dataclass(frozen=True, slots=True)
class _Bounded(httpx.AsyncByteStream):
    """Raises BadAnswer after MAX_ANSWER_BYTES."""

    stream: httpx.AsyncByteStream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MAX_ANSWER_BYTES
        async for chunk in self.stream:
            left -= len(chunk)
            if left < 0:
                raise BadAnswer("it was far too long")
            yield chunk

    async def aclose(self) -> None:
        await self.stream.aclose()


async def _bounded(response: httpx.Response) -> None:
    response.stream = _Bounded(cast("httpx.AsyncByteStream", response.stream))


async def _read(
    parts: AsyncIterator[ChatResponse],
    on_tokens: Callable[[int, int], None],
    on_text: Callable[[str], None],
) -> Reply:
    text, tokens = "", 0
    async for part in parts:
        text += part.message.content or ""
        if len(text) > MAX_ANSWER_CHARS:
            raise BadAnswer("it was far too long")
        if part.done:
            return Reply(text, part.prompt_eval_count)
        tokens = min(tokens + 1, NUM_PREDICT)
        on_tokens(tokens, NUM_PREDICT)
        on_text(text)
    raise BackendBusy("ollama", "the answer was cut off", code="broken")


def _closing(stream: AsyncIterator[T]) -> aclosing[AsyncGenerator[T, None]]:
    """The client's streams are generators; one left half-read would keep its connection."""
    return aclosing(cast("AsyncGenerator[T, None]", stream))


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:200] or "no reason given"


def _keep_alive(setting: str) -> str | float:
    """Ollama takes a bare number for seconds only when it is no string."""
    return float(setting) if setting[-1].isdigit() else setting
