"""Which nouns and adjectives can stand together, and in which forms."""

from __future__ import annotations

from pipeline.enhance.lexicon import english
from pipeline.enhance.lexicon.items import Form, Item
from pipeline.enhance.lexicon.vocabulary import Entry

OPEN_FIELDS = frozenset({"latin", "unknown"})
"""Words of no dictionary: their cases are not known."""


def candidates(head: Item) -> list[tuple[Entry, tuple[Form, ...]]]:
    """The nouns a word may be, the likeliest first."""
    found: dict[str, tuple[Entry, tuple[Form, ...]]] = {}
    if head.noun is not None:
        found[head.noun.russian] = (head.noun, head.noun_forms)
    for noun, form in head.other_nouns:
        _, forms = found.get(noun.russian, (noun, ()))
        found[noun.russian] = (noun, (*forms, form))
    return list(found.values())


def agreeing(
    noun: Entry, noun_forms: tuple[Form, ...], adjectives: list[tuple[Form, ...]], loose: bool
) -> tuple[Form, ...]:
    """The forms left after agreement; numerals and words of no dictionary agree with all."""
    if loose or noun.field in OPEN_FIELDS:
        return noun_forms
    return agreeing_forms(noun_forms, adjectives)


def agreeing_forms(nouns: tuple[Form, ...], adjectives: list[tuple[Form, ...]]) -> tuple[Form, ...]:
    """The noun's forms that every adjective may stand in; open ones take the adjective's."""
    found = nouns
    for forms in adjectives:
        found = tuple(
            Form(noun.case or form.case, noun.number or form.number, noun.gender)
            for noun in found
            for form in forms
            if form.agrees(noun)
        )
    return tuple(dict.fromkeys(found))


def modifier(item: Item) -> str:
    """The word as it stands before a noun: "red", "decorated", "running"."""
    if item.adjective:
        return item.adjective
    return english.participle(item.verb) if item.passive else english.gerund(item.verb)
