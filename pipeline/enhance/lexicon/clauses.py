"""From items to English clauses: subject, verb in -ing, object, the rest; and what to leave out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto

from pipeline.enhance.lexicon import english
from pipeline.enhance.lexicon.items import Item, Kind, Verb
from pipeline.enhance.lexicon.nouns import OFFERS, NounParser
from pipeline.enhance.lexicon.phrase import OBJECT, OWNED, SUBJECT, NounPhrase
from pipeline.enhance.lexicon.prepositions import adverb_of
from pipeline.enhance.lexicon.rules import rules


class Role(Enum):
    NOUN = auto()
    PLACE = auto()
    VERB = auto()
    PARTICIPLE = auto()
    ADJECTIVE = auto()
    ADVERB = auto()
    NAME = auto()
    APART = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of English and what ties it to the one before: "", ",", "and", "with", ...

    `receiver`: a dative right after its verb, the child of "показывает ребенку книгу".
    """

    role: Role
    text: str
    glue: str
    phrase: NounPhrase | None = None
    intransitive: bool = False
    receiver: bool = False


_LOOSE = frozenset({Role.PLACE, Role.VERB, Role.PARTICIPLE, Role.ADVERB, Role.NAME})
_CONGRATULATING = "congratulating"
"""Said by the greeting itself: "happy birthday"."""
_TAKES_OBJECT = frozenset({Role.VERB, Role.PARTICIPLE})


