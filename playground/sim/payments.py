"""Paying an invoice, and getting the money back."""

from aiohttp import web

from playground.errors import SimError
from playground.payments import asked_email, payable, pre_checkout, refund, succeed
from playground.sim.http import Body, Routes, message_in, person_in, read_body, reply
from playground.state import Message, Order


class Payment(Body):
    """An invoice to pay: a message, or a link made by createInvoiceLink.

    `email` is for invoices that ask for one.
    """

    user_id: int | None = None
    chat_id: int | None = None
    message_id: int | None = None
    link: str | None = None
    email: str | None = None


class Refund(Body):
    """A payment that Telegram itself gives back."""

    charge_id: str


class PaymentRoutes(Routes):
    """Money."""

    def routes(self) -> list[web.RouteDef]:
        """Where people pay."""
        return [self.post("/sim/pay", self.pay), self.post("/sim/refund", self.refund)]

    async def pay(self, request: web.Request) -> web.Response:
        """Pay: what pre-checkout said, and the message about the payment if it went through."""
        world = self.world(request)
        body = await read_body(request, Payment)
        chat = world.chats.get(body.chat_id or body.user_id or 0)
        if chat is None:
            raise SimError("no such chat", 404)
        person = person_in(world, chat, body.user_id)
        invoice: Message | None = None
        order: Order | None = world.links.get(body.link or "")
        if body.link is None:
            invoice = message_in(world, chat, body.message_id or 0)
            order = payable(world, chat, invoice)
        if order is None:
            raise SimError("no such invoice link", 404)
        email = asked_email(order, body.email)
        said = await pre_checkout(world, person, order, email)
        if not said["ok"]:
            return reply({"pre_checkout": said, "successful_payment": None, "message": None})
        if invoice is not None:
            # Two people, or two taps, may have passed pre-checkout at the same time.
            payable(world, chat, invoice)
        message = succeed(world, chat, person, order, email)
        if invoice is not None:
            world.put(invoice)
        shown = world.shown(message)
        return reply({"pre_checkout": said, "successful_payment": shown, "message": shown})

    async def refund(self, request: web.Request) -> web.Response:
        """Give a payment back without the bot having asked."""
        world = self.world(request)
        body = await read_body(request, Refund)
        charge = world.charges.get(body.charge_id)
        if charge is None:
            raise SimError("no such charge", 404)
        if charge.refunded_at is not None:
            raise SimError("this charge is refunded already")
        return reply(world.shown(refund(world, charge)))
