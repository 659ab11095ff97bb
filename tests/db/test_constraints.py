"""The database itself refuses rows that break a rule, whoever writes them."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.models import Base
from tests.db import rows
from tests.db.rows import Sessions

TASK_DONE = (
    "UPDATE ml_tasks SET state = 'done', finished_at = now(), prompt = '{}', judge = 'j',"
    " generator = 'g', timings_ms = '{}'"
)
PERSONAL = "INSERT INTO accounts (kind, owner_user_id, chat_id) VALUES "
LEASED = "lease_token = gen_random_uuid(), lease_until = now()"
SUGGESTION = (
    "INSERT INTO suggestions (chat_id, message_id, post_id, state, caption, writer, token, locale)"
    " VALUES (1, 2, 1, "
)
RESOLVED = "state = 'captured', resolved_at = now()"


def _transfer(**changed: object) -> str:
    """Wallets 2 and 3 are system wallets, so nobody's balance is touched."""
    values = {
        "source_id": 2,
        "destination_id": 3,
        "amount": 5,
        "kind": "'credit'",
        "key": "'other'",
        "input_hash": "''",
    } | changed
    return (
        f"INSERT INTO transfers ({', '.join(values)})"
        f" VALUES ({', '.join(str(value) for value in values.values())})"
    )


