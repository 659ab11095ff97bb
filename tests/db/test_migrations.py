"""Migrations go up and down one by one with data in the tables, and make what the models say."""

from __future__ import annotations

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from db import engine as db_engine
from db import migrate
from db.models import Base

REVISIONS = [
    revision.revision for revision in ScriptDirectory.from_config(migrate.config()).walk_revisions()
][::-1]

# What a database may hold once a revision is there.
ROWS = {
    "0001": """
        INSERT INTO users (id, first_name) VALUES (1, 'Аня');
        INSERT INTO user_settings (user_id) VALUES (1);
        INSERT INTO accounts (kind, owner_user_id) VALUES ('personal', 1);
        INSERT INTO members (account_id, user_id, role) SELECT id, 1, 'owner' FROM accounts
    """,
    "0002": """
        INSERT INTO brands (account_id, name, name_key, style_original, style_short, palette)
        SELECT id, 'Кофе', 'кофе', 'тепло', 'warm', '{#aa5500}' FROM accounts;
        UPDATE accounts SET default_brand_id = (SELECT id FROM brands)
    """,
    "0003": """
        INSERT INTO ml_requests (account_id, user_id, chat_id, source_chat_id, source_message_id,
            raw_prompt, cleaned_prompt, count, enhance, brand_id, seed, locale)
        SELECT a.id, 1, 1, 1, 7, 'кофе', 'кофе', 4, true, b.id, 5, 'ru'
        FROM accounts a, brands b;
        INSERT INTO ml_tasks (request_id, account_id, user_id, locale, origin, brief, chat_id)
        SELECT id, account_id, user_id, locale, 'card', '{}', 1 FROM ml_requests;
        INSERT INTO predictions (task_id, rank, seed, storage_key, sha256, width, height,
            size_bytes, clip_raw, clip_n, aes_raw, aes_n, final_score, gen_meta)
        SELECT id, 1, 5, 'k', repeat('a', 64), 8, 8, 9, 0.3, 0.5, 5, 0.5, 0.5, '{}' FROM ml_tasks;
        UPDATE ml_tasks SET chosen_prediction_id = (SELECT id FROM predictions)
    """,
    "0004": """
        INSERT INTO deliveries (task_id, kind, origin, chat_id)
        SELECT id, 'album', 'first', 1 FROM ml_tasks
    """,
    "0005": """
        INSERT INTO subscriptions (account_id, plan_code, anchor_day, renews_at)
        SELECT id, 'free', 31, now() FROM accounts
    """,
    "0006": """
        INSERT INTO wallets (account_id, balance, reserved) SELECT id, 500, 9 FROM accounts;
        INSERT INTO transfers (source_id, destination_id, amount, kind, key, input_hash)
        SELECT s.id, d.id, 500, 'top_up', 'k', '' FROM wallets s, wallets d
        WHERE s.system = 'stars' AND d.balance = 500;
        INSERT INTO periods (account_id, plan_code, starts_at, ends_at, price, picture_price,
            images_limit, auto_enhance, auto_best, brand_limit, lora_limit, seats, channels,
            priority, used, held, transfer_id)
        SELECT a.id, 'free', now(), now() + interval '1 month', 0, 9, 40, true, false, 1, 0, 3, 0,
            0, 39, 1, t.id
        FROM accounts a, transfers t;
        INSERT INTO holds (task_id, account_id, period_id, quota, paid, picture_price)
        SELECT t.id, t.account_id, p.id, 1, 1, 9 FROM ml_tasks t, periods p
    """,
    "0007": """
        INSERT INTO orders (account_id, user_id, method, currency, amount, credit, rate, payload,
            state, expires_at, chat_id)
        SELECT id, 1, 'stars', 'XTR', 4, 500, 150, 'p', 'paid', now(), 1 FROM accounts;
        INSERT INTO payments (order_id, account_id, user_id, charge_id, provider_charge_id, method,
            currency, amount, credit, transfer_id, paid_at)
        SELECT o.id, o.account_id, 1, 'c', '', 'stars', 'XTR', 4, 500, t.id, now()
        FROM orders o, transfers t;
        INSERT INTO notices (account_id, key, kind) SELECT id, 'k', 'reminder' FROM accounts
    """,
    "0008": """
        INSERT INTO channels (account_id, chat_id, title, connected_by)
        SELECT id, -5, 'Кофе', 1 FROM accounts;
        INSERT INTO posts (account_id, channel_id, task_id, created_by, origin, ranks)
        SELECT c.account_id, c.id, t.id, 1, 'o', '{1}' FROM channels c, ml_tasks t;
        UPDATE accounts SET time_zone = 'Asia/Vladivostok', late_posts = 'send'
    """,
    "0009": """
        INSERT INTO votes (task_id, user_id, rank) SELECT id, 1, 2 FROM ml_tasks;
        INSERT INTO approvals (account_id, task_id, needed, asked_by, chat_id)
        SELECT account_id, id, 1, 1, 1 FROM ml_tasks;
        INSERT INTO approvers (approval_id, user_id) SELECT id, 1 FROM approvals;
        INSERT INTO approval_questions (chat_id, message_id, approval_id, answer)
        SELECT 1, 5, id, 'changes' FROM approvals;
        INSERT INTO events (account_id, user_id, action, object)
        SELECT id, 1, 'propose', 'task 1' FROM accounts;
        UPDATE members SET role = 'admin', left_at = now(), removed_by = 1;
        UPDATE user_settings SET team_id = (SELECT id FROM accounts);
        UPDATE accounts SET presence = 'member', approvals_needed = 2
    """,
    "0010": "UPDATE ml_requests SET photo_key = 'photos/1/7/a.jpg'",
    "0011": """
        UPDATE accounts SET remind_after_h = 4;
        UPDATE approvals SET reminders = 1, reminded_at = now()
    """,
    "0012": """
        UPDATE posts SET state = 'sent', sent_at = now(), publish_at = now(), message_ids = '{7,8}',
            reactions = '{"8": {"🔥": 2}}'
    """,
    "0013": """
        UPDATE brands SET signature = 'Кофе рядом', hashtags = '{#кофе,#осень}', advertiser = 'ООО',
            erid = '2VtzqwJ8', marks_ai = true;
        UPDATE posts SET parts = '{"body": "Латте"}', shown_parts = '{"body": ""}',
            caption = 'Латте', shown_caption = ''
    """,
    "0014": """
        INSERT INTO suggestions (post_id, locale, chat_id, message_id)
        SELECT id, 'ru', 1, 2 FROM posts
    """,
    "0015": "UPDATE orders SET thread_id = 7; UPDATE posts SET card_thread_id = 7",
    "0016": "UPDATE members SET looks_on = true WHERE role = 'viewer'",
    "0017": "UPDATE ml_tasks SET status_lost = true",
    "0018": "UPDATE approvals SET card_message_id = 9",
    "0019": """
        INSERT INTO events (account_id, user_id, action, object, tap)
        SELECT id, 1, 'vote', 'task 1', '77' FROM accounts
    """,
    "0020": "UPDATE approvers SET by_role = false",
}


