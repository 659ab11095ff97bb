"""Takes out of a request what is not in the picture: "пост для инстаграма: ..." and its like.

The judge compares pictures with the intent, so the intent must name the subject only.
"""

from __future__ import annotations

from pipeline.enhance.lexicon.rules import Phrases, rules
from pipeline.enhance.lexicon.tokens import Token, TokenKind, starts_with, tokenize

_MOST_BETWEEN = 2
"""So many adjectives and pronouns may stand between "для" and the place: "для нашего нового"."""


def subject_of(tokens: list[Token]) -> list[Token]:
    """The tokens without request words and destinations; all of them if nothing else is there."""
    without_places = _without_destinations(tokens)
    subject = _without_requests(without_places)
    if len(subject) < len(tokens):
        subject = subject[_past_ties(subject, 0) :]
    for candidate in (subject, without_places):
        if any(token.kind is not TokenKind.MARK for token in candidate):
            return candidate
    return tokens


def _longest(phrases: Phrases, tokens: list[Token], at: int) -> int:
    """How many tokens the longest phrase takes at this place; 0 for none."""
    return next((len(phrase) for phrase in phrases if starts_with(tokens, at, phrase)), 0)


def _without_destinations(tokens: list[Token]) -> list[Token]:
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        if end := _destination_end(tokens, at):
            at = _further_destinations(tokens, end)
        else:
            kept.append(tokens[at])
            at += 1
    return kept


def _destination_end(tokens: list[Token], at: int) -> int:
    """Where "для нашего инстаграма" ends if it begins here, else 0."""
    if tokens[at].key not in rules().destination_prepositions:
        return 0
    place = at + 1
    while place <= at + _MOST_BETWEEN and place < len(tokens) and _may_stand_between(tokens, place):
        place += 1
    taken = _longest(rules().destinations, tokens, place)
    return place + taken if taken else 0


def _may_stand_between(tokens: list[Token], at: int) -> bool:
    token = tokens[at]
    if _longest(rules().destinations, tokens, at):
        return False
    return token.is_adjective or not token.forms.isdisjoint(rules().ignored)


def _further_destinations(tokens: list[Token], at: int) -> int:
    """Past "... и вк", "... инстаграм" that follow a destination."""
    while at < len(tokens):
        joined = at + (tokens[at].key in ("и", "или", ",", "+", "/", "&"))
        taken = _longest(rules().bare_destinations, tokens, joined)
        if not taken:
            break
        at = joined + taken
    return at


def _without_requests(tokens: list[Token]) -> list[Token]:
    kept: list[Token] = []
    lone_adjectives: list[Token] = []
    segment_start = 0
    at = 0
    while at < len(tokens):
        taken = _longest(rules().requests, tokens, at) or _lone_medium(tokens, at)
        before = kept[segment_start:]
        if taken and all(token.is_adjective or _is_noise(token) for token in before):
            lone_adjectives += [token for token in before if token.is_adjective]
            del kept[segment_start:]
            at = _past_ties(tokens, _further_destinations(tokens, at + taken))
            continue
        kept.append(tokens[at])
        if tokens[at].is_stop or tokens[at].key == ",":
            segment_start = len(kept)
        at += 1
    if lone_adjectives and kept:
        kept += [*tokenize(","), *lone_adjectives]
    return kept


def _is_noise(token: Token) -> bool:
    return not token.forms.isdisjoint(rules().ignored)


def _lone_medium(tokens: list[Token], at: int) -> int:
    """A "фото:" says no more than "картинка:"; in "фото кота" it says how to draw."""
    tied = at + 1 < len(tokens) and (tokens[at + 1].is_stop or tokens[at + 1].key in ("про", "о"))
    return int(tied and not tokens[at].forms.isdisjoint(rules().request_media))


def _past_ties(tokens: list[Token], at: int) -> int:
    """Past "про", "с", "на тему", "на которой" and marks that tie a request to its subject."""
    while at < len(tokens):
        ahead = [token.key for token in tokens[at : at + 2]]
        if ahead == ["на", "тему"] or (len(ahead) == 2 and "который" in tokens[at + 1].forms):
            at += 2
        elif (
            ahead[0] in rules().request_ties
            or tokens[at].kind is TokenKind.MARK
            or not tokens[at].forms.isdisjoint(rules().modals)
        ):
            at += 1
        else:
            break
    return at
