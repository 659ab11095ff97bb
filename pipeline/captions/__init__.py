"""Captions for posts: from the idea of a picture to words that stand under it.

Two writers: `ollama`, a language model on a server of one's own, and `templates`, offline, which
also steps in where the model can't. Importing this loads neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from pipeline.settings import PipelineSettings

LONGEST = 600
"""UTF-16 units; readers of a feed see the first two lines or three."""


@dataclass(frozen=True, slots=True)
class CaptionBrief:
    """What a caption is for. `idea` is a person's request, cleaned; `goal` and `platform` are codes
    of `pipeline.brief`. Another `seed`, another caption. `room` is in UTF-16 units.
    `is_signed`: the brand's own signature stands below, so that the caption needs none."""

    idea: str
    locale: Literal["ru", "en"]
    seed: int
    room: int = LONGEST
    goal: str | None = None
    platform: str | None = None
    brand: str | None = None
    is_signed: bool = False


@dataclass(frozen=True, slots=True)
class Caption:
    """Plain text. `fallback`: why the language model did not write it, a code; None: it did, or
    was not asked."""

    text: str
    writer: str
    fallback: str | None = None


OnText = Callable[[str], None]
"""Told the whole text so far, from the event loop; "" when it begins anew."""


class CaptionWriter(Protocol):
    """Writes captions. Raises nothing for what a server or a model does."""

    name: str

    async def write(self, brief: CaptionBrief, on_text: OnText) -> Caption: ...


def create(settings: PipelineSettings) -> CaptionWriter:
    """The writer that goes with the enhancer of the settings.

    Raises BackendUnavailable for a server's address that is none.
    """
    if settings.enhancer == "ollama":
        from pipeline.captions.ollama import OllamaWriter

        return OllamaWriter(settings)
    from pipeline.captions.templates import TemplateWriter

    return TemplateWriter()


def length(text: str) -> int:
    """UTF-16 units, as Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
