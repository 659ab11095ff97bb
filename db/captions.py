"""What stands under a post: a person's words, and what the post's brand and its marks add.

A post has a copy of what its brand adds. A draft's copy follows the brand; once the post has a
time the copy stays as it was seen, and only a tap on a switch takes the brand's present words.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import CaptionTooLong
from db.models import Brand, Post, Request, Task
from db.models.channels import StoredParts
from db.states import Part, PostState
from db.team_views import CaptionParts
from db.views import Locale

LIMIT = 1024
"""UTF-16 units, tags not counted: https://core.telegram.org/bots/api#sendphoto"""

AI_LABELS: dict[Locale, str] = {
    "ru": "Изображение создано с помощью ИИ",
    "en": "This image was created with AI",
}

_TAG = re.compile(r"<[^<>]+>")


def compose(parts: CaptionParts) -> str:
    """The whole caption, HTML: for the preview, the channel, and edits of what is published."""
    on, signature, marks = shown(parts), [], []
    if Part.SIGNATURE in on:
        signature = [_escaped(parts.signature), _escaped(parts.hashtags)]
    if Part.AD in on:
        # In Russian whatever the person speaks: the wording is that of Russia's advertising law
        # (38-ФЗ, article 18.1).
        advertiser = _escaped(parts.advertiser.rstrip(". "))
        marks.append(f"Реклама. {advertiser}. erid: {_escaped(parts.erid)}")
    if Part.AI in on:
        marks.append(AI_LABELS[parts.locale])
    blocks = (parts.body, "\n".join(filter(None, signature)), "\n".join(marks))
    return "\n\n".join(filter(None, blocks))


def length(caption: str) -> int:
    """As Telegram counts it: UTF-16 units of what is read, tags aside."""
    return len(html.unescape(_TAG.sub("", caption)).encode("utf-16-le")) // 2


def room(parts: CaptionParts) -> int:
    """How long a person's words can be beside the rest; at least 1."""
    return max(1, LIMIT + 1 - length(compose(replace(parts, body="x"))))


def check(parts: CaptionParts) -> None:
    """Raises CaptionTooLong for a caption that no post can have."""
    whole = length(compose(parts))
    if whole > LIMIT:
        raise CaptionTooLong(over=whole - LIMIT, added=whole - length(parts.body))


def shown(parts: CaptionParts) -> frozenset[Part]:
    """What the caption has: what is switched on and there is any of."""
    return parts.on & _there(parts)


def offers(parts: CaptionParts, brand: Brand | None) -> frozenset[Part]:
    """What can be switched on: what the brand says, or what it said when it was copied."""
    return _there(parts) | _there(with_brand(parts, brand))


def _there(parts: CaptionParts) -> frozenset[Part]:
    has = {
        Part.AI: True,
        Part.SIGNATURE: bool(parts.signature + parts.hashtags),
        Part.AD: bool(parts.erid),
    }
    return frozenset(part for part, is_there in has.items() if is_there)


def with_brand(
    parts: CaptionParts, brand: Brand | None, *, only: Part | None = None
) -> CaptionParts:
    """The parts with what the brand says at present; `only` one of them, where it says any."""
    if brand is not None and brand.deleted_at is not None:
        brand = None
    signature, hashtags = (brand.signature or "", " ".join(brand.hashtags)) if brand else ("", "")
    advertiser, erid = (brand.advertiser or "", brand.erid or "") if brand else ("", "")
    if only is None or (only is Part.SIGNATURE and signature + hashtags):
        parts = replace(parts, signature=signature, hashtags=hashtags)
    if only is None or (only is Part.AD and erid):
        parts = replace(parts, advertiser=advertiser, erid=erid)
    return parts


async def brand_of(session: AsyncSession, task_id: int) -> Brand | None:
    """The brand a task's pictures were drawn for, as it is now.

    Locked against changes, so that whoever changes it at this moment finds the draft that is being
    made, or is read as they changed it.
    """
    return await session.scalar(
        select(Brand)
        .join(Request, Request.brand_id == Brand.id)
        .join(Task, Task.request_id == Request.id)
        .where(Task.id == task_id)
        .with_for_update(read=True, of=Brand)
        .execution_options(populate_existing=True)
    )


async def first(session: AsyncSession, task_id: int, locale: Locale) -> CaptionParts:
    """What the draft of a task's post begins with."""
    brand = await brand_of(session, task_id)
    on = {Part.AD, Part.SIGNATURE}
    if brand is not None and brand.marks_ai:
        on.add(Part.AI)
    return with_brand(CaptionParts(locale=locale, on=frozenset(on)), brand)


async def follow(session: AsyncSession, account_id: int, brand_id: int) -> None:
    """Brings a brand that was changed or deleted to the drafts of its posts."""
    found = await session.execute(
        select(Post, Brand)
        .join(Task, Task.id == Post.task_id)
        .join(Request, Request.id == Task.request_id)
        .join(Brand, Brand.id == Request.brand_id)
        .where(
            Post.account_id == account_id,
            Post.publish_at.is_(None),
            Post.state == PostState.DRAFT,
            Brand.id == brand_id,
        )
        .order_by(Post.id)
        .with_for_update(of=Post, key_share=True)
        .execution_options(populate_existing=True)
    )
    for post, brand in found.all():
        await store(session, post.id, with_brand(read(post.parts), brand))


async def store(session: AsyncSession, post_id: int, parts: CaptionParts) -> None:
    """The caption of a post whose row is locked."""
    await session.execute(
        update(Post)
        .where(Post.id == post_id)
        .values(parts=stored(parts), caption=compose(parts))
        .execution_options(synchronize_session=False)
    )


def read(parts: StoredParts) -> CaptionParts:
    return CaptionParts(
        body=parts.get("body", ""),
        signature=parts.get("signature", ""),
        hashtags=parts.get("hashtags", ""),
        advertiser=parts.get("advertiser", ""),
        erid=parts.get("erid", ""),
        locale=parts.get("locale", "ru"),
        on=frozenset(Part(name) for name in parts.get("on", ())),
    )


def stored(parts: CaptionParts) -> StoredParts:
    return {
        "body": parts.body,
        "signature": parts.signature,
        "hashtags": parts.hashtags,
        "advertiser": parts.advertiser,
        "erid": parts.erid,
        "locale": parts.locale,
        "on": sorted(parts.on),
    }


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
