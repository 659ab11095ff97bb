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
}  # fmt: skip


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
