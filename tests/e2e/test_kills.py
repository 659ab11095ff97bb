"""kill -9 of any part in the middle of twenty requests: none lost, none sent twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from db import engine
from tests.clock import MovedClock
from tests.e2e.conftest import Unhurried
from tests.e2e.demo import Demo, running
from tests.e2e.team import (
    BOT,
    PROMPT,
    actions,
    channel,
    four_in_a_topic,
    newer,
    published,
    says,
)
from tests.sim import Sim, Talk, from_bot, label, said
from tests.workers.waiting import until

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

REQUESTS = 20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    async with running(tmp_path_factory.mktemp("kills")) as demo:
        yield demo


async def people(sim: Sim) -> list[Talk]:
    """Twenty people that the bot has not met, each in their own chat."""
    chats = [await sim.post("chats", type="private", title=f"N{n}") for n in range(REQUESTS)]
    return [sim.talk(chat["id"]) for chat in chats]


async def ask_all(talks: list[Talk]) -> None:
    await asyncio.gather(*(talk.send("/gen реклама кофейни осенью") for talk in talks))


async def some_are_out(talks: list[Talk], method: str = "sendMediaGroup") -> None:
    """The middle: work has begun, and most of it is still to do."""

    async def holds() -> bool:
        calls = await talks[0].sim.calls(method)
        return len({row["chat_id"] for row in calls} & {talk.chat_id for talk in talks}) >= 3

    await until(holds, within_s=60)


async def check_all_ended(talks: list[Talk]) -> Counter[str]:
    """Each request ended as exactly one album, or as a card that offers to show it again."""
    ends: Counter[str] = Counter()
    for talk in talks:
        talk.patience_s = 120
        card = await talk.wait_for(
            lambda one: from_bot(one) and ("✅" in said(one) or label(one, "Показать ещё раз")),
            "the end of a request",
        )
        sent = [
            row
            for row in await talk.sim.calls("sendMediaGroup")
            if row["chat_id"] == talk.chat_id and row["status"] == 200
        ]
        albums = await talk.albums()
        assert len(albums) == len(sent) <= 1, await talk.messages()
        if "✅" in said(card):
            assert len(albums) == 1
            assert len(albums[0]) == 4
        ends["album" if "✅" in said(card) else "offer"] += 1
    return ends


@pytest.mark.parametrize("part", ["bot", "worker-gpu", "worker-io", "redis", "postgres"])
async def test_a_killed_part_loses_nothing_and_doubles_nothing(demo: Demo, part: str) -> None:
    talks = await people(demo.sim)
    await ask_all(talks)
    await some_are_out(talks, "sendMessage" if part == "bot" else "sendMediaGroup")
    victim = demo.part(part)
    victim.kill()
    ends = await check_all_ended(talks)
    assert ends["album"] + ends["offer"] == REQUESTS
    assert ends["offer"] <= 8  # at most what was on its way to Telegram at that moment
    assert demo.part(part).pid != victim.pid


async def test_a_flushed_redis_loses_nothing(demo: Demo) -> None:
    talks = await people(demo.sim)
    await ask_all(talks)
    await some_are_out(talks)
    redis = Redis.from_url(f"unix://{demo.state_dir}/run/redis.sock")
    await redis.flushall()
    await redis.aclose()
    assert await check_all_ended(talks) == {"album": REQUESTS}


async def test_a_bot_killed_between_getting_and_handling_loses_no_message(demo: Demo) -> None:
    (talk, *_) = await people(demo.sim)
    redis = demo.part("redis")
    redis.suspend()  # handlers now wait at their first step
    try:
        polled = len(await demo.sim.calls("getUpdates"))
        await talk.send("/gen реклама кофейни осенью")

        async def got() -> bool:
            return len(await demo.sim.calls("getUpdates")) > polled

        await until(got)
        demo.part("bot").kill()
    finally:
        redis.resume()
    assert await check_all_ended([talk]) == {"album": 1}


async def test_show_again_sends_what_is_missing(demo: Demo) -> None:
    (talk, *_) = await people(demo.sim)
    await demo.sim.fault("sendMediaGroup", "500", chat_id=talk.chat_id)
    await talk.send("/gen реклама кофейни осенью")
    await talk.press("Показать ещё раз")
    await talk.text("✅")
    assert len(await talk.albums()) == 1


async def test_a_lost_answer_is_not_sent_again(demo: Demo) -> None:
    (talk, *_) = await people(demo.sim)
    await demo.sim.fault("sendMediaGroup", "drop", chat_id=talk.chat_id)
    await talk.send("/gen реклама кофейни осенью")
    await talk.button("Показать ещё раз")
    assert len(await talk.albums()) == 1


async def test_a_post_cut_off_midway_waits_for_the_approver(demo: Demo) -> None:
    """Nobody can tell whether it has arrived: a person looks, and only then it goes again."""
    redis = Redis.from_url(f"unix://{demo.state_dir}/run/redis.sock")
    town = Unhurried(demo.sim.url, demo.sim.http, redis, MovedClock())
    database = engine.create(f"postgresql+asyncpg://postgres@/postgres?host={demo.state_dir}/run")
    anna, _, klim, _ = await four_in_a_topic(town)
    card = await actions(anna, await anna.send(f"/gen{BOT} {PROMPT}"))
    shown = await channel(anna, card, engine.session_factory(database), town)
    await anna.press("📣", card)
    await anna.press("👁", await newer(anna, card, "👁"))
    await town.fault("sendPhoto", "hang", chat_id=shown.chat_id)
    await anna.press("Сейчас")

    async def hangs() -> bool:
        return (await town.get("faults"))["faults"] == []

    await until(hangs)
    demo.part("worker-io").kill()
    general = town.talk(klim.chat_id, klim.user_id)
    asked = await newer(general, card, "Не уверен")
    assert await shown.messages() == []
    await general.press("Нет", asked)
    await published(shown)
    await says(general, asked, "Опубликовано")
    assert len(await shown.messages()) == 1
    await redis.aclose()
    await database.dispose()
