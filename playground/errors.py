"""What the playground refuses.

PlaygroundError
├── ApiError       an answer of the Bot API other than 200
│   ├── BadRequest     400
│   └── Forbidden      403
├── StateUnusable  the state folder is in use by another playground, or can't be written
└── SimError       a person-side call that makes no sense (400, or 404 for what is not there)
"""

from collections.abc import Mapping
from pathlib import Path


class PlaygroundError(Exception):
    """Root of everything this package raises on purpose."""


class ApiError(PlaygroundError):
    """A Bot API error answer: HTTP status, Telegram's own words, and its `parameters`."""

    def __init__(
        self, code: int, description: str, parameters: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


class BadRequest(ApiError):
    """400; `text` comes without the "Bad Request: " prefix."""

    def __init__(self, text: str, parameters: Mapping[str, int] | None = None) -> None:
        super().__init__(400, f"Bad Request: {text}", parameters)


class Forbidden(ApiError):
    """403; `text` comes without the "Forbidden: " prefix."""

    def __init__(self, text: str) -> None:
        super().__init__(403, f"Forbidden: {text}")


class SimError(PlaygroundError):
    """A call on the person side that can't be done; worded for the developer who made it."""

    def __init__(self, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.description = description
        self.status = status


class StateUnusable(PlaygroundError):
    """No playground can keep its state in this folder now."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"the playground's state in {folder} can't be used: {reason}")
