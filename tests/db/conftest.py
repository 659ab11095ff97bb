"""These tests are many and small: they share one database, emptied between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from db.models import Base

_NAME = "vitrina_shared"


@pytest.fixture(scope="session")
def shared_database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    asyncio.run(_run(postgres_url, f"CREATE DATABASE {_NAME} TEMPLATE {migrated_template}"))
    yield make_url(postgres_url).set(database=_NAME).render_as_string(hide_password=False)
    asyncio.run(_run(postgres_url, f"DROP DATABASE {_NAME} WITH (FORCE)"))


@pytest.fixture
async def database_url(shared_database_url: str) -> AsyncIterator[str]:
    yield shared_database_url
    await _empty(shared_database_url)


async def _empty(url: str) -> None:
    """As freshly migrated. Deleting a few rows is ten times as quick as TRUNCATE; the setting
    spares us the order of the foreign keys."""
    tables = Base.metadata.sorted_tables
    statements = [f"DELETE FROM {table.name}" for table in tables]
    statements += [
        f"ALTER TABLE {table.name} ALTER id RESTART" for table in tables if _counts(table.name)
    ]
    await _run(url, "; ".join(["SET session_replication_role = replica", *statements]))


def _counts(table: str) -> bool:
    id_column = Base.metadata.tables[table].columns.get("id")
    return id_column is not None and id_column.identity is not None


async def _run(url: str, statements: str) -> None:
    parsed = make_url(url)
    connection = await asyncpg.connect(
        host=str(parsed.query["host"]), user=parsed.username, database=parsed.database
    )
    try:
        await connection.execute(statements)
    finally:
        await connection.close()
