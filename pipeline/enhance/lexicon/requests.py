"""Takes out of a request what is not in the picture: "пост для инстаграма: ..." and its like.

The judge compares pictures with the intent, so the intent must name the subject only.
"""

from __future__ import annotations

from pipeline.enhance.lexicon.rules import rules
from pipeline.enhance.lexicon.tokens import Token, TokenKind, tokenize

_MOST_BETWEEN = 2
"""So many adjectives and pronouns may stand between "для" and the place: "для нашего нового"."""


def subject_of(tokens: list[Token]) -> tuple[list[Token], bool]:
    """The tokens without destinations and, if anything else is there, without request words.

    The flag says whether the subject stood in the genitive of a request word: "реклама кофейни".
    """
    without_places = _without_destinations(tokens)
    subject = _without_requests(without_places)
    tie = _past_ties(subject, 0) if len(subject) < len(tokens) else 0
    subject = subject[tie:]
    for candidate in (subject, without_places):
        if any(token.kind is not TokenKind.MARK for token in candidate):
            return candidate, candidate is subject and _was_owned(without_places, subject)
    return without_places, False


def is_written(tokens: list[Token], at: int) -> bool:
    """Whether a quotation stands between a poster and whom it is for: it is written there."""
    around = [tokens[at - 1] if at else None, tokens[at + 1] if at + 1 < len(tokens) else None]
    before, after = around
    if before is None or after is None or after.key != "для":
        return False
    return not before.forms.isdisjoint(rules().printed)


def _was_owned(tokens: list[Token], subject: list[Token]) -> bool:
    """Whether the subject's first word follows a request word with nothing in between."""
    first = next((at for at, token in enumerate(tokens) if token is subject[0]), 0)
    return any(rules().requests.longest_at(tokens, at) == first - at for at in range(first))


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
    taken = rules().destinations.longest_at(tokens, place)
    return place + taken if taken else 0


def _may_stand_between(tokens: list[Token], at: int) -> bool:
    token = tokens[at]
    if rules().destinations.longest_at(tokens, at):
        return False
    return token.is_adjective or not token.forms.isdisjoint(rules().ignored)


def _further_destinations(tokens: list[Token], at: int) -> int:
    """Past "... и вк", "... инстаграм" that follow a destination."""
    while at < len(tokens):
        joined = at + (tokens[at].key in ("и", "или", ",", "+", "/", "&"))
        taken = rules().bare_destinations.longest_at(tokens, joined)
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
        taken = rules().requests.longest_at(tokens, at) or _lone_medium(tokens, at)
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
        which = len(ahead) == 2 and "который" in tokens[at + 1].forms
        if which or ahead in (["на", "тему"], ["то", ","]):
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
