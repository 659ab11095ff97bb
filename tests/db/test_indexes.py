"""What runs all day long never reads a whole table, however long the history grows."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db import (
    accounts,
    albums,
    approvals,
    audit,
    captions,
    deliveries,
    leases,
    notices,
    payments,
    plans,
    posts,
    publishing,
    quotas,
    reminders,
    requests,
    stats,
    statuses,
    suggestions,
    tasks,
    wallet,
)
from db.money_views import NoticeClaim, Paid
from db.states import DeliveryKind, SystemWallet, TransferKind
from db.team_views import PostClaim
from db.views import DeliveryClaim, TelegramUser
from tests.db import rows
from tests.db.rows import Person, Sessions

WHO = Person(1, 1)
_numbers = itertools.count()
DAY = timedelta(days=1)
POSTED = stats.Scope(2, channel_id=2, since=rows.NOW - 30 * DAY)
SENDING: list[leases.SendingClaim] = [
    DeliveryClaim(3001, uuid4(), 3001, 1, DeliveryKind.ALBUM, "first", 1, None, None, 1),
    NoticeClaim(2901, uuid4(), 2, "renewed", {}, 1, "ru", 1),
    PostClaim(2901, uuid4(), 2, 1, -1, 1, "", (), 1, rows.NOW),
]
TIMES = 7  # Postgres may change to a generic plan after five

FREQUENT: dict[str, Callable[[AsyncSession], Awaitable[object]]] = {
    "accounts.ensure_user": lambda s: accounts.ensure_user(s, TelegramUser(1, "Аня")),
    "accounts.for_chat": lambda s: accounts.for_chat(s, 1, 1, "private", None),
    "requests.draft": lambda s: requests.draft(s, rows.new_draft(WHO)),
    "requests.submit": lambda s: requests.submit(
        s, 2, 1, "x", chat_id=1, thread_id=None, now=rows.NOW
    ),
    "requests.submit_again": lambda s: requests.submit_again(
        s, 2, 1, "y", user_id=2, locale="ru", chat_id=1, thread_id=None, now=rows.NOW
    ),
    "requests.of_message": lambda s: requests.of_message(s, 1, 1, 1),
    "requests.prune_drafts": lambda s: requests.prune_drafts(s, older_than_days=30),
    "tasks.claim": lambda s: tasks.claim(s, lease_s=45, account_running_cap=2),
    "tasks.sweep_leases": tasks.sweep_leases,
    "tasks.queue_place": lambda s: tasks.queue_place(s, 3001),
    "wallet.transfer": lambda s: wallet.transfer(
        s, 2, SystemWallet.REVENUE, 1, TransferKind.PICTURES, f"again:{next(_numbers)}"
    ),
    "wallet.movements": lambda s: wallet.movements(s, 2),
    "wallet.movements, an older page": lambda s: wallet.movements(s, 2, before_id=2000),
    "quotas.capture": lambda s: quotas.capture(s, 3001, 1),
    "quotas.void_all": lambda s: quotas.void_all(s, [3002, 3003]),
    "quotas.sweep": quotas.sweep,
    "statuses.status_work": lambda s: statuses.status_work(s, 20),
    "deliveries.claim": deliveries.claim,
    "deliveries.sweep_leases": deliveries.sweep_leases,
    "leases.keep": lambda s: leases.keep(s, SENDING, lease_s=12),
    "deliveries.next_due_s": deliveries.next_due_s,
    "albums.album": lambda s: albums.album(s, 2, 1),
    "albums.history": lambda s: albums.history(s, 2),
    "plans.standing": lambda s: plans.standing(s, 2001, now=rows.NOW),
    "plans.due": lambda s: plans.due(s, now=rows.NOW),
    "plans.renew": lambda s: plans.renew(s, 103, now=rows.NOW),
    "plans.remind": lambda s: plans.remind(s, now=rows.NOW),
    "notices.claim": notices.claim,
    "notices.sweep_leases": notices.sweep_leases,
    "payments.check": lambda s: payments.check(
        s, payload="5", user_id=6, currency="RUB", amount=100, now=rows.NOW
    ),
    "payments.credit": lambda s: payments.credit(
        s, Paid("5", 6, "RUB", 100, f"new:{next(_numbers)}", "", rows.NOW)
    ),
    "publishing.claim": lambda s: publishing.claim(s, now=rows.NOW),
    "publishing.next_due_s": lambda s: publishing.next_due_s(s, now=rows.NOW),
    "publishing.sweep_leases": publishing.sweep_leases,
    "publishing.refuse_frozen": lambda s: publishing.refuse_frozen(s, now=rows.NOW),
    "publishing.put_to_question": lambda s: publishing.put_to_question(s, now=rows.NOW),
    "publishing.edits": lambda s: publishing.edits(s, 20),
    "publishing.count_reactions": lambda s: publishing.count_reactions(s, -50, 5000, {"🔥": 2}),
    "captions.follow": lambda s: captions.follow(s, 2, 1),
    "suggestions.claim": lambda s: suggestions.claim(s, lease_s=-1),
    "posts.between": lambda s: posts.between(s, 2, rows.NOW - 7 * DAY, rows.NOW),
    "posts.of_task": lambda s: posts.of_task(s, 2, 1),
    "reminders.remind": lambda s: reminders.remind(s, now=rows.NOW, limit=50),
    "approvals.cardless": lambda s: approvals.cardless(s, 2),
    "audit.page": lambda s: audit.page(s, 2),
    "audit.page, an older one": lambda s: audit.page(s, 2, before_id=2000),
    "stats.best": lambda s: stats.best(s, POSTED),
    "stats.by_brand": lambda s: stats.by_brand(s, POSTED),
    "stats.by_size": lambda s: stats.by_size(s, POSTED),
    "stats.by_hour": lambda s: stats.by_hour(s, POSTED),
}


async def _long_history(sessions: Sessions) -> None:
    """100 people, 3,000 albums sent, 100 tasks and 100 deliveries waiting; 2,900 teams, each with
    a plan (one renews every hour), 3,000 orders, payments and notices, 100 of them not sent; 3,000
    channels, 100 of them with 30 posts sent each, two of those to be edited, and one scheduled;
    3,000 approvals, 100 of them open."""
    for statement in (
        "INSERT INTO users (id, first_name) SELECT n, 'Аня' FROM generate_series(1, 100) n",
        "INSERT INTO user_settings (user_id) SELECT id FROM users",
        "INSERT INTO accounts (kind, owner_user_id) SELECT 'personal', id FROM users ORDER BY id",
        """INSERT INTO ml_requests (account_id, user_id, chat_id, source_chat_id,
               source_message_id, raw_prompt, cleaned_prompt, count, enhance, seed, locale,
               state)
           SELECT 1 + n % 100, 1 + n % 100, 1 + n % 100, 1 + n % 100, n, 'кофе', 'кофе', 4, true,
               5, 'ru', 'submitted' FROM generate_series(1, 3100) n""",
        """INSERT INTO ml_tasks (request_id, account_id, user_id, locale, origin, chat_id, state,
               status_shown, finished_at, started_at, prompt, judge, generator, timings_ms, brief)
           SELECT id, account_id, user_id, locale, 'card', chat_id, 'done', 'done', now(), now(),
               '{"render": "", "negative": "", "intent": "", "backend": "", "unknown": []}',
               'pixels', 'mock', '{}',
               '{"cleaned_prompt": "", "platform": null, "goal": null, "brand": null, "count": 1}'
           FROM ml_requests WHERE id <= 3000 ORDER BY id""",
        """INSERT INTO ml_tasks (request_id, account_id, user_id, locale, origin, chat_id, brief)
           SELECT id, account_id, user_id, locale, 'card', chat_id, '{}' FROM ml_requests
           WHERE id > 3000 ORDER BY id""",
        """INSERT INTO predictions (task_id, rank, seed, storage_key, sha256, width, height,
               size_bytes, clip_raw, clip_n, aes_raw, aes_n, final_score, gen_meta)
           SELECT id, 1, 5, id::text, repeat('a', 64), 8, 8, 9, 0.3, 0.5, 5, 0.5, 0.5, '{}'
           FROM ml_tasks WHERE state = 'done'""",
        """INSERT INTO deliveries (task_id, kind, origin, chat_id, state, sent_at, message_ids)
           SELECT id, 'album', 'first', chat_id, 'sent', now(), '{1}' FROM ml_tasks
           WHERE state = 'done'""",
        """INSERT INTO deliveries (task_id, kind, origin, chat_id)
           SELECT id, 'actions', 'first', chat_id FROM ml_tasks WHERE id <= 100""",
        """INSERT INTO wallets (account_id, balance, reserved)
           SELECT id, 30000, 0 FROM accounts ORDER BY id""",
        """INSERT INTO transfers (source_id, destination_id, amount, kind, key, input_hash)
           SELECT CASE WHEN n % 3 = 0 THEN w.id ELSE o.id END,
               CASE WHEN n % 3 = 0 THEN o.id ELSE w.id END, 1000, 'credit', w.id || ':' || n, ''
           FROM wallets o, wallets w, generate_series(1, 30) n
           WHERE o.system = 'operator' AND w.account_id IS NOT NULL ORDER BY n, w.id""",
        """INSERT INTO periods (account_id, plan_code, starts_at, ends_at, price, picture_price,
               images_limit, auto_enhance, auto_best, brand_limit, lora_limit, seats, channels,
               priority, held)
           SELECT id, 'free', now(), now() + interval '1 month', 0, 9, 1000, true, false, 1, 0, 3,
               0, 0, 1 FROM accounts""",
        """INSERT INTO holds (task_id, account_id, period_id, quota, state, resolved_at)
           SELECT t.id, t.account_id, p.id, 1,
               CASE t.state WHEN 'done' THEN 'captured' ELSE 'open' END,
               CASE t.state WHEN 'done' THEN now() END
           FROM ml_tasks t JOIN periods p ON p.account_id = t.account_id ORDER BY t.id""",
        """INSERT INTO accounts (kind, chat_id)
           SELECT 'team', -n FROM generate_series(1, 2900) n ORDER BY n""",
        """INSERT INTO approvals (account_id, task_id, needed, asked_by, chat_id, card_message_id,
               state, decided_at, decided_by)
           SELECT account_id, id, 1, user_id, chat_id, 1,
               CASE WHEN id <= 2900 THEN 'approved' ELSE 'open' END,
               CASE WHEN id <= 2900 THEN now() END, CASE WHEN id <= 2900 THEN user_id END
           FROM ml_tasks WHERE id <= 3000""",
        """INSERT INTO events (account_id, user_id, action, object)
           SELECT account_id, user_id, 'ask', 'task ' || id FROM ml_tasks ORDER BY id""",
        """INSERT INTO subscriptions (account_id, plan_code, anchor_day, renews_at)
           SELECT id, 'start', 1,
               timestamptz '2026-03-01 12:00Z' + make_interval(hours => (id - 110)::int)
           FROM accounts WHERE kind = 'team'""",
        """INSERT INTO periods (account_id, plan_code, starts_at, ends_at, price, picture_price,
               images_limit, auto_enhance, auto_best, brand_limit, lora_limit, seats, channels,
               priority)
           SELECT account_id, plan_code, renews_at - interval '1 month', renews_at, 49000, 700, 200,
               true, true, 3, 1, 3, 1, 1 FROM subscriptions""",
        """INSERT INTO wallets (account_id, balance, reserved)
           SELECT account_id, 1000 * (account_id % 100), 0 FROM subscriptions""",
        """INSERT INTO orders (account_id, user_id, method, currency, amount, credit, payload,
               expires_at, chat_id)
           SELECT 1 + n % 100, 1 + n % 100, 'provider', 'RUB', 100, 100, n, '2026-03-02', 1
           FROM generate_series(1, 3000) n ORDER BY n""",
        """INSERT INTO payments (user_id, charge_id, provider_charge_id, method, currency, amount,
               credit, state, paid_at)
           SELECT user_id, 'c' || id, '', method, currency, amount, 0, 'unmatched', now()
           FROM orders""",
        """INSERT INTO notices (account_id, key, kind, state, sent_at)
           SELECT 1 + n % 100, n, 'topped_up', CASE WHEN n > 2900 THEN 'pending' ELSE 'sent' END,
               CASE WHEN n <= 2900 THEN now() END FROM generate_series(1, 3000) n ORDER BY n""",
        """INSERT INTO channels (account_id, chat_id, title, connected_by)
           SELECT id, -id, 'Кофе', 1 FROM accounts ORDER BY id""",
        """INSERT INTO posts (account_id, channel_id, task_id, created_by, origin, ranks, caption,
               shown_caption, shown_parts, state, publish_at, sent_at, message_ids, reactions)
           SELECT c.account_id, c.id, t.id, c.connected_by, t.id, '{1}', 'Новая',
               CASE WHEN t.id <= 2 THEN '' ELSE 'Новая' END, '{}', 'sent', at, at,
               ARRAY[2 * t.id, 2 * t.id + 1], jsonb_build_object(2 * t.id, '{"🔥": 1}'::jsonb)
           FROM ml_tasks t JOIN channels c ON c.account_id = t.account_id,
               LATERAL (SELECT timestamptz '2026-03-01 12:00Z' - make_interval(hours => t.id::int)
                   AS at) AS sent
           WHERE t.state = 'done' ORDER BY t.id""",
        """INSERT INTO posts (account_id, channel_id, task_id, created_by, origin, ranks, state,
               publish_at)
           SELECT c.account_id, c.id, 99 + c.id, c.connected_by, 'next' || c.id, '{1}', 'scheduled',
               timestamptz '2026-03-01 12:00Z' + make_interval(mins => c.id::int - 5)
           FROM channels c WHERE c.id <= 100 ORDER BY c.id""",
        """INSERT INTO suggestions (post_id, state, locale, chat_id, message_id)
           SELECT id, CASE WHEN id % 100 = 0 THEN 'open' ELSE 'dropped' END, 'ru', 1, id
           FROM posts ORDER BY id""",
        "ANALYZE",
    ):
        await rows.execute(sessions, statement)


async def _whole_reads(session: AsyncSession) -> dict[str, int]:
    """How often this connection has read each of the large tables from end to end."""
    counted = await session.execute(
        text("""
        SELECT relname, seq_scan FROM pg_stat_xact_user_tables
        WHERE relname IN ('ml_requests', 'ml_tasks', 'predictions', 'deliveries', 'transfers',
            'holds', 'accounts', 'subscriptions', 'periods', 'wallets', 'orders', 'payments',
            'notices', 'posts', 'channels', 'suggestions')
        """)
    )
    return {row.relname: row.seq_scan for row in counted}


async def test_frequent_calls_read_no_whole_table(sessions: Sessions) -> None:
    await _long_history(sessions)
    read_whole = set()
    for name, call in FREQUENT.items():
        for _ in range(TIMES):
            async with sessions.begin() as session:
                before = await _whole_reads(session)
                await call(session)
                after = await _whole_reads(session)
            read_whole |= {(name, table) for table in after if after[table] > before[table]}
    assert read_whole == set()
