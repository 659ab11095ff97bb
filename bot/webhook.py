"""Updates over a webhook: 200 only once an update is handled, so that Telegram repeats the rest.

401: wrong secret. 400: not JSON, so not from Telegram. 500: the handler failed. What aiogram can't
read gets a 200 as well: it would be no better the next time.
"""

from __future__ import annotations

import hmac
import json

import structlog
from aiogram import Bot, Dispatcher
from aiogram.types import Update
from aiohttp import web
from pydantic import ValidationError

log = structlog.get_logger(__name__)

PATH = "/telegram"
HEALTH_PATH = "/healthz"
_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


def create_app(dispatcher: Dispatcher, bot: Bot, secret: str) -> web.Application:
    """The web application Telegram calls at `PATH`; `HEALTH_PATH` says that it is up."""

    async def receive(request: web.Request) -> web.Response:
        if not _is_secret(request.headers.get(_SECRET_HEADER, ""), secret):
            return web.Response(status=401)
        try:
            update = Update.model_validate(await request.json(), context={"bot": bot})
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            log.warning("not an update", error=type(error).__name__)
            return web.Response(status=400)
        except ValidationError as error:
            log.error("unreadable update passed over", error=str(error))
            return web.Response()
        try:
            await dispatcher.feed_update(bot, update)
        except Exception:
            log.exception("update failed", update=update.update_id)
            return web.Response(status=500)
        return web.Response()

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post(PATH, receive)
    app.router.add_get(HEALTH_PATH, healthy)
    return app


def _is_secret(given: str, secret: str) -> bool:
    # As bytes: compare_digest raises TypeError for a str with non-ASCII characters, which a
    # header may hold as surrogates.
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode())
