"""The connection to Postgres: one engine a process, one session a transaction."""

from __future__ import annotations

import functools
import json

from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

_DRIVER = "postgresql+asyncpg"


def create(url: str) -> AsyncEngine:
    """An engine for `postgresql://...`; connections are tested before use, so a restarted server
    costs nobody an error."""
    return create_async_engine(
        _with_driver(url),
        pool_pre_ping=True,
        json_serializer=functools.partial(json.dumps, ensure_ascii=False, allow_nan=False),
    )


def session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """What callers open transactions with: `async with sessions.begin() as session`."""
    return async_sessionmaker(engine, expire_on_commit=False)


def _with_driver(url: str) -> URL:
    """Hosts hand out `postgres://` and `postgresql://`; the driver is ours to name."""
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        return parsed.set(drivername=_DRIVER)
    return parsed
