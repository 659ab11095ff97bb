"""Real Postgres and Redis for every test: started once a run, a clean database for each test."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import engine as db_engine
from db import migrate
from playground import embedded

_TEMPLATE = "vitrina_template"


_MEMORY = Path("/dev/shm")
_MEMORY_ENOUGH = 2 << 30


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running Postgres server; its maintenance database.

    In memory where there is enough of it: a database is copied for each test, which is five times
    as quick there as on a disk.
    """
    with tempfile.TemporaryDirectory(prefix=_ours(os.getpid()), dir=_memory()) as state_dir:
        server = embedded.postgres(Path(state_dir), durable=False)
        with embedded.running(server) as url:
            yield url


def _memory() -> Path | None:
    if not (os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _MEMORY_ENOUGH):
        return None
    for left in _MEMORY.glob(_ours("*")):  # by a run that was killed
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    return _MEMORY


def _ours(pid: int | str) -> str:
    return f"vitrina-tests-{pid}-"


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> str:
    """The name of a database at the newest migration, copied for each test."""
    asyncio.run(_execute(postgres_url, f'CREATE DATABASE "{_TEMPLATE}"'))
    migrate.upgrade(_database_url(postgres_url, _TEMPLATE))
    return _TEMPLATE


@pytest.fixture
async def database_url(postgres_url: str, migrated_template: str) -> AsyncIterator[str]:
    """A fresh, migrated database of the test's own."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    copied = f'CREATE DATABASE "{name}" TEMPLATE "{migrated_template}" STRATEGY file_copy'
    await _execute(postgres_url, copied)
    yield _database_url(postgres_url, name)
    await _execute(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def empty_database_url(postgres_url: str) -> AsyncIterator[str]:
    """A fresh database without any table."""
    name = f"e_{uuid.uuid4().hex[:12]}"
    await _execute(postgres_url, f'CREATE DATABASE "{name}"')
    yield _database_url(postgres_url, name)
    await _execute(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def sessions(database_url: str) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """The session factory the product uses, on the test's database."""
    engine = db_engine.create(database_url)
    yield db_engine.session_factory(engine)
    await engine.dispose()


@pytest.fixture(scope="session")
def redis_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = embedded.redis(tmp_path_factory.mktemp("redis"))
    with embedded.running(server) as url:
        yield url


@pytest.fixture
async def redis_url(redis_server_url: str) -> str:
    """The Redis server, emptied."""
    client = Redis.from_url(redis_server_url)
    await client.flushall()
    await client.aclose()
    return redis_server_url


@pytest.fixture
def image_dir(tmp_path: Path) -> Path:
    """Where a test's pictures are stored."""
    return tmp_path / "images"


def _database_url(server_url: str, name: str) -> str:
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


async def _execute(server_url: str, statement: str) -> None:
    url = make_url(server_url)
    connection = await asyncpg.connect(
        host=str(url.query["host"]), user=url.username, database=url.database
    )
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
