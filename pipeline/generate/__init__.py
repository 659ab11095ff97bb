"""Generators: who draws the pictures."""

from __future__ import annotations

from pipeline.errors import BackendUnavailable
from pipeline.settings import PipelineSettings
from pipeline.types import Generator

GENERATORS = ("mock",)
"""Names that `create` knows."""


def create(name: str, settings: PipelineSettings) -> Generator:
    """The generator called `name`. Raises BackendUnavailable for a name it doesn't know."""
    if name == "mock":
        from pipeline.generate.mock import MockGenerator

        return MockGenerator(settings.picture_area_px)
    raise BackendUnavailable(name, f"unknown generator, one of: {', '.join(GENERATORS)}")
