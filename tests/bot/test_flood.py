"""A person who floods: told once, then silence; taps always answered; others unharmed."""

from __future__ import annotations

import pytest

from bot.settings import BotSettings
from tests.bot.stage import Person, Stage
from tests.sim import BEN, TOKEN, Sim


@pytest.fixture
def options(sim: Sim) -> BotSettings:
    return BotSettings(
        token=TOKEN,
        api_url=sim.url,
        poll_timeout_s=10,
        throttle_burst=3,
        throttle_per_s=0.01,
    )


async def test_flood_is_told_once_and_then_met_with_silence(anna: Person, live: Stage) -> None:
    for _ in range(8):
        await anna.send("/help")
    await anna.text("Не успеваю")
    ben = live.person(BEN)
    await ben.answer_to("/help", "How it works")
    said = [one["text"] for one in await anna.messages() if one["from"]["is_bot"]]
    assert len([text for text in said if "Как это работает" in text]) == 3
    assert len([text for text in said if "Не успеваю" in text]) == 1


async def test_a_flooders_taps_are_still_answered(anna: Person) -> None:
    await anna.send("/settings")
    page = await anna.text("Настройки")
    await anna.press("2", page)
    await anna.press("3", page)
    answer = await anna.press("English", page)
    assert "Слишком быстро" in answer["text"]


async def test_the_notice_is_in_the_chosen_language(anna: Person) -> None:
    await anna.send("/settings")
    await anna.press("English", await anna.text("Настройки"))
    await anna.send("/help")
    await anna.answer_to("/help", "Too fast for me")


async def test_offers_of_one_update_are_counted_once(anna: Person, live: Stage) -> None:
    await live.sim.fault("sendMessage", "500", times=4)
    await anna.answer_to("/help", "Как это работает")
    assert not [one for one in await anna.messages() if "🐢" in one["text"]]
