"""`vitrina migrate`: brings the database to the newest revision."""

from __future__ import annotations

import typer

from db import migrate as migrations
from db.settings import DatabaseSettings


def migrate() -> None:
    """Brings the database in DATABASE_URL to the newest revision, and says which."""
    url = DatabaseSettings().database_url
    migrations.upgrade(url)
    typer.echo(f"database at revision {migrations.current(url)}")
