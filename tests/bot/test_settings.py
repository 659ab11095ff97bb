"""Settings: language, and what new drafts start with."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bot.settings import BotSettings
from db import capacity
from db.capacity import Capacity
from tests.bot.stage import Person, Stage, buttons, data_of
from tests.sim import ANNA, BEN


async def test_language_switches_everything_at_once(anna: Person) -> None:
    await anna.send("/settings")
    page = await anna.text("Настройки")
    assert "🌐 язык: Русский\n" in page["text"]
    assert "✓ Русский" in buttons(page)
    await anna.press("English", page)
    await anna.text("We speak English now")
    changed = await anna.text("What every new draft starts with")
    assert changed["message_id"] == page["message_id"]
    assert "🌐 language: English\n" in changed["text"]
    assert "✓ English" in buttons(changed)
    await anna.answer_to("🎨 Brands", "It takes three short messages")
    await anna.answer_to("🎨 Бренды", "It takes three short messages")
    await anna.send("баннер")
    await anna.button("Create")
    await anna.press("Русский", changed)
    await anna.text("Теперь говорим по-русски")


async def test_defaults_go_into_the_next_draft(anna: Person) -> None:
    await anna.send("/settings")
    page = await anna.text("Настройки")
    await anna.press("2", page)
    await anna.press("9:16", page)
    await anna.press("Улучшать промт", page)
    page = await anna.button("☐ Улучшать промт")
    assert {"✓ 2", "✓ 9:16"} <= set(buttons(page))
    await anna.send("баннер для сайта")
    card = await anna.button("Создать")
    assert "9:16 сторис" in card["text"]
    assert "2 варианта" in card["text"]
    assert "слово в слово" in card["text"]
    await anna.press("как принято", page)
    await anna.send("обложка для ютуба")
    await anna.text("16:9 широкий")


async def test_a_saved_number_that_can_not_be_made_is_lowered_where_it_shows(
    anna: Person, live: Stage
) -> None:
    await anna.send("/settings")
    await anna.press("4", await anna.text("Настройки"))
    await capacity.tell(live.pool, Capacity(2))
    asked = await anna.send("/settings")
    page = await anna.next(asked, "вариантов в альбоме: 2")
    assert "✓ 2" in buttons(page)
    assert not {"3", "4", "✓ 4"} & set(buttons(page))
    await capacity.tell(live.pool, Capacity(4))
    asked = await anna.send("/settings")
    page = await anna.next(asked, "вариантов в альбоме: 4")
    assert "✓ 4" in buttons(page)


async def test_values_that_no_button_offers_change_nothing(anna: Person, live: Stage) -> None:
    await anna.send("/settings")
    page = await anna.text("Настройки")
    for field, value in (("count", "9"), ("locale", "de"), ("aspect", "3:1x"), ("sudo", "1")):
        await anna.tap(f"o:{ANNA}:{field}:{value}".replace("3:1x", "WIDE"), page)
    await anna.settled()
    (row,) = await live.rows("SELECT count, locale, aspect FROM user_settings")
    assert row == {"count": 4, "locale": None, "aspect": None}


async def test_in_a_group_the_settings_are_their_openers(live: Stage) -> None:
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    await anna.text("для этой команды")
    await anna.send(f"/settings@{await anna.username()}")
    page = await anna.text("Настройки")
    assert (await ben.press("English", page))["text"] == "This menu is not yours"
    await ben.tap(data_of(page, "English"), page)
    await ben.settled()
    rows = await live.rows("SELECT locale FROM user_settings WHERE user_id = :id", id=ANNA)
    assert rows == [{"locale": None}]


def test_webhook_mode_needs_an_address_and_a_secret() -> None:
    with pytest.raises(ValidationError, match="BOT_WEBHOOK_URL"):
        BotSettings(token="1:a", mode="webhook")


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_secret": "с кириллицей"},
        {"webhook_secret": "a b"},
        {"api_url": "nonsense"},
    ],
)
def test_what_telegram_can_never_take_is_refused_at_the_start(wrong: dict[str, str]) -> None:
    webhook = {"token": "1:a", "mode": "webhook", "webhook_url": "https://a.b"}
    with pytest.raises(ValidationError):
        BotSettings.model_validate({**webhook, "webhook_secret": "s", **wrong})


def test_the_token_is_not_printed() -> None:
    assert "s3cret" not in repr(BotSettings(token="1:s3cret"))
