"""Brands: names are unique as people read them, the limit holds, deleted ones are gone."""

from __future__ import annotations

import asyncio

import pytest

from db import brands
from db.errors import BrandNameTaken, LimitReached, NotFound
from db.views import Brand
from tests.db import rows
from tests.db.rows import Sessions


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


async def test_the_limit_holds_for_brands_made_at_once(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    made = await asyncio.gather(
        *(_create(sessions, who.account_id, f"Б{i}") for i in range(brands.BRAND_LIMIT + 5)),
        return_exceptions=True,
    )
    refused = [error for error in made if isinstance(error, LimitReached)]
    assert len(refused) == 5
    assert refused[0].limit == brands.BRAND_LIMIT
    async with sessions.begin() as session:
        assert len(await brands.list_(session, who.account_id)) == brands.BRAND_LIMIT


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
    await _create(sessions, who.account_id)
    tea = await _create(sessions, who.account_id, "Чай")
    async with sessions.begin() as session:
        with pytest.raises(BrandNameTaken):
            await brands.edit(session, who.account_id, tea.id, name="кофе")


async def test_the_default_is_one_and_can_be_none(sessions: Sessions) -> None:
    who = await rows.person(sessions)
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
