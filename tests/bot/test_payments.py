"""Payments through the whole bot: refused in words, credited once whatever breaks, given back."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from aiogram.fsm.storage.base import StorageKey
from aiogram.types import InlineKeyboardButton, Update
from arq import ArqRedis
from redis.asyncio import Redis
from sqlalchemy import text

from bot import app, invoices, notices, texts
from bot.errors import RefundRefused, SendError
from bot.refunds import refund
from bot.settings import BotSettings, PaymentTerms
from db import accounts, engine, payments, wallet
from db.errors import InsufficientFunds
from db.money_views import NoticeClaim, OrderView
from db.states import OrderState, PaymentMethod, PaymentState, SystemWallet, TransferKind
from db.views import Locale, TelegramUser
from tests.bot.stage import Stage, buttons
from tests.clock import MovedClock
from tests.crash import Moment, at_every_wait
from tests.sim import ANNA, BEN, TEAM

STARS, PROVIDER = PaymentMethod.STARS, PaymentMethod.PROVIDER

_update_ids = itertools.count(900_000_000)


@pytest.fixture
async def anna_id(stage: Stage) -> int:
    """Anna's account."""
    return await _account(stage, ANNA)


async def _account(stage: Stage, user_id: int, language: str = "ru") -> int:
    async with stage.sessions.begin() as session:
        user = TelegramUser(user_id, "x", language_code=language)
        return (await accounts.ensure_user(session, user)).account_id


async def _order(
    stage: Stage,
    terms: PaymentTerms,
    account_id: int,
    *,
    user_id: int = ANNA,
    chat_id: int = ANNA,
    method: PaymentMethod = STARS,
) -> OrderView:
    async with stage.sessions.begin() as session:
        return await payments.open_order(
            session,
            account_id,
            user_id,
            method=method,
            credit=500_00,
            rate=terms.rate(method),
            chat_id=chat_id,
            now=MovedClock()(),
            ttl=terms.order_ttl,
        )


async def _invoice(stage: Stage, terms: PaymentTerms, order: OrderView) -> int:
    cancel = InlineKeyboardButton(text="Отменить", callback_data="x")
    sent = await stage.bot(invoices.invoice(texts.of("ru"), order, terms, below=[[cancel]]))
    async with stage.sessions.begin() as session:
        await payments.set_message(session, order.id, sent.message_id)
    return sent.message_id


async def _pay(stage: Stage, order: OrderView, message_id: int, **more: Any) -> Any:
    body = {"user_id": order.user_id, "chat_id": order.chat_id, "message_id": message_id}
    return await stage.sim.post("pay", **body, **more)


def _update(
    order: OrderView,
    kind: str = "successful_payment",
    *,
    charge_id: str = "c1",
    chat_id: int = ANNA,
) -> Update:
    chat: dict[str, Any] = {"id": ANNA, "type": "private", "first_name": "Анна"}
    if chat_id < 0:
        chat = {"id": chat_id, "type": "supergroup", "title": "Команда"}
    money = {
        "currency": order.currency,
        "total_amount": order.amount,
        "invoice_payload": order.payload,
        "telegram_payment_charge_id": charge_id,
        "provider_payment_charge_id": "p",
    }
    person = {"id": ANNA, "is_bot": False, "first_name": "Анна", "language_code": "ru"}
    message = {"message_id": 77, "date": 1_800_000_000, "chat": chat, "from": person, kind: money}
    return Update.model_validate({"update_id": next(_update_ids), "message": message})


async def _balance(stage: Stage, account_id: int) -> int:
    async with stage.sessions() as session:
        return (await wallet.wallet(session, account_id)).balance


async def _spend(stage: Stage, account_id: int, amount: int) -> None:
    async with stage.sessions.begin() as session:
        kind = TransferKind.PICTURES
        await wallet.transfer(session, account_id, SystemWallet.REVENUE, amount, kind, "spent")


async def _sound(stage: Stage) -> None:
    async with stage.sessions() as session:
        found = await wallet.audit(session)
    assert (found.total, found.wrong) == (0, ())


async def _paid_in_full(stage: Stage, terms: PaymentTerms, account_id: int) -> str:
    """A top-up by Stars through pre-checkout and all; the charge id."""
    order = await _order(stage, terms, account_id)
    paid = await _pay(stage, order, await _invoice(stage, terms, order))
    assert paid["pre_checkout"]["ok"], paid
    charge: str = paid["message"]["successful_payment"]["telegram_payment_charge_id"]
    await _credited(stage, charge)
    return charge


