"""Who comes first: the order of scored pictures."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.types import Score


def rank(scores: Sequence[Score]) -> list[int]:
    """Indices into `scores`, best `final` first; equal ones keep their order."""
    return sorted(range(len(scores)), key=lambda index: -scores[index].final)
