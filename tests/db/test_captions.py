"""Captions: what is put together under a post, for how long it follows the brand, what fits."""

from __future__ import annotations

import asyncio

import pytest

from db import brands, captions, posts, publishing
from db.brands import BrandFields
from db.errors import CaptionTooLong, NotFound
from db.states import Part
from db.team_views import CaptionParts, PostView
from tests.db import rows
from tests.db.channels import NOW, connected, drafted
from tests.db.rows import Person, Sessions

AD: BrandFields = {"advertiser": "ООО «Кофе & Ко»", "erid": "2VtzqwJ8"}
SIGNED: BrandFields = {"signature": "Ждём вас! @coffee <рядом>", "hashtags": ["#кофе", "#осень"]}

WHOLE = """\
<b>Латте</b>

Ждём вас! @coffee &lt;рядом&gt;
#кофе #осень

Реклама. ООО «Кофе &amp; Ко». erid: 2VtzqwJ8
Изображение создано с помощью ИИ"""


def test_every_part_has_its_place_and_none_leaves_a_gap() -> None:
    parts = CaptionParts(
        body="<b>Латте</b>",
        signature="Ждём вас! @coffee <рядом>",
        hashtags="#кофе #осень",
        advertiser="ООО «Кофе & Ко».",
        erid="2VtzqwJ8",
        on=frozenset(Part),
    )
    assert captions.compose(parts) == WHOLE
    assert captions.compose(CaptionParts(on=frozenset(Part))) == captions.AI_LABELS["ru"]
    assert captions.compose(CaptionParts(body="Латте", signature="Ждём", erid="x")) == "Латте"
    only = CaptionParts(hashtags="#кофе", locale="en", on=frozenset({Part.SIGNATURE, Part.AI}))
    assert captions.compose(only) == "#кофе\n\nThis image was created with AI"


@pytest.fixture
async def who(sessions: Sessions) -> Person:
    return await rows.person(sessions)


async def branded(sessions: Sessions, who: Person, **fields: object) -> tuple[int, PostView]:
    """A brand that is every new draft's, and the draft of a post of its album."""
    async with sessions.begin() as session:
        brand = await brands.create(
            session, who.account_id, name="Кофе", style_original="", style_short="",
            palette=[], preset=None,
        )  # fmt: skip
        await brands.set_default(session, who.account_id, brand.id)
        await brands.edit(session, who.account_id, brand.id, **fields)  # type: ignore[arg-type]
    task_id, _ = await rows.done(sessions, who)
    await rows.execute(sessions, "UPDATE ml_requests SET brand_id = :id", id=brand.id)
    return brand.id, await drafted(sessions, who, await connected(sessions, who), task_id)


async def changed(sessions: Sessions, who: Person, brand_id: int, **fields: object) -> None:
    async with sessions.begin() as session:
        await brands.edit(session, who.account_id, brand_id, **fields)  # type: ignore[arg-type]


async def stored(sessions: Sessions, who: Person, post: PostView) -> PostView:
    async with sessions.begin() as session:
        return await posts.get(session, who.account_id, post.id)


async def test_a_draft_begins_with_what_its_brand_says_and_follows_it(
    sessions: Sessions, who: Person
) -> None:
    brand_id, post = await branded(sessions, who, **AD, **SIGNED, marks_ai=True)
    assert post.offers == set(Part)
    async with sessions.begin() as session:
        post = await posts.set_caption(session, who.account_id, post.id, "<b>Латте</b>")
    assert post.caption == WHOLE
    await changed(sessions, who, brand_id, signature=None, hashtags=[], erid="Ab12")
    followed = await stored(sessions, who, post)
    assert followed.caption == (
        "<b>Латте</b>\n\nРеклама. ООО «Кофе &amp; Ко». erid: Ab12\nИзображение создано с помощью ИИ"
    )
    assert followed.offers == {Part.AD, Part.AI}
    async with sessions.begin() as session:
        await brands.delete(session, who.account_id, brand_id)
    gone = await stored(sessions, who, post)
    assert gone.caption == "<b>Латте</b>\n\nИзображение создано с помощью ИИ"


async def test_what_has_a_time_or_is_published_keeps_what_was_seen(
    sessions: Sessions, who: Person
) -> None:
    brand_id, post = await branded(sessions, who, **AD)
    async with sessions.begin() as session:
        await posts.publish_now(session, who.account_id, post.id, now=NOW)
    await changed(sessions, who, brand_id, erid="Second22", **SIGNED)
    kept = await stored(sessions, who, post)
    assert kept.caption == post.caption
    assert Part.SIGNATURE in kept.offers - captions.shown(kept.parts)  # its switch has no tick
    async with sessions.begin() as session:
        claim = await publishing.claim(session, now=NOW)
        assert claim is not None
        assert claim.caption == "Реклама. ООО «Кофе &amp; Ко». erid: 2VtzqwJ8"
        await publishing.sent(session, claim.id, claim.token, [7])
        # Other words do not bring the brand's new ones in by the way ...
        edited = await posts.set_caption(session, who.account_id, post.id, "Латте")
        assert edited.caption == f"Латте\n\n{claim.caption}"
        # ... a switch does: that is what it is for.
        edited = await posts.switch(session, who.account_id, post.id, Part.AD, on=True)
        assert edited.caption.endswith("Second22")
        (edit,) = await publishing.edits(session, 10)
        assert edit.caption == edited.caption


