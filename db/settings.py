"""Where the stored things are. Plain names, because every host knows DATABASE_URL and REDIS_URL."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

_REDIS = ("redis://", "rediss://", "unix://")


def _postgres_url(url: str) -> str:
    try:
        driver = make_url(url).drivername
    except ArgumentError:
        driver = ""
    if driver not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise ValueError("is not a URL like postgresql://user:password@host/database")
    return url


def _redis_url(url: str) -> str:
    if not url.startswith(_REDIS):
        raise ValueError("is not a URL like redis://host:6379/0")
    return url


def _images_url(url: str) -> str:
    if "://" in url and not url.startswith("s3://"):
        raise ValueError("is neither a folder nor a URL like s3://bucket/prefix")
    return url


class PostgresSettings(BaseSettings):
    """All that migrating needs. The URL may hold a password, so it is left out of the repr."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    database_url: Annotated[str, AfterValidator(_postgres_url)] = Field(repr=False)


class RedisSettings(BaseSettings):
    """All that a health check needs."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    redis_url: Annotated[str, AfterValidator(_redis_url)] = Field(repr=False)


class DatabaseSettings(PostgresSettings, RedisSettings):
    """All that the bot and the workers need; `images_url` is a folder or `s3://bucket/prefix`."""

    images_url: Annotated[str, AfterValidator(_images_url)] = ".vitrina/images"
