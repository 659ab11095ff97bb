"""Faults on demand: what a bot meets when Telegram or the network has a bad day."""

from dataclasses import dataclass, field
from typing import Literal

FaultMode = Literal["429", "500", "502html", "hang", "drop", "partial"]
"""`drop` does the work and cuts the answer; `partial` sends the first half of an album."""


@dataclass(slots=True)
class Fault:
    """A fault for the next `times` calls of a method ("*" is every method)."""

    method: str
    mode: FaultMode
    times: int = 1
    retry_after: int = 1
    chat_id: int | None = None

    def fits(self, method: str, chat_id: object) -> bool:
        """Whether a call meets this fault."""
        named = self.method in ("*", method) or self.method.lower() == method.lower()
        return self.times > 0 and named and self.chat_id in (None, chat_id)


@dataclass(slots=True)
class Faults:
    """The faults that still wait for a call."""

    waiting: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Arm one more fault; earlier ones strike first."""
        self.waiting.append(fault)

    def clear(self) -> None:
        """Disarm all."""
        self.waiting.clear()

    def strike(self, method: str, chat_id: object) -> Fault | None:
        """The fault that this call meets, used up by one."""
        for fault in self.waiting:
            if fault.fits(method, chat_id):
                fault.times -= 1
                self.waiting = [one for one in self.waiting if one.times > 0]
                return fault
        return None
