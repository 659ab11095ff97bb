"""Which failures are only a matter of time, told by what a real Postgres answers."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.patience import is_away
from tests.db.rows import Sessions


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 / 0",
        "SELECT 9223372036854775807 + 1",
        """SELECT '"\\u0000"'::jsonb""",
        "SELECT * FROM nowhere",
        "INSERT INTO user_settings (user_id) VALUES (1)",
    ],
)
async def test_what_the_database_refuses_it_refuses_again(
    sessions: Sessions, statement: str
) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with sessions.begin() as session:
            await session.execute(text(statement))
    assert not is_away(caught.value)


async def test_a_number_too_big_for_its_column_is_no_matter_of_time(sessions: Sessions) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with sessions.begin() as session:
            await session.execute(text("SELECT CAST(:n AS int2)"), {"n": 40_000})
    assert not is_away(caught.value)


async def test_a_connection_that_is_cut_off_is(sessions: Sessions) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with sessions.begin() as session:
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert is_away(caught.value)


async def test_a_statement_that_waited_too_long_is(sessions: Sessions) -> None:
    async with sessions() as session:
        await session.execute(text("SET LOCAL statement_timeout = 1"))
        with pytest.raises(DBAPIError) as caught:
            await session.execute(text("SELECT pg_sleep(1)"))
    assert is_away(caught.value)
