"""/plans: what each gives, changing it, and paying for pictures past the quota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiogram import Bot, F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from bot import errands, keyboards, plan_views, quota_views
from bot.buttons import Row
from bot.callbacks import PlanTap
from bot.clock import Clock
from bot.intake import Sessions
from bot.settings import PaymentTerms
from bot.taps import edit
from bot.texts import Texts
from bot.views import Card
from bot.who import Who, card_of
from db import audit, brands, channels, plans, teams, wallet
from db.audit import Deed
from db.errors import InsufficientFunds, NotFound, Stale
from db.money_views import Agreed, PlanView, Quote, Standing
from db.rights import Action

router = Router(name="plans")

QUOTED_FOR = timedelta(minutes=15)
"""So long what a page shows may be charged: the credit for the running month shrinks by the
second, and nobody pays another sum than they read."""


@router.message(Command("plans"))
@router.message(F.text.in_(keyboards.menu_labels("plans")))
async def show(
    message: Message, who: Who, state: FSMContext, sessions: Sessions, clock: Clock
) -> None:
    await state.clear()
    who.may(Action.MANAGE_MONEY)
    async with sessions.begin() as session:
        card = await page(session, who.tr, who.account_id, clock())
    await message.answer(card.text, reply_markup=card.keyboard)


@router.callback_query(PlanTap.filter(F.do == "show"))
async def back(query: CallbackQuery, who: Who, bot: Bot, sessions: Sessions, clock: Clock) -> None:
    who.may(Action.MANAGE_MONEY)
    async with sessions.begin() as session:
        card = await page(session, who.tr, who.account_id, clock())
    await query.answer()
    await edit(bot, query, card)


@router.callback_query(PlanTap.filter(F.do == "pay"))
async def switch_pay_per_picture(
    query: CallbackQuery,
    callback_data: PlanTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    who.may(Action.MANAGE_MONEY)
    async with sessions.begin() as session:
        await plans.switch_pay_per_picture(
            session, who.account_id, callback_data.value == "1", now=clock()
        )
        await noted_pay(session, who, on=callback_data.value == "1")
        card = await page(session, who.tr, who.account_id, clock())
    await query.answer(who.tr.plain("Saved"))
    await edit(bot, query, card)


@router.callback_query(PlanTap.filter(F.do == "ask"))
async def ask(
    query: CallbackQuery,
    callback_data: PlanTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    terms: PaymentTerms,
    clock: Clock,
) -> None:
    """The question before anything is charged or changed."""
    who.may(Action.MANAGE_MONEY)
    async with sessions.begin() as session:
        card = await question(session, who.tr, who.account_id, callback_data.value, terms, clock())
    await query.answer()
    await edit(bot, query, card)


@router.callback_query(PlanTap.filter(F.do == "change"))
async def change(
    query: CallbackQuery,
    callback_data: PlanTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    terms: PaymentTerms,
    clock: Clock,
) -> None:
    """What comes after this period; nothing is charged. What would cost money is asked first."""
    who.may(Action.MANAGE_MONEY)
    now, code = clock(), callback_data.value
    saved: str | None = None
    async with sessions.begin() as session:
        try:
            await plans.choose(session, who.account_id, code, now=now)
        except Stale:
            card = await question(session, who.tr, who.account_id, code, terms, now)
        else:
            await _noted(session, who, code, 0)
            card = await page(session, who.tr, who.account_id, now)
            saved = who.tr.plain("Saved")
    await query.answer(saved)
    await edit(bot, query, card)


@router.callback_query(PlanTap.filter(F.do == "buy"))
async def buy(
    query: CallbackQuery,
    callback_data: PlanTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    terms: PaymentTerms,
    clock: Clock,
) -> None:
    """Charges what was shown; where that no longer holds, asks again."""
    who.may(Action.MANAGE_MONEY)
    now, code, at = clock(), callback_data.value, card_of(query)
    errand = await errands.of(redis, at.chat.id, at.message_id)
    try:
        async with sessions.begin() as session:
            card = await _buy(session, who, callback_data, now, errand)
    except (InsufficientFunds, _Outdated) as error:
        async with sessions.begin() as session:
            card = await question(session, who.tr, who.account_id, code, terms, now)
        lacks = isinstance(error, InsufficientFunds)
        await query.answer(
            who.tr.plain("The wallet does not cover it")
            if lacks
            else who.tr.plain("Things have changed: look at the new sum, please")
        )
    else:
        await query.answer(who.tr.plain("Done"))
    await edit(bot, query, card)


class _Outdated(Exception):
    """What a button would charge is no longer what it would be charged for."""


async def _buy(
    session: AsyncSession, who: Who, tap: PlanTap, now: datetime, errand: errands.Errand | None
) -> Card:
    """What has come of it. A second tap finds it done and does nothing again.

    Raises _Outdated, InsufficientFunds.
    """
    before = await plans.standing(session, who.account_id, now=now)
    quote: Quote | None = None
    if before.period.id == tap.period_id:
        moment = datetime.fromtimestamp(min(tap.at, 2**33), UTC)
        if not timedelta() <= now - moment <= QUOTED_FOR:
            raise _Outdated
        quote = await plans.quote(session, who.account_id, tap.value, now=moment)
        try:
            await plans.choose(
                session,
                who.account_id,
                tap.value,
                now=moment,
                agreed=Agreed(tap.sum, f"{tap.period_id}:{tap.at}"),
            )
            await _noted(session, who, tap.value, tap.sum)
        except Stale as error:
            raise _Outdated from error
    elif before.plan.code != tap.value:
        raise _Outdated
    standing = await plans.standing(session, who.account_id, now=now)
    purse = await wallet.wallet(session, who.account_id)
    way_on: Row = [quota_views.go_on(who.tr, errand)] if errand and errand.tap else []
    return who.headed(plan_views.bought(who.tr, standing, quote, purse, way_on))


async def noted_pay(session: AsyncSession, who: Who, *, on: bool) -> None:
    """A line of the audit: whether pictures past the quota are paid for."""
    await audit.note(
        session, who.account_id, who.user_id, Deed.PAY_PER_PICTURE, "wallet", on=int(on)
    )


async def _noted(session: AsyncSession, who: Who, code: str, sum: int) -> None:
    """A line of the audit: the plan that was chosen, and what was charged for it at once."""
    await audit.note(session, who.account_id, who.user_id, Deed.PLAN, f"plan {code}", sum=sum)


async def question(
    session: AsyncSession, tr: Texts, account_id: int, code: str, terms: PaymentTerms, now: datetime
) -> Card:
    """What changing to this plan would mean; of one's own plan, the page of all.

    Raises NotFound for a plan that can't be chosen.
    """
    # In whole seconds, as the button carries it: so it is the same sum when it is charged.
    moment = now.replace(microsecond=0)
    standing = await plans.standing(session, account_id, now=now)
    quote = await plans.quote(session, account_id, code, now=moment)
    if quote.kind == "keep":
        return await page(session, tr, account_id, now)
    return plan_views.ask(
        tr,
        standing,
        await _plan(session, standing, code),
        quote,
        await wallet.wallet(session, account_id),
        moment,
        least=terms.min_kopecks,
        brands=len(await brands.list_(session, account_id)),
        channels=len(await channels.list_(session, account_id)),
        team=await teams.name(session, account_id),
    )


async def _plan(session: AsyncSession, standing: Standing, code: str) -> PlanView:
    listed = (standing.plan, *await plans.list_(session))
    found = next((plan for plan in listed if plan.code == code), None)
    if found is None:
        raise NotFound("plan")
    return found


async def page(session: AsyncSession, tr: Texts, account_id: int, now: datetime) -> Card:
    """Where the account stands, and what there is."""
    standing = await plans.standing(session, account_id, now=now)
    listed = await plans.list_(session)
    purse = await wallet.wallet(session, account_id)
    team = await teams.name(session, account_id)
    return plan_views.plans(tr, standing, listed, purse, now, team=team)
