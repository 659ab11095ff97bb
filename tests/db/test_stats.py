"""Statistics of posts: what counts, where it counts, and what the figures are."""

from __future__ import annotations

import math
import statistics
from datetime import UTC, datetime, timedelta

import pytest

from db import brands, channels, requests, stats
from db.stats import Scope, Tally
from tests.db import rows
from tests.db.channels import CHAT, NOW, connect, connected, drafted, published, scheduled
from tests.db.rows import Person, Sessions

DAY = timedelta(days=1)


async def album(
    sessions: Sessions, who: Person, brand_id: int | None = None, *, deleted: bool = False
) -> int:
    """The id of a task done; `deleted`: its brand was, after the draft and before the order."""
    async with sessions.begin() as session:
        draft, _ = await requests.draft(session, rows.new_draft(who, brand_id=brand_id))
        if deleted and brand_id is not None:
            await brands.delete(session, who.account_id, brand_id)
        await requests.submit(
            session, who.account_id, draft.id, "card", chat_id=1, thread_id=None, now=rows.NOW
        )
    claimed = await rows.claim(sessions)
    assert claimed is not None
    await rows.finish(sessions, claimed)
    return claimed.task_id


async def brand(sessions: Sessions, who: Person, name: str) -> int:
    async with sessions.begin() as session:
        made = await brands.create(
            session,
            who.account_id,
            name=name,
            style_original="тепло",
            style_short="warm",
            palette=("#aa5500",),
            preset=None,
        )
    return made.id


async def total(sessions: Sessions, scope: Scope) -> Tally:
    """The same by whatever it is told."""
    async with sessions() as session:
        found, _ = await stats.best(session, scope)
        by_brand = await stats.by_brand(session, scope)
        by_hour = await stats.by_hour(session, scope)
        by_size = await stats.by_size(session, scope)
    assert sum(by_brand.values(), Tally()) == found
    assert sum(by_hour.values(), Tally()) == found
    assert sum(by_size.values(), Tally()) == found
    return found


async def test_what_counts_is_what_is_in_a_channel_and_known(sessions: Sessions) -> None:
    who, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    channel = await connected(sessions, who)
    await published(sessions, channel, await album(sessions, who), 3, 0)
    theirs = await connected(sessions, other)
    await published(sessions, theirs, await album(sessions, other), 9)
    await drafted(sessions, who, channel)
    await scheduled(sessions, who, channel)
    assert await total(sessions, Scope(who.account_id)) == Tally(2, 3, 9)
    # Arrived by a person's word: nobody knows which message it is.
    await rows.execute(sessions, "UPDATE posts SET message_ids = '{}', reactions = '{}'")
    assert await total(sessions, Scope(who.account_id)) == Tally()


async def test_the_time_and_the_channel_can_be_chosen(sessions: Sessions) -> None:
    who, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    one, two = await connected(sessions, who), await connected(sessions, who, CHAT - 1)
    task_id = await album(sessions, who)
    await published(sessions, one, task_id, 1, sent_at=NOW - 30 * DAY)
    await published(sessions, one, task_id, 10, sent_at=NOW - 31 * DAY)
    await published(sessions, two, task_id, 100, sent_at=NOW)
    account = who.account_id
    assert (await total(sessions, Scope(account))).reactions == 111
    assert (await total(sessions, Scope(account, since=NOW - 30 * DAY))).reactions == 101
    assert (await total(sessions, Scope(account, one.id))).reactions == 11
    assert (await total(sessions, Scope(account, one.id, NOW - 30 * DAY))).reactions == 1
    assert (await total(sessions, Scope(other.account_id, one.id))).reactions == 0
    # Disconnected and connected again it is the same channel, with all its posts.
    async with sessions.begin() as session:
        await channels.remove(session, account, one.id, now=NOW)
    again = await connect(sessions, who)
    assert again.id != one.id
    assert (await total(sessions, Scope(account, again.id))).reactions == 11


