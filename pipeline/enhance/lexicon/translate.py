"""The whole way of a text from Russian to English, without what a prompt adds to it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from pipeline.enhance.lexicon.clauses import ClauseWriter, Piece, Role
from pipeline.enhance.lexicon.english import with_article
from pipeline.enhance.lexicon.mixed import in_russian, without_slips
from pipeline.enhance.lexicon.nouns import OFFERS
from pipeline.enhance.lexicon.reader import Reader
from pipeline.enhance.lexicon.requests import is_written, subject_of
from pipeline.enhance.lexicon.rules import rules
from pipeline.enhance.lexicon.tokens import Token, TokenKind, tokenize
from pipeline.enhance.lexicon.transliterate import to_ascii
from pipeline.enhance.lexicon.words import known_word

_CYRILLIC = re.compile("[\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f]")
_NETWORKS = (
    r"(?:instagram|insta|facebook|telegram|vk|youtube|tiktok|pinterest|linkedin|whatsapp|website)"
)
_REQUESTED = r"(?:post|story|stories|reels?|banner|cover|thumbnail|creative|ad|pin|header)"
_ENGLISH_REQUEST = re.compile(
    rf"^(?:an? |the )?(?:{_NETWORKS} {_REQUESTED}|{_NETWORKS}(?=:)|{_REQUESTED}(?=:| about| for))s?"
    r"\s*(?:[:-]|(?:about|with|of|featuring|for)\b)?\s*",
    re.IGNORECASE,
)
_ENGLISH_PLACE = re.compile(
    rf"\s*\b(?:for|on|to) (?:my |our |the |an? )?{_NETWORKS}(?: {_REQUESTED}| channel| page)?\b",
    re.IGNORECASE,
)
_ENGLISH_WITHOUT = re.compile(
    r",?\s*\b(?:without|no) ((?:any )?[a-z]+(?: (?:or|and) [a-z]+)?)\b", re.I
)
_STYLE = frozenset({"стиль"})
_LONGEST_NAME_WORDS = 2
_WORDS_IN_SUBJECT = 60
"""More than any model reads; a wall of text is cut here."""

_FOR_SOMEBODY = re.compile(r"for (?!\d)")
"""A purpose, and no price: "for a shoe store", "for 199 rubles"."""
_GLUES = {"": " ", ",": ", ", ".": ", ", ", but": ", but "}
_DANGLING = re.compile(r"(?:[\s,]+(?:and|or|with|of|in|on|for|a|an|the|to|from|by|at))+$")


@dataclass(frozen=True, slots=True)
class Translated:
    """English for a text, as the parts it can be shortened by; ASCII only.

    `unwanted` are the things the text asks to leave out, `unknown` the source words that were
    transliterated or left out for want of a translation.
    """

    parts: tuple[str, ...]
    unwanted: tuple[str, ...]
    unknown: tuple[str, ...]

    def sentence(self, most_words: int = _WORDS_IN_SUBJECT) -> str:
        """The parts joined, as many as fit into that many words, the first one cut if need be."""
        text = ""
        for part in self.parts:
            if text and len((text + part).split()) > most_words:
                break
            text += part
        words = text.strip().lstrip(", ").split()
        return _DANGLING.sub("", " ".join(words[:most_words])).strip(" ,")


def translate(
    text: str, *, articles: bool = True, requests: bool = True, style: bool = False
) -> Translated:
    """The text in English. `requests=False` keeps words like "баннер" and "для сайта".

    `style`: the text tells of a style, "дерево" is a material there.
    """
    text = unicodedata.normalize("NFC", text)
    if not _CYRILLIC.search(text):
        return _english(text, requests)
    tokens = in_russian(_unquoted(tokenize(text)))
    subject, owned = subject_of(tokens) if requests else (tokens, False)
    reader = Reader(subject, _plain_words, _STYLE if style else frozenset())
    writer = ClauseWriter(reader.read(), articles, owned)
    pieces = _purpose_last(_offer_last(writer.write()), _made(tokens))
    return Translated(
        parts=tuple(_part(piece, at == 0) for at, piece in enumerate(pieces)),
        unwanted=tuple(dict.fromkeys(to_ascii(word) for word in writer.unwanted)),
        unknown=tuple(reader.unknown),
    )


def _english(text: str, requests: bool) -> Translated:
    """An English text as it is, without "instagram post about ..." where that is asked for."""
    words = without_slips(to_ascii(text))
    if requests:
        subject = _ENGLISH_REQUEST.sub("", _ENGLISH_PLACE.sub("", words), count=1).strip(" ,.:-")
        words = subject or words
    unwanted = tuple(match[1].strip() for match in _ENGLISH_WITHOUT.finditer(words))
    words = _ENGLISH_WITHOUT.sub("", words).strip(" ,.:-")
    stretches = re.split(r"(?<=,)\s+|[.;!?]\s+", words)
    parts = [stretches[0], *(f" {stretch}" for stretch in stretches[1:])] if words else []
    return Translated(tuple(parts), unwanted, () if words or unwanted else (text,))


def _plain_words(text: str) -> tuple[str, tuple[str, ...]]:
    inner = translate(text, articles=False, requests=False)
    return inner.sentence(), inner.unknown


def _unquoted(tokens: list[Token]) -> list[Token]:
    """Opens quotations that are no short name after a noun: they are the text itself.

    What a poster for somebody says is left out.
    """
    opened: list[Token] = []
    for at, token in enumerate(tokens):
        if token.kind is TokenKind.QUOTE and is_written(tokens, at):
            continue
        follows_word = at > 0 and tokens[at - 1].kind is TokenKind.WORD
        is_name = follows_word and len(token.text.split()) <= _LONGEST_NAME_WORDS
        if token.kind is TokenKind.QUOTE and not is_name and '"' not in token.text:
            opened += tokenize(token.text)
        else:
            opened.append(token)
    return opened


def _made(tokens: list[Token]) -> str:
    """The poster or flyer that a request is for, in English; empty if it is for none."""
    for token in tokens:
        for form in token.forms & rules().printed:
            word = known_word(form)
            if word is not None and word.noun is not None:
                return with_article(word.noun.english)
    return ""


def _offer_last(pieces: list[Piece]) -> list[Piece]:
    """ "скидки до 50% для магазина обуви": a discount can't be drawn, the shop can."""
    first = pieces[0] if pieces else None
    if first is None or first.phrase is None or first.phrase.entry not in OFFERS:
        return pieces
    if len(pieces) < 2 or pieces[1].glue or not _FOR_SOMEBODY.match(pieces[1].text):
        return pieces
    if any(piece.role is not Role.PLACE for piece in pieces[1:]):
        return pieces
    return [*pieces[1:], Piece(first.role, first.text, ",", first.phrase)]


