"""Which English preposition a Russian one is, by case, noun and what stands before."""

from __future__ import annotations

from pipeline.enhance.lexicon.agreement import OPEN_FIELDS
from pipeline.enhance.lexicon.items import Item
from pipeline.enhance.lexicon.phrase import NounPhrase
from pipeline.enhance.lexicon.rules import Preposition, rules
from pipeline.enhance.lexicon.vocabulary import vocabulary

_NEARNESS = frozenset({"у", "возле", "около", "рядом с", "перед", "к", "напротив", "над", "вдоль"})
_SETTINGS = frozenset({"в", "на", "по", "из"})
_SOURCES = frozenset({"places", "people", "time", "business"})
"""Word lists whose nouns one comes from; of the others things are made."""


def rule_for(preposition: str, phrase: NounPhrase) -> Preposition:
    """The first reading of the preposition whose case the noun can stand in."""
    options = rules().prepositions[preposition]
    return next((option for option in options if phrase.may_be(option.case)), options[0])


def english_for(
    rule: Preposition, preposition: str, before: Item | None, phrase: NounPhrase
) -> str:
    """The English word between `before` and the phrase."""
    noun = phrase.entry.russian
    if governed := _governed(before, preposition):
        return governed
    if preposition == "на" and phrase.complete.endswith("%"):
        return "by"
    if preposition == "из" and _is_made_of(rule, phrase):
        return "made of"
    word = rule.before(noun)
    if preposition == "в" and word == "to":
        return _direction(before, phrase)
    return word


def _governed(before: Item | None, preposition: str) -> str:
    if before is None:
        return ""
    noun = before.noun.russian if before.noun is not None else before.key
    return rules().governed.get(f"{noun} {preposition}", "")


def _is_made_of(rule: Preposition, phrase: NounPhrase) -> bool:
    if phrase.entry.kind == "materials":
        return True
    is_source = phrase.entry.field in _SOURCES | OPEN_FIELDS
    return not is_source and phrase.entry.russian not in rule.exceptions


def _direction(before: Item | None, phrase: NounPhrase) -> str:
    """What "в" says of a goal: into a cup, for the living room, at a cafe, to Paris."""
    if phrase.entry.field in ("drinks", "goods"):
        return "into"
    place_noun = phrase.entry.field == "places" and phrase.entry.kind == "nouns"
    if not place_noun or before is None or before.verb:
        return "to"
    return "for" if phrase.entry.russian in rules().settings else "at"


def adverb_of(preposition: str) -> str:
    """What the word says without a noun ("вокруг" is "around"); empty for mere prepositions."""
    entries = vocabulary().words.get(preposition, ())
    return next((entry.english for entry in entries if entry.kind == "adverbs"), "")


def is_landmark(preposition: str, phrase: NounPhrase) -> bool:
    """ "by the window", "in the kitchen", but "in a bright kitchen"."""
    noun = phrase.entry.russian
    near = preposition in _NEARNESS and noun in rules().landmarks
    inside = preposition in _SETTINGS and noun in rules().settings
    plain = not (phrase.modifiers or phrase.quantity or phrase.complete)
    return (near or inside) and plain
