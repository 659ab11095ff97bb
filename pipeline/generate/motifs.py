"""What a thing to draw is made of; `goods` and `world` hold the things.

A motif stands on the line y = 0 around x = 0 and is about 1 high (y from -1 to 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.generate.shapes import Shape, union

Tone = Literal["hero", "second", "accent", "light", "deep", "leaf", "panel"]
Form = Literal["flat", "round", "down", "across", "ball"]


@dataclass(frozen=True, slots=True)
class Part:
    """A shape, what it is painted with, how it is lit. `solid` parts cast shadows."""

    shape: Shape
    tone: Tone
    form: Form = "flat"
    alpha: float = 1.0
    solid: bool = True


Motif = tuple[Part, ...]


def footprint(motif: Sequence[Part]) -> Shape:
    """The outline that casts the motif's shadow."""
    return union(*(part.shape for part in motif if part.solid))
