"""`vitrina migrate` needs DATABASE_URL alone, and what is shown has no password."""

from __future__ import annotations

import asyncio

import pytest
import typer
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db import cli, migrate
from db.settings import DatabaseSettings


async def test_migrates_to_the_newest_revision(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    monkeypatch.delenv("REDIS_URL", raising=False)
    await asyncio.to_thread(cli.migrate)
    head = await asyncio.to_thread(migrate.current, empty_database_url)
    assert head is not None
    assert capsys.readouterr().out == f"database at revision {head}\n"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, "not set"),
        ("nonsense", "not a URL"),
        ("postgresql://u:hush@/d?host=/nowhere", "no Postgres answers"),
        ("postgresql://u:hush@127.0.0.1:1/d", "no Postgres answers"),
    ],
)
def test_a_bad_address_is_one_line_without_the_password(
    monkeypatch: pytest.MonkeyPatch, url: str | None, said: str
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(typer.BadParameter, match=said) as caught:
        cli.migrate()
    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_database_that_is_not_there_and_one_without_tables_are_one_line(
    monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    async def count(session: AsyncSession) -> None:
        await session.execute(text("SELECT count(*) FROM plans"))

    for url, said in (
        (empty_database_url, "vitrina migrate"),
        (empty_database_url.replace("?", "_gone?"), "does not exist"),
    ):
        monkeypatch.setenv("DATABASE_URL", url)
        with pytest.raises(typer.BadParameter, match=said) as caught:
            await asyncio.to_thread(cli.in_transaction, count)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://h/d"),
        ("DATABASE_URL", "postgresql+psycopg2://h/d"),
        ("REDIS_URL", "bar"),
        ("IMAGES_URL", "foo://bar"),
    ],
)
def test_an_address_of_something_else_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://h/d")
    monkeypatch.setenv("REDIS_URL", "redis://h")
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.lower()):
        DatabaseSettings()


def test_what_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://h/d")
    monkeypatch.setenv("REDIS_URL", "redis://h")
    monkeypatch.setenv("IMAGES_URL", "")
    assert DatabaseSettings().images_url == ".vitrina/images"


def test_settings_show_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hush@h/d")
    monkeypatch.setenv("REDIS_URL", "redis://:hush@h")
    monkeypatch.delenv("IMAGES_URL", raising=False)
    settings = DatabaseSettings()
    assert "hush" not in repr(settings)
    assert settings.images_url == ".vitrina/images"