@dataclass
class ClauseWriter:
    """Turns the items of a text into pieces, left to right; `unwanted` gathers negations.

    `owned`: the first noun was the genitive of a request word ("реклама кофейни").
    """

    items: list[Item]
    articles: bool = True
    owned: bool = False
    pieces: list[Piece] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._nouns = NounParser(self.items, self.articles)
        self._glue: str | None = None
        self._relative = False

    def write(self) -> list[Piece]:
        """All pieces in English order."""
        place = 0
        while place < len(self.items):
            place = self._step(place)
        return _ordered(self.pieces)

    def _step(self, place: int) -> int:
        item = self.items[place]
        match item.kind:
            case Kind.COMMA | Kind.STOP:
                self._glue = "." if Kind.STOP is item.kind or self._glue == "." else ","
            case Kind.CONJUNCTION:
                self._glue = ", but" if item.english == "but" else item.english
            case Kind.WHICH:
                self._relative = True
            case Kind.NEGATOR:
                return self._negation(place)
            case Kind.PREPOSITION:
                return self._prepositional(place)
            case Kind.ADVERB if self._glue == "like" and self._verb_follows(place):
                return place + 1
            case Kind.ADVERB if not self._begins_noun_phrase(place):
                self._add(Role.ADVERB, item.english)
            case Kind.SHOT:
                return self._shot(place)
            case Kind.SET_PHRASE:
                apart = item.english.split(" ")[0].lower() in rules().greetings
                if apart and self.pieces and self.pieces[-1].text == _CONGRATULATING:
                    self._glue = self._glue or self.pieces.pop().glue
                self._add(Role.APART if apart else Role.ADVERB, item.english)
            case Kind.NAME:
                self._add(Role.NAME, item.english)
            case _:
                return self._word(place)
        return place + 1

    def _begins_noun_phrase(self, place: int) -> bool:
        following = self._nouns.at(place + 1)
        return following is not None and bool(following.adjective_forms)

    def _add(
        self,
        role: Role,
        text: str,
        phrase: NounPhrase | None = None,
        *,
        default: str | None = None,
        intransitive: bool = False,
        receiver: bool = False,
    ) -> None:
        glue = self._glue_for(role, default)
        self.pieces.append(Piece(role, text, glue, phrase, intransitive, receiver))
        self._glue = None
        self._relative = False

    def _glue_for(self, role: Role, default: str | None) -> str:
        if not self.pieces:
            return ""
        if self._glue == "," and (self._relative or role is Role.PARTICIPLE):
            return ""
        if self._glue is not None:
            return self._glue
        if default is not None:
            return default
        if role is Role.NOUN and self._waits_for_object():
            return ""
        if role in _LOOSE or (role is Role.NOUN and self._only_places_so_far()):
            return ""
        return "" if self.pieces[-1].role in _TAKES_OBJECT and role is not Role.APART else ","

    def _waits_for_object(self) -> bool:
        """ "достает из печи багеты": between a verb and its object there are only places."""
        for piece in reversed(self.pieces):
            if piece.role is Role.VERB:
                return not _ends_with_preposition(piece)
            if piece.role not in (Role.PLACE, Role.ADVERB) or piece.glue:
                return False
        return False

    def _only_places_so_far(self) -> bool:
        """ "на столе чашка": the stretch has begun with a place and waits for its noun."""
        for piece in reversed(self.pieces):
            if piece.role not in (Role.PLACE, Role.ADVERB):
                return False
            if piece.glue in (",", "."):
                return True
        return True

    def _word(self, place: int) -> int:
        item = self.items[place]
        found = self._nouns.noun_phrase(place)
        if found is not None:
            phrase, end = found
            self._noun(phrase)
            return end
        if item.verb:
            return self._verb(place)
        if item.adjective and self._glue == "like" and self._verb_follows(place):
            return place + 1
        if item.adjective:
            self._add(Role.ADJECTIVE, item.adjective)
        elif item.english:
            self._add(Role.ADVERB, item.english)
        return place + 1

    def _verb_follows(self, place: int) -> bool:
        """ "как правильно хранить": English says it better without the adverb."""
        following = self._nouns.at(place + 1)
        return following is not None and bool(following.verb)

    def _noun(self, phrase: NounPhrase) -> None:
        after_verb = bool(self.pieces) and self.pieces[-1].role in _TAKES_OBJECT
        if phrase.entry in OFFERS and self.pieces and self._glue is None and not after_verb:
            offer = phrase.complete or f"{' '.join(phrase.modifiers)} off"
            self._add(Role.NOUN, offer, phrase, default="with")
            return
        cases = OBJECT if after_verb else OWNED if self.owned and not self.pieces else SUBJECT
        text = phrase.text(cases, self.articles)
        free = self._glue is None and not (after_verb and _ends_with_preposition(self.pieces[-1]))
        dated = phrase.entry.field == "time" and phrase.entry.russian[:1].isdigit()
        if dated and free and self.pieces:
            self._add(Role.PLACE, f"on {text}", default="")
        elif phrase.is_only("ablt") and phrase.entry.kind in ("seasons", "dayparts"):
            word = "in" if phrase.entry.kind == "seasons" else "on"
            self._add(Role.PLACE, f"{word} {text}", default="")
        elif phrase.is_only("ablt") and self.pieces and free:
            self._add(Role.PLACE, f"with {text}", default="")
        elif phrase.is_only("datv", "loct") and self.pieces and free:
            if phrase.entry.russian in rules().relatives:
                text = phrase.text(["datv"], articles=False)
            receiver = text if after_verb else f"for {text}"
            self._add(Role.PLACE, receiver, default="", receiver=after_verb)
        else:
            self._add(Role.NOUN, text, phrase)

    def _verb(self, place: int) -> int:
        item = self.items[place]
        if item.verb_form is Verb.PARTICIPLE:
            form = english.participle(item.verb) if item.passive else english.gerund(item.verb)
            self._add(Role.PARTICIPLE, form)
        elif item.verb_form is Verb.IMPERATIVE:
            self._add(Role.VERB, item.verb, default=",")
        elif item.verb_form is Verb.INFINITIVE or (
            item.verb_form is Verb.FINITE and self._glue == "like"
        ):
            self._infinitive(item)
        else:
            self._add(
                Role.VERB,
                english.gerund(item.verb),
                intransitive=item.verb in rules().intransitive and item.verb_form is Verb.FINITE,
            )
        return place + 1

    def _infinitive(self, item: Item) -> None:
        if self._glue == "like":
            self._glue = "," if self.pieces else ""
            self._add(Role.VERB, f"how to {item.verb}")
        elif self.pieces and self._glue is None:
            self._add(Role.VERB, f"to {item.verb}")
        else:
            self._add(Role.VERB, english.gerund(item.verb))

    def _prepositional(self, place: int) -> int:
        found = self._nouns.prepositional(place)
        if found is None:
            if adverb := adverb_of(self.items[place].key):
                self._add(Role.ADVERB, adverb)
            return place + 1
        text, end = found
        self._add(Role.PLACE, text)
        return end

    def _shot(self, place: int) -> int:
        """A shot stands apart; "крупный план чашки" takes its object along."""
        text = self.items[place].english
        end = place + 1
        found = self._nouns.noun_phrase(end)
        if found is not None and found[0].may_be("gent"):
            text = f"{text} of {found[0].text(['gent'], self.articles)}"
            end = found[1]
        self._add(Role.APART, text, default=",")
        return end

    def _negation(self, place: int) -> int:
        """What is not wanted, to the end of the coordinated nouns or adjectives."""
        direct = self.items[place].key == "не"
        place += 1
        while (item := self._nouns.at(place)) is not None and item.kind is Kind.NEGATOR:
            direct = False
            place += 1
        if not direct and (item is None or item.kind in (Kind.COMMA, Kind.STOP)):
            self._reject_last()
        if item is None:
            return place
        if direct and item.verb:
            self._glue = self._glue or ""
            self._add(Role.VERB, f"not {english.gerund(item.verb)}")
            return place + 1
        return self._unwanted(place)

    def _reject_last(self) -> None:
        """ "людей быть не должно": what was said last is what is not wanted."""
        last = self.pieces[-1] if self.pieces else None
        if last is None or self._glue is not None:
            return
        if last.phrase is not None and last.phrase.may_be("gent"):
            self.unwanted.append(last.phrase.text(("gent",), articles=False))
            self.pieces.pop()
        elif last.role is Role.ADJECTIVE:
            self.unwanted.append(last.text)
            self.pieces.pop()

    def _unwanted(self, place: int) -> int:
        while (item := self._nouns.at(place)) is not None:
            found = self._nouns.noun_phrase(place)
            if found is not None:
                self.unwanted.append(found[0].text(("gent", "accs", "nomn"), articles=False))
                place = found[1]
            elif item.adjective or item.kind is Kind.ADVERB:
                word = item.adjective or item.english
                following = self._nouns.at(place + 1)
                if item.kind is Kind.ADVERB and following is not None and following.adjective:
                    word = f"{word} {following.adjective}"
                    place += 1
                self.unwanted.append(word)
                place += 1
            elif item.kind is Kind.PREPOSITION:
                place += 1
                continue
            else:
                break
            if not self._more_unwanted(place):
                break
            place += 1
        return place

    def _more_unwanted(self, place: int) -> bool:
        """Whether "и текста", ", логотипов" goes on with what is not wanted."""
        joint = self._nouns.at(place)
        if joint is None or not (joint.kind is Kind.COMMA or joint.english in ("and", "or")):
            return False
        found = self._nouns.noun_phrase(place + 1)
        return found is not None and found[0].may_be("gent") and not found[0].may_be("nomn")


