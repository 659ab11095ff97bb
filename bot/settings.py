"""What an operator may set of the bot: environment variables that begin with `BOT_`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class BotSettings(BaseSettings):
    """How the bot reaches Telegram and how much one person may send.

    `mode="webhook"` needs `webhook_url` (https, as Telegram will call it) and `webhook_secret`
    (1-256 letters, digits, `_` and `-`); the bot then listens on `webhook_host:webhook_port`.
    `throttle_burst` updates may come from a person at once, then `throttle_per_s` a second.
    """

    model_config = SettingsConfigDict(env_prefix="BOT_", env_ignore_empty=True, frozen=True)

    token: SecretStr
    api_url: str = "https://api.telegram.org"
    mode: Literal["polling", "webhook"] = "polling"
    webhook_url: str | None = None
    webhook_secret: SecretStr | None = Field(default=None)
    webhook_host: str = "0.0.0.0"
    webhook_port: int = Field(default=8080, ge=0, le=65535)
    poll_timeout_s: int = Field(default=30, ge=0, le=50)
    request_timeout_s: float = Field(default=30.0, gt=0)
    throttle_burst: int = Field(default=20, ge=1)
    throttle_per_s: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _webhook_is_complete(self) -> Self:
        if self.mode == "webhook" and not (self.webhook_url and self.webhook_secret):
            raise ValueError("webhook mode needs BOT_WEBHOOK_URL and BOT_WEBHOOK_SECRET")
        return self
