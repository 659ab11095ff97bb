"""A text as words, numbers, quotations and marks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from pipeline.enhance.lexicon.vocabulary import WORD, forms_of, normal
from pipeline.morphology import readings

_QUOTED = re.compile(r"«([^»]*)»|\"([^\"]*)\"|“([^”]*)”|„([^“”]*)[“”]")
_CURRENCY = re.compile(r"(\d)\s*(₽|руб\.?(?![а-я])|р\.(?!\w)|р\b)", re.IGNORECASE)
_MINUS = re.compile(r"(?<![\w%])[-−–](?=\d+\s*%)")
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3}) (\d{3})(?!\d)")
_SPACED_PERCENT = re.compile(r"(\d)\s+%")
_PERCENT_WORD = re.compile(r"(\d)\s*процент(?:а|ов|ам|ами)?\b", re.IGNORECASE)
_RANGE = re.compile(r"\bот\s+(\d+)\s*%?\s+до\s+(\d+)\s*%", re.IGNORECASE)
_DECADE = re.compile(
    r"\b(\d0|\d\d\d0)-?(?:е|х|ые|ых|м|ми|ым|ыми)\b(?:\s+год(?:ы|ов|ам|ами|ах)\b|\s*гг?\.)?",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"\b(\d{1,2})-?(?:го|ое)\b", re.IGNORECASE)
_ROOMS = re.compile(r"\b([1-5])(?:-?[хуыи]{1,2})?[\s-]*комнатн(?=\w)", re.IGNORECASE)
_SIZE = re.compile(r"(\d)\s*[хХ×]\s*(\d)")
_IN_ROOMS = {"1": "одно", "2": "двух", "3": "трех", "4": "четырех", "5": "пяти"}
_DASH = re.compile(r"\s+[-–—]+\s+|—")
_ADJECTIVES = frozenset({"ADJF", "PRTF"})


class TokenKind(Enum):
    WORD = auto()
    NUMBER = auto()
    QUOTE = auto()
    MARK = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of the text. `key` is its normal form, `forms` what it may be the form of."""

    kind: TokenKind
    text: str
    key: str
    forms: frozenset[str]

    @property
    def is_stop(self) -> bool:
        """Ends what stands before it, as a full stop does."""
        return self.kind is TokenKind.MARK and self.key in ".!?;:—()/…|\\"

    @property
    def is_adjective(self) -> bool:
        return self.kind is TokenKind.WORD and readings(self.key)[0].pos in _ADJECTIVES


def tokenize(text: str) -> list[Token]:
    """The text's tokens; quotations stay whole."""
    text = _SPACED_PERCENT.sub(r"\1%", _DASH.sub(" — ", _MINUS.sub("минус ", text)))
    text = _THOUSANDS.sub(r"\1\2", text)
    text = _RANGE.sub(r"\1-\2%", _PERCENT_WORD.sub(r"\1%", text))
    text = _CURRENCY.sub(r"\1 рублей ", text)
    text = _SIZE.sub(r"\1x\2", text)
    text = _ORDINAL.sub(r"\1", _DECADE.sub(r"\1s", text))
    text = _ROOMS.sub(lambda found: f"{_IN_ROOMS[found[1]]}комнатн", text)
    tokens: list[Token] = []
    end = 0
    for quoted in _QUOTED.finditer(text):
        tokens += _plain(text[end : quoted.start()])
        inner = next((group for group in quoted.groups() if group), "").strip()
        if any(char.isalnum() for char in inner):
            tokens.append(Token(TokenKind.QUOTE, inner, inner, frozenset()))
        end = quoted.end()
    return tokens + _plain(text[end:])


def _plain(text: str) -> list[Token]:
    return [_token(word) for word in WORD.findall(text)]


def _token(text: str) -> Token:
    if text[0].isdigit() and not any(char.isalpha() for char in text):
        return Token(TokenKind.NUMBER, text, text, frozenset({text}))
    if text[0].isalnum():
        return Token(TokenKind.WORD, text, normal(text), forms_of(text))
    return Token(TokenKind.MARK, text, text, frozenset({text}))


def starts_with(tokens: list[Token], at: int, phrase: tuple[frozenset[str], ...]) -> bool:
    """Whether the phrase, in any inflection, stands in the tokens from `at` on."""
    ahead = tokens[at : at + len(phrase)]
    return len(ahead) == len(phrase) and all(
        not word.isdisjoint(token.forms) for word, token in zip(phrase, ahead, strict=True)
    )
