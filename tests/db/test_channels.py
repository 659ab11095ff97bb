"""Channels of an account: connecting within the plan's limit, breaking, healing, removing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from db import channels, posts, publishing
from db.errors import LimitReached, NotFound, Stale
from db.states import LatePosts, PostState
from tests.db import rows
from tests.db.channels import CHAT, NOW, allow, connect, connected, drafted, scheduled
from tests.db.rows import Sessions

DAY = timedelta(days=1)
TOLD = "SELECT kind, data->>'channel' FROM notices ORDER BY id"


async def test_the_free_plan_has_no_channels(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    with pytest.raises(LimitReached) as reached:
        await connect(sessions, who)
    assert (reached.value.what, reached.value.limit) == ("channels", 0)


async def test_connecting_again_refreshes_and_counts_once(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await allow(sessions, who, 1)
    first = await connect(sessions, who)
    again = await connect(sessions, who, title="Кофе за углом")
    assert (again.id, again.title) == (first.id, "Кофе за углом")
    with pytest.raises(LimitReached):
        await connect(sessions, who, CHAT - 1)


async def test_two_at_once_do_not_pass_the_limit_together(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await allow(sessions, who, 1)
    ends = await asyncio.gather(
        *(connect(sessions, who, CHAT - n) for n in range(4)), return_exceptions=True
    )
    assert sum(isinstance(end, LimitReached) for end in ends) == 3


async def test_channels_over_a_smaller_plans_limit_are_frozen(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    first, second, third = [await connected(sessions, who, CHAT - n) for n in range(3)]

    async def frozen(limit: int) -> list[int]:
        await allow(sessions, who, limit)
        async with sessions.begin() as session:
            listed = await channels.list_(session, who.account_id)
            ids = [channel.id for channel in listed if channel.is_frozen]
            assert await channels.count_frozen(session, who.account_id) == len(ids)
            for channel in listed:
                assert await channels.get(session, who.account_id, channel.id) == channel
        return ids

    assert await frozen(3) == []
    assert await frozen(1) == [second.id, third.id]
    assert (await connect(sessions, who, CHAT - 2)).is_frozen
    async with sessions.begin() as session:
        await channels.remove(session, who.account_id, first.id, now=NOW)
    assert await frozen(1) == [third.id]
    assert await frozen(0) == [second.id, third.id]
    await rows.execute(sessions, "DELETE FROM periods")
    async with sessions.begin() as session:
        assert await channels.count_frozen(session, who.account_id) == 2, "met on Free"


async def test_one_channel_serves_two_accounts(sessions: Sessions) -> None:
    mine, theirs = await rows.person(sessions, 1), await rows.person(sessions, 2)
    assert (await connected(sessions, mine)).id != (await connected(sessions, theirs)).id
    async with sessions.begin() as session:
        assert len(await channels.list_(session, mine.account_id)) == 1


async def test_breaking_and_healing_tell_every_account_once(sessions: Sessions) -> None:
    for user_id in (1, 2):
        await connected(sessions, await rows.person(sessions, user_id))
    async with sessions.begin() as session:
        assert len(await channels.broke(session, CHAT, "no_rights", now=NOW)) == 2
        assert await channels.broke(session, CHAT, "no_rights", now=NOW) == ()
    async with sessions.begin() as session:
        assert len(await channels.healed(session, CHAT)) == 2
        assert await channels.healed(session, CHAT) == ()
        assert await channels.broke(session, -5, "no_rights", now=NOW) == ()
    told = await rows.rows(sessions, TOLD)
    assert [kind for kind, _ in told] == ["channel_broken"] * 2 + ["channel_healed"] * 2
    assert {title for _, title in told} == {"Кофе рядом"}


async def test_removing_calls_off_what_was_to_go_there(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    draft = await drafted(sessions, who, channel)
    refused = await scheduled(sessions, who, channel)
    async with sessions.begin() as session:
        claim = await publishing.claim(session, now=NOW)
        assert claim is not None
        await publishing.undeliverable(session, refused.id, claim.token, "no_rights")
    waiting = await scheduled(sessions, who, channel)
    async with sessions.begin() as session:
        await channels.remove(session, who.account_id, channel.id, now=NOW)
    async with sessions.begin() as session:
        for post in (draft, refused, waiting):
            found = await posts.get(session, who.account_id, post.id)
            assert found.state is PostState.CANCELLED
        assert await channels.list_(session, who.account_id) == ()
        with pytest.raises(NotFound):
            await channels.remove(session, who.account_id, channel.id, now=NOW)
    assert (await connect(sessions, who)).id != channel.id


async def test_what_comes_back_to_a_removed_channel_never_goes_there(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    put_off, in_doubt = [
        await scheduled(sessions, who, await connected(sessions, who, CHAT - n)) for n in range(2)
    ]
    async with sessions.begin() as session:
        claims = [await publishing.claim(session, now=NOW) for _ in range(2)]
        tokens = [claim.token for claim in claims if claim is not None]
        await publishing.unknown(session, in_doubt.id, tokens[1], "timeout")
    async with sessions.begin() as session:
        for post in (put_off, in_doubt):
            await channels.remove(session, who.account_id, post.channel.id, now=NOW)
    async with sessions.begin() as session:
        await posts.resend(session, who.account_id, in_doubt.id, 1, now=NOW)
        await publishing.retry(session, put_off.id, tokens[0], not_before_s=0, reason="429")
    async with sessions.begin() as session:
        assert await publishing.claim(session, now=NOW) is None
        assert await publishing.next_due_s(session, now=NOW) is None
        found = await posts.get(session, who.account_id, put_off.id)
        assert found.state is PostState.CANCELLED


Change = Callable[[AsyncSession], Awaitable[object]]


@pytest.mark.parametrize("come_back", ["retry", "resend"])
@pytest.mark.parametrize("first", ["removed", "come back"])
async def test_a_post_that_comes_back_while_its_channel_is_removed_is_called_off(
    sessions: Sessions, come_back: str, first: str
) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    post = await scheduled(sessions, who, channel)
    async with sessions.begin() as session:
        claim = await publishing.claim(session, now=NOW)
        assert claim is not None
        if come_back == "resend":
            await publishing.unknown(session, claim.id, claim.token, "timeout")

    async def back(session: AsyncSession) -> None:
        if come_back == "resend":
            await posts.resend(session, who.account_id, post.id, 1, now=NOW)
        else:
            await publishing.retry(session, claim.id, claim.token, not_before_s=0, reason="429")

    async def removed(session: AsyncSession) -> None:
        await channels.remove(session, who.account_id, channel.id, now=NOW)

    await _meet(sessions, *((removed, back) if first == "removed" else (back, removed)))
    async with sessions.begin() as session:
        assert (await posts.get(session, who.account_id, post.id)).state is PostState.CANCELLED


async def _meet(sessions: Sessions, first: Change, second: Change) -> None:
    """The second change begins when the first one is done but not committed."""

    async def late() -> None:
        async with sessions.begin() as session:
            await second(session)

    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(20), asyncio.TaskGroup() as group, sessions.begin() as session:
        await first(session)
        meeting = group.create_task(late())
        while not meeting.done() and await rows.rows(sessions, waiting) != [(1,)]:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("is_there", "state"), [(True, PostState.SENT), (False, PostState.CANCELLED)]
)
async def test_a_doubt_about_a_post_outlives_its_channel_and_can_be_settled(
    sessions: Sessions, is_there: bool, state: PostState
) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    post = await scheduled(sessions, who, channel)
    async with sessions.begin() as session:
        claim = await publishing.claim(session, now=NOW)
        assert claim is not None
        await publishing.unknown(session, claim.id, claim.token, "timeout")
    async with sessions.begin() as session:
        await channels.remove(session, who.account_id, channel.id, now=NOW)
    async with sessions.begin() as session:
        if is_there:
            settled = await posts.arrived(session, who.account_id, post.id, 1, now=NOW)
        else:
            settled = await posts.resend(session, who.account_id, post.id, 1, now=NOW)
    assert (settled[0].state, settled[1]) == (state, True)


async def test_what_waits_for_a_removed_channel_can_be_called_off(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    channel = await connected(sessions, who)
    post = await scheduled(sessions, who, channel)
    # Begun in one moment with the removal, and so not seen by it.
    await rows.execute(sessions, "UPDATE channels SET removed_at = now()")
    async with sessions.begin() as session:
        with pytest.raises(Stale):
            await posts.schedule(session, who.account_id, post.id, NOW + DAY, now=NOW)
        called_off = await posts.cancel(session, who.account_id, post.id)
    assert called_off.state is PostState.CANCELLED


async def test_the_rules_of_posts_are_the_accounts(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    async with sessions.begin() as session:
        rules = await channels.rules(session, who.account_id)
        assert (rules.time_zone, rules.late_posts) == ("Europe/Moscow", LatePosts.ASK)
        changed = await channels.change_rules(
            session, who.account_id, time_zone="Asia/Vladivostok", late_posts=LatePosts.SEND
        )
        assert (changed.time_zone, changed.late_posts) == ("Asia/Vladivostok", LatePosts.SEND)
        with pytest.raises(NotFound):
            await channels.change_rules(session, who.account_id, time_zone="../etc/passwd")
        with pytest.raises(NotFound):
            await channels.rules(session, 10**9)
