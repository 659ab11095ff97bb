"""Tokens with their meaning: which words of the vocabulary they are, in which cases."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from pipeline.enhance.lexicon.vocabulary import Entry
from pipeline.morphology import Reading


class Kind(Enum):
    """What part an item can play in a sentence."""

    WORD = auto()
    NAME = auto()
    NUMBER = auto()
    PREPOSITION = auto()
    CONJUNCTION = auto()
    NEGATOR = auto()
    WHICH = auto()
    ADVERB = auto()
    SET_PHRASE = auto()
    SHOT = auto()
    DISCOUNT = auto()
    COMMA = auto()
    STOP = auto()


class Verb(Enum):
    """The forms of a verb that read differently in English."""

    FINITE = auto()
    INFINITIVE = auto()
    IMPERATIVE = auto()
    GERUND = auto()
    PARTICIPLE = auto()


@dataclass(frozen=True, slots=True)
class Form:
    """Case, number and gender; an empty string fits any."""

    case: str = ""
    number: str = ""
    gender: str = ""

    def agrees(self, other: Form) -> bool:
        """Whether an adjective and a noun of these forms may stand together."""
        return (
            _fits(self.case, other.case)
            and _fits(self.number, other.number)
            and ("plur" in (self.number, other.number) or _fits(self.gender, other.gender))
        )


def _fits(one: str, other: str) -> bool:
    return not one or not other or one == other


ANY = (Form(),)


@dataclass(frozen=True, slots=True)
class Item:
    """One unit of the sentence; a word may be a noun, an adjective and a verb at once.

    `english` is the reading of everything that is no noun, adjective or verb. `key` is the
    Russian dictionary form or surface. `other_nouns` are less likely nouns of the same spelling
    ("банке": "банк", "банка").
    """

    kind: Kind
    key: str
    english: str = ""
    noun: Entry | None = None
    noun_forms: tuple[Form, ...] = ()
    other_nouns: tuple[tuple[Entry, Form], ...] = ()
    adjective: str = ""
    adjective_forms: tuple[Form, ...] = ()
    verb: str = ""
    verb_form: Verb = Verb.FINITE
    passive: bool = False

    @property
    def is_participle(self) -> bool:
        return bool(self.verb) and self.verb_form is Verb.PARTICIPLE


def form_of(reading: Reading) -> Form:
    return Form(reading.case, reading.number, reading.gender)
