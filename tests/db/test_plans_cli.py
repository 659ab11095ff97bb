"""`vitrina plans` as an operator calls it: what is sold changes, mistakes are said in one line."""

from __future__ import annotations

import asyncio
import json

import pytest
from typer.testing import CliRunner, Result

from db import plans
from db.money_views import PlanView
from db.plans_cli import app
from tests.db import rows
from tests.db.rows import Sessions


@pytest.fixture(autouse=True)
def _database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


async def _call(*args: str) -> Result:
    """In a thread: a command has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, list(args))


async def _plan(sessions: Sessions, code: str) -> PlanView:
    async with sessions.begin() as session:
        listed = await plans.list_(session, withdrawn=True)
    return next(plan for plan in listed if plan.code == code)


async def test_the_list_shows_roubles_and_the_json_kopecks(sessions: Sessions) -> None:
    shown = (await _call()).output.splitlines()
    assert [line.split()[0] for line in shown] == ["plan", "free", "start", "profi", "studio"]
    assert shown[2].split()[1:4] == ["490.00", "7.00", "200"]
    parsed = json.loads((await _call("--json")).output)
    assert (parsed[1]["code"], parsed[1]["price"]) == ("start", 49_000)
    assert parsed[1]["terms"]["images_limit"] == 200


async def test_what_is_set_changes_and_nothing_else_does(sessions: Sessions) -> None:
    before = await _plan(sessions, "start")
    done = await _call(
        "set", "start", "--price", "590,50", "--images", "250", "--no-best", "--withdrawn"
    )
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[1].split()[:4] == ["start", "590.50", "7.00", "250"]
    after = await _plan(sessions, "start")
    assert (after.price, after.is_offered) == (59_050, False)
    assert (after.terms.images_limit, after.terms.auto_best) == (250, False)
    assert (after.title_ru, after.terms.seats) == (before.title_ru, before.terms.seats)


async def test_what_is_paid_for_stays_until_its_period_ends(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    paid = await rows.subscribe(sessions, who.account_id, "start")
    await _call("set", "start", "--price", "1000", "--images", "1")
    async with sessions.begin() as session:
        found = await plans.standing(session, who.account_id, now=paid.period.starts_at)
    assert found.period == paid.period


async def test_a_new_plan_has_frees_terms_where_nothing_is_said(sessions: Sessions) -> None:
    done = await _call(
        "set", "mini", "--title-ru", "Мини", "--title-en", "Mini", "--price", "190", "--images", "9"
    )
    assert done.exit_code == 0, done.output
    made, free = await _plan(sessions, "mini"), await _plan(sessions, "free")
    assert (made.price, made.title_ru, made.terms.images_limit) == (19_000, "Мини", 9)
    assert made.terms.brand_limit == free.terms.brand_limit
    async with sessions.begin() as session:
        assert (await plans.list_(session))[-1] == made


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nothing", "--price", "1"], "no plan 'nothing'"),
        (["start"], "nothing to change"),
        (["start", "--price", "dear"], "--price is roubles"),
        (["start", "--price", "-1"], "--price is roubles"),
        (["start", "--price", "1.005"], "--price is roubles"),
        (["start", "--picture-price", "nan"], "--picture-price is roubles"),
        (["start", "--price", "inf"], "--price is roubles"),
        (["start", "--images", "-1"], "should be greater than"),
        (["start", "--seats", "0"], "should be greater than"),
        (["free", "--price", "1"], "free costs nothing"),
        (["free", "--withdrawn"], "free costs nothing"),
        (["Ы", "--title-ru", "a", "--title-en", "a", "--price", "1"], "a code is up to 16"),
    ],
)
async def test_a_mistake_changes_nothing_and_is_said(
    sessions: Sessions, args: list[str], said: str
) -> None:
    before = await rows.rows(sessions, "SELECT * FROM plans ORDER BY code")
    done = await _call("set", *args)
    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", " ").split())
    assert await rows.rows(sessions, "SELECT * FROM plans ORDER BY code") == before


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, "not set"),
        ("nonsense", "not a URL"),
        ("postgresql://u:hush@127.0.0.1:1/d", "no Postgres answers"),
    ],
)
async def test_without_a_database_it_says_so(
    monkeypatch: pytest.MonkeyPatch, url: str | None, said: str
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    if url is not None:
        monkeypatch.setenv("DATABASE_URL", url)
    done = await _call()
    assert done.exit_code == 2
    assert said in done.output
    assert "hush" not in done.output
