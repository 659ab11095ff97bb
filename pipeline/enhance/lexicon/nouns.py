"""Noun phrases and prepositional phrases: agreement in, English word order and articles out."""

from __future__ import annotations

from pipeline.enhance.lexicon.agreement import (
    OPEN_FIELDS,
    agreeing,
    agreeing_forms,
    candidates,
    modifier,
)
from pipeline.enhance.lexicon.items import ANY, Form, Item, Kind
from pipeline.enhance.lexicon.phrase import COUNTED, NounPhrase
from pipeline.enhance.lexicon.prepositions import adverb_of, english_for, is_landmark, rule_for
from pipeline.enhance.lexicon.rules import rules
from pipeline.enhance.lexicon.vocabulary import Entry

_MASS = Entry("mass", "business", "скидка", "")
_DISCOUNT = Entry("nouns", "business", "скидка", "discount")
OFFERS = (_MASS, _DISCOUNT)
"""What a discount reads as, with goods and without."""

_LONGEST_CHAIN = 6
"""So deep may genitives and participles nest; real prompts stay below four."""

Parsed = tuple[NounPhrase, int]


class NounParser:
    """Finds noun phrases in a list of items; `articles=False` writes them bare."""

    def __init__(self, items: list[Item], articles: bool = True) -> None:
        self.items = items
        self.articles = articles
        self._depth = 0

    def at(self, place: int) -> Item | None:
        return self.items[place] if place < len(self.items) else None

    def noun_phrase(self, start: int) -> Parsed | None:
        """The noun phrase that begins there and the place after it, or None."""
        if self._depth >= _LONGEST_CHAIN:
            return None
        self._depth += 1
        try:
            return self._noun_phrase(start)
        finally:
            self._depth -= 1

    def _noun_phrase(self, start: int) -> Parsed | None:
        quantity, place = self._quantity(start)
        found = self._discount(place) if place == start else None
        if found is not None:
            return found
        found = self._plain(place, quantity) or self._with_participle(place)
        if found is None:
            return self._bare_quantity(quantity, place) if quantity else None
        phrase, end = found
        return self._with_tail(phrase, end)

    def _quantity(self, place: int) -> tuple[str, int]:
        words: list[str] = []
        while (item := self.at(place)) is not None and item.kind is Kind.NUMBER:
            words.append(item.english)
            place += 1
        return " ".join(words), place

    def _bare_quantity(self, quantity: str, place: int) -> Parsed:
        quantity = "everything" if quantity == "all" else quantity
        entry = Entry("names", "number", quantity, quantity)
        return NounPhrase(entry, ANY, complete=quantity), place

    def _plain(self, start: int, quantity: str) -> Parsed | None:
        """Adjectives and a noun that agrees with them; the longest run of adjectives first."""
        runs = self._adjectives(start)
        for words, forms, place in [*reversed(runs), ([], [], start)]:
            head = self.at(place)
            if head is None or head.noun is None:
                continue
            for noun, noun_forms in candidates(head):
                left = agreeing(noun, noun_forms, forms, loose=bool(quantity))
                if left:
                    return _counted(NounPhrase(noun, left, words, quantity)), place + 1
        return None

    def _adjectives(self, start: int) -> list[tuple[list[str], list[tuple[Form, ...]], int]]:
        """After each adjective from `start` on: the words and forms so far, the next place."""
        runs: list[tuple[list[str], list[tuple[Form, ...]], int]] = []
        words: list[str] = []
        forms: list[tuple[Form, ...]] = []
        place = start
        while True:
            degree = self.at(place)
            skipped = degree is not None and degree.kind is Kind.ADVERB
            item = self.at(place + skipped)
            if item is None or not item.adjective_forms:
                return runs
            word = modifier(item)
            words = [*words, f"{degree.english} {word}" if skipped and degree else word]
            forms = [*forms, item.adjective_forms]
            place += 1 + skipped
            runs.append((words, forms, place))
            joint = self.at(place)
            after = self.at(place + 1)
            joins = joint is not None and (
                joint.kind is Kind.COMMA or joint.english in ("and", "or")
            )
            if joint is not None and joins and after is not None and after.adjective_forms:
                if joint.kind is not Kind.COMMA:
                    words = [*words, joint.english]
                place += 1

    def _with_participle(self, start: int) -> Parsed | None:
        """ "украшенная гирляндами ёлка": the participle's phrase goes after the noun."""
        item = self.at(start)
        if item is None or not item.is_participle:
            return None
        complement = self.complement(start + 1)
        if complement is None:
            return None
        words, place = complement
        found = self.noun_phrase(place)
        if found is None or found[0].complete:
            return None
        phrase, end = found
        forms = agreeing_forms(phrase.forms, [item.adjective_forms])
        if not forms:
            return None
        phrase.forms = forms
        phrase.tail.append(f"{modifier(item)} {words}")
        return phrase, end

    def complement(self, place: int) -> tuple[str, int] | None:
        """What a participle or verb takes: "with garlands", "on a table"."""
        item = self.at(place)
        if item is not None and item.kind is Kind.PREPOSITION:
            return self.prepositional(place)
        found = self.noun_phrase(place)
        if found is None or not found[0].may_be("ablt") or found[0].may_be("nomn"):
            return None
        phrase, end = found
        return f"with {phrase.text(['ablt'], self.articles)}", end

    def _discount(self, place: int) -> Parsed | None:
        """ "скидка 20% на латте" is "20% off latte"."""
        item = self.at(place)
        if item is None or item.kind is not Kind.DISCOUNT:
            return None
        following = self.at(place + 1)
        if (
            following is not None
            and following.kind is Kind.SET_PHRASE
            and following.key[:3] == "на "
        ):
            words = following.english.removeprefix("on ")
            return NounPhrase(_MASS, ANY, complete=f"{item.english} off {words}"), place + 2
        if following is not None and following.key == "на" and (to := self.noun_phrase(place + 2)):
            goods, end = self.coordinated(to, "accs", articles=False)
            return NounPhrase(_MASS, ANY, complete=f"{item.english} off {goods}"), end
        if " " in item.english:
            return NounPhrase(_MASS, ANY, complete=f"{item.english} off"), place + 1
        return NounPhrase(_DISCOUNT, ANY, [item.english]), place + 1

    def coordinated(
        self, first: Parsed, case: str, articles: bool | None = None
    ) -> tuple[str, int]:
        """A phrase in that case with those joined to it: "milk, honey and cinnamon"."""
        articles = self.articles if articles is None else articles
        phrase, place = first
        words = phrase.text([case], articles)
        while (joint := self.at(place)) is not None:
            comma = joint.kind is Kind.COMMA
            if not comma and joint.english not in ("and", "or"):
                break
            found = self.noun_phrase(place + 1)
            if found is None or not found[0].may_be(case) or not _continues(found[0], comma):
                break
            after = self.at(found[1])
            if comma and after is not None and after.kind is Kind.NEGATOR:
                break  # "чашка кофе, текста не нужно"
            glue = ", " if comma else f" {joint.english} "
            words += glue + found[0].text([case], articles)
            place = found[1]
        return words, place

    def _with_tail(self, phrase: NounPhrase, place: int) -> Parsed:
        """Adds what follows and belongs to it: names, late adjectives, genitives."""
        while (item := self.at(place)) is not None:
            if item.noun is not None and item.noun.field == "unknown" and not phrase.complete:
                phrase.tail.append(item.noun.english)
                place += 1
            elif item.kind is Kind.NAME or (
                item.kind is Kind.NUMBER and _takes_number(self.at(place - 1))
            ):
                phrase.tail.append(item.english)
                phrase.named = True
                place += 1
            elif item.kind is Kind.SET_PHRASE and item.english in rules().prenominal:
                phrase.modifiers.insert(0, item.english)
                place += 1
            elif self._is_subject_taught(phrase, place) or self._is_late_adjective(phrase, place):
                phrase.modifiers.append(modifier(item))
                phrase.forms = agreeing_forms(phrase.forms, [item.adjective_forms]) or phrase.forms
                place += 1
            else:
                break
        return self._with_genitive(phrase, place)

    def _is_subject_taught(self, phrase: NounPhrase, place: int) -> bool:
        """ "курсы английского": an adjective in the genitive that is a noun by itself."""
        item = self.at(place)
        if item is None or item.noun is not None or item.is_participle or phrase.tail:
            return False
        alone = self._plain(place, "") is None
        genitive = any(form.case == "gent" for form in item.adjective_forms)
        return alone and genitive and phrase.entry.russian in rules().compound_heads

    def _is_late_adjective(self, phrase: NounPhrase, place: int) -> bool:
        """ "кофе горячий": an adjective that agrees with the noun before it and has none after."""
        item = self.at(place)
        if item is None or not item.adjective_forms or item.noun is not None or phrase.tail:
            return False
        if item.is_participle or phrase.entry.kind == "names":
            return False
        if not agreeing_forms(phrase.forms, [item.adjective_forms]):
            return False
        return self._plain(place, "") is None and self._with_participle(place) is None

    def _with_genitive(self, phrase: NounPhrase, place: int) -> Parsed:
        found = self.noun_phrase(place)
        if found is None or not self._takes(phrase, found[0]):
            return phrase, place
        owner, end = found
        if phrase.entry.russian == "стиль":
            word = rules().style_adjectives.get(owner.entry.english, owner.attribute())
            phrase.modifiers.append(word)
            return phrase, end
        if owner.quantity and owner.entry.russian == "год" and phrase.entry.kind == "people":
            phrase.tail.append(f"{owner.text(['gent'])} old")
            return phrase, end
        if owner.entry.russian in ("цвет", "оттенок") and owner.modifiers and not owner.tail:
            phrase.modifiers = [*owner.modifiers, *phrase.modifiers]
            return phrase, end
        if _is_possessed(phrase, owner):
            words = owner.text(["gent"], self.articles)
            phrase.possessor = words + ("'" if words.endswith("s") else "'s")
            return phrase, end
        if self._compounds(phrase, owner):
            phrase.modifiers.append(owner.attribute())
            return phrase, end
        # "a cup of latte", "a slice of lemon": what is eaten or drunk is a substance here.
        articles = self.articles and owner.entry.field not in ("food", "drinks")
        words, end = self.coordinated(found, "gent", articles)
        phrase.tail.append(f"of {words}")
        return phrase, end

    def _takes(self, phrase: NounPhrase, owner: NounPhrase) -> bool:
        """Whether the second phrase can be the first one's genitive."""
        kind = phrase.entry.kind
        if kind in ("names", "seasons", "styles") or phrase.complete:
            return False
        if phrase.entry.russian == "стиль":
            return True
        if not owner.may_be("gent") or owner.entry in OFFERS:
            return False
        open_case = any(form.case == "" for form in owner.forms)
        own_open = any(form.case == "" for form in phrase.forms)
        if owner.complete or owner.entry.field in OPEN_FIELDS:
            return False
        if owner.entry.field == "time" and owner.entry.kind == "names":
            return phrase.entry.russian in rules().dated
        if phrase.entry.russian in rules().compound_heads:
            return True
        return not open_case or not (own_open or kind in ("people", "mass"))

    def _compounds(self, phrase: NounPhrase, owner: NounPhrase) -> bool:
        return (
            phrase.entry.russian in rules().compound_heads
            and not owner.quantity
            and not owner.tail
            and owner.entry.kind not in ("names", "definite")
            and len(owner.modifiers) < 2
        )

    def prepositional(self, place: int) -> tuple[str, int] | None:
        """ "на столе" as "on a table"; None where no noun or adjective follows."""
        preposition = self.items[place]
        found = self.noun_phrase(place + 1)
        if found is None:
            return self._before_adjective(place)
        phrase = found[0]
        if adverb_of(preposition.key) and not self._governs(place, phrase):
            return None
        rule = rule_for(preposition.key, phrase)
        before = self.at(place - 1) if place else None
        word = english_for(rule, preposition.key, before, phrase)
        if is_landmark(preposition.key, phrase) and self.articles:
            return f"{word} {phrase.text([rule.case], definite=True)}", found[1]
        articles = self.articles and phrase.entry.russian not in rules().relatives
        words, end = self.coordinated(found, rule.case, articles)
        return f"{word} {words}", end

    def _governs(self, place: int, phrase: NounPhrase) -> bool:
        """Whether a word like "вокруг" is a preposition: in ", вокруг огоньки" it is an adverb."""
        options = rules().prepositions[self.items[place].key]
        begins = place == 0 or self.items[place - 1].kind in (Kind.COMMA, Kind.STOP)
        fits = any(phrase.may_be(option.case) for option in options)
        return fits and not (begins and phrase.may_be("nomn"))

    def _before_adjective(self, place: int) -> tuple[str, int] | None:
        item = self.at(place + 1)
        if item is None or not item.adjective:
            return None
        word = rules().prepositions[self.items[place].key][0].english
        return f"{word} {rules().substantives.get(item.adjective, item.adjective)}", place + 2


