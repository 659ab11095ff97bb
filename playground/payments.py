"""Money between people and the bot: pre-checkout, the payment, the refund. People never run out."""

import asyncio
import re
import time

from playground.errors import SimError
from playground.services import post_service
from playground.state import PRESENT, Charge, Chat, JsonObject, Message, Order, Person, Query
from playground.world import ANSWER_WITHIN_S, World, new_query_id


async def pre_checkout(world: World, person: Person, order: Order, email: str | None) -> JsonObject:
    """Ask the bot whether the order may be paid; no answer in time is a no."""
    query = world.ask(Query(new_query_id(), "pre_checkout", time.time()))
    answered: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
    world.answers[query.id] = answered.set_result
    update: JsonObject = {
        "id": query.id,
        "from": world.user(person.id),
        "currency": order.currency,
        "total_amount": order.total_amount,
        "invoice_payload": order.payload,
        **_order_info(email),
    }
    world.push("pre_checkout_query", update, queue=person.id + (7 << 33))
    world.store.flush()
    try:
        return await asyncio.wait_for(answered, ANSWER_WITHIN_S["pre_checkout"])
    except TimeoutError:
        return {"ok": False, "error_message": "the bot did not answer the pre-checkout query"}
    finally:
        world.answers.pop(query.id, None)


def _order_info(email: str | None) -> JsonObject:
    return {"order_info": {"email": email}} if email else {}


def succeed(world: World, chat: Chat, person: Person, order: Order, email: str | None) -> Message:
    """Move the money and say so in the chat; an invoice that is a message is paid once."""
    charge = Charge(
        charge_id=f"play{new_query_id()}",
        user_id=person.id,
        chat_id=chat.id,
        amount=order.total_amount,
        currency=order.currency,
        payload=order.payload,
        date=int(time.time()),
        email=email,
    )
    world.save_charge(charge)
    if not order.link:
        order.charge_id, order.email = charge.charge_id, email
    payment = _payment(charge) | _order_info(email)
    return post_service(world, chat, person.id, {"successful_payment": payment})


def _payment(charge: Charge) -> JsonObject:
    return {
        "currency": charge.currency,
        "total_amount": charge.amount,
        "invoice_payload": charge.payload,
        "telegram_payment_charge_id": charge.charge_id,
        "provider_payment_charge_id": f"provider-{charge.charge_id}",
    }


def refund(world: World, charge: Charge) -> Message:
    """Give the money back and say so in the chat where it was paid."""
    charge.refunded_at = int(time.time())
    world.save_charge(charge)
    chat = world.chats[charge.chat_id]
    return post_service(world, chat, charge.user_id, {"refunded_payment": _payment(charge)})


def asked_email(order: Order, given: str | None) -> str | None:
    """The address that goes to the bot: one only where the invoice asks. Raises SimError."""
    if not order.need_email:
        return None
    if given is None or not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", given):
        raise SimError("this invoice asks for an e-mail address")
    return given


def payable(world: World, chat: Chat, message: Message) -> Order:
    """The order of an invoice message that can be paid here. Raises SimError."""
    order = message.order
    if order is None:
        raise SimError("this message is not an invoice")
    if order.charge_id is not None:
        raise SimError("this invoice is paid already")
    if message.forward_origin is not None and order.start_parameter:
        raise SimError(f"a forwarded invoice opens the bot with /start {order.start_parameter}")
    if chat.bot.status not in PRESENT:
        raise SimError("the bot is not in this chat any more")
    return order
