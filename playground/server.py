"""The playground's web server: bots, people and the chat page on one port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp
from aiohttp import web

from playground.api import Api
from playground.sim import sim_routes
from playground.telegram import Telegram
from playground.webhook import ANSWER_TIMEOUT_S, WebhookSender

_STATIC = Path(__file__).parent / "static"


async def _page(_: web.Request) -> web.FileResponse:
    return web.FileResponse(_STATIC / "index.html")


async def _send_webhooks(telegram: Telegram, api: Api) -> None:
    """A sender for each world, also for those that come later."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(timeout=timeout, connector=connector) as http,
        asyncio.TaskGroup() as senders,
    ):
        started = 0
        while True:
            for world in telegram.worlds[started:]:
                senders.create_task(WebhookSender(api, world, http).run())
            started = len(telegram.worlds)
            await telegram.new_world.wait(60)


def create_app(state_dir: Path | None = None) -> web.Application:
    """The whole playground as an aiohttp application."""
    telegram = Telegram(state_dir)
    api = Api(telegram)
    app = web.Application(client_max_size=64 * 2**20)
    app.add_routes(api.routes())
    app.add_routes(sim_routes(telegram))
    app.add_routes([web.get("/", _page), web.static("/static", _STATIC)])

    async def lifetime(_: web.Application) -> AsyncIterator[None]:
        webhooks = asyncio.create_task(_send_webhooks(telegram, api))
        yield
        webhooks.cancel()
        with suppress(asyncio.CancelledError):
            await webhooks
        telegram.close()

    async def let_pages_go(_: web.Application) -> None:
        for world in telegram.worlds:
            world.feed.close()

    app.cleanup_ctx.append(lifetime)
    app.on_shutdown.append(let_pages_go)
    return app


@asynccontextmanager
async def running(
    port: int = 0, state_dir: Path | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[str]:
    """A playground on a port (0: any free one); yields its address without a slash at the end."""
    async with AsyncExitStack() as stack:
        # A caller that hangs up frees what waits for it: long polls, hangs, presses.
        runner = web.AppRunner(
            create_app(state_dir), access_log=None, shutdown_timeout=1.0, handler_cancellation=True
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0]
        yield f"http://{bound[0]}:{bound[1]}"
