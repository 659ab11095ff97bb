"""Proposed captions through the chat: asked for, written while one watches, taken or left."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from db import images
from db.team_views import SuggestionClaim
from pipeline import captions
from pipeline.captions import CaptionWriter
from pipeline.captions.templates import TemplateWriter
from pipeline.settings import PipelineSettings
from tests.bot.stage import Person, Stage, buttons, data_of
from tests.bot.test_captions import says as brand_says
from tests.bot.test_channels import Channel, channel, connected, post_card
from tests.pipeline.ollama_server import OllamaServer, hangs, says
from tests.sim import Message
from workers.courier import Courier
from workers.settings import WorkerSettings
from workers.suggest import Scribe

__all__ = ["channel"]

GOOD = "Осень в чашке: в кофейне новое меню. Заходите согреться! ☕"


def scribe(stage: Stage, writer: CaptionWriter | None = None) -> Scribe:
    """The io worker's part."""
    courier = Courier(
        stage.sessions, stage.pool, images.Store("unused"), stage.bot, WorkerSettings()
    )
    return Scribe(courier, writer or TemplateWriter())


async def work(stage: Stage, writer: CaptionWriter | None = None) -> None:
    one = scribe(stage, writer)
    claim = await claimed(one)
    await stage.rested()
    await one.work(claim)


async def claimed(one: Scribe) -> SuggestionClaim:
    """What was asked for, once the bot has let it begin."""
    async with asyncio.timeout(10):
        while (claim := await one.claim()) is None:
            await asyncio.sleep(0.02)
    return claim


@pytest.fixture
async def ollama() -> AsyncIterator[OllamaServer]:
    async with OllamaServer() as server:
        yield server


def model(ollama: OllamaServer, deadline_s: float = 20) -> CaptionWriter:
    settings = PipelineSettings(
        enhancer="ollama", ollama_host=ollama.host, ollama_deadline_s=deadline_s
    )
    return captions.create(settings)


@pytest.fixture
async def card(anna: Person, channel: Channel) -> Message:
    """A draft's card, a caption asked for on it."""
    await connected(anna, await channel())
    card = await post_card(anna)
    await anna.press("Предложить текст")
    await anna.text("Пишу текст для «Кофе рядом»")
    return card


async def again(anna: Person, data: str, on: Message) -> None:
    """A tap that comes late, or twice."""
    await anna.tap(data, on)
    await anna.settled()


async def test_without_a_model_templates_write_and_say_so(
    anna: Person, live: Stage, card: Message
) -> None:
    await work(live)
    first = await anna.text("собрано по шаблонам, без языковой модели")
    assert "осеннее меню кофейни" in first["text"]
    assert buttons(first) == ["✅ Взять", "🔁 Другой", "✍️ Написать свой", "‹ Назад"]
    await anna.press("Другой")
    await anna.text("Пишу текст")
    await work(live)
    second = await anna.text("собрано по шаблонам, без языковой модели")
    assert second["text"] != first["text"]
    taken = data_of(second, "Взять")
    await again(anna, data_of(first, "Взять"), second)  # the first one's button, late
    assert await live.rows("SELECT caption FROM posts") == [{"caption": ""}]
    await anna.press("Предложить текст")  # which that tap has brought back
    await anna.text("без языковой модели")
    await anna.press("Взять")
    shown = await anna.text("из 1024")
    (row,) = await live.rows("SELECT caption FROM posts")
    assert row["caption"] in second["text"]
    assert row["caption"] in shown["text"]
    await again(anna, taken, shown)  # the same tap once more
    assert await live.rows("SELECT caption FROM posts") == [row]


async def test_nothing_signs_twice_under_a_brands_signature(
    anna: Person, live: Stage, channel: Channel
) -> None:
    await brand_says(anna, ad=False)
    await connected(anna, await channel())
    await post_card(anna)
    await anna.press("Предложить текст")
    await anna.text("Пишу текст")
    await work(live)
    unsigned = await anna.text("собрано по шаблонам")
    assert "Команда «Кофе рядом»" not in unsigned["text"]
    await anna.press("Взять")
    await anna.press("✓ Подпись и хэштеги")
    await anna.press("Предложить текст")
    await anna.text("Пишу текст")
    await work(live)
    assert "Команда «Кофе рядом»" in (await anna.text("собрано по шаблонам"))["text"]


async def test_a_models_caption_grows_on_the_card(
    anna: Person, live: Stage, card: Message, ollama: OllamaServer
) -> None:
    done = asyncio.Event()
    ollama.answers = [says(GOOD, wait=done)]
    writing = asyncio.create_task(work(live, model(ollama)))
    growing = await anna.text("Осень в чашке")
    assert "Пишу текст" in growing["text"]
    await again(anna, data_of(card, "Предложить"), growing)
    assert await live.rows("SELECT number, state FROM suggestions") == [
        {"number": 1, "state": "open"}
    ]
    assert await scribe(live).claim() is None  # one at a time
    await live.rested()
    done.set()
    await writing
    shown = await anna.text("Текст для")
    assert GOOD in shown["text"]
    assert "LLM" not in shown["text"]
    assert len(ollama.chats) == 1


async def test_stopped_by_a_tap_it_leaves_the_card_alone(
    anna: Person, live: Stage, card: Message, ollama: OllamaServer
) -> None:
    ollama.answers = [hangs("Осень в чашке")]
    writing = asyncio.create_task(work(live, model(ollama)))
    await anna.text("Осень в чашке")
    await anna.press("Остановить")
    await anna.button("Предложить текст")
    async with asyncio.timeout(10):
        await writing
        await ollama.hung_up.wait()
    await anna.settled()
    await anna.button("Предложить текст")


async def test_a_killed_worker_leaves_nothing_hanging(
    anna: Person, live: Stage, card: Message, ollama: OllamaServer
) -> None:
    ollama.answers = [hangs("Осень")]
    writing = asyncio.create_task(work(live, model(ollama)))
    async with asyncio.timeout(10):
        while not ollama.chats:
            await asyncio.sleep(0.01)
    writing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await writing
    assert await scribe(live).claim() is None  # its lease still runs
    await live.rows_changed("UPDATE suggestions SET not_before = now()")
    await work(live)
    await anna.text("собрано по шаблонам")


async def test_a_silent_model_gives_way_to_the_templates(
    anna: Person, live: Stage, card: Message, ollama: OllamaServer
) -> None:
    ollama.answers = [hangs()]
    await work(live, model(ollama, deadline_s=0.3))
    await anna.text("собрано по шаблонам")


async def test_a_card_that_can_not_be_edited_now_is_edited_later(
    anna: Person, live: Stage, card: Message
) -> None:
    one = scribe(live)
    claim = await claimed(one)
    await live.rested()
    await anna.sim.fault("editMessageText", "429", retry_after=60)
    await one.work(claim)
    (row,) = await live.rows("SELECT state, caption FROM suggestions")
    assert row["state"] == "open"
    assert row["caption"]
