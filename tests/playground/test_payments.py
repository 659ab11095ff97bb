"""Invoices, pre-checkout, payment, refunds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playground.client import ANNA, BEN, TEAM, Playground, in_background

STARS = {
    "title": "100 картинок",
    "description": "Пакет на месяц",
    "payload": "order-1",
    "currency": "XTR",
    "prices": [{"label": "Пакет", "amount": 250}],
    "start_parameter": "buy",
}


async def checkout(playground: Playground, **answer: Any) -> Any:
    """The bot's side of a payment: waits for the query and answers it."""
    while True:
        for update in await playground.updates(timeout=5):
            if "pre_checkout_query" in update:
                query = update["pre_checkout_query"]
                await playground.call(
                    "answerPreCheckoutQuery", pre_checkout_query_id=query["id"], **answer
                )
                return query


async def pay(playground: Playground, status: int = 200, **body: Any) -> Any:
    """Anna pays and the bot agrees."""
    bot = in_background(checkout(playground, ok=True))
    paid = await playground.post("pay", user_id=ANNA, **body)
    await bot
    return paid


async def test_an_invoice_is_paid_in_stars(playground: Playground) -> None:
    invoice = await playground.call("sendInvoice", chat_id=ANNA, **STARS)
    assert invoice["invoice"]["total_amount"] == 250
    assert invoice["reply_markup"]["inline_keyboard"][0][0]["pay"] is True
    bot = in_background(checkout(playground, ok=True))
    paid = await playground.post(
        "pay", user_id=ANNA, chat_id=ANNA, message_id=invoice["message_id"]
    )
    query = await bot
    assert (query["invoice_payload"], query["total_amount"]) == ("order-1", 250)
    assert paid["pre_checkout"] == {"ok": True, "error_message": None}
    (update,) = await playground.updates()
    payment = update["message"]["successful_payment"]
    assert payment["invoice_payload"] == "order-1"
    assert payment == paid["successful_payment"]["successful_payment"]
    assert (await playground.call("getMyStarBalance"))["amount"] == 250
    again = {"user_id": ANNA, "chat_id": ANNA, "message_id": invoice["message_id"]}
    assert "already" in (await playground.post("pay", status=400, **again))["description"]


async def test_the_bot_may_refuse(playground: Playground) -> None:
    invoice = await playground.call("sendInvoice", chat_id=ANNA, **STARS)
    bot = in_background(checkout(playground, ok=False, error_message="Заказ устарел"))
    paid = await playground.post("pay", chat_id=ANNA, message_id=invoice["message_id"])
    query = await bot
    assert paid["pre_checkout"] == {"ok": False, "error_message": "Заказ устарел"}
    assert paid["successful_payment"] is None
    late = await playground.raw(
        "answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True
    )
    assert "query is too old" in late.error
    assert (await playground.call("getMyStarBalance"))["amount"] == 0


async def test_a_refund_happens_once(playground: Playground) -> None:
    invoice = await playground.call("sendInvoice", chat_id=ANNA, **STARS)
    paid = await pay(playground, chat_id=ANNA, message_id=invoice["message_id"])
    charge = paid["successful_payment"]["successful_payment"]["telegram_payment_charge_id"]
    wrong = await playground.raw(
        "refundStarPayment", user_id=BEN, telegram_payment_charge_id=charge
    )
    assert wrong.error == "Bad Request: CHARGE_NOT_FOUND"
    target = {"user_id": ANNA, "telegram_payment_charge_id": charge}
    assert await playground.call("refundStarPayment", **target) is True
    again = await playground.raw("refundStarPayment", **target)
    assert again.error == "Bad Request: CHARGE_ALREADY_REFUNDED"
    messages = [update["message"] for update in await playground.updates()]
    assert messages[-1]["refunded_payment"]["telegram_payment_charge_id"] == charge
    moves = (await playground.call("getStarTransactions"))["transactions"]
    assert [("source" in move, "receiver" in move) for move in moves] == [
        (True, False),
        (False, True),
    ]
    assert {move["id"] for move in moves} == {charge}
    assert (await playground.call("getMyStarBalance"))["amount"] == 0


async def test_telegram_may_refund_by_itself(playground: Playground) -> None:
    invoice = await playground.call("sendInvoice", chat_id=ANNA, **STARS)
    paid = await pay(playground, chat_id=ANNA, message_id=invoice["message_id"])
    charge = paid["successful_payment"]["successful_payment"]["telegram_payment_charge_id"]
    await playground.post("refund", charge_id=charge)
    await playground.post("refund", status=400, charge_id=charge)
    assert "refunded_payment" in (await playground.updates())[-1]["message"]


async def test_roubles_through_a_provider(playground: Playground) -> None:
    fields = {**STARS, "currency": "RUB", "prices": [{"label": "Пакет", "amount": 30000}]}
    invoice = await playground.call("sendInvoice", chat_id=TEAM, provider_token="p:1", **fields)
    paid = await pay(playground, chat_id=TEAM, message_id=invoice["message_id"])
    payment = paid["message"]["successful_payment"]
    assert (payment["currency"], payment["total_amount"]) == ("RUB", 30000)
    target = {"telegram_payment_charge_id": payment["telegram_payment_charge_id"]}
    stars_only = await playground.raw("refundStarPayment", user_id=ANNA, **target)
    assert stars_only.error == "Bad Request: CHARGE_NOT_FOUND"


