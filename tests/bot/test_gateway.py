"""The way out: pace shared by processes, outcomes told apart, chats recorded."""

from __future__ import annotations

import asyncio
import inspect
import socket
import time

import aiogram.exceptions
import pytest
from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods import SendMessage
from aiogram.types import Message
from aiohttp import ClientConnectorError, ServerDisconnectedError
from redis.asyncio import Redis

from bot import delivery, errors, views
from bot.buckets import Bucket, Buckets
from bot.gateway import StatusEdit, classify, create_bot
from bot.texts import Html
from db import accounts, engine
from db.views import TelegramUser
from tests.bot.stage import Stage
from tests.sim import ANNA, BEN, TOKEN

METHOD = SendMessage(chat_id=1, text="x")
NOT_OF_A_CALL = {
    "CallbackAnswerException",
    "SceneException",
    "UnsupportedKeywordArgument",
    "DataNotDictLikeError",
    "AiogramError",
    "DetailedAiogramError",
}
"""aiogram's errors about the code that uses it; no call to Telegram ends with them."""


def made(kind: type[AiogramError]) -> AiogramError:
    if kind is ClientDecodeError:
        return ClientDecodeError("Failed to decode object", ValueError(), "<html>502")
    if kind is TelegramRetryAfter:
        return TelegramRetryAfter(METHOD, "Too Many Requests", 7)
    if kind is TelegramMigrateToChat:
        return TelegramMigrateToChat(METHOD, "upgraded", -1001)
    return kind(METHOD, "Some words")  # type: ignore[call-arg]


def test_every_error_a_call_can_end_with_is_mapped() -> None:
    kinds = {
        kind
        for _, kind in inspect.getmembers(aiogram.exceptions, inspect.isclass)
        if issubclass(kind, AiogramError) and kind.__name__ not in NOT_OF_A_CALL
    }
    assert len(kinds) >= 12
    unmapped = {kind.__name__ for kind in kinds if classify(made(kind)) is None}
    assert unmapped == set()


def network(cause: Exception) -> TelegramNetworkError:
    error = TelegramNetworkError(METHOD, str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (network(TimeoutError()), errors.Uncertain),
        (network(ServerDisconnectedError()), errors.Uncertain),
        (ConnectionResetError("reset"), errors.Uncertain),
        (made(ClientDecodeError), errors.Uncertain),
        (TelegramBadRequest(METHOD, "Bad Request: message thread not found"), errors.ThreadClosed),
        (TelegramBadRequest(METHOD, "Bad Request: TOPIC_CLOSED"), errors.ThreadClosed),
        (
            TelegramBadRequest(
                METHOD,
                'Bad Request: failed to send message #2 with the error message "WEBPAGE_X"',
            ),
            errors.Uncertain,
        ),
        (
            TelegramBadRequest(METHOD, "Bad Request: wrong file identifier/HTTP URL specified"),
            errors.FileRefused,
        ),
        (TelegramBadRequest(METHOD, "Bad Request: message to edit not found"), errors.MessageGone),
        (
            TelegramBadRequest(METHOD, "Bad Request: message can't be edited"),
            errors.MessageGone,
        ),
        (TelegramAPIError(METHOD, "Too Many Requests: retry after 0"), errors.RateLimited),
        (TelegramUnauthorizedError(METHOD, "Unauthorized"), errors.Unauthorized),
        (TelegramNotFound(METHOD, "Not Found"), errors.Unauthorized),
    ],
)
def test_outcomes_are_told_apart(error: Exception, outcome: type[errors.SendError]) -> None:
    assert type(classify(error)) is outcome


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TelegramForbiddenError(METHOD, "Forbidden: bot was blocked by the user"), "blocked"),
        (TelegramForbiddenError(METHOD, "Forbidden: not enough rights to send"), "no_rights"),
        (TelegramBadRequest(METHOD, "Bad Request: chat not found"), "no_chat"),
        (
            TelegramBadRequest(METHOD, "Bad Request: not enough rights to send photos"),
            "no_rights",
        ),
        (TelegramBadRequest(METHOD, "Bad Request: can't parse entities"), "rejected"),
        (TelegramEntityTooLarge(METHOD, "Request Entity Too Large"), "too_large"),
    ],
)
def test_what_can_never_arrive_has_a_reason(error: Exception, reason: str) -> None:
    found = classify(error)
    assert isinstance(found, errors.Undeliverable)
    assert found.reason == reason


