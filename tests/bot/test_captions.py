"""Captions through the chat: what a brand's posts say, and the switches on a post's card."""

from __future__ import annotations

import pytest

from bot import brand_words
from tests.bot.stage import Person, Stage, buttons
from tests.bot.test_brands import made as made_brand
from tests.bot.test_channels import Channel, channel, connected, post_card, publish_due, shown_in
from tests.sim import Message

__all__ = ["channel"]

AD = "Реклама. ООО «Кофе рядом», ИНН 7701234567. erid: 2VtzqwJ8xYz"


async def says(person: Person, *, ad: bool = True) -> None:
    """A brand whose posts are signed, tagged and, perhaps, advertising."""
    await made_brand(person, "Кофе рядом")
    await person.press("Что в его постах")
    await person.press("✏️ Подпись")
    await person.text("Пришлите строку")
    await person.answer_to("Ждём вас:  @coffee_near <3", "Подпись: Ждём вас: @coffee_near <3")
    await person.press("✏️ Хэштеги")
    await person.text("Пришлите хэштеги")
    await person.answer_to("#кофе, осень #Кофе", "Хэштеги: #кофе #осень")
    if ad:
        await person.press("✏️ Реклама")
        await person.answer_to("ООО «Кофе рядом», ИНН 7701234567", "Пришлите erid")
        await person.answer_to("erid: 2VtzqwJ8xYz", "ИНН 7701234567, erid 2VtzqwJ8xYz")


async def test_what_a_brands_posts_say_is_under_the_post(
    anna: Person, live: Stage, channel: Channel
) -> None:
    await says(anna)
    chat_id = await channel()
    await connected(anna, chat_id)
    card = await post_card(anna)
    for words in ("Ждём вас: @coffee_near <3\n#кофе #осень", AD):
        assert words in card["text"]
    assert {"✓ Реклама", "✓ Подпись и хэштеги", "Пометка ИИ"} < set(buttons(card))
    await anna.press("Из идеи")
    await anna.text("Осеннее меню кофейни")
    await anna.press("Пометка ИИ")
    await anna.button("✓ Пометка ИИ")
    await anna.press("✓ Подпись и хэштеги")
    await anna.text("Осеннее меню кофейни\n\nРеклама.")
    whole = f"Осеннее меню кофейни\n\n{AD}\nИзображение создано с помощью ИИ"
    await anna.press("Посмотреть")
    await anna.text("будет выглядеть")
    (preview,) = [one for one in await anna.messages() if "erid" in one.get("caption", "")]
    assert preview["caption"] == whole
    await anna.press("Сейчас")
    await anna.text("Публикую")
    await publish_due(live)
    (shown,) = await shown_in(anna, chat_id)
    assert shown["caption"] == whole


async def test_a_published_post_changes_by_its_switch_and_not_by_the_brand(
    anna: Person, live: Stage, channel: Channel
) -> None:
    await says(anna, ad=False)
    await connected(anna, await channel())
    await post_card(anna)
    await anna.press("Посмотреть")
    await anna.text("будет выглядеть")
    await anna.press("Сейчас")
    await anna.text("Публикую")
    await publish_due(live)
    brands_page = await anna.answer_to("/brands", "Бренды")
    await anna.press("Кофе рядом", brands_page)
    await anna.press("Что в его постах")
    await anna.press("✕ Подпись")
    await anna.text("Подпись: нет")
    await anna.press("Пометка ИИ в новых постах")
    await anna.text("Пометка ИИ: в каждом новом посте")
    week = await anna.answer_to("/plan_posts", "✅")
    assert week["text"].split("\n")[3].endswith("Кофе рядом: №1")
    await anna.press("1", week)
    card = await anna.text("Опубликовано")
    assert "@coffee_near" in card["text"]
    await anna.press("Подпись и хэштеги", card)
    await anna.text("Новый текст скоро")
    await anna.press("Подпись и хэштеги")
    card = await anna.text("#кофе #осень")
    assert "@coffee_near" not in card["text"]


async def test_too_long_with_the_signature_says_by_how_much(anna: Person, channel: Channel) -> None:
    await says(anna, ad=False)
    await connected(anna, await channel())
    await post_card(anna)
    await anna.press("Написать текст")
    await anna.text("до 984 знаков")
    await anna.answer_to("я" * 986, "Длиннее на 2 знака, чем можно. Подпись, хэштеги и пометки")
    await anna.answer_to("я" * 984, "1024 из 1024")
    answer = await anna.press("Пометка ИИ")
    assert answer["text"].startswith("📏 Длиннее на 34 знака")


@pytest.mark.parametrize(
    ("step", "bad", "answer"),
    [
        ("✏️ Подпись", "я" * 201, "до 200 знаков"),
        ("✏️ Хэштеги", "#2026 #a-b", "Это не может быть хэштегом: #2026, #a-b"),
        ("✏️ Хэштеги", " ".join(f"#a{n}" for n in range(11)), "от одного до 10"),
        ("✏️ Реклама", "я" * 151, "до 150 знаков"),
    ],
)
async def test_what_can_not_be_is_asked_for_again(
    anna: Person, live: Stage, step: str, bad: str, answer: str
) -> None:
    await made_brand(anna)
    before = await live.rows("SELECT * FROM brands")
    await anna.press("Что в его постах")
    await anna.press(step)
    await anna.button("Отменить")
    await anna.answer_to(bad, answer)
    assert await live.rows("SELECT * FROM brands") == before


async def test_another_erid_keeps_the_advertiser(anna: Person, live: Stage) -> None:
    await says(anna)
    await anna.press("✏️ Реклама")
    await anna.press("Оставить «ООО")
    await anna.answer_to("не токен", "Это не erid")
    await anna.answer_to("Second_22", "erid Second_22")
    (row,) = await live.rows("SELECT advertiser, erid FROM brands")
    assert row == {"advertiser": "ООО «Кофе рядом», ИНН 7701234567", "erid": "Second_22"}


async def test_what_another_accounts_brand_says_stays(
    anna: Person, ben: Person, live: Stage
) -> None:
    await says(anna)
    own: Message = await ben.answer_to("/brands", "Brands")
    (brand,) = await live.rows("SELECT * FROM brands")
    for data in ("posts", "say:signature", "unsay:signature", "unsay:advertising", "mark:1"):
        do, _, value = data.partition(":")
        await ben.tap(f"b:{do}:{brand['id']}:{value}", own)
    await ben.settled()
    assert await live.rows("SELECT * FROM brands") == [brand]


def test_hashtags_are_read_with_and_without_their_sign() -> None:
    read = brand_words.parse_hashtags("#кофе,чай;  #Кофе #a#b ё_1 #1")
    assert read.good == ("#кофе", "#чай", "#a", "#b", "#ё_1")
    assert read.bad == ("#1",)
