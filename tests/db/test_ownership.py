"""Whatever a button can name by id, another account's is not found, and stays as it was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from db import (
    albums,
    approvals,
    brands,
    channels,
    deliveries,
    posts,
    requests,
    suggestions,
    tasks,
    votes,
)
from db.errors import NotFound
from db.states import Answer, DeliveryKind, Part
from tests.db import rows
from tests.db.channels import NOW, connected, drafted
from tests.db.rows import Sessions

Ids = dict[str, int]
Call = Callable[[AsyncSession, int, Ids], Awaitable[object]]

BY_ID: dict[str, Call] = {
    "brands.get": lambda s, a, i: brands.get(s, a, i["brand"]),
    "brands.edit": lambda s, a, i: brands.edit(s, a, i["brand"], name="Моё"),
    "brands.delete": lambda s, a, i: brands.delete(s, a, i["brand"]),
    "brands.set_default": lambda s, a, i: brands.set_default(s, a, i["brand"]),
    "requests.get_draft": lambda s, a, i: requests.get_draft(s, a, i["draft"]),
    "requests.change_draft": lambda s, a, i: requests.change_draft(s, a, i["draft"], count=1),
    "requests.change_draft to its brand": lambda s, a, i: requests.change_draft(
        s, a, i["own draft"], brand_id=i["brand"]
    ),
    "requests.submit": lambda s, a, i: requests.submit(
        s, a, i["draft"], "tap", chat_id=2, thread_id=None, now=rows.NOW
    ),
    "requests.submit_again": lambda s, a, i: requests.submit_again(
        s, a, i["done"], "tap", user_id=2, locale="ru", chat_id=2, thread_id=None, now=rows.NOW
    ),
    "votes.cast": lambda s, a, i: votes.cast(s, a, i["done"], 2, 1, "77"),
    "approvals.ask": lambda s, a, i: approvals.ask(s, a, i["done"], 2, approvals.Place(2, None)),
    "approvals.get": lambda s, a, i: approvals.get(s, a, i["round"]),
    "approvals.details": lambda s, a, i: approvals.details(s, a, i["round"]),
    "approvals.of_task": lambda s, a, i: approvals.of_task(s, a, i["done"]),
    "approvals.approve": lambda s, a, i: approvals.approve(s, a, i["round"], 2),
    "approvals.asked": lambda s, a, i: approvals.asked(
        s, a, i["round"], Answer.CHANGES, chat_id=2, message_id=9
    ),
    "tasks.cancel": lambda s, a, i: tasks.cancel(s, a, i["queued"]),
    "albums.task": lambda s, a, i: albums.task(s, a, i["done"]),
    "albums.album": lambda s, a, i: albums.album(s, a, i["done"]),
    "albums.choose": lambda s, a, i: albums.choose(s, a, i["done"], 1),
    "albums.hide": lambda s, a, i: albums.hide(s, a, i["done"]),
    "deliveries.request": lambda s, a, i: deliveries.request(
        s, a, i["done"], DeliveryKind.ALBUM, "history:1"
    ),
    "deliveries.resend_unknown": lambda s, a, i: deliveries.resend_unknown(
        s, a, i["done"], "again:1"
    ),
    "channels.get": lambda s, a, i: channels.get(s, a, i["channel"]),
    "channels.remove": lambda s, a, i: channels.remove(s, a, i["channel"], now=NOW),
    "posts.draft": lambda s, a, i: posts.draft(s, a, 2, i["done"], i["channel"]),
    "posts.get": lambda s, a, i: posts.get(s, a, i["post"]),
    "posts.set_ranks": lambda s, a, i: posts.set_ranks(s, a, i["post"], [2]),
    "posts.set_caption": lambda s, a, i: posts.set_caption(s, a, i["post"], "Моё"),
    "posts.switch": lambda s, a, i: posts.switch(s, a, i["post"], Part.AI, on=True),
    "suggestions.ask": lambda s, a, i: suggestions.ask(
        s, a, i["post"], locale="ru", chat_id=2, message_id=9
    ),
    "suggestions.drop": lambda s, a, i: suggestions.drop(s, a, i["post"], 1),
    "posts.publish_now": lambda s, a, i: posts.publish_now(s, a, i["post"], now=NOW),
    "posts.schedule": lambda s, a, i: posts.schedule(
        s, a, i["post"], NOW + timedelta(days=1), now=NOW
    ),
    "posts.cancel": lambda s, a, i: posts.cancel(s, a, i["post"]),
    "posts.resend": lambda s, a, i: posts.resend(s, a, i["post"], 0, now=NOW),
    "posts.arrived": lambda s, a, i: posts.arrived(s, a, i["post"], 0, now=NOW),
}
TABLES = (
    "accounts",
    "brands",
    "ml_requests",
    "ml_tasks",
    "predictions",
    "deliveries",
    "channels",
    "posts",
    "approvals",
    "events",
)


async def _stored(sessions: Sessions) -> list[object]:
    return [await rows.rows(sessions, f"SELECT * FROM {name} ORDER BY id") for name in TABLES]


@pytest.mark.parametrize("name", list(BY_ID))
@pytest.mark.parametrize("stranger", [True, False], ids=["another's", "nobody's"])
async def test_is_not_found_and_not_touched(sessions: Sessions, name: str, stranger: bool) -> None:
    owner, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    async with sessions.begin() as session:
        brand = await brands.create(
            session, owner.account_id, name="Кофе", style_original="", style_short="",
            palette=[], preset=None,
        )  # fmt: skip
        draft, _ = await requests.draft(session, rows.new_draft(owner))
        own_draft, _ = await requests.draft(session, rows.new_draft(other))
    task_id, _ = await rows.done(sessions, owner)
    channel = await connected(sessions, owner)
    async with sessions.begin() as session:
        place = approvals.Place(owner.id, None)
        round_ = await approvals.ask(session, owner.account_id, task_id, owner.id, place)
    ids = {
        "round": round_.id,
        "brand": brand.id,
        "draft": draft.id,
        "own draft": own_draft.id,
        "done": task_id,
        "channel": channel.id,
        "post": (await drafted(sessions, owner, channel, task_id)).id,
        "queued": await rows.queued(sessions, owner),
    }
    if not stranger:
        ids = dict.fromkeys(ids, 10**9)
    before = await _stored(sessions)
    with pytest.raises(NotFound):
        async with sessions.begin() as session:
            await BY_ID[name](session, other.account_id, ids)
    assert await _stored(sessions) == before


async def test_a_draft_cannot_start_with_anothers_brand(sessions: Sessions) -> None:
    owner, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    async with sessions.begin() as session:
        brand = await brands.create(
            session, owner.account_id, name="Кофе", style_original="", style_short="",
            palette=[], preset=None,
        )  # fmt: skip
        with pytest.raises(NotFound):
            await requests.draft(session, rows.new_draft(other, brand_id=brand.id))


async def test_lists_hold_only_ones_own(sessions: Sessions) -> None:
    owner, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    await rows.done(sessions, owner)
    async with sessions.begin() as session:
        assert (await albums.history(session, other.account_id)).items == ()
        assert await brands.list_(session, other.account_id) == ()
