"""These tests are many and small: they share one database, emptied between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy.engine import make_url

from tests.db import rows

_NAME = "vitrina_shared"


@pytest.fixture(scope="session")
def shared_database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    created = f"CREATE DATABASE {_NAME} TEMPLATE {migrated_template}"
    asyncio.run(rows.run_on(postgres_url, created))
    url = make_url(postgres_url).set(database=_NAME).render_as_string(hide_password=False)
    asyncio.run(rows.remember_migrated(url))
    yield url
    asyncio.run(rows.run_on(postgres_url, f"DROP DATABASE {_NAME} WITH (FORCE)"))


@pytest.fixture
async def database_url(shared_database_url: str) -> AsyncIterator[str]:
    yield shared_database_url
    await rows.empty(shared_database_url)
