"""The one way out to Telegram: keeps its pace, and says plainly what became of a call.

`create_bot` gives an aiogram Bot whose every call waits for its tokens, is repeated after a short
429, and raises only the `SendError`s of `bot.errors`.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import (
    AnswerCallbackQuery,
    AnswerPreCheckoutQuery,
    EditMessageText,
    Response,
    SendMediaGroup,
    TelegramMethod,
)
from aiogram.methods.base import TelegramType
from aiogram.utils.token import TokenValidationError
from aiohttp import ClientConnectorError, ConnectionTimeoutError
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot.buckets import Bucket, Buckets
from bot.errors import (
    CannotStart,
    ChatMigrated,
    FileRefused,
    MessageGone,
    RateLimited,
    Refused,
    SendError,
    ThreadClosed,
    Unauthorized,
    Uncertain,
    Undeliverable,
)
from db import accounts
from db.patience import pause_s

log = structlog.get_logger()

# https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
_ALL_PER_S = 30.0
_ALL_BURST = 24.0
"""Less than Telegram lets pass at once: at this rate a fifth of a second by which calls take
different times on their way would else break the limit."""
_CHAT_PER_S = 1.0
_CHAT_BURST = 5.0
_GROUP_PER_MINUTE = 20.0
_STATUS_EVERY_S = 2.5
_GROUP_STATUS_EVERY_S = 6.0

MAX_WAIT_S = 5.0
"""The longest a call waits by itself; what must wait longer is its caller's to put off."""

_ASK_AGAIN_S = 1.0
_LONGEST_PAUSE_S = 15.0

T = TypeVar("T")

_PACED = re.compile("send|edit|copy|forward")
_FREE = frozenset({"sendChatAction"})


class StatusEdit(EditMessageText):
    """An edit that shows progress: dropped (RateLimited) rather than waited for."""


class FinalEdit(EditMessageText):
    """An edit that nobody's tap waits for, and that must arrive: keeps the chat's pace."""


def create_bot(
    token: str,
    api_url: str,
    redis: Redis,
    *,
    sessions: async_sessionmaker[AsyncSession] | None = None,
    timeout_s: float = 30.0,
) -> Bot:
    """A Bot behind the gateway. With `sessions`, blocked and migrated chats are recorded.

    Raises CannotStart for a malformed token.
    """
    session = _Session(api=TelegramAPIServer.from_base(api_url.rstrip("/")), timeout=timeout_s)
    try:
        bot = Bot(
            token,
            session=session,
            default=DefaultBotProperties(parse_mode=ParseMode.HTML, link_preview_is_disabled=True),
        )
    except TokenValidationError:
        raise CannotStart("BOT_TOKEN is no token: it looks like 123456:ABC-DEF") from None
    session.middleware.register(_Gateway(redis, bot.id, sessions))
    return bot


class _Session(AiohttpSession):
    """aiogram's, without the quarter of a second that it gives TLS to close: aiohttp waits for its
    connections itself since 3.12."""

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def who_am_i(bot: Bot) -> str:
    """The bot's name, once Telegram is there to tell. Raises CannotStart for a wrong token."""
    return (await once_it_answers(bot.me)).username or ""


async def once_it_answers(call: Callable[[], Awaitable[T]]) -> T:
    """What the call gives, once Telegram is there. Raises CannotStart where Telegram says no."""
    for failures in itertools.count(1):
        try:
            return await call()
        except Unauthorized as error:
            raise CannotStart(f"Telegram refuses BOT_TOKEN: {error.detail}") from error
        except Undeliverable as error:
            raise CannotStart(f"Telegram refuses: {error.detail}") from error
        except SendError as error:
            log.warning(
                "Telegram is away: no network, or another BOT_API_URL than meant?", error=str(error)
            )
            await asyncio.sleep(pause_s(failures, first_s=_ASK_AGAIN_S, longest_s=_LONGEST_PAUSE_S))
    raise AssertionError("counting ends never")


