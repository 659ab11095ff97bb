"""A message becomes a draft card, or with /gen a task at once; the buttons of the draft card."""

from __future__ import annotations

from dataclasses import replace

from aiogram import Bot, F, Router
from aiogram.filters import Command, CommandObject, StateFilter, or_f
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from arq import ArqRedis
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from bot import dialogue, intake, keyboards, pages, uploads, views
from bot.callbacks import DraftTap
from bot.clock import Clock
from bot.delivery import edit_card
from bot.filters import IsForBot, IsPrompt
from bot.handlers import quota
from bot.intake import Place, Sessions
from bot.quota import means as means_of
from bot.settings import PaymentTerms
from bot.taps import edit
from bot.who import Who, card_of, thread_of
from db import albums, brands, images, plans, requests, statuses, tasks
from db.engine import autocommit
from db.errors import QuotaOut
from db.queue import wake_gpu
from db.rights import Action
from db.states import RequestState
from db.views import Draft
from pipeline.brief import GOALS, PLATFORMS
from pipeline.types import Aspect

router = Router(name="generate")

_TAIL_S = 1
_TAIL_KEPT_S = 3600


@router.message(Command("gen", ignore_case=True), F.text)
async def gen(
    message: Message,
    command: CommandObject,
    who: Who,
    state: FSMContext,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    pool: ArqRedis,
    terms: PaymentTerms,
    clock: Clock,
) -> None:
    """Straight to the queue. Handled twice, it finds its request, its task and its card."""
    who.may(Action.CREATE)
    await state.clear()
    if not command.args:
        await message.reply(pages.gen_usage(who.tr))
        return
    await is_tail(redis, message)
    idea = await intake.understand(command.args)
    place = place_of(message, who)
    source = message.message_id
    async with sessions.begin() as session:
        plan = await plans.terms(session, who.account_id, now=clock())
        draft = await intake.new_draft(session, who, idea, place, source, plan)
    try:
        async with sessions.begin() as session:
            submitted = await requests.submit(
                session,
                who.account_id,
                draft.id,
                "create",
                chat_id=place.chat_id,
                thread_id=place.thread_id,
                now=clock(),
            )
    except QuotaOut:
        await quota.offer_for_draft(draft, place, who, bot, sessions, redis, terms, clock)
        return
    if submitted.created and (idea.count or 0) > who.max_count:
        await message.reply(views.at_most(who.tr, who.max_count))
    await intake.show_task(bot, sessions, pool, who, submitted.task_id, place)


@router.message(IsPrompt(), StateFilter(None))
async def prompt(
    message: Message,
    who: Who,
    state: FSMContext,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    clock: Clock,
) -> None:
    """Plain words: a draft, to look at before any work is done."""
    who.may(Action.CREATE)
    if await dialogue.was_answer(message, state) or await is_tail(redis, message):
        return
    idea = await intake.understand(message.text or "")
    place = place_of(message, who)
    source = message.message_id
    async with sessions.begin() as session:
        means = await means_of(session, who.account_id, now=clock())
        draft = await intake.new_draft(session, who, idea, place, source, means.terms)
    await intake.show_draft(bot, sessions, who, draft, place, means)


async def is_tail(redis: Redis, message: Message) -> bool:
    """Whether this is the rest of a text that was too long for one message.

    Apps cut such a text into full messages and a rest, and send them in one breath; the first
    part's answer is enough. The mark names the first and the last part, which may be handled
    again, and when the last one was sent; the text is over with a part that is not full.
    """
    key = f"long-text:{message.chat.id}:{message.from_user.id if message.from_user else 0}"
    mark: bytes | None = await redis.get(key)
    this_id, sent_at = message.message_id, int(message.date.timestamp())
    first_id, last_id, cut_at, goes_on = map(int, mark.split(b":")) if mark else (this_id, 0, 0, 0)
    is_next = bool(goes_on) and this_id > last_id and sent_at - cut_at <= _TAIL_S
    is_tail = is_next or first_id < this_id <= last_id
    is_full = views.length(message.text or "") >= views.TEXT_LIMIT
    if is_next or (is_full and not is_tail):
        first_id = first_id if is_next else this_id
        await redis.set(key, f"{first_id}:{this_id}:{sent_at}:{is_full:d}", ex=_TAIL_KEPT_S)
    return is_tail


@router.edited_message(
    F.text | F.caption, or_f(IsForBot(), Command("gen", ignore_case=True)), StateFilter(None)
)
async def edited(
    message: Message, who: Who, bot: Bot, sessions: Sessions, store: images.Store, clock: Clock
) -> None:
    """The draft follows its message; once the work has begun, the person is told."""
    who.may(Action.CREATE)
    place = message.chat.id, message.message_id
    async with autocommit(sessions) as session:
        draft = await requests.of_message(session, who.account_id, *place)
    if draft is None:
        return
    if draft.state != RequestState.DRAFT:
        await message.reply(
            who.tr("✋ The work on this has begun already. Send the new text as a new message.")
        )
        return
    before = await intake.understand(draft.raw_prompt)
    now = await intake.understand(message.text or message.caption or "")
    photo_key = draft.photo_key
    if photo_key and uploads.has_picture(message) and uploads.photo_key(message) != photo_key:
        photo_key = await uploads.keep_photo(bot, store, message)
    async with sessions.begin() as session:
        draft = await requests.change_draft(
            session,
            who.account_id,
            draft.id,
            raw_prompt=now.raw,
            cleaned_prompt=now.cleaned,
            # What the person put right by hand stays.
            platform=now.platform if draft.platform == before.platform else draft.platform,
            goal=now.goal if draft.goal == before.goal else draft.goal,
            count=intake.count_for(who, now)
            if draft.count == intake.count_for(who, before)
            else min(draft.count, who.max_count),
            photo_key=photo_key,
        )
        means = await means_of(session, who.account_id, now=clock())
    if draft.card_message_id is not None:
        card = await intake.draft_card(who, draft, means)
        await edit_card(bot, card, draft.chat_id, draft.card_message_id)


