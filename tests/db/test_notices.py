"""Notices: told once, sent once, in the account's chat and its owner's language."""

from __future__ import annotations

import asyncio

import pytest

from db import accounts, notices
from db.money_views import NoticeClaim
from db.views import TelegramUser
from tests.db import rows
from tests.db.rows import Sessions

TEAM = -100_500


async def _tell(sessions: Sessions, account_id: int, key: str = "k", **data: object) -> bool:
    async with sessions.begin() as session:
        return await notices.tell(session, account_id, "grace", data, key=key)


async def _claim(sessions: Sessions, *, lease_s: float = 120) -> NoticeClaim | None:
    async with sessions.begin() as session:
        return await notices.claim(session, lease_s=lease_s)


async def _told(sessions: Sessions, key: str = "k") -> NoticeClaim:
    who = await rows.person(sessions)
    await _tell(sessions, who.account_id, key)
    claimed = await _claim(sessions)
    assert claimed is not None
    return claimed


async def _states(sessions: Sessions) -> list[tuple[object, ...]]:
    return list(await rows.rows(sessions, "SELECT state, reason FROM notices ORDER BY id"))


async def test_the_same_key_is_told_once(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    told = await asyncio.gather(*(_tell(sessions, who.account_id, n=n) for n in range(5)))
    assert sorted(told) == [False, False, False, False, True]


async def test_a_claim_says_where_and_in_which_language(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _tell(sessions, who.account_id, missing=5, note="ё")
    claimed = await _claim(sessions)
    assert claimed is not None
    assert (claimed.chat_id, claimed.locale, claimed.attempt) == (who.id, "ru", 1)
    assert (claimed.kind, claimed.data) == ("grace", {"missing": 5, "note": "ё"})
    assert await _claim(sessions) is None


@pytest.mark.parametrize(
    ("code", "setting", "locale"),
    [("de", None, "en"), ("ru-RU", None, "ru"), (None, None, "ru"), ("de", "ru", "ru")],
)
async def test_a_teams_notice_goes_to_its_group_in_the_owners_language(
    sessions: Sessions, code: str | None, setting: str | None, locale: str
) -> None:
    async with sessions.begin() as session:
        await accounts.ensure_user(session, TelegramUser(7, "Ann", language_code=code))
        account_id = await accounts.for_chat(session, 7, TEAM, "supergroup", "Команда")
    await rows.execute(sessions, "UPDATE user_settings SET locale = :to", to=setting)
    await _tell(sessions, account_id)
    claimed = await _claim(sessions)
    assert claimed is not None
    assert (claimed.chat_id, claimed.locale) == (TEAM, locale)


async def test_senders_at_once_share_the_notices_out(sessions: Sessions) -> None:
    people = [await rows.person(sessions, user_id) for user_id in range(1, 6)]
    for who in people:
        await _tell(sessions, who.account_id, f"k{who.id}")
    claimed = await asyncio.gather(*(_claim(sessions) for _ in range(8)))
    ids = [one.id for one in claimed if one is not None]
    assert sorted(ids) == [1, 2, 3, 4, 5]


async def test_an_accounts_notices_go_in_order(sessions: Sessions) -> None:
    first = await _told(sessions)
    await _tell(sessions, first.account_id, "second")
    assert await _claim(sessions) is None
    async with sessions.begin() as session:
        await notices.retry(session, first.id, first.token, not_before_s=60, reason="429")
    assert await _claim(sessions) is None
    await rows.execute(sessions, "UPDATE notices SET not_before = now() WHERE id = 1")
    again = await _claim(sessions)
    assert again is not None
    assert (again.id, again.attempt) == (first.id, 2)
    async with sessions.begin() as session:
        assert await notices.sent(session, again.id, again.token)
    second = await _claim(sessions)
    assert second is not None
    assert second.id == 2


async def test_each_end_is_an_end(sessions: Sessions) -> None:
    for end in (
        lambda s, c: notices.sent(s, c.id, c.token),
        lambda s, c: notices.unknown(s, c.id, c.token, "timeout"),
        lambda s, c: notices.undeliverable(s, c.id, c.token, "blocked"),
    ):
        claimed = await _told(sessions, f"k{id(end)}")
        async with sessions.begin() as session:
            assert await end(session, claimed)
            assert not await end(session, claimed)
        assert await _claim(sessions) is None
    assert await _states(sessions) == [
        ("sent", None), ("unknown", "timeout"), ("undeliverable", "blocked"),
    ]  # fmt: skip


async def test_a_dead_senders_notice_is_let_go(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _tell(sessions, who.account_id)
    dead = await _claim(sessions, lease_s=-1)
    assert dead is not None
    async with sessions.begin() as session:
        assert await notices.sweep_leases(session) == 1
        assert not await notices.sent(session, dead.id, dead.token)
    assert await _claim(sessions) is None
    assert await _states(sessions) == [("unknown", "sender_died")]


async def test_a_living_sender_is_left_alone(sessions: Sessions) -> None:
    await _told(sessions)
    async with sessions.begin() as session:
        assert await notices.sweep_leases(session) == 0
