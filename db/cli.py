"""`vitrina migrate` brings the database to the newest revision, `vitrina health` looks for life."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer
from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from db import engine, liveness
from db import migrate as migrations
from db.patience import is_away
from db.settings import PostgresSettings, RedisSettings

T = TypeVar("T")

_NO_TABLE = "42P01"


def migrate() -> None:
    """Brings the database in DATABASE_URL to the newest revision, and says which."""
    with _refusing_bad_urls():
        url = PostgresSettings().database_url
        migrations.upgrade(url)
    typer.echo(f"database at revision {migrations.current(url)}")


def health() -> None:
    """Exit code 0 when a process of this host marked itself alive within the last 20 s."""

    async def look(redis_url: str) -> tuple[str, ...]:
        async with Redis.from_url(redis_url) as redis:
            return await liveness.alive_roles(redis)

    try:
        roles = asyncio.run(look(RedisSettings().redis_url))
    except ValidationError as error:
        raise typer.BadParameter("REDIS_URL is not set") from error
    except (RedisError, OSError) as error:
        typer.echo(f"no Redis answers at REDIS_URL: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"alive: {', '.join(roles) or 'nobody'}")
    raise typer.Exit(0 if roles else 1)


def in_transaction(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """What an operator's command does in the database at DATABASE_URL, in one transaction.

    Raises BadParameter when there is none.
    """

    async def run(url: str) -> T:
        db = engine.create(url)
        try:
            async with engine.session_factory(db).begin() as session:
                return await work(session)
        finally:
            await db.dispose()

    with _refusing_bad_urls():
        return asyncio.run(run(PostgresSettings().database_url))


@contextmanager
def _refusing_bad_urls() -> Iterator[None]:
    """Says in a line what is wrong with DATABASE_URL. Raises BadParameter."""
    try:
        yield
    except ValidationError as error:
        (found,) = error.errors()
        said = "is not set" if found["type"] == "missing" else found["msg"].partition(", ")[2]
        raise typer.BadParameter(f"DATABASE_URL {said}") from error
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _NO_TABLE:
            raise
        raise typer.BadParameter("DATABASE_URL has no tables yet: vitrina migrate") from error
    except DBAPIError as error:
        if not is_away(error):
            raise
        said = str(error.orig).partition(": ")[2]
        raise typer.BadParameter(f"DATABASE_URL can't be used: {said or error}") from error
    except OSError as error:
        raise typer.BadParameter(f"no Postgres answers at DATABASE_URL: {error}") from error
