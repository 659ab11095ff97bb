"""Enhancers: from a brief to an English prompt. Each is imported only when asked for."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.errors import BackendUnavailable
from pipeline.types import Enhancer


def _mock() -> Enhancer:
    from pipeline.enhance.mock import MockEnhancer

    return MockEnhancer()


def _lexicon() -> Enhancer:
    from pipeline.enhance.lexicon import LexiconEnhancer

    return LexiconEnhancer()


ENHANCERS: dict[str, Callable[[], Enhancer]] = {"mock": _mock, "lexicon": _lexicon}


def create(name: str) -> Enhancer:
    """The enhancer of that name. Raises BackendUnavailable for a name nobody registered."""
    try:
        make = ENHANCERS[name]
    except KeyError:
        raise BackendUnavailable(name, "no such enhancer") from None
    return make()
