"""From a message or a tap to a draft, and from a draft to a task with its status card."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from aiogram import Bot
from arq import ArqRedis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot import quota_views, texts, views
from bot.delivery import send_card
from bot.quota import Means
from bot.who import Who
from db import albums, brands, requests, statuses, tasks
from db.engine import autocommit
from db.money_views import Terms
from db.queue import wake_gpu
from db.states import RequestState, Shown
from db.views import AlbumView, Draft, NewDraft, QueuePlace, TaskView, Variation
from pipeline.brief import MAX_SEED, detect_count, make_brief

Sessions = async_sessionmaker[AsyncSession]


@dataclass(frozen=True, slots=True)
class Place:
    """Where to answer. `reply_to` is the message answered, in groups only."""

    chat_id: int
    thread_id: int | None
    reply_to: int | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """A message as the pipeline reads it. `count`: how many pictures it asks for, if it says so,
    more than can be made or not."""

    raw: str
    cleaned: str
    platform: str | None
    goal: str | None
    count: int | None = None


async def understand(raw: str) -> Understood:
    """Read a prompt. Raises pipeline's BadBrief: `empty`, `too_long`."""
    # In a thread: the first call loads the dictionaries.
    return await asyncio.to_thread(_read, raw)


def _read(raw: str) -> Understood:
    brief = make_brief(raw, seed=0)
    return Understood(raw, brief.cleaned_prompt, brief.platform, brief.goal, detect_count(raw))


def count_for(who: Who, idea: Understood) -> int:
    """How many pictures the idea's draft begins with: those asked for, else the person's number."""
    return min(idea.count or who.settings.count, who.max_count)


async def new_draft(
    session: AsyncSession,
    who: Who,
    idea: Understood,
    place: Place,
    source: int,
    terms: Terms,
    photo_key: str | None = None,
) -> Draft:
    """The draft of a source message: the one it has already, or a new one by the defaults.

    The prompt is improved if the plan does so by itself and the person has not switched it off.
    """
    brand = await brands.default(session, who.account_id)
    draft, _ = await requests.draft(
        session,
        NewDraft(
            account_id=who.account_id,
            user_id=who.user_id,
            chat_id=place.chat_id,
            thread_id=place.thread_id,
            source_message_id=source,
            raw_prompt=idea.raw,
            cleaned_prompt=idea.cleaned,
            platform=idea.platform,
            goal=idea.goal,
            seed=secrets.randbelow(MAX_SEED + 1),
            locale=who.locale,
            count=count_for(who, idea),
            aspect=who.settings.aspect,
            enhance=who.settings.enhance and terms.auto_enhance,
            brand_id=brand.id if brand else None,
            photo_key=photo_key,
        ),
    )
    return draft


async def open_draft(
    session: AsyncSession,
    who: Who,
    idea: Understood,
    place: Place,
    terms: Terms,
    *tap: object,
) -> Draft:
    """The draft that this tap opened before, while it is one; else the next."""
    attempt = 0
    while True:
        source = _tap_source(*tap, who.user_id, attempt)
        draft = await new_draft(session, who, idea, place, source, terms)
        if draft.state == RequestState.DRAFT:
            return draft
        attempt += 1


def opened_words(who: Who, draft: Draft) -> str | None:
    """What a tap that opens a draft answers: nothing, unless the card is there already."""
    return who.tr.plain("The draft is above") if draft.card_message_id else None


async def show_draft(
    bot: Bot, sessions: Sessions, who: Who, draft: Draft, place: Place, means: Means
) -> None:
    """Send the draft's card, unless it has one: a message that comes twice gets one card."""
    if draft.card_message_id is not None or draft.state != RequestState.DRAFT:
        return
    card = await draft_card(who, draft, means)
    message_id = await send_card(bot, card, place.chat_id, place.thread_id, place.reply_to)
    async with autocommit(sessions) as session:
        await requests.set_card(session, draft.id, message_id)


async def draft_card(who: Who, draft: Draft, means: Means) -> views.Card:
    """The draft's card, with what it would cost of what its account has."""
    cost = quota_views.cost(texts.of(draft.locale), means, draft.count)
    asked = await asyncio.to_thread(detect_count, draft.raw_prompt)
    card = views.draft_card(
        draft,
        who.max_count,
        cost,
        asked=asked or draft.count,
        can_start_from_photos=who.can_start_from_photos,
    )
    return who.headed(card)


def _tap_source(*parts: object) -> int:
    """A source for a draft that a tap makes, not a message: negative, the same for the same tap."""
    digest = hashlib.blake2b(":".join(map(str, parts)).encode(), digest_size=7).digest()
    return -1 - int.from_bytes(digest, "big")


async def queue_again(
    session: AsyncSession,
    who: Who,
    album: AlbumView,
    origin: str,
    place: Place,
    now: datetime,
    variation: Variation | None = None,
) -> tuple[int, bool]:
    """One more album like this one, with other seeds; its task, and whether it is new.

    The seed hangs from the origin, so that a second tap asks for the very same.
    """
    submitted = await requests.submit_again(
        session,
        who.account_id,
        album.task_id,
        origin,
        user_id=who.user_id,
        locale=who.locale,
        chat_id=place.chat_id,
        thread_id=place.thread_id,
        now=now,
        seed=_seed_of(album.task_id, origin),
        variation=variation,
    )
    return submitted.task_id, submitted.created


def _seed_of(task_id: int, origin: str) -> int:
    digest = hashlib.blake2b(f"{task_id}:{origin}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") & MAX_SEED


async def show_task(
    bot: Bot, sessions: Sessions, pool: ArqRedis, who: Who, task_id: int, place: Place
) -> None:
    """Wake the workers and send the task's status card, unless it has one."""
    await wake_gpu(pool)
    async with sessions.begin() as session:
        task = await albums.task(session, who.account_id, task_id)
        queued = await tasks.queue_place(session, task_id)
    if task.status_message_id is not None:
        return
    card = task_card(task, queued)
    message_id = await send_card(bot, card, place.chat_id, place.thread_id, place.reply_to)
    async with autocommit(sessions) as session:
        await statuses.set_status_message(session, task_id, message_id, task.wanted)


def task_card(task: TaskView, queued: QueuePlace | None) -> views.Card:
    """A task's status card before any progress is known."""
    waiting = task.wanted == Shown.QUEUED and queued is not None
    return views.status_card(
        task.locale,
        task.wanted,
        task.id,
        task.cleaned_prompt,
        place=queued.place if waiting and queued else 0,
        eta_s=queued.wait_s if waiting and queued else None,
        error_code=task.error_code,
    )