async def _credited(stage: Stage, charge_id: str) -> None:
    deadline = time.monotonic() + 10
    query = "SELECT id FROM payments WHERE charge_id = :charge"
    while not await stage.rows(query, charge=charge_id):
        assert time.monotonic() < deadline, "not credited"
        await stage.sim.get(f"chats/{ANNA}/messages", since=10**9, wait=0.05)


@pytest.mark.parametrize("method", [STARS, PROVIDER])
async def test_a_payment_arrives_in_the_wallet(
    live: Stage, terms: PaymentTerms, anna_id: int, method: PaymentMethod
) -> None:
    order = await _order(live, terms, anna_id, method=method)
    message_id = await _invoice(live, terms, order)
    paid = await _pay(live, order, message_id, email="anna@example.com")
    assert paid["pre_checkout"] == {"ok": True, "error_message": None}
    await _credited(live, paid["message"]["successful_payment"]["telegram_payment_charge_id"])
    assert await _balance(live, anna_id) == 500_00
    [notice] = await live.rows("SELECT kind, account_id FROM notices")
    assert notice == {"kind": "topped_up", "account_id": anna_id}
    await _sound(live)


@pytest.mark.parametrize(("user_id", "language"), [(ANNA, "ru"), (BEN, "en")])
async def test_an_expired_order_is_refused_in_the_payers_words(
    live: Stage, terms: PaymentTerms, clock: MovedClock, user_id: int, language: str
) -> None:
    account_id = await _account(live, user_id, language)
    order = await _order(live, terms, account_id, user_id=user_id, chat_id=user_id)
    message_id = await _invoice(live, terms, order)
    clock.move(minutes=60)
    said = (await _pay(live, order, message_id))["pre_checkout"]
    assert said["ok"] is False
    assert ("out of date" in said["error_message"]) == (language == "en")
    assert "/wallet" in said["error_message"]
    assert await _balance(live, account_id) == 0


async def test_a_paid_order_and_anothers_order_are_refused(
    live: Stage, terms: PaymentTerms, anna_id: int
) -> None:
    group = await live.sim.group()
    order = await _order(live, terms, anna_id, chat_id=group["id"])
    message_id = await _invoice(live, terms, order)
    by_ben = {"user_id": BEN, "chat_id": group["id"], "message_id": message_id}
    assert (await live.sim.post("pay", **by_ben))["pre_checkout"]["ok"] is False
    assert (await _pay(live, order, message_id))["pre_checkout"]["ok"] is True
    # The same order on a second message, as after a crash between sending and noting it.
    second = await _pay(live, order, await _invoice(live, terms, order))
    assert second["pre_checkout"]["ok"] is False
    assert await _balance(live, anna_id) == 500_00


async def test_a_forged_pre_checkout_is_answered_no(
    stage: Stage, terms: PaymentTerms, anna_id: int
) -> None:
    order = await _order(stage, terms, anna_id)
    for number, changed in enumerate(
        (
            {"currency": "RUB"},
            {"total_amount": 1},
            {"invoice_payload": "forged"},
            {"invoice_payload": "\x00' OR 1=1"},
        )
    ):
        query = {
            "id": str(number),
            "from": {"id": ANNA, "is_bot": False, "first_name": "Анна"},
            "currency": order.currency,
            "total_amount": order.amount,
            "invoice_payload": order.payload,
            **changed,
        }
        body = {"update_id": next(_update_ids), "pre_checkout_query": query}
        await stage.dispatcher.feed_update(stage.bot, Update.model_validate(body))
    answers = [call["arguments"] for call in await stage.sim.calls("answerPreCheckoutQuery")]
    assert [str(answer["ok"]).lower() for answer in answers] == ["false"] * 4
    assert all(answer["error_message"] for answer in answers)


async def test_a_paid_invoice_cannot_be_cancelled_any_more(
    live: Stage, terms: PaymentTerms, anna_id: int
) -> None:
    order = await _order(live, terms, anna_id)
    message_id = await _invoice(live, terms, order)
    await _pay(live, order, message_id)
    anna = live.person()
    await anna.wait_for(
        lambda one: one["message_id"] == message_id and buttons(one) == ["Оплатить 334 ⭐"],
        "only the button that shows the receipt",
    )


