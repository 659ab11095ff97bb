"""Reads tokens as items: the longest known phrase first, then word by word."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pipeline.enhance.lexicon.items import ANY, Form, Item, Kind, form_of
from pipeline.enhance.lexicon.names import nominative, street_at
from pipeline.enhance.lexicon.prepositions import adverb_of
from pipeline.enhance.lexicon.rules import rules
from pipeline.enhance.lexicon.senses import by_company
from pipeline.enhance.lexicon.tokens import Token, TokenKind, starts_with
from pipeline.enhance.lexicon.transliterate import to_ascii
from pipeline.enhance.lexicon.vocabulary import Entry, PhraseEntry, vocabulary
from pipeline.enhance.lexicon.words import corrected, known_word, unknown_word
from pipeline.morphology import readings

_DECADE = re.compile(r"\d+0s")
_DECADE_FORMS = (Form("gent", "plur"), Form("loct", "plur"), Form("accs", "plur"))
_COMMA = Item(Kind.COMMA, ",")
_STOP = Item(Kind.STOP, ".")
_AND = Item(Kind.CONJUNCTION, "и", "and")
_WITH = Item(Kind.CONJUNCTION, "где", "with")

Found = tuple[Item | None, int]
"""An item (None: said by silence) and how many tokens it took; 0 tokens means not found."""


@dataclass
class Reader:
    """Reads one list of tokens. `inner` translates a quotation: its English, its unknown words.

    `about`: dictionary forms of what the text is about and does not say.
    """

    tokens: list[Token]
    inner: Callable[[str], tuple[str, tuple[str, ...]]]
    about: frozenset[str] = frozenset()
    items: list[Item] = field(default_factory=list)
    unknown: dict[str, None] = field(default_factory=dict)

    def read(self) -> list[Item]:
        """All items; words that were only transliterated are left in `unknown`."""
        at = 0
        while at < len(self.tokens):
            item, taken = self._item(at)
            if item is not None:
                self.items.append(item)
            at += max(taken, 1)
        lemmas = self.about.union(*(token.forms for token in self.tokens))
        return by_company(fold_discounts(self.items), lemmas)

    def _item(self, at: int) -> Found:
        token = self.tokens[at]
        if token.kind is TokenKind.MARK:
            return self._mark(token), 1
        if token.kind is TokenKind.QUOTE:
            return self._quotation(token), 1
        for attempt in (
            self._which,
            self._compound_preposition,
            self._street,
            self._longest,
            self._function_word,
        ):
            item, taken = attempt(at)
            if taken:
                return item, taken
        if token.kind is TokenKind.NUMBER:
            return Item(Kind.NUMBER, token.key, token.text), 1
        return self._word(at), 1

    def _mark(self, token: Token) -> Item | None:
        if token.key == ",":
            return _COMMA
        if token.key in "&+":
            return _AND
        return _STOP if token.is_stop else None

    def _quotation(self, token: Token) -> Item | None:
        """A name after a shop or a brand is spelled; other words in quotes are translated."""
        noun = self.items[-1].noun if self.items else None
        is_own_name = noun is not None and _names_itself(noun)
        if is_own_name:
            words, unknown = _spelled(token.text)
        else:
            words, unknown = self.inner(token.text)
        if not token.text.isascii():
            self.unknown |= dict.fromkeys(unknown)
        return Item(Kind.NAME, token.key, f'"{words}"' if is_own_name else words) if words else None

    def _longest(self, at: int) -> Found:
        """A set phrase or a phrase of the vocabulary, whichever is longer."""
        exact, phrase = self._exact(at), self._phrase(at)
        return phrase if phrase[1] > exact[1] else exact

    def _exact(self, at: int) -> Found:
        for words, english in vocabulary().exact.get(self.tokens[at].key, ()):
            keys = tuple(token.key for token in self.tokens[at : at + len(words)])
            if keys != words or (len(words) == 1 and self._has_attribute()):
                continue
            # "на улице" is outdoors, "на улице Ленина" is not.
            if not street_at(self.tokens, at + len(words) - 1)[1]:
                return Item(Kind.SET_PHRASE, " ".join(words), english), len(words)
        return None, 0

    def _has_attribute(self) -> bool:
        """ "холодным утром", "с днем": a noun in its phrase, not the adverbs "утром", "днем"."""
        before = self.items[-1] if self.items else None
        return before is not None and (
            bool(before.adjective_forms) or before.kind is Kind.PREPOSITION
        )

    def _street(self, at: int) -> Found:
        """ "на Лесной", "на улице Ленина": a name and no forest; "на Красной площади" is known."""
        english, taken = street_at(self.tokens, at)
        if not taken or self._phrase(at)[1] >= taken > 1:
            return None, 0
        name = next(t.text for t in self.tokens[at : at + taken] if t.text[:1].isupper())
        self.unknown[name] = None
        entry = Entry("names", "places", self.tokens[at].key, english)
        return Item(Kind.WORD, entry.russian, noun=entry, noun_forms=ANY), taken

    def _which(self, at: int) -> Found:
        if "который" in self.tokens[at].forms:
            return Item(Kind.WHICH, "который"), 1
        following = self.tokens[at + 1 : at + 2]
        if (
            self.tokens[at].key in rules().prepositions
            and following
            and "который" in following[0].forms
        ):
            return _WITH, 2
        return None, 0

    def _compound_preposition(self, at: int) -> Found:
        for words in rules().compound_prepositions.get(self.tokens[at].key, ()):
            end = at + len(words)
            if tuple(t.key for t in self.tokens[at:end]) == words and self._declined(end):
                return Item(Kind.PREPOSITION, " ".join(words)), len(words)
        return None, 0

    def _declined(self, at: int) -> bool:
        """Whether a word follows that a preposition may govern: "в центре" alone is an adverb."""
        ahead = self.tokens[at : at + 1]
        return bool(ahead) and any(r.case not in ("", "nomn") for r in readings(ahead[0].key))

    def _phrase(self, at: int) -> Found:
        candidates = {
            id(phrase): phrase
            for form in self.tokens[at].forms
            for phrase in vocabulary().phrases.get(form, ())
        }
        for phrase in sorted(candidates.values(), key=lambda phrase: -len(phrase.words)):
            if starts_with(self.tokens, at, phrase.words):
                return self._phrase_item(phrase, at), len(phrase.words)
        return None, 0

    def _phrase_item(self, phrase: PhraseEntry, at: int) -> Item:
        entry, head = phrase.entry, self.tokens[at + phrase.head]
        if entry.kind == "shots":
            return Item(Kind.SHOT, entry.russian, entry.english)
        if entry.kind == "adverbs":
            return Item(Kind.ADVERB, entry.russian, entry.english)
        base = known_word(head.key)
        if entry.kind == "verbs":
            form = known_word(self.tokens[at].key)
            verb = form if form is not None and form.verb else Item(Kind.WORD, entry.russian)
            return replace(verb, key=entry.russian, verb=entry.english)
        forms = [r for r in readings(head.key) if r.pos == "NOUN"]
        if base is not None and base.noun_forms:
            noun_forms = base.noun_forms
        else:
            noun_forms = tuple(form_of(reading) for reading in forms) or ANY
        if entry.kind == "adjectives":
            return Item(Kind.WORD, entry.russian, adjective=entry.english, adjective_forms=ANY)
        return Item(Kind.WORD, entry.russian, noun=entry, noun_forms=noun_forms)

    def _function_word(self, at: int) -> Found:
        token, grammar = self.tokens[at], rules()
        lemma = readings(token.key)[0].lemma if token.kind is TokenKind.WORD else token.key
        if token.key == "минус" and self._percent_follows(at):
            return None, 1
        if token.key == "не":
            return Item(Kind.NEGATOR, "не"), 1
        if token.key == "нет" or token.key in grammar.negator_prepositions:
            return Item(Kind.NEGATOR, "без"), 1
        if lemma in grammar.negator_words or (
            lemma in grammar.negator_verbs and _is_order(token.key)
        ):
            return Item(Kind.NEGATOR, "без"), 1
        if (word := grammar.conjunctions.get(token.key)) is not None:
            return (_COMMA if word == "," else Item(Kind.CONJUNCTION, token.key, word)), 1
        if token.key in grammar.prepositions:
            return Item(Kind.PREPOSITION, token.key), 1
        if (number := grammar.numbers.get(lemma)) is not None:
            return Item(Kind.NUMBER, lemma, number), 1
        if token.key in grammar.ignored | grammar.ignored_forms or lemma in grammar.ignored:
            return (Item(Kind.NEGATOR, "модальное") if self._after_not(lemma) else None), 1
        return None, 0

    def _percent_follows(self, at: int) -> bool:
        return any(token.key.endswith("%") for token in self.tokens[at + 1 : at + 2])

    def _after_not(self, lemma: str) -> bool:
        """ "не нужно", "не должно быть": what comes next is not wanted."""
        negated = bool(self.items) and self.items[-1].kind is Kind.NEGATOR
        return negated and lemma in rules().modals

    def _word(self, at: int) -> Item | None:
        token = self.tokens[at]
        if token.text.isascii() and (known := known_word(token.key)) is None:
            return self._latin(at)
        if self._is_name(at):
            self.unknown[token.text] = None
            return Item(Kind.NAME, token.key, to_ascii(token.text))
        known = known_word(token.key) or corrected(token.key)
        if known is not None:
            return self._in_context(known, at)
        item = unknown_word(nominative(token.text), token.key)
        if item is None:
            return None
        self.unknown[token.text] = None
        return item if item.noun or item.adjective else None

    def _latin(self, at: int) -> Item:
        """English words pass; a lone one that the vocabulary translates to can take an article."""
        token = self.tokens[at]
        lower = token.text.lower()
        if _DECADE.fullmatch(lower):
            entry = Entry("definite", "time", lower, lower)
            return Item(Kind.WORD, token.key, noun=entry, noun_forms=_DECADE_FORMS)
        beside = [*self.tokens[max(0, at - 1) : at], *self.tokens[at + 1 : at + 2]]
        alone = not any(t.kind is TokenKind.WORD and t.text.isascii() for t in beside)
        if alone and lower in vocabulary().countable:
            entry = Entry("nouns", "latin", lower, lower)
            return Item(Kind.WORD, token.key, noun=entry, noun_forms=ANY)
        return Item(Kind.NAME, token.key, token.text)

    def _in_context(self, item: Item, at: int) -> Item:
        """The word as its neighbour before it allows: "из стали" is steel, not "became"."""
        if item.kind is Kind.SHOT:
            return self._place_of_action(item, at)
        governed = bool(self.items) and self.items[-1].kind is Kind.PREPOSITION
        if governed and item.verb and not item.is_participle and item.other_nouns:
            noun = item.other_nouns[0][0]
            forms = tuple(form for other, form in item.other_nouns if other is noun)
            return Item(Kind.WORD, item.key, noun=noun, noun_forms=forms)
        return item

    def _place_of_action(self, shot: Item, at: int) -> Item:
        """ "сверху" is a shot, but in "кот сидит сверху" and ", сверху мята" it is a place."""
        before = self.items[-1] if self.items else None
        ahead = self.tokens[at + 1 : at + 2]
        begins = bool(ahead) and any(r.case == "nomn" for r in readings(ahead[0].key))
        if before is None or not (before.verb or (before.kind is Kind.COMMA and begins)):
            return shot
        english = adverb_of(shot.key)
        return Item(Kind.ADVERB, shot.key, english) if english else shot

    def _is_name(self, at: int) -> bool:
        """ "кофейня Уют": a capital after a shop, a school, a brand."""
        text = self.tokens[at].text
        if at == 0 or self.tokens[at - 1].kind is not TokenKind.WORD or not self.items:
            return False
        noun = self.items[-1].noun
        return (
            noun is not None and _names_itself(noun) and text[:1].isupper() and text[1:].islower()
        )


def _spelled(text: str) -> tuple[str, tuple[str, ...]]:
    return to_ascii(text).strip(), (text,)


def _names_itself(noun: Entry) -> bool:
    """Whether a proper name may follow: shops, schools, brands."""
    is_place = noun.field == "places" and noun.kind == "nouns"
    return is_place or noun.russian in rules().organisations


def _is_order(key: str) -> bool:
    """ "убери", "убрать", but not "убирает"."""
    return any(reading.imperative or reading.pos == "INFN" for reading in readings(key))


def fold_discounts(items: list[Item]) -> list[Item]:
    """ "скидки до 20%", "20% скидка" and "минус 20%" as one item each."""
    folded: list[Item] = []
    at = 0
    while at < len(items):
        english, taken = _discount(items, at)
        if taken:
            folded.append(Item(Kind.DISCOUNT, "скидка", english))
        else:
            folded.append(items[at])
        at += max(taken, 1)
    return folded


def _discount(items: list[Item], at: int) -> tuple[str, int]:
    def key(place: int) -> str:
        return items[place].key if place < len(items) else ""

    if key(at) in rules().discounts or _is_discount(items[at]):
        limit = rules().discount_limits.get(key(at + 1))
        number = at + 1 + (limit is not None)
        if key(number).endswith("%"):
            return (limit or "") + items[number].english, number + 1 - at
    if items[at].kind is Kind.NUMBER and key(at).endswith("%"):
        if at + 1 < len(items) and _is_discount(items[at + 1]):
            return items[at].english, 2
        return items[at].english, int(key(at + 1).split(" ")[0] == "на")
    return "", 0


def _is_discount(item: Item) -> bool:
    return item.noun is not None and item.noun.russian in rules().discounts
