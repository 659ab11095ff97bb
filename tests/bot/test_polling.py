"""Own polling: nothing is confirmed before it is handled."""

from __future__ import annotations

import asyncio

import pytest
from aiogram import Dispatcher
from aiogram.types import Message
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.exc import OperationalError

from bot.errors import RateLimited, Refused
from bot.polling import MAX_OFFERS, Poller
from tests.bot.stage import Person, Stage
from tests.sim import ANNA, BEN, Talk


class Handled:
    """A dispatcher's handler that notes texts, fails on request and can be held back."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.failing: dict[str, int] = {}
        self.errors: dict[str, Exception] = {}
        self.held: dict[str, asyncio.Event] = {}
        self.failed = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()
        self.entered = asyncio.Event()
        self._changed = asyncio.Condition()

    async def handle(self, message: Message) -> None:
        self.entered.set()
        await self.free.wait()
        text = message.text or ""
        if text in self.held:
            await self.held[text].wait()
        if self.failing.get(text, 0) > 0:
            self.failing[text] -= 1
            self.failed.set()
            raise self.errors.get(text) or RuntimeError(text)
        async with self._changed:
            self.texts.append(text)
            self._changed.notify_all()

    async def all_of(self, *texts: str, for_s: float = 10) -> None:
        async with asyncio.timeout(for_s), self._changed:
            await self._changed.wait_for(lambda: set(texts) <= set(self.texts))


@pytest.fixture
def handled() -> Handled:
    return Handled()


@pytest.fixture
def poller(stage: Stage, handled: Handled) -> Poller:
    dispatcher = Dispatcher()
    dispatcher.message.register(handled.handle)
    return Poller(dispatcher, stage.bot, timeout_s=5)


@pytest.fixture
def talk(stage: Stage) -> Talk:
    return Talk(stage.sim, ANNA, ANNA)


async def test_a_failing_handler_loses_nothing(
    poller: Poller, handled: Handled, talk: Talk
) -> None:
    handled.failing = {"2": 2}
    for text in "1234":
        await talk.send(text)
    running = asyncio.create_task(poller.run())
    await handled.all_of("1", "2", "3", "4")
    poller.stop()
    await running
    assert handled.texts == ["1", "2", "3", "4"]


async def test_a_hopeless_update_is_passed_over_after_five_offers(
    poller: Poller, handled: Handled, talk: Talk
) -> None:
    handled.failing = {"bad": 99}
    await talk.send("bad")
    await talk.send("good")
    running = asyncio.create_task(poller.run())
    await handled.all_of("good")
    poller.stop()
    await running
    assert 99 - handled.failing["bad"] == MAX_OFFERS


async def test_a_payment_is_not_passed_over_so_soon(
    stage: Stage, poller: Poller, handled: Handled
) -> None:
    handled.failing = {"": MAX_OFFERS + 1}
    money = {
        "currency": "RUB",
        "total_amount": 50000,
        "invoice_payload": "p",
        "telegram_payment_charge_id": "c",
        "provider_payment_charge_id": "p",
    }
    chat = {"id": ANNA, "type": "private", "first_name": "Анна"}
    message = {"message_id": 7, "date": 1_800_000_000, "chat": chat, "successful_payment": money}
    await stage.push({"message": message})
    running = asyncio.create_task(poller.run())
    await handled.all_of("", for_s=20)
    poller.stop()
    await running


async def test_one_persons_trouble_does_not_stop_another(
    stage: Stage, poller: Poller, handled: Handled, talk: Talk
) -> None:
    handled.failing = {"bad": 99}
    await talk.send("bad")
    await Talk(stage.sim, BEN, BEN).send("fine")
    running = asyncio.create_task(poller.run())
    await handled.all_of("fine")
    poller.stop()
    await running
    assert handled.texts.count("fine") == 1


async def test_one_persons_long_line_does_not_hold_up_who_comes_later(
    stage: Stage, poller: Poller, handled: Handled, talk: Talk
) -> None:
    handled.held["slow"] = asyncio.Event()
    await talk.send("slow")
    await talk.send("after slow")
    running = asyncio.create_task(poller.run())
    async with asyncio.timeout(10):
        await handled.entered.wait()
    await Talk(stage.sim, BEN, BEN).send("quick")
    await handled.all_of("quick")
    assert handled.texts == ["quick"]

    handled.held["slow"].set()
    await handled.all_of("slow", "after slow")
    poller.stop()
    await running
    assert handled.texts == ["quick", "slow", "after slow"]
    assert await stage.bot.get_updates() == []


async def test_servers_that_are_away_for_long_lose_nothing(
    stage: Stage, poller: Poller, handled: Handled
) -> None:
    team: int = (await stage.sim.group())["id"]
    away: dict[int, Exception] = {
        ANNA: OperationalError("SELECT 1", {}, Exception("the server is starting up")),
        BEN: RedisConnectionError("connection refused"),
        team: Refused("Telegram was not reached"),
    }
    for chat_id, error in away.items():
        text = type(error).__name__
        handled.failing[text], handled.errors[text] = MAX_OFFERS, error
        await Talk(stage.sim, chat_id, ANNA if chat_id < 0 else chat_id).send(text)
    running = asyncio.create_task(poller.run())
    await handled.all_of(*handled.failing, for_s=15)
    poller.stop()
    await running
    assert set(handled.failing.values()) == {0}


async def test_a_chat_at_its_limit_is_waited_for(
    poller: Poller, handled: Handled, talk: Talk
) -> None:
    handled.failing["crowded"] = 2 * MAX_OFFERS
    handled.errors["crowded"] = RateLimited(0.01)
    await talk.send("crowded")
    running = asyncio.create_task(poller.run())
    await handled.all_of("crowded")
    poller.stop()
    await running


async def test_a_chat_shut_for_an_hour_is_passed_over(
    poller: Poller, handled: Handled, talk: Talk
) -> None:
    handled.failing["shut"] = 99
    handled.errors["shut"] = RateLimited(3600)
    await talk.send("shut")
    await talk.send("next")
    running = asyncio.create_task(poller.run())
    await handled.all_of("next")
    poller.stop()
    await running
    assert 99 - handled.failing["shut"] == MAX_OFFERS


async def test_a_stop_does_not_wait_for_what_is_put_off_and_does_not_confirm_it(
    stage: Stage, poller: Poller, handled: Handled, talk: Talk
) -> None:
    handled.failing["later"] = 99
    handled.errors["later"] = RateLimited(50)
    await talk.send("later")
    await talk.send("after later")
    running = asyncio.create_task(poller.run())
    async with asyncio.timeout(10):
        await handled.failed.wait()
        poller.stop()
        await running
    waiting = await stage.bot.get_updates()
    assert [update.message and update.message.text for update in waiting] == [
        "later",
        "after later",
    ]
    assert handled.texts == []


async def test_killed_between_getting_and_handling_loses_nothing(
    stage: Stage, poller: Poller, handled: Handled, talk: Talk
) -> None:
    handled.free.clear()
    for text in "123":
        await talk.send(text)
    running = asyncio.create_task(poller.run())
    await handled.entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert handled.texts == []

    handled.free.set()
    dispatcher = Dispatcher()
    dispatcher.message.register(handled.handle)
    again = Poller(dispatcher, stage.bot, timeout_s=5)
    running = asyncio.create_task(again.run())
    await handled.all_of("1", "2", "3")
    again.stop()
    await running
    assert handled.texts == ["1", "2", "3"]


async def test_a_stop_confirms_what_was_handled(
    stage: Stage, poller: Poller, handled: Handled, talk: Talk
) -> None:
    await talk.send("once")
    running = asyncio.create_task(poller.run())
    await handled.all_of("once")
    poller.stop()
    await running
    assert await stage.bot.get_updates() == []


async def test_it_can_be_cancelled_at_any_moment_of_a_message_being_handled(
    poller: Poller, handled: Handled, talk: Talk
) -> None:
    for step in range(12):
        handled.free.clear()
        handled.entered.clear()
        await talk.send(str(step))
        running = asyncio.create_task(poller.run())
        await handled.entered.wait()
        handled.free.set()
        for _ in range(step):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running}, timeout=5)
        assert running.cancelled(), step


async def test_an_unreadable_update_holds_up_nobody(
    stage: Stage, poller: Poller, handled: Handled, talk: Talk
) -> None:
    await stage.push({"message": {"message_id": "new in Bot API 11"}})
    await talk.send("after")
    running = asyncio.create_task(poller.run())
    await handled.all_of("after")
    poller.stop()
    await running
    assert await stage.bot.get_updates() == []


@pytest.mark.parametrize("mode", ["500", "502html", "429", "drop"])
async def test_polling_survives_telegrams_faults(
    stage: Stage, poller: Poller, handled: Handled, talk: Talk, mode: str
) -> None:
    await stage.sim.fault("getUpdates", mode, times=2)
    running = asyncio.create_task(poller.run())
    await talk.send("still here")
    await handled.all_of("still here")
    poller.stop()
    await running


async def test_the_whole_bot_comes_back_to_a_message_telegram_failed_it_on(
    anna: Person, live: Stage
) -> None:
    await live.sim.fault("sendMessage", "500", times=2)
    await anna.send("баннер для сайта")
    await anna.button("Создать")
    assert len(await live.rows("SELECT id FROM ml_requests")) == 1
