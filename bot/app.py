"""The bot put together: gateway, state, middlewares, handlers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiogram import Bot, Dispatcher, Router
from aiogram.dispatcher.event.handler import CallbackType, FilterObject
from aiogram.fsm.middleware import FSMContextMiddleware
from aiogram.fsm.storage.base import DefaultKeyBuilder, StorageKey
from aiogram.fsm.storage.redis import RedisEventIsolation, RedisStorage
from aiogram.fsm.strategy import FSMStrategy
from aiogram.types import TelegramObject, Update
from arq import ArqRedis
from redis.asyncio import Redis
from redis.exceptions import LockNotOwnedError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot.clock import Clock, utc_now
from bot.filters import is_payment
from bot.gateway import create_bot
from bot.handlers import (
    album,
    approval,
    brand_dialogue,
    brand_words,
    brands,
    captions,
    channels,
    content_plan,
    errors,
    fallback,
    generate,
    history,
    payments,
    photos,
    plans,
    posts,
    publishing,
    questions,
    quota,
    settings,
    start,
    stats,
    team,
    top_up,
    votes,
    wallet,
)
from bot.middlewares import (
    ActInTeam,
    CloseQuestions,
    Introduce,
    KeepToAccount,
    Overhear,
    PressOn,
    Throttle,
)
from bot.settings import BotSettings, PaymentTerms
from db import images

log = structlog.get_logger(__name__)

# The pages of the menu go before the dialogue and the prompts: their words leave a dialogue.
# Replies to questions about a round, or to somebody else's question, go before it, too: they say
# what they answer.
_HANDLERS = (
    errors,
    payments,
    channels,
    start,
    team,
    brands,
    history,
    content_plan,
    stats,
    wallet,
    plans,
    settings,
    approval,
    questions,
    brand_dialogue,
    brand_words,
    top_up,
    posts,
    captions,
    publishing,
    quota,
    photos,
    generate,
    album,
    votes,
    fallback,
)

_DIALOGUE_TTL_S = 24 * 3600
_LOCK_S = 15
"""A person's updates wait for each other no longer than this, even after a kill -9."""


class _Isolation(RedisEventIsolation):
    """One update of a person at a time; a lock that ran out fails no update that was handled."""

    @asynccontextmanager
    async def lock(self, key: StorageKey) -> AsyncGenerator[None, None]:
        lock = self.redis.lock(self.key_builder.build(key, "lock"), **self.lock_kwargs)
        await lock.acquire()
        try:
            yield
        finally:
            try:
                await lock.release()
            except LockNotOwnedError:
                log.warning("handled for longer than its lock", key=lock.name, lock_s=_LOCK_S)


class _Dialogues(FSMContextMiddleware):
    """A dialogue's state, for all but payments: they have no part in one and wait for no lock."""

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        if isinstance(event, Update) and is_payment(event):
            return await handler(event, data)
        return await super().__call__(handler, event, data)


def build(
    options: BotSettings,
    sessions: async_sessionmaker[AsyncSession],
    redis: Redis,
    pool: ArqRedis,
    store: images.Store,
    terms: PaymentTerms,
    clock: Clock = utc_now,
) -> tuple[Dispatcher, Bot]:
    """The dispatcher and the bot of one process; the caller closes `bot.session`.

    Raises CannotStart for a malformed token.
    """
    bot = create_bot(
        options.token.get_secret_value(),
        options.api_url,
        redis,
        sessions=sessions,
        timeout_s=options.request_timeout_s,
    )
    keys = DefaultKeyBuilder(with_bot_id=True, with_destiny=True)
    dispatcher = Dispatcher(
        storage=RedisStorage(redis, keys, state_ttl=_DIALOGUE_TTL_S, data_ttl=_DIALOGUE_TTL_S),
        events_isolation=_Isolation(redis, keys, {"timeout": _LOCK_S, "sleep": 0.02}),
        fsm_strategy=FSMStrategy.USER_IN_TOPIC,
        disable_fsm=True,  # Ours, below, makes an exception for payments.
        sessions=sessions,
        redis=redis,
        pool=pool,
        store=store,
        terms=terms,
        clock=clock,
    )
    fsm = dispatcher.fsm
    dispatcher.update.outer_middleware(_Dialogues(fsm.storage, fsm.events_isolation, fsm.strategy))
    dispatcher.update.outer_middleware(Overhear())
    dispatcher.update.outer_middleware(Introduce(sessions, redis))
    dispatcher.update.outer_middleware(Throttle(redis, options))
    dispatcher.update.outer_middleware(CloseQuestions())
    dispatcher.callback_query.outer_middleware(PressOn())
    dispatcher.callback_query.middleware(ActInTeam())
    dispatcher.callback_query.middleware(KeepToAccount())
    dispatcher.include_routers(*(_copy(module.router) for module in _HANDLERS))
    return dispatcher, bot


def _copy(router: Router) -> Router:
    """A router belongs to one dispatcher for life; a process may build several."""
    copy = Router(name=router.name)
    for name, observer in router.observers.items():
        copy.observers[name].handlers.extend(observer.handlers)
        for handler in observer.handlers:
            for condition in handler.filters or ():
                _ask_at_once(condition)
    return copy


def _ask_at_once(condition: FilterObject) -> None:
    """aiogram asks each `F...` and each state in a thread, some thirty for a message; ours only
    look at it."""
    if not condition.awaitable:
        condition.callback, condition.awaitable = _awaitable(condition.callback), True


def _awaitable(ask: CallbackType) -> CallbackType:
    async def asked(*event: TelegramObject, **data: object) -> object:
        return ask(*event, **data)

    return asked
