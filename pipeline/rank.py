"""Who comes first: the order of scored pictures, by score alone or with an eye to difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.types import Score

TWIN_COSINE = 0.94
"""From this cosine of embeddings on, two pictures are near-twins.

Set for CLIP ViT-B/32, by clip-retrieval's published value for telling duplicates
(github.com/rom1504/clip-retrieval, `get_non_uniques`). Photos of different things there reach 0.78,
two crops of one kitten 0.87.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """One place of an album, best first.

    `index` is the picture's in what was scored, `score_rank` its place (from 1) by score alone,
    `twin_of` the place (from 1) of an earlier picture that it nearly equals.
    """

    index: int
    score_rank: int
    twin_of: int | None = None


def rank(scores: Sequence[Score]) -> list[int]:
    """Indices into `scores`, best `final` first; equal ones keep their order."""
    return sorted(range(len(scores)), key=lambda index: -scores[index].final)


def diversify(scores: Sequence[Score], diversity: float) -> list[int]:
    """Indices in the order of maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998).

    The best `final` comes first; each next place goes to the highest
    `(1 - diversity) * final - diversity * cosine to the likest picture before`. `diversity` is
    0..1; at 0, and where the judge has no embeddings, this is `rank`.
    """
    rest = rank(scores)
    if diversity == 0 or any(score.embedding is None for score in scores):
        return rest
    order = rest[:1]
    del rest[:1]
    while rest:

        def relevance(index: int) -> float:
            likest = likeness(scores[index], [scores[other] for other in order])
            return (1 - diversity) * scores[index].final - diversity * likest

        order.append(max(rest, key=relevance))
        rest.remove(order[-1])
    return order


def places(scores: Sequence[Score], diversity: float) -> list[Place]:
    """The album's places in `diversify`'s order, near-twins marked."""
    order = diversify(scores, diversity)
    by_score = rank(scores)
    return [
        Place(index, by_score.index(index) + 1, _twin_of(scores, order, at))
        for at, index in enumerate(order)
    ]


def cosine(one: Score, other: Score) -> float:
    """How like two pictures are, -1..1; 0 where the judge has no embeddings."""
    if one.embedding is None or other.embedding is None:
        return 0.0
    return float(one.embedding @ other.embedding)


def likeness(one: Score, others: Sequence[Score]) -> float:
    """The cosine to the likest of the others, of whom there is at least one."""
    return max(cosine(one, other) for other in others)


def _twin_of(scores: Sequence[Score], order: Sequence[int], at: int) -> int | None:
    cosines = [cosine(scores[order[at]], scores[before]) for before in order[:at]]
    if not cosines or max(cosines) < TWIN_COSINE:
        return None
    return cosines.index(max(cosines)) + 1
