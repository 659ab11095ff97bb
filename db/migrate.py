"""Brings a database to a revision. Alembic is configured here, so an installed package is enough.

The functions are synchronous and start their own event loop: call them before yours, or in a
thread (`asyncio.to_thread`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

import migrations
from db import engine as db_engine
from db import locks

_T = TypeVar("_T")


def upgrade(url: str, revision: str = "head") -> None:
    """Applies what is missing up to `revision`, all or nothing.

    Several processes may call this at once: one works, the others wait and find nothing to do.
    """
    _with_connection(url, lambda config, _: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Takes migrations back down to `revision` ("base" for all); data in dropped tables is lost."""
    _with_connection(url, lambda config, _: command.downgrade(config, revision))


def current(url: str) -> str | None:
    """The database's revision, None where no migration has run."""
    return _with_connection(
        url, lambda _, connection: MigrationContext.configure(connection).get_current_revision()
    )


def config() -> Config:
    """Alembic's configuration, for its commands and for tests."""
    folder = Path(migrations.__file__).parent
    configuration = Config()
    # The file's parser takes % for interpolation.
    configuration.set_main_option("script_location", str(folder).replace("%", "%%"))
    return configuration


def _with_connection(url: str, work: Callable[[Config, Connection], _T]) -> _T:
    def run(connection: Connection) -> _T:
        connection.execute(locks.ALONE, {"what": locks.MIGRATING})
        configuration = config()
        configuration.attributes["connection"] = connection
        return work(configuration, connection)

    async def in_one_transaction() -> _T:
        engine = db_engine.create(url)
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(run)
        finally:
            await engine.dispose()

    return asyncio.run(in_one_transaction())