async def test_a_slow_database_is_a_no_in_words_within_two_seconds(
    live: Stage, terms: PaymentTerms, anna_id: int
) -> None:
    order = await _order(live, terms, anna_id)
    message_id = await _invoice(live, terms, order)
    async with live.sessions.begin() as session:
        await session.execute(text("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE"))
        started = time.monotonic()
        said = (await _pay(live, order, message_id))["pre_checkout"]
        took_s = time.monotonic() - started
    assert said["ok"] is False
    assert "не" in said["error_message"].lower()
    assert took_s < 2.0
    assert (await _pay(live, order, message_id))["pre_checkout"]["ok"] is True


@pytest.fixture
async def cut_off(
    stage: Stage, options: BotSettings, terms: PaymentTerms
) -> AsyncIterator[app.Dispatcher]:
    """A bot whose database does not answer."""
    nowhere = engine.create("postgresql://nobody@127.0.0.1:1/nothing")
    sessions, store = engine.session_factory(nowhere), stage.dispatcher["store"]
    dispatcher, bot = app.build(options, sessions, stage.redis, stage.pool, store, terms)
    yield dispatcher
    await bot.session.close()
    await nowhere.dispose()


async def test_without_a_database_it_is_a_no_in_words(
    stage: Stage, cut_off: app.Dispatcher
) -> None:
    query = {
        "id": "1",
        "from": {"id": BEN, "is_bot": False, "first_name": "Ben", "language_code": "en"},
        "currency": "XTR",
        "total_amount": 1,
        "invoice_payload": "p",
    }
    body = {"update_id": next(_update_ids), "pre_checkout_query": query}
    await cut_off.feed_update(stage.bot, Update.model_validate(body))
    [call] = await stage.sim.calls("answerPreCheckoutQuery")
    assert "try again in a minute" in call["arguments"]["error_message"]


async def test_without_a_database_a_payment_must_come_again(
    stage: Stage, terms: PaymentTerms, anna_id: int, cut_off: app.Dispatcher
) -> None:
    order = await _order(stage, terms, anna_id)
    with pytest.raises(OSError, match="onnect"):
        await cut_off.feed_update(stage.bot, _update(order))


async def test_a_payment_waits_for_no_dialogue_and_needs_no_redis(
    stage: Stage, options: BotSettings, terms: PaymentTerms, anna_id: int
) -> None:
    away = Redis.from_url("redis://127.0.0.1:1")
    pool, store = ArqRedis(connection_pool=away.connection_pool), stage.dispatcher["store"]
    dispatcher, bot = app.build(options, stage.sessions, away, pool, store, terms)
    order = await _order(stage, terms, anna_id)
    async with stage.dispatcher.fsm.events_isolation.lock(StorageKey(bot.id, ANNA, ANNA)):
        await dispatcher.feed_update(bot, _update(order, charge_id="a"))
        await stage.dispatcher.feed_update(stage.bot, _update(order, charge_id="b"))
    await bot.session.close()
    await away.aclose()
    assert await _balance(stage, anna_id) == 1000_00


async def test_a_payment_in_a_group_is_not_taken_for_talk(
    stage: Stage, terms: PaymentTerms, anna_id: int
) -> None:
    order = await _order(stage, terms, anna_id, chat_id=TEAM)
    for kind in ("successful_payment", "refunded_payment"):
        await stage.dispatcher.feed_update(stage.bot, _update(order, kind, chat_id=TEAM))
        rows = await stage.rows("SELECT state FROM payments")
        assert len(rows) == 1
    assert rows[0]["state"] == "refunded"


async def test_no_error_about_money_is_settled_with_a_word(
    stage: Stage, terms: PaymentTerms, anna_id: int
) -> None:
    """A person would be told that money lacks; Telegram must send the payment again."""
    order = await _order(stage, terms, anna_id)
    async with stage.sessions.begin() as session:
        await session.execute(text("DELETE FROM wallets WHERE system = 'stars'"))
    with pytest.raises(InsufficientFunds):
        await stage.dispatcher.feed_update(stage.bot, _update(order))
    async with stage.sessions.begin() as session:
        await session.execute(text("INSERT INTO wallets (system) VALUES ('stars')"))
    await stage.dispatcher.feed_update(stage.bot, _update(order))
    assert await _balance(stage, anna_id) == 500_00


