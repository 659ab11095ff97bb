"""A task's cost is held when it is ordered, charged for what was made, and resolved once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta

import pytest

from db import periods, plans, quotas, requests, tasks, wallet
from db.errors import DbError, QuotaOut, WalletPaused
from db.money_views import Held
from db.states import TransferKind
from tests.db import rows
from tests.db.rows import NOW, Person, Sessions

FREE = 40
PRICE = 900
"""What Free gives a month, and what a picture past it costs."""


@dataclass(frozen=True)
class Stand:
    used: int
    held: int
    balance: int
    reserved: int


async def _stand(sessions: Sessions, who: Person) -> Stand:
    async with sessions.begin() as session:
        period = (await plans.standing(session, who.account_id, now=NOW)).period
        money = await wallet.wallet(session, who.account_id)
    return Stand(period.used, period.held, money.balance, money.reserved)


async def _sound(sessions: Sessions) -> None:
    async with sessions() as session:
        assert await wallet.audit(session) == wallet.Audit(total=0, wrong=())


async def _order(sessions: Sessions, who: Person, count: int) -> int:
    async with sessions.begin() as session:
        draft, _ = await requests.draft(session, rows.new_draft(who, count=count))
        submitted = await requests.submit(
            session, who.account_id, draft.id, "tap", chat_id=who.id, thread_id=None, now=NOW
        )
    return submitted.task_id


async def _switch_on(sessions: Sessions, who: Person) -> None:
    async with sessions.begin() as session:
        await plans.switch_pay_per_picture(session, who.account_id, True, now=NOW)


async def _leave(sessions: Sessions, who: Person, left: int) -> None:
    """All but so many of the month's pictures are used."""
    await _stand(sessions, who)
    await rows.execute(
        sessions,
        "UPDATE periods SET used = images_limit - held - :left WHERE account_id = :id",
        left=left,
        id=who.account_id,
    )


async def _payer(sessions: Sessions, *, left: int, balance: int) -> Person:
    """Somebody who pays for pictures past the quota."""
    who = await rows.person(sessions)
    await _switch_on(sessions, who)
    await _leave(sessions, who, left)
    if balance:
        await rows.credit(sessions, who.account_id, balance)
    return who


async def _capture(sessions: Sessions, task_id: int, made: int) -> bool:
    async with sessions.begin() as session:
        return await quotas.capture(session, task_id, made)


async def _void(sessions: Sessions, task_id: int) -> bool:
    async with sessions.begin() as session:
        return await quotas.void(session, task_id)


