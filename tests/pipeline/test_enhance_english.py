"""English word forms and transliteration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enhance.lexicon import english
from pipeline.enhance.lexicon.transliterate import to_ascii


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("cup", "cups"),
        ("berry", "berries"),
        ("day", "days"),
        ("box", "boxes"),
        ("brush", "brushes"),
        ("young woman", "young women"),
        ("jar of cream", "jars of cream"),
        ("lily of the valley", "lilies of the valley"),
        ("child", "children"),
        ("leaf", "leaves"),
        ("tomato", "tomatoes"),
    ],
)
def test_plurals(one: str, many: str) -> None:
    assert english.plural(one) == many


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("apple", "an apple"),
        ("cup", "a cup"),
        ("unicorn", "a unicorn"),
        ("unusual cup", "an unusual cup"),
        ("European city", "a European city"),
        ("hour", "an hour"),
        ("one-way street", "a one-way street"),
        ("SMM post", "an SMM post"),
        ("80% discount", "an 80% discount"),
        ("11 am", "an 11 am"),
        ("20% discount", "a 20% discount"),
    ],
)
def test_articles_follow_the_sound(phrase: str, expected: str) -> None:
    assert english.with_article(phrase) == expected


@pytest.mark.parametrize(
    ("verb", "ing", "done"),
    [
        ("drink", "drinking", "drunk"),
        ("decorate", "decorating", "decorated"),
        ("lie", "lying", "lain"),
        ("sit", "sitting", "seated"),
        ("wrap", "wrapping", "wrapped"),
        ("carry", "carrying", "carried"),
        ("lay out", "laying out", "laid out"),
        ("see", "seeing", "seen"),
        ("hit", "hitting", "hit"),
    ],
)
def test_verbs(verb: str, ing: str, done: str) -> None:
    assert english.gerund(verb) == ing
    assert english.participle(verb) == done


@pytest.mark.parametrize(
    ("adjective", "more"),
    [
        ("bright", "brighter"),
        ("cozy", "cozier"),
        ("good", "better"),
        ("beautiful", "more beautiful"),
    ],
)
def test_comparatives(adjective: str, more: str) -> None:
    assert english.comparative(adjective) == more


@pytest.mark.parametrize(
    ("source", "latin"),
    [
        ("Щёлково", "Shchyolkovo"),
        ("объём", "obyom"),
        ("хурма", "khurma"),
        ("Київ", "Kiyiv"),
        ("Қазақстан", "Qazaqstan"),
        ("café crème", "cafe creme"),
        ("«Уют» — №5", '"Uyut" - No. 5'),
        ("日本", ""),
    ],
)
def test_transliteration(source: str, latin: str) -> None:
    assert to_ascii(source) == latin


@given(st.text())
def test_transliteration_always_gives_ascii(text: str) -> None:
    assert to_ascii(text).isascii()
