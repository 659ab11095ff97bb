"""The log of every Bot API call: the judge of duplicates and rates."""

import time
from collections import deque
from dataclasses import dataclass

from playground.state import JsonObject

KEPT_ROWS = 100_000


@dataclass(slots=True, frozen=True)
class Row:
    """One call, written when its answer was decided; `status` is None where none was sent."""

    n: int
    time: float
    bot: int | None
    method: str
    chat_id: int | str | None
    arguments: JsonObject
    status: int | None
    error: str | None
    fault: str | None


class Journal:
    """The last `KEPT_ROWS` calls, numbered from 1; time never goes back."""

    def __init__(self) -> None:
        self._rows: deque[Row] = deque(maxlen=KEPT_ROWS)
        self._count = 0
        self._last_time = 0.0

    def write(
        self,
        bot: int | None,
        method: str,
        arguments: JsonObject,
        status: int | None,
        error: str | None = None,
        fault: str | None = None,
    ) -> None:
        """Add a row."""
        self._count += 1
        self._last_time = max(self._last_time, time.time())
        chat = arguments.get("chat_id")
        chat_id = chat if isinstance(chat, int | str) else None
        self._rows.append(
            Row(self._count, self._last_time, bot, method, chat_id, arguments, status, error, fault)
        )

    def after(self, n: int, bot: int | None = None) -> list[Row]:
        """Rows numbered above `n`, oldest first."""
        return [row for row in self._rows if row.n > n and bot in (None, row.bot)]