def test_a_connection_never_made_is_safe_to_repeat() -> None:
    key = type("Key", (), {"host": "x", "port": 1, "is_ssl": False, "ssl": False})()
    refused = ClientConnectorError(key, OSError("refused"))
    assert isinstance(classify(network(refused)), errors.Refused)


@pytest.fixture
def bot(stage: Stage) -> Bot:
    return stage.bot


async def say(bot: Bot, chat_id: int = ANNA, text: str = "hi") -> Message:
    return await bot.send_message(chat_id, text)


@pytest.mark.parametrize("mode", ["500", "502html", "drop"])
async def test_faults_after_sending_are_uncertain(stage: Stage, bot: Bot, mode: str) -> None:
    await stage.sim.fault("sendMessage", mode)
    with pytest.raises(errors.Uncertain):
        await say(bot)


async def test_a_silent_server_is_uncertain(stage: Stage, redis_url: str) -> None:
    hasty = create_bot(TOKEN, stage.sim.url, stage.redis, timeout_s=0.2)
    await stage.sim.fault("sendMessage", "hang")
    try:
        with pytest.raises(errors.Uncertain):
            await say(hasty)
    finally:
        await hasty.session.close()


async def test_nobody_listening_is_refused(stage: Stage) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    lost = create_bot(TOKEN, url, stage.redis)
    try:
        with pytest.raises(errors.Refused):
            await say(lost)
    finally:
        await lost.session.close()


async def test_a_redis_that_is_away_sends_nothing(stage: Stage) -> None:
    away = Redis.from_url("redis://127.0.0.1:1")
    bot = create_bot(TOKEN, stage.sim.url, away)
    try:
        with pytest.raises(errors.Refused):
            await say(bot)
    finally:
        await bot.session.close()
        await away.aclose()
    assert await stage.sim.calls("sendMessage") == []


async def test_a_short_429_is_waited_for(stage: Stage, bot: Bot) -> None:
    await stage.sim.fault("sendMessage", "429", retry_after=1)
    started = time.monotonic()
    await say(bot)
    assert time.monotonic() - started >= 1
    assert len(await stage.sim.calls("sendMessage")) == 2


async def test_a_long_429_is_its_callers_to_put_off_and_holds_the_chat_back(
    stage: Stage, bot: Bot
) -> None:
    await stage.sim.fault("sendMessage", "429", retry_after=30)
    with pytest.raises(errors.RateLimited) as caught:
        await say(bot)
    assert caught.value.retry_after_s == 30
    with pytest.raises(errors.RateLimited) as caught:
        await say(bot)
    assert caught.value.retry_after_s > 29, "what the chat had saved up counts no more"
    assert len(await stage.sim.calls("sendMessage")) == 1
    await say(bot, BEN)


async def test_blocked_people_are_recorded(stage: Stage, bot: Bot) -> None:
    async with stage.sessions.begin() as session:
        await accounts.ensure_user(session, TelegramUser(ANNA, "Анна"))
    await stage.sim.post(f"chats/{ANNA}/members", action="block", user_id=ANNA)
    with pytest.raises(errors.Undeliverable) as caught:
        await say(bot)
    assert caught.value.reason == "blocked"
    (row,) = await stage.rows("SELECT blocked_at FROM users WHERE id = :id", id=ANNA)
    assert row["blocked_at"] is not None


async def test_what_cannot_be_recorded_hides_no_outcome(stage: Stage, redis_url: str) -> None:
    gone = engine.create("postgresql://127.0.0.1:1/nowhere")
    async with Redis.from_url(redis_url) as redis:
        bot = create_bot(TOKEN, stage.sim.url, redis, sessions=engine.session_factory(gone))
        await stage.sim.post(f"chats/{ANNA}/members", action="block", user_id=ANNA)
        with pytest.raises(errors.Undeliverable, match="blocked"):
            await bot.send_message(ANNA, "hello")
        await bot.session.close()
    await gone.dispose()


async def test_migrated_groups_are_recorded(stage: Stage, bot: Bot) -> None:
    group = await stage.sim.post(
        "chats",
        type="group",
        title="Команда",
        members=[{"id": ANNA, "status": "creator"}],
        bot_status="member",
    )
    async with stage.sessions.begin() as session:
        await accounts.ensure_user(session, TelegramUser(ANNA, "Анна"))
        await accounts.for_chat(session, ANNA, group["id"], "group", "Команда")
    await stage.sim.post(f"chats/{group['id']}/members", action="migrate", user_id=ANNA)
    with pytest.raises(errors.ChatMigrated) as caught:
        await say(bot, group["id"])
    rows = await stage.rows("SELECT chat_id FROM accounts WHERE kind = 'team'")
    assert rows == [{"chat_id": caught.value.new_chat_id}]


