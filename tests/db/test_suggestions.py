"""Proposed captions: asked for once, written by one worker at a time, and never left open."""

from __future__ import annotations

import asyncio

import pytest

from db import captions, posts, suggestions
from db.errors import NotFound, Stale
from db.states import SuggestionState
from db.team_views import PostView, SuggestionClaim, SuggestionView
from tests.db import rows
from tests.db.channels import NOW, connected, drafted
from tests.db.rows import Person, Sessions


@pytest.fixture
async def who(sessions: Sessions) -> Person:
    return await rows.person(sessions)


@pytest.fixture
async def post(sessions: Sessions, who: Person) -> PostView:
    return await drafted(sessions, who, await connected(sessions, who))


async def ask(
    sessions: Sessions, who: Person, post: PostView, after: int | None = None
) -> tuple[SuggestionView, bool]:
    async with sessions.begin() as session:
        one, is_new = await suggestions.ask(
            session, who.account_id, post.id, locale="ru", chat_id=1, message_id=5, after=after
        )
    if is_new:
        assert await claim(sessions) is None  # the card first
        async with sessions.begin() as session:
            await suggestions.start(session, post.id, one.number)
    return one, is_new


async def claim(sessions: Sessions, lease_s: float = 30) -> SuggestionClaim | None:
    async with sessions.begin() as session:
        return await suggestions.claim(session, lease_s=lease_s)


async def claimed(sessions: Sessions, lease_s: float = 30) -> SuggestionClaim:
    found = await claim(sessions, lease_s)
    assert found is not None
    return found


async def written(sessions: Sessions, found: SuggestionClaim) -> None:
    async with sessions.begin() as session:
        assert await suggestions.written(session, found, "Заходите!", "templates")
        assert await suggestions.shown(session, found)


async def test_taps_at_once_ask_for_one_and_one_worker_writes_it(
    sessions: Sessions, who: Person, post: PostView
) -> None:
    asked = await asyncio.gather(*(ask(sessions, who, post) for _ in range(4)))
    assert sorted(is_new for _, is_new in asked) == [False, False, False, True]
    assert {one.number for one, _ in asked} == {1}
    found = [one for one in await asyncio.gather(*(claim(sessions) for _ in range(3))) if one]
    assert len(found) == 1
    assert (found[0].idea, found[0].goal, found[0].brand, found[0].room) == (
        "кофе осенью",
        "promotion",
        None,
        captions.LIMIT,
    )


async def test_another_one_is_asked_for_by_its_number(
    sessions: Sessions, who: Person, post: PostView
) -> None:
    await ask(sessions, who, post)
    assert not (await ask(sessions, who, post, after=1))[1]  # still being written
    await written(sessions, await claimed(sessions))
    ready, is_new = await ask(sessions, who, post)
    assert (ready.state, ready.caption, is_new) == (SuggestionState.READY, "Заходите!", False)
    second, is_new = await ask(sessions, who, post, after=1)
    assert (second.number, second.caption, is_new) == (2, None, True)
    assert not (await ask(sessions, who, post, after=1))[1]  # the same tap, once more
    assert (await claimed(sessions)).number == 2


async def test_a_dead_workers_suggestion_is_taken_up_by_another(
    sessions: Sessions, who: Person, post: PostView
) -> None:
    await ask(sessions, who, post)
    dead = await claimed(sessions, lease_s=-1)
    other = await claimed(sessions)
    assert (other.attempt, other.caption) == (2, None)
    async with sessions.begin() as session:
        assert not await suggestions.keep(session, dead, lease_s=30)
        assert not await suggestions.written(session, dead, "Поздно", "ollama")
        assert await suggestions.written(session, other, "Заходите!", "ollama")
        # Written, but Telegram has no time for the card: what is written stays.
        assert await suggestions.later(session, other, -1)
    again = await claimed(sessions)
    assert again.caption == "Заходите!"


async def test_what_is_called_off_is_not_written_and_can_be_asked_for_again(
    sessions: Sessions, who: Person, post: PostView
) -> None:
    await ask(sessions, who, post)
    found = await claimed(sessions)
    async with sessions.begin() as session:
        assert not await suggestions.drop(session, who.account_id, post.id, 2)
        assert await suggestions.drop(session, who.account_id, post.id, 1)
        assert not await suggestions.drop(session, who.account_id, post.id, 1)
        assert not await suggestions.keep(session, found, lease_s=30)
    assert await claim(sessions) is None
    assert (await ask(sessions, who, post)) == (
        SuggestionView(post.id, 2, SuggestionState.OPEN, None, None, "ru"),
        True,
    )


async def test_none_for_what_has_a_time_or_is_anothers(
    sessions: Sessions, who: Person, post: PostView
) -> None:
    with pytest.raises(NotFound):
        await ask(sessions, await rows.person(sessions, 2), post)
    async with sessions.begin() as session:
        await posts.publish_now(session, who.account_id, post.id, now=NOW)
    with pytest.raises(Stale):
        await ask(sessions, who, post)
