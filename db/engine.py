"""The connection to Postgres: one engine a process, one session a transaction."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

_DRIVER = "postgresql+asyncpg"
_CONNECTIONS = 15


def create(url: str, *, trusted_s: float = 30.0) -> AsyncEngine:
    """An engine for `postgresql://...`; connections are tested before use, so a restarted server
    costs nobody an error. One idle for less than `trusted_s` is tested without asking the server.
    """
    engine = create_async_engine(
        _with_driver(url),
        json_serializer=functools.partial(json.dumps, ensure_ascii=False, allow_nan=False),
        # All of them are kept: those that `max_overflow` allows are closed after each use, and to
        # open one takes longer than to answer a prompt.
        pool_size=_CONNECTIONS,
        max_overflow=0,
    )
    _test_before_use(engine, trusted_s)
    return engine


def _test_before_use(engine: AsyncEngine, trusted_s: float) -> None:
    """Not by `pool_pre_ping`: it asks the server three things before every transaction.

    The driver sees by itself when the server ends a connection. What it can't see is a connection
    that something on the way forgot, which happens to idle ones: only those are asked.
    """

    def note(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["idle_since"] = time.monotonic()

    def test(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        driver = entry.driver_connection
        assert isinstance(driver, asyncpg.Connection)
        if driver.is_closed():
            raise InvalidatePoolError
        idle_since = entry.info.get("idle_since")
        if idle_since is None or time.monotonic() - idle_since < trusted_s:
            return
        dialect = engine.sync_engine.dialect
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine.sync_engine, "checkin", note)
    event.listen(engine.sync_engine, "checkout", test)


def session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """What callers open transactions with: `async with sessions.begin() as session`."""
    return async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def autocommit(sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[AsyncSession]:
    """For a single statement: every one is a transaction by itself, and without BEGIN and COMMIT
    the server is asked once, not three times.
    """
    async with sessions() as session:
        await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        yield session


def _with_driver(url: str) -> URL:
    """Hosts hand out `postgres://` and `postgresql://`; the driver is ours to name."""
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        return parsed.set(drivername=_DRIVER)
    return parsed
