"""What one Russian word means: a vocabulary look-up by every reading of its form."""

from __future__ import annotations

import functools
import re
from dataclasses import replace

from pipeline.enhance.lexicon import english
from pipeline.enhance.lexicon.items import ANY, Form, Item, Kind, Verb, form_of
from pipeline.enhance.lexicon.rules import rules
from pipeline.enhance.lexicon.transliterate import to_ascii
from pipeline.enhance.lexicon.vocabulary import Entry, Vocabulary, vocabulary
from pipeline.morphology import Reading, analyzer, readings

_FULL_ADJECTIVES = frozenset({"ADJF", "PRTF"})
_SILENT = frozenset({"PRCL", "CONJ", "INTJ", "NPRO", "PREP", "NUMR"})
_SKIPPED = frozenset({"ADVB", "PRED", "GRND"})
_VERB_PREFIXES = re.compile(
    r"^(?:пере|при|про|под|рас|раз|вы|на|по|за|до|из|ис|от|об|у|с|о)(?=\w{4})"
)
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
_SHORTEST_TYPO_CHARS = 6


@functools.lru_cache(maxsize=8192)
def known_word(key: str) -> Item | None:
    """The word by the vocabulary, or by what it is made of; None for an unknown one."""
    return _by_readings(key) or _compound(key) or _by_stem(key) or _diminutive(key)


@functools.lru_cache(maxsize=2048)
def corrected(key: str) -> Item | None:
    """The only known word one edit away from a long word of no dictionary, if there is just one."""
    if len(key) < _SHORTEST_TYPO_CHARS or not key.isalpha() or readings(key)[0].known:
        return None
    found: dict[str, Item] = {}
    for candidate in _one_edit_away(key):
        if analyzer().word_is_known(candidate) and (item := _by_readings(candidate)):
            found.setdefault(item.english or item.key, item)
    if len(found) > 1:
        found = {word: item for word, item in found.items() if item.key[-2:] == key[-2:]}
    return next(iter(found.values())) if len(found) == 1 else None


def _one_edit_away(word: str) -> set[str]:
    splits = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    return (
        {left + right[1:] for left, right in splits if right}
        | {left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1}
        | {left + letter + right[1:] for left, right in splits if right for letter in _CYRILLIC}
        | {left + letter + right for left, right in splits for letter in _CYRILLIC}
    )


def unknown_word(text: str, key: str) -> Item | None:
    """A transliteration in the word's own part of speech; None for words that say nothing.

    An adverb nobody knows would only be noise between English words: it has no `english`.
    """
    first = readings(key)[0]
    if first.known and first.pos in _SILENT:
        return None
    latin = to_ascii(text).strip()
    if not latin or (first.known and first.pos in _SKIPPED):
        return Item(Kind.WORD, key)
    if first.pos == "ADJF" and first.known:
        forms = tuple(form_of(reading) for reading in readings(key) if reading.pos == "ADJF")
        return Item(Kind.WORD, key, adjective=latin.lower(), adjective_forms=forms)
    return Item(Kind.WORD, key, noun=Entry("names", "unknown", key, latin), noun_forms=ANY)


def _by_readings(key: str) -> Item | None:
    words = vocabulary()
    item = Item(Kind.WORD, key)
    preferred = rules().readings.get(key)
    for reading in readings(key):
        if preferred and reading.lemma != preferred:
            continue
        entry = words.find(reading.adjective, "ADJF") or words.find(
            reading.lemma, reading.pos, reading.number
        )
        if entry is None:
            continue
        if entry.kind == "adverbs" and _is_blank(item):
            return Item(Kind.ADVERB, key, entry.english)
        if entry.kind == "shots" and _is_blank(item):
            return Item(Kind.SHOT, key, entry.english)
        item = _with_reading(item, entry, reading)
    for entry in words.words.get(key, ()):
        if entry.kind == "invariables" and not item.verb:
            item = replace(item, adjective=entry.english, adjective_forms=ANY)
    item = _with_surface(item, key, words)
    return None if _is_blank(item) else item


