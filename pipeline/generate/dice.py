"""Repeatable chance for the mock generator."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def _stream(*salt: object) -> np.random.Generator:
    """The same numbers for the same salt on every machine (never Python's salted `hash`)."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in salt).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


class Dice:
    """Throws that can stay close to another picture's.

    `base` is the seed whose choices are kept. Each of `steps` is a later seed and its drift: the
    measures so far are mixed with the seed's own, 0 leaving them as they are and 1 giving the
    seed's. Sides may change with every step.
    """

    def __init__(self, salt: str, base: int, steps: Sequence[tuple[int, float]] = ()) -> None:
        self._base = _stream(salt, base)
        self._steps = [(_stream(salt, seed), drift) for seed, drift in steps]

    def between(self, low: float, high: float) -> float:
        kept = self._base.random()
        for fresh, drift in self._steps:
            kept += (fresh.random() - kept) * drift
        return low + (high - low) * kept

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._base.integers(len(options)))]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        return [options[index] for index in self._base.permutation(len(options))]

    def sign(self) -> int:
        kept = self.pick((-1, 1))
        return -kept if self.changed() else kept

    def changed(self) -> bool:
        """Whether this trait differs from the base's: each step may turn it over."""
        turns = [fresh.random() < drift for fresh, drift in self._steps]
        return sum(turns) % 2 == 1
