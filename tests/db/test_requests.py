"""Requests: one per message, changed while a draft, frozen into a brief when submitted."""

from __future__ import annotations

import asyncio

import pytest

from db import brands, requests
from db.errors import LimitReached, Stale
from db.models import Task
from db.states import RequestState
from db.views import Draft, Locale, Submitted, Variation
from tests.db import rows
from tests.db.rows import Person, Sessions


async def _draft(sessions: Sessions, who: Person, **fields: object) -> Draft:
    async with sessions.begin() as session:
        draft, _ = await requests.draft(session, rows.new_draft(who, **fields))
    return draft


async def _submit(
    sessions: Sessions, who: Person, request_id: int, origin: str = "card:5:create"
) -> Submitted:
    async with sessions.begin() as session:
        return await requests.submit(
            session,
            who.account_id,
            request_id,
            origin,
            chat_id=who.id,
            thread_id=None,
            now=rows.NOW,
        )


async def _brand_id(sessions: Sessions, who: Person) -> int:
    async with sessions.begin() as session:
        brand = await brands.create(
            session, who.account_id, name="Кофе", style_original="тёплый", style_short="warm",
            palette=["#aa5500"], preset=None,
        )  # fmt: skip
    return brand.id


async def _brief(sessions: Sessions, task_id: int) -> dict[str, object]:
    [(brief,)] = await rows.rows(sessions, "SELECT brief FROM ml_tasks WHERE id = :id", id=task_id)
    assert isinstance(brief, dict)
    return brief