def _is_possessed(phrase: NounPhrase, owner: NounPhrase) -> bool:
    """ "a young woman's smile": what is a person's own, unless the person is the picture."""
    own = phrase.entry.field == "people" and phrase.entry.kind == "nouns"
    return (
        own
        and owner.entry.kind == "people"
        and not owner.tail
        and phrase.entry.russian not in rules().pictured
    )


def _continues(phrase: NounPhrase, comma: bool) -> bool:
    """Whether a joined phrase can't be the start of something new in the nominative."""
    if not comma and phrase.forms == ANY:
        return True
    return not phrase.may_be("nomn")


def _takes_number(before: Item | None) -> bool:
    return before is not None and before.kind is Kind.NAME


def _counted(phrase: NounPhrase) -> NounPhrase:
    """ "31 декабря" is "December 31", "2025 год" is "2025", "весь день" is "the whole day"."""
    quantity, entry = phrase.quantity, phrase.entry
    phrase.modifiers = [
        rules().adjectives_by_field.get(f"{word} {entry.field}", word) for word in phrase.modifiers
    ]
    if quantity and phrase.may_be("gent"):
        # "350 рублей" is a genitive to look at and an accusative in "за 350 рублей".
        phrase.forms = (Form("nomn", "plur"), Form("accs", "plur"), *phrase.forms)
    if quantity[:1].isdigit() and entry.kind == "names" and entry.field == "time":
        phrase.complete = f"{entry.english} {quantity}"
    elif quantity.isdigit() and len(quantity) == 4 and entry.russian == "год":
        phrase.complete = quantity
    elif quantity == "all" and entry.kind in COUNTED and phrase.forms[0].number == "sing":
        phrase.quantity = "the whole"
        phrase.entry = Entry("mass", entry.field, entry.russian, entry.english)
    return phrase
