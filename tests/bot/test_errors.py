"""What is logged of errors that nobody is told."""

from __future__ import annotations

import pytest
from aiogram.types import ErrorEvent, Update
from structlog.testing import capture_logs

from bot.errors import MessageGone, SendError, Undeliverable
from bot.handlers import errors


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (Undeliverable("rejected", "can't parse entities"), "error"),
        (Undeliverable("blocked", "bot was blocked by the user"), "warning"),
        (MessageGone("message to edit not found"), "warning"),
    ],
)
async def test_a_call_telegram_finds_wrong_is_an_error_of_ours(
    error: SendError, level: str
) -> None:
    with capture_logs() as logs:
        await errors.on_error(ErrorEvent(update=Update(update_id=7), exception=error))
    assert [(entry["log_level"], entry["update"]) for entry in logs] == [(level, 7)]
