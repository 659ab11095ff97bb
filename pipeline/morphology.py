"""Russian word forms: one shared, lazily loaded pymorphy3, plus loanwords its dictionary lacks.

Lemmas and forms are lower case with `ё` written as `е`, so that both spellings meet.
"""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pymorphy3 import MorphAnalyzer
    from pymorphy3.analyzer import Parse

_LOANWORDS = Path(__file__).with_name("loanwords.toml")

_CYRILLIC_WORD = re.compile(r"[\u0400-\u052f]+(?:['’-][\u0400-\u052f]+)*")

_CASES = {
    "nomn": "nomn",
    "gent": "gent",
    "gen2": "gent",
    "gen1": "gent",
    "datv": "datv",
    "accs": "accs",
    "acc2": "accs",
    "ablt": "ablt",
    "loct": "loct",
    "loc1": "loct",
    "loc2": "loct",
    "voct": "nomn",
}

# Endings by declension: (ending, case, number). Enough for nouns borrowed whole.
_PARADIGMS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "masc": (
        ("", "nomn", "sing"),
        ("", "accs", "sing"),
        ("а", "gent", "sing"),
        ("у", "datv", "sing"),
        ("ом", "ablt", "sing"),
        ("ем", "ablt", "sing"),
        ("е", "loct", "sing"),
        ("ы", "nomn", "plur"),
        ("и", "nomn", "plur"),
        ("ы", "accs", "plur"),
        ("и", "accs", "plur"),
        ("ов", "gent", "plur"),
        ("ей", "gent", "plur"),
        ("ам", "datv", "plur"),
        ("ами", "ablt", "plur"),
        ("ах", "loct", "plur"),
    ),
    "femn": (
        ("а", "nomn", "sing"),
        ("ы", "gent", "sing"),
        ("и", "gent", "sing"),
        ("е", "datv", "sing"),
        ("е", "loct", "sing"),
        ("у", "accs", "sing"),
        ("ой", "ablt", "sing"),
        ("ей", "ablt", "sing"),
        ("ы", "nomn", "plur"),
        ("и", "nomn", "plur"),
        ("", "gent", "plur"),
        ("ам", "datv", "plur"),
        ("ами", "ablt", "plur"),
        ("ах", "loct", "plur"),
    ),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a word form: its lemma and grammemes in pymorphy's own codes.

    A participle's lemma is its verb, a superlative's the plain adjective; `adjective` is their own
    dictionary form ("вязаный", "лучший").
    `case`, `number`, `gender` and `tense` are empty where the form has none. An indeclinable
    noun has one reading with an empty case: it fits any.
    """

    lemma: str
    pos: str
    case: str = ""
    number: str = ""
    gender: str = ""
    tense: str = ""
    imperative: bool = False
    passive: bool = False
    adjective: str = ""
    known: bool = True


@functools.cache
def analyzer() -> MorphAnalyzer:
    """The process's only analyzer; it is read-only and may be shared between threads."""
    import pymorphy3

    return pymorphy3.MorphAnalyzer()


@functools.lru_cache(maxsize=8192)
def readings(word: str) -> tuple[Reading, ...]:
    """All readings of one word form, the likeliest first; never empty."""
    word = word.lower().replace("ё", "е")
    loans = _loan_forms().get(word)
    if loans:
        return loans
    if not _CYRILLIC_WORD.fullmatch(word):
        # pymorphy3 fails on characters that Unicode has no name for, and knows no Latin words.
        return (Reading(word, "UNKN", known=False),)
    known = analyzer().word_is_known(word)
    found: dict[Reading, None] = {}
    for parse in analyzer().parse(word):
        tag = parse.tag
        found[
            Reading(
                lemma=parse.normal_form.replace("ё", "е"),
                pos=str(tag.POS or "UNKN"),
                case="" if "Fixd" in tag else _CASES.get(str(tag.case), ""),
                number="" if "Fixd" in tag else str(tag.number or ""),
                gender=str(tag.gender or ""),
                tense=str(tag.tense or ""),
                imperative=str(tag.mood) == "impr",
                passive=str(tag.voice) == "pssv",
                adjective=_own_form(parse) if "PRTF" in tag or "Supr" in tag else "",
                known=known,
            )
        ] = None
    return tuple(found)


def _own_form(parse: Parse) -> str:
    """The masculine nominative of a participle or superlative, by its own stem.

    "лучшая" shares its paradigm with "наихороший": the first letters tell which it is.
    """
    wanted = {"Supr" if "Supr" in parse.tag else "PRTF", "masc", "sing", "nomn"}
    for form in parse.lexeme:
        if wanted <= form.tag.grammemes and form.word[:3] == parse.word[:3]:
            return str(form.word).replace("ё", "е")
    return ""


def lemmas(word: str) -> frozenset[str]:
    """Every dictionary form a word may come from, and the word itself."""
    return frozenset(reading.lemma for reading in readings(word)) | {word.lower().replace("ё", "е")}


@functools.cache
def _loan_forms() -> dict[str, tuple[Reading, ...]]:
    """Word form -> readings, for the words of `loanwords.toml`."""
    groups: dict[str, list[str]] = tomllib.loads(_LOANWORDS.read_text(encoding="utf-8"))
    forms: dict[str, list[Reading]] = {}
    for declension, words in groups.items():
        for lemma in words:
            for reading_form, reading in _decline(lemma, declension):
                forms.setdefault(reading_form, []).append(reading)
    return {form: tuple(found) for form, found in forms.items()}


def _decline(lemma: str, declension: str) -> list[tuple[str, Reading]]:
    if declension == "fixed":
        return [(lemma, Reading(lemma, "NOUN"))]
    stem = lemma[:-1] if declension == "femn" else lemma
    return [
        (stem + ending, Reading(lemma, "NOUN", case, number, declension))
        for ending, case, number in _PARADIGMS[declension]
    ]
