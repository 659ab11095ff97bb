"""Words to be written on a picture are told from what is drawn."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.brief import make_brief
from pipeline.enhance.mock import MockEnhancer
from pipeline.lettering import split


@pytest.mark.parametrize(
    ("text", "subject", "words"),
    [
        ("булочки на столе, надпись «Свежий хлеб»", "булочки на столе", ("Свежий хлеб",)),
        ("баннер с надписью «Скидки» для пекарни", "баннер для пекарни", ("Скидки",)),
        ("надпись «Скидки», баннер для пекарни", "баннер для пекарни", ("Скидки",)),
        ('кофе, крупная белая надпись "Осень", без людей', "кофе, без людей", ("Осень",)),
        ("кофе. Надпись «Осень». Без людей", "кофе. Без людей", ("Осень",)),
        ("булочки (надпись «Хлеб»)", "булочки", ("Хлеб",)),
        ("чай, слова «Тепло» и «Дом»", "чай", ("Тепло", "Дом")),
        ("чай, надпись: Доброе утро, зима", "чай, зима", ("Доброе утро",)),
        ("чай с надписью Доброе утро", "чай", ("Доброе утро",)),
        ('a banner with the text "Fresh bread", buns', "a banner, buns", ("Fresh bread",)),
        ("баннер с надписью «Скидки»", "баннер: Скидки", ("Скидки",)),
        ("надпись «Скидки»", "Скидки", ("Скидки",)),
        (
            "постер «СКИДКИ до 50%» для магазина обуви, сторис",
            "постер для магазина обуви, сторис",
            ("СКИДКИ до 50%",),
        ),
        ("вывеска: «Открыто», кирпичная стена", "вывеска, кирпичная стена", ("Открыто",)),
        ("афиша «Джаз»", "афиша: Джаз", ("Джаз",)),
        ('a sign "Open" on a brick wall', "a sign on a brick wall", ("Open",)),
        ("баннер кофейни «Зерно»", "баннер кофейни «Зерно»", ()),
        ("кофе без надписей", "кофе без надписей", ()),
        ("надпись на стене, граффити", "надпись на стене, граффити", ()),
        ("текст про осень", "текст про осень", ()),
        ("кофейня «Тыква», осень", "кофейня «Тыква», осень", ()),
        ("чай, надпись «»", "чай, надпись «»", ()),
    ],
)
def test_what_is_written_is_told_from_what_is_drawn(
    text: str, subject: str, words: tuple[str, ...]
) -> None:
    assert split(text) == (subject, words)


@given(st.text(max_size=300).filter(str.strip))
def test_something_is_left_to_draw_of_any_text(text: str) -> None:
    assert split(text).subject.strip()


def test_a_long_text_is_read_in_a_moment() -> None:
    begun = time.perf_counter()
    for text in ("красивая " * 200, "с " * 900, '"' * 2000, "надпись: " * 200):
        split(text)
    assert time.perf_counter() - begun < 5


async def test_lettering_reaches_no_generator_and_stays_in_the_idea() -> None:
    brief = make_brief("булочки, надпись «Свежий хлеб»", seed=1)
    assert brief.cleaned_prompt == "булочки, надпись «Свежий хлеб»"
    assert (await MockEnhancer().enhance(brief)).render == "булочки"
