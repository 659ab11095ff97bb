"""These tests are many and small: they share one database, emptied between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from db import engine as db_engine
from db.models import Base

_NAME = "vitrina_shared"


@pytest.fixture(scope="session")
def shared_database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    asyncio.run(_outside(postgres_url, f"CREATE DATABASE {_NAME} TEMPLATE {migrated_template}"))
    yield make_url(postgres_url).set(database=_NAME).render_as_string(hide_password=False)
    asyncio.run(_outside(postgres_url, f"DROP DATABASE {_NAME} WITH (FORCE)"))


@pytest.fixture
async def database_url(shared_database_url: str) -> AsyncIterator[str]:
    yield shared_database_url
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    await _outside(shared_database_url, f"TRUNCATE {tables} RESTART IDENTITY")


async def _outside(url: str, statement: str) -> None:
    engine = db_engine.create(url)
    async with engine.connect() as connection:
        outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await outside.execute(text(statement))
    await engine.dispose()
