"""Words whose English depends on their company: an onion among food, an outfit beside a coat."""

from __future__ import annotations

from dataclasses import replace

from pipeline.enhance.lexicon.items import Form, Item, Kind, Verb
from pipeline.enhance.lexicon.rules import Sense, rules
from pipeline.enhance.lexicon.vocabulary import Entry


def by_company(items: list[Item], lemmas: frozenset[str]) -> list[Item]:
    """The items, each noun of `[[senses]]` in the sense that its neighbours give it.

    `lemmas` are the dictionary forms of the whole text, the word's own among them.
    """
    items = [_with_object(items, at) for at in range(len(items))]
    if lemmas.isdisjoint(rules().senses):
        return items
    return [_in_company(items, at, lemmas) for at in range(len(items))]


def _with_object(items: list[Item], at: int) -> Item:
    """ "готовит школьника" is no cooking."""
    item = items[at]
    english = rules().with_people.get(item.verb)
    if english is None or item.verb_form is Verb.IMPERATIVE:
        return item
    ahead = (i for i in items[at + 1 : at + 4] if not (i.adjective_forms and i.noun is None))
    following = next(ahead, None)
    if following is None or following.noun is None or following.noun.kind != "people":
        return item
    is_object = any(form.case == "accs" for form in following.noun_forms)
    return replace(item, verb=english) if is_object and not _is_subject(following) else item


def _is_subject(item: Item) -> bool:
    return any(form.case == "nomn" for form in item.noun_forms)


def _in_company(items: list[Item], at: int, lemmas: frozenset[str]) -> Item:
    noun = items[at].noun
    for sense in rules().senses.get(noun.russian, ()) if noun is not None else ():
        forms = _forms(items[at], sense)
        if forms and _fits(sense, items, at, lemmas):
            entry = Entry(sense.kind, sense.field, sense.lemma, sense.english)
            return replace(items[at], noun=entry, noun_forms=forms)
    return items[at]


def _forms(item: Item, sense: Sense) -> tuple[Form, ...]:
    return tuple(form for form in item.noun_forms if sense.number in ("", form.number))


def _fits(sense: Sense, items: list[Item], at: int, lemmas: frozenset[str]) -> bool:
    before = items[at - 1] if at else None
    if before is not None and before.kind is Kind.NUMBER and sense.counted:
        return True
    if before is not None and before.key in sense.after:
        return True
    others = (item.noun for place, item in enumerate(items) if place != at)
    if any(noun is not None and noun.field in sense.unless_fields for noun in others):
        return False
    if not lemmas.isdisjoint(sense.near) or _joined_kinds(items, at) & sense.joined_kinds:
        return True
    owner = _owner(items, at)
    return owner is not None and (owner.field in sense.of_fields or owner.russian in sense.of)


def _joined_kinds(items: list[Item], at: int) -> set[str]:
    """The kinds of the nouns that "and" or a comma joins to this one."""
    last = next((i.noun for i in reversed(items[: max(at - 1, 0)][-1:])), None)
    ahead = (i.noun for i in items[at + 2 :] if not (i.adjective_forms and i.noun is None))
    beside = [
        noun
        for joint, noun in ((items[at - 1 : at], last), (items[at + 1 : at + 2], next(ahead, None)))
        if joint and (joint[0].kind is Kind.COMMA or joint[0].english in ("and", "or"))
    ]
    return {noun.kind for noun in beside if noun is not None}


def _owner(items: list[Item], at: int) -> Entry | None:
    """The noun in the genitive right after, past its adjectives: "ремонт стиральных машин"."""
    for item in items[at + 1 :]:
        if item.noun is not None:
            owned = any(form.case in ("", "gent") for form in item.noun_forms)
            return item.noun if owned else None
        if not item.adjective_forms:
            return None
    return None