def _ends_with_preposition(piece: Piece) -> bool:
    """ "come for", "working on" take their object as it is."""
    return piece.text.rpartition(" ")[2] in ("for", "on", "at", "to", "in", "of", "with", "through")


def _ordered(pieces: list[Piece]) -> list[Piece]:
    """English order inside each stretch between commas: subject, verb, object, place."""
    ordered: list[Piece] = []
    segment: list[Piece] = []
    for piece in pieces:
        if piece.glue in (",", ".", ", but", "with", "when", "while") and segment:
            ordered += _segment(segment)
            segment = []
        segment.append(piece)
    return ordered + _segment(segment)


def _segment(pieces: list[Piece]) -> list[Piece]:
    verb = next((at for at, piece in enumerate(pieces) if piece.role is Role.VERB), None)
    if verb is None:
        return _place_last(pieces)
    if any(_may_be_subject(piece) for piece in pieces[:verb]):
        return _place_after_verb(_object_first(pieces, verb), verb)
    subject = _late_subject(pieces, verb)
    if subject is None:
        return _object_first(pieces, verb)
    start, end = subject
    order = [*pieces[start:end], *pieces[verb:start], *pieces[:verb], *pieces[end:]]
    return _reglued(order, pieces[0].glue)


def _object_first(pieces: list[Piece], verb: int) -> list[Piece]:
    """ "taking baguettes out of an oven": the object before the places; "showing a child a book"
    has the person first."""
    end = verb + 1
    outer = (Role.PLACE, Role.ADVERB)
    while end < len(pieces) and pieces[end].role in outer and not pieces[end].glue:
        end += 1
    if end == verb + 1 or end == len(pieces) or pieces[end].glue or pieces[end].phrase is None:
        return pieces
    if pieces[end].role is not Role.NOUN or pieces[verb + 1].receiver:
        return pieces
    return [*pieces[: verb + 1], pieces[end], *pieces[verb + 1 : end], *pieces[end + 1 :]]


def _may_be_subject(piece: Piece) -> bool:
    return piece.phrase is not None and piece.phrase.may_be("nomn")


def _late_subject(pieces: list[Piece], verb: int) -> tuple[int, int] | None:
    """Where the subject after the verb stands, with nouns joined to it by "and"."""
    for at in range(verb + 1, len(pieces)):
        phrase = pieces[at].phrase
        if phrase is None or pieces[at].glue:
            continue
        sure = phrase.may_be("nomn") and not phrase.may_be("accs")
        if not (sure or (pieces[verb].intransitive and phrase.may_be("nomn"))):
            return None
        end = at + 1
        while end < len(pieces) and pieces[end].glue in ("and", "or") and pieces[end].phrase:
            end += 1
        return at, end
    return None


def _place_after_verb(pieces: list[Piece], verb: int) -> list[Piece]:
    """ "на диване девушка читает книгу": a place before the subject goes to the end."""
    if pieces[0].role is not Role.PLACE or pieces[1].glue not in ("", ","):
        return pieces
    return _reglued([*pieces[1:], pieces[0]], pieces[0].glue)


def _place_last(pieces: list[Piece]) -> list[Piece]:
    """ "на столе чашка и плед" is "a cup and a blanket on a table"."""
    outer = (Role.PLACE, Role.ADVERB)
    lead = next((at for at, piece in enumerate(pieces) if piece.role not in outer), 0)
    if not lead or pieces[lead].role is not Role.NOUN:
        return pieces
    return _reglued([*pieces[lead:], *pieces[:lead]], pieces[0].glue)


def _reglued(pieces: list[Piece], first_glue: str) -> list[Piece]:
    """The pieces with the stretch's own glue in front and commas that were reordered dropped."""
    glues = (
        first_glue if at == 0 else (piece.glue if piece.glue in ("and", "or", "like") else "")
        for at, piece in enumerate(pieces)
    )
    return [replace(piece, glue=glue) for piece, glue in zip(pieces, glues, strict=True)]
