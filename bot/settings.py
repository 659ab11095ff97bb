"""What an operator may set of the bot: variables that begin with `BOT_`, and `PAYMENTS_`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from db.states import PaymentMethod


class BotSettings(BaseSettings):
    """How the bot reaches Telegram and how much one person may send.

    `mode="webhook"` needs `webhook_url` (https, as Telegram will call it) and `webhook_secret`
    (1-256 letters, digits, `_` and `-`); the bot then listens on `webhook_host:webhook_port`.
    `throttle_burst` updates may come from a person at once, then `throttle_per_s` a second.
    """

    model_config = SettingsConfigDict(env_prefix="BOT_", env_ignore_empty=True, frozen=True)

    token: SecretStr
    api_url: str = Field(default="https://api.telegram.org", pattern="^https?://.")
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
        secret = self.webhook_secret.get_secret_value() if self.webhook_secret else "_"
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise ValueError("BOT_WEBHOOK_SECRET may have 1-256 letters, digits, _ and -")
        return self


class PaymentTerms(BaseSettings):
    """How wallets are topped up: environment variables that begin with `PAYMENTS_`.

    A method is off until it is set: Stars by `stars_rate_kopecks` (what one Star is worth in a
    wallet), roubles by the `provider_token` that @BotFather gives. `tax_system_code` (1-6) and
    `vat_code` (1-12), as the provider numbers them, go on the receipt that 54-FZ asks for.
    `min_kopecks` and `max_kopecks` bound one top-up.
    """

    model_config = SettingsConfigDict(env_prefix="PAYMENTS_", env_ignore_empty=True, frozen=True)

    stars_rate_kopecks: int | None = Field(default=None, ge=1)
    provider_token: SecretStr | None = Field(default=None)
    tax_system_code: int | None = Field(default=None, ge=1, le=6)
    vat_code: int | None = Field(default=None, ge=1, le=12)
    min_kopecks: int = Field(default=100_00, ge=100)
    max_kopecks: int = Field(default=15_000_00, ge=100)
    order_ttl_minutes: int = Field(default=60, ge=1)

    @model_validator(mode="after")
    def _sums_can_be_paid(self) -> Self:
        if self.min_kopecks > self.max_kopecks:
            raise ValueError("PAYMENTS_MIN_KOPECKS is above PAYMENTS_MAX_KOPECKS")
        return self

    @property
    def methods(self) -> tuple[PaymentMethod, ...]:
        """What people can pay with, in the order of the buttons."""
        by_card = (PaymentMethod.PROVIDER,) if self.provider_token else ()
        by_stars = (PaymentMethod.STARS,) if self.stars_rate_kopecks else ()
        return by_card + by_stars

    @property
    def order_ttl(self) -> timedelta:
        return timedelta(minutes=self.order_ttl_minutes)

    def rate(self, method: PaymentMethod) -> int | None:
        """Kopecks for a Star; None for roubles."""
        return self.stars_rate_kopecks if method is PaymentMethod.STARS else None
