"""Albums: read whole, chosen from, listed in the history."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from db import albums, deliveries, requests, tasks
from db.errors import NotFound, Stale
from db.states import TaskState
from tests.db import rows
from tests.db.rows import Sessions


async def test_an_album_is_what_the_worker_handed_in(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    claimed = await rows.running(sessions, who)
    await rows.finish(sessions, claimed, pictures=3)
    handed_in = rows.finished_album(3)
    async with sessions.begin() as session:
        album = await albums.album(session, who.account_id, claimed.task_id)
    assert album.prompt == handed_in.prompt
    assert (album.judge, album.generator) == (handed_in.judge, handed_in.generator)
    assert album.timings_ms == handed_in.timings_ms
    assert album.brief == claimed.brief
    assert album.chosen_rank is None
    for stored, image in zip(album.images, handed_in.images, strict=True):
        for field in ("rank", "seed", "sha256", "clip_raw", "final_score", "gen_meta"):
            assert getattr(stored, field) == getattr(image, field)


async def test_a_prompt_keeps_why_another_enhancer_wrote_it(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    claimed = await rows.running(sessions, who)
    album = rows.finished_album()
    album = replace(album, prompt=replace(album.prompt, fallback="timeout"))
    async with sessions.begin() as session:
        await tasks.finish(session, claimed.task_id, claimed.token, album)
    async with sessions.begin() as session:
        stored = await albums.album(session, who.account_id, claimed.task_id)
        assert stored.prompt.fallback == "timeout"
        # Albums made before this was kept have no such key.
        await session.execute(text("UPDATE ml_tasks SET prompt = prompt - 'fallback'"))
    async with sessions.begin() as session:
        stored = await albums.album(session, who.account_id, claimed.task_id)
        assert stored.prompt.fallback is None


async def test_there_is_no_album_before_the_end(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    claimed = await rows.running(sessions, who)
    async with sessions.begin() as session:
        view = await albums.task(session, who.account_id, claimed.task_id)
        assert (view.state, view.user_id) == (TaskState.RUNNING, who.id)
        with pytest.raises(Stale):
            await albums.album(session, who.account_id, claimed.task_id)


async def test_the_choice_can_be_made_again(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    async with sessions.begin() as session:
        for rank in (2, 2, 1):
            assert (await albums.choose(session, who.account_id, task_id, rank)).chosen_rank == rank


@pytest.mark.parametrize("rank", [0, 3, -1])
async def test_a_picture_that_is_not_there_cannot_be_chosen(sessions: Sessions, rank: int) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    async with sessions.begin() as session:
        with pytest.raises(NotFound):
            await albums.choose(session, who.account_id, task_id, rank)


async def test_the_history_lists_albums_newest_first_in_pages(sessions: Sessions) -> None:
    who, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    ids = [(await rows.done(sessions, who))[0] for _ in range(5)]
    await rows.done(sessions, other)
    await rows.queued(sessions, who)
    pages: list[list[int]] = []
    before_id: int | None = None
    while True:
        async with sessions.begin() as session:
            page = await albums.history(session, who.account_id, before_id=before_id, limit=2)
        pages.append([item.task_id for item in page.items])
        if (before_id := page.next_before_id) is None:
            break
    assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]


async def test_a_last_full_page_has_no_next(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    for _ in range(2):
        await rows.done(sessions, who)
    async with sessions.begin() as session:
        assert (await albums.history(session, who.account_id, limit=2)).next_before_id is None


async def test_a_line_of_the_history_says_what_was_asked(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    async with sessions.begin() as session:
        [item] = (await albums.history(session, who.account_id)).items
    assert (item.task_id, item.cleaned_prompt, item.count) == (task_id, "кофе осенью", 4)


async def test_a_hidden_album_leaves_the_history_and_takes_no_more_orders(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    async with sessions.begin() as session:
        for _ in range(2):
            await albums.hide(session, who.account_id, task_id)
        assert (await albums.history(session, who.account_id)).items == ()
        with pytest.raises(NotFound):
            await requests.submit_again(
                session, who.account_id, task_id, "more:1", user_id=1, locale="ru",
                chat_id=1, thread_id=None, now=rows.NOW,
            )  # fmt: skip
        with pytest.raises(NotFound):
            await albums.choose(session, who.account_id, task_id, 1)
        with pytest.raises(NotFound):
            await deliveries.request(
                session, who.account_id, task_id, deliveries.DeliveryKind.ORIGINALS, "x"
            )
        # What is on its way to the chat may still arrive.
        assert await albums.album(session, who.account_id, task_id)


async def test_hiding_an_album_spares_the_others_of_its_request(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    async with sessions.begin() as session:
        more = await requests.submit_again(
            session, who.account_id, task_id, "more:1", user_id=1, locale="ru",
            chat_id=1, thread_id=None, now=rows.NOW, seed=5,
        )  # fmt: skip
    claimed = await rows.claim(sessions)
    assert claimed is not None
    await rows.finish(sessions, claimed)
    async with sessions.begin() as session:
        await albums.hide(session, who.account_id, task_id)
        [item] = (await albums.history(session, who.account_id)).items
    assert item.task_id == more.task_id


async def test_only_a_finished_album_can_be_hidden(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    task_id = await rows.queued(sessions, who)
    async with sessions.begin() as session:
        with pytest.raises(NotFound):
            await albums.hide(session, who.account_id, task_id)