async def _execute(url: str, statements: str) -> None:
    engine = db_engine.create(url)
    async with engine.begin() as connection:
        for statement in statements.split(";"):
            await connection.execute(text(statement))
    await engine.dispose()


async def _describe(url: str) -> set[tuple[str, ...]]:
    """Every column, constraint and index, as Postgres itself words them."""
    engine = db_engine.create(url)
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("""
            SELECT 'column', table_name, column_name,
                   concat_ws(' ', data_type, character_maximum_length, column_default, is_nullable,
                             is_identity, udt_name)
            FROM information_schema.columns WHERE table_schema = 'public'
            UNION ALL
            SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            UNION ALL
            SELECT 'index', tablename, indexname, indexdef FROM pg_indexes
            WHERE schemaname = 'public'
            """)
        )
        described = {tuple(row) for row in rows if row[1] != "alembic_version"}
    await engine.dispose()
    return described


async def test_every_migration_has_rows_in_this_test() -> None:
    assert set(ROWS) == set(REVISIONS)


async def test_goes_up_and_down_one_by_one_with_data(empty_database_url: str) -> None:
    url = empty_database_url
    seen: dict[str | None, set[tuple[str, ...]]] = {None: await _describe(url)}
    below: str | None = None
    for revision in REVISIONS:
        await asyncio.to_thread(migrate.upgrade, url, revision)
        assert await asyncio.to_thread(migrate.current, url) == revision
        seen[revision] = await _describe(url)
        await _execute(url, ROWS[revision])
        await asyncio.to_thread(migrate.downgrade, url, below or "base")
        assert await _describe(url) == seen[below]
        await asyncio.to_thread(migrate.upgrade, url, revision)
        assert await _describe(url) == seen[revision]
        await _execute(url, ROWS[revision])
        below = revision
    for revision in [*REVISIONS[-2::-1], None]:
        await asyncio.to_thread(migrate.downgrade, url, revision or "base")
        assert await asyncio.to_thread(migrate.current, url) == revision
        assert await _describe(url) == seen[revision]