def _purpose_last(pieces: list[Piece], made: str) -> list[Piece]:
    """ "для кофейни: осенний латте" names the purpose first; English has it last.

    Alone, the purpose is the subject, or what is `made` for it: "a poster for a shoe store".
    """
    first = pieces[0] if pieces else None
    if first is None or first.role is not Role.PLACE or not first.text.startswith("for "):
        return pieces
    end = 1
    while end < len(pieces) and pieces[end].role is Role.PLACE and _belongs(pieces[end]):
        end += 1
    purpose = pieces[:end]
    is_alone = all(p.phrase is not None and p.phrase.entry in OFFERS for p in pieces[end:])
    if is_alone and made:
        return [Piece(Role.NOUN, made, ""), *pieces]
    if is_alone:
        return [Piece(Role.NOUN, first.text.removeprefix("for "), ""), *pieces[1:]]
    subject, *rest = pieces[end:]
    if subject.role is Role.PLACE:
        words = subject.text.removeprefix("with ").removeprefix("about ")
        subject = Piece(Role.NOUN, words, "")
    return [subject, *rest, Piece(first.role, first.text, "," if rest else ""), *purpose[1:]]


def _belongs(piece: Piece) -> bool:
    """ "for a quiz in a bar" is one purpose; "with a pizza" after it is the subject."""
    return not piece.glue and not piece.text.startswith(("with ", "about "))


def _part(piece: Piece, first: bool) -> str:
    text = to_ascii(piece.text)
    if first:
        return text
    return _GLUES.get(piece.glue, f" {piece.glue} ") + text
