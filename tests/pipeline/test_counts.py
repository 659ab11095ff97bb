"""Numbers of pictures in a request are taken out of it; numbers of things stay in the picture."""

from __future__ import annotations

import pytest

from pipeline.brief import clean_text, detect_count, make_brief


@pytest.mark.parametrize(
    ("text", "left", "count"),
    [
        ("осеннее меню кофейни, 5 штук", "осеннее меню кофейни", 5),
        ("5 штук, осеннее меню кофейни", "осеннее меню кофейни", 5),
        ("осеннее меню кофейни — штук 5", "осеннее меню кофейни", 5),
        ("пост про розы, 5 штук", "пост про розы", 5),
        ("6 шт., новогодняя открытка", "новогодняя открытка", 6),
        ("три варианта баннера для кофейни", "баннера для кофейни", 3),
        ("Сделай 3 варианта осеннего меню", "осеннего меню", 3),
        ("латте с корицей 3 варианта", "латте с корицей", 3),
        ("латте с корицей в двух вариантах", "латте с корицей", 2),
        ("скидки на обувь (4 варианта)", "скидки на обувь", 4),
        ("вариантов пять, кот в шляпе", "кот в шляпе", 5),
        ("кот, 2-3 варианта", "кот", 3),
        ("кот. 1 вариант", "кот", 1),
        ("Привет! Нарисуй, пожалуйста, 5 картинок с котом", "с котом", 5),
        ("нарисуй одну картинку с котом", "с котом", 1),
        ("сделай 3 баннера для сайта", "баннера для сайта", 3),
        ("autumn menu, 3 variants", "autumn menu", 3),
        ("three options please, autumn menu", "autumn menu", 3),
        ("make 2 images of a cat", "a cat", 2),
    ],
)
def test_a_number_of_pictures_is_taken(text: str, left: str, count: int) -> None:
    assert (clean_text(text), detect_count(text)) == (left, count)


@pytest.mark.parametrize(
    "text",
    [
        "5 роз",
        "3 свечи на столе",
        "букет из 5 роз",
        "розы, 5 штук",
        "свечи и розы, 5 штук",
        "красные розы, 51 штука",
        "5 штук роз",
        "набор из 3 штук за 199 ₽",
        "купи 3 штуки по цене двух",
        "5 картинок на стене гостиной",
        "2 картинки в рамках на стене",
        "three pictures on a wall",
        "3 варианта начинки для пирога",
        "топ 5 вариантов ужина",
        "меню на 3 варианта",
        "4 поста охраны у ворот",
        "iPhone 15, 3 камеры",
        "вариант 2",
        "5 штук",
    ],
)
def test_a_number_of_things_stays(text: str) -> None:
    assert (clean_text(text), detect_count(text)) == (text, None)


def test_a_brief_has_as_many_as_were_asked_for_and_can_be_made() -> None:
    assert make_brief("кот, 2 варианта", seed=1).count == 2
    assert make_brief("кот, 9 вариантов", seed=1).count == 4
    assert make_brief("кот, 2 варианта", seed=1, count=3).count == 3