async def test_an_edit_to_the_same_text_and_a_late_answer_are_no_errors(
    stage: Stage, bot: Bot
) -> None:
    sent = await bot.send_message(ANNA, "hi")
    await bot.edit_message_text("hi", chat_id=ANNA, message_id=sent.message_id)
    await bot.answer_callback_query("1234567")
    with pytest.raises(errors.MessageGone):
        await bot.edit_message_text("hi", chat_id=ANNA, message_id=99999)


async def test_a_chat_has_a_burst_and_then_a_message_a_second(stage: Stage, bot: Bot) -> None:
    started = time.monotonic()
    await asyncio.gather(*(say(bot) for _ in range(5)))
    assert time.monotonic() - started < 0.9
    await say(bot)
    assert time.monotonic() - started >= 0.9
    with pytest.raises(errors.RateLimited):
        await asyncio.gather(*(say(bot) for _ in range(7)))


async def test_status_edits_are_dropped_not_waited_for(stage: Stage, bot: Bot) -> None:
    sent = await bot.send_message(ANNA, "0 %")
    await bot(StatusEdit(chat_id=ANNA, message_id=sent.message_id, text="10 %"))
    started = time.monotonic()
    with pytest.raises(errors.RateLimited) as caught:
        await bot(StatusEdit(chat_id=ANNA, message_id=sent.message_id, text="20 %"))
    assert time.monotonic() - started < 0.5
    assert 1.5 < caught.value.retry_after_s <= 2.5


async def test_the_last_edit_of_a_status_keeps_the_pace(stage: Stage, bot: Bot) -> None:
    await stage.sim.post("limits", enforce=True)
    sent = await asyncio.gather(*(say(bot) for _ in range(5)))
    card = views.Card(Html("✅"))
    await delivery.edit_status(bot, card, ANNA, sent[0].message_id, final=True)
    edits = await stage.sim.calls("editMessageText")
    assert [edit["status"] for edit in edits] == [200]


async def test_progress_gives_way_to_answers_to_taps(stage: Stage, bot: Bot) -> None:
    sent = await say(bot)
    for number in range(5):
        await bot.edit_message_text(f"page {number}", chat_id=ANNA, message_id=sent.message_id)
    card = views.Card(Html("1/4"))
    with pytest.raises(errors.RateLimited):
        await delivery.edit_status(bot, card, ANNA, sent.message_id)


async def test_answers_to_taps_wait_for_nothing(stage: Stage, bot: Bot) -> None:
    sent = await asyncio.gather(*(say(bot) for _ in range(5)))
    started = time.monotonic()
    for number in range(10):
        await bot.answer_callback_query("1")
        await bot.edit_message_text(f"page {number}", chat_id=ANNA, message_id=sent[0].message_id)
        await bot.send_chat_action(ANNA, "typing")
    assert time.monotonic() - started < 0.9


async def test_buckets_are_shared_and_charged_all_or_none(redis_url: str) -> None:
    one, other = Redis.from_url(redis_url), Redis.from_url(redis_url)
    small, large = Bucket("small", 0.001, 2), Bucket("large", 0.001, 100)
    assert await Buckets(one).take([small, large]) == 0
    assert await Buckets(other).take([small, large]) == 0
    assert await Buckets(one).take([small, large]) > 100
    level = float(await one.hget("large", "level"))  # type: ignore[misc, arg-type]
    assert 98 <= level < 98.1
    await one.aclose()
    await other.aclose()


async def test_a_large_call_goes_out_at_once_and_leaves_a_debt(redis_url: str) -> None:
    redis = Redis.from_url(redis_url)
    buckets = Buckets(redis)
    assert await buckets.take([Bucket("chat", 1, 5, cost=10)]) == 0
    wait_s = await buckets.take([Bucket("chat", 1, 5)])
    assert 5.5 < wait_s <= 6
    assert await redis.ttl("chat") > 5
    await redis.aclose()


async def test_those_who_wait_go_in_turn(redis_url: str) -> None:
    redis = Redis.from_url(redis_url)
    buckets = Buckets(redis)
    waits = [await buckets.take([Bucket("chat", 1, 1)], max_wait_s=5) for _ in range(4)]
    assert waits == pytest.approx([0, 1, 2, 3], abs=0.1)
    await redis.aclose()