# constraint -> statements that break it, on the rows of `_one_of_each`
REFUSED: dict[str, list[str]] = {
    "ck_user_settings_locale": ["UPDATE user_settings SET locale = 'de'"],
    "ck_user_settings_count": ["UPDATE user_settings SET count = 0",
                               "UPDATE user_settings SET count = 5"],
    "ck_user_settings_aspect": ["UPDATE user_settings SET aspect = 'square'"],
    "ck_accounts_kind": ["UPDATE accounts SET kind = 'company'"],
    "ck_accounts_owner_or_chat": [
        PERSONAL + "('personal', NULL, NULL)",
        PERSONAL + "('personal', 1, -5)",
        PERSONAL + "('team', 1, NULL)",
    ],
    "uq_accounts_personal_owner": [PERSONAL + "('personal', 1, NULL)"],
    "uq_accounts_chat_id": [PERSONAL + "('team', 1, -7), ('team', 1, -7)"],
    "ck_members_role": ["UPDATE members SET role = 'boss'"],
    "pk_members": ["INSERT INTO members (account_id, user_id, role) VALUES (1, 1, 'viewer')"],
    "ck_brands_name": ["UPDATE brands SET name = ''",
                       "UPDATE brands SET name = repeat('ж', 41)"],
    "ck_brands_style_short": ["UPDATE brands SET style_short = repeat('x', 201)"],
    "ck_brands_signature": ["UPDATE brands SET signature = ''",
                            "UPDATE brands SET signature = repeat('ж', 201)",
                            "UPDATE brands SET signature = 'a' || chr(10) || 'b'"],
    "ck_brands_hashtags": ["UPDATE brands SET hashtags = '{кофе}'",
                           "UPDATE brands SET hashtags = '{#}'",
                           "UPDATE brands SET hashtags = '{#a,NULL}'",
                           "UPDATE brands SET hashtags = array_fill('#a'::text, '{11}')"],
    "ck_brands_advertising": ["UPDATE brands SET erid = '2VtzqwJ8'",
                              "UPDATE brands SET advertiser = 'ООО «Ромашка»'",
                              "UPDATE brands SET advertiser = '', erid = '2VtzqwJ8'",
                              "UPDATE brands SET advertiser = 'a', erid = 'с пробелом'"],
    "ck_brands_palette": [
        "UPDATE brands SET palette = '{#FFFFFF}'",
        "UPDATE brands SET palette = '{#fffff}'",
        "UPDATE brands SET palette = '{red}'",
        "UPDATE brands SET palette = '{NULL}'",
        "UPDATE brands SET palette = '{\"\"}'::text[] || '{#ffffff}'::text[]",
    ],
    "uq_brands_account_id_name_key": [
        "INSERT INTO brands (account_id, name, name_key, style_original, style_short, palette)"
        " VALUES (1, 'КОФЕ', 'кофе', '', '', '{}')",
    ],
    "ck_ml_requests_count": ["UPDATE ml_requests SET count = 0",
                             "UPDATE ml_requests SET count = 5"],
    "ck_ml_requests_seed": ["UPDATE ml_requests SET seed = -1",
                            "UPDATE ml_requests SET seed = 2147483648"],
    "ck_ml_requests_locale": ["UPDATE ml_requests SET locale = 'de'"],
    "ck_ml_requests_aspect": ["UPDATE ml_requests SET aspect = '4x5'"],
    "ck_ml_requests_photo_key": ["UPDATE ml_requests SET photo_key = 'tasks/1/a.png'"],
    "ck_ml_requests_state": ["UPDATE ml_requests SET state = 'lost'"],
    "uq_ml_requests_source_chat_id_source_message_id": [
        "INSERT INTO ml_requests (account_id, user_id, chat_id, source_chat_id, source_message_id,"
        " raw_prompt, cleaned_prompt, count, enhance, seed, locale)"
        " SELECT account_id, user_id, -1, source_chat_id, source_message_id, '', '', 1, true, 0,"
        " 'ru' FROM ml_requests",
    ],
    "uq_ml_tasks_request_id_origin": [
        "INSERT INTO ml_tasks (request_id, account_id, user_id, locale, origin, brief, chat_id)"
        " SELECT request_id, account_id, user_id, locale, origin, '{}', 1 FROM ml_tasks",
    ],
    "ck_ml_tasks_locale": ["UPDATE ml_tasks SET locale = 'de'"],
    "ck_ml_tasks_state": [
        "UPDATE ml_tasks SET state = 'lost'",
    ],
    "ck_ml_tasks_lease": [
        "UPDATE ml_tasks SET state = 'running'",
        f"UPDATE ml_tasks SET {LEASED}",
        "UPDATE ml_tasks SET state = 'running', lease_token = gen_random_uuid()",
        "UPDATE ml_tasks SET lease_until = now()",
    ],
    "ck_ml_tasks_finished_at": [
        "UPDATE ml_tasks SET state = 'cancelled'",
        "UPDATE ml_tasks SET finished_at = now()",
    ],
    "ck_ml_tasks_error_code": [
        "UPDATE ml_tasks SET state = 'failed', finished_at = now()",
        "UPDATE ml_tasks SET error_code = 'oops'",
    ],
    "ck_ml_tasks_result": [
        TASK_DONE.replace("prompt = '{}'", "prompt = NULL"),
        TASK_DONE.replace("judge = 'j'", "judge = NULL"),
        TASK_DONE.replace("generator = 'g'", "generator = NULL"),
        TASK_DONE.replace("timings_ms = '{}'", "timings_ms = NULL"),
    ],
    "ck_ml_tasks_attempt": ["UPDATE ml_tasks SET attempt = -1"],
    "ck_ml_tasks_status_shown": ["UPDATE ml_tasks SET status_shown = 'lost'"],
    "fk_ml_tasks_chosen_prediction_id_predictions": [
        "UPDATE ml_tasks SET chosen_prediction_id = 999"
    ],
    "uq_predictions_task_id_rank": [
        "UPDATE predictions SET rank = 1",
    ],
    "ck_predictions_rank": ["UPDATE predictions SET rank = 0 WHERE rank = 1",
                            "UPDATE predictions SET rank = 11 WHERE rank = 2"],
    "ck_predictions_sha256": ["UPDATE predictions SET sha256 = repeat('A', 64)",
                              "UPDATE predictions SET sha256 = repeat('a', 63)"],
    "ck_predictions_size": [f"UPDATE predictions SET {column} = 0"
                            for column in ("width", "height", "size_bytes")],
    "ck_predictions_score_ranges": [
        "UPDATE predictions SET clip_n = 1.01, final_score = 0.7 * 1.01 + 0.3 * aes_n",
        "UPDATE predictions SET clip_n = -0.01, final_score = 0.7 * -0.01 + 0.3 * aes_n",
        "UPDATE predictions SET aes_n = 1.01, final_score = 0.7 * clip_n + 0.3 * 1.01",
        "UPDATE predictions SET aes_n = -0.01, final_score = 0.7 * clip_n + 0.3 * -0.01",
    ],
    "ck_predictions_raw_scores": ["UPDATE predictions SET clip_raw = 'NaN'",
                                  "UPDATE predictions SET aes_raw = 'NaN'"],
    "ck_predictions_final_score": ["UPDATE predictions SET final_score = final_score + 2e-6",
                                   "UPDATE predictions SET final_score = final_score - 2e-6"],
    "uq_deliveries_task_id_kind_origin": [
        "INSERT INTO deliveries (task_id, kind, origin, chat_id)"
        " SELECT task_id, kind, origin, -8 FROM deliveries LIMIT 1",
    ],
    "uq_deliveries_sending_chat_id": [f"UPDATE deliveries SET state = 'sending', {LEASED}"],
    "ck_deliveries_kind": ["UPDATE deliveries SET kind = 'post'"],
    "ck_deliveries_state": ["UPDATE deliveries SET state = 'lost'"],
    "ck_deliveries_lease": [
        "UPDATE deliveries SET state = 'sending' WHERE kind = 'album'",
        f"UPDATE deliveries SET {LEASED}",
        "UPDATE deliveries SET lease_until = now()",
    ],
    "ck_deliveries_sent": [
        "UPDATE deliveries SET state = 'sent'",
        "UPDATE deliveries SET state = 'sent', sent_at = now()",
        "UPDATE deliveries SET message_ids = '{5}'",
        "UPDATE deliveries SET sent_at = now()",
    ],
    "ck_deliveries_reason": ["UPDATE deliveries SET state = 'unknown'",
                             "UPDATE deliveries SET state = 'undeliverable'"],
    "ck_deliveries_attempt": ["UPDATE deliveries SET attempt = -1"],
    "ck_plans_code": [f"UPDATE plans SET code = '{code}' WHERE code = 'start'"
                      for code in ("", "Start", "1st", "a b", "a" * 17)],
    "ck_plans_price": ["UPDATE plans SET price = -1 WHERE code = 'start'",
                       "UPDATE plans SET picture_price = -1"],
    "ck_plans_free": ["UPDATE plans SET price = 1 WHERE code = 'free'",
                      "UPDATE plans SET is_offered = false WHERE code = 'free'"],
    "ck_plans_limits": [
        *(f"UPDATE plans SET {column} = -1"
          for column in ("images_limit", "brand_limit", "lora_limit", "channels")),
        "UPDATE plans SET seats = 0",
    ],
    "ck_subscriptions_anchor_day": ["UPDATE subscriptions SET anchor_day = 0",
                                    "UPDATE subscriptions SET anchor_day = 32"],
    "ck_periods_ends_at": ["UPDATE periods SET ends_at = starts_at - interval '1 s'"],
    "ck_periods_quota": [
        "UPDATE periods SET used = -1",
        "UPDATE periods SET held = -1",
        "UPDATE periods SET used = images_limit - held + 1",
        "UPDATE periods SET held = images_limit - used + 1",
        "UPDATE periods SET images_limit = used + held - 1",
    ],
    "uq_periods_account_id_starts_at": ["INSERT INTO periods OVERRIDING USER VALUE"
                                        " SELECT * FROM periods"],
    "ck_wallets_owner": [
        "UPDATE wallets SET system = NULL WHERE system = 'stars'",
        "UPDATE wallets SET account_id = 1 WHERE system = 'stars'",
    ],
    "ck_wallets_stored_balance": [
        "UPDATE wallets SET balance = NULL WHERE account_id = 1",
        "UPDATE wallets SET reserved = NULL WHERE account_id = 1",
        "UPDATE wallets SET balance = 0, reserved = 0 WHERE system = 'stars'",
        "UPDATE wallets SET reserved = 0 WHERE system = 'stars'",
    ],
    "ck_wallets_balance": [
        "UPDATE wallets SET balance = -1 WHERE account_id = 1",
        "UPDATE wallets SET reserved = -1 WHERE account_id = 1",
        "UPDATE wallets SET reserved = balance + 1 WHERE account_id = 1",
    ],
    "ck_wallets_system": ["UPDATE wallets SET system = 'pocket' WHERE system = 'stars'"],
    "uq_wallets_account_id": ["INSERT INTO wallets (account_id, balance, reserved)"
                              " VALUES (1, 0, 0)"],
    "uq_wallets_system": ["INSERT INTO wallets (system) VALUES ('stars')"],
    "ck_transfers_amount": [_transfer(amount=0), _transfer(amount=-1)],
    "ck_transfers_two_wallets": [_transfer(destination_id=2)],
    "ck_transfers_kind": [_transfer(kind="'theft'")],
    "uq_transfers_key": [_transfer(key="'k'")],
    "ck_holds_held": ["UPDATE holds SET quota = 0, paid = 0"],
    "ck_holds_picture_price": ["UPDATE holds SET picture_price = -1"],
    "ck_holds_captured": [
        f"UPDATE holds SET {column} = {count}, {RESOLVED}"
        for column in ("captured_quota", "captured_paid") for count in (-1, 2)
    ],
    "ck_holds_resolved": [
        "UPDATE holds SET state = 'captured'",
        "UPDATE holds SET state = 'voided'",
        "UPDATE holds SET resolved_at = now()",
        "UPDATE holds SET captured_quota = 1",
        "UPDATE holds SET state = 'voided', resolved_at = now(), captured_paid = 1",
    ],
    "ck_holds_state": ["UPDATE holds SET state = 'lost', resolved_at = now()"],
    "uq_holds_task_id": ["INSERT INTO holds (task_id, account_id, period_id, quota)"
                         " VALUES (1, 1, 1, 1)"],
    "ck_orders_amount": ["UPDATE orders SET amount = 0", "UPDATE orders SET credit = 0"],
    "ck_orders_rate": [
        "UPDATE orders SET rate = NULL",
        "UPDATE orders SET rate = 0",
        "UPDATE orders SET method = 'provider', currency = 'RUB'",
    ],
    "ck_orders_currency": [
        "UPDATE orders SET currency = 'RUB'",
        "UPDATE orders SET method = 'provider', rate = NULL",
    ],
    "ck_orders_method": ["UPDATE orders SET method = 'cash', rate = NULL, currency = 'RUB'"],
    "ck_orders_state": ["UPDATE orders SET state = 'lost'"],
    "uq_orders_payload": ["INSERT INTO orders OVERRIDING USER VALUE SELECT * FROM orders"],
    "ck_payments_amount": ["UPDATE payments SET amount = 0", "UPDATE payments SET credit = -1"],
    "ck_payments_order": [
        "UPDATE payments SET order_id = NULL, transfer_id = NULL",
        "UPDATE payments SET account_id = NULL",
    ],
    "ck_payments_transfer": ["UPDATE payments SET transfer_id = NULL"],
    "ck_payments_refunded_at": ["UPDATE payments SET state = 'refunded'",
                                "UPDATE payments SET refunded_at = now()"],
    "ck_payments_method": ["UPDATE payments SET method = 'cash'"],
    "ck_payments_state": ["UPDATE payments SET state = 'lost'"],
    "uq_payments_charge_id": ["INSERT INTO payments OVERRIDING USER VALUE SELECT * FROM payments"],
    "ck_notices_lease": [
        "UPDATE notices SET state = 'sending'",
        f"UPDATE notices SET {LEASED}",
        "UPDATE notices SET lease_until = now()",
    ],
    "ck_notices_sent": ["UPDATE notices SET state = 'sent'",
                        "UPDATE notices SET sent_at = now()"],
    "ck_notices_reason": ["UPDATE notices SET state = 'unknown'",
                          "UPDATE notices SET state = 'undeliverable'"],
    "ck_notices_state": ["UPDATE notices SET state = 'lost'"],
    "uq_notices_key": ["INSERT INTO notices (account_id, key, kind) VALUES (1, 'k', 'reminder')"],
    "ck_accounts_late_posts": ["UPDATE accounts SET late_posts = 'forget'"],
    "uq_channels_account_id_chat_id": [
        "INSERT INTO channels (account_id, chat_id, title, connected_by)"
        " SELECT account_id, chat_id, '', connected_by FROM channels",
    ],
    "ck_channels_broken": ["UPDATE channels SET broken_at = now()",
                           "UPDATE channels SET broken_reason = 'no_rights'"],
    "uq_posts_origin": [
        "INSERT INTO posts (account_id, channel_id, task_id, created_by, origin, ranks)"
        " SELECT account_id, channel_id, task_id, created_by, origin, ranks FROM posts"
    ],
    "uq_posts_sending_channel_id": [
        f"UPDATE posts SET state = 'sending', publish_at = now(), {LEASED}"
    ],
    "ck_posts_ranks": ["UPDATE posts SET ranks = '{}'",
                       "UPDATE posts SET ranks = '{1,2,3,4,5,6,7,8,9,10,11}'"],
    "ck_posts_lease": [
        "UPDATE posts SET state = 'sending', publish_at = now() WHERE id = 1",
        f"UPDATE posts SET {LEASED}",
        "UPDATE posts SET lease_until = now()",
    ],
    "ck_posts_sent": ["UPDATE posts SET state = 'sent', publish_at = now()",
                      "UPDATE posts SET sent_at = now()"],
    "ck_posts_publish_at": ["UPDATE posts SET state = 'scheduled'",
                            "UPDATE posts SET state = 'overdue'"],
    "ck_posts_reason": ["UPDATE posts SET state = 'unknown', publish_at = now()",
                        "UPDATE posts SET state = 'undeliverable', publish_at = now()"],
    "ck_posts_attempt": ["UPDATE posts SET attempt = -1"],
    "ck_posts_state": ["UPDATE posts SET state = 'lost', publish_at = now()"],
    "ck_suggestions_writer": [SUGGESTION + "'open', 'Латте', NULL, NULL, 'ru')"],
    "ck_suggestions_caption": [SUGGESTION + "'ready', NULL, NULL, NULL, 'ru')"],
    "ck_suggestions_token": [
        SUGGESTION + "'ready', 'Латте', 'ollama', gen_random_uuid(), 'ru')"
    ],
    "ck_suggestions_locale": [SUGGESTION + "'open', NULL, NULL, NULL, 'de')"],
    "ck_suggestions_state": [SUGGESTION + "'lost', NULL, NULL, NULL, 'ru')"],
    "ck_posts_shown_parts": ["UPDATE posts SET shown_caption = 'a'"],
    "ck_accounts_presence": ["UPDATE accounts SET presence = 'creator'"],
    "ck_accounts_approvals_needed": ["UPDATE accounts SET approvals_needed = 0",
                                     "UPDATE accounts SET approvals_needed = 10"],
    "ck_accounts_remind_after_h": ["UPDATE accounts SET remind_after_h = 1"],
    "ck_members_looks_on": ["UPDATE members SET looks_on = true"],
    "ck_members_removed": ["UPDATE members SET removed_by = 1"],
    "ck_members_owner_is_there": ["UPDATE members SET left_at = now()"],
    "uq_members_owner": ["INSERT INTO members (account_id, user_id, role) VALUES (1, 2, 'owner')"],
    "ck_votes_rank": ["UPDATE votes SET rank = 0", "UPDATE votes SET rank = 11"],
    "ck_approvals_round": ["UPDATE approvals SET round = 0"],
    "ck_approvals_needed": ["UPDATE approvals SET needed = 0",
                            "UPDATE approvals SET needed = 10"],
    "ck_approvals_state": [
        "UPDATE approvals SET state = 'lost', decided_at = now(), decided_by = 1",
    ],
    "ck_approvals_decided": [
        "UPDATE approvals SET state = 'approved', decided_at = now()",
        "UPDATE approvals SET state = 'approved', decided_by = 1",
        "UPDATE approvals SET decided_at = now(), decided_by = 1",
    ],
    "ck_approvals_reason": [
        "UPDATE approvals SET state = 'rejected', decided_at = now(), decided_by = 1",
        "UPDATE approvals SET reason = 'нет'",
    ],
    "ck_approvals_reminders": [
        "UPDATE approvals SET reminders = 1",
        "UPDATE approvals SET reminded_at = now()",
        "UPDATE approvals SET reminders = 3, reminded_at = now()",
    ],
    "ck_approvals_next_request": ["UPDATE approvals SET next_request_id = 1"],
    "uq_approvals_next_request_id": [
        "INSERT INTO approvals (account_id, task_id, needed, asked_by, chat_id, state, reason,"
        " decided_at, decided_by, next_request_id)"
        " SELECT 1, 1, 1, 1, 1, 'changes', 'да', now(), 1, 1 FROM generate_series(1, 2)",
    ],
    "uq_approvals_open_task_id": [
        "INSERT INTO approvals (account_id, task_id, needed, asked_by, chat_id)"
        " VALUES (1, 1, 1, 1, 1)",
    ],
    "uq_events_tap": [
        "INSERT INTO events (account_id, action, object, tap)"
        " SELECT 1, 'vote', 'task 1', '77' FROM generate_series(1, 2)",
    ],
    "ck_approval_questions_answer": ["UPDATE approval_questions SET answer = 'approved'"],
}  # fmt: skip

