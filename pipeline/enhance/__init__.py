"""Enhancers: from a brief to an English prompt. Each is imported only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.errors import BackendUnavailable
from pipeline.types import Enhancer

if TYPE_CHECKING:
    from pipeline.settings import PipelineSettings


def _mock(settings: PipelineSettings) -> Enhancer:
    from pipeline.enhance.mock import MockEnhancer

    return MockEnhancer()


def _lexicon(settings: PipelineSettings) -> Enhancer:
    from pipeline.enhance.lexicon import LexiconEnhancer

    return LexiconEnhancer()


def _ollama(settings: PipelineSettings) -> Enhancer:
    from pipeline.enhance.ollama import OllamaEnhancer

    return OllamaEnhancer(settings)


ENHANCERS: dict[str, Callable[[PipelineSettings], Enhancer]] = {
    "lexicon": _lexicon,
    "mock": _mock,
    "ollama": _ollama,
}
"""What makes each enhancer, by the name it has in the settings."""


def create(name: str, settings: PipelineSettings) -> Enhancer:
    """The enhancer of that name. Raises BackendUnavailable for a name nobody registered."""
    try:
        make = ENHANCERS[name]
    except KeyError:
        raise BackendUnavailable(name, "no such enhancer") from None
    return make(settings)