async def test_a_draft_is_read_back(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    new = rows.new_draft(who, thread_id=77, aspect="4:5")
    async with sessions.begin() as session:
        draft, created = await requests.draft(session, new)
        assert created
        assert await requests.get_draft(session, who.account_id, draft.id) == draft
    for field in ("raw_prompt", "platform", "goal", "aspect", "count", "thread_id"):
        assert getattr(draft, field) == getattr(new, field)
    assert (draft.state, draft.brand, draft.card_message_id) == (RequestState.DRAFT, None, None)


async def test_a_message_seen_again_finds_its_request(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    new = rows.new_draft(who)

    async def once() -> tuple[int, bool]:
        async with sessions.begin() as session:
            draft, created = await requests.draft(session, new)
        return draft.id, created

    results = await asyncio.gather(*(once() for _ in range(5)))
    assert len({request_id for request_id, _ in results}) == 1
    assert sum(created for _, created in results) == 1


async def test_text_postgres_cannot_hold_is_stored_without_the_bad_parts(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    draft = await _draft(sessions, who, raw_prompt="a\x00b\ud800", cleaned_prompt="a\x00b")
    assert (draft.raw_prompt, draft.cleaned_prompt) == ("ab?", "ab")
    assert (await _submit(sessions, who, draft.id)).created


async def test_a_draft_changes_one_field_at_a_time(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    brand_id = await _brand_id(sessions, who)
    draft = await _draft(sessions, who)
    async with sessions.begin() as session:
        for fields in ({"count": 2}, {"aspect": "16:9"}, {"enhance": False}, {"brand_id": brand_id},
                       {"platform": None}, {"goal": "branding"}):  # fmt: skip
            changed = await requests.change_draft(session, who.account_id, draft.id, **fields)  # type: ignore[arg-type]
    assert (changed.count, changed.aspect, changed.enhance) == (2, "16:9", False)
    assert (changed.platform, changed.goal) == (None, "branding")
    assert changed.brand is not None
    async with sessions.begin() as session:
        neutral = await requests.change_draft(session, who.account_id, draft.id, brand_id=None)
    assert neutral.brand is None


async def test_a_submitted_draft_cannot_be_changed(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    draft = await _draft(sessions, who)
    await _submit(sessions, who, draft.id)
    async with sessions.begin() as session:
        with pytest.raises(Stale):
            await requests.change_draft(session, who.account_id, draft.id, count=1)
        assert (await requests.get_draft(session, who.account_id, draft.id)).count == 4


async def test_a_request_is_found_by_its_message(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    draft = await _draft(sessions, who, source_message_id=5)
    async with sessions.begin() as session:
        assert await requests.of_message(session, who.account_id, who.id, 5) == draft
        assert await requests.of_message(session, who.account_id, who.id, 6) is None


async def test_the_card_is_remembered(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    draft = await _draft(sessions, who)
    async with sessions.begin() as session:
        await requests.set_card(session, draft.id, 55)
        assert (await requests.get_draft(session, who.account_id, draft.id)).card_message_id == 55


async def test_old_drafts_are_pruned_and_what_was_ordered_stays(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    ordered, _, new = [await _draft(sessions, who) for _ in range(3)]
    await _submit(sessions, who, ordered.id)
    await rows.execute(
        sessions,
        "UPDATE ml_requests SET created_at = now() - interval '31 days' WHERE id <> :id",
        id=new.id,
    )
    async with sessions.begin() as session:
        assert await requests.prune_drafts(session, older_than_days=30) == 1
    assert await rows.rows(sessions, "SELECT id FROM ml_requests ORDER BY id") == [
        (ordered.id,), (new.id,),
    ]  # fmt: skip


async def test_submitting_freezes_the_brief(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    brand_id = await _brand_id(sessions, who)
    photo = "photos/1/7/a.jpg"
    draft = await _draft(sessions, who, brand_id=brand_id, aspect="4:5", photo_key=photo)
    submitted = await _submit(sessions, who, draft.id)
    async with sessions.begin() as session:
        await brands.edit(session, who.account_id, brand_id, style_short="cold")
    assert await _brief(sessions, submitted.task_id) == {
        "raw_prompt": "кофе осенью!!",
        "cleaned_prompt": "кофе осенью",
        "platform": "instagram",
        "goal": "promotion",
        "aspect": "4:5",
        "count": 4,
        "seed": 7,
        "enhance": True,
        "brand": {"name": "Кофе", "style_short": "warm", "palette": ["#aa5500"]},
        "variation": None,
        "photo": photo,
    }


async def test_a_brand_deleted_before_submitting_is_left_out(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    brand_id = await _brand_id(sessions, who)
    draft = await _draft(sessions, who, brand_id=brand_id)
    async with sessions.begin() as session:
        await brands.delete(session, who.account_id, brand_id)
    submitted = await _submit(sessions, who, draft.id)
    assert (await _brief(sessions, submitted.task_id))["brand"] is None


async def _again(
    sessions: Sessions, who: Person, task_id: int, origin: str, *, user_id: int | None = None,
    locale: Locale = "ru", seed: int | None = None, variation: Variation | None = None,
) -> Submitted:  # fmt: skip
    async with sessions.begin() as session:
        return await requests.submit_again(
            session, who.account_id, task_id, origin, user_id=user_id or who.id, locale=locale,
            chat_id=1, thread_id=3, now=rows.NOW, seed=seed, variation=variation,
        )  # fmt: skip


async def test_a_variation_and_another_seed_are_in_the_brief(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    photo = "photos/1/7/a.jpg"
    first = await _submit(sessions, who, (await _draft(sessions, who, photo_key=photo)).id)
    like = Variation(seed=101, strength=0.35)
    similar = await _again(sessions, who, first.task_id, "similar:9", seed=0, variation=like)
    wanted = {"seed": 0, "variation": {"seed": 101, "strength": 0.35, "of": None}}
    assert await _brief(sessions, similar.task_id) == await _brief(sessions, first.task_id) | wanted
    assert (await _brief(sessions, similar.task_id))["photo"] == photo
    # Other pictures like no one in particular.
    more = await _again(sessions, who, similar.task_id, "more:9", seed=5)
    plain = {"seed": 5, "variation": None}
    assert await _brief(sessions, more.task_id) == await _brief(sessions, first.task_id) | plain
    # The very same once more.
    retried = await _again(sessions, who, similar.task_id, "retry:9")
    assert await _brief(sessions, retried.task_id) == await _brief(sessions, similar.task_id)


@pytest.mark.parametrize(
    "before", [{"seed": 101, "strength": 0.35}, {"seed": 101, "strength": 0.35, "of": None}]
)
async def test_a_variation_of_a_variation_keeps_what_that_one_is_of(
    sessions: Sessions, before: dict[str, object]
) -> None:
    """Briefs of older tasks say nothing of it: they were drawn as variations of none."""
    who = await rows.person(sessions)
    first = await _submit(sessions, who, (await _draft(sessions, who)).id)
    async with sessions.begin() as session:
        task = await session.get_one(Task, first.task_id)
        task.brief = task.brief | {"variation": before}
    like = Variation(seed=202, strength=0.5)
    similar = await _again(sessions, who, first.task_id, "similar:9", seed=0, variation=like)
    wanted = {"seed": 202, "strength": 0.5, "of": before}
    assert (await _brief(sessions, similar.task_id))["variation"] == wanted


async def test_an_album_once_more_keeps_the_brand_it_was_drawn_with(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    brand_id = await _brand_id(sessions, who)
    first = await _submit(sessions, who, (await _draft(sessions, who, brand_id=brand_id)).id)
    async with sessions.begin() as session:
        await brands.delete(session, who.account_id, brand_id)
    more = await _again(sessions, who, first.task_id, "more:9", seed=5)
    brief = await _brief(sessions, more.task_id)
    assert brief["brand"] == {"name": "Кофе", "style_short": "warm", "palette": ["#aa5500"]}


async def test_a_task_is_for_who_asked_in_their_language(sessions: Sessions) -> None:
    who, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    first = await _submit(sessions, who, (await _draft(sessions, who)).id)
    again = await _again(sessions, who, first.task_id, "repeat:9", user_id=other.id, locale="en")
    assert await rows.rows(
        sessions, "SELECT id, user_id, locale, chat_id, thread_id FROM ml_tasks ORDER BY id"
    ) == [(first.task_id, 1, "ru", 1, None), (again.task_id, 2, "en", 1, 3)]


async def test_no_more_than_ten_tasks_of_an_account_wait(sessions: Sessions) -> None:
    who, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    await rows.queued(sessions, other)
    drafts = [await _draft(sessions, who, count=1) for _ in range(requests.WAITING_LIMIT + 3)]
    taps = await asyncio.gather(
        *(_submit(sessions, who, draft.id) for draft in drafts), return_exceptions=True
    )
    refused = [draft for draft, tap in zip(drafts, taps, strict=True) if isinstance(tap, Exception)]
    assert len(refused) == 3
    with pytest.raises(LimitReached) as told:
        await _submit(sessions, who, refused[0].id)
    assert (told.value.what, told.value.limit) == ("waiting tasks", requests.WAITING_LIMIT)
    async with sessions.begin() as session:
        kept = await requests.get_draft(session, who.account_id, refused[0].id)
    assert kept.state is RequestState.DRAFT
    # What waits already is found, not refused; and one that has begun makes room.
    done = next(draft for draft in drafts if draft not in refused)
    assert not (await _submit(sessions, who, done.id)).created
    await rows.execute(
        sessions, "UPDATE ml_tasks SET queued_at = now() - interval '1 h' WHERE account_id = :id",
        id=who.account_id,
    )  # fmt: skip
    await rows.claim(sessions)
    assert (await _submit(sessions, who, refused[0].id)).created


async def test_a_second_tap_changes_nothing(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    draft = await _draft(sessions, who)
    taps = await asyncio.gather(*(_submit(sessions, who, draft.id) for _ in range(5)))
    assert len({tap.task_id for tap in taps}) == 1
    assert sum(tap.created for tap in taps) == 1


async def test_another_origin_makes_another_task(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    draft = await _draft(sessions, who)
    first = await _submit(sessions, who, draft.id)
    more = await _submit(sessions, who, draft.id, "card:9:more")
    assert more.created
    assert more.task_id != first.task_id