async def test_reactions_counted_before_stay_with_the_first_message(
    empty_database_url: str,
) -> None:
    url = empty_database_url
    await asyncio.to_thread(migrate.upgrade, url, "0011")
    for revision in REVISIONS[: REVISIONS.index("0012")]:
        await _execute(url, ROWS[revision])
    await _execute(
        url,
        """UPDATE posts SET state = 'sent', sent_at = now(), publish_at = now(),
               message_ids = '{7,8}', reactions = '{"🔥": 2}'""",
    )
    for revision, expected in (("0012", {"7": {"🔥": 2}}), ("0011", {"🔥": 2})):
        step = migrate.upgrade if revision == "0012" else migrate.downgrade
        await asyncio.to_thread(step, url, revision)
        engine = db_engine.create(url)
        async with engine.connect() as connection:
            assert await connection.scalar(text("SELECT reactions FROM posts")) == expected
        await engine.dispose()


async def test_open_rounds_of_private_chats_move_to_the_teams_group(
    empty_database_url: str,
) -> None:
    url = empty_database_url
    await asyncio.to_thread(migrate.upgrade, url, "0017")
    for revision in REVISIONS[: REVISIONS.index("0018")]:
        await _execute(url, ROWS[revision])
    await _execute(
        url,
        """UPDATE accounts SET kind = 'team', chat_id = -5;
           UPDATE ml_tasks SET chat_id = -5, thread_id = 7;
           UPDATE approvals SET card_message_id = 9, state = 'approved', decided_at = now(),
               decided_by = 1;
           INSERT INTO approvals (account_id, task_id, needed, asked_by, chat_id, card_message_id)
           SELECT account_id, id, 1, 1, 1, 9 FROM ml_tasks""",
    )
    await asyncio.to_thread(migrate.upgrade, url, "0018")
    engine = db_engine.create(url)
    async with engine.connect() as connection:
        places = await connection.execute(
            text("SELECT chat_id, thread_id, card_message_id FROM approvals ORDER BY id")
        )
        assert [tuple(row) for row in places] == [(1, None, 9), (-5, 7, None)]
    await engine.dispose()


async def test_make_what_the_models_say(database_url: str, empty_database_url: str) -> None:
    engine = db_engine.create(database_url)
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()
    engine = db_engine.create(empty_database_url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()
    assert await _describe(database_url) == await _describe(empty_database_url)


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, Base.metadata))


async def test_several_processes_may_migrate_at_once(empty_database_url: str) -> None:
    await asyncio.gather(
        *(asyncio.to_thread(migrate.upgrade, empty_database_url) for _ in range(3))
    )
    assert await asyncio.to_thread(migrate.current, empty_database_url) == REVISIONS[-1]


async def test_a_failing_migration_leaves_nothing_behind(empty_database_url: str) -> None:
    await _execute(empty_database_url, "CREATE TABLE deliveries (in_the_way int)")
    before = await _describe(empty_database_url)
    with pytest.raises(Exception, match="deliveries"):
        await asyncio.to_thread(migrate.upgrade, empty_database_url)
    assert await asyncio.to_thread(migrate.current, empty_database_url) is None
    assert await _describe(empty_database_url) == before


async def test_plain_postgres_urls_get_the_driver(empty_database_url: str) -> None:
    plain = empty_database_url.replace("postgresql+asyncpg://", "postgres://")
    assert await asyncio.to_thread(migrate.current, plain) is None
