"""Tasks: claimed fairly and one at a time, written only by who holds the lease."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter

import pytest

from db import tasks
from db.states import TaskState
from db.views import Claim
from tests.db import rows
from tests.db.rows import Person, Sessions


async def _claimed_by(sessions: Sessions, cap: int = 2) -> int | None:
    """The account whose task is next."""
    claimed = await rows.claim(sessions, cap=cap)
    return None if claimed is None else claimed.account_id


async def _requeue(
    sessions: Sessions, claimed: Claim, *, not_before_s: float = 0, spend: bool = True
) -> TaskState | None:
    async with sessions.begin() as session:
        return await tasks.requeue(
            session, claimed.task_id, claimed.token, not_before_s=not_before_s,
            spend_attempt=spend, error_code="busy",
        )  # fmt: skip


async def _state(sessions: Sessions, task_id: int) -> tuple[object, ...]:
    [row] = await rows.rows(
        sessions,
        "SELECT state, attempt, error_code, lease_token FROM ml_tasks WHERE id = :id",
        id=task_id,
    )
    return row


async def _cancel(sessions: Sessions, who: Person, task_id: int) -> bool:
    async with sessions.begin() as session:
        return await tasks.cancel(session, who.account_id, task_id)


async def _kill_worker(sessions: Sessions) -> tasks.SweepCounts:
    await rows.execute(sessions, "UPDATE ml_tasks SET lease_until = now() - interval '1 s'")
    async with sessions.begin() as session:
        return await tasks.sweep_leases(session)


# Claiming


async def test_nothing_to_claim_is_none(sessions: Sessions) -> None:
    assert await rows.claim(sessions) is None


async def test_a_claim_says_everything_the_worker_needs(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id = await rows.queued(sessions, who)
    claimed = await rows.claim(sessions)
    assert claimed is not None
    assert (claimed.task_id, claimed.account_id, claimed.attempt) == (task_id, who.account_id, 1)
    assert (claimed.chat_id, claimed.thread_id) == (who.id, None)
    assert claimed.brief["cleaned_prompt"] == "кофе осенью"
    assert 0 <= claimed.queued_s < 60


async def test_a_task_backing_off_is_not_claimed_before_its_time(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _requeue(sessions, await rows.running(sessions, who), not_before_s=30)
    assert await rows.claim(sessions) is None
    await rows.execute(sessions, "UPDATE ml_tasks SET not_before = now() - interval '1 s'")
    again = await rows.claim(sessions)
    assert again is not None
    assert again.attempt == 2


async def test_an_account_runs_no_more_than_its_cap(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    for _ in range(3):
        await rows.queued(sessions, who)
    first, second, third = [await rows.claim(sessions) for _ in range(3)]
    assert first is not None
    assert second is not None
    assert third is None
    await rows.finish(sessions, first)
    assert await rows.claim(sessions) is not None


async def test_a_burst_of_one_account_lets_others_in(sessions: Sessions) -> None:
    busy, quiet = await rows.person(sessions, 1), await rows.person(sessions, 2)
    for _ in range(5):
        await rows.queued(sessions, busy)
    await rows.queued(sessions, quiet)
    turns = [await _claimed_by(sessions, cap=10) for _ in range(6)]
    assert turns == [busy.account_id, quiet.account_id, *[busy.account_id] * 4]


async def test_a_burst_does_not_age_past_a_newcomer(sessions: Sessions) -> None:
    busy, quiet = await rows.person(sessions, 1), await rows.person(sessions, 2)
    for _ in range(3):
        await rows.queued(sessions, busy)
    await rows.execute(sessions, "UPDATE ml_tasks SET queued_at = now() - interval '10 min'")
    await rows.queued(sessions, quiet)
    turns = [await _claimed_by(sessions, cap=10) for _ in range(4)]
    assert turns[:2] == [busy.account_id, quiet.account_id]


async def test_priority_goes_first(sessions: Sessions) -> None:
    plain, paying = await rows.person(sessions, 1), await rows.person(sessions, 2)
    await rows.queued(sessions, plain)
    task_id = await rows.queued(sessions, paying)
    await rows.execute(sessions, "UPDATE ml_tasks SET priority = 3 WHERE id = :id", id=task_id)
    assert await _claimed_by(sessions) == paying.account_id


async def test_waiting_outgrows_priority_so_nobody_starves(sessions: Sessions) -> None:
    plain, paying = await rows.person(sessions, 1), await rows.person(sessions, 2)
    old_id = await rows.queued(sessions, plain)
    for _ in range(4):
        await rows.queued(sessions, paying)
    await rows.execute(sessions, "UPDATE ml_tasks SET priority = 3 WHERE id <> :id", id=old_id)
    assert await _claimed_by(sessions, cap=9) == paying.account_id
    await rows.execute(
        sessions,
        "UPDATE ml_tasks SET queued_at = now() - interval '121 s' WHERE id = :id",
        id=old_id,
    )
    assert await _claimed_by(sessions, cap=9) == plain.account_id


async def test_within_an_account_the_oldest_goes_first_unless_priority(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    first, second, urgent = [await rows.queued(sessions, who) for _ in range(3)]
    await rows.execute(sessions, "UPDATE ml_tasks SET priority = 1 WHERE id = :id", id=urgent)
    order = [await rows.claim(sessions, cap=9) for _ in range(3)]
    assert [claimed and claimed.task_id for claimed in order] == [urgent, first, second]


async def test_fifty_claimers_take_each_task_once_within_the_cap(sessions: Sessions) -> None:
    """200 tasks of 10 accounts; a claimer keeps its task until all have claimed, thrice."""
    people = [await rows.person(sessions, user_id) for user_id in range(1, 11)]
    for who in people:
        await rows.burst(sessions, who, 20)
    seen: set[int] = set()
    for _ in range(3):
        claims = await asyncio.gather(*(rows.claim(sessions, cap=2) for _ in range(50)))
        got = [claimed for claimed in claims if claimed is not None]
        assert Counter(claimed.account_id for claimed in got) == dict.fromkeys(
            (who.account_id for who in people), 2
        )
        assert len({claimed.token for claimed in got}) == len(got)
        assert not seen & {claimed.task_id for claimed in got}
        seen |= {claimed.task_id for claimed in got}
        await asyncio.gather(*(rows.finish(sessions, claimed) for claimed in got))
    assert len(seen) == 60


async def test_twenty_workers_drain_the_queue_once_each_and_fairly(sessions: Sessions) -> None:
    """One account asks for ten times as much; the others are through before its second half."""
    people = [await rows.person(sessions, user_id) for user_id in range(1, 5)]
    for who, wanted in zip(people, (60, 6, 6, 6), strict=True):
        await rows.burst(sessions, who, wanted)
    order: list[int] = []

    async def worker() -> None:
        while (claimed := await rows.claim(sessions, cap=2)) is not None:
            order.append(claimed.account_id)
            counts = await rows.rows(
                sessions,
                "SELECT count(*) FROM ml_tasks WHERE state = 'running' GROUP BY account_id",
            )
            assert all(count in (1, 2) for (count,) in counts)
            assert await rows.finish(sessions, claimed) is not None

    while len(order) < 78:
        await asyncio.gather(*(worker() for _ in range(20)))
    assert Counter(order) == {
        who.account_id: n for who, n in zip(people, (60, 6, 6, 6), strict=True)
    }
    others_last = max(
        place for place, account in enumerate(order) if account != people[0].account_id
    )
    assert others_last < 45


# The lease


async def test_a_heartbeat_keeps_the_lease(sessions: Sessions) -> None:
    claimed = await rows.running(sessions, await rows.person(sessions))
    await rows.execute(sessions, "UPDATE ml_tasks SET lease_until = now() - interval '1 s'")
    async with sessions.begin() as session:
        assert await tasks.heartbeat(session, claimed.task_id, claimed.token, 45)
        assert await tasks.sweep_leases(session) == tasks.SweepCounts(requeued=0, failed=0)
    [(left_s,)] = await rows.rows(
        sessions, "SELECT extract(epoch FROM lease_until - now())::float8 FROM ml_tasks"
    )
    assert isinstance(left_s, float)
    assert 40 < left_s <= 45


async def test_a_dead_workers_task_is_queued_again(sessions: Sessions) -> None:
    claimed = await rows.running(sessions, await rows.person(sessions))
    assert await _kill_worker(sessions) == tasks.SweepCounts(requeued=1, failed=0)
    assert (await _state(sessions, claimed.task_id))[:2] == ("queued", 1)


async def test_a_task_whose_workers_die_three_times_fails(sessions: Sessions) -> None:
    claimed = await rows.running(sessions, await rows.person(sessions))
    for _ in range(2):
        await _kill_worker(sessions)
        assert await rows.claim(sessions) is not None
    assert await _kill_worker(sessions) == tasks.SweepCounts(requeued=0, failed=1)
    assert await _state(sessions, claimed.task_id) == ("failed", 3, "worker_died", None)
    assert await rows.claim(sessions) is None


async def test_who_lost_the_lease_writes_nothing(sessions: Sessions) -> None:
    lost = await rows.running(sessions, await rows.person(sessions))
    await _kill_worker(sessions)
    holder = await rows.claim(sessions)
    assert holder is not None
    before = await rows.rows(sessions, "SELECT * FROM ml_tasks")
    async with sessions.begin() as session:
        assert not await tasks.heartbeat(session, lost.task_id, lost.token, 45)
        assert not await tasks.fail(session, lost.task_id, lost.token, "broken")
    assert await _requeue(sessions, lost) is None
    assert await rows.finish(sessions, lost) is None
    assert await rows.rows(sessions, "SELECT * FROM ml_tasks") == before
    assert await rows.rows(sessions, "SELECT * FROM predictions") == []
    assert await rows.rows(sessions, "SELECT * FROM deliveries") == []
    assert await rows.finish(sessions, holder) is not None


async def test_a_made_up_token_opens_nothing(sessions: Sessions) -> None:
    claimed = await rows.running(sessions, await rows.person(sessions))
    async with sessions.begin() as session:
        assert not await tasks.heartbeat(session, claimed.task_id, uuid.uuid4(), 45)


# The end of a task


async def test_finishing_writes_pictures_state_and_delivery_together(sessions: Sessions) -> None:
    claimed = await rows.running(sessions, await rows.person(sessions))
    delivery_id = await rows.finish(sessions, claimed, pictures=4)
    assert await _state(sessions, claimed.task_id) == ("done", 1, None, None)
    assert await rows.rows(sessions, "SELECT rank, gen_meta FROM predictions ORDER BY rank") == [
        (rank, {"generator": "mock", "слово": "ё"}) for rank in (1, 2, 3, 4)
    ]
    assert await rows.rows(
        sessions, "SELECT id, kind, origin, state, chat_id, thread_id FROM deliveries"
    ) == [(delivery_id, "album", "first", "pending", 1, None)]


async def test_finishing_twice_writes_once(sessions: Sessions) -> None:
    claimed = await rows.running(sessions, await rows.person(sessions))
    results = await asyncio.gather(*(rows.finish(sessions, claimed) for _ in range(3)))
    assert sum(result is not None for result in results) == 1
    assert await rows.rows(sessions, "SELECT count(*) FROM deliveries") == [(1,)]


async def test_an_album_without_pictures_is_refused(sessions: Sessions) -> None:
    claimed = await rows.running(sessions, await rows.person(sessions))
    with pytest.raises(ValueError, match="at least one"):
        await rows.finish(sessions, claimed, pictures=0)
    assert (await _state(sessions, claimed.task_id))[0] == "running"


async def test_a_failing_store_of_one_picture_stores_nothing(sessions: Sessions) -> None:
    claimed = await rows.running(sessions, await rows.person(sessions))
    album = rows.finished_album(1)
    twice = tasks.FinishedAlbum(
        album.prompt, album.images * 2, album.judge, album.generator, album.timings_ms
    )
    with pytest.raises(Exception, match="uq_predictions_task_id_rank"):
        async with sessions.begin() as session:
            await tasks.finish(session, claimed.task_id, claimed.token, twice)
    assert (await _state(sessions, claimed.task_id))[0] == "running"
    assert await rows.rows(sessions, "SELECT * FROM predictions") == []


async def test_a_transient_error_gives_the_task_back_until_attempts_are_spent(
    sessions: Sessions,
) -> None:
    claimed: Claim | None = await rows.running(sessions, await rows.person(sessions))
    for expected in (TaskState.QUEUED, TaskState.QUEUED, TaskState.FAILED):
        assert claimed is not None
        last = claimed
        assert await _requeue(sessions, claimed) is expected
        claimed = await rows.claim(sessions)
    assert claimed is None
    assert await _state(sessions, last.task_id) == ("failed", 3, "busy", None)


async def test_a_shutdown_spends_no_attempt(sessions: Sessions) -> None:
    claimed: Claim | None = await rows.running(sessions, await rows.person(sessions))
    for _ in range(5):
        assert claimed is not None
        assert claimed.attempt == 1
        assert await _requeue(sessions, claimed, spend=False) is TaskState.QUEUED
        claimed = await rows.claim(sessions)


async def test_a_failed_task_stays_failed(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    claimed = await rows.running(sessions, who)
    async with sessions.begin() as session:
        assert await tasks.fail(session, claimed.task_id, claimed.token, "backend_unavailable")
        assert not await tasks.fail(session, claimed.task_id, claimed.token, "other")
    assert not await _cancel(sessions, who, claimed.task_id)
    assert await rows.claim(sessions) is None
    assert (await _state(sessions, claimed.task_id))[2] == "backend_unavailable"


# Cancelling


async def test_a_waiting_task_is_cancelled_once(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id = await rows.queued(sessions, who)
    assert await _cancel(sessions, who, task_id)
    assert not await _cancel(sessions, who, task_id)
    assert await rows.claim(sessions) is None


async def test_the_worker_of_a_cancelled_task_hears_of_it(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    claimed = await rows.running(sessions, who)
    assert await _cancel(sessions, who, claimed.task_id)
    async with sessions.begin() as session:
        assert not await tasks.heartbeat(session, claimed.task_id, claimed.token, 45)
    assert await _requeue(sessions, claimed) is None
    assert await rows.finish(sessions, claimed) is None
    assert await rows.rows(sessions, "SELECT * FROM deliveries") == []


async def test_of_cancel_and_finish_exactly_one_wins(sessions: Sessions) -> None:
    for turn in range(20):
        who = await rows.person(sessions, turn + 1)  # nobody's month pays for all the albums
        claimed = await rows.running(sessions, who)
        race = [rows.finish(sessions, claimed), _cancel(sessions, who, claimed.task_id)]
        outcome = await asyncio.gather(*(race if turn % 2 else race[::-1]))
        finished, cancelled = outcome if turn % 2 else outcome[::-1]
        assert (finished is not None) != cancelled
        state, *_ = await _state(sessions, claimed.task_id)
        assert state == ("cancelled" if cancelled else "done")


async def test_a_task_cancelled_while_claims_run_is_not_claimed(sessions: Sessions) -> None:
    """The claim waits for the cancelling transaction, then takes the next account's task."""
    who, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    task_id = await rows.queued(sessions, who)
    await rows.queued(sessions, other)
    async with sessions.begin() as session:
        await tasks.cancel(session, who.account_id, task_id)
        claiming = asyncio.create_task(rows.claim(sessions))
        await _until_waiting_for_a_lock(sessions)
    claimed = await claiming
    assert claimed is not None
    assert claimed.account_id == other.account_id


