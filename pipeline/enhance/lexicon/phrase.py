"""A noun phrase on its way to English: number, modifiers, article."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.enhance.lexicon import english
from pipeline.enhance.lexicon.items import Form
from pipeline.enhance.lexicon.rules import rules
from pipeline.enhance.lexicon.vocabulary import Entry

SUBJECT = ("nomn", "accs", "gent")
OBJECT = ("accs", "gent", "nomn")
OWNED = ("gent", "nomn", "accs")

COUNTED = frozenset({"nouns", "people", "collectives", "singulars"})
"""Tables whose nouns take articles and plurals."""

_SINGULAR_QUANTITIES = frozenset({"one", "every", "any", "1"})


@dataclass(slots=True)
class NounPhrase:
    """A noun with what belongs to it. `forms` are the cases and numbers it may stand in."""

    entry: Entry
    forms: tuple[Form, ...]
    modifiers: list[str] = field(default_factory=list)
    quantity: str = ""
    tail: list[str] = field(default_factory=list)
    complete: str = ""
    named: bool = False
    possessor: str = ""

    def may_be(self, case: str) -> bool:
        return any(form.case in ("", case) for form in self.forms)

    def is_only(self, *cases: str) -> bool:
        """Whether it stands in one of these cases and can't stand in any other."""
        return all(form.case in cases for form in self.forms)

    def text(self, cases: Iterable[str], articles: bool = True, definite: bool = False) -> str:
        """The English phrase, its number taken from the first of `cases` that it may stand in."""
        if self.complete:
            return " ".join([self.complete, *self.tail])
        plural = self._is_plural(tuple(cases))
        core = _without_echo(" ".join([*self.modifiers, self._head(plural)]).split())
        if self.possessor:
            core = f"{self.possessor} {core}"
        elif self.quantity:
            core = f"{self.quantity} {core}".strip()
        elif articles:
            core = self._with_article(core, plural, definite)
        return " ".join([core, *self.tail])

    def attribute(self) -> str:
        """As the first part of a compound: singular, without article ("fresh flower")."""
        return " ".join([*self.modifiers, self.complete or self.entry.english])

    def _is_plural(self, cases: tuple[str, ...]) -> bool:
        if self.entry.kind == "singulars" and not self.quantity:
            return False
        if self.quantity:
            return self.quantity not in _SINGULAR_QUANTITIES
        for case in cases:
            for form in self.forms:
                if form.case == case:
                    return form.number == "plur"
        return bool(self.forms) and self.forms[0].number == "plur"

    def _head(self, plural: bool) -> str:
        kind = self.entry.kind
        return (
            english.plural(self.entry.english)
            if kind == "collectives" or (plural and (kind in COUNTED or kind == "dayparts"))
            else self.entry.english
        )

    @property
    def _is_named_place(self) -> bool:
        """ "the coffee shop Uyut"."""
        return self.named and self.entry.field == "places" and self.entry.kind == "nouns"

    def _with_article(self, core: str, plural: bool, definite: bool) -> str:
        kind = self.entry.kind
        if kind in ("names", "plurals", "styles") and not definite:
            return core
        superlative = any(
            word in rules().superlatives or word.startswith("most ") for word in self.modifiers
        )
        if kind == "definite" or superlative or definite or self._is_named_place:
            return f"the {core}"
        if (
            plural
            or kind == "collectives"
            or not (kind in COUNTED or (kind == "dayparts" and self.modifiers))
        ):
            return core
        return english.with_article(core)


def _without_echo(words: list[str]) -> str:
    """ "an Easter Easter cake" says it once."""
    return " ".join(
        word for at, word in enumerate(words) if at == 0 or word.lower() != words[at - 1].lower()
    )
