"""Where the stored things are. Plain names, because every host knows DATABASE_URL and REDIS_URL."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class PostgresSettings(BaseSettings):
    """All that migrating needs. The URL may hold a password, so it is left out of the repr."""

    model_config = SettingsConfigDict(extra="ignore")

    database_url: str = Field(repr=False)


class RedisSettings(BaseSettings):
    """All that a health check needs."""

    model_config = SettingsConfigDict(extra="ignore")

    redis_url: str = Field(repr=False)


class DatabaseSettings(PostgresSettings, RedisSettings):
    """All that the bot and the workers need; `images_url` is a folder or `s3://bucket/prefix`."""

    images_url: str = ".vitrina/images"