async def test_a_claim_waits_for_the_one_before_it(sessions: Sessions) -> None:
    """Else both would look at the same first task, and the slower one come back with nothing."""
    who = await rows.person(sessions)
    first_id, second_id = [await rows.queued(sessions, who) for _ in range(2)]
    async with sessions.begin() as session:
        first = await tasks.claim(session, lease_s=45, account_running_cap=2)
        claiming = asyncio.create_task(rows.claim(sessions))
        await _until_waiting_for_a_lock(sessions)
    second = await claiming
    assert first is not None
    assert second is not None
    assert (first.task_id, second.task_id) == (first_id, second_id)


async def _until_waiting_for_a_lock(sessions: Sessions) -> None:
    while not await rows.rows(
        sessions,
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()",
    ):
        pass


# The line


async def test_places_go_by_turns_and_estimates_by_recent_tasks(sessions: Sessions) -> None:
    busy, quiet = await rows.person(sessions, 1), await rows.person(sessions, 2)
    ids = [await rows.queued(sessions, busy) for _ in range(3)]
    quiet_id = await rows.queued(sessions, quiet)
    async with sessions.begin() as session:
        places = await tasks.queue_places(session, [*ids, quiet_id])
    assert [places[task_id].place for task_id in (ids[0], quiet_id, ids[1], ids[2])] == [1, 2, 3, 4]
    assert {place.wait_s for place in places.values()} == {None}


async def test_the_wait_is_as_long_as_recent_tasks_took(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await rows.done(sessions, who)
    await rows.execute(sessions, "UPDATE ml_tasks SET started_at = finished_at - interval '20 s'")
    running = await rows.running(sessions, who)
    ids = [await rows.queued(sessions, who) for _ in range(2)]
    async with sessions.begin() as session:
        places = [await tasks.queue_place(session, task_id) for task_id in ids]
        assert await tasks.queue_place(session, running.task_id) is None
    assert [place and place.wait_s for place in places] == [20.0, 40.0]
