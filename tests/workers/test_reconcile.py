"""The books beside Telegram's list: what the bot never heard of is credited and taken back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from aiogram.types import LabeledPrice

from bot import invoices, texts
from bot.errors import SendError
from bot.reconcile import reconcile
from bot.settings import PaymentTerms
from db import accounts, payments, refunds, wallet
from db.money_views import OrderView, Paid
from db.states import PaymentMethod, SystemWallet, TransferKind
from db.views import TelegramUser
from tests.sim import ANNA, Sim
from workers.courier import Courier
from workers.reconcile import Reconciliation

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TERMS = PaymentTerms(stars_rate_kopecks=150)


async def _account(courier: Courier) -> int:
    async with courier.sessions.begin() as session:
        anna = await accounts.ensure_user(session, TelegramUser(ANNA, "Анна"))
    return anna.account_id


async def _order(courier: Courier, credit: int = 300_00) -> OrderView:
    account_id = await _account(courier)
    async with courier.sessions.begin() as session:
        return await payments.open_order(
            session,
            account_id,
            ANNA,
            method=PaymentMethod.STARS,
            credit=credit,
            rate=150,
            chat_id=ANNA,
            now=NOW,
            ttl=timedelta(hours=1),
        )


async def _pay_unheard(courier: Courier, sim: Sim, payload: str | None = None) -> str:
    """Money is taken, and the update about it is lost; the charge id."""
    order = await _order(courier)
    call = invoices.invoice(texts.of("ru"), order, TERMS)
    if payload is not None:
        call = call.model_copy(update={"payload": payload})
    sent = await courier.bot(call)
    paying = asyncio.create_task(
        sim.post("pay", user_id=ANNA, chat_id=ANNA, message_id=sent.message_id)
    )
    offset = None
    while not paying.done():
        for update in await courier.bot.get_updates(offset=offset, timeout=0):
            offset = update.update_id + 1
            if update.pre_checkout_query is not None:
                await update.pre_checkout_query.answer(ok=True)
        await asyncio.wait([paying], timeout=0.02)
    updates = await courier.bot.get_updates(offset=offset)
    await courier.bot.get_updates(offset=updates[-1].update_id + 1, timeout=0)
    charge: str = (await paying)["message"]["successful_payment"]["telegram_payment_charge_id"]
    return charge


def _paid(order: OrderView, charge_id: str) -> Paid:
    return Paid(order.payload, ANNA, "XTR", order.amount, charge_id, "", NOW)


async def _balance(courier: Courier) -> int:
    async with courier.sessions() as session:
        return (await wallet.wallet(session, await _account(courier))).balance


async def _sound(courier: Courier) -> None:
    async with courier.sessions() as session:
        found = await wallet.audit(session)
    assert (found.total, found.wrong) == (0, ())


async def test_a_missed_payment_is_credited_once(courier: Courier, sim: Sim) -> None:
    charge = await _pay_unheard(courier, sim)
    assert await _balance(courier) == 0
    report = await reconcile(courier.bot, courier.sessions, now=NOW)
    assert (report.credited, report.transactions) == ([charge], 1)
    assert not report.needs_a_person
    again = await reconcile(courier.bot, courier.sessions, now=NOW)
    assert again.repaired == 0
    assert await _balance(courier) == 300_00
    await _sound(courier)


async def test_a_missed_refund_is_booked_once(courier: Courier, sim: Sim) -> None:
    charge = await _pay_unheard(courier, sim)
    await reconcile(courier.bot, courier.sessions, now=NOW)
    async with courier.sessions.begin() as session:
        await wallet.transfer(
            session,
            await _account(courier),
            SystemWallet.REVENUE,
            50_00,
            TransferKind.PICTURES,
            "spent",
        )
    await sim.post("refund", charge_id=charge)
    report = await reconcile(courier.bot, courier.sessions, now=NOW)
    assert (report.refunded, report.credited) == ([charge], [])
    assert (await reconcile(courier.bot, courier.sessions, now=NOW)).repaired == 0
    async with courier.sessions() as session:
        left = await wallet.wallet(session, await _account(courier))
    assert (left.balance, left.paused) == (0, True)
    await _sound(courier)


async def test_both_missed_add_up_to_nothing(courier: Courier, sim: Sim) -> None:
    charge = await _pay_unheard(courier, sim)
    await sim.post("refund", charge_id=charge)
    report = await reconcile(courier.bot, courier.sessions, now=NOW)
    assert (report.credited, report.refunded) == ([charge], [charge])
    assert await _balance(courier) == 0
    await _sound(courier)


async def test_money_for_no_order_is_reported_to_a_person(courier: Courier, sim: Sim) -> None:
    charge = await _pay_unheard(courier, sim, payload="of another bot's days")
    report = await reconcile(courier.bot, courier.sessions, now=NOW)
    assert (report.unmatched, report.credited) == ([charge], [])
    assert report.needs_a_person


async def test_what_differs_is_reported_and_left_alone(courier: Courier, sim: Sim) -> None:
    charge = await _pay_unheard(courier, sim)
    order = await _order(courier, credit=100_00)
    async with courier.sessions.begin() as session:
        await payments.credit(session, _paid(order, charge))
        await payments.credit(session, _paid(order, "never at Telegram"))
    before = await _balance(courier)
    report = await reconcile(courier.bot, courier.sessions, now=NOW)
    assert (report.differing, report.unknown) == ([charge], ["never at Telegram"])
    assert report.repaired == 0
    assert await _balance(courier) == before


async def test_a_refund_left_half_done_is_finished(courier: Courier, sim: Sim) -> None:
    charge = await _pay_unheard(courier, sim)
    await reconcile(courier.bot, courier.sessions, now=NOW)
    async with courier.sessions.begin() as session:
        await refunds.begin(session, charge, operator="Оля")
    report = await reconcile(courier.bot, courier.sessions, now=NOW)
    assert report.refunded == [charge]
    assert len(await sim.calls("refundStarPayment")) == 1
    assert (await reconcile(courier.bot, courier.sessions, now=NOW)).repaired == 0
    assert await _balance(courier) == 0
    await _sound(courier)


async def test_a_refund_telegram_refuses_is_undone_and_reported(courier: Courier, sim: Sim) -> None:
    order = await _order(courier)
    async with courier.sessions.begin() as session:
        await payments.credit(session, _paid(order, "nobody's"))
        await refunds.begin(session, "nobody's", operator="Оля")
    report = await reconcile(courier.bot, courier.sessions, now=NOW)
    assert report.stuck == ["nobody's"]
    assert await _balance(courier) == 300_00


async def test_every_page_is_read(courier: Courier, sim: Sim) -> None:
    link = await courier.bot.create_invoice_link(
        title="x",
        description="x",
        payload="p",
        currency="XTR",
        prices=[LabeledPrice(label="x", amount=1)],
    )
    paying = [asyncio.create_task(sim.post("pay", user_id=ANNA, link=link)) for _ in range(201)]
    offset = None
    while not all(one.done() for one in paying):
        for update in await courier.bot.get_updates(offset=offset, timeout=0):
            offset = update.update_id + 1
            if update.pre_checkout_query is not None:
                await update.pre_checkout_query.answer(ok=True)
        await asyncio.wait(paying, timeout=0.02)
    report = await reconcile(courier.bot, courier.sessions, now=NOW)
    assert report.transactions == 201
    assert len(set(report.unmatched)) == 201
    assert len(await sim.calls("getStarTransactions")) == 3


async def test_it_runs_once_a_night_whichever_process_asks(courier: Courier) -> None:
    now = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
    first, second = (Reconciliation(courier, clock=lambda: now) for _ in range(2))
    assert await first.run_if_due() is not None
    assert await second.run_if_due() is None
    now = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
    assert await second.run_if_due() is not None
    assert await first.run_if_due() is None
    now = datetime(2026, 3, 2, 0, 59, tzinfo=UTC)
    assert await first.run_if_due() is None


async def test_a_run_that_fails_does_not_cost_the_night(courier: Courier, sim: Sim) -> None:
    nightly = Reconciliation(courier, clock=lambda: NOW)
    await sim.fault("getStarTransactions", "500")
    with pytest.raises(SendError):
        await nightly.run_if_due()
    assert await nightly.run_if_due() is not None
