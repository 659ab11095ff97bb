"""The words: complete in Russian, placeholders kept, HTML that Telegram can parse."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from bot import commands, keyboards, names, texts
from bot.texts import Html
from pipeline.brief import GOALS, PLATFORMS
from pipeline.judge.runtime import RUNTIMES
from pipeline.models import AESTHETIC_HEADS
from pipeline.types import Aspect

BOT = Path(texts.__file__).parent
KEYWORDS = {"tr": None, "plain": None, "N_": None, "n": (1, 2), "n_plain": (1, 2)}
ALLOWED_TAGS = {"b", "i", "code", "blockquote"}


def extracted() -> set[str | tuple[str, ...]]:
    found = extract_from_dir(str(BOT), [("**.py", "python")], keywords=KEYWORDS)
    return {message for _, _, message, _, _ in found}


@pytest.fixture(scope="module")
def russian() -> Catalog:
    with (BOT / "locales/ru/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale="ru")


def test_every_text_has_a_russian_translation_and_none_is_left_over(russian: Catalog) -> None:
    translated = {message.id for message in russian if message.id and all(forms(message.string))}
    assert extracted() - translated == set()
    assert translated - extracted() == set()
    assert not [message.id for message in russian if message.fuzzy]


def forms(string: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string)


def test_translations_keep_the_placeholders(russian: Catalog) -> None:
    for message in russian:
        for form in forms(message.string):
            wanted = set(re.findall(r"{\w+}", forms(message.id)[-1]))
            assert set(re.findall(r"{\w+}", form)) == wanted, message.id


class Tags(HTMLParser):
    """Fails on tags that Telegram does not know or that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert tag in ALLOWED_TAGS, tag
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_texts_are_html_that_telegram_parses(russian: Catalog) -> None:
    for message in russian:
        if not message.id:
            continue  # The file's own header.
        for text in (*forms(message.id), *forms(message.string)):
            parser = Tags()
            parser.feed(text)
            parser.close()
            assert parser.open == [], text
            assert not re.search(r"&(?!\w+;)", text), text


def test_no_russian_in_the_code_and_no_untranslated_english(russian: Catalog) -> None:
    for message in russian:
        for text in forms(message.id):
            assert not re.search("[а-яё]", text, re.IGNORECASE), text


@pytest.mark.parametrize(
    ("n", "words"), [(1, "1 вариант"), (2, "2 варианта"), (5, "5 вариантов"), (21, "21 вариант")]
)
def test_russian_plurals(n: int, words: str) -> None:
    assert texts.of("ru").n("{n} variant", "{n} variants", n) == words


def test_english_plurals() -> None:
    assert texts.of("en").n("{n} variant", "{n} variants", 1) == "1 variant"
    assert texts.of("en").n("{n} variant", "{n} variants", 2) == "2 variants"


def test_values_are_escaped_in_messages_and_left_alone_on_buttons() -> None:
    tr = texts.of("ru")
    assert tr("<b>{idea}</b>", idea="<i>&") == "<b>&lt;i&gt;&amp;</b>"
    assert tr("<b>{idea}</b>", idea=Html("<i>x</i>")) == "<b><i>x</i></b>"
    assert tr.plain("Brand: {name}", name="A & B") == "Бренд: A & B"
    assert texts.without_markup(tr("<b>{idea}</b>", idea="a < b & c")) == "a < b & c"


def test_braces_of_a_person_are_only_text() -> None:
    assert texts.of("en")("<b>{idea}</b>", idea="{name} {0} {") == "<b>{name} {0} {</b>"


def test_numbers_and_times_are_written_as_the_language_does() -> None:
    assert texts.of("ru").decimal(0.8349) == "0,83"
    assert texts.of("en").decimal(0.8349) == "0.83"
    assert texts.of("ru").seconds(0.2) == "1 с"
    assert texts.of("ru").seconds(200) == "3 мин"


def test_a_language_we_do_not_speak_is_russian() -> None:
    assert texts.of("de") is texts.of("ru")


def test_every_code_of_the_pipeline_has_a_name() -> None:
    assert set(names.PLATFORMS) == set(PLATFORMS)
    assert set(names.GOALS) == set(GOALS)
    assert set(names.ASPECTS) == set(Aspect)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("repo", AESTHETIC_HEADS)
def test_every_judge_of_ours_is_named_for_a_person(repo: str, runtime: str) -> None:
    code = f"{repo.rsplit('/', 1)[-1]} ({runtime})"
    for tr in map(texts.of, texts.LOCALES):
        assert "CLIP ViT-" in names.judge(tr, code, in_full=True)
        assert runtime not in names.judge(tr, code, in_full=True)


@pytest.mark.parametrize("locale", texts.LOCALES)
def test_descriptions_and_commands_fit_telegrams_limits(locale: str) -> None:
    tr = texts.of(locale)
    assert len(tr.plain(commands.DESCRIPTION)) <= 512
    assert len(tr.plain(commands.SHORT_DESCRIPTION)) <= 120
    for name, line in commands.COMMANDS.items():
        assert re.fullmatch(r"[a-z0-9_]{1,32}", name)
        assert 1 <= len(tr.plain(line)) <= 256


def test_each_menu_button_is_understood_in_both_languages() -> None:
    assert keyboards.menu_labels("brands") == {"🎨 Бренды", "🎨 Brands"}