@pytest.mark.parametrize("moment", ["during", "after"])
async def test_dying_at_any_wait_of_a_payment_credits_once(
    stage: Stage, terms: PaymentTerms, anna_id: int, moment: Moment
) -> None:
    """One payment, handled with a death at each wait in turn: ten times over."""
    orders = [await _order(stage, terms, anna_id) for _ in range(10)]
    deaths = 0
    for number, order in enumerate(orders, 1):
        await _invoice(stage, terms, order)
        update = _update(order, charge_id=f"c{number}")

        async def at_most_once(number: int = number) -> None:
            balance = await _balance(stage, anna_id)
            assert balance in ((number - 1) * 500_00, number * 500_00)
            await stage.rested()

        deaths += await at_every_wait(
            lambda update=update: stage.dispatcher.feed_update(stage.bot, update),  # type: ignore[misc]
            moment,
            at_most_once,
        )
        assert await _balance(stage, anna_id) == number * 500_00
    assert deaths > 100
    assert len(await stage.rows("SELECT id FROM notices")) == 10
    await _sound(stage)


@pytest.mark.parametrize("moment", ["during", "after"])
async def test_dying_at_any_wait_of_a_reported_refund_takes_back_once(
    stage: Stage, terms: PaymentTerms, anna_id: int, moment: Moment
) -> None:
    order = await _order(stage, terms, anna_id)
    await stage.dispatcher.feed_update(stage.bot, _update(order))
    await _spend(stage, anna_id, 100_00)
    update = _update(order, "refunded_payment")

    async def sound() -> None:
        assert await _balance(stage, anna_id) in (0, 400_00)
        await _sound(stage)

    deaths = await at_every_wait(
        lambda: stage.dispatcher.feed_update(stage.bot, update), moment, sound
    )
    assert deaths > 5
    async with stage.sessions() as session:
        left = await wallet.wallet(session, anna_id)
    assert (left.balance, left.paused) == (0, True)
    [owed] = await stage.rows(
        "SELECT amount FROM transfers t JOIN wallets w ON w.id = t.source_id"
        " WHERE w.system = 'receivables'"
    )
    assert owed == {"amount": 100_00}


@pytest.mark.parametrize("moment", ["during", "after"])
async def test_dying_at_any_wait_of_the_operators_refund_gives_back_once(
    live: Stage, terms: PaymentTerms, anna_id: int, moment: Moment
) -> None:
    charge = await _paid_in_full(live, terms, anna_id)
    now = MovedClock()()

    async def sound() -> None:
        assert await _balance(live, anna_id) in (0, 500_00)
        await _sound(live)

    deaths = await at_every_wait(
        lambda: refund(live.bot, live.sessions, charge, operator="Оля", now=now), moment, sound
    )
    assert deaths > 5
    assert await _balance(live, anna_id) == 0
    assert [one["state"] for one in await live.rows("SELECT state FROM payments")] == ["refunded"]
    said = [m for m in await live.person().messages() if "refunded_payment" in m]
    assert len(said) == 1
    again = await refund(live.bot, live.sessions, charge, operator="Оля", now=now)
    assert again.state is PaymentState.REFUNDED


async def test_a_refund_of_spent_money_is_refused_and_telegram_not_asked(
    live: Stage, terms: PaymentTerms, anna_id: int
) -> None:
    charge = await _paid_in_full(live, terms, anna_id)
    await _spend(live, anna_id, 1_00)
    with pytest.raises(InsufficientFunds) as caught:
        await refund(live.bot, live.sessions, charge, operator="Оля", now=MovedClock()())
    assert caught.value.missing == 1_00
    assert await live.sim.calls("refundStarPayment") == []


async def test_what_telegram_gave_back_before_is_a_success(
    live: Stage, terms: PaymentTerms, anna_id: int
) -> None:
    charge = await _paid_in_full(live, terms, anna_id)
    await live.sim.fault("refundStarPayment", "drop")
    now = MovedClock()()
    with pytest.raises(SendError):
        await refund(live.bot, live.sessions, charge, operator="Оля", now=now)
    done = await refund(live.bot, live.sessions, charge, operator="Оля", now=now)
    assert done.state is PaymentState.REFUNDED
    assert await _balance(live, anna_id) == 0
    await _sound(live)


