"""What an idea is about, as a Russian noun phrase that a sentence can be built around."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.morphology import analyzer

if TYPE_CHECKING:
    from pymorphy3.analyzer import Parse

_CLAUSE = re.compile(r"[,.;:!?()\n]| [-–—] ")
_WORD = re.compile(r"[а-яё]+(?:-[а-яё]+)*", re.IGNORECASE)
_REQUESTS = frozenset(
    """пост сторис рилс баннер обложка афиша карточка плакат картинка иллюстрация открытка превью
    листовка реклама анонс промо фото фотография визуал креатив изображение""".split()  # noqa: SIM905
)
"""What a picture is asked for as, not what it is of."""
_ABOUT = frozenset({"про", "о", "об", "обо", "с", "со", "для", "на"})
_CASES = ("nomn", "accs", "gent", "loct", "ablt", "datv")
_MOST_WORDS = 8
_MOST_ADJECTIVES = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """The phrase as a sentence's subject and as its object, in lower case where it may be."""

    nominative: str
    accusative: str
    is_plural: bool


def find(idea: str) -> Subject | None:
    """The noun phrase the idea begins with; None where it is no noun phrase of a few words."""
    asked = _CLAUSE.split(idea.strip(), maxsplit=1)[0].split()
    words = _without_request(asked)
    # "Булочки" are several; only after "баннер для" are they the genitive of one.
    cases = ("nomn", "accs") if words == asked else _CASES
    if not 1 <= len(words) <= _MOST_WORDS or _has_verb(words):
        return None
    # From behind: "рыжий кот" is about a cat, though "рыжий" can be a noun as well.
    for place in reversed(range(min(_MOST_ADJECTIVES + 1, len(words)))):
        found = _around(words[:place], words[place], words[place + 1 :], cases)
        if found is not None:
            return found
    return None


def _around(
    before: list[str], word: str, after: list[str], cases: tuple[str, ...]
) -> Subject | None:
    """The phrase whose noun is `word`, with nothing but adjectives before it."""
    # What the dictionary lacks is guessed at, and "латте" would become a form of "латта".
    if not _WORD.fullmatch(word) or not all(map(analyzer().word_is_known, word.split("-"))):
        return None
    readings = [parse for parse in analyzer().parse(word) if parse.tag.case in cases]
    for noun in sorted(readings, key=lambda parse: cases.index(parse.tag.case)):
        is_name = {"Name"} in noun.tag and not word[:1].isupper()
        if "NOUN" in noun.tag and not is_name:
            found = _declined(before, noun, word, after)
            if found is not None:
                return found
    return None


def _without_request(words: list[str]) -> list[str]:
    """“баннер про осеннее меню” is about “осеннее меню”."""
    place = 0
    while place < len(words) and _lemma(words[place]) in _REQUESTS:
        place += 1
    if place and place < len(words) and words[place].lower() in _ABOUT:
        place += 1
    return words[place:]


def _lemma(word: str) -> str:
    return str(analyzer().parse(word)[0].normal_form)


def _has_verb(words: list[str]) -> bool:
    return any({"VERB"} in analyzer().parse(word)[0].tag for word in words)


def _declined(before: list[str], noun: Parse, word: str, after: list[str]) -> Subject | None:
    """The phrase with its adjectives and noun in two cases; None where they do not agree."""
    adjectives = [_agreeing(adjective, noun) for adjective in before]
    forms = []
    for case in ("nomn", "accs"):
        declined = []
        for adjective, own in zip(adjectives, before, strict=True):
            form = adjective and _inflected(adjective, noun, case)
            if not form:
                return None
            declined.append(_like(own, form))
        head = noun.inflect({case, noun.tag.number})
        if head is None:
            return None
        forms.append(" ".join([*declined, _like(word, head.word), *after]))
    return Subject(forms[0], forms[1], noun.tag.number == "plur")


def _agreeing(word: str, noun: Parse) -> Parse | None:
    for parse in analyzer().parse(word):
        same = parse.tag.case == noun.tag.case and parse.tag.number == noun.tag.number
        fits = noun.tag.number == "plur" or parse.tag.gender == noun.tag.gender
        if same and fits and ("ADJF" in parse.tag or "PRTF" in parse.tag):
            return parse
    return None


def _inflected(adjective: Parse, noun: Parse, case: str) -> str | None:
    wanted = {case, noun.tag.number}
    if noun.tag.number == "sing":
        wanted.add(noun.tag.gender)
    if case == "accs" and (noun.tag.number == "plur" or noun.tag.gender == "masc"):
        wanted.add(noun.tag.animacy)
    form = adjective.inflect(wanted)
    return None if form is None else str(form.word)


def _like(own: str, form: str) -> str:
    """A form as the person wrote the word: ё where they had it, capitals where they had them."""
    if "ё" not in own and form.replace("ё", "е") == own.lower():
        form = form.replace("ё", "е")
    return form.capitalize() if own[:1].isupper() and own[1:].islower() else form
