"""The operator's commands on the ledger say what they did, and refuse nonsense in one line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from db import engine as db_engine
from db import wallet_cli
from db.states import AccountKind
from tests.db import rows
from tests.db.rows import Person, Sessions

CREDIT = ("credit", "1", "1 299,50", "--note", "за ёлку", "--operator", "Пётр")


@pytest.fixture
def url(shared_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The commands run a loop of their own, so these tests have none."""
    monkeypatch.setenv("DATABASE_URL", shared_database_url)
    yield shared_database_url
    asyncio.run(rows.empty(shared_database_url))


def _person(url: str, user_id: int = 1) -> Person:
    async def make(sessions: Sessions) -> Person:
        return await rows.person(sessions, user_id)

    return _with(url, make)


def _with(url: str, work):  # type: ignore[no-untyped-def]
    async def run():  # type: ignore[no-untyped-def]
        engine = db_engine.create(url)
        try:
            return await work(db_engine.session_factory(engine))
        finally:
            await engine.dispose()

    return asyncio.run(run())


def _execute(url: str, statement: str) -> None:
    _with(url, lambda sessions: rows.execute(sessions, statement))


def _rows(url: str, query: str) -> list[tuple[object, ...]]:
    return list(_with(url, lambda sessions: rows.rows(sessions, query)))


def _run(*argv: str) -> tuple[int, str]:
    """The exit code, and all that was said, with plain spaces."""
    result = CliRunner().invoke(wallet_cli.app, argv)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output.replace("\u00a0", " ")


def test_a_credit_is_in_the_wallet_and_says_who_and_what_for(url: str) -> None:
    _person(url)
    code, said = _run(*CREDIT, "--key", "k1")
    assert code == 0
    assert said == "credited: 1 299,50 ₽ to account 1 (user 1), balance 1 299,50 ₽, key k1\n"
    assert _rows(url, "SELECT amount, kind, memo FROM transfers") == [
        (129_950, "credit", {"note": "за ёлку", "operator": "Пётр"})
    ]


def test_the_owner_is_told(url: str) -> None:
    _person(url)
    _run(*CREDIT)
    assert _rows(url, "SELECT kind, data FROM notices") == [
        ("topped_up", {"sum": 129_950, "balance": 129_950})
    ]


def test_the_same_key_credits_once(url: str) -> None:
    _person(url)
    for expected in ("credited:", "credited before, nothing moved:"):
        code, said = _run(*CREDIT, "--key", "k1")
        assert (code, said.startswith(expected)) == (0, True)
    code, said = _run("credit", "1", "5", "--note", "x", "--key", "k1")
    assert (code, "stands for another credit" in said) == (2, True)
    assert _rows(url, "SELECT count(*) FROM transfers") == [(1,)]
    assert _rows(url, "SELECT count(*) FROM notices") == [(1,)]


def test_without_a_key_each_credit_is_one_more(url: str) -> None:
    _person(url)
    for _ in range(2):
        _run(*CREDIT)
    assert _rows(url, "SELECT balance FROM wallets WHERE account_id = 1") == [(259_900,)]


@pytest.mark.parametrize(
    ("said", "kopecks"),
    [("500", 50_000), ("0.01", 1), ("7,5", 750), ("1 299,00", 129_900), ("1\u00a0000", 100_000)],
)
def test_sums_as_people_write_them(url: str, said: str, kopecks: int) -> None:
    _person(url)
    assert _run("credit", "1", said, "--note", "x")[0] == 0
    assert _rows(url, "SELECT amount FROM transfers") == [(kopecks,)]


@pytest.mark.parametrize(
    "nonsense",
    ["0", "0,00", "1,005", "nan", "inf", "1e3", "пятьсот", "", "10000000,01", "9" * 400, "٥"],
)
def test_a_sum_that_is_none_is_refused(url: str, nonsense: str) -> None:
    _person(url)
    code, said = _run("credit", "1", nonsense, "--note", "x")
    assert code == 2
    assert "a sum is" in said.replace("\n", " ")
    assert _rows(url, "SELECT count(*) FROM transfers") == [(0,)]


def test_a_credit_without_a_reason_is_refused(url: str) -> None:
    _person(url)
    assert _run("credit", "1", "5", "--note", "  ")[0] == 2
    assert _run("credit", "1", "5")[0] == 2


@pytest.mark.parametrize("who", ["@nobody", "99", "account:99", "user:99", "Аня", "@", "-5",
                                 "1; DROP TABLE wallets", "99999999999999999999"])  # fmt: skip
def test_nobody_is_found_by_nonsense(url: str, who: str) -> None:
    _person(url)
    code, said = _run("show", "--", who)
    assert code == 2
    assert "Traceback" not in said


def test_people_are_found_by_name_and_by_number(url: str) -> None:
    _person(url, 700)
    _execute(url, "UPDATE users SET username = 'Anya_K'")
    for who in ("@anya_k", "@ANYA_K", "700", "user:700", "1", "account:1"):
        code, said = _run("show", who)
        assert (code, said.splitlines()[0]) == (0, "account 1 (user 700, @Anya_K)")


def test_a_number_that_means_two_is_asked_about(url: str) -> None:
    _person(url, 2)
    _person(url, 700)
    code, said = _run("show", "2")
    assert code == 2
    assert "account:1" in said
    assert _run("show", "account:2")[1].startswith("account 2 (user 700)")
    assert _run("show", "user:2")[1].startswith("account 1 (user 2)")


def test_a_team_is_found_by_its_account(url: str) -> None:
    _person(url)
    _execute(
        url,
        "INSERT INTO accounts (kind, owner_user_id, chat_id)"
        f" VALUES ('{AccountKind.TEAM.value}', 1, -77)",
    )
    assert _run("show", "account:2")[1].startswith("account 2 (team, chat -77)\n")


def test_the_wallet_is_shown_with_its_newest_movements(url: str) -> None:
    _person(url)
    _run(*CREDIT)
    _run("credit", "1", "5", "--note", "строка\nи ещё\x1b[2J", "--operator", "x")
    _execute(url, "UPDATE wallets SET reserved = 100, paused_at = now() WHERE account_id = 1")
    code, said = _run("show", "1", "--limit", "1")
    head, sums, newest, more = said.splitlines()
    assert code == 0
    assert head == "account 1 (user 1), paid actions are paused"
    assert sums == "balance 1 304,50 ₽, reserved 1,00 ₽, free 1 303,50 ₽"
    assert "+5,00 ₽  balance 1 304,50 ₽  credit" in newest
    assert "\x1b" not in newest
    assert more.startswith("...")


def test_a_paused_wallet_is_resumed(url: str) -> None:
    _person(url)
    _run(*CREDIT)
    _execute(url, "UPDATE wallets SET paused_at = now() WHERE account_id = 1")
    assert "paid actions are paused" in _run("show", "1")[1]
    for _ in range(2):
        code, said = _run("resume", "1")
        assert (code, said.startswith("paid actions are on: account 1 (user 1)")) == (0, True)
    assert _rows(url, "SELECT paused_at FROM wallets WHERE account_id = 1") == [(None,)]


def test_the_check_finds_money_that_was_made(url: str) -> None:
    _person(url)
    _run(*CREDIT)
    assert _run("check") == (0, "the ledger adds up\n")
    _execute(url, "UPDATE wallets SET balance = balance + 7 WHERE account_id = 1")
    code, said = _run("check")
    assert code == 1
    assert "0,07 ₽" in said
    assert "account 1:" in said
