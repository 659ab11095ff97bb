"""Invoices as Telegram wants them: one for Stars, one for roubles through a payment provider.

https://core.telegram.org/bots/api#sendinvoice, https://core.telegram.org/bots/payments-stars
"""

from __future__ import annotations

import json

from aiogram.methods import SendInvoice
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, LabeledPrice

from bot.settings import PaymentTerms
from bot.texts import Texts
from db.money_views import OrderView
from db.states import PaymentMethod

START_PARAMETER = "wallet"
"""With it, a forwarded invoice opens the bot instead of letting others pay it."""


def invoice(
    tr: Texts,
    order: OrderView,
    terms: PaymentTerms,
    *,
    below: list[list[InlineKeyboardButton]] | None = None,
) -> SendInvoice:
    """The message an order is paid on; `below` are rows of buttons under the one to pay."""
    credit = tr.roubles(order.credit)
    title = tr.plain("Top-up: {sum}", sum=credit)
    common = SendInvoice(
        chat_id=order.chat_id,
        message_thread_id=order.thread_id,
        title=title,
        description=tr.plain(
            "{sum} go to the wallet as soon as the payment is through: for plans and for pictures "
            "past the month's quota.",
            sum=credit,
        ),
        payload=order.payload,
        currency=order.currency,
        prices=[LabeledPrice(label=title, amount=order.amount)],
        provider_token="",
        start_parameter=START_PARAMETER,
        reply_markup=keyboard(tr, order, below),
    )
    if order.method is PaymentMethod.STARS:
        return common
    return common.model_copy(update=_provider_fields(title, order, terms))


def keyboard(
    tr: Texts, order: OrderView, below: list[list[InlineKeyboardButton]] | None = None
) -> InlineKeyboardMarkup:
    """The button to pay with, which Telegram wants first; once paid, it shows the receipt."""
    pay = InlineKeyboardButton(text=tr.plain("Pay {price}", price=price(tr, order)), pay=True)
    return InlineKeyboardMarkup(inline_keyboard=[[pay], *(below or [])])


def price(tr: Texts, order: OrderView) -> str:
    """What is paid: roubles, or Stars."""
    if order.method is PaymentMethod.STARS:
        return f"{tr.number(order.amount)} ⭐"
    return tr.roubles(order.amount)


def _provider_fields(title: str, order: OrderView, terms: PaymentTerms) -> dict[str, object]:
    assert terms.provider_token is not None, "the method is off"
    receipt = _receipt(title, order, terms)
    return {
        "provider_token": terms.provider_token.get_secret_value(),
        # 54-FZ: the payer gets a receipt, so the provider must know where to send it.
        "need_email": True,
        "send_email_to_provider": True,
        "provider_data": json.dumps({"receipt": receipt}, ensure_ascii=False) if receipt else None,
    }


def _receipt(title: str, order: OrderView, terms: PaymentTerms) -> dict[str, object] | None:
    """The receipt of 54-FZ, in the form YooKassa reads; None when no VAT code is set.

    Money for a wallet is an advance: what it will be spent on is not known yet.
    https://yookassa.ru/developers/payment-acceptance/integration-scenarios/telegram
    """
    if terms.vat_code is None:
        return None
    item = {
        "description": title,
        "quantity": "1.00",
        "amount": {"value": f"{order.amount / 100:.2f}", "currency": order.currency},
        "vat_code": terms.vat_code,
        "payment_mode": "advance",
        "payment_subject": "payment",
    }
    receipt: dict[str, object] = {"items": [item]}
    if terms.tax_system_code is not None:
        receipt["tax_system_code"] = terms.tax_system_code
    return receipt