class _Gateway(BaseRequestMiddleware):
    def __init__(
        self, redis: Redis, bot_id: int, sessions: async_sessionmaker[AsyncSession] | None
    ) -> None:
        self._buckets = Buckets(redis)
        self._prefix = f"pace:{bot_id}"
        self._sessions = sessions

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        deadline = time.monotonic() + MAX_WAIT_S
        _response_of(type(method))
        await self._wait_for_tokens(method)
        while True:
            try:
                return await make_request(bot, method)
            except (AiogramError, OSError) as error:
                failure = classify(error)
                if failure is None:
                    raise
                if _is_done_already(method, failure):
                    return True  # type: ignore[return-value]  # As Telegram answers such calls.
                await self._record(method, failure)
                if not isinstance(failure, RateLimited):
                    raise failure from error
                if isinstance(method, StatusEdit) or not _fits(failure, deadline):
                    raise failure from error
                await asyncio.sleep(failure.retry_after_s)

    async def _wait_for_tokens(self, method: TelegramMethod[TelegramType]) -> None:
        buckets = self._buckets_of(method)
        if not buckets:
            return
        max_wait_s = 0.0 if isinstance(method, StatusEdit) else MAX_WAIT_S
        if _answers_a_tap(method):
            # It must not wait for an album's debt, but what comes after it waits for it.
            overall, *of_the_chat = buckets
            await self._take(of_the_chat, float("inf"))
            buckets = [overall]
        wait_s = await self._take(buckets, max_wait_s)
        if wait_s > max_wait_s:
            raise RateLimited(wait_s)
        await asyncio.sleep(wait_s)

    async def _take(self, buckets: list[Bucket], max_wait_s: float) -> float:
        try:
            return await self._buckets.take(buckets, max_wait_s)
        except RedisError as error:
            raise Refused(f"no tokens: {error}") from error

    def _buckets_of(self, method: TelegramMethod[TelegramType]) -> list[Bucket]:
        chat_id = _chat_id(method)
        name = method.__api_method__
        if chat_id is None or name in _FREE or not _PACED.match(name):
            return []
        cost = float(len(method.media)) if isinstance(method, SendMediaGroup) else 1.0
        overall = Bucket(f"{self._prefix}:all", _ALL_PER_S, _ALL_BURST, cost)
        buckets = [overall, self._chat_bucket(chat_id, cost)]
        if _is_group(chat_id):
            rate = _GROUP_PER_MINUTE / 60
            buckets.append(Bucket(f"{self._prefix}:group:{chat_id}", rate, _GROUP_PER_MINUTE, cost))
        if isinstance(method, StatusEdit):
            every_s = _GROUP_STATUS_EVERY_S if _is_group(chat_id) else _STATUS_EVERY_S
            buckets.append(Bucket(f"{self._prefix}:status:{chat_id}", 1 / every_s, 1.0))
        return buckets

    def _chat_bucket(self, chat_id: int | str, cost: float) -> Bucket:
        return Bucket(f"{self._prefix}:chat:{chat_id}", _CHAT_PER_S, _CHAT_BURST, cost)

    async def _record(self, method: TelegramMethod[TelegramType], failure: SendError) -> None:
        """Writes down what a failure says of the chat. That may fail: what became of the call is
        what its caller must hear."""
        chat_id = _chat_id(method)
        if chat_id is None:
            return
        try:
            if isinstance(failure, RateLimited):
                # The other processes' share of this chat waits as well, whatever it has saved up.
                debt = self._chat_bucket(
                    chat_id, _CHAT_BURST - 1.0 + failure.retry_after_s * _CHAT_PER_S
                )
                await self._take([debt], float("inf"))
            await self._note(chat_id, failure)
        except (SendError, DBAPIError, OSError) as error:
            log.warning("not written down", failure=str(failure), error=repr(error))

    async def _note(self, chat_id: int | str, failure: SendError) -> None:
        if self._sessions is None or not isinstance(chat_id, int):
            return
        if isinstance(failure, ChatMigrated):
            async with self._sessions.begin() as session:
                await accounts.migrate_chat(session, chat_id, failure.new_chat_id)
        elif isinstance(failure, Undeliverable) and failure.reason == "blocked":
            async with self._sessions.begin() as session:
                await accounts.set_blocked(session, chat_id, datetime.now(UTC))


