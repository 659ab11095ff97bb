"""Deliveries: sent at most once by themselves, in order, one at a time in a chat."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from db import albums, deliveries
from db.errors import Stale
from db.states import DeliveryKind, DeliveryState, Shown
from db.views import DeliveryClaim
from tests.db import rows
from tests.db.rows import Person, Sessions

P, S, OK, U, X = (
    DeliveryState.PENDING,
    DeliveryState.SENDING,
    DeliveryState.SENT,
    DeliveryState.UNKNOWN,
    DeliveryState.UNDELIVERABLE,
)

Move = Callable[[AsyncSession, int, uuid.UUID], Awaitable[object]]


async def _sent(session: AsyncSession, id_: int, token: uuid.UUID) -> object:
    return await deliveries.sent(session, id_, token, [5, 6], {1: "file"})


async def _retry(session: AsyncSession, id_: int, token: uuid.UUID) -> object:
    return await deliveries.retry(session, id_, token, not_before_s=3, reason="429")


async def _unknown(session: AsyncSession, id_: int, token: uuid.UUID) -> object:
    return await deliveries.unknown(session, id_, token, "timeout")


async def _undeliverable(session: AsyncSession, id_: int, token: uuid.UUID) -> object:
    return await deliveries.undeliverable(session, id_, token, "403")


async def _sweep(session: AsyncSession, id_: int, token: uuid.UUID) -> object:
    return await deliveries.sweep_leases(session)


async def _claim(session: AsyncSession, id_: int, token: uuid.UUID) -> object:
    return await deliveries.claim(session)


MOVES: dict[str, tuple[Move, dict[DeliveryState, DeliveryState]]] = {
    "claim": (_claim, {P: S}),
    "sent": (_sent, {S: OK}),
    "retry": (_retry, {S: P}),
    "unknown": (_unknown, {S: U}),
    "undeliverable": (_undeliverable, {S: X}),
    "sweep of a dead lease": (_sweep, {S: U}),
}


async def _in_state(sessions: Sessions, state: DeliveryState) -> tuple[int, uuid.UUID]:
    """An album's delivery in this state, and the last token it was claimed with."""
    _, delivery_id = await rows.done(sessions, await rows.person(sessions))
    if state is P:
        return delivery_id, uuid.uuid4()
    claimed = await rows.sending(sessions)
    to_there = {OK: _sent, U: _unknown, X: _undeliverable}
    if state in to_there:
        async with sessions.begin() as session:
            await to_there[state](session, claimed.id, claimed.token)
    else:
        await rows.execute(sessions, "UPDATE deliveries SET lease_until = now() - interval '1 s'")
    return delivery_id, claimed.token


@pytest.mark.parametrize("start", list(DeliveryState))
@pytest.mark.parametrize("name", list(MOVES))
async def test_only_the_moves_of_the_table_move(
    sessions: Sessions, name: str, start: DeliveryState
) -> None:
    delivery_id, token = await _in_state(sessions, start)
    move, allowed = MOVES[name]
    if name == "claim":
        # The action card of a sent album is a delivery of its own.
        await rows.execute(sessions, "DELETE FROM deliveries WHERE kind = 'actions'")
    before = await rows.rows(sessions, "SELECT * FROM deliveries ORDER BY id")
    async with sessions.begin() as session:
        await move(session, delivery_id, token)
    [(state,)] = await rows.rows(
        sessions, "SELECT state FROM deliveries WHERE id = :id", id=delivery_id
    )
    assert state == allowed.get(start, start)
    if start not in allowed:
        assert await rows.rows(sessions, "SELECT * FROM deliveries ORDER BY id") == before


@pytest.mark.parametrize("name", ["sent", "retry", "unknown", "undeliverable"])
async def test_a_stale_token_moves_nothing(sessions: Sessions, name: str) -> None:
    delivery_id, _ = await _in_state(sessions, S)
    before = await rows.rows(sessions, "SELECT * FROM deliveries")
    async with sessions.begin() as session:
        assert not await MOVES[name][0](session, delivery_id, uuid.uuid4())
    assert await rows.rows(sessions, "SELECT * FROM deliveries") == before
    assert (
        await rows.rows(sessions, "SELECT id FROM predictions WHERE photo_file_id IS NOT NULL")
        == []
    )


