"""Where the playground listens and what it remembers."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class PlaygroundSettings(BaseSettings):
    """Read from PLAYGROUND_*; without `state_dir` everything is gone when the process ends."""

    model_config = SettingsConfigDict(env_prefix="PLAYGROUND_")

    host: str = "127.0.0.1"
    port: int = 8081
    state_dir: Path | None = None
