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

    `base` is the seed whose choices are kept; measures are drawn for both seeds and mixed,
    `drift` 0 giving the base's own and 1 the new seed's. Sides may change with the new seed.
    """

    def __init__(self, salt: str, base: int, seed: int, drift: float) -> None:
        self._base = _stream(salt, base)
        self._fresh = _stream(salt, seed)
        self._drift = drift if seed != base else 0.0

    def between(self, low: float, high: float) -> float:
        kept, fresh = self._base.random(), self._fresh.random()
        return low + (high - low) * (kept + (fresh - kept) * self._drift)

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._base.integers(len(options)))]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        return [options[index] for index in self._base.permutation(len(options))]

    def sign(self) -> int:
        kept = self.pick((-1, 1))
        return -kept if self.changed() else kept

    def changed(self) -> bool:
        """Whether this trait differs from the base's; never when there is no other seed."""
        return bool(self._fresh.random() < self._drift)
