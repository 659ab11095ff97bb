"""Renewals: charged exactly once a period, three days of grace, then Free; nothing is deleted."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db import periods, plans, quotas, wallet
from db.errors import Stale
from db.money_views import Renewed, Standing
from tests.db import rows
from tests.db.rows import Sessions

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
FEBRUARY, MARCH = NOW.replace(month=2, day=28), NOW.replace(month=3)
START, PROFI = 49_000, 149_000
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

Notice = tuple[str, dict[str, object]]


async def _subscriber(sessions: Sessions, plan_code: str = "profi") -> int:
    """The account of somebody whose first period begins NOW, with an empty wallet."""
    who = await rows.person(sessions)
    async with sessions.begin() as session:
        await plans.standing(session, who.account_id, now=NOW - 10 * DAY)
    paid = await rows.subscribe(sessions, who.account_id, plan_code, now=NOW)
    assert (paid.period.starts_at, paid.period.ends_at) == (NOW, FEBRUARY)
    return who.account_id


async def _renew(sessions: Sessions, account_id: int, now: datetime) -> Renewed:
    async with sessions.begin() as session:
        return await plans.renew(session, account_id, now=now)


async def _choose(sessions: Sessions, account_id: int, code: str, now: datetime) -> Standing:
    async with sessions.begin() as session:
        return await rows.choose(session, account_id, code, now=now, key=f"{code}:{now}")


async def _due(sessions: Sessions, now: datetime) -> list[int]:
    async with sessions.begin() as session:
        return await plans.due(session, now=now, limit=100)


async def _remind(sessions: Sessions, now: datetime) -> int:
    async with sessions.begin() as session:
        return await plans.remind(session, now=now, limit=100)


async def _charges(sessions: Sessions) -> list[int]:
    found = await rows.rows(
        sessions, "SELECT amount FROM transfers WHERE kind = 'subscription' ORDER BY id OFFSET 1"
    )
    return [int(str(amount)) for (amount,) in found]


async def _notices(sessions: Sessions) -> list[Notice]:
    found = await rows.rows(sessions, "SELECT kind, data FROM notices ORDER BY id")
    return [(str(kind), dict(data)) for kind, data in found]  # type: ignore[call-overload]


async def test_a_period_is_renewed_from_the_wallet_once(sessions: Sessions) -> None:
    account_id = await _subscriber(sessions)
    await rows.credit(sessions, account_id, 3 * PROFI)
    assert await _due(sessions, FEBRUARY - HOUR) == []
    assert (await _renew(sessions, account_id, FEBRUARY - HOUR)).outcome == "not_due"
    assert await _due(sessions, FEBRUARY) == [account_id]
    renewed = await _renew(sessions, account_id, FEBRUARY + HOUR)
    assert renewed.outcome == "renewed"
    assert (renewed.standing.period.starts_at, renewed.standing.period.ends_at) == (FEBRUARY, MARCH)
    assert (await _renew(sessions, account_id, FEBRUARY + HOUR)).outcome == "not_due"
    assert await _charges(sessions) == [PROFI]
    assert [kind for kind, _ in await _notices(sessions)] == ["renewed"]


async def test_a_year_of_renewals_keeps_the_31st(sessions: Sessions) -> None:
    account_id = await _subscriber(sessions)
    await rows.credit(sessions, account_id, 12 * PROFI)
    days, now = [], FEBRUARY
    for _ in range(12):
        period = (await _renew(sessions, account_id, now + HOUR)).standing.period
        assert period.starts_at == now
        now = period.ends_at
        days.append((now.year, now.month, now.day))
    assert days == [
        (2027, 3, 31), (2027, 4, 30), (2027, 5, 31), (2027, 6, 30), (2027, 7, 31), (2027, 8, 31),
        (2027, 9, 30), (2027, 10, 31), (2027, 11, 30), (2027, 12, 31), (2028, 1, 31), (2028, 2, 29),
    ]  # fmt: skip
    assert await _charges(sessions) == 12 * [PROFI]


async def test_renewing_at_once_from_everywhere_charges_once(sessions: Sessions) -> None:
    account_id = await _subscriber(sessions)
    await rows.credit(sessions, account_id, 9 * PROFI)
    found = await asyncio.gather(*(_renew(sessions, account_id, FEBRUARY) for _ in range(8)))
    assert sorted(one.outcome for one in found) == [*7 * ["not_due"], "renewed"]
    assert await _charges(sessions) == [PROFI]


async def test_renewal_choice_and_first_look_at_once_charge_once(sessions: Sessions) -> None:
    account_id = await _subscriber(sessions)
    await rows.credit(sessions, account_id, 9 * PROFI)

    async def look() -> None:
        async with sessions.begin() as session:
            await plans.standing(session, account_id, now=FEBRUARY)

    done = await asyncio.gather(
        *(_renew(sessions, account_id, FEBRUARY) for _ in range(3)),
        *(_choose(sessions, account_id, "profi", FEBRUARY) for _ in range(3)),
        *(look() for _ in range(3)),
        return_exceptions=True,
    )
    assert [one for one in done if isinstance(one, Exception) and not isinstance(one, Stale)] == []
    assert await _charges(sessions) == [PROFI]
    assert await rows.rows(
        sessions, "SELECT count(*) FROM periods WHERE plan_code = 'profi'"
    ) == [(2,)]  # fmt: skip


async def test_without_money_the_old_period_goes_on_for_three_days_then_free(
    sessions: Sessions,
) -> None:
    account_id = await _subscriber(sessions)
    await rows.credit(sessions, account_id, PROFI - 1)
    waiting = await _renew(sessions, account_id, FEBRUARY)
    assert (waiting.outcome, waiting.standing.grace_until) == ("grace", FEBRUARY + 3 * DAY)
    assert (waiting.standing.period.starts_at, waiting.standing.plan.code) == (NOW, "profi")
    assert await _due(sessions, FEBRUARY + 2 * DAY) == []
    assert (await _renew(sessions, account_id, FEBRUARY + 2 * DAY)).outcome == "grace"
    assert await _due(sessions, FEBRUARY + 3 * DAY) == [account_id]
    freed = await _renew(sessions, account_id, FEBRUARY + 3 * DAY)
    assert (freed.outcome, freed.standing.plan.code) == ("freed", "free")
    assert freed.standing.period.starts_at == FEBRUARY + 3 * DAY
    assert (freed.standing.grace_until, freed.standing.next_plan_code) == (None, None)
    assert await _charges(sessions) == []
    told = await _notices(sessions)
    assert [kind for kind, _ in told] == ["grace", "freed"]
    assert told[0][1]["missing"] == 1


async def test_money_that_comes_in_grace_renews_from_the_old_boundary(sessions: Sessions) -> None:
    account_id = await _subscriber(sessions)
    await _renew(sessions, account_id, FEBRUARY)
    await rows.credit(sessions, account_id, PROFI)
    assert await _due(sessions, FEBRUARY + 2 * DAY) == [account_id]
    renewed = await _renew(sessions, account_id, FEBRUARY + 2 * DAY)
    assert (renewed.outcome, renewed.standing.grace_until) == ("renewed", None)
    assert (renewed.standing.period.starts_at, renewed.standing.period.ends_at) == (FEBRUARY, MARCH)
    assert await _charges(sessions) == [PROFI]


async def test_in_grace_a_smaller_plan_can_be_bought_at_once(sessions: Sessions) -> None:
    account_id = await _subscriber(sessions)
    await rows.credit(sessions, account_id, START)
    await _renew(sessions, account_id, FEBRUARY)
    found = await _choose(sessions, account_id, "start", FEBRUARY + DAY)
    assert (found.plan.code, found.period.starts_at) == ("start", FEBRUARY + DAY)
    assert found.grace_until is None
    assert await _charges(sessions) == [START]
    assert await _due(sessions, FEBRUARY + 5 * DAY) == []


async def test_in_grace_the_same_plan_can_be_paid_for_and_free_taken(sessions: Sessions) -> None:
    account_id = await _subscriber(sessions)
    await _renew(sessions, account_id, FEBRUARY)
    async with sessions.begin() as session:
        offer = await plans.quote(session, account_id, "profi", now=FEBRUARY + DAY)
    assert (offer.kind, offer.to_pay) == ("buy", PROFI)
    freed = await _choose(sessions, account_id, "free", FEBRUARY + DAY)
    assert (freed.plan.code, freed.period.starts_at) == ("free", FEBRUARY + DAY)
    assert await _due(sessions, FEBRUARY + 5 * DAY) == []


async def test_after_months_of_downtime_only_the_present_month_is_charged(
    sessions: Sessions,
) -> None:
    account_id = await _subscriber(sessions)
    await rows.credit(sessions, account_id, 9 * PROFI)
    back = datetime(2027, 7, 4, tzinfo=UTC)
    while await _due(sessions, back):
        await _renew(sessions, account_id, back)
    assert await _charges(sessions) == [PROFI]
    async with sessions.begin() as session:
        period = (await plans.standing(session, account_id, now=back)).period
    assert (period.starts_at, period.ends_at) == (
        NOW.replace(month=6, day=30), NOW.replace(month=7),
    )  # fmt: skip


async def test_after_downtime_without_money_there_are_still_three_days(sessions: Sessions) -> None:
    account_id = await _subscriber(sessions)
    back = datetime(2027, 7, 4, tzinfo=UTC)
    assert (await _renew(sessions, account_id, back)).standing.grace_until == back + 3 * DAY
    freed = await _renew(sessions, account_id, back + 90 * DAY)
    period = freed.standing.period
    assert (period.plan_code, period.starts_at) == ("free", datetime(2027, 9, 7, tzinfo=UTC))


async def test_a_downgrade_is_charged_at_its_own_price_when_the_period_ends(
    sessions: Sessions,
) -> None:
    account_id = await _subscriber(sessions)
    await rows.credit(sessions, account_id, PROFI)
    await _choose(sessions, account_id, "start", NOW + DAY)
    renewed = await _renew(sessions, account_id, FEBRUARY)
    assert (renewed.standing.plan.code, renewed.standing.next_plan_code) == ("start", None)
    assert renewed.standing.period.starts_at == FEBRUARY
    assert await _charges(sessions) == [START]


async def test_stopping_renewal_ends_in_free_whatever_money_there_is(sessions: Sessions) -> None:
    account_id = await _subscriber(sessions)
    await rows.credit(sessions, account_id, PROFI)
    await _choose(sessions, account_id, "free", NOW + DAY)
    freed = await _renew(sessions, account_id, FEBRUARY)
    assert (freed.outcome, freed.standing.period.starts_at) == ("freed", FEBRUARY)
    assert freed.standing.period.ends_at == MARCH
    assert await _charges(sessions) == []
    assert (await _notices(sessions))[-1][1]["chosen"] is True


async def test_a_paused_wallet_pays_for_nothing(sessions: Sessions) -> None:
    account_id = await _subscriber(sessions)
    await rows.credit(sessions, account_id, PROFI)
    async with sessions.begin() as session:
        await wallet.pause(session, account_id, now=NOW)
    assert (await _renew(sessions, account_id, FEBRUARY)).outcome == "grace"
    assert await _due(sessions, FEBRUARY + DAY) == []
    async with sessions.begin() as session:
        await wallet.resume(session, account_id)
    assert await _due(sessions, FEBRUARY + DAY) == [account_id]


async def test_reminders_come_three_days_and_one_day_before_each_once(sessions: Sessions) -> None:
    account_id = await _subscriber(sessions)
    await rows.credit(sessions, account_id, PROFI - 100)
    hours = range(-24 * 5, 24 * 5)
    told = [hour for hour in hours if await _remind(sessions, FEBRUARY + hour * HOUR)]
    assert told == [-72, -24]
    first, second = await _notices(sessions)
    assert (first[0], first[1]["days"], first[1]["missing"]) == ("renewal_soon", 3, 100)
    assert second[1]["days"] == 1


async def test_those_told_already_do_not_keep_others_from_being_told(sessions: Sessions) -> None:
    for user_id in (1, 2, 3):
        who = await rows.person(sessions, user_id)
        await rows.subscribe(sessions, who.account_id, "start", now=NOW + user_id * HOUR)
    told = []
    for _ in range(4):
        async with sessions.begin() as session:
            told.append(await plans.remind(session, now=FEBRUARY - DAY, limit=1))
    assert told == [1, 1, 1, 0]


async def test_nobody_is_reminded_needlessly(sessions: Sessions) -> None:
    account_id = await _subscriber(sessions)
    await rows.credit(sessions, account_id, PROFI - 1)
    await _choose(sessions, account_id, "start", NOW + DAY)
    assert await _remind(sessions, FEBRUARY - DAY) == 0  # The smaller plan can be paid for.
    await _choose(sessions, account_id, "free", NOW + DAY)
    assert await _remind(sessions, FEBRUARY - DAY) == 0
    await _choose(sessions, account_id, "profi", NOW + DAY)
    await rows.credit(sessions, account_id, 1, key="one more")
    assert await _remind(sessions, FEBRUARY - DAY) == 0


async def test_holds_of_the_old_period_resolve_after_an_upgrade(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    old = await rows.subscribe(sessions, who.account_id, "start", now=NOW)
    task_ids = [await rows.queued(sessions, who, origin=f"card:{n}:create") for n in range(2)]
    async with sessions.begin() as session:
        for task_id in task_ids:
            await quotas.void(session, task_id)
    await rows.execute(sessions, "DELETE FROM holds")
    async with sessions.begin() as session:
        current = await periods.locked(session, who.account_id, now=NOW + DAY)
        for task_id in task_ids:
            await quotas.hold(session, current, task_id, 4)
    new = await rows.subscribe(sessions, who.account_id, "profi", now=NOW + DAY)
    async with sessions.begin() as session:
        assert await quotas.capture(session, task_ids[0], 3)
        assert await quotas.void(session, task_ids[1])
    counted = await rows.rows(sessions, "SELECT id, used, held FROM periods WHERE price > 0")
    assert sorted(counted) == [(old.period.id, 3, 0), (new.period.id, 0, 0)]


@pytest.fixture
async def a_thousand(sessions: Sessions) -> None:
    """A thousand subscriptions to Start, all due in FEBRUARY, each with money for two months."""
    await rows.execute(
        sessions,
        "INSERT INTO users (id, first_name) SELECT n, 'Аня' FROM generate_series(1, 1000) n",
    )
    await rows.execute(
        sessions,
        "INSERT INTO accounts (kind, owner_user_id) SELECT 'personal', id FROM users",
    )
    await rows.execute(
        sessions,
        "INSERT INTO subscriptions (account_id, plan_code, anchor_day, renews_at)"
        " SELECT id, 'start', 31, :end FROM accounts",
        end=FEBRUARY,
    )
    await rows.execute(
        sessions,
        "INSERT INTO periods (account_id, plan_code, starts_at, ends_at, price, picture_price,"
        " images_limit, auto_enhance, auto_best, brand_limit, lora_limit, seats, channels,"
        " priority)"
        " SELECT a.id, code, :now, :end, price, picture_price, images_limit, auto_enhance,"
        " auto_best, brand_limit, lora_limit, seats, channels, priority"
        " FROM accounts a, plans WHERE code = 'start'",
        now=NOW, end=FEBRUARY,
    )  # fmt: skip
    async with sessions.begin() as session:
        for account_id in range(1, 1001):
            await wallet.transfer(
                session, rows.SystemWallet.OPERATOR, account_id, 2 * START,
                rows.TransferKind.CREDIT, f"credit:{account_id}",
            )  # fmt: skip


@pytest.mark.faults
@pytest.mark.usefixtures("a_thousand")
async def test_eight_processes_one_killed_charge_a_thousand_once(
    sessions: Sessions, database_url: str
) -> None:
    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.db.renewing", database_url, FEBRUARY.isoformat(),
            cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip

    processes = [await start() for _ in range(8)]
    victim = processes[0]
    assert victim.stdout is not None
    for _ in range(20):  # It is at work: so many it has renewed by itself.
        assert await victim.stdout.readline()
    victim.kill()
    for process in processes[1:]:
        await process.communicate()
        assert process.returncode == 0
    await victim.communicate()
    assert victim.returncode == -9
    again = await start()
    await again.communicate()
    assert again.returncode == 0
    assert await rows.rows(
        sessions,
        "SELECT count(*), count(DISTINCT source_id), sum(amount) FROM transfers"
        " WHERE kind = 'subscription'",
    ) == [(1000, 1000, 1000 * START)]
    assert await rows.rows(
        sessions, "SELECT count(*) FROM periods WHERE starts_at = :at AND transfer_id > 0",
        at=FEBRUARY,
    ) == [(1000,)]  # fmt: skip
    assert await rows.rows(
        sessions, "SELECT count(*) FROM wallets WHERE balance = :left", left=START
    ) == [(1000,)]  # fmt: skip
    assert await rows.rows(sessions, "SELECT count(*) FROM notices") == [(1000,)]
