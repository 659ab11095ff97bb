"""What an operator may set of the pipeline: environment variables that begin with `PIPELINE_`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class PipelineSettings(BaseSettings):
    """Which backends run, and how large the pictures are.

    `judge="auto"` takes the best judge that can run on this machine. `picture_area_px` is width
    times height; formats of every aspect have about this area.
    """

    model_config = SettingsConfigDict(env_prefix="PIPELINE_", env_ignore_empty=True, frozen=True)

    enhancer: str = "lexicon"
    generator: str = "mock"
    judge: str = "auto"
    picture_area_px: int = Field(default=1024 * 1024, ge=256 * 256, le=2048 * 2048)