@functools.cache
def _response_of(method: type[TelegramMethod[TelegramType]]) -> object:
    """The type of a call's answer, kept: pydantic forgets one that nobody holds, and aiogram then
    has it made anew for every call, which takes as long as all the rest of the call."""
    return Response[method.__returning__]  # type: ignore[name-defined]


def _chat_id(method: TelegramMethod[TelegramType]) -> int | str | None:
    chat_id = getattr(method, "chat_id", None)
    return chat_id if isinstance(chat_id, int | str) else None


def _answers_a_tap(method: TelegramMethod[TelegramType]) -> bool:
    is_edit = method.__api_method__.startswith("edit")
    return is_edit and not isinstance(method, StatusEdit | FinalEdit)


def _is_group(chat_id: int | str) -> bool:
    return isinstance(chat_id, str) or chat_id < 0


def _fits(failure: RateLimited, deadline: float) -> bool:
    return time.monotonic() + failure.retry_after_s <= deadline


def _is_done_already(method: TelegramMethod[TelegramType], failure: SendError) -> bool:
    """Whether Telegram refuses only because the call has nothing left to do."""
    detail = failure.detail.lower()
    if isinstance(method, AnswerCallbackQuery | AnswerPreCheckoutQuery):
        return "query is too old" in detail or "query id is invalid" in detail
    return "message is not modified" in detail


def classify(error: Exception) -> SendError | None:
    """What an error of aiogram's session means for the call; None for errors not of a call."""
    match error:
        case TelegramRetryAfter():
            return RateLimited(error.retry_after, error.message)
        case TelegramMigrateToChat():
            return ChatMigrated(error.migrate_to_chat_id, error.message)
        case TelegramEntityTooLarge():
            return Undeliverable("too_large", error.message)
        case TelegramNetworkError():
            never_left = isinstance(error.__cause__, ClientConnectorError | ConnectionTimeoutError)
            return Refused(error.message) if never_left else Uncertain(error.message)
        case TelegramServerError():
            return Uncertain(error.message)
        case ClientDecodeError():
            return Uncertain(f"{error.message}: {str(error.data)[:200]}")
        case TelegramForbiddenError():
            return Undeliverable(_forbidden_reason(error.message), error.message)
        case TelegramUnauthorizedError() | TelegramNotFound():
            return Unauthorized(error.message)
        case TelegramBadRequest():
            return _bad_request(error.message)
        case TelegramConflictError():
            return Undeliverable("rejected", error.message)
        case TelegramAPIError():
            # With "retry after 0" the parameter that makes a TelegramRetryAfter counts as absent.
            if "too many requests" in error.message.lower():
                return RateLimited(1.0, error.message)
            return Undeliverable("rejected", error.message)
        case OSError():
            return Uncertain(str(error))
    return None


_RIGHTS = re.compile(r"rights|chat_write_forbidden|chat_send_\w+_forbidden|chat_restricted")


def _forbidden_reason(detail: str) -> str:
    return "no_rights" if _RIGHTS.search(detail.lower()) else "blocked"


_BAD_REQUESTS: tuple[tuple[re.Pattern[str], type[SendError]], ...] = (
    # The Bot API server leaves the pictures it has sent before the one that failed.
    (re.compile(r"failed to send message #\d+"), Uncertain),
    (re.compile(r"message thread not found|topic_closed|topic_deleted"), ThreadClosed),
    (
        re.compile(r"wrong (remote )?file|file_id|file identifier|file reference|invalid file"),
        FileRefused,
    ),
    (
        re.compile(
            r"message to edit not found|message can't be edited|message_id_invalid"
            r"|message to delete not found|message to be edited"
        ),
        MessageGone,
    ),
)
_NO_CHAT = re.compile(r"chat not found|peer_id_invalid|user not found|chat was (deleted|deactiv)")


def _bad_request(detail: str) -> SendError:
    lowered = detail.lower()
    for pattern, failure in _BAD_REQUESTS:
        if pattern.search(lowered):
            return failure(detail)
    if _NO_CHAT.search(lowered):
        return Undeliverable("no_chat", detail)
    if _RIGHTS.search(lowered):
        return Undeliverable("no_rights", detail)
    if "too many requests" in lowered:
        return RateLimited(1.0, detail)
    return Undeliverable("rejected", detail)