def _is_blank(item: Item) -> bool:
    return item.noun is None and not item.adjective and not item.verb


def _with_reading(item: Item, entry: Entry, reading: Reading) -> Item:
    """The item with one more reading, where it does not contradict the likelier ones."""
    form = form_of(reading)
    if entry.is_noun and not item.verb and item.noun in (None, entry):
        return replace(item, noun=entry, noun_forms=(*item.noun_forms, form))
    if entry.is_noun:
        return replace(item, other_nouns=(*item.other_nouns, (entry, form)))
    if entry.kind == "adjectives" and not item.verb:
        word = english.comparative(entry.english) if reading.pos == "COMP" else entry.english
        if item.adjective in ("", word):
            full = reading.pos in _FULL_ADJECTIVES
            forms = (*item.adjective_forms, form) if full else item.adjective_forms
            return replace(item, adjective=word, adjective_forms=forms)
    if entry.kind == "verbs" and not item.adjective and item.noun is None:
        if not item.verb:
            return _verb(item, entry, reading)
        if reading.imperative and entry.english == item.verb:
            return replace(item, verb_form=Verb.IMPERATIVE)
        if item.is_participle and reading.pos == "PRTF":
            return replace(item, adjective_forms=(*item.adjective_forms, form))
    return item


def _verb(item: Item, entry: Entry, reading: Reading) -> Item:
    form = {
        "INFN": Verb.INFINITIVE,
        "GRND": Verb.GERUND,
        "PRTF": Verb.PARTICIPLE,
        "PRTS": Verb.PARTICIPLE,
    }.get(reading.pos, Verb.IMPERATIVE if reading.imperative else Verb.FINITE)
    forms = (form_of(reading),) if reading.pos == "PRTF" else ()
    return replace(
        item,
        verb=entry.english,
        verb_form=form,
        passive=reading.passive,
        adjective_forms=forms,
    )


def _with_surface(item: Item, key: str, words: Vocabulary) -> Item:
    """A noun listed in this very form wins ("матча" is tea, not a match's genitive).

    Loanwords that no dictionary has ("латте") come with invented cases: they fit any.
    """
    entry = next((e for e in words.words.get(key, ()) if e.is_noun and e.russian == key), None)
    if entry is None or (item.noun is entry and readings(key)[0].known):
        return item
    forms = tuple(
        form_of(reading)
        for reading in readings(key)
        if reading.lemma == key and reading.pos == "NOUN" and reading.known
    )
    if item.noun is not None and item.noun.russian == key and forms:
        return item
    if forms and (item.adjective or item.noun or item.verb_form is Verb.INFINITIVE):
        return item
    invented = not readings(key)[0].known and key[-1] not in "аеёиоуыэюяь"
    return Item(Kind.WORD, key, noun=entry, noun_forms=forms or (_MASCULINE if invented else ANY))


_MASCULINE = (Form("nomn", "sing", "masc"), Form("accs", "sing", "masc"))


def _compound(key: str) -> Item | None:
    """ "нежно-розовый", "мини-торт": the first part goes before the second as an adjective."""
    if "-" not in key:
        return None
    before, _, last = key.rpartition("-")
    main = known_word(last)
    if main is None:
        return None
    first = _by_stem(before) or known_word(before)
    if first is None:
        return None
    word = first.adjective or (first.noun.english if first.noun else first.english)
    if not word:
        return None
    if main.adjective:
        return replace(main, key=key, adjective=f"{word} {main.adjective}")
    if main.noun is not None:
        if main.noun.kind == "seasons":
            word = f"{word}-{main.noun.english}"
            return replace(main, key=key, noun=replace(main.noun, english=word))
        return replace(
            main, key=key, noun=replace(main.noun, english=f"{word} {main.noun.english}")
        )
    return None


