"""Waiting for what happens elsewhere, without guessing how long it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(holds: Callable[[], Awaitable[bool]], *, within_s: float = 20.0) -> None:
    """Returns once `holds`; fails the test when that takes longer than `within_s`."""
    for _ in range(round(within_s / 0.02)):
        if await holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"did not happen within {within_s:g} s")
