"""Requests: one per message, changed while a draft, frozen into a brief when submitted."""

from __future__ import annotations

import asyncio

import pytest

from db import brands, requests
from db.errors import NotFound, Stale
from db.states import RequestState
from db.views import Draft, Submitted, Variation
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
            session, who.account_id, request_id, origin, chat_id=who.id, thread_id=None
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
    new = rows.new_draft(who, thread_id=77, is_group=True, aspect="4:5")
    async with sessions.begin() as session:
        draft, created = await requests.draft(session, new)
        assert created
        assert await requests.get_draft(session, who.account_id, draft.id) == draft
    for field in ("raw_prompt", "platform", "goal", "aspect", "count", "thread_id", "is_group"):
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


async def test_an_edited_message_changes_its_draft_until_the_work_has_begun(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    draft = await _draft(sessions, who, source_message_id=5)

    async def edit(text: str, message_id: int = 5) -> Draft | None:
        async with sessions.begin() as session:
            return await requests.change_prompt(
                session, who.id, message_id, raw_prompt=text, cleaned_prompt=text,
                platform="vk", goal=None,
            )  # fmt: skip

    changed = await edit("чай")
    assert changed is not None
    assert (changed.cleaned_prompt, changed.platform, changed.goal) == ("чай", "vk", None)
    assert await edit("чай", message_id=6) is None
    await _submit(sessions, who, draft.id)
    late = await edit("какао")
    assert late is not None
    assert (late.cleaned_prompt, late.state) == ("чай", RequestState.SUBMITTED)


async def test_the_card_is_remembered(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    draft = await _draft(sessions, who)
    async with sessions.begin() as session:
        await requests.set_card(session, draft.id, 55)
        assert (await requests.get_draft(session, who.account_id, draft.id)).card_message_id == 55


async def test_submitting_freezes_the_brief(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    brand_id = await _brand_id(sessions, who)
    draft = await _draft(sessions, who, brand_id=brand_id, aspect="4:5")
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
    }


async def test_a_brand_deleted_before_submitting_is_left_out(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    brand_id = await _brand_id(sessions, who)
    draft = await _draft(sessions, who, brand_id=brand_id)
    async with sessions.begin() as session:
        await brands.delete(session, who.account_id, brand_id)
    submitted = await _submit(sessions, who, draft.id)
    assert (await _brief(sessions, submitted.task_id))["brand"] is None


async def test_a_variation_and_another_seed_are_in_the_brief(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    draft = await _draft(sessions, who)
    async with sessions.begin() as session:
        submitted = await requests.submit(
            session, who.account_id, draft.id, "card:9:similar", chat_id=1, thread_id=3,
            seed=0, variation=Variation(seed=101, strength=0.35), status_message_id=9,
        )  # fmt: skip
    brief = await _brief(sessions, submitted.task_id)
    assert (brief["seed"], brief["variation"]) == (0, {"seed": 101, "strength": 0.35})
    assert await rows.rows(
        sessions, "SELECT chat_id, thread_id, status_message_id, state FROM ml_tasks"
    ) == [(1, 3, 9, "queued")]


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


async def test_a_deleted_request_is_gone_and_its_tasks_stop(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    draft = await _draft(sessions, who)
    await _submit(sessions, who, draft.id)
    await rows.claim(sessions)
    await _submit(sessions, who, draft.id, "card:9:more")
    async with sessions.begin() as session:
        await requests.delete_request(session, who.account_id, draft.id)
        for gone in (
            requests.delete_request(session, who.account_id, draft.id),
            requests.get_draft(session, who.account_id, draft.id),
            requests.change_draft(session, who.account_id, draft.id, count=1),
        ):
            with pytest.raises(NotFound):
                await gone
    with pytest.raises(NotFound):
        await _submit(sessions, who, draft.id, "card:9:again")
    assert await rows.rows(sessions, "SELECT DISTINCT state FROM ml_tasks") == [("cancelled",)]