async def test_an_invoice_may_ask_for_an_email(playground: Playground) -> None:
    fields = {**STARS, "currency": "RUB", "need_email": True, "provider_data": '{"receipt": {}}'}
    invoice = await playground.call("sendInvoice", chat_id=ANNA, provider_token="p:1", **fields)
    target = {"chat_id": ANNA, "message_id": invoice["message_id"]}
    for missing in ({}, {"email": "anna"}):
        refused = await playground.post("pay", status=400, **target, **missing)
        assert refused["description"] == "this invoice asks for an e-mail address"
    bot = in_background(checkout(playground, ok=True))
    paid = await playground.post("pay", **target, email="anna@example.com")
    info = {"email": "anna@example.com"}
    assert (await bot)["order_info"] == info
    assert paid["message"]["successful_payment"]["order_info"] == info
    shown = (await playground.get(f"chats/{ANNA}/messages"))["messages"][0]["checkout"]
    assert shown == {"need_email": True, "paid": True, "email": "anna@example.com"}


async def test_stars_ask_for_nothing(playground: Playground) -> None:
    invoice = await playground.call("sendInvoice", chat_id=ANNA, **STARS, need_email=True)
    paid = await pay(playground, chat_id=ANNA, message_id=invoice["message_id"], email="a@b.ru")
    assert "order_info" not in paid["message"]["successful_payment"]


async def test_two_taps_on_pay_pay_once(playground: Playground) -> None:
    invoice = await playground.call("sendInvoice", chat_id=ANNA, **STARS)
    target = {"user_id": ANNA, "chat_id": ANNA, "message_id": invoice["message_id"]}
    url = f"{playground.base_url}/sim/pay"
    taps = [in_background(playground.http.post(url, json=target)) for _ in range(2)]
    queries: list[Any] = []
    while len(queries) < 2:
        found = await playground.updates(timeout=5)
        queries += [update["pre_checkout_query"] for update in found]
    for query in queries:
        await playground.call("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)
    assert sorted([(await tap).status for tap in taps]) == [200, 400]
    assert (await playground.call("getMyStarBalance"))["amount"] == 250


async def test_a_link_is_paid_many_times(playground: Playground) -> None:
    link = await playground.call("createInvoiceLink", **STARS)
    for _ in range(2):
        paid = await pay(playground, link=link)
        assert paid["message"]["chat"]["id"] == ANNA
    await playground.post("pay", status=404, user_id=ANNA, link="https://t.me/$nothing")


async def test_a_forwarded_invoice_opens_the_bot_instead(playground: Playground) -> None:
    invoice = await playground.call("sendInvoice", chat_id=ANNA, **STARS)
    origin = {"from_chat_id": ANNA, "message_id": invoice["message_id"]}
    copy = await playground.call("forwardMessage", chat_id=BEN, **origin)
    target = {"chat_id": BEN, "message_id": copy["message_id"]}
    refused = await playground.post("pay", status=400, **target)
    assert refused["description"] == "a forwarded invoice opens the bot with /start buy"
    plain = await playground.call("sendInvoice", chat_id=ANNA, **{**STARS, "start_parameter": ""})
    origin = {"from_chat_id": ANNA, "message_id": plain["message_id"]}
    copy = await playground.call("forwardMessage", chat_id=BEN, **origin)
    bot = in_background(checkout(playground, ok=True))
    paid = await playground.post("pay", chat_id=BEN, message_id=copy["message_id"])
    assert (await bot)["from"]["id"] == BEN
    assert paid["pre_checkout"]["ok"] is True


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"title": "я" * 33}, "TITLE_INVALID"),
        ({"title": ""}, 'parameter "title" is required'),
        ({"description": "я" * 256}, "DESCRIPTION_INVALID"),
        ({"payload": "я" * 65}, "INVOICE_PAYLOAD_INVALID"),
        ({"prices": []}, "there must be at least one price"),
        ({"prices": STARS["prices"] * 2}, "STARS_INVOICE_INVALID"),
        ({"provider_token": "p:1"}, "STARS_INVOICE_INVALID"),
        ({"prices": [{"label": "x", "amount": 0}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"currency": "RUB"}, "PAYMENT_PROVIDER_INVALID"),
        (
            {"currency": "RUB", "provider_token": "p:1", "provider_data": "{"},
            "DATA_JSON_INVALID",
        ),
        ({"currency": "рубли", "provider_token": "p:1"}, "CURRENCY_INVALID"),
        (
            {"reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "y"}]]}},
            "REPLY_MARKUP_BUY_EMPTY",
        ),
    ],
)
async def test_bad_invoices(playground: Playground, changed: dict[str, Any], error: str) -> None:
    answer = await playground.raw("sendInvoice", chat_id=ANNA, **{**STARS, **changed})
    assert answer.error == f"Bad Request: {error}"