async def test_switches_lead_to_a_state_and_not_a_step(sessions: Sessions, who: Person) -> None:
    _, post = await branded(sessions, who, **SIGNED)

    async def switched(part: Part, on: bool) -> str:
        async with sessions.begin() as session:
            return (await posts.switch(session, who.account_id, post.id, part, on=on)).caption

    for _ in range(2):
        assert await switched(Part.SIGNATURE, on=False) == ""
    for _ in range(2):
        assert await switched(Part.AI, on=True) == captions.AI_LABELS["ru"]
    assert "#кофе #осень" in await switched(Part.SIGNATURE, on=True)
    with pytest.raises(NotFound):
        await switched(Part.AD, on=True)


async def test_a_caption_too_long_says_by_how_much_and_what_is_to_blame(
    sessions: Sessions, who: Person
) -> None:
    brand_id, post = await branded(sessions, who, hashtags=["#кофе"])
    async with sessions.begin() as session:
        with pytest.raises(CaptionTooLong) as caught:
            await posts.set_caption(session, who.account_id, post.id, "🦊" * 510)
        assert (caught.value.over, caught.value.added) == (1020 + 7 - 1024, 7)
        await posts.set_caption(session, who.account_id, post.id, "🦊" * 508 + ".")
        with pytest.raises(CaptionTooLong):
            await posts.switch(session, who.account_id, post.id, Part.AI, on=True)
    # A brand that has grown: its draft waits to be shortened, and does not go out as it is.
    await changed(sessions, who, brand_id, signature="Ждём вас")
    async with sessions.begin() as session:
        with pytest.raises(CaptionTooLong):
            await posts.publish_now(session, who.account_id, post.id, now=NOW)
        post = await posts.switch(session, who.account_id, post.id, Part.SIGNATURE, on=False)
        assert (await posts.publish_now(session, who.account_id, post.id, now=NOW))[1]


async def test_a_refused_edit_brings_the_switches_back_too(sessions: Sessions, who: Person) -> None:
    _, post = await branded(sessions, who, **AD)
    async with sessions.begin() as session:
        await posts.publish_now(session, who.account_id, post.id, now=NOW)
        claim = await publishing.claim(session, now=NOW)
        assert claim is not None
        await publishing.sent(session, claim.id, claim.token, [7])
        await posts.switch(session, who.account_id, post.id, Part.AD, on=False)
        (edit,) = await publishing.edits(session, 10)
        await publishing.edit_refused(session, edit, "no_rights")
        restored = await posts.get(session, who.account_id, post.id)
    assert restored.caption == restored.shown_caption == post.caption
    assert Part.AD in restored.parts.on


async def test_words_taken_back_while_their_edit_is_in_doubt_are_brought_anew(
    sessions: Sessions, who: Person
) -> None:
    _, post = await branded(sessions, who, **AD)
    async with sessions.begin() as session:
        await posts.publish_now(session, who.account_id, post.id, now=NOW)
        claim = await publishing.claim(session, now=NOW)
        assert claim is not None
        await publishing.sent(session, claim.id, claim.token, [7])
        await posts.switch(session, who.account_id, post.id, Part.AD, on=False)
        (in_doubt,) = await publishing.edits(session, 10)
        await publishing.edit_later(session, in_doubt, 5)  # the channel may show it by now
        await posts.switch(session, who.account_id, post.id, Part.AD, on=True)
        (edit,) = await publishing.edits(session, 10)
        assert edit.caption == post.caption
        await publishing.edited(session, edit)
        assert await publishing.edits(session, 10) == ()


async def test_a_brand_and_its_posts_can_be_changed_at_once(
    sessions: Sessions, who: Person
) -> None:
    brand_id, post = await branded(sessions, who, **SIGNED)

    async def toggle(n: int) -> None:
        async with sessions.begin() as session:
            await posts.switch(session, who.account_id, post.id, Part.SIGNATURE, on=n % 2 == 0)

    renamed = (changed(sessions, who, brand_id, signature=f"Ждём {n}") for n in range(4))
    await asyncio.gather(*(toggle(n) for n in range(4)), *renamed)
    async with sessions.begin() as session:
        brand = await brands.get(session, who.account_id, brand_id)
        last = await posts.switch(session, who.account_id, post.id, Part.SIGNATURE, on=True)
    assert brand.signature is not None
    assert brand.signature in last.caption
