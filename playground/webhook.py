"""Sends updates to a bot's webhook until it answers 2xx.

Updates of one chat go one after another, in order; chats do not wait for each other. A failed
delivery is tried again with growing pauses, for ever: this Telegram does not forget after a day.
"""

import asyncio
import json
import time
from contextlib import suppress
from functools import partial

import aiohttp
import structlog

from playground.api import Api
from playground.calls import Arguments, read_multipart
from playground.errors import ApiError, BadRequest
from playground.state import Webhook, json_text
from playground.updates import Update
from playground.world import World

_log = structlog.get_logger()
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
ANSWER_TIMEOUT_S = 60.0


class WebhookSender:
    """Delivers one world's updates while it has a webhook."""

    def __init__(self, api: Api, world: World, http: aiohttp.ClientSession) -> None:
        self._api = api
        self._world = world
        self._http = http
        self._lanes: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Watch the queue for ever."""
        try:
            while True:
                self._start_lanes()
                await self._world.updates.bell.wait(60)
        finally:
            for lane in list(self._lanes.values()):
                lane.cancel()
            await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    def _start_lanes(self) -> None:
        hook = self._world.profile.webhook
        if hook is None:
            return
        for update in self._world.updates.pending.values():
            if len(self._lanes) >= hook.max_connections:
                return
            if update.queue not in self._lanes:
                lane = asyncio.create_task(self._drain(update.queue))
                self._lanes[update.queue] = lane
                lane.add_done_callback(partial(self._lane_done, update.queue))

    def _lane_done(self, queue: int, _: asyncio.Task[None]) -> None:
        self._lanes.pop(queue, None)
        if self._world.profile.webhook is not None and self._world.updates.pending:
            self._world.updates.bell.ring()

    def _next(self, queue: int) -> Update | None:
        pending = self._world.updates.pending.values()
        return next((update for update in pending if update.queue == queue), None)

    async def _drain(self, queue: int) -> None:
        pause_s = FIRST_PAUSE_S
        while (hook := self._world.profile.webhook) is not None:
            update = self._next(queue)
            if update is None:
                return
            if await self._deliver(hook, update):
                self._world.confirm([update.place])
                self._world.store.flush()
                pause_s = FIRST_PAUSE_S
            else:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _deliver(self, hook: Webhook, update: Update) -> bool:
        headers = {"Content-Type": "application/json"}
        if hook.secret_token is not None:
            headers["X-Telegram-Bot-Api-Secret-Token"] = hook.secret_token
        self._world.store.flush()
        try:
            async with self._http.post(
                hook.url, data=json_text(update.body).encode(), headers=headers
            ) as response:
                if response.ok:
                    await self._reply(response)
                    return True
                problem = f"Wrong response from the webhook: {response.status} {response.reason}"
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            problem = f"Connection failed: {error!r}"
        hook.last_error_date, hook.last_error_message = int(time.time()), problem
        self._world.save_profile()
        _log.info("webhook failed", bot=self._world.profile.id, problem=problem)
        return False

    async def _reply(self, response: aiohttp.ClientResponse) -> None:
        """A webhook's answer may itself be a call: JSON or multipart with a `method` field."""
        arguments = Arguments()
        if response.content_type == "multipart/form-data":
            with suppress(BadRequest):
                await read_multipart(
                    aiohttp.MultipartReader(response.headers, response.content), arguments
                )
        elif response.content_type == "application/json":
            with suppress(ValueError):
                decoded = json.loads(await response.read() or b"{}")
                arguments.fields = decoded if isinstance(decoded, dict) else {}
        name = arguments.fields.pop("method", None)
        if isinstance(name, str):
            with suppress(ApiError):
                await self._api.call(self._world, name, arguments)
