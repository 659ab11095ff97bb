"""The grammar's tables, read once from `patterns.toml`."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.enhance.lexicon.tokens import Token, starts_with
from pipeline.enhance.lexicon.vocabulary import WORD, forms_of, normal

_PATTERNS = Path(__file__).with_name("patterns.toml")


@dataclass(frozen=True, slots=True)
class PhraseTable:
    """Phrases by any form of their first word.

    A phrase is its words, each as the set of forms that matches it.
    """

    by_first: dict[str, tuple[tuple[frozenset[str], ...], ...]]

    def longest_at(self, tokens: list[Token], at: int) -> int:
        """How many tokens the longest phrase takes at this place; 0 for none."""
        if not 0 <= at < len(tokens):
            return 0
        return max(
            (
                len(phrase)
                for form in tokens[at].forms
                for phrase in self.by_first.get(form, ())
                if starts_with(tokens, at, phrase)
            ),
            default=0,
        )


@dataclass(frozen=True, slots=True)
class Preposition:
    """How a Russian preposition reads before a noun of one case."""

    case: str
    english: str
    exceptions: dict[str, str]

    def before(self, lemma: str) -> str:
        """The English word before the noun with that dictionary form."""
        return self.exceptions.get(lemma, self.english)


@dataclass(frozen=True, slots=True)
class Sense:
    """Another English word for a noun, and the company that calls for it; any one is enough.

    `counted`: a number right before; `after`: the word or preposition right before; `near`: words
    anywhere in the text; `joined_kinds`: nouns that "and" joins to it; `of` and `of_fields`: the
    genitive right after. Nouns of `unless_fields` anywhere speak against the last four.
    `number`: only its forms in this number; `lemma`: what prepositions know it by.
    """

    english: str
    kind: str
    field: str
    lemma: str
    number: str
    counted: bool
    near: frozenset[str]
    joined_kinds: frozenset[str]
    unless_fields: frozenset[str]
    after: frozenset[str]
    of: frozenset[str]
    of_fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rules:
    prepositions: dict[str, tuple[Preposition, ...]]
    compound_prepositions: dict[str, tuple[tuple[str, ...], ...]]
    governed: dict[str, str]
    requests: PhraseTable
    request_ties: frozenset[str]
    request_media: frozenset[str]
    printed: frozenset[str]
    destination_prepositions: frozenset[str]
    destinations: PhraseTable
    bare_destinations: PhraseTable
    ignored: frozenset[str]
    ignored_forms: frozenset[str]
    modals: frozenset[str]
    negator_prepositions: frozenset[str]
    negator_words: frozenset[str]
    negator_verbs: frozenset[str]
    numbers: dict[str, str]
    conjunctions: dict[str, str]
    compound_heads: frozenset[str]
    landmarks: frozenset[str]
    settings: frozenset[str]
    style_adjectives: dict[str, str]
    intransitive: frozenset[str]
    organisations: frozenset[str]
    superlatives: frozenset[str]
    prenominal: frozenset[str]
    greetings: frozenset[str]
    discounts: frozenset[str]
    discount_limits: dict[str, str]
    relatives: frozenset[str]
    readings: dict[str, str]
    dated: frozenset[str]
    pictured: frozenset[str]
    adjectives_by_field: dict[str, str]
    mixed: dict[str, str]
    slips: dict[str, str]
    with_people: dict[str, str]
    substantives: dict[str, str]
    senses: dict[str, tuple[Sense, ...]]
    streets: dict[str, str]


@functools.cache
def rules() -> Rules:
    """The rules, read and indexed on the first call."""
    table: dict[str, Any] = tomllib.loads(_PATTERNS.read_text(encoding="utf-8"))
    prepositions: dict[str, list[Preposition]] = {}
    for row in table["prepositions"]:
        russian = " ".join(map(normal, row["russian"].split()))
        prepositions.setdefault(russian, []).append(_preposition(row))
    destinations = table["destinations"]
    ambiguous = set(destinations["ambiguous"])
    return Rules(
        prepositions={russian: tuple(found) for russian, found in prepositions.items()},
        compound_prepositions=_compounds(prepositions),
        governed=table["governed"],
        requests=_phrases(table["requests"]["nouns"]),
        request_ties=frozenset(table["requests"]["ties"]),
        printed=frozenset(table["requests"]["printed"]),
        request_media=frozenset(table["requests"]["media"]),
        destination_prepositions=frozenset(destinations["prepositions"]),
        destinations=_phrases(destinations["nouns"]),
        bare_destinations=_phrases([n for n in destinations["nouns"] if n not in ambiguous]),
        ignored=frozenset(table["ignored"]["words"]),
        ignored_forms=frozenset(table["ignored"]["forms"]),
        modals=frozenset(table["ignored"]["modals"]),
        negator_prepositions=frozenset(table["negators"]["prepositions"]),
        negator_words=frozenset(table["negators"]["words"]),
        negator_verbs=frozenset(table["negators"]["verbs"]),
        numbers=table["numbers"],
        conjunctions=table["conjunctions"],
        compound_heads=frozenset(table["compounds"]["heads"]),
        landmarks=frozenset(table["landmarks"]["nouns"]),
        settings=frozenset(table["landmarks"]["settings"]),
        style_adjectives=table["style_adjectives"],
        intransitive=frozenset(table["verbs"]["intransitive"]),
        organisations=frozenset(table["organisations"]["nouns"]),
        superlatives=frozenset(table["superlatives"]["english"]),
        prenominal=frozenset(table["prenominal"]["english"]),
        greetings=frozenset(table["greetings"]["first_words"]),
        discounts=frozenset(table["discounts"].pop("nouns")),
        discount_limits=table["discounts"],
        relatives=frozenset(table["relatives"]["nouns"]),
        readings=table["readings"],
        dated=frozenset(table["dated"]["nouns"]),
        pictured=frozenset(table["pictured"]["nouns"]),
        adjectives_by_field=table["adjectives_by_field"],
        mixed=table["mixed"],
        slips=table["slips"],
        with_people=table["with_people"],
        substantives=table["substantives"],
        senses=_senses(table["senses"]),
        streets=table["streets"],
    )


def _compounds(prepositions: Iterable[str]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Prepositions of several words, by their first."""
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for words in (tuple(russian.split()) for russian in prepositions if " " in russian):
        found[words[0]] = (*found.get(words[0], ()), words)
    return found