async def test_an_order_holds_what_it_asks_for(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _order(sessions, who, 3)
    assert await _stand(sessions, who) == Stand(used=0, held=3, balance=0, reserved=0)


async def test_what_was_made_is_used_and_the_rest_is_given_back(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id = await _order(sessions, who, 4)
    assert await _capture(sessions, task_id, 3)
    assert await _stand(sessions, who) == Stand(used=3, held=0, balance=0, reserved=0)


async def test_more_than_was_asked_for_costs_no_more(sessions: Sessions) -> None:
    who = await _payer(sessions, left=1, balance=5000)
    task_id = await _order(sessions, who, 3)
    assert await _capture(sessions, task_id, 9)
    assert await _stand(sessions, who) == Stand(FREE, 0, 5000 - 2 * PRICE, 0)


async def test_a_void_gives_all_back(sessions: Sessions) -> None:
    who = await _payer(sessions, left=1, balance=5000)
    task_id = await _order(sessions, who, 3)
    assert await _stand(sessions, who) == Stand(FREE - 1, 1, 5000, 2 * PRICE)
    assert await _void(sessions, task_id)
    assert await _stand(sessions, who) == Stand(FREE - 1, 0, 5000, 0)
    await _sound(sessions)


async def test_a_hold_is_resolved_once(sessions: Sessions) -> None:
    who = await _payer(sessions, left=1, balance=5000)
    task_id = await _order(sessions, who, 3)
    assert await _capture(sessions, task_id, 3)
    before = await _stand(sessions, who)
    assert not await _capture(sessions, task_id, 3)
    assert not await _void(sessions, task_id)
    assert await _stand(sessions, who) == before


async def test_the_last_pictures_of_the_month_can_be_ordered_and_no_more(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    await _leave(sessions, who, 5)
    await _order(sessions, who, 3)
    with pytest.raises(QuotaOut) as caught:
        await _order(sessions, who, 3)
    error = caught.value
    assert (error.left, error.wanted, error.missing) == (2, 3, None)
    await _order(sessions, who, 2)
    assert (await _stand(sessions, who)).held == 5


async def test_a_refused_order_leaves_no_task(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _leave(sessions, who, 0)
    with pytest.raises(QuotaOut):
        await _order(sessions, who, 1)
    assert await rows.rows(sessions, "SELECT count(*) FROM ml_tasks") == [(0,)]


async def test_many_orders_at_once_never_hold_more_than_the_quota(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _leave(sessions, who, 7)
    came = await asyncio.gather(
        *(_order(sessions, who, 2) for _ in range(8)), return_exceptions=True
    )
    assert Counter(isinstance(answer, int) for answer in came) == {True: 3, False: 5}
    assert all(isinstance(answer, int | QuotaOut) for answer in came)
    assert (await _stand(sessions, who)).held == 6


async def test_past_the_quota_the_wallet_pays(sessions: Sessions) -> None:
    who = await _payer(sessions, left=1, balance=5000)
    task_id = await _order(sessions, who, 4)
    assert await _stand(sessions, who) == Stand(FREE - 1, 1, 5000, 3 * PRICE)
    assert await _capture(sessions, task_id, 2)
    assert await _stand(sessions, who) == Stand(FREE, 0, 5000 - PRICE, 0)
    async with sessions() as session:
        movement = (await wallet.movements(session, who.account_id)).items[0]
    assert (movement.amount, movement.kind) == (-PRICE, TransferKind.PICTURES)
    assert movement.memo == {"task": task_id, "pictures": 1}
    await _sound(sessions)


async def test_nothing_is_paid_while_the_quota_does(sessions: Sessions) -> None:
    who = await _payer(sessions, left=1, balance=5000)
    task_id = await _order(sessions, who, 4)
    assert await _capture(sessions, task_id, 1)
    assert await _stand(sessions, who) == Stand(FREE, 0, 5000, 0)


async def test_a_wallet_that_is_too_small_says_what_it_lacks(sessions: Sessions) -> None:
    who = await _payer(sessions, left=1, balance=1000)
    with pytest.raises(QuotaOut) as caught:
        await _order(sessions, who, 4)
    error = caught.value
    assert (error.left, error.wanted, error.missing) == (1, 4, 3 * PRICE - 1000)
    assert await _stand(sessions, who) == Stand(FREE - 1, 0, 1000, 0)


async def test_somebody_who_never_had_money_lacks_all_of_it(sessions: Sessions) -> None:
    who = await _payer(sessions, left=0, balance=0)
    with pytest.raises(QuotaOut) as caught:
        await _order(sessions, who, 2)
    assert caught.value.missing == 2 * PRICE


async def test_nothing_is_held_after_a_refusal_though_the_caller_goes_on(
    sessions: Sessions,
) -> None:
    who = await _payer(sessions, left=5, balance=1000)
    task_id = await _order(sessions, who, 1)
    assert await _void(sessions, task_id)
    await rows.execute(sessions, "DELETE FROM holds")
    async with sessions.begin() as session:
        current = await periods.locked(session, who.account_id, now=NOW)
        with pytest.raises(QuotaOut):
            await quotas.hold(session, current, task_id, 9)
        held = await quotas.hold(session, current, task_id, 5)
    assert held == Held(quota=5, paid=0, picture_price=PRICE)
    assert await _stand(sessions, who) == Stand(FREE - 5, 5, 1000, 0)


async def test_a_pause_stops_what_would_be_paid_and_nothing_else(sessions: Sessions) -> None:
    who = await _payer(sessions, left=1, balance=5000)
    async with sessions.begin() as session:
        await wallet.pause(session, who.account_id, now=NOW)
    with pytest.raises(WalletPaused):
        await _order(sessions, who, 2)
    await _order(sessions, who, 1)


async def test_what_is_reserved_is_not_there_for_another_order(sessions: Sessions) -> None:
    who = await _payer(sessions, left=0, balance=5 * PRICE)
    await _order(sessions, who, 3)
    with pytest.raises(QuotaOut) as caught:
        await _order(sessions, who, 3)
    assert caught.value.missing == PRICE


async def test_paid_orders_at_once_never_reserve_more_than_there_is(sessions: Sessions) -> None:
    who = await _payer(sessions, left=3, balance=7 * PRICE)
    came = await asyncio.gather(
        *(_order(sessions, who, 2) for _ in range(9)), return_exceptions=True
    )
    assert Counter(isinstance(answer, int) for answer in came) == {True: 5, False: 4}
    assert await _stand(sessions, who) == Stand(FREE - 3, 3, 7 * PRICE, 7 * PRICE)


async def test_holds_of_an_old_month_resolve_there(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    made, given_back = await _order(sessions, who, 4), await _order(sessions, who, 2)
    async with sessions.begin() as session:
        later = await plans.standing(session, who.account_id, now=NOW + timedelta(days=32))
    assert (later.period.used, later.period.held) == (0, 0)
    assert await _capture(sessions, made, 4)
    assert await _void(sessions, given_back)
    months = await rows.rows(sessions, "SELECT used, held FROM periods ORDER BY starts_at")
    assert months == [(4, 0), (0, 0)]


# What tasks do with their holds


async def test_a_finished_task_is_charged_for_its_pictures(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    claimed = await rows.running(sessions, who)
    await rows.finish(sessions, claimed, pictures=3)
    assert await _stand(sessions, who) == Stand(used=3, held=0, balance=0, reserved=0)


@pytest.mark.parametrize("end", ["cancel", "fail", "last attempt", "worker died"])
async def test_a_task_without_pictures_costs_nothing(sessions: Sessions, end: str) -> None:
    who = await rows.person(sessions)
    claimed = await rows.running(sessions, who)
    await rows.execute(sessions, "UPDATE ml_tasks SET attempt = 3")
    async with sessions.begin() as session:
        match end:
            case "cancel":
                assert await tasks.cancel(session, who.account_id, claimed.task_id)
            case "fail":
                assert await tasks.fail(session, claimed.task_id, claimed.token, "broken")
            case "last attempt":
                assert await tasks.requeue(
                    session, claimed.task_id, claimed.token, not_before_s=0, spend_attempt=True,
                    error_code="busy",
                )  # fmt: skip
    if end == "worker died":
        await rows.execute(sessions, "UPDATE ml_tasks SET lease_until = now() - interval '1 s'")
        async with sessions.begin() as session:
            assert (await tasks.sweep_leases(session)).failed == 1
    assert await _stand(sessions, who) == Stand(used=0, held=0, balance=0, reserved=0)


async def test_a_task_that_waits_again_keeps_its_hold(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    claimed = await rows.running(sessions, who)
    async with sessions.begin() as session:
        await tasks.requeue(
            session, claimed.task_id, claimed.token, not_before_s=0, spend_attempt=True,
            error_code="busy",
        )  # fmt: skip
    assert (await _stand(sessions, who)).held == 4


async def test_a_second_tap_holds_nothing_more(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    async with sessions.begin() as session:
        draft, _ = await requests.draft(session, rows.new_draft(who))
    for _ in range(2):
        async with sessions.begin() as session:
            await requests.submit(
                session, who.account_id, draft.id, "tap", chat_id=1, thread_id=None, now=NOW
            )
    assert (await _stand(sessions, who)).held == 4


async def test_a_better_plan_goes_first(sessions: Sessions) -> None:
    slow, quick = await rows.person(sessions, 1), await rows.person(sessions, 2)
    await rows.subscribe(sessions, quick.account_id, "profi", now=NOW)
    for who in (slow, quick):
        await rows.queued(sessions, who)
    claimed = await rows.claim(sessions)
    assert claimed is not None
    assert claimed.account_id == quick.account_id


@pytest.mark.parametrize(("plan", "chosen"), [("free", None), ("start", 1)])
async def test_the_best_picture_is_chosen_where_the_plan_has_it(
    sessions: Sessions, plan: str, chosen: int | None
) -> None:
    who = await rows.person(sessions)
    if plan != "free":
        await rows.subscribe(sessions, who.account_id, plan, now=NOW)
    await rows.finish(sessions, await rows.running(sessions, who))
    assert await rows.rows(
        sessions,
        "SELECT p.rank FROM ml_tasks t LEFT JOIN predictions p ON p.id = t.chosen_prediction_id",
    ) == [(chosen,)]


# What was left behind


async def test_the_sweep_resolves_what_finished_tasks_left_open(sessions: Sessions) -> None:
    who = await _payer(sessions, left=5, balance=5000)
    ids = [await _order(sessions, who, 2) for _ in range(4)]
    done, failed, cancelled, _ = ids
    for task_id, ended in (
        (done, "'done', prompt = '{}', judge = 'j', generator = 'g', timings_ms = '{}'"),
        (failed, "'failed', error_code = 'x'"),
        (cancelled, "'cancelled'"),
    ):
        await rows.execute(
            sessions,
            f"UPDATE ml_tasks SET finished_at = now(), state = {ended} WHERE id = :id",
            id=task_id,
        )
    await rows.execute(
        sessions,
        "INSERT INTO predictions (task_id, rank, seed, storage_key, sha256, width, height,"
        " size_bytes, clip_raw, clip_n, aes_raw, aes_n, final_score, gen_meta)"
        " VALUES (:id, 1, 5, 'k', repeat('a', 64), 8, 8, 9, 0.3, 0.5, 5, 0.6, 0.53, '{}')",
        id=done,
    )
    async with sessions.begin() as session:
        assert await quotas.sweep(session) == 3
        assert await quotas.sweep(session) == 0
    # One of the five pictures left was made. The last order came when none was left: it is paid.
    assert await _stand(sessions, who) == Stand(FREE - 4, 0, 5000, 2 * PRICE)
    await _sound(sessions)


# At once


async def _crowd(sessions: Sessions, who: Person, count: int) -> list[int]:
    """So many tasks of two pictures each: half of them from the quota, half paid."""
    await rows.free_pictures(sessions, count)
    await _switch_on(sessions, who)
    await rows.credit(sessions, who.account_id, count * PRICE)
    await rows.burst(sessions, who, count)
    await rows.execute(sessions, "DELETE FROM holds")
    await rows.execute(sessions, "UPDATE periods SET held = 0")
    ids = [int(str(id_)) for (id_,) in await rows.rows(sessions, "SELECT id FROM ml_tasks")]
    async with sessions.begin() as session:
        current = await periods.locked(session, who.account_id, now=NOW)
        for task_id in ids:
            await quotas.hold(session, current, task_id, 2)
    return ids


async def test_capture_and_void_of_500_holds_at_once_resolve_each_once(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    ids = await _crowd(sessions, who, 500)
    assert await _stand(sessions, who) == Stand(0, 500, 500 * PRICE, 500 * PRICE)
    races = [
        race
        for task_id in ids
        for race in (_capture(sessions, task_id, 2), _void(sessions, task_id))
    ]
    random.Random(4).shuffle(races)
    assert sum(await asyncio.gather(*races)) == 500
    [(still_open, captured, used, paid)] = await rows.rows(
        sessions,
        "SELECT count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'captured'),"
        " sum(captured_quota), sum(captured_paid) FROM holds",
    )
    assert still_open == 0
    assert 0 < int(str(captured)) < 500
    assert await _stand(sessions, who) == Stand(
        used, 0, (500 - int(str(paid))) * PRICE, 0  # type: ignore[arg-type]
    )  # fmt: skip
    await _sound(sessions)


async def test_orders_ends_and_changes_of_plan_at_once_never_block_for_good(
    sessions: Sessions,
) -> None:
    """Everything that locks money, of one account, in every order."""
    who = await _payer(sessions, left=10, balance=10_000_000)
    first = [await _order(sessions, who, 2) for _ in range(10)]

    async def choose(n: int) -> None:
        async with sessions.begin() as session:
            code = ("start", "profi", "studio", "free")[n % 4]
            await rows.choose(
                session, who.account_id, code, now=NOW + timedelta(seconds=n), key=f"{n}"
            )

    async def cancel(task_id: int) -> None:
        async with sessions.begin() as session:
            await tasks.cancel(session, who.account_id, task_id)

    async def sweep() -> None:
        async with sessions.begin() as session:
            await quotas.sweep(session)

    async def cancel_all() -> None:
        async with sessions.begin() as session:
            await quotas.void_all(session, first)

    work: list[Coroutine[object, object, object]] = [choose(n) for n in range(8)] + [
        _order(sessions, who, 1) for _ in range(10)
    ]
    work += [cancel(task_id) for task_id in first[:5]] + [sweep() for _ in range(5)]
    work += [_capture(sessions, task_id, 2) for task_id in first[5:]] + [cancel_all()]
    random.Random(4).shuffle(work)
    answers = await asyncio.gather(*work, return_exceptions=True)
    assert [a for a in answers if isinstance(a, Exception) and not isinstance(a, DbError)] == []
    await _sound(sessions)
