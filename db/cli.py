"""`vitrina migrate`: brings the database to the newest revision."""

from __future__ import annotations

import typer
from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError

from db import migrate as migrations
from db.settings import PostgresSettings


def migrate() -> None:
    """Brings the database in DATABASE_URL to the newest revision, and says which."""
    try:
        url = PostgresSettings().database_url
        migrations.upgrade(url)
    except ValidationError as error:
        raise typer.BadParameter("DATABASE_URL is not set") from error
    except ArgumentError as error:
        raise typer.BadParameter("DATABASE_URL is not a URL like postgresql://...") from error
    except OSError as error:
        raise typer.BadParameter(f"no Postgres answers at DATABASE_URL: {error}") from error
    typer.echo(f"database at revision {migrations.current(url)}")
