"""Proper names: in their nominative before they are spelled, and streets as English names them."""

from __future__ import annotations

import functools

from pipeline.enhance.lexicon.rules import rules
from pipeline.enhance.lexicon.tokens import Token, TokenKind
from pipeline.enhance.lexicon.transliterate import to_ascii
from pipeline.enhance.lexicon.vocabulary import normal, vocabulary
from pipeline.morphology import analyzer, readings

_PROPER = frozenset({"Name", "Surn", "Patr", "Geox"})
_GENDERS = {"femn": "Street", "masc": "Avenue", "neut": "Avenue"}
"""What a street is when only its adjective is there: "на Лесной" (улице), "на Невском"."""


@functools.lru_cache(maxsize=2048)
def nominative(word: str) -> str:
    """The word's nominative, its number and capital kept; itself if no dictionary has it."""
    if word.isupper() or not analyzer().word_is_known(normal(word)):
        return word
    parses = analyzer().parse(word.lower())
    parse = parses[0]
    if parse.tag.POS != "NOUN" or parse.tag.case is None or "Fixd" in parse.tag:
        return word
    # "Настройки" may be one in the genitive or many; "Анны" is hardly ever many.
    proper = word[:1].isupper() and not _PROPER.isdisjoint(parse.tag.grammemes)
    if any(other.tag.case == "nomn" for other in (parses[:1] if proper else parses)):
        return word
    number = "plur" if parse.tag.number == "plur" else "sing"
    base = parse.inflect({"nomn", number})
    return _as_written(word, base.word) if base is not None else word


def _as_written(word: str, form: str) -> str:
    return form.capitalize() if word[:1].isupper() else form


def street_at(tokens: list[Token], at: int) -> tuple[str, int]:
    """The street that begins there, as "Lesnaya Street", and how many tokens name it; or "", 0."""
    word = tokens[at]
    if word.kind is not TokenKind.WORD:
        return "", 0
    ahead = tokens[at + 1] if at + 1 < len(tokens) else None
    if kind := _kind(word):
        place = at + 1 + (ahead is not None and ahead.key == ".")
        name = tokens[place] if place < len(tokens) else None
        if name is None or not _is_name(name):
            return "", 0
        return f"{_spelled(name)} {kind}", place + 1 - at + _house(tokens, place + 1)
    if not _is_name(word):
        return "", 0
    if ahead is not None and word.is_adjective and (kind := _kind(ahead)):
        return f"{_spelled(word)} {kind}", 2
    if at and tokens[at - 1].key == "на" and (kind := _kind_by_name(word, ahead)):
        return f"{_spelled(word)} {kind}", 1 + _house(tokens, at + 1)
    return "", 0


def _house(tokens: list[Token], at: int) -> int:
    """Whether a house's number stands there, as a count of tokens: it says nothing of a picture."""
    number, after = [*tokens[at : at + 2], None, None][:2]
    is_number = number is not None and number.kind is TokenKind.NUMBER and number.key.isdigit()
    return int(is_number and (after is None or after.kind is TokenKind.MARK))


def _kind(token: Token) -> str:
    """ "Street" for "улице" and "ул", empty for other words and for "Улица" as a name."""
    if token.kind is not TokenKind.WORD or token.text[:1].isupper():
        return ""
    return next((rules().streets[form] for form in token.forms if form in rules().streets), "")


def _is_name(token: Token) -> bool:
    capital = token.text[:1].isupper() and token.text[1:].islower()
    if token.kind is not TokenKind.WORD or not capital or token.text.isascii():
        return False
    entries = [e for form in token.forms for e in vocabulary().words.get(form, ())]
    return not any(entry.kind == "names" for entry in entries)


def _kind_by_name(word: Token, ahead: Token | None) -> str:
    """What "на Лесной" and "на Ленина" are the names of; empty before a noun: "на Белой стене"."""
    found = readings(word.key)
    if ahead is not None and ahead.kind is TokenKind.WORD:
        next_word = readings(ahead.key)[0]
        if next_word.pos in ("NOUN", "ADJF", "PRTF") and next_word.case in ("loct", ""):
            return ""
    for reading in found:
        if reading.pos == "ADJF" and reading.case == "loct" and reading.number == "sing":
            return _GENDERS.get(reading.gender, "")
    own = not any(reading.case == "loct" for reading in found) and found[0].known
    return "Street" if own and (found[0].pos, found[0].case) == ("NOUN", "gent") else ""


def _spelled(name: Token) -> str:
    """An adjective in the nominative of its own gender, a genitive ("Ленина") as it stands."""
    for parse in analyzer().parse(name.text.lower()):
        if parse.tag.POS == "ADJF" and parse.tag.number == "sing":
            gender = str(parse.tag.gender)
            base = parse.inflect({"nomn", "sing", "femn" if gender == "femn" else "masc"})
            return to_ascii(_as_written(name.text, base.word if base else name.text))
    return to_ascii(name.text)
