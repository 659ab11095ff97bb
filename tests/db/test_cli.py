"""`vitrina migrate` needs DATABASE_URL alone, and what is shown has no password."""

from __future__ import annotations

import asyncio

import pytest
import typer

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


def test_settings_show_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hush@h/d")
    monkeypatch.setenv("REDIS_URL", "redis://:hush@h")
    monkeypatch.delenv("IMAGES_URL", raising=False)
    settings = DatabaseSettings()
    assert "hush" not in repr(settings)
    assert settings.images_url == ".vitrina/images"
