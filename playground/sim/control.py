"""The switches around a bot: faults, limits, raw updates, and the log of its calls."""

from dataclasses import asdict

from aiohttp import web
from pydantic import Field

from playground.calls import read_arguments
from playground.faults import Fault, FaultMode
from playground.sim.http import Body, Routes, number_in, read_body, reply


class NewFault(Body):
    """A fault for the next calls of a method; "*" is every method."""

    method: str = "*"
    mode: FaultMode
    times: int = Field(default=1, ge=1)
    retry_after: int = Field(default=1, ge=0)
    chat_id: int | None = None


class LimitsBody(Body):
    """Whether Telegram's pace is enforced."""

    enforce: bool


class ControlRoutes(Routes):
    """Turning the switches."""

    def routes(self) -> list[web.RouteDef]:
        """Where tests turn them."""
        return [
            self.get("/sim/log", self.log),
            self.get("/sim/faults", self.list_faults),
            self.post("/sim/faults", self.add_fault),
            self.delete("/sim/faults", self.clear_faults),
            self.get("/sim/limits", self.show_limits),
            self.post("/sim/limits", self.set_limits),
            self.post("/sim/updates", self.push_update),
        ]

    async def log(self, request: web.Request) -> web.Response:
        """Every call since `after`; of one bot with ?bot=ID, else of all."""
        after = number_in(request, "after") or 0
        bot = self.world(request).profile.id if "bot" in request.query else None
        rows = self.telegram.journal.after(after, bot)
        return reply({"calls": [asdict(row) for row in rows]})

    async def list_faults(self, _: web.Request) -> web.Response:
        """What still waits for a call."""
        return reply({"faults": [asdict(fault) for fault in self.telegram.faults.waiting]})

    async def add_fault(self, request: web.Request) -> web.Response:
        """Arm a fault."""
        body = await read_body(request, NewFault)
        self.telegram.faults.add(Fault(**body.model_dump()))
        return await self.list_faults(request)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Disarm all faults."""
        self.telegram.faults.clear()
        return await self.list_faults(request)

    async def show_limits(self, _: web.Request) -> web.Response:
        """Whether the pace is enforced."""
        return reply({"enforce": self.telegram.limits.enforced})

    async def set_limits(self, request: web.Request) -> web.Response:
        """Enforce Telegram's pace, or stop."""
        body = await read_body(request, LimitsBody)
        self.telegram.limits.enforce(body.enforce)
        return await self.show_limits(request)

    async def push_update(self, request: web.Request) -> web.Response:
        """Send the body to the bot as an update, as it is, `?times=N` over.

        With `?next_id=1` it gets the update_id that is next in line.
        """
        world = self.world(request)
        update = (await read_arguments(request, query=False)).fields
        times = number_in(request, "times")
        if request.query.get("next_id") == "1":
            update = {**update, "update_id": world.next_update_id()}
        for _ in range(1 if times is None else times):
            world.push_raw(update)
        return reply({"update": update})