POSTS = (
    "INSERT INTO channels (account_id, chat_id, title, connected_by) VALUES (1, -5, 'Кофе', 1)",
    "INSERT INTO posts (account_id, channel_id, task_id, created_by, origin, ranks)"
    " VALUES (1, 1, 1, 1, 'a', '{1}'), (1, 1, 1, 1, 'b', '{1,2}')",
)


MONEY = (
    "INSERT INTO wallets (account_id, balance, reserved) VALUES (1, 500, 9)",
    _transfer(key="'k'"),
    "UPDATE periods SET used = 2, held = 1",
    "UPDATE holds SET quota = 1, paid = 1, picture_price = 9",
    "INSERT INTO orders (account_id, user_id, method, currency, amount, credit, rate, payload,"
    " expires_at, chat_id) VALUES (1, 1, 'stars', 'XTR', 4, 500, 150, 'p', now(), 1)",
    "INSERT INTO payments (order_id, account_id, user_id, charge_id, provider_charge_id, method,"
    " currency, amount, credit, transfer_id, paid_at)"
    " VALUES (1, 1, 1, 'c', '', 'stars', 'XTR', 4, 500, 1, now())",
    "INSERT INTO notices (account_id, key, kind) VALUES (1, 'k', 'reminder')",
)


TEAMS = (
    "INSERT INTO votes (task_id, user_id, rank) VALUES (1, 1, 2)",
    "INSERT INTO approvals (account_id, task_id, needed, asked_by, chat_id) VALUES (1, 1, 1, 1, 1)",
    "INSERT INTO approval_questions (chat_id, message_id, approval_id, answer)"
    " VALUES (1, 5, 1, 'changes')",
)


