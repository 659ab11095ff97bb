"""The person's side, under /sim: what people, a chat page or a test do around the bot."""

from aiohttp import web

from playground.sim.chats import ChatRoutes
from playground.sim.control import ControlRoutes
from playground.sim.members import MemberRoutes
from playground.sim.payments import PaymentRoutes
from playground.sim.people import PeopleRoutes
from playground.telegram import Telegram

__all__ = ["sim_routes"]


def sim_routes(telegram: Telegram) -> list[web.RouteDef]:
    """Every /sim call."""
    return [
        *ChatRoutes(telegram).routes(),
        *PeopleRoutes(telegram).routes(),
        *MemberRoutes(telegram).routes(),
        *PaymentRoutes(telegram).routes(),
        *ControlRoutes(telegram).routes(),
    ]
