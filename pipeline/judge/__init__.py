"""Judges: who scores the pictures."""

from __future__ import annotations

from pipeline.errors import BackendUnavailable
from pipeline.settings import PipelineSettings
from pipeline.types import Judge

JUDGES = ("pixels",)
"""Names that `create` knows, best first; `auto` stands for the first that can run."""


def create(name: str, settings: PipelineSettings) -> Judge:
    """The judge called `name`. Raises BackendUnavailable for a name it doesn't know."""
    if name in ("pixels", "auto"):
        from pipeline.judge.pixels import PixelsJudge

        return PixelsJudge()
    raise BackendUnavailable(name, f"unknown judge, one of: auto, {', '.join(JUDGES)}")
