"""The first minutes: greeting, example, menu, help, unknown content, languages."""

from __future__ import annotations

import pytest

from tests.bot.stage import Person, Stage, buttons
from tests.sim import BEN


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("Отмена", "Останавливать нечего"),
        ("cancel!", "Останавливать нечего"),
        ("Сколько стоит?", "что даёт каждый тариф: /plans"),
        ("How much", "что даёт каждый тариф: /plans"),
        ("Привет!", "возьмите пример"),
        ("hello", "возьмите пример"),
    ],
)
async def test_words_that_are_no_idea_are_not_drawn(
    anna: Person, live: Stage, words: str, answer: str
) -> None:
    await anna.answer_to(words, answer)
    assert await live.rows("SELECT id FROM ml_requests") == []


async def test_an_idea_that_begins_like_a_greeting_is_drawn(anna: Person) -> None:
    await anna.answer_to("привет из Сочи, открытка", "из Сочи, открытка")
    await anna.answer_to("Отмена занятий по йоге", "Отмена занятий")


async def test_start_greets_in_russian_with_a_menu_and_an_example(anna: Person) -> None:
    await anna.send("/start")
    hello = await anna.text("Здравствуйте, Анна")
    labels = [b["text"] for row in hello["reply_markup"]["keyboard"] for b in row]
    assert labels[:3] == ["✨ Создать", "🎨 Бренды", "🗂 История"]
    assert {"💰 Кошелёк", "💎 Тариф", "👥 Команда", "⚙️ Настройки", "❓ Помощь"} < set(labels)

    await anna.press("Осень в кофейне")

    card = await anna.button("Создать")
    assert "Осеннее меню кофейни" in card["text"]
    assert "Instagram" in card["text"]


async def test_start_speaks_english_to_english_telegram(live: Stage) -> None:
    ben = live.person(BEN)
    await ben.send("/start")
    await ben.text("Hi, Ben!")
    await ben.press("Sale banner")
    await ben.button("Create")


async def test_second_tap_on_an_example_makes_no_second_draft(anna: Person, live: Stage) -> None:
    await anna.send("/start")
    await anna.press("Йога")
    await anna.button("Создать")
    assert (await anna.press("Йога"))["text"] == "Черновик выше"
    await anna.settled()
    assert len(await live.rows("SELECT id FROM ml_requests")) == 1
    cards = [one for one in await anna.messages() if "Черновик" in one.get("text", "")]
    assert len(cards) == 1


async def test_an_example_opens_a_new_draft_once_the_last_is_at_work(
    anna: Person, live: Stage
) -> None:
    await anna.send("/start")
    for _ in range(3):
        await anna.press("Йога")
        await anna.press(
            "✨ Создать", await anna.wait_for(lambda one: "✨ Создать" in buttons(one))
        )
        await anna.settled()
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 3


async def test_the_menu_opens_its_pages(anna: Person) -> None:
    await anna.answer_to("🎨 Бренды", "Бренды")
    await anna.answer_to("🗂 История", "Альбомов пока нет")
    await anna.answer_to("👥 Команда", "ни в одной команде")
    await anna.answer_to("⚙️ Настройки", "Настройки")
    await anna.answer_to("❓ Помощь", "Как это работает")
    create = await anna.answer_to("✨ Создать", "одним сообщением")
    assert "☕ Осень в кофейне" in buttons(create)


async def test_unknown_command_and_cancel_without_dialogue(anna: Person) -> None:
    await anna.answer_to("/teapot", "Не знаю такой команды")
    await anna.answer_to("/cancel", "Останавливать нечего")


async def test_a_document_gets_a_kind_hint(anna: Person) -> None:
    sent = await anna.upload("document", b"%PDF-1.4", "brief.pdf")
    await anna.next(sent, "Пришлите слова: что должно быть на картинке")


async def test_group_start_explains_itself_without_a_menu(live: Stage) -> None:
    group = await live.sim.group()
    anna = live.person(1001, group["id"])
    await anna.send(f"/start@{await anna.username()}")
    hello = await anna.text("теперь и для этой команды")
    assert "keyboard" not in hello.get("reply_markup", {})