def _by_stem(key: str) -> Item | None:
    """Words one step from a known one: "ярко-" from "яркий", "попить" from "пить"."""
    if key.endswith(("о", "е")) and len(key) > 3:
        for ending in ("ый", "ий", "ой"):
            entry = vocabulary().find(key[:-1] + ending, "ADJF")
            if entry is not None:
                return Item(Kind.WORD, key, adjective=entry.english)
    for reading in readings(key):
        if reading.pos in ("VERB", "INFN", "PRTF", "PRTS", "GRND") and reading.known:
            for lemma in _simpler_verbs(reading.lemma):
                if entry := vocabulary().find(lemma, "VERB"):
                    return _verb(Item(Kind.WORD, key), entry, reading)
    return None


_DIMINUTIVES = (
    # (a diminutive's ending, what the plain word may end in), by gender; "жк", "шк": дорога, рука.
    ("masc", "очек", ("ок", "")), ("masc", "ечек", ("ек", "ок", "")), ("masc", "чик", ("",)),
    ("masc", "ик", ("",)), ("masc", "ок", ("",)), ("masc", "ек", ("",)),
    ("femn", "очка", ("ка", "а")), ("femn", "ечка", ("ка", "я")), ("femn", "жка", ("га", "жа")),
    ("femn", "чка", ("ка", "ца")), ("femn", "шка", ("ха",)), ("femn", "ушка", ("а",)),
    ("femn", "юшка", ("я",)), ("femn", "енька", ("а",)), ("femn", "ка", ("а", "")),
    ("neut", "ечко", ("о", "цо", "ко")), ("neut", "ышко", ("о",)), ("neut", "ице", ("ие", "ье")),
    ("neut", "ко", ("о",)),
)  # fmt: skip
_TENDER = re.compile(r"(?:еньк|оньк)(?:ий|ой)$")


def _diminutive(key: str) -> Item | None:
    """ "горшочек" is a pot, "тарелочка" a plate, "беленький" white: English has the plain word.

    Only where the plain word is in the vocabulary and of the same gender.
    """
    found = readings(key)
    if not found[0].known:
        return None
    for reading in found:
        plain = _plain_noun(reading) if reading.pos == "NOUN" else None
        if plain is not None:
            forms = tuple(form_of(r) for r in found if r.lemma == reading.lemma)
            return Item(Kind.WORD, key, noun=plain, noun_forms=forms)
        if reading.pos == "ADJF" and (ending := _TENDER.search(reading.lemma)):
            stem = reading.lemma[: ending.start()]
            plain = next(filter(None, map(_adjective, _adjectives_of(stem))), None)
            if plain is not None:
                forms = tuple(form_of(r) for r in found if r.pos == "ADJF")
                return Item(Kind.WORD, key, adjective=plain.english, adjective_forms=forms)
    return None


def _plain_noun(reading: Reading) -> Entry | None:
    for gender, ending, plain_endings in _DIMINUTIVES:
        if gender != reading.gender or not reading.lemma.endswith(ending):
            continue
        stem = reading.lemma.removesuffix(ending)
        for plain in (stem + plain_ending for plain_ending in plain_endings):
            entry = vocabulary().find(plain, "NOUN", "sing") if len(plain) > 2 else None
            if entry is not None and entry.is_noun and readings(plain)[0].gender == gender:
                return entry
    return None


def _adjectives_of(stem: str) -> list[str]:
    return [stem + ending for ending in ("ый", "ий", "кий", "ой", "окий")]


def _adjective(lemma: str) -> Entry | None:
    return vocabulary().find(lemma, "ADJF")


def _simpler_verbs(lemma: str) -> list[str]:
    active = lemma.removesuffix("ся").removesuffix("сь")
    found = [active, _VERB_PREFIXES.sub("", lemma), _VERB_PREFIXES.sub("", active)]
    return [verb for verb in found if verb != lemma]
