"""Status cards: what they should show in every state, and which of them need drawing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from db import accounts, albums, deliveries, statuses, tasks
from db.states import DeliveryState, Shown
from db.views import TaskStatus, TelegramUser
from tests.db import rows
from tests.db.rows import Person, Sessions


async def _work(sessions: Sessions, limit: int = 10) -> tuple[TaskStatus, ...]:
    async with sessions.begin() as session:
        return await statuses.status_work(session, limit)


async def _show(sessions: Sessions, task_id: int, shown: Shown) -> None:
    async with sessions.begin() as session:
        await statuses.mark_status_shown(session, task_id, shown)


async def _wanted(sessions: Sessions, who: Person, task_id: int) -> Shown:
    async with sessions.begin() as session:
        return (await albums.task(session, who.account_id, task_id)).wanted


async def _end(sessions: Sessions, state: DeliveryState) -> None:
    claimed = await rows.sending(sessions)
    async with sessions.begin() as session:
        if state is DeliveryState.SENT:
            await deliveries.sent(session, claimed.id, claimed.token, [1])
        elif state is DeliveryState.UNKNOWN:
            await deliveries.unknown(session, claimed.id, claimed.token, "timeout")
        else:
            await deliveries.undeliverable(session, claimed.id, claimed.token, "blocked")


async def test_a_waiting_card_shows_its_place(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id = await rows.queued(sessions, who)
    [status] = await _work(sessions)
    assert (status.task_id, status.shown, status.wanted) == (task_id, None, Shown.QUEUED)
    assert status.place is not None
    assert status.place.place == 1
    assert (status.chat_id, status.locale) == (1, "ru")
    assert 0 <= status.age_s < 60


async def test_active_cards_stay_in_work_though_they_show_the_right_thing(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    claimed = await rows.running(sessions, who)
    async with sessions.begin() as session:
        await statuses.set_status_message(session, claimed.task_id, 55, Shown.RUNNING)
    [status] = await _work(sessions)
    assert (status.status_message_id, status.shown, status.wanted, status.place) == (
        55, Shown.RUNNING, Shown.RUNNING, None,
    )  # fmt: skip


async def test_cards_that_show_the_wrong_thing_come_first(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    right_id = (await rows.running(sessions, who)).task_id
    await _show(sessions, right_id, Shown.RUNNING)
    wrong_id = await rows.queued(sessions, who)
    assert [status.task_id for status in await _work(sessions)] == [wrong_id, right_id]
    assert [status.task_id for status in await _work(sessions, limit=1)] == [wrong_id]


async def test_a_backlog_of_one_chat_hides_nobody_elses_card(sessions: Sessions) -> None:
    busy, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    backlog = [await rows.queued(sessions, busy) for _ in range(6)]
    other_id = await rows.queued(sessions, other)
    shown = [status.task_id for status in await _work(sessions, limit=5)]
    assert shown == [*backlog[:3], other_id]


async def test_what_was_shown_too_late_is_drawn_again(sessions: Sessions) -> None:
    """A settled value would hide the card for ever."""
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    await _show(sessions, task_id, Shown.UNKNOWN)
    [status] = await _work(sessions)
    assert (status.shown, status.wanted) == (None, Shown.RUNNING)


async def test_a_lost_album_opened_from_the_history_is_followed_by_its_card(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    await _end(sessions, DeliveryState.UNKNOWN)
    await _show(sessions, task_id, Shown.UNKNOWN)
    async with sessions.begin() as session:
        await deliveries.request(
            session, who.account_id, task_id, deliveries.DeliveryKind.ALBUM, "history:1"
        )
    [status] = await _work(sessions)
    assert status.wanted is Shown.RUNNING


@pytest.mark.parametrize("lost", [True, False])
async def test_who_unblocks_the_bot_gets_the_cards_they_missed(
    sessions: Sessions, lost: bool
) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    await _end(sessions, DeliveryState.UNDELIVERABLE)
    async with sessions.begin() as session:
        await statuses.mark_status_shown(session, task_id, Shown.UNDELIVERABLE, lost=lost)
        await accounts.set_blocked(session, who.id, datetime.now(UTC))
    assert await _work(sessions) == ()
    for _ in range(2):
        async with sessions.begin() as session:
            await accounts.ensure_user(session, TelegramUser(id=who.id, first_name="Анна"))
        assert [status.wanted for status in await _work(sessions)] == [Shown.UNDELIVERABLE] * lost


@pytest.mark.parametrize("shown", [Shown.CANCELLED, Shown.FAILED])
async def test_a_card_is_settled_once_it_shows_the_end(sessions: Sessions, shown: Shown) -> None:
    who = await rows.person(sessions)
    claimed = await rows.running(sessions, who)
    async with sessions.begin() as session:
        if shown is Shown.CANCELLED:
            await tasks.cancel(session, who.account_id, claimed.task_id)
        else:
            await tasks.fail(session, claimed.task_id, claimed.token, "broken")
    [status] = await _work(sessions)
    assert status.wanted is shown
    await _show(sessions, claimed.task_id, shown)
    assert await _work(sessions) == ()


async def test_a_card_follows_the_delivery_of_its_album(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    assert await _wanted(sessions, who, task_id) is Shown.RUNNING
    await _end(sessions, DeliveryState.SENT)
    assert await _wanted(sessions, who, task_id) is Shown.RUNNING
    await _end(sessions, DeliveryState.SENT)
    assert await _wanted(sessions, who, task_id) is Shown.DONE
    await _show(sessions, task_id, Shown.DONE)
    assert await _work(sessions) == ()


@pytest.mark.parametrize("album_sent", [True, False])
@pytest.mark.parametrize("state", [DeliveryState.UNKNOWN, DeliveryState.UNDELIVERABLE])
async def test_a_card_shows_a_bad_end_until_a_person_has_it_sent_again(
    sessions: Sessions, state: DeliveryState, album_sent: bool
) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    if album_sent:
        await _end(sessions, DeliveryState.SENT)
    await _end(sessions, state)
    [status] = await _work(sessions)
    assert status.wanted == state.value
    await _show(sessions, task_id, status.wanted)
    assert await _work(sessions) == ()
    async with sessions.begin() as session:
        await deliveries.resend_unknown(session, who.account_id, task_id, "again:5")
    [status] = await _work(sessions)
    assert status.wanted is Shown.RUNNING
    for _ in range(1 if album_sent else 2):
        await _end(sessions, DeliveryState.SENT)
    [status] = await _work(sessions)
    assert status.wanted is Shown.DONE


async def test_originals_on_their_way_do_not_hide_a_bad_end(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    await _end(sessions, DeliveryState.UNKNOWN)
    async with sessions.begin() as session:
        await deliveries.request(
            session, who.account_id, task_id, deliveries.DeliveryKind.ORIGINALS, "originals:5"
        )
    assert await _wanted(sessions, who, task_id) is Shown.UNKNOWN


async def test_originals_and_history_do_not_touch_a_settled_card(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id = await rows.delivered(sessions, who)
    await _show(sessions, task_id, Shown.DONE)
    async with sessions.begin() as session:
        for kind in (deliveries.DeliveryKind.ORIGINALS, deliveries.DeliveryKind.ALBUM):
            await deliveries.request(session, who.account_id, task_id, kind, "history:1")
    assert await _work(sessions) == ()
