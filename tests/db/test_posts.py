"""Posts as people make, move and call them off, and as the worker claims and settles them."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta

import pytest

from db import albums, channels, leases, posts, publishing, zones
from db.errors import CaptionTooLong, LimitReached, NotFound, Stale
from db.states import LatePosts, PostState
from db.team_views import PostClaim, PostView
from tests.db import rows
from tests.db.channels import CHAT, NOW, allow, connected, drafted, scheduled
from tests.db.rows import Person, Sessions

MINUTE = timedelta(minutes=1)
TOLD = "SELECT kind FROM notices ORDER BY id"


async def claim(sessions: Sessions, now: datetime = NOW, lease_s: float = 60) -> PostClaim | None:
    async with sessions.begin() as session:
        return await publishing.claim(session, now=now, lease_s=lease_s)


async def claimed(sessions: Sessions, now: datetime = NOW) -> PostClaim:
    found = await claim(sessions, now)
    assert found is not None
    return found


async def published(sessions: Sessions, now: datetime = NOW) -> PostClaim:
    found = await claimed(sessions, now)
    async with sessions.begin() as session:
        assert await publishing.sent(session, found.id, found.token, [7])
    return found


async def stored(sessions: Sessions, who: Person, post: PostView) -> PostView:
    async with sessions.begin() as session:
        return await posts.get(session, who.account_id, post.id)


# --- drafts ---


async def test_a_draft_takes_the_chosen_picture(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    task_id, _ = await rows.done(sessions, who)
    async with sessions.begin() as session:
        await albums.choose(session, who.account_id, task_id, 2)
    draft = await drafted(sessions, who, channel, task_id)
    assert (draft.ranks, draft.album_ranks, draft.caption) == ((2,), (1, 2), "")
    assert draft.state is PostState.DRAFT


async def test_there_is_one_draft_at_a_time(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    task_id, _ = await rows.done(sessions, who)
    drafts = await asyncio.gather(*(drafted(sessions, who, channel, task_id) for _ in range(5)))
    assert len({draft.id for draft in drafts}) == 1
    async with sessions.begin() as session:
        await posts.publish_now(session, who.account_id, drafts[0].id, now=NOW)
    another = await drafted(sessions, who, channel, task_id)
    assert another.id != drafts[0].id
    assert (await drafted(sessions, who, channel, task_id)).id == another.id


async def test_a_task_at_work_makes_no_post(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    with pytest.raises(Stale):
        await drafted(sessions, who, channel, await rows.queued(sessions, who))


async def test_pictures_are_those_of_the_album_and_at_least_one(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    draft = await drafted(sessions, who, await connected(sessions, who))
    async with sessions.begin() as session:
        changed = await posts.set_ranks(session, who.account_id, draft.id, [2, 1, 2])
        assert changed.ranks == (1, 2)
        for bad in ([], [3], [1, 9]):
            with pytest.raises(NotFound):
                await posts.set_ranks(session, who.account_id, draft.id, bad)


@pytest.mark.parametrize(
    ("caption", "fits"),
    [
        ("я" * 1024, True),
        ("я" * 1025, False),
        ("🦊" * 512, True),
        ("🦊" * 512 + ".", False),
        ("<b>" + "x" * 1024 + "</b>", True),
        ("&amp;" * 1024, True),
        ("&amp;" * 1025, False),
    ],
)
async def test_captions_are_counted_as_telegram_does(
    sessions: Sessions, caption: str, fits: bool
) -> None:
    who = await rows.person(sessions)
    draft = await drafted(sessions, who, await connected(sessions, who))
    async with sessions.begin() as session:
        if fits:
            changed = await posts.set_caption(session, who.account_id, draft.id, caption)
            assert changed.caption == caption
        else:
            with pytest.raises(CaptionTooLong):
                await posts.set_caption(session, who.account_id, draft.id, caption)


# --- times ---


@pytest.mark.parametrize(
    ("zone", "day", "at", "utc"),
    [
        ("Europe/Moscow", date(2026, 11, 23), time(18), datetime(2026, 11, 23, 15, tzinfo=UTC)),
        ("Europe/Moscow", date(2026, 7, 1), time(18), datetime(2026, 7, 1, 15, tzinfo=UTC)),
        ("Asia/Vladivostok", date(2026, 11, 24), time(10), datetime(2026, 11, 24, 0, tzinfo=UTC)),
        ("Asia/Vladivostok", date(2026, 7, 1), time(8), datetime(2026, 6, 30, 22, tzinfo=UTC)),
        # Berlin: clocks go forward on 29 March 2026 at 2:00 and back on 25 October at 3:00.
        ("Europe/Berlin", date(2026, 3, 28), time(10), datetime(2026, 3, 28, 9, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 3, 29), time(10), datetime(2026, 3, 29, 8, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (
            "Europe/Berlin",
            date(2026, 10, 25),
            time(2, 30),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        ),
        ("Europe/Berlin", date(2026, 10, 25), time(10), datetime(2026, 10, 25, 9, tzinfo=UTC)),
    ],
)
def test_the_clock_on_the_wall(zone: str, day: date, at: time, utc: datetime) -> None:
    moment = zones.moment(day, at, zone)
    assert moment == utc
    shown = zones.local(moment, zone)
    left_out = (day, at) == (date(2026, 3, 29), time(2, 30))
    assert (shown.date(), shown.time()) == (day, time(3, 30) if left_out else at)


async def test_a_time_must_lie_ahead_within_a_year(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    draft = await drafted(sessions, who, await connected(sessions, who))
    async with sessions.begin() as session:
        for bad in (NOW, NOW - MINUTE, NOW + timedelta(days=367)):
            with pytest.raises(Stale):
                await posts.schedule(session, who.account_id, draft.id, bad, now=NOW)
        planned = await posts.schedule(session, who.account_id, draft.id, NOW + MINUTE, now=NOW)
        assert (planned.state, planned.publish_at) == (PostState.SCHEDULED, NOW + MINUTE)


async def test_none_goes_early_and_all_in_order(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    later = await scheduled(sessions, who, channel, NOW + 2 * MINUTE)
    sooner = await scheduled(sessions, who, channel, NOW + MINUTE)
    assert await claim(sessions, NOW + MINUTE - timedelta(microseconds=1)) is None
    async with sessions.begin() as session:
        assert await publishing.next_due_s(session, now=NOW) == pytest.approx(60)
    first = await claimed(sessions, NOW + 3 * MINUTE)
    assert first.id == sooner.id
    # The second one waits for the first, however late it is.
    assert await claim(sessions, NOW + 3 * MINUTE) is None
    async with sessions.begin() as session:
        await publishing.retry(session, first.id, first.token, not_before_s=30, reason="429")
    assert await claim(sessions, NOW + 3 * MINUTE) is None
    await rows.execute(sessions, "UPDATE posts SET not_before = NULL")
    assert (await published(sessions, NOW + 3 * MINUTE)).id == sooner.id
    assert (await published(sessions, NOW + 3 * MINUTE)).id == later.id


async def test_channels_do_not_wait_for_each_other(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    for n in range(3):
        await scheduled(sessions, who, await connected(sessions, who, CHAT - n))
    found = await asyncio.gather(*(claim(sessions) for _ in range(4)))
    assert len({one.id for one in found if one is not None}) == 3


async def test_a_week_of_the_plan(sessions: Sessions) -> None:
    who, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    channel = await connected(sessions, who)
    made = [await scheduled(sessions, who, channel, NOW + timedelta(days=day)) for day in (3, 0, 7)]
    await drafted(sessions, who, channel)
    called_off = await scheduled(sessions, who, channel, NOW + timedelta(days=1))
    async with sessions.begin() as session:
        await posts.cancel(session, who.account_id, called_off.id)
        week, total = await posts.between(session, who.account_id, NOW, NOW + timedelta(days=7))
        assert ([post.id for post in week], total) == ([made[1].id, made[0].id], 2)
        rest, total = await posts.between(
            session, who.account_id, NOW, NOW + timedelta(days=8), offset=1
        )
        assert ([post.id for post in rest], total) == ([made[0].id, made[2].id], 3)
        nothing = await posts.between(session, other.account_id, NOW, NOW + timedelta(days=7))
        assert nothing == ((), 0)
        assert len(await posts.of_task(session, who.account_id, made[0].task_id)) == 1


# --- taps that come twice ---


async def test_two_people_publish_at_once_and_it_goes_once(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    draft = await drafted(sessions, who, await connected(sessions, who))

    async def tap(n: int) -> bool:
        async with sessions.begin() as session:
            now = NOW + timedelta(milliseconds=n)
            return (await posts.publish_now(session, who.account_id, draft.id, now=now))[1]

    changed = await asyncio.gather(*(tap(n) for n in range(6)))
    assert changed.count(True) >= 1
    late = NOW + MINUTE
    assert await published(sessions, late)
    assert await claim(sessions, late) is None
    async with sessions.begin() as session:
        _, changed_again = await posts.publish_now(session, who.account_id, draft.id, now=late)
    assert not changed_again
    assert await claim(sessions, late) is None


async def test_what_is_sent_can_not_be_moved_or_called_off(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    post = await scheduled(sessions, who, await connected(sessions, who))
    for settle in (False, True):
        if settle:
            await published(sessions)
        else:
            await rows.execute(
                sessions,
                "UPDATE posts SET state = 'sending', lease_token = gen_random_uuid(),"
                " lease_until = now()",
            )
        async with sessions.begin() as session:
            with pytest.raises(Stale):
                await posts.cancel(session, who.account_id, post.id)
            with pytest.raises(Stale):
                await posts.schedule(session, who.account_id, post.id, NOW + MINUTE, now=NOW)
            with pytest.raises(Stale):
                await posts.set_ranks(session, who.account_id, post.id, [1])
        await rows.execute(
            sessions,
            "UPDATE posts SET state = 'scheduled', lease_token = NULL, lease_until = NULL"
            " WHERE state = 'sending'",
        )


async def test_a_called_off_post_stays_called_off(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    post = await scheduled(sessions, who, await connected(sessions, who))
    async with sessions.begin() as session:
        await posts.cancel(session, who.account_id, post.id)
        assert (await posts.cancel(session, who.account_id, post.id)).state is PostState.CANCELLED
        with pytest.raises(Stale):
            await posts.publish_now(session, who.account_id, post.id, now=NOW)
    assert await claim(sessions) is None


# --- ends ---


async def test_an_unknown_end_is_for_a_person_to_settle_once(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    post = await scheduled(sessions, who, await connected(sessions, who))
    found = await claimed(sessions)
    async with sessions.begin() as session:
        assert await publishing.unknown(session, found.id, found.token, "timeout")
        assert not await publishing.unknown(session, found.id, found.token, "timeout")
    assert await claim(sessions, NOW + MINUTE) is None
    assert await rows.rows(sessions, TOLD) == [("post_unknown",)]

    async def again(attempt: int) -> bool:
        async with sessions.begin() as session:
            return (await posts.resend(session, who.account_id, post.id, attempt, now=NOW))[1]

    assert not await again(2)
    assert sorted(await asyncio.gather(again(1), again(1))) == [False, True]
    await published(sessions)
    # A tap on the first question, late: the second attempt is not what it was about.
    assert not await again(1)
    async with sessions.begin() as session:
        assert not (await posts.arrived(session, who.account_id, post.id, 1, now=NOW))[1]


async def test_the_first_question_does_not_settle_a_second_doubt(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    post = await scheduled(sessions, who, await connected(sessions, who))

    async def lost() -> None:
        found = await claimed(sessions)
        async with sessions.begin() as session:
            await publishing.unknown(session, found.id, found.token, "timeout")

    await lost()
    async with sessions.begin() as session:
        await posts.resend(session, who.account_id, post.id, 1, now=NOW)
    await lost()
    for attempt, state in ((1, PostState.UNKNOWN), (2, PostState.SENT)):
        async with sessions.begin() as session:
            settled, changed = await posts.arrived(
                session, who.account_id, post.id, attempt, now=NOW
            )
        assert (settled.state, changed) == (state, state is PostState.SENT)


async def test_a_person_says_that_it_arrived(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    post = await scheduled(sessions, who, await connected(sessions, who))
    found = await claimed(sessions)
    async with sessions.begin() as session:
        await publishing.unknown(session, found.id, found.token, "timeout")
        settled, changed = await posts.arrived(session, who.account_id, post.id, 1, now=NOW)
        assert changed
        assert settled.state is PostState.SENT
        with pytest.raises(Stale):  # which message it is, nobody knows
            await posts.set_caption(session, who.account_id, post.id, "Новая")


async def test_a_dead_senders_post_is_unknown(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    post = await scheduled(sessions, who, await connected(sessions, who))
    assert await claim(sessions, lease_s=-1) is not None
    async with sessions.begin() as session:
        assert await publishing.sweep_leases(session) == (post.id,)
        assert await publishing.sweep_leases(session) == ()
    settled = await stored(sessions, who, post)
    assert (settled.state, settled.reason) == (PostState.UNKNOWN, leases.SENDER_DIED)


async def test_an_undeliverable_post_can_be_tried_again(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    post = await scheduled(sessions, who, await connected(sessions, who))
    found = await claimed(sessions)
    async with sessions.begin() as session:
        assert await publishing.undeliverable(session, found.id, found.token, "no_rights")
    assert await rows.rows(sessions, TOLD) == [("post_undeliverable",)]
    assert await claim(sessions) is None
    async with sessions.begin() as session:
        assert (await posts.publish_now(session, who.account_id, post.id, now=NOW))[1]
    assert (await published(sessions)).attempt == 2


# --- downtime ---


async def test_what_is_hours_late_is_asked_about(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    late = await scheduled(sessions, who, channel, NOW - publishing.LATE - MINUTE)
    fresh = await scheduled(sessions, who, channel, NOW - publishing.LATE + MINUTE)
    assert (await published(sessions)).id == fresh.id
    async with sessions.begin() as session:
        assert await publishing.put_to_question(session, now=NOW) == 1
        assert await publishing.put_to_question(session, now=NOW) == 0
    assert (await stored(sessions, who, late)).state is PostState.OVERDUE
    assert await rows.rows(sessions, TOLD) == [("post_overdue",)]
    async with sessions.begin() as session:
        assert (await posts.publish_now(session, who.account_id, late.id, now=NOW))[1]
    assert (await published(sessions)).id == late.id


async def test_many_late_posts_are_one_question(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    for n in range(3):
        await scheduled(sessions, who, channel, NOW - publishing.LATE - n * MINUTE - MINUTE)
    async with sessions.begin() as session:
        assert await publishing.put_to_question(session, now=NOW) == 3
    told = await rows.rows(sessions, "SELECT kind, data->>'count', data->>'first_day' FROM notices")
    assert told == [("posts_overdue", "3", "2026-11-23")]


async def test_late_posts_are_asked_about_in_their_topics(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    for thread_id in (7, None, 8, 7):
        post = await scheduled(sessions, who, channel, NOW - publishing.LATE - MINUTE)
        async with sessions.begin() as session:
            await posts.remember_card(session, who.account_id, post.id, -5, 55, thread_id=thread_id)
    await rows.execute(
        sessions, "UPDATE accounts SET kind = 'team', owner_user_id = NULL, chat_id = -5"
    )
    async with sessions.begin() as session:
        assert await publishing.put_to_question(session, now=NOW) == 4
    told = await rows.rows(
        sessions,
        "SELECT kind, data->>'count', (data->>'thread_id')::int FROM notices ORDER BY 3",
    )
    assert told == [
        ("posts_overdue", "2", 7),
        ("post_overdue", None, 8),
        ("post_overdue", None, None),
    ]


async def test_who_wants_it_has_late_posts_sent(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    async with sessions.begin() as session:
        await channels.change_rules(session, who.account_id, late_posts=LatePosts.SEND)
    late = await scheduled(sessions, who, channel, NOW - timedelta(days=2))
    async with sessions.begin() as session:
        assert await publishing.put_to_question(session, now=NOW) == 0
    assert (await published(sessions)).id == late.id


# --- a smaller plan ---


async def test_nothing_is_sent_off_to_a_channel_over_the_plans_limit(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    first, second = [await connected(sessions, who, CHAT - n) for n in range(2)]
    in_doubt = await scheduled(sessions, who, second)
    found = await claimed(sessions)
    async with sessions.begin() as session:
        await publishing.unknown(session, found.id, found.token, "timeout")
    task_id, _ = await rows.done(sessions, who)
    draft = await drafted(sessions, who, second, task_id)
    await allow(sessions, who, 1)
    await drafted(sessions, who, first, task_id)
    me, later = who.account_id, NOW + MINUTE
    for call in (
        lambda s: posts.draft(s, me, who.id, task_id, second.id),
        lambda s: posts.publish_now(s, me, draft.id, now=NOW),
        lambda s: posts.schedule(s, me, draft.id, later, now=NOW),
        lambda s: posts.resend(s, me, in_doubt.id, 1, now=NOW),
    ):
        async with sessions.begin() as session:
            with pytest.raises(LimitReached) as reached:
                await call(session)
        assert (reached.value.what, reached.value.limit) == ("channels", 1)
    assert await claim(sessions, later) is None
    async with sessions.begin() as session:
        await posts.cancel(session, me, draft.id)
        assert (await posts.arrived(session, me, in_doubt.id, 1, now=NOW))[1]
        with pytest.raises(Stale):  # not for the plan's sake: it is there
            await posts.schedule(session, me, in_doubt.id, later, now=NOW)


async def test_what_is_due_in_a_frozen_channel_waits_for_a_larger_plan(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    first, second = [await connected(sessions, who, CHAT - n) for n in range(2)]
    goes = await scheduled(sessions, who, first, NOW + MINUTE)
    stays = await scheduled(sessions, who, second)
    ahead = await scheduled(sessions, who, second, NOW + MINUTE)
    await allow(sessions, who, 1)
    assert await claim(sessions) is None
    async with sessions.begin() as session:
        assert await publishing.next_due_s(session, now=NOW) == pytest.approx(60)
        assert await publishing.refuse_frozen(session, now=NOW) == (stays.id,)
        assert await publishing.refuse_frozen(session, now=NOW) == ()
    refused = await stored(sessions, who, stays)
    assert (refused.state, refused.reason) == (PostState.UNDELIVERABLE, publishing.OVER_PLAN)
    assert await rows.rows(sessions, TOLD) == [("post_undeliverable",)]
    await allow(sessions, who, 2)
    async with sessions.begin() as session:
        assert (await posts.publish_now(session, who.account_id, stays.id, now=NOW))[1]
    ids = {(await published(sessions, NOW + MINUTE)).id for _ in range(3)}
    assert ids == {goes.id, stays.id, ahead.id}


# --- reactions ---


async def test_reactions_to_any_message_of_an_album_count_once(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    post, other = await scheduled(sessions, who, channel), await scheduled(sessions, who, channel)
    for message_ids in ([7, 8], [9]):
        found = await claimed(sessions)
        async with sessions.begin() as session:
            await publishing.sent(session, found.id, found.token, message_ids)

    async def told(message_id: int, counts: dict[str, int], chat_id: int = CHAT) -> dict[str, int]:
        async with sessions.begin() as session:
            await publishing.count_reactions(session, chat_id, message_id, counts)
        return (await stored(sessions, who, post)).reactions

    assert await told(7, {"🔥": 2, "❤": 1}) == {"🔥": 2, "❤": 1}
    assert await told(8, {"❤": 4}) == {"❤": 5, "🔥": 2}
    assert await told(7, {"🔥": 3}) == {"❤": 4, "🔥": 3}  # in place of what was told before
    assert await told(7, {"🔥": 3}) == {"❤": 4, "🔥": 3}
    assert await told(8, {}) == {"🔥": 3}
    assert await told(9, {"👍": 1}) == {"🔥": 3}
    assert await told(7, {"👎": 9}, chat_id=CHAT - 1) == {"🔥": 3}
    assert (await stored(sessions, who, other)).reactions == {"👍": 1}


async def test_reactions_told_before_the_messages_are_known_count(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    post = await scheduled(sessions, who, channel)

    async def told(message_id: int, counts: dict[str, int]) -> None:
        async with sessions.begin() as session:
            await publishing.count_reactions(session, CHAT, message_id, counts)

    first = await claimed(sessions)
    await told(5, {"👍": 1})  # of a message that is none of ours
    async with sessions.begin() as session:
        await publishing.retry(session, first.id, first.token, not_before_s=0, reason="429")
    second = await claimed(sessions)
    await told(7, {"🔥": 1})
    await told(7, {"🔥": 2})
    await told(6, {"👎": 3})
    async with sessions.begin() as session:
        await publishing.sent(session, second.id, second.token, [7, 8])
    assert (await stored(sessions, who, post)).reactions == {"🔥": 2}
    await told(8, {"❤": 1})
    assert (await stored(sessions, who, post)).reactions == {"🔥": 2, "❤": 1}


async def test_reactions_told_while_a_post_is_lost_from_sight_are_not_its(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    post = await scheduled(sessions, who, await connected(sessions, who))
    found = await claimed(sessions)
    async with sessions.begin() as session:
        await publishing.count_reactions(session, CHAT, 7, {"🔥": 1})
        await publishing.unknown(session, found.id, found.token, "timeout")
    assert (await stored(sessions, who, post)).reactions == {}
    async with sessions.begin() as session:
        await posts.arrived(session, who.account_id, post.id, 1, now=NOW)
    assert (await stored(sessions, who, post)).reactions == {}


async def test_a_count_that_meets_the_end_of_the_sending_is_kept(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    post = await scheduled(sessions, who, await connected(sessions, who))
    found = await claimed(sessions)

    async def told() -> None:
        async with sessions.begin() as session:
            await publishing.count_reactions(session, CHAT, 7, {"🔥": 1})

    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(20), asyncio.TaskGroup() as group, sessions.begin() as session:
        await publishing.sent(session, found.id, found.token, [7])
        group.create_task(told())
        while await rows.rows(sessions, waiting) != [(1,)]:
            await asyncio.sleep(0.01)
    assert (await stored(sessions, who, post)).reactions == {"🔥": 1}


# --- edits after publishing ---


async def test_a_changed_caption_is_to_reach_the_post(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    post = await scheduled(sessions, who, await connected(sessions, who))
    await published(sessions)
    async with sessions.begin() as session:
        assert await publishing.edits(session, 10) == ()
        await posts.set_caption(session, who.account_id, post.id, "Новая")
        (edit,) = await publishing.edits(session, 10)
        assert (edit.chat_id, edit.message_id, edit.caption) == (CHAT, 7, "Новая")
        await publishing.edit_later(session, edit, 60)
        assert await publishing.edits(session, 10) == ()
        # Changed once more before the first change got there: only the last one counts.
        await posts.set_caption(session, who.account_id, post.id, "Самая новая")
        await publishing.edited(session, edit)
        (newest,) = await publishing.edits(session, 10)
        await publishing.edited(session, newest)
        assert await publishing.edits(session, 10) == ()
    assert (await stored(sessions, who, post)).shown_caption == "Самая новая"


async def test_a_refused_edit_leaves_what_is_shown(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    post = await scheduled(sessions, who, await connected(sessions, who))
    await published(sessions)
    async with sessions.begin() as session:
        await posts.set_caption(session, who.account_id, post.id, "Новая")
        (edit,) = await publishing.edits(session, 10)
        await publishing.edit_refused(session, edit, "no_rights")
        await publishing.edit_refused(session, edit, "no_rights")
        assert await publishing.edits(session, 10) == ()
    assert (await stored(sessions, who, post)).caption == ""
    assert await rows.rows(sessions, TOLD) == [("post_edit_refused",)]


async def test_the_card_says_it_in_its_persons_language(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    post = await scheduled(sessions, who, await connected(sessions, who))
    async with sessions.begin() as session:
        assert await publishing.card(session, post.id) is None
        await posts.remember_card(session, who.account_id, post.id, 1, 55)
        card = await publishing.card(session, post.id)
    assert card is not None
    assert (card.chat_id, card.message_id, card.locale) == (1, 55, "ru")
