"""English among Russian words ("кофе and круассаны plz"), and the slips of English requests."""

from __future__ import annotations

import functools
import re

from pipeline.enhance.lexicon.rules import rules
from pipeline.enhance.lexicon.tokens import Token, TokenKind, tokenize


def in_russian(tokens: list[Token]) -> list[Token]:
    """The tokens with "for", "and" and their like in Russian where a Russian word follows."""
    mixed = rules().mixed
    if not any(token.key in mixed for token in tokens):
        return tokens
    kept: list[Token] = []
    for at, token in enumerate(tokens):
        word = mixed.get(token.key)
        if word is None or not _before_russian(tokens, at):
            kept.append(token)
        elif word:
            kept += tokenize(word)
    return kept


def _before_russian(tokens: list[Token], at: int) -> bool:
    """Whether the next word that says something is Russian; at the end, the one before."""
    mixed = rules().mixed
    ahead = (token for token in tokens[at + 1 :] if token.key not in mixed)
    neighbour = next(ahead, None)
    if neighbour is None:
        neighbour = next((t for t in reversed(tokens[:at]) if t.key not in mixed), None)
        return neighbour is not None and not neighbour.text.isascii() and not mixed[tokens[at].key]
    return neighbour.kind is TokenKind.WORD and not neighbour.text.isascii()


def without_slips(english: str) -> str:
    """The text with the commonest misspellings mended and "plz" left out."""
    mended = _slips().sub(lambda found: rules().slips[found[0].lower()], english)
    return re.sub(r"\s+([,.;:!?])", r"\1", " ".join(mended.split()))


@functools.cache
def _slips() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(rules().slips)})\b", re.IGNORECASE)