async def _one_of_each(sessions: Sessions) -> None:
    """A row in every table: a waiting task that has pictures and two pending deliveries."""
    who = await rows.person(sessions)
    await rows.queued(sessions, who)
    await rows.execute(
        sessions,
        "INSERT INTO brands (account_id, name, name_key, style_original, style_short, palette)"
        " VALUES (1, 'Кофе', 'кофе', '', '', '{#aa5500,#000000}')",
    )
    await rows.execute(
        sessions,
        "INSERT INTO predictions (task_id, rank, seed, storage_key, sha256, width, height,"
        " size_bytes, clip_raw, clip_n, aes_raw, aes_n, final_score, gen_meta)"
        " SELECT 1, rank, 5, 'k', repeat('a', 64), 8, 8, 9, 0.3, 0.5, 5, 0.6, 0.53, '{}'"
        " FROM generate_series(1, 2) AS rank",
    )
    await rows.execute(
        sessions,
        "INSERT INTO deliveries (task_id, kind, origin, chat_id)"
        " VALUES (1, 'album', 'first', 1), (1, 'actions', 'first', 1)",
    )
    for statement in (*MONEY, *POSTS, *TEAMS):
        await rows.execute(sessions, statement)


@pytest.mark.parametrize("constraint", list(REFUSED))
async def test_refuses(sessions: Sessions, constraint: str) -> None:
    await _one_of_each(sessions)
    for statement in REFUSED[constraint]:
        with pytest.raises(IntegrityError) as caught:
            await rows.execute(sessions, statement)
        assert f'"{constraint}"' in str(caught.value.orig), statement


async def test_every_check_and_unique_rule_is_tried_here(sessions: Sessions) -> None:
    async with sessions() as session:
        found = await session.scalars(
            text("""
            SELECT conname FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'u')
            UNION
            SELECT indexrelid::regclass::text FROM pg_index
            WHERE indisunique AND NOT indisprimary
                AND indrelid::regclass::text = ANY(:tables)
            """),
            {"tables": [table.name for table in Base.metadata.sorted_tables]},
        )
        assert set(found) <= set(REFUSED)


async def test_a_finished_task_and_a_sent_delivery_are_accepted(sessions: Sessions) -> None:
    """What the rules are there to allow."""
    await _one_of_each(sessions)
    await rows.execute(sessions, TASK_DONE)
    await rows.execute(
        sessions, "UPDATE deliveries SET state = 'sent', sent_at = now(), message_ids = '{5}'"
    )
    await rows.execute(sessions, "UPDATE ml_tasks SET chosen_prediction_id = 2")
    await rows.execute(sessions, "UPDATE brands SET palette = '{}'")
