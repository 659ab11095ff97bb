"""Words that tell where a picture goes and what it is for, matched by dictionary form."""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from pipeline.morphology import lemmas

Words = list[frozenset[str]]
"""A text's words, each as the set of dictionary forms it may come from."""

_TABLES = Path(__file__).with_name("triggers.toml")
_WORD = re.compile(r"[^\W_]+|%|\+(?=\s*\d)")
_LONGEST_TEXT_CHARS = 4000


def words(text: str) -> Words:
    """The text as words; what stands past 4000 characters is not looked at."""
    text = unicodedata.normalize("NFC", text[:_LONGEST_TEXT_CHARS]).replace("\u0301", "")
    return [lemmas(word) for word in _WORD.findall(text)]


@dataclass(frozen=True, slots=True)
class Trigger:
    """A run of dictionary forms that points at a code; a lower tier wins over a higher one."""

    lemmas: tuple[str, ...]
    code: str
    tier: int


@dataclass(frozen=True, slots=True)
class Triggers:
    """One table of `triggers.toml`, by the first form of each phrase."""

    by_first: dict[str, tuple[Trigger, ...]]

    def find(self, text: Words) -> str | None:
        """The best trigger's code: lowest tier, then longest, then earliest."""
        found = [
            (trigger.tier, -len(trigger.lemmas), at, trigger.code)
            for at, word in enumerate(text)
            for first in word
            for trigger in self.by_first.get(first, ())
            if matches(trigger.lemmas, text, at) and not _negated(text, at)
        ]
        return min(found)[3] if found else None


def matches(phrase: tuple[str, ...], text: Words, at: int) -> bool:
    """Whether the phrase's dictionary forms stand in the text from `at` on."""
    ahead = text[at : at + len(phrase)]
    return len(ahead) == len(phrase) and all(
        lemma in word for lemma, word in zip(phrase, ahead, strict=True)
    )


def _negated(text: Words, at: int) -> bool:
    """Tells that a word is named as what it is not: "не в инстаграм", "без скидок"."""
    before = text[max(0, at - 2) : at]
    return any("не" in word for word in before) or bool(before and "без" in before[-1])


@dataclass(frozen=True, slots=True)
class Vocabulary:
    platforms: Triggers
    goals: Triggers


@functools.cache
def vocabulary() -> Vocabulary:
    """The tables, read once."""
    tables = tomllib.loads(_TABLES.read_text(encoding="utf-8"))
    return Vocabulary(_index(tables["platforms"]), _index(tables["goals"]))


def _index(tiers: list[dict[str, list[str]]]) -> Triggers:
    by_first: dict[str, list[Trigger]] = {}
    for tier, codes in enumerate(tiers):
        for code, phrases in codes.items():
            for phrase in phrases:
                forms = tuple(_WORD.findall(phrase))
                by_first.setdefault(forms[0], []).append(Trigger(forms, code, tier))
    return Triggers({first: tuple(found) for first, found in by_first.items()})
