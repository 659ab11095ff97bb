"""The `ollama` enhancer: two tries within one deadline, else the lexicon's prompt."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import replace

from pipeline.enhance import lexicon
from pipeline.enhance.ollama.answers import Answer, read
from pipeline.enhance.ollama.faults import written
from pipeline.enhance.ollama.instructions import (
    SCHEMA,
    SHORT_TEXT_CHARS,
    TEXT_CHARS,
    brand_phrases,
    least_tokens,
    messages,
)
from pipeline.enhance.ollama.server import OllamaServer, unwatched
from pipeline.enhance.ollama.tokens import TOKENS, TokenLimit
from pipeline.errors import BackendBusy, BackendUnavailable, BadAnswer, Unwritten
from pipeline.settings import PipelineSettings
from pipeline.types import Brief, Prompt

_log = logging.getLogger(__name__)

_TRIES = 2
_LOAD_S = 120.0
"""For a model of gigabytes on a slow disk."""

_STYLE_TOKENS = TOKENS * 2 // 5
"""What a brand's style may take of a prompt: the picture itself comes first."""

_WORD = re.compile(r"[a-z]+")


class OllamaEnhancer:
    """A language model writes the prompt; where it can't, the lexicon does and `fallback` says why.

    Raises nothing for what the server or the model does: people get their pictures, and the
    operator a log line.
    """

    name = "ollama"

    def __init__(self, settings: PipelineSettings) -> None:
        self._server = OllamaServer(settings)
        self._limit = TokenLimit.of(settings)
        self._deadline_s = settings.ollama_deadline_s

    async def warm_up(self) -> None:
        """Have the server load the model, which takes it seconds to minutes.

        Without the model requests get the lexicon's prompts, so nothing is raised.
        """
        try:
            async with asyncio.timeout(_LOAD_S):
                await self._server.load()
        except (BackendUnavailable, BackendBusy) as error:
            _log.warning("the language model is not loaded: %s", error)
        except TimeoutError:
            _log.warning("the language model is not loaded within %g s", _LOAD_S)

    async def enhance(self, brief: Brief) -> Prompt:
        return await self.stream(brief, unwatched)

    async def stream(self, brief: Brief, on_tokens: Callable[[int, int], None]) -> Prompt:
        try:
            return await written(self._written(brief, on_tokens), self._deadline_s, "prompt")
        except Unwritten as fault:
            return replace(lexicon.enhance(brief), fallback=fault.code)

    async def _written(self, brief: Brief, on_tokens: Callable[[int, int], None]) -> Prompt:
        """The model's prompt. After a passing fault or a bad answer it is asked once more."""
        complaint: str | None = None
        text_chars = TEXT_CHARS
        for tries_left in reversed(range(_TRIES)):
            sent = messages(brief, complaint=complaint, text_chars=text_chars)
            try:
                answer = await self._answer(sent, brief.seed + tries_left, on_tokens)
                return self._prompt(brief, answer)
            except BackendBusy:
                if not tries_left:
                    raise
            except BadAnswer as error:
                if not tries_left:
                    raise
                if error.code == "input_cut":
                    text_chars = SHORT_TEXT_CHARS
                else:
                    complaint = error.reason
        raise AssertionError("the last try returns or raises")

    async def _answer(
        self, sent: list[dict[str, str]], seed: int, on_tokens: Callable[[int, int], None]
    ) -> Answer:
        reply = await self._server.chat(sent, SCHEMA, seed=seed, on_tokens=on_tokens)
        # 0 and None: not told. A model whose own context is smaller than num_ctx loses the front
        # of what it is sent, our rules first, and answers all the same.
        if reply.prompt_tokens and not (
            least_tokens(sent) <= reply.prompt_tokens < self._server.num_ctx
        ):
            raise BadAnswer(
                f"the model read only {reply.prompt_tokens} tokens of what it was sent",
                code="input_cut",
            )
        return read(reply.text, self._limit)

    def _prompt(self, brief: Brief, answer: Answer) -> Prompt:
        style, avoided = brand_phrases(brief.brand)
        unwanted = ", ".join([*avoided, answer.negative, lexicon.NEGATIVE])
        return Prompt(
            render=self._on_brand(answer.render, style),
            negative=self._limit.fitted(_unrepeated(unwanted)),
            intent=answer.intent,
            backend=self.name,
        )

    def _on_brand(self, render: str, style: list[str]) -> str:
        """The render, and the phrases of the brand's style that the model left out."""
        said = set(_WORD.findall(render.lower()))
        left_out = ", ".join(
            phrase for phrase in style if not said.issuperset(_WORD.findall(phrase.lower()))
        )
        missing = self._limit.fitted(left_out, reserved=TOKENS - _STYLE_TOKENS)
        if not missing:
            return render
        reserved = self._limit.count(missing) + 1
        return f"{self._limit.fitted(render, reserved=reserved)}, {missing}"


def _unrepeated(phrases: str) -> str:
    parts = (part.strip() for part in phrases.split(","))
    return ", ".join(dict.fromkeys(part for part in parts if part))
