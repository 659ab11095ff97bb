"""Generators: who draws the pictures."""

from __future__ import annotations

from pipeline.errors import BackendUnavailable
from pipeline.settings import PipelineSettings
from pipeline.types import Generator

GENERATORS = ("mock", "diffusion")
"""Names that `create` knows."""


def create(name: str, settings: PipelineSettings) -> Generator:
    """The generator called `name`.

    Cheap: a model is loaded by the generator's `warm_up`, or by its first picture. Raises
    BackendUnavailable for an unknown name and for missing or unfit files.
    """
    if name == "mock":
        from pipeline.generate.mock import MockGenerator

        return MockGenerator(settings.picture_area_px)
    if name == "diffusion":
        from pipeline.generate.diffusion import DiffusionGenerator

        return DiffusionGenerator(settings)
    raise BackendUnavailable(name, f"unknown generator, one of: {', '.join(GENERATORS)}")