def _preposition(row: dict[str, Any]) -> Preposition:
    exceptions = {
        noun: english for english, nouns in row.items() if isinstance(nouns, list) for noun in nouns
    }
    return Preposition(row["case"], row["english"], exceptions)


def _senses(rows: list[dict[str, Any]]) -> dict[str, tuple[Sense, ...]]:
    found: dict[str, tuple[Sense, ...]] = {}
    for row in rows:
        word = row["russian"]
        sense = Sense(
            english=row["english"],
            kind=row["kind"],
            field=row["field"],
            lemma=row.get("lemma", word),
            number=row.get("number", ""),
            counted=row.get("counted", False),
            near=frozenset(row.get("near", ())),
            joined_kinds=frozenset(row.get("joined_kinds", ())),
            unless_fields=frozenset(row.get("unless_fields", ())),
            after=frozenset(row.get("after", ())),
            of=frozenset(row.get("of", ())),
            of_fields=frozenset(row.get("of_fields", ())),
        )
        found[word] = (*found.get(word, ()), sense)
    return found


def _phrases(keys: list[str]) -> PhraseTable:
    by_first: dict[str, list[tuple[frozenset[str], ...]]] = {}
    for key in keys:
        phrase = tuple(map(forms_of, WORD.findall(key)))
        for form in phrase[0]:
            by_first.setdefault(form, []).append(phrase)
    return PhraseTable({form: tuple(found) for form, found in by_first.items()})
