"""Brands: made in three messages, changed, deleted, chosen; and the colours of a logo."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import text

from bot import palette
from bot.palette import parse
from db import brands
from pipeline.errors import BadImage
from tests.bot.stage import Person, Stage, buttons, data_of
from tests.sim import ANNA, BEN, Message


async def asked_for_colours(person: Person, name: str = "Кофе & Ко") -> Message:
    """A dialogue up to its last question."""
    await person.send("/brands")
    await person.press("Новый бренд")
    await person.answer_to(name, "2 из 3")
    return await person.answer_to("тёплый, уютный, натуральное дерево", "3 из 3")


async def made(person: Person, name: str = "Кофе & Ко") -> Message:
    await asked_for_colours(person, name)
    return await person.answer_to("#6C3CE9, fff", name)


async def test_a_brand_is_made_in_three_messages(anna: Person, live: Stage) -> None:
    page = await made(anna)
    assert "Стиль: тёплый, уютный, натуральное дерево" in page["text"]
    assert "Цвета: #6c3ce9 #ffffff" in page["text"]
    (row,) = await live.rows("SELECT style_short, palette FROM brands")
    assert "warm" in row["style_short"]
    assert row["style_short"].isascii()
    assert row["palette"] == ["#6c3ce9", "#ffffff"]


async def test_the_first_brand_goes_into_the_next_draft(anna: Person, live: Stage) -> None:
    page = await made(anna)
    assert "Подставляется в каждый новый черновик" in page["text"]
    await anna.send("баннер для сайта")
    card = await anna.button("Создать")
    assert "бренд «Кофе & Ко»" in card["text"]
    await anna.press("Создать", card)
    await anna.settled()
    (task,) = await live.rows("SELECT brief FROM ml_tasks")
    assert task["brief"]["brand"]["palette"] == ["#6c3ce9", "#ffffff"]


async def test_a_preset_brings_style_and_colours(anna: Person, live: Stage) -> None:
    await anna.send("/brands")
    await anna.press("Новый бренд")
    await anna.answer_to("Аметист", "2 из 3")
    await anna.press("Фиолетовый минимализм")
    await anna.press("Оставить цвета стиля")
    page = await anna.text("🎨 Аметист")
    assert "Стиль: Фиолетовый минимализм" in page["text"]
    (row,) = await live.rows("SELECT preset, palette FROM brands")
    assert row["preset"]
    assert row["palette"]


async def test_colours_come_from_a_sent_logo(anna: Person, live: Stage) -> None:
    await asked_for_colours(anna)
    await anna.upload("photo", logo(), "logo.png")
    await anna.text("Цвета: #")
    (row,) = await live.rows("SELECT palette FROM brands")
    assert near(row["palette"][0], "#6c3ce9")


async def test_a_file_that_is_no_picture_is_refused_and_the_dialogue_goes_on(anna: Person) -> None:
    await asked_for_colours(anna)
    sent = await anna.upload("document", b"%PDF-1.4", "logo.pdf")
    await anna.next(sent, "Не могу открыть это как картинку")
    await anna.answer_to("#123456", "Кофе & Ко")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("#12345 стол", "Не понимаю эти цвета: #12345, стол"),
        ("#ffffgg", "Не понимаю эти цвета: #ffffgg"),
        (" , ; ", "от одного до 5"),
        ("#111 #222 #333 #444 #555 #666", "от одного до 5"),
    ],
)
async def test_bad_colours_are_named_and_asked_for_again(
    anna: Person, live: Stage, text: str, answer: str
) -> None:
    await asked_for_colours(anna)
    await anna.answer_to(text, answer)
    assert await live.rows("SELECT id FROM brands") == []
    await anna.answer_to("#111222", "Кофе & Ко")


async def test_colours_can_be_skipped(anna: Person) -> None:
    await asked_for_colours(anna)
    await anna.press("Без цветов")
    await anna.text("Цвета: любые")


async def test_a_taken_name_is_refused_at_once(anna: Person, live: Stage) -> None:
    await live.plan("profi")
    await made(anna)
    await anna.send("/brands")
    await anna.press("Новый бренд")
    await anna.answer_to("кофе  & КО", "уже есть")
    await anna.answer_to("Чай", "2 из 3")
    assert len(await live.rows("SELECT id FROM brands")) == 1


async def test_a_long_name_and_a_wordless_style_are_asked_for_again(anna: Person) -> None:
    await anna.send("/brands")
    await anna.press("Новый бренд")
    await anna.answer_to("я" * 41, "до 40 символов")
    await anna.answer_to("<b>&", "2 из 3")
    await anna.answer_to("✨✨✨", "Опишите стиль")
    await anna.answer_to("ы" * 301, "Опишите стиль")
    await anna.answer_to("пастель", "3 из 3")
    await anna.press("Без цветов")
    await anna.text("🎨 <b>&")


async def test_the_limit_is_shown_before_it_is_hit_and_held(anna: Person, live: Stage) -> None:
    empty = await anna.answer_to("/brands", "до 1 бренда.")
    await made(anna)
    full = await anna.answer_to("/brands", "Бренды: 1 из 1")
    assert buttons(full) == ["⭐ Кофе & Ко", "💎 Больше брендов: тарифы"]
    answer = await anna.press("Новый бренд", empty)
    assert "до 1 бренда." in answer["text"]
    await anna.press("Больше брендов", full)
    await anna.text("Тариф «Бесплатный»")


async def test_brands_over_a_smaller_plans_limit_are_frozen(anna: Person, live: Stage) -> None:
    await live.plan("profi")
    await made(anna, "Чай")
    await in_account(live, "Кофе")
    await anna.send("баннер для сайта")
    card = await anna.button("Бренд: Чай")
    await anna.press("Бренд: Чай", card)
    await anna.press("Кофе", await anna.button("✓ Чай"))
    live.clock.move(days=32)
    await live.renew()  # no money: grace
    live.clock.move(days=4)
    await live.renew()

    listed = await anna.answer_to("/brands", "🧊 Заморожено")
    assert buttons(listed)[:2] == ["⭐ Чай", "🧊 Кофе"]
    await anna.press("🧊 Кофе", listed)
    page = await anna.text("🧊 Заморожен:")
    assert buttons(page) == ["💎 Тарифы", "🗑 Удалить", "‹ Все бренды"]
    answer = await anna.tap(data_of(page, "Удалить").replace("delete", "default"), page)
    assert answer is None
    assert "до 1 бренда" in (await anna.press("Создать", card))["text"]
    assert await live.rows("SELECT id FROM ml_tasks") == []
    await anna.press("Удалить", page)
    await anna.press("Да, удалить")
    await anna.text("Бренды: 1 из 1")


async def test_a_brand_can_be_changed_part_by_part(anna: Person) -> None:
    page = await made(anna)
    await anna.press("Имя", page)
    page = await anna.answer_to("Чай", "🎨 Чай")
    await anna.press("Стиль", page)
    await anna.press("Фиолетовый минимализм")
    page = await anna.text("Стиль: Фиолетовый минимализм")
    await anna.press("Цвета", page)
    page = await anna.answer_to("#000", "Цвета: #000000")
    assert "Чай" in page["text"]


async def test_a_ready_style_leaves_a_brand_its_own_colours(anna: Person) -> None:
    page = await made(anna)
    await anna.press("Стиль", page)
    await anna.press("Фиолетовый минимализм")
    page = await anna.text("Стиль: Фиолетовый минимализм")
    assert "Цвета: #6c3ce9 #ffffff" in page["text"]


async def test_another_ready_style_brings_its_colours_for_those_of_the_first(
    anna: Person, live: Stage
) -> None:
    await anna.send("/brands")
    await anna.press("Новый бренд")
    await anna.answer_to("Аметист", "2 из 3")
    await anna.press("Фиолетовый минимализм")
    await anna.press("Оставить цвета стиля")
    await anna.press("Стиль", await anna.text("🎨 Аметист"))
    await anna.press("Эко и природа")
    page = await anna.text("Стиль: Эко и природа")
    assert "Цвета: #4f8a4b #e9efd9 #b08a5b #274029" in page["text"]


async def test_a_draft_whose_brand_was_deleted_is_shown_before_it_is_drawn(
    anna: Person, live: Stage
) -> None:
    page = await made(anna, "Зерно")
    await anna.send("баннер для сайта")
    card = await anna.button("Бренд: Зерно")
    await anna.press("Удалить", page)
    await anna.press("Да, удалить")
    answer = await anna.press("Создать", card)
    assert "Бренд этого черновика удалён" in answer["text"]
    await anna.tap(data_of(card, "Создать"), card)  # handled twice
    changed = await anna.button("Бренд: нет")
    assert changed["message_id"] == card["message_id"]
    await anna.settled()
    assert await live.rows("SELECT id FROM ml_tasks") == []
    assert (await anna.press("Создать", changed))["text"] == "Взял в работу!"
    (task,) = await live.rows("SELECT brief FROM ml_tasks")
    assert task["brief"]["brand"] is None


async def test_a_draft_of_who_has_no_brand_leads_to_the_first(anna: Person) -> None:
    await anna.send("баннер для сайта")
    card = await anna.button("Бренд: нет")
    await anna.press("Бренд: нет", card)
    await anna.press("🆕 Новый бренд", await anna.button("🆕 Новый бренд"))
    await anna.answer_to("Зерно", "2 из 3")


async def in_account(live: Stage, name: str) -> int:
    """A brand that somebody else of the account makes; its id."""
    (account,) = await live.rows("SELECT id FROM accounts")
    async with live.sessions.begin() as session:
        brand = await brands.create(
            session,
            account["id"],
            name=name,
            style_original="x",
            style_short="x",
            palette=(),
            preset=None,
        )
    return brand.id


@pytest.mark.parametrize(("part", "answer"), [("Имя", "Чай"), ("Цвета", "#000")])
async def test_changing_a_brand_that_is_gone_ends_the_dialogue(
    anna: Person, live: Stage, part: str, answer: str
) -> None:
    page = await made(anna)
    await anna.press(part, page)
    await anna.text("✏️")
    async with live.sessions.begin() as session:
        await session.execute(text("UPDATE brands SET deleted_at = now()"))
    await anna.answer_to(answer, "Этого уже нет")
    await anna.answer_to("баннер для сайта", "Черновик")


async def test_a_tap_for_a_brand_that_is_gone_says_so_and_ends_the_dialogue(
    anna: Person, live: Stage
) -> None:
    page = await made(anna)
    await anna.press("Стиль", page)
    question = await anna.text("новый стиль")
    async with live.sessions.begin() as session:
        await session.execute(text("UPDATE brands SET deleted_at = now()"))
    assert "Этого уже нет" in (await anna.press("Фиолетовый минимализм", question))["text"]
    await anna.answer_to("баннер для сайта", "Черновик")


async def test_a_name_taken_meanwhile_is_asked_for_again_and_nothing_else(
    anna: Person, live: Stage
) -> None:
    await live.plan("profi")
    await asked_for_colours(anna, "Кофе")
    await in_account(live, "КОФЕ")
    await anna.answer_to("#123456", "уже есть")
    page = await anna.answer_to("Чай", "🎨 Чай")
    assert "Цвета: #123456" in page["text"]
    assert "Стиль: тёплый, уютный" in page["text"]
    await anna.answer_to("баннер для сайта", "Черновик")


async def test_a_limit_reached_meanwhile_ends_the_dialogue(anna: Person, live: Stage) -> None:
    await asked_for_colours(anna)
    question = await anna.button("Без цветов")
    await in_account(live, "Чай")
    assert "до 1 бренда" in (await anna.press("Без цветов", question))["text"]
    await anna.answer_to("баннер для сайта", "Черновик")


async def test_a_brand_is_deleted_only_after_a_question(anna: Person, live: Stage) -> None:
    page = await made(anna)
    await anna.press("Удалить", page)
    await anna.text("Удалить бренд «Кофе & Ко»?")
    await anna.press("Оставить")
    await anna.press("Удалить", await anna.text("Стиль: тёплый"))
    await anna.press("Да, удалить")
    await anna.text("три коротких сообщения")
    (row,) = await live.rows("SELECT deleted_at FROM brands")
    assert row["deleted_at"] is not None


async def test_default_can_be_taken_back(anna: Person) -> None:
    page = await made(anna)
    await anna.press("Не подставлять", page)
    page = await anna.button("⭐ Подставлять")
    assert "Попадает" not in page["text"]
    await anna.send("баннер")
    assert "без бренда" in (await anna.button("Создать"))["text"]


async def test_an_answered_question_has_no_buttons_and_can_not_be_left(anna: Person) -> None:
    page = await made(anna)
    await anna.press("✏️ Имя", page)
    question = await anna.button("Отменить")
    await anna.answer_to("Кофе рядом", "Кофе рядом")
    await anna.tap(data_of(question, "Отменить"), question)
    said = await anna.settled()
    assert not [one for one in said if "ничего не изменилось" in one.get("text", "")]
    assert not [one for one in said if "✕ Отменить" in buttons(one)]


async def test_buttons_of_a_question_go_when_a_button_answers_it(anna: Person) -> None:
    await anna.send("/brands")
    await anna.press("Новый бренд")
    await anna.answer_to("Кофе", "2 из 3")
    await anna.press("Фиолетовый минимализм")
    await anna.press("Оставить цвета")
    await anna.text("🎨 Кофе")
    assert not [one for one in await anna.settled() if "✕ Отменить" in buttons(one)]


async def test_a_dialogue_can_be_left_in_three_ways(anna: Person, live: Stage) -> None:
    await anna.send("/brands")
    await anna.press("Новый бренд")
    await anna.answer_to("/cancel", "Остановлено")

    await anna.press("Новый бренд")
    await anna.press("Отменить")
    await anna.text("ничего не изменилось")

    await anna.press("Новый бренд")
    await anna.answer_to("🗂 История", "Вопрос выше отменён")
    await anna.answer_to("обычная идея", "Черновик")
    assert await live.rows("SELECT id FROM brands") == []


async def test_only_who_leaves_a_dialogue_in_the_middle_is_told_so(anna: Person) -> None:
    await asked_for_colours(anna)
    await anna.answer_to("/gen кот", "Вопрос выше отменён")
    await asked_for_colours(anna)
    await anna.answer_to("#123456", "Кофе & Ко")
    await anna.answer_to("/brands", "Бренды: 1")
    said = [one for one in await anna.messages() if "отменён" in one.get("text", "")]
    assert len(said) == 1


async def test_a_sticker_in_a_dialogue_is_told_what_is_awaited(anna: Person) -> None:
    await anna.send("/brands")
    await anna.press("Новый бренд")
    await anna.text("1 из 3")
    sent = await anna.upload("document", b"x", "x.bin")
    await anna.next(sent, "Жду ответа")


async def test_an_answer_that_comes_twice_is_taken_once(anna: Person, live: Stage) -> None:
    await anna.send("/brands")
    await anna.press("Новый бренд")
    name = await anna.send("Кофе")
    await anna.next(name, "2 из 3")
    await live.push({"message": await raw(anna, name)})
    await anna.settled()
    questions = [one for one in await anna.messages() if "2 из 3" in one.get("text", "")]
    assert len(questions) == 1


async def test_the_last_answer_twice_makes_neither_brand_nor_draft(
    anna: Person, live: Stage
) -> None:
    await asked_for_colours(anna)
    colours = await anna.send("#123456")
    await anna.next(colours, "Кофе & Ко")
    await live.push({"message": await raw(anna, colours)})
    await anna.settled()
    assert len(await live.rows("SELECT id FROM brands")) == 1
    assert await live.rows("SELECT id FROM ml_requests") == []


async def raw(person: Person, message_id: int) -> Message:
    messages = await person.messages()
    found = next(one for one in messages if one["message_id"] == message_id)
    return {key: value for key, value in found.items() if key != "seq"}


async def test_buttons_of_an_old_question_are_over(anna: Person, live: Stage) -> None:
    await anna.send("/brands")
    await anna.press("Новый бренд")
    await anna.answer_to("Кофе", "2 из 3")
    question = await anna.button("Фиолетовый минимализм")
    # So long after that the dialogue is forgotten.
    await live.redis.delete(*[key async for key in live.redis.scan_iter("fsm:*")])
    answer = await anna.press("Фиолетовый минимализм", question)
    assert "вопрос уже закрыт" in answer["text"]
    assert await live.rows("SELECT id FROM brands") == []


async def test_in_a_group_the_dialogue_goes_by_replies_and_is_its_openers(live: Stage) -> None:
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    await anna.text("для этой команды")
    await anna.send(f"/brands@{await anna.username()}")
    await anna.press("Новый бренд")
    question = await anna.text("1 из 3")
    assert "Ответьте на это сообщение" in question["text"]
    await anna.send("просто разговор")
    await anna.send("Кофе", reply_to_message_id=question["message_id"])
    question = await anna.text("2 из 3")
    assert (await ben.press("Фиолетовый", question))["text"] == "This menu is not yours"
    assert (await ben.press("Отменить", question))["text"] == "This menu is not yours"
    await anna.press("Фиолетовый", question)
    await anna.press("Оставить цвета")
    await anna.text("🎨 Кофе")
    (row,) = await live.rows("SELECT a.kind FROM brands b JOIN accounts a ON a.id = b.account_id")
    assert row["kind"] == "team"


async def test_a_teammates_reply_to_a_question_is_neither_an_answer_nor_an_idea(
    live: Stage,
) -> None:
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    await anna.text("для этой команды")
    await anna.send(f"/brands@{await anna.username()}")
    await anna.press("Новый бренд")
    question = await anna.text("1 из 3")
    mine = {"reply_to_message_id": question["message_id"]}
    await ben.send("осеннее меню", **mine)
    await ben.text("This question is for Анна to answer")
    await anna.send("Кофе", **mine)
    await anna.press("Отменить", await anna.text("2 из 3"))
    stopped = await anna.text("ничего не изменилось")
    assert await live.rows("SELECT id FROM ml_requests") == []
    (member,) = await live.rows(
        "SELECT role FROM members JOIN accounts a ON a.id = account_id"
        " WHERE a.kind = 'team' AND user_id = :id",
        id=BEN,
    )
    assert member["role"] == "viewer"
    await ben.send("осеннее меню", reply_to_message_id=stopped["message_id"])
    await ben.text("Draft")  # nobody is asked any more


async def test_another_accounts_brand_cannot_be_touched(live: Stage) -> None:
    anna, ben = live.person(ANNA), live.person(BEN)
    page = await made(anna)
    await ben.send("coffee")
    own = await ben.button("Create")
    for part in ("Имя", "Не подставлять", "Удалить"):
        await ben.tap(data_of(page, part), own)
    brand_id = data_of(page, "Имя").split(":")[2]
    request_id = data_of(own, "Create").split(":")[1]
    await ben.tap(f"b:sure:{brand_id}:", own)
    await ben.tap(f"d:{request_id}:set:brand:{brand_id}", own)
    await ben.settled()
    (row,) = await live.rows("SELECT name, deleted_at FROM brands")
    assert row == {"name": "Кофе & Ко", "deleted_at": None}
    assert await live.rows("SELECT id FROM ml_requests WHERE brand_id IS NOT NULL") == []
    assert "➕" not in " ".join(buttons(own))


# --- colours ---


def logo(ground: str = "#ffffff") -> bytes:
    image = Image.new("RGB", (300, 200), ground)
    pen = ImageDraw.Draw(image)
    pen.ellipse((40, 40, 160, 160), fill="#6c3ce9")
    pen.rectangle((180, 60, 280, 90), fill="#ff8800")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def near(one: str, other: str, most: int = 12) -> bool:
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return all(abs(a - b) <= most for a, b in pairs)


def test_a_logos_colours_come_before_its_ground() -> None:
    first, second, *rest = palette.dominant(logo())
    assert near(first, "#6c3ce9")
    assert near(second, "#ff8800")
    assert len(rest) <= palette.MAX_COLOURS - 2


@pytest.mark.parametrize("side", [64, 160, 400, 512])
def test_a_flat_logo_has_its_own_colours_without_blends_of_them(side: int) -> None:
    large = Image.new("RGB", (4 * side, 4 * side), "#ffffff")
    pen = ImageDraw.Draw(large)
    pen.ellipse((0.4 * side, 0.4 * side, 3.2 * side, 3.2 * side), fill="#2e7d32")
    pen.ellipse((1.2 * side, 1.2 * side, 2.4 * side, 2.4 * side), fill="#fdd835")
    buffer = io.BytesIO()
    large.resize((side, side), Image.Resampling.LANCZOS).save(buffer, "PNG")
    found = palette.dominant(buffer.getvalue())
    assert len(found) == 3
    assert all(any(near(one, own) for one in found) for own in ("#2e7d32", "#fdd835", "#ffffff"))


def test_a_grey_that_covers_much_stays_between_black_and_white() -> None:
    image = Image.new("RGB", (300, 300), "#ffffff")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 100, 300), fill="#000000")
    pen.rectangle((101, 0, 120, 300), fill="#808080")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert set(palette.dominant(buffer.getvalue())) == {"#000000", "#808080", "#ffffff"}


def test_a_plain_picture_has_its_one_colour() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (20, 20), "#ffffff").save(buffer, "PNG")
    assert palette.dominant(buffer.getvalue()) == ("#ffffff",)


def test_bytes_that_are_no_picture_are_refused() -> None:
    with pytest.raises(BadImage):
        palette.dominant(b"no picture")


@pytest.mark.parametrize(
    ("text", "colours", "bad"),
    [
        ("#6C3CE9 fff,#000;#000000", ("#6c3ce9", "#ffffff", "#000000"), ()),
        ("красный #12", ("#d62f2f",), ("#12",)),
        ("чёрный, золотой", ("#1c1c1f", "#d4a63a"), ()),
        ("Розовый и белый", ("#f29bb8", "#f7f7f5"), ()),
        ("navy #fff", ("#1c2b57", "#ffffff"), ()),
        ("dark blue; тёмно-синий", ("#1a3872",), ()),
        ("чёрный золотой", ("#1c1c1f", "#d4a63a"), ()),
        ("стол, белый", ("#f7f7f5",), ("стол",)),
        ("тёмный", (), ("тёмный",)),
        ("", (), ()),
        ("##123456", (), ("##123456",)),
    ],
)
def test_codes_are_read_as_people_write_them(
    text: str, colours: tuple[str, ...], bad: tuple[str, ...]
) -> None:
    assert parse(text) == palette.Codes(colours, bad)
