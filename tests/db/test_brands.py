"""Brands: names are unique as people read them, the plan's limit holds, deleted ones are gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from db import brands, requests
from db.errors import BrandNameTaken, LimitReached, NotFound
from db.views import Brand
from tests.db import rows
from tests.db.rows import Person, Sessions


async def _create(
    sessions: Sessions, account_id: int, name: str = "Кофе", style: str = "warm"
) -> Brand:
    async with sessions.begin() as session:
        return await brands.create(
            session,
            account_id,
            name=name,
            style_original="тёплый",
            style_short=style,
            palette=["#aa5500", "#000000"],
            preset=None,
        )


async def test_a_created_brand_is_read_back(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    made = await _create(sessions, who.account_id)
    async with sessions.begin() as session:
        assert await brands.get(session, who.account_id, made.id) == made
        assert await brands.list_(session, who.account_id) == (made,)
    assert (made.name, made.palette, made.is_default) == ("Кофе", ("#aa5500", "#000000"), False)


async def test_the_same_message_handled_twice_makes_one_brand(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    assert await _create(sessions, who.account_id) == await _create(sessions, who.account_id)


@pytest.mark.parametrize("name", ["Кофе", "кофе", "КОФЕ", "  Кофе "])
async def test_a_name_is_taken_whatever_its_case_and_spaces(sessions: Sessions, name: str) -> None:
    who = await rows.person(sessions)
    await _create(sessions, who.account_id)
    with pytest.raises(BrandNameTaken) as caught:
        await _create(sessions, who.account_id, name, style="another")
    assert caught.value.name == name


async def test_a_name_taken_elsewhere_or_deleted_is_free(sessions: Sessions) -> None:
    who, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    made = await _create(sessions, who.account_id)
    await _create(sessions, other.account_id)
    async with sessions.begin() as session:
        await brands.delete(session, who.account_id, made.id)
    assert (await _create(sessions, who.account_id)).id != made.id


@pytest.mark.parametrize(("plan", "limit"), [(None, 1), ("start", 3), ("profi", 10)])
async def test_the_plans_limit_holds_for_brands_made_at_once(
    sessions: Sessions, plan: str | None, limit: int
) -> None:
    who = await rows.person(sessions)
    if plan is not None:
        await rows.subscribe(sessions, who.account_id, plan)
    made = await asyncio.gather(
        *(_create(sessions, who.account_id, f"Б{i}") for i in range(limit + 5)),
        return_exceptions=True,
    )
    refused = [error for error in made if isinstance(error, LimitReached)]
    assert (len(refused), refused[0].what, refused[0].limit) == (5, "brands", limit)
    async with sessions.begin() as session:
        assert len(await brands.list_(session, who.account_id)) == limit


async def _with_frozen_tea(sessions: Sessions) -> tuple[Person, Brand, Brand]:
    """Two brands made on a larger plan, of which only the older one fits now."""
    who = await rows.person(sessions)
    await rows.subscribe(sessions, who.account_id, "start")
    coffee = await _create(sessions, who.account_id)
    tea = await _create(sessions, who.account_id, "Чай")
    await rows.execute(sessions, "UPDATE periods SET brand_limit = 1")
    return who, coffee, tea


async def test_a_frozen_brand_is_shown_and_neither_used_nor_changed(sessions: Sessions) -> None:
    who, coffee, tea = await _with_frozen_tea(sessions)
    async with sessions.begin() as session:
        listed = await brands.list_(session, who.account_id)
        assert [(b.id, b.is_frozen) for b in listed] == [(coffee.id, False), (tea.id, True)]
        assert (await brands.get(session, who.account_id, tea.id)).is_frozen
        assert await brands.count_frozen(session, who.account_id) == 1
        draft, _ = await requests.draft(session, rows.new_draft(who))
        uses: list[Callable[[], Awaitable[object]]] = [
            lambda: brands.usable(session, who.account_id, tea.id),
            lambda: brands.edit(session, who.account_id, tea.id, style_short="cold"),
            lambda: brands.set_default(session, who.account_id, tea.id),
            lambda: requests.draft(session, rows.new_draft(who, brand_id=tea.id)),
            lambda: requests.change_draft(session, who.account_id, draft.id, brand_id=tea.id),
        ]
        for use in uses:
            with pytest.raises(LimitReached) as caught:
                await use()
            assert (caught.value.what, caught.value.limit) == ("brands", 1)
        assert await brands.list_(session, who.account_id) == listed


async def test_the_default_brand_is_the_last_to_freeze(sessions: Sessions) -> None:
    who, coffee, tea = await _with_frozen_tea(sessions)
    await rows.execute(sessions, "UPDATE accounts SET default_brand_id = :id", id=tea.id)
    async with sessions.begin() as session:
        listed = await brands.list_(session, who.account_id)
        assert [(b.id, b.is_frozen) for b in listed] == [(coffee.id, True), (tea.id, False)]
        await brands.set_default(session, who.account_id, None)
        assert not (await brands.get(session, who.account_id, coffee.id)).is_frozen


async def test_deleting_a_brand_thaws_another(sessions: Sessions) -> None:
    who, coffee, tea = await _with_frozen_tea(sessions)
    async with sessions.begin() as session:
        await brands.delete(session, who.account_id, coffee.id)
        assert not (await brands.get(session, who.account_id, tea.id)).is_frozen


async def test_a_frozen_brand_can_be_deleted(sessions: Sessions) -> None:
    who, _, tea = await _with_frozen_tea(sessions)
    async with sessions.begin() as session:
        await brands.delete(session, who.account_id, tea.id)
        assert len(await brands.list_(session, who.account_id)) == 1


async def test_a_plan_without_brands_draws_without_the_default(sessions: Sessions) -> None:
    who, coffee, _ = await _with_frozen_tea(sessions)
    await rows.execute(sessions, "UPDATE accounts SET default_brand_id = :id", id=coffee.id)
    await rows.execute(sessions, "UPDATE periods SET brand_limit = 0")
    async with sessions.begin() as session:
        assert await brands.default(session, who.account_id) is None


async def test_a_draft_whose_brand_froze_since_is_not_drawn_with_it(sessions: Sessions) -> None:
    who, _, tea = await _with_frozen_tea(sessions)
    async with sessions.begin() as session:
        draft, _ = await requests.draft(session, rows.new_draft(who))
    await rows.execute(sessions, "UPDATE ml_requests SET brand_id = :id", id=tea.id)
    async with sessions.begin() as session:
        shown = await requests.get_draft(session, who.account_id, draft.id)
        assert shown.brand is not None
        assert shown.brand.is_frozen
    with pytest.raises(LimitReached):
        async with sessions.begin() as session:
            await requests.submit(
                session, who.account_id, draft.id, "tap", chat_id=1, thread_id=None,
                now=datetime.now(UTC),
            )  # fmt: skip
    assert await rows.rows(sessions, "SELECT count(*) FROM ml_tasks") == [(0,)]


async def test_an_edit_changes_only_what_is_given(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    made = await _create(sessions, who.account_id)
    async with sessions.begin() as session:
        edited = await brands.edit(session, who.account_id, made.id, palette=["#ffffff"])
        assert (edited.name, edited.style_short, edited.palette) == ("Кофе", "warm", ("#ffffff",))
        assert (await brands.edit(session, who.account_id, made.id, name="КОФЕ")).name == "КОФЕ"
        assert (await brands.edit(session, who.account_id, made.id)).name == "КОФЕ"


async def test_an_edit_cannot_take_anothers_name(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await rows.subscribe(sessions, who.account_id, "start")
    await _create(sessions, who.account_id)
    tea = await _create(sessions, who.account_id, "Чай")
    async with sessions.begin() as session:
        with pytest.raises(BrandNameTaken):
            await brands.edit(session, who.account_id, tea.id, name="кофе")


async def test_the_default_is_one_and_can_be_none(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await rows.subscribe(sessions, who.account_id, "start")
    coffee = await _create(sessions, who.account_id)
    tea = await _create(sessions, who.account_id, "Чай")
    async with sessions.begin() as session:
        assert await brands.default(session, who.account_id) is None
        await brands.set_default(session, who.account_id, coffee.id)
        await brands.set_default(session, who.account_id, tea.id)
        default = await brands.default(session, who.account_id)
        assert default is not None
        assert (default.id, default.is_default) == (tea.id, True)
        marks = [brand.is_default for brand in await brands.list_(session, who.account_id)]
        assert marks == [False, True]
        await brands.set_default(session, who.account_id, None)
        assert await brands.default(session, who.account_id) is None


async def test_a_deleted_default_is_no_default(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    made = await _create(sessions, who.account_id)
    async with sessions.begin() as session:
        await brands.set_default(session, who.account_id, made.id)
        await brands.delete(session, who.account_id, made.id)
        assert await brands.default(session, who.account_id) is None
        with pytest.raises(NotFound):
            await brands.get(session, who.account_id, made.id)
        with pytest.raises(NotFound):
            await brands.delete(session, who.account_id, made.id)
        with pytest.raises(NotFound):
            await brands.edit(session, who.account_id, made.id, name="Ещё")
