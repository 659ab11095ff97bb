"""Buttons under messages, and how many of them go side by side on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

Row = list[InlineKeyboardButton]

_LETTERS_IN_ROW = 32
"""What a phone of 375 points shows of a row of buttons."""


def button(text: str, tap: CallbackData | str, style: str | None = None) -> InlineKeyboardButton:
    """`tap` as a text is packed already. `style` is Telegram's colour: `primary`, `success` or
    `danger`; old apps show none."""
    data = tap if isinstance(tap, str) else tap.pack()
    return InlineKeyboardButton(text=text, callback_data=data, style=style)


def marked(label: str, is_present: bool) -> str:
    """The label of a choice, with a tick on the one that holds at present."""
    return f"✓ {label}" if is_present else label


def markup(rows: Iterable[Row]) -> InlineKeyboardMarkup:
    """A keyboard of these rows, without the empty ones."""
    return InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row])


def in_rows(buttons: Sequence[InlineKeyboardButton], width: int) -> list[Row]:
    """Up to `width` in a row, fewer where a label would be cut off on a phone."""
    rows: list[Row] = []
    for one in buttons:
        row = [*rows[-1], one] if rows else [one]
        longest = max(len(each.text) for each in row)
        if rows and len(row) <= width and longest <= _LETTERS_IN_ROW // len(row):
            rows[-1] = row
        else:
            rows.append([one])
    return rows
