"""Where a picture comes from: its seed, and the noise that the seed gives.

The noise is drawn on the CPU whatever the device, one picture at a time: a seed makes the same
picture alone or in an album, and nearly the same on another kind of machine.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from pipeline.types import Variation

if TYPE_CHECKING:
    import torch


def another_seed(seed: int, attempt: int) -> int:
    """The seed to draw with instead of `seed` for the `attempt`-th time (from 1), 0..2**31-1.

    The lower two bits, a picture's place in its album (`run.derive_seed`), stay.
    """
    digest = hashlib.sha256(f"{seed}/{attempt}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFF_FFFC | seed & 3


def source(seed: int, variation: Variation | None) -> torch.Generator:
    """What the schedulers that add noise on the way take it from: of variations, the first seed."""
    import torch

    while variation:
        seed, variation = variation.seed, variation.of
    return torch.Generator("cpu").manual_seed(seed)


def initial(
    shape: tuple[int, ...], generator: torch.Generator, seed: int, variation: Variation | None
) -> torch.Tensor:
    """Normal noise of that shape, from the `source` of the same seed and variation; of a variation,
    between the old picture's and the seed's own."""
    import torch

    if variation is None:
        return torch.randn(shape, generator=generator)
    old = initial(shape, generator, variation.seed, variation.of)
    own = torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed))
    return slerp(old, own, variation.strength)


def slerp(one: torch.Tensor, other: torch.Tensor, part: float) -> torch.Tensor:
    """The point at `part` (0..1) of the arc from one to the other (Shoemake, SIGGRAPH 1985).

    Straight interpolation would shorten the noise, which the model takes for a duller picture.
    """
    cosine = float((one * other).sum() / (one.norm() * other.norm()))
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    if part == 0 or math.sin(angle) < 1e-6:
        return one  # To the bit.
    return (math.sin((1 - part) * angle) * one + math.sin(part * angle) * other) / math.sin(angle)