async def test_a_claim_says_what_to_send_where(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id, delivery_id = await rows.done(sessions, who)
    claimed = await rows.sending(sessions)
    assert claimed == DeliveryClaim(
        id=delivery_id, token=claimed.token, task_id=task_id, account_id=who.account_id,
        kind=DeliveryKind.ALBUM, origin="first", chat_id=1, thread_id=None, reply_to=None,
        attempt=1,
    )  # fmt: skip


async def test_a_sent_album_is_followed_by_its_card_and_keeps_its_files(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    claimed = await rows.sending(sessions)
    async with sessions.begin() as session:
        first, second = (await albums.album(session, who.account_id, task_id)).images
        assert await deliveries.sent(
            session, claimed.id, claimed.token, [5, 6],
            {first.id: "P1", second.id: "P2"}, {first.id: "D1"},
        )  # fmt: skip
    card = await rows.sending(sessions)
    assert card.kind is DeliveryKind.ACTIONS
    async with sessions.begin() as session:
        assert await deliveries.sent(session, card.id, card.token, [7])
        images = (await albums.album(session, who.account_id, task_id)).images
        assert [image.photo_file_id for image in images] == ["P1", "P2"]
        assert [image.document_file_id for image in images] == ["D1", None]
        await deliveries.forget_file_ids(session, task_id)
        images = (await albums.album(session, who.account_id, task_id)).images
        assert {(i.photo_file_id, i.document_file_id) for i in images} == {(None, None)}
    assert await rows.rows(sessions, "SELECT message_ids FROM deliveries ORDER BY id") == [
        ([5, 6],), ([7],),
    ]  # fmt: skip


async def test_what_follows_an_album_answers_its_newest_showing_in_the_same_place(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    task_id = await rows.delivered(sessions, who)  # its pictures: 11 and 12
    places: tuple[tuple[DeliveryKind, int, int | None], ...] = (
        (DeliveryKind.ORIGINALS, who.id, None),
        (DeliveryKind.ALBUM, who.id, None),
        (DeliveryKind.ORIGINALS, who.id, None),
        (DeliveryKind.ORIGINALS, who.id, 7),
        (DeliveryKind.ORIGINALS, -5, None),
    )
    answered = []
    for number, (kind, chat_id, thread_id) in enumerate(places):
        async with sessions.begin() as session:
            await deliveries.request(
                session, who.account_id, task_id, kind, f"tap:{number}",
                chat_id=chat_id, thread_id=thread_id,
            )  # fmt: skip
        ordered = await _end(sessions, _sent)
        assert ordered.kind is kind
        answered.append(ordered.reply_to)
        if kind is DeliveryKind.ALBUM:
            answered.append((await _end(sessions, _sent)).reply_to)
    assert answered == [11, None, 5, 5, None, None]


async def test_a_retry_waits_its_time_and_keeps_the_chats_order(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    first = (await rows.done(sessions, who))[1]
    second = (await rows.done(sessions, who))[1]
    claimed = await rows.sending(sessions)
    async with sessions.begin() as session:
        assert await deliveries.retry(
            session, claimed.id, claimed.token, not_before_s=30, reason="429"
        )
        assert await deliveries.claim(session) is None
        due_s = await deliveries.next_due_s(session)
        assert due_s is not None
        assert 29 < due_s <= 30, "the second one waits behind the first"
    await rows.execute(sessions, "UPDATE deliveries SET not_before = now() - interval '1 s'")
    again = await rows.sending(sessions)
    assert (again.id, again.attempt) == (first, 2)
    async with sessions.begin() as session:
        await deliveries.undeliverable(session, again.id, again.token, "gone")
    assert (await rows.sending(sessions)).id == second


async def test_the_time_of_the_next_one_is_known(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        assert await deliveries.next_due_s(session) is None
    await rows.done(sessions, await rows.person(sessions))
    claimed = await rows.sending(sessions)
    async with sessions.begin() as session:
        assert await deliveries.next_due_s(session) is None
        await _retry(session, claimed.id, claimed.token)
        due_s = await deliveries.next_due_s(session)
    assert due_s is not None
    assert 2 < due_s <= 3


async def test_a_closed_topic_is_left_out_next_time(sessions: Sessions) -> None:
    await rows.done(sessions, await rows.person(sessions))
    await rows.execute(sessions, "UPDATE deliveries SET thread_id = 77")
    claimed = await rows.sending(sessions)
    async with sessions.begin() as session:
        await _retry(session, claimed.id, claimed.token)
    await rows.execute(sessions, "UPDATE deliveries SET not_before = NULL")
    claimed = await rows.sending(sessions)
    assert claimed.thread_id == 77
    async with sessions.begin() as session:
        await deliveries.retry(
            session, claimed.id, claimed.token, not_before_s=0, reason="closed", drop_thread=True
        )
    assert (await rows.sending(sessions)).thread_id is None


async def test_the_card_of_an_album_goes_before_the_next_album(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    first_task, _ = await rows.done(sessions, who)
    await rows.done(sessions, who)
    claimed = await rows.sending(sessions)
    async with sessions.begin() as session:
        await _sent(session, claimed.id, claimed.token)
    card = await rows.sending(sessions)
    assert (card.task_id, card.kind) == (first_task, DeliveryKind.ACTIONS)


async def test_the_oldest_of_all_chats_goes_first(sessions: Sessions) -> None:
    ids = [(await rows.done(sessions, await rows.person(sessions, n)))[1] for n in (3, 1, 2)]
    assert [(await rows.sending(sessions)).id for _ in ids] == ids


async def test_ten_senders_never_send_twice_in_one_chat_at_once(sessions: Sessions) -> None:
    people = [await rows.person(sessions, user_id) for user_id in (1, 2, 3)]
    for who in people:
        for _ in range(4):
            await rows.done(sessions, who)
    order: list[tuple[int, int]] = []

    async def claim() -> DeliveryClaim | None:
        async with sessions.begin() as session:
            return await deliveries.claim(session)

    while got := [c for c in await asyncio.gather(*(claim() for _ in range(10))) if c]:
        assert sorted(claimed.chat_id for claimed in got) == sorted(
            {claimed.chat_id for claimed in got}
        )
        order += [(claimed.chat_id, claimed.task_id) for claimed in got]
        async with sessions.begin() as session:
            for claimed in got:
                await _sent(session, claimed.id, claimed.token)
    assert len(order) == 3 * 4 * 2
    for who in people:
        tasks_sent = [task_id for chat_id, task_id in order if chat_id == who.id]
        assert tasks_sent == sorted(tasks_sent)
        assert all(tasks_sent.count(task_id) == 2 for task_id in tasks_sent)


async def test_a_second_tap_orders_nothing(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id = await rows.delivered(sessions, who)

    async def tap() -> deliveries.Requested:
        async with sessions.begin() as session:
            return await deliveries.request(
                session, who.account_id, task_id, DeliveryKind.ORIGINALS, "originals:13"
            )

    taps = await asyncio.gather(*(tap() for _ in range(5)))
    assert sum(tapped.created for tapped in taps) == 1


async def test_an_order_goes_to_the_tasks_place_or_to_the_one_named(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id = await rows.delivered(sessions, who)
    await rows.execute(sessions, "UPDATE ml_tasks SET thread_id = 5")
    async with sessions.begin() as session:
        for origin, chat_id, thread_id in (("a", None, None), ("b", -9, None), ("c", -9, 3)):
            await deliveries.request(
                session, who.account_id, task_id, DeliveryKind.ALBUM, origin,
                chat_id=chat_id, thread_id=thread_id,
            )  # fmt: skip
    assert await rows.rows(
        sessions,
        "SELECT chat_id, thread_id FROM deliveries WHERE state = 'pending' ORDER BY id",
    ) == [(1, 5), (-9, None), (-9, 3)]


async def test_an_unfinished_task_has_nothing_to_send(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    claimed = await rows.running(sessions, who)
    async with sessions.begin() as session:
        with pytest.raises(Stale):
            await deliveries.request(
                session, who.account_id, claimed.task_id, DeliveryKind.ALBUM, "x"
            )
        with pytest.raises(Stale):
            await deliveries.resend_unknown(session, who.account_id, claimed.task_id, "again:5")


async def _resend(sessions: Sessions, who: Person, task_id: int) -> deliveries.Requested:
    async with sessions.begin() as session:
        return await deliveries.resend_unknown(session, who.account_id, task_id, "again:5")


async def _end(sessions: Sessions, move: Move) -> DeliveryClaim:
    claimed = await rows.sending(sessions)
    async with sessions.begin() as session:
        await move(session, claimed.id, claimed.token)
    return claimed


async def test_nothing_is_sent_again_while_nothing_is_amiss(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id = await rows.delivered(sessions, who)
    resent = await _resend(sessions, who, task_id)
    assert (resent.created, resent.state) == (False, DeliveryState.SENT)


async def test_originals_that_ended_badly_can_be_asked_for_again(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id = await rows.delivered(sessions, who)

    async def tap(origin: str = "originals:1") -> deliveries.Requested:
        async with sessions.begin() as session:
            return await deliveries.request(
                session, who.account_id, task_id, DeliveryKind.ORIGINALS, origin
            )

    for _ in range(2):
        taps = [await tap() for _ in range(2)]
        assert [(one.created, one.state) for one in taps] == [
            (True, DeliveryState.PENDING), (False, DeliveryState.PENDING),
        ]  # fmt: skip
        await _end(sessions, _unknown)
    assert (await tap("originals:13")).created, "another card's button has a count of its own"
    await _end(sessions, _sent)
    assert (await tap()).created
    await _end(sessions, _sent)
    again = await tap()
    assert (again.created, again.state) == (False, DeliveryState.SENT)


async def test_a_reopened_album_that_is_lost_gets_a_card_to_show_it_again(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    task_id = await rows.delivered(sessions, who)
    await rows.execute(sessions, "UPDATE ml_tasks SET status_message_id = 5, status_shown = 'done'")
    card = "SELECT status_message_id, status_shown FROM ml_tasks"
    async with sessions.begin() as session:
        for kind, origin in ((DeliveryKind.ORIGINALS, "o"), (DeliveryKind.ALBUM, "history:1")):
            await deliveries.request(session, who.account_id, task_id, kind, origin)
    assert (await _end(sessions, _unknown)).kind is DeliveryKind.ORIGINALS
    assert await rows.rows(sessions, card) == [(5, "done")]
    await _end(sessions, _unknown)
    assert await rows.rows(sessions, card) == [(None, None)]
    async with sessions.begin() as session:
        assert (await albums.task(session, who.account_id, task_id)).wanted is Shown.UNKNOWN
    assert (await _resend(sessions, who, task_id)).created
    assert (await _end(sessions, _sent)).kind is DeliveryKind.ALBUM
    await _end(sessions, _sent)
    async with sessions.begin() as session:
        assert (await albums.task(session, who.account_id, task_id)).wanted is Shown.DONE


async def test_show_again_sends_the_album_once_a_failure(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    await _end(sessions, _unknown)
    taps = [await _resend(sessions, who, task_id) for _ in range(3)]
    assert [tap.created for tap in taps] == [True, False, False]
    await _end(sessions, _unknown)
    second = await _resend(sessions, who, task_id)
    assert second.created, "the second attempt failed too, and the same card offers a third"
    assert (await _end(sessions, _sent)).kind is DeliveryKind.ALBUM
    assert (await _end(sessions, _sent)).kind is DeliveryKind.ACTIONS
    assert not (await _resend(sessions, who, task_id)).created


async def test_show_again_sends_only_the_card_when_the_album_is_there(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    await _end(sessions, _sent)
    await _end(sessions, _unknown)
    assert (await _resend(sessions, who, task_id)).created
    assert (await _end(sessions, _sent)).kind is DeliveryKind.ACTIONS
    assert not (await _resend(sessions, who, task_id)).created
    async with sessions.begin() as session:
        assert await deliveries.claim(session) is None


@pytest.mark.parametrize("arrived", [[], [DeliveryKind.ALBUM]])
async def test_the_best_pictures_file_follows_once_an_album_is_there(
    sessions: Sessions, arrived: list[DeliveryKind]
) -> None:
    """By itself or shown again: the plan has promised it."""
    who = await rows.person(sessions)
    await rows.subscribe(sessions, who.account_id, "profi")
    task_id, _ = await rows.done(sessions, who)
    assert [(await _end(sessions, _sent)).kind for _ in arrived] == arrived
    await _end(sessions, _unknown)
    assert (await _resend(sessions, who, task_id)).created
    showing = [DeliveryKind.ALBUM, DeliveryKind.ACTIONS][len(arrived) :]
    assert [(await _end(sessions, _sent)).kind for _ in showing] == showing
    file = await _end(sessions, _sent)
    assert (file.kind, file.origin) == (DeliveryKind.ORIGINALS, deliveries.BEST)
    async with sessions.begin() as session:
        await deliveries.request(session, who.account_id, task_id, DeliveryKind.ALBUM, "history:1")
    for kind in (DeliveryKind.ALBUM, DeliveryKind.ACTIONS):
        assert (await _end(sessions, _sent)).kind is kind
    async with sessions.begin() as session:
        assert await deliveries.claim(session) is None, "the file comes once"


async def test_a_live_lease_is_not_swept(sessions: Sessions) -> None:
    await rows.done(sessions, await rows.person(sessions))
    claimed = await rows.sending(sessions)
    async with sessions.begin() as session:
        assert await deliveries.sweep_leases(session) == 0
        await _sent(session, claimed.id, claimed.token)


async def test_a_dead_senders_delivery_is_unknown_and_says_why(sessions: Sessions) -> None:
    await _in_state(sessions, S)
    async with sessions.begin() as session:
        assert await deliveries.sweep_leases(session) == 1
        assert await deliveries.sweep_leases(session) == 0
    assert await rows.rows(sessions, "SELECT reason FROM deliveries") == [("sender_died",)]
