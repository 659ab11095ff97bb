"""Invoices, pre-checkout answers, Stars and refunds.

Limits: https://core.telegram.org/bots/api#sendinvoice and
https://core.telegram.org/bots/payments-stars
"""

import json
import re
from typing import Protocol

from aiogram.methods import (
    AnswerPreCheckoutQuery,
    CreateInvoiceLink,
    GetMyStarBalance,
    GetStarTransactions,
    RefundStarPayment,
    SendInvoice,
)
from aiogram.types import LabeledPrice

from playground.errors import BadRequest
from playground.methods.access import writable_chat
from playground.methods.registry import Call, method
from playground.methods.sending import new_message, post
from playground.payments import refund
from playground.state import Charge, JsonObject, Order, without_none
from playground.world import new_query_id

TITLE_CHARACTERS, DESCRIPTION_CHARACTERS, PAYLOAD_BYTES = 32, 255, 128
STARS = "XTR"
STARS_AT_MOST = 100_000


class _Invoice(Protocol):
    """What sendInvoice and createInvoiceLink share."""

    @property
    def title(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def payload(self) -> str: ...
    @property
    def provider_token(self) -> str | None: ...
    @property
    def currency(self) -> str: ...
    @property
    def prices(self) -> list[LabeledPrice]: ...
    @property
    def provider_data(self) -> str | None: ...
    @property
    def need_email(self) -> bool | None: ...


def _order(args: _Invoice) -> Order:
    """A checked invoice. Raises BadRequest."""
    for name in ("title", "description", "payload"):
        if not getattr(args, name).strip():
            raise BadRequest(f'parameter "{name}" is required')
    if len(args.title) > TITLE_CHARACTERS:
        raise BadRequest("TITLE_INVALID")
    if len(args.description) > DESCRIPTION_CHARACTERS:
        raise BadRequest("DESCRIPTION_INVALID")
    if len(args.payload.encode()) > PAYLOAD_BYTES:
        raise BadRequest("INVOICE_PAYLOAD_INVALID")
    if not args.prices:
        raise BadRequest("there must be at least one price")
    if any(not price.label for price in args.prices):
        raise BadRequest("can't parse labeled price: LabeledPrice label must be non-empty")
    total = sum(price.amount for price in args.prices)
    if args.currency == STARS:
        if args.provider_token or len(args.prices) != 1:
            raise BadRequest("STARS_INVOICE_INVALID")
        if not 1 <= total <= STARS_AT_MOST:
            raise BadRequest("CURRENCY_TOTAL_AMOUNT_INVALID")
    elif not re.fullmatch("[A-Z]{3}", args.currency):
        raise BadRequest("CURRENCY_INVALID")
    elif not args.provider_token:
        raise BadRequest("PAYMENT_PROVIDER_INVALID")
    elif total <= 0:
        raise BadRequest("CURRENCY_TOTAL_AMOUNT_INVALID")
    if args.provider_data and not _is_json(args.provider_data):
        raise BadRequest("DATA_JSON_INVALID")
    # For Stars Telegram asks for nothing, whatever the bot wants.
    need_email = bool(args.need_email) and args.currency != STARS
    return Order(
        args.title, args.description, args.payload, args.currency, total, need_email=need_email
    )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@method(SendInvoice, messages=lambda _: 1)
def send_invoice(call: Call, args: SendInvoice) -> JsonObject:
    """sendInvoice: without a keyboard of its own it gets Telegram's Pay button."""
    chat = writable_chat(call.world, args.chat_id)
    order = _order(args)
    order.start_parameter = args.start_parameter or ""
    message = new_message(call, chat, args)
    message.order = order
    message.markup = call.inline_markup(invoice=True)
    if message.markup is None:
        pay = {"text": f"Pay {_price(order)}", "pay": True}
        message.markup = {"inline_keyboard": [[pay]]}
    return call.world.rendered(post(call, chat, message))


def _price(order: Order) -> str:
    if order.currency == STARS:
        return f"⭐️{order.total_amount}"
    return f"{order.total_amount / 100:.2f} {order.currency}"


@method(CreateInvoiceLink)
def create_invoice_link(call: Call, args: CreateInvoiceLink) -> str:
    """createInvoiceLink: a link that anybody may pay, any number of times."""
    order = _order(args)
    order.link = f"https://t.me/$play{new_query_id()}"
    call.world.save_link(order)
    return order.link


@method(AnswerPreCheckoutQuery)
def answer_pre_checkout_query(call: Call, args: AnswerPreCheckoutQuery) -> bool:
    """answerPreCheckoutQuery: once, within 10 seconds."""
    if not args.ok and not args.error_message:
        raise BadRequest("error message must be non-empty")
    if call.world.take_query(args.pre_checkout_query_id, "pre_checkout") is None:
        raise BadRequest("query is too old and response timeout expired or query ID is invalid")
    answer = call.world.answers.pop(args.pre_checkout_query_id, None)
    if answer is not None:
        answer({"ok": args.ok, "error_message": None if args.ok else args.error_message})
    return True


@method(RefundStarPayment)
def refund_star_payment(call: Call, args: RefundStarPayment) -> bool:
    """refundStarPayment."""
    charge = call.world.charges.get(args.telegram_payment_charge_id)
    if charge is None or charge.user_id != args.user_id or charge.currency != STARS:
        raise BadRequest("CHARGE_NOT_FOUND")
    if charge.refunded_at is not None:
        raise BadRequest("CHARGE_ALREADY_REFUNDED")
    refund(call.world, charge)
    return True


def _star_charges(call: Call) -> list[Charge]:
    return [charge for charge in call.world.charges.values() if charge.currency == STARS]


@method(GetStarTransactions)
def get_star_transactions(call: Call, args: GetStarTransactions) -> JsonObject:
    """getStarTransactions: oldest first; a refund repeats the id of its payment."""
    moves: list[tuple[int, JsonObject]] = []
    for charge in _star_charges(call):
        partner = {
            "type": "user",
            "transaction_type": "invoice_payment",
            "user": call.world.user(charge.user_id),
            "invoice_payload": charge.payload,
        }
        move: JsonObject = {"id": charge.charge_id, "amount": charge.amount}
        moves.append((charge.date, {**move, "date": charge.date, "source": partner}))
        if charge.refunded_at is not None:
            back: JsonObject = {**move, "date": charge.refunded_at, "receiver": partner}
            moves.append((charge.refunded_at, back))
    moves.sort(key=lambda move: move[0])
    offset, limit = args.offset or 0, min(max(args.limit or 100, 1), 100)
    return {"transactions": [without_none(move) for _, move in moves[offset : offset + limit]]}


@method(GetMyStarBalance)
def get_my_star_balance(call: Call, _: GetMyStarBalance) -> JsonObject:
    """getMyStarBalance: what was paid and not returned."""
    kept = [charge for charge in _star_charges(call) if charge.refunded_at is None]
    return {"amount": sum(charge.amount for charge in kept)}
