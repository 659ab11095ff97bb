"""The lexicon's word lists, read once from the TOML files beside this module.

In each file a table's name says what its words are:

    nouns      countable: "a cup", "two cups"
    people     countable, persons
    collectives  singular in Russian for many: "клубника" is "strawberries"
    mass       uncountable: no article, no plural
    materials  uncountable, what things are made of
    plurals    always plural, or used without an article: "jeans"
    names      proper names: no article but their own
    definite   the only one of its kind: "the sea"
    seasons, dayparts   times: "in autumn", "in the morning"
    styles     directions in art and design: "in minimalist style"
    singulars  plural in Russian, singular in English: "часы" is "a watch"
    adjectives, adverbs, verbs
    invariables  adjectives that never change: "онлайн"
    shots      how a picture is taken: set off by commas
    exact      word forms and phrases translated as they stand

Keys are dictionary forms, "е" or "ё", several divided by ", "; verbs are in their English base
form. A key of several words is found in any inflection of its words.
"""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pipeline.morphology import analyzer, lemmas, readings

NOUN_KINDS = frozenset({
    "nouns", "people", "collectives", "mass", "materials", "plurals", "names", "definite",
    "seasons", "dayparts", "styles", "singulars",
})  # fmt: skip
_PARTS_OF_SPEECH: dict[str, frozenset[str]] = {
    "adjectives": frozenset({"ADJF", "ADJS", "PRTF", "PRTS", "COMP"}),
    "verbs": frozenset({"VERB", "INFN", "PRTF", "PRTS", "GRND"}),
    "adverbs": frozenset({"ADVB", "PRED", "COMP", "ADJS"}),
    "invariables": frozenset(),
    "shots": frozenset({"NOUN", "ADVB"}),
}
_FOLDER = Path(__file__).parent
_RULES = "patterns.toml"

WORD = re.compile(r"\d+(?:[.,:/+-]\d+)*%?(?![^\W_])|[^\W_]+(?:[-'’/][^\W_]+)*|%|\S")
"""Numbers, words (hyphens inside), and single marks."""

_CONTRACTED = {"во": "в", "со": "с", "ко": "к", "об": "о", "обо": "о", "изо": "из", "ото": "от"}
_CONTRACTED |= {"подо": "под", "передо": "перед"}


def normal(word: str) -> str:
    """A word form as the tables know it: lower case, "ё" as "е", "во" as "в"."""
    word = word.lower().replace("ё", "е")
    return _CONTRACTED.get(word, word)


def forms_of(word: str) -> frozenset[str]:
    """The dictionary forms a word of a text may come from, with the word itself."""
    word = normal(word)
    return lemmas(word) if word.isalpha() or "-" in word else frozenset({word})


@dataclass(frozen=True, slots=True)
class Entry:
    """One translation: the table it stands in, its file, the Russian key and the English words."""

    kind: str
    field: str
    russian: str
    english: str

    @property
    def is_noun(self) -> bool:
        return self.kind in NOUN_KINDS


@dataclass(frozen=True, slots=True)
class PhraseEntry:
    """An entry of several words: each word as the set of forms that matches it.

    `head` is the place of the noun that carries case and number.
    """

    words: tuple[frozenset[str], ...]
    entry: Entry
    head: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words by dictionary form, phrases by the forms of their first word (longest first)."""

    words: dict[str, tuple[Entry, ...]]
    phrases: dict[str, tuple[PhraseEntry, ...]]
    exact: dict[str, tuple[tuple[tuple[str, ...], str], ...]]
    countable: frozenset[str]

    def find(self, lemma: str, pos: str, number: str = "") -> Entry | None:
        """The first entry under that form which fits the part of speech.

        A word listed in the plural ("огни", lights; "часы", a watch) is not meant by its singular
        ("огонь", fire; "час", an hour).
        """
        for entry in self.words.get(lemma, ()):
            plural = entry.kind in ("plurals", "singulars")
            if plural and number == "sing" and entry.russian != lemma:
                continue
            if pos in _PARTS_OF_SPEECH.get(entry.kind, frozenset({"NOUN"})):
                return entry
        return None


def _tables() -> list[tuple[str, str, str, str]]:
    """All (file, table, key, english), files in the order of their names."""
    rows: list[tuple[str, str, str, str]] = []
    for path in sorted(_FOLDER.glob("*.toml")):
        if path.name == _RULES:
            continue
        for table, words in tomllib.loads(path.read_text(encoding="utf-8")).items():
            for keys, english in words.items():
                rows += [(path.stem, table, key, english) for key in keys.split(", ")]
    return rows


@functools.cache
def vocabulary() -> Vocabulary:
    """The vocabulary, read and indexed on the first call."""
    words: dict[str, list[Entry]] = {}
    phrases: dict[str, list[PhraseEntry]] = {}
    exact: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    countable: set[str] = set()
    for field, kind, key, english in _tables():
        tokens = tuple(normal(token) for token in WORD.findall(key))
        entry = Entry(kind, field, " ".join(tokens), english)
        if kind == "exact":
            exact.setdefault(tokens[0], []).append((tokens, english))
        elif len(tokens) > 1:
            phrase = PhraseEntry(tuple(map(forms_of, tokens)), entry, _head(tokens))
            for first in phrase.words[0]:
                phrases.setdefault(first, []).append(phrase)
        else:
            for form in _index_forms(tokens[0], kind):
                words.setdefault(form, []).append(entry)
        if kind in ("nouns", "people"):
            countable.add(english.lower())
    return Vocabulary(
        words={form: tuple(found) for form, found in words.items()},
        phrases={
            form: tuple(sorted(found, key=lambda phrase: -len(phrase.words)))
            for form, found in phrases.items()
        },
        exact={
            form: tuple(sorted(found, key=lambda phrase: -len(phrase[0])))
            for form, found in exact.items()
        },
        countable=frozenset(countable),
    )


def _index_forms(word: str, kind: str) -> list[str]:
    """The key itself, and what pymorphy takes its dictionary form for ("кеды" is under "кед").

    A word of the dictionary that does not look like a plural is its own form: asking pymorphy
    about thousands of them would take a second.
    """
    if not word.endswith(("ы", "и")) and analyzer().word_is_known(word):
        return [word]
    fitting = _PARTS_OF_SPEECH.get(kind, frozenset({"NOUN"}))
    found = [reading.lemma for reading in readings(word) if reading.pos in fitting]
    return list(dict.fromkeys([word, *found]))


def _head(tokens: tuple[str, ...]) -> int:
    """Where the noun stands that a phrase is declined by: the first one in the nominative."""
    for at, token in enumerate(tokens):
        if any(r.pos == "NOUN" and r.case in ("nomn", "") for r in readings(token)[:3]):
            return at
    return 0
