"""Where the stored things are. Plain names, because every host knows DATABASE_URL and REDIS_URL."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    """`images_url` is a folder or `s3://bucket/prefix`; the URLs hold passwords: not in repr."""

    model_config = SettingsConfigDict(extra="ignore")

    database_url: str = Field(repr=False)
    redis_url: str = Field(repr=False)
    images_url: str = ".vitrina/images"