async def test_a_refund_that_telegram_refuses_is_undone(
    stage: Stage, terms: PaymentTerms, anna_id: int
) -> None:
    order = await _order(stage, terms, anna_id)
    await stage.dispatcher.feed_update(stage.bot, _update(order, charge_id="unknown to Telegram"))
    with pytest.raises(RefundRefused, match="CHARGE_NOT_FOUND"):
        await refund(
            stage.bot, stage.sessions, "unknown to Telegram", operator="Оля", now=MovedClock()()
        )
    assert await _balance(stage, anna_id) == 500_00


async def test_telegram_giving_money_back_by_itself_reaches_the_wallet(
    live: Stage, terms: PaymentTerms, anna_id: int
) -> None:
    charge = await _paid_in_full(live, terms, anna_id)
    await _spend(live, anna_id, 200_00)
    await live.sim.post("refund", charge_id=charge)
    deadline = time.monotonic() + 10
    while await _balance(live, anna_id):
        assert time.monotonic() < deadline
        await live.sim.get(f"chats/{ANNA}/messages", since=10**9, wait=0.05)
    async with live.sessions() as session:
        assert (await wallet.wallet(session, anna_id)).paused
    [notice] = await live.rows("SELECT data FROM notices WHERE kind = 'charged_back'")
    assert notice["data"] == {
        "sum": 500_00,
        "balance": 0,
        "shortfall": 200_00,
        "chat_id": ANNA,
        "thread_id": None,
    }


def _an_order(method: PaymentMethod, credit: int = 1_234_567) -> OrderView:
    is_stars = method is STARS
    return OrderView(
        id=1,
        account_id=1,
        user_id=ANNA,
        method=method,
        currency="XTR" if is_stars else "RUB",
        amount=8231 if is_stars else credit,
        credit=credit,
        rate=150 if is_stars else None,
        payload="x" * 32,
        state=OrderState.OPEN,
        expires_at=datetime.now(UTC),
        chat_id=ANNA,
        thread_id=None,
        message_id=None,
    )


@pytest.mark.parametrize("method", [STARS, PROVIDER])
@pytest.mark.parametrize("locale", ["ru", "en"])
def test_an_invoice_keeps_telegrams_limits(
    terms: PaymentTerms, method: PaymentMethod, locale: str
) -> None:
    order = _an_order(method, credit=1_234_567_89)
    call = invoices.invoice(texts.of(locale), order, terms)
    assert 0 < len(call.title) <= 32
    assert 0 < len(call.description) <= 255
    assert len(call.payload.encode()) <= 128
    assert len(call.prices) == 1
    assert call.start_parameter
    assert (call.provider_token == "") == (method is STARS)


def test_a_receipt_has_what_the_law_asks_for(terms: PaymentTerms) -> None:
    taxed = terms.model_copy(update={"tax_system_code": 2, "vat_code": 1})
    call = invoices.invoice(texts.of("ru"), _an_order(PROVIDER, 500_00), taxed)
    assert call.need_email
    assert call.send_email_to_provider
    receipt = json.loads(call.provider_data or "")["receipt"]
    assert receipt["tax_system_code"] == 2
    [item] = receipt["items"]
    assert item["amount"] == {"value": "500.00", "currency": "RUB"}
    assert item["vat_code"] == 1
    without = invoices.invoice(texts.of("ru"), _an_order(PROVIDER), terms)
    assert without.provider_data is None


@pytest.mark.parametrize("locale", ["ru", "en"])
@pytest.mark.parametrize(
    ("kind", "data", "sums"),
    [
        ("topped_up", {"sum": 500_00, "balance": 620_50}, ("500 ₽", "620")),
        ("refunded", {"sum": 500_00, "balance": 0}, ("500 ₽", "0 ₽")),
        ("charged_back", {"sum": 500_00, "balance": 0, "shortfall": 0}, ("500 ₽",)),
        ("charged_back", {"sum": 500_00, "balance": 0, "shortfall": 7_00}, ("500 ₽", "7 ₽")),
    ],
)
def test_every_notice_about_money_has_words(
    locale: str, kind: str, data: dict[str, object], sums: tuple[str, ...]
) -> None:
    claim = NoticeClaim(1, uuid.uuid4(), 1, kind, data, ANNA, cast("Locale", locale), 1)
    card = notices.card(claim)
    assert all(one in card.text.replace("\xa0", " ") for one in sums)
    assert ("paused" in card.text or "приостановлены" in card.text) == bool(data.get("shortfall"))
    assert card.keyboard is not None
