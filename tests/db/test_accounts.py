"""People and accounts: met once, found again, and followed when a group becomes a supergroup."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from db import accounts, brands, deliveries, newcomers, requests
from db.errors import NotFound
from db.views import TelegramUser, UserSettings, UserView
from tests.db import rows
from tests.db.rows import Person, Sessions

ANYA = TelegramUser(id=1, first_name="Аня", username="anya", language_code="ru")
GROUP, SUPERGROUP = -5, -1005


async def _ensure(sessions: Sessions, user: TelegramUser) -> UserView:
    async with sessions.begin() as session:
        return await accounts.ensure_user(session, user)


async def _team(sessions: Sessions, user_id: int, chat_id: int = GROUP, title: str = "SMM") -> int:
    async with sessions.begin() as session:
        now = datetime(2026, 5, 1, tzinfo=UTC)
        return (
            await newcomers.enter(session, user_id, chat_id, title, draws=True, now=now)
        ).account_id


async def _migrate(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await accounts.migrate_chat(session, GROUP, SUPERGROUP)


async def test_a_new_person_gets_an_account_and_default_settings(sessions: Sessions) -> None:
    view = await _ensure(sessions, ANYA)
    assert (view.id, view.first_name, view.locale) == (1, "Аня", "ru")
    assert view.settings == UserSettings(locale=None, count=4, aspect=None, enhance=True)
    assert await rows.rows(sessions, "SELECT account_id, user_id, role FROM members") == [
        (view.account_id, 1, "owner")
    ]


async def test_a_person_met_again_keeps_the_account_and_is_brought_up_to_date(
    sessions: Sessions,
) -> None:
    first = await _ensure(sessions, ANYA)
    again = await _ensure(sessions, TelegramUser(id=1, first_name="Анна"))
    assert again.account_id == first.account_id
    assert await rows.rows(sessions, "SELECT first_name, username FROM users") == [("Анна", None)]
    assert await rows.rows(sessions, "SELECT count(*) FROM accounts") == [(1,)]


async def test_first_messages_handled_at_once_make_one_account(sessions: Sessions) -> None:
    views = await asyncio.gather(*(_ensure(sessions, ANYA) for _ in range(10)))
    assert len({view.account_id for view in views}) == 1
    assert await rows.rows(sessions, "SELECT count(*) FROM accounts") == [(1,)]


@pytest.mark.parametrize(
    ("code", "chosen", "locale"),
    [("ru", None, "ru"), (None, None, "ru"), ("en", None, "en"), ("de", None, "en"),
     ("en", "ru", "ru"), ("ru", "en", "en")],
)  # fmt: skip
async def test_the_language_is_the_chosen_one_else_telegrams(
    sessions: Sessions, code: str | None, chosen: str | None, locale: str
) -> None:
    user = TelegramUser(id=1, first_name="A", language_code=code)
    await _ensure(sessions, user)
    async with sessions.begin() as session:
        await accounts.change_settings(session, 1, locale=chosen)  # type: ignore[arg-type]
    assert (await _ensure(sessions, user)).locale == locale


async def test_settings_change_one_at_a_time(sessions: Sessions) -> None:
    await _ensure(sessions, ANYA)
    async with sessions.begin() as session:
        await accounts.change_settings(session, 1, count=2)
        await accounts.change_settings(session, 1, aspect="4:5")
        await accounts.change_settings(session, 1, enhance=False)
        assert await accounts.change_settings(session, 1) == await accounts.settings(session, 1)
    async with sessions.begin() as session:
        assert await accounts.settings(session, 1) == UserSettings(None, 2, "4:5", False)


async def test_settings_of_nobody_are_not_found(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        with pytest.raises(NotFound):
            await accounts.settings(session, 1)
        with pytest.raises(NotFound):
            await accounts.change_settings(session, 1, count=2)


async def test_blocking_is_noted_until_the_person_writes_again(sessions: Sessions) -> None:
    await _ensure(sessions, ANYA)
    now = datetime(2026, 5, 1, tzinfo=UTC)
    async with sessions.begin() as session:
        await accounts.set_blocked(session, 1, now)
        await accounts.set_blocked(session, 1, datetime(2026, 6, 1, tzinfo=UTC))
        await accounts.set_blocked(session, GROUP, now)
    assert await rows.rows(sessions, "SELECT blocked_at FROM users") == [(now,)]
    await _ensure(sessions, ANYA)
    assert await rows.rows(sessions, "SELECT blocked_at FROM users") == [(None,)]


async def test_names_postgres_cannot_hold_are_stored_without_the_bad_parts(
    sessions: Sessions,
) -> None:
    await _ensure(sessions, TelegramUser(id=1, first_name="А\x00н\ud83dя"))
    assert await rows.rows(sessions, "SELECT first_name FROM users") == [("Ан?я",)]


async def test_a_private_chat_belongs_to_the_personal_account(sessions: Sessions) -> None:
    view = await _ensure(sessions, ANYA)
    async with sessions.begin() as session:
        assert await accounts.for_chat(session, 1, 1, "private", None) == view.account_id
        with pytest.raises(NotFound):
            await accounts.for_chat(session, 2, 2, "private", None)


async def test_a_group_is_a_team_of_its_first_user_and_editors(sessions: Sessions) -> None:
    for user_id in (1, 2):
        await rows.person(sessions, user_id)
    team_id = await _team(sessions, 1)
    assert await _team(sessions, 2) == await _team(sessions, 1) == team_id
    assert await rows.rows(
        sessions,
        "SELECT user_id, role FROM members WHERE account_id = :id ORDER BY user_id",
        id=team_id,
    ) == [(1, "owner"), (2, "editor")]


async def test_a_group_without_title_is_one_team(sessions: Sessions) -> None:
    await rows.person(sessions, 1)
    async with sessions.begin() as session:
        first = await accounts.for_chat(session, 1, GROUP, "group", None)
        assert await accounts.for_chat(session, 1, GROUP, "group", None) == first


async def test_a_group_follows_its_title(sessions: Sessions) -> None:
    await rows.person(sessions, 1)
    team_id = await _team(sessions, 1, title="До")
    assert await _team(sessions, 1, title="После") == team_id
    assert await rows.rows(sessions, "SELECT title FROM accounts WHERE kind = 'team'") == [
        ("После",)
    ]


async def test_first_messages_of_a_group_handled_at_once_make_one_team(sessions: Sessions) -> None:
    for user_id in range(1, 9):
        await rows.person(sessions, user_id)
    team_ids = await asyncio.gather(*(_team(sessions, user_id) for user_id in range(1, 9)))
    assert len(set(team_ids)) == 1
    assert await rows.rows(
        sessions,
        "SELECT role, count(*) FROM members WHERE account_id = :id GROUP BY role ORDER BY role",
        id=team_ids[0],
    ) == [("editor", 2), ("owner", 1), ("viewer", 5)]  # Free has three seats


async def _busy_group(sessions: Sessions) -> Person:
    """A team with a finished task whose album waits for delivery in the old group."""
    await rows.person(sessions, 1)
    team = Person(1, await _team(sessions, 1))
    await rows.queued(sessions, team, chat_id=GROUP)
    claimed = await rows.claim(sessions)
    assert claimed is not None
    await rows.finish(sessions, claimed)
    await rows.execute(sessions, "UPDATE ml_tasks SET status_message_id = 9; ")
    await rows.execute(sessions, "UPDATE ml_requests SET card_message_id = 8")
    return team


async def test_everything_follows_a_migrated_group(sessions: Sessions) -> None:
    team = await _busy_group(sessions)
    await _migrate(sessions)
    await _migrate(sessions)
    assert await _team(sessions, 1, SUPERGROUP) == team.account_id
    assert await rows.rows(
        sessions,
        """SELECT r.chat_id, r.source_chat_id, r.card_message_id, t.chat_id,
                  t.status_message_id, d.chat_id
           FROM ml_requests r JOIN ml_tasks t ON t.request_id = r.id
           JOIN deliveries d ON d.task_id = t.id""",
    ) == [(SUPERGROUP, GROUP, None, SUPERGROUP, None, SUPERGROUP)]


async def test_a_message_of_the_new_chat_is_not_taken_for_an_old_one(sessions: Sessions) -> None:
    await rows.person(sessions, 1)
    team = Person(1, await _team(sessions, 1))
    old = rows.new_draft(team, chat_id=GROUP, source_message_id=3)
    new = rows.new_draft(team, chat_id=SUPERGROUP, source_message_id=3)
    async with sessions.begin() as session:
        await requests.draft(session, old)
    await _migrate(sessions)
    async with sessions.begin() as session:
        _, created = await requests.draft(session, new)
    assert created


async def test_a_delivery_in_the_air_moves_once_it_is_back(sessions: Sessions) -> None:
    await _busy_group(sessions)
    in_the_air = await rows.sending(sessions)
    await _migrate(sessions)
    async with sessions.begin() as session:
        await deliveries.retry(
            session, in_the_air.id, in_the_air.token, not_before_s=0, reason="migrated"
        )
        await accounts.migrate_chat(session, GROUP, SUPERGROUP)
    assert (await rows.sending(sessions)).chat_id == SUPERGROUP


async def test_a_team_made_too_early_in_the_new_chat_is_merged(sessions: Sessions) -> None:
    team = await _busy_group(sessions)
    await rows.person(sessions, 2)
    early = Person(2, await _team(sessions, 2, SUPERGROUP))
    await rows.execute(sessions, "UPDATE plans SET brand_limit = 3 WHERE code = 'free'")
    for account_id, names in ((team.account_id, ["Кофе"]), (early.account_id, ["КОФЕ", "Чай"])):
        async with sessions.begin() as session:
            for name in names:
                await brands.create(
                    session, account_id, name=name, style_original="", style_short="",
                    palette=[], preset=None,
                )  # fmt: skip
    task_id = await rows.queued(sessions, early, chat_id=SUPERGROUP)
    await _migrate(sessions)
    assert await _team(sessions, 2, SUPERGROUP) == team.account_id
    async with sessions.begin() as session:
        listed = await brands.list_(session, team.account_id)
    assert [brand.name for brand in listed] == ["Кофе", "Чай"]
    assert await rows.rows(
        sessions, "SELECT account_id FROM ml_tasks WHERE id = :id", id=task_id
    ) == [(team.account_id,)]
    assert await rows.rows(
        sessions,
        "SELECT user_id, role FROM members WHERE account_id = :id ORDER BY user_id",
        id=team.account_id,
    ) == [(1, "owner"), (2, "editor")]


async def test_a_migration_and_a_new_task_at_once_do_not_block_each_other(
    sessions: Sessions,
) -> None:
    await rows.person(sessions, 1)
    team = Person(1, await _team(sessions, 1))

    async def submit(request_id: int) -> None:
        async with sessions.begin() as session:
            await requests.submit(
                session,
                team.account_id,
                request_id,
                "card:1",
                chat_id=GROUP,
                thread_id=None,
                now=rows.NOW,
            )

    async def waiting(count: int) -> None:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while await rows.rows(sessions, query) != [(count,)]:
            await asyncio.sleep(0.01)

    async with sessions.begin() as session:
        draft, _ = await requests.draft(session, rows.new_draft(team, chat_id=GROUP))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group, sessions.begin() as session:
        await requests.change_draft(session, team.account_id, draft.id, count=1)
        group.create_task(submit(draft.id))
        await waiting(1)
        group.create_task(_migrate(sessions))
        await waiting(2)
    assert await rows.rows(sessions, "SELECT chat_id FROM ml_requests") == [(SUPERGROUP,)]


async def test_migrating_an_unknown_group_is_nothing(sessions: Sessions) -> None:
    await _migrate(sessions)
    assert await rows.rows(sessions, "SELECT * FROM accounts") == []