def place_of(message: Message, who: Who) -> Place:
    """Where to answer a message; in a group the answer is a reply to it."""
    return Place(message.chat.id, thread_of(message), message.message_id if who.is_group else None)


# --- the draft card ---


@router.callback_query(DraftTap.filter(F.do == "go"))
async def go(
    query: CallbackQuery,
    callback_data: DraftTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
) -> None:
    """Создать: the card becomes the status card. A second tap finds the task that is there.

    A card that names a brand deleted since is shown without it first.
    """
    who.may(Action.CREATE)
    card = card_of(query)
    async with sessions.begin() as session:
        draft = await _own_draft(session, who, callback_data)
    if draft.brand_gone and callback_data.field != "brand" and draft.state == RequestState.DRAFT:
        async with sessions.begin() as session:
            means = await means_of(session, who.account_id, now=clock())
        words = who.tr.plain("The draft's brand was deleted: check the draft and tap again")
        await query.answer(words, show_alert=True)
        await edit(bot, query, await intake.draft_card(who, draft, means))
        return
    async with sessions.begin() as session:
        without_photo = bool(draft.photo_key) and not who.can_start_from_photos
        if without_photo and draft.state == RequestState.DRAFT:
            await requests.change_draft(session, who.account_id, draft.id, photo_key=None)
        submitted = await requests.submit(
            session,
            who.account_id,
            draft.id,
            "create",
            chat_id=card.chat.id,
            thread_id=thread_of(card),
            now=clock(),
            status_message_id=card.message_id,
        )
        task = await albums.task(session, who.account_id, submitted.task_id)
        queued = await tasks.queue_place(session, submitted.task_id)
    await wake_gpu(pool)
    if not submitted.created:
        await query.answer(who.tr.plain("It is at work already"))
        return
    if without_photo:
        words = who.tr.plain("The generator at work now can't start from a photo: I draw the words")
        await query.answer(words, show_alert=True)
    else:
        await query.answer(who.tr.plain("Off to work!"))
    await edit(bot, query, intake.task_card(task, queued))
    async with autocommit(sessions) as session:
        # A quick worker may have shown more before this edit landed; then it shows it again.
        await statuses.set_status_message(session, task.id, card.message_id, task.wanted)


@router.callback_query(DraftTap.filter(F.do == "open"))
async def open_choice(
    query: CallbackQuery,
    callback_data: DraftTap,
    who: Who,
    sessions: Sessions,
    bot: Bot,
    clock: Clock,
) -> None:
    """The values of one field in place of the card's buttons."""
    who.may(Action.CREATE)
    async with sessions.begin() as session:
        draft = await _own_draft(session, who, callback_data)
        is_brand = callback_data.field == "brand"
        listed = await brands.list_(session, who.account_id) if is_brand else ()
        means = await means_of(session, who.account_id, now=clock())
    await query.answer()
    choice = keyboards.draft_choice(who.tr, draft, callback_data.field, listed)
    card = await intake.draft_card(who, draft, means)
    await edit(bot, query, replace(card, keyboard=choice))


@router.callback_query(DraftTap.filter(F.do.in_({"set", "back"})))
async def change(
    query: CallbackQuery,
    callback_data: DraftTap,
    who: Who,
    sessions: Sessions,
    bot: Bot,
    clock: Clock,
) -> None:
    """Any other tap on a draft card; values that no button offers change nothing."""
    who.may(Action.CREATE)
    async with sessions.begin() as session:
        draft = await _own_draft(session, who, callback_data)
        fields = _fields(callback_data, who.max_count)
        draft = await requests.change_draft(session, who.account_id, draft.id, **fields)
        means = await means_of(session, who.account_id, now=clock())
    await query.answer()
    await edit(bot, query, await intake.draft_card(who, draft, means))


async def _own_draft(session: AsyncSession, who: Who, tap: DraftTap) -> Draft:
    """The tapped draft; of no more variants than can be made by now."""
    draft = await requests.get_draft(session, who.account_id, tap.request_id)
    who.must_be(draft.user_id)
    if draft.state != RequestState.DRAFT or draft.count <= who.max_count:
        return draft
    return await requests.change_draft(session, who.account_id, draft.id, count=who.max_count)


def _fields(tap: DraftTap, max_count: int) -> requests.DraftFields:
    value = tap.value or None
    match tap.do, tap.field:
        case "set", "platform" if value is None or value in PLATFORMS:
            return {"platform": value}
        case "set", "goal" if value is None or value in GOALS:
            return {"goal": value}
        case "set", "aspect" if value is None or value in Aspect.__members__:
            return {"aspect": Aspect[value].value if value else None}
        case "set", "brand" if value is None or (value.isdecimal() and len(value) < 19):
            return {"brand_id": int(value) if value else None}
        case "set", "count" if value in {"1", "2", "3", "4"}:
            return {"count": min(int(value), max_count)}
        case "set", "enhance" if value in {"0", "1"}:
            return {"enhance": value == "1"}
        case "set", "photo":
            return {"photo_key": None}
    return {}
