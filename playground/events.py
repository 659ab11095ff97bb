"""Waking those who wait: long polls by a bell, chat pages by a feed of events."""

import asyncio
from dataclasses import dataclass, field

from playground.state import JsonObject


class Bell:
    """Wakes everybody who waits for a change."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake all who wait now."""
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def wait(self, timeout_s: float) -> bool:
        """Wait for the next ring; False when the time ran out first."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True


@dataclass(slots=True, frozen=True)
class Event:
    """One server-sent event: its name and its data."""

    name: str
    data: JsonObject


@dataclass(slots=True)
class Feed:
    """Hands every event of a world to each open chat page."""

    _pages: set[asyncio.Queue[Event | None]] = field(default_factory=set)

    def publish(self, name: str, data: JsonObject) -> None:
        """Queue an event for every open page."""
        for page in self._pages:
            page.put_nowait(Event(name, data))

    def open(self) -> asyncio.Queue[Event | None]:
        """A new page's queue; None in it means that the server is closing."""
        page: asyncio.Queue[Event | None] = asyncio.Queue()
        self._pages.add(page)
        return page

    def leave(self, page: asyncio.Queue[Event | None]) -> None:
        """The page has gone."""
        self._pages.discard(page)

    def close(self) -> None:
        """Tell every page to let go."""
        for page in self._pages:
            page.put_nowait(None)
