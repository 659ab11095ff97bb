"""Dying at any moment: work that is broken off at its nth wait, in the middle of it or after it."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Literal

Moment = Literal["during", "after"]
"""Of a wait: while a server is at it (it may do it all the same), or once it has answered."""


@types.coroutine
def _broken_off(
    work: Coroutine[Any, Any, object], at: int, moment: Moment
) -> Generator[Any, Any, None]:
    waits, error = 0, None
    while True:
        try:
            waits_for = work.throw(error) if error else work.send(None)
        except StopIteration:
            return
        error, waits = None, waits + 1
        if waits == at and moment == "during" and waits_for is not None:
            waits_for.cancel()
        try:
            yield waits_for
        except BaseException as raised:
            error = raised
        if waits == at:
            error = error or asyncio.CancelledError()


async def dies(work: Coroutine[Any, Any, object], at: int, moment: Moment) -> bool:
    """Whether it died: False when it has fewer than `at` waits, and so is done."""
    try:
        await _broken_off(work, at, moment)
    except asyncio.CancelledError:
        return True
    return False


async def at_every_wait(
    work: Callable[[], Coroutine[Any, Any, object]],
    moment: Moment,
    then: Callable[[], Awaitable[None]],
) -> int:
    """Starts `work` over and over, to die one wait later each time; `then` follows each death.

    Returns at how many moments it died.
    """
    at = 1
    while await dies(work(), at, moment):
        await then()
        at += 1
        assert at < 1000, "it never ends"
    await then()
    return at - 1
