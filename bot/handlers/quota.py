"""When the quota is out: the ways on, each in one tap, and then the way back to the draft."""

from __future__ import annotations

from dataclasses import replace

from aiogram import Bot, F, Router
from aiogram.types import CallbackQuery
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from bot import errands, quota, quota_views
from bot.callbacks import CureTap, DraftTap
from bot.clock import Clock
from bot.delivery import send_card, send_own_card
from bot.errands import Errand
from bot.errors import NotYours
from bot.handlers.plans import noted_pay, page, question
from bot.intake import Place, Sessions
from bot.settings import PaymentTerms
from bot.taps import Press, edit, is_first_tap, send_below
from bot.texts import Texts
from bot.views import Card
from bot.who import Who, card_of
from db import plans, requests
from db.errors import QuotaOut
from db.money_views import OrderView
from db.rights import Action, allowed
from db.views import Draft

router = Router(name="quota")


@router.callback_query(CureTap.filter(F.do == "pay"))
async def pay_per_picture(
    query: CallbackQuery,
    callback_data: CureTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    terms: PaymentTerms,
    clock: Clock,
    press: Press,
) -> None:
    """From now on pictures past the quota are paid for, and what was wanted is drawn for the sum
    on the button. A second tap comes to the same task."""
    who.may(Action.MANAGE_MONEY)
    at = card_of(query)
    errand = await errands.of(redis, at.chat.id, at.message_id)
    if errand is None or errand.tap is None:
        async with sessions.begin() as session:
            await _switch_on(session, who, clock)
            card = await page(session, who.tr, who.account_id, clock())
        await query.answer(who.tr.plain("Pictures past the quota are paid for now"))
        await edit(bot, query, card)
        return
    if not errand.agreed:
        if not await _agreed(sessions, who, clock, errand, callback_data.sum):
            await query.answer(who.tr.plain("Things have changed: look at the new sum, please"))
            await edit(bot, query, await _card(sessions, who, terms, clock, errand))
            return
        await errands.keep(redis, at.chat.id, at.message_id, replace(errand, agreed=True))
    try:
        await press(errand.tap)
    except (QuotaOut, NotYours):
        # The wallet lacks something yet, or it is for somebody else to go on.
        await errands.keep(redis, at.chat.id, at.message_id, replace(errand, agreed=False))
        await query.answer(who.tr.plain("Pictures past the quota are paid for now"))
        await edit(bot, query, await _card(sessions, who, terms, clock, errand))
    else:
        if quota_views.draft_of(errand) is None:
            await edit(bot, query, quota_views.paid_for(who.tr))
        elif not errand.agreed:
            await send_below(bot, query, quota_views.paid_for(who.tr))


async def _agreed(sessions: Sessions, who: Who, clock: Clock, errand: Errand, kopecks: int) -> bool:
    """Switches it on if the pictures still cost what the button says."""
    async with sessions.begin() as session:
        means = await quota.means(session, who.account_id, now=clock())
        if means.price(errand.wanted) != kopecks:
            return False
        await _switch_on(session, who, clock)
    return True


async def _switch_on(session: AsyncSession, who: Who, clock: Clock) -> None:
    await plans.switch_pay_per_picture(session, who.account_id, True, now=clock())
    await noted_pay(session, who, on=True)


async def offer(
    query: CallbackQuery,
    wanted: int,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    terms: PaymentTerms,
    clock: Clock,
) -> None:
    """A button could not draw `wanted` pictures: its draft's card becomes the way out, an album's
    card gets it below."""
    assert query.data is not None
    at = card_of(query)
    errand = Errand(query.data, wanted)
    card = await _card(sessions, who, terms, clock, errand)
    is_own_card = await errands.of(redis, at.chat.id, at.message_id) is not None
    await query.answer(who.tr.plain("Not enough pictures this month"))
    if is_own_card or query.data.startswith(f"{DraftTap.__prefix__}:"):
        await errands.keep(redis, at.chat.id, at.message_id, errand)
        await edit(bot, query, card)
    elif await is_first_tap(redis, query, query.data):
        message_id = await send_below(bot, query, card)
        await errands.keep(redis, at.chat.id, message_id, errand)


async def offer_for_draft(
    draft: Draft,
    place: Place,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    terms: PaymentTerms,
    clock: Clock,
) -> None:
    """The same for a draft without a card, which gets this one; a message that comes twice gets
    one."""
    if draft.card_message_id is not None:
        return
    errand = Errand(DraftTap(request_id=draft.id, do="go").pack(), draft.count)
    card = await _card(sessions, who, terms, clock, errand)
    message_id = await send_card(bot, card, place.chat_id, place.thread_id, place.reply_to)
    await errands.keep(redis, place.chat_id, message_id, errand)
    async with sessions.begin() as session:
        await requests.set_card(session, draft.id, message_id)


async def go_on_after(
    order: OrderView,
    tr: Texts,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    terms: PaymentTerms,
    clock: Clock,
) -> None:
    """The money for something has come: the plan that was to be bought, or what was to be drawn."""
    if order.message_id is None:
        return
    errand = await errands.take(redis, order.chat_id, order.message_id)
    if errand is None:
        return
    if errand.plan is not None:
        async with sessions.begin() as session:
            card = await question(session, tr, order.account_id, errand.plan, terms, clock())
    else:
        of_team = order.chat_id < 0
        card = await _card_of(sessions, tr, order.account_id, terms, clock, errand, of_team=of_team)
    message_id = await send_own_card(bot, card, order.chat_id, order.thread_id)
    await errands.keep(redis, order.chat_id, message_id, replace(errand, plan=None))


async def _card(
    sessions: Sessions, who: Who, terms: PaymentTerms, clock: Clock, errand: Errand
) -> Card:
    of_team = who.is_group or not allowed(who.role, Action.MANAGE_MONEY)
    card = await _card_of(sessions, who.tr, who.account_id, terms, clock, errand, of_team=of_team)
    return who.headed(card)


async def _card_of(
    sessions: Sessions,
    tr: Texts,
    account_id: int,
    terms: PaymentTerms,
    clock: Clock,
    errand: Errand,
    *,
    of_team: bool,
) -> Card:
    async with sessions.begin() as session:
        means = await quota.means(session, account_id, now=clock())
        listed = await plans.list_(session)
    return quota_views.cure(tr, means, errand, listed, least=terms.min_kopecks, of_team=of_team)
