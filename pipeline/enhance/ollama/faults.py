"""A language model that does not write: which faults there are, told the operator and named."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from pipeline.errors import BackendBusy, BackendUnavailable, BadAnswer, Unwritten

T = TypeVar("T")
_log = logging.getLogger(__name__)


async def written(work: Awaitable[T], deadline_s: float, what: str) -> T:
    """What the model writes within the deadline. Raises Unwritten, and logs the reason.

    `what`: what it is to write, for the log.
    """
    try:
        async with asyncio.timeout(deadline_s):
            return await work
    except BackendUnavailable as error:
        _log.error("no %s by the language model, and there won't be: %s", what, error)
        raise Unwritten(error.code) from error
    except (BackendBusy, BadAnswer) as error:
        _log.warning("no %s by the language model: %s", what, error)
        raise Unwritten(error.code) from error
    except TimeoutError as error:
        _log.warning("no %s by the language model within %g s", what, deadline_s)
        raise Unwritten("timeout") from error