async def test_brands_are_told_apart_by_name(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await rows.subscribe(sessions, who.account_id, "start", now=rows.NOW)
    channel = await connected(sessions, who)
    coffee = await brand(sessions, who, "Кофе")
    await published(sessions, channel, await album(sessions, who, coffee), 5)
    async with sessions.begin() as session:
        await brands.delete(session, who.account_id, coffee)
    anew = await brand(sessions, who, "кофе")
    await published(sessions, channel, await album(sessions, who, anew), 7)
    gone = await brand(sessions, who, "Чай")
    await published(sessions, channel, await album(sessions, who, gone, deleted=True), 2)
    async with sessions() as session:
        found = await stats.by_brand(session, Scope(who.account_id))
    assert {name and name.lower(): tally for name, tally in found.items()} == {
        "кофе": Tally(2, 12, 74),
        None: Tally(1, 2, 4),
    }


@pytest.mark.parametrize(
    ("zone", "sent_at", "hour"),
    [
        ("Europe/Moscow", datetime(2026, 11, 23, 23, 30, tzinfo=UTC), 2),
        ("Asia/Vladivostok", datetime(2026, 11, 23, 13, 59, 59, tzinfo=UTC), 23),
        ("Asia/Vladivostok", datetime(2026, 11, 23, 14, 0, tzinfo=UTC), 0),
        # Berlin: clocks go forward on 29 March 2026 at 2:00.
        ("Europe/Berlin", datetime(2026, 3, 29, 0, 59, tzinfo=UTC), 1),
        ("Europe/Berlin", datetime(2026, 3, 29, 1, 0, tzinfo=UTC), 3),
    ],
)
async def test_hours_are_those_on_the_accounts_clocks(
    sessions: Sessions, zone: str, sent_at: datetime, hour: int
) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    await published(sessions, channel, await album(sessions, who), 4, sent_at=sent_at)
    async with sessions.begin() as session:
        await channels.change_rules(session, who.account_id, time_zone=zone)
        assert await stats.by_hour(session, Scope(who.account_id)) == {hour: Tally(1, 4, 16)}


async def test_the_first_picture_that_went_out_has_the_size(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await published(sessions, await connected(sessions, who), await album(sessions, who), 1, 2)
    await rows.execute(sessions, "UPDATE predictions SET width = 768 WHERE rank = 2")
    await rows.execute(sessions, "UPDATE posts SET ranks = '{2}'")
    async with sessions() as session:
        found = await stats.by_size(session, Scope(who.account_id))
    assert found == {(768, 512): Tally(2, 3, 5)}


async def test_the_best_posts(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel, task_id = await connected(sessions, who), await album(sessions, who)
    await published(sessions, channel, task_id, 5, 0, 8)
    async with sessions() as session:
        found, posts = await stats.best(session, Scope(who.account_id))
    assert found == Tally(3, 13, 89)
    assert [post.reactions for post in posts] == [8, 5]  # none is best without a reaction
    await published(sessions, channel, task_id, 5, 1, sent_at=NOW + DAY)
    async with sessions() as session:
        _, posts = await stats.best(session, Scope(who.account_id))
    assert [(post.reactions, post.sent_at) for post in posts] == [
        (8, NOW),
        (5, NOW + DAY),
        (5, NOW),
    ]
    assert (posts[0].chat_id, posts[0].message_id) == (CHAT, 1000 * task_id + 30)
    assert (posts[0].caption, posts[0].ranks) == ("Пост <b>3</b>", (1,))


def tally(*counts: int) -> Tally:
    return sum((Tally(1, count, count * count) for count in counts), Tally())


def test_means_and_their_errors() -> None:
    counts = (3, 1, 4, 1, 5, 9, 2, 6, 5, 3)
    assert tally(*counts).mean == statistics.mean(counts)
    error = statistics.stdev(counts) / math.sqrt(len(counts))
    assert tally(*counts).error == pytest.approx(error)
    assert tally(*[7] * 10).error == 0
    assert Tally().mean == 0


def test_close_means_may_be_chance() -> None:
    steady = tally(*[10, 11] * 5)
    assert not stats.may_be_chance(steady, tally(*[12, 13] * 5))
    assert stats.may_be_chance(steady, tally(*[0, 26] * 5))
    assert not tally(*[1] * 9).is_enough
    assert tally(*[1] * 10).is_enough
