"""A wallet's movements as a table that Excel opens by a double click."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from bot import wallet_views
from bot.texts import MOSCOW, N_, Texts
from db.money_views import Movement

_COLUMNS = (N_("Date (Moscow)"), N_("Operation"), N_("Sum, ₽"), N_("Balance, ₽"))
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What a table's cell must not begin with, or it is reckoned instead of shown."""


def csv_of(tr: Texts, movements: Sequence[Movement], titles: Mapping[str, str]) -> bytes:
    """Oldest first, with the balance after each. `titles`: plans by code.

    A Russian Excel wants `;` between cells, a comma in numbers, and the mark of UTF-8 in front.
    """
    out = io.StringIO()
    table = csv.writer(out, delimiter=";")
    table.writerow([tr.plain(column) for column in _COLUMNS])
    for one in movements:
        table.writerow(
            [
                one.created_at.astimezone(MOSCOW).strftime("%d.%m.%Y %H:%M:%S"),
                _text(wallet_views.what(tr, one, titles)),
                _number(tr, one.amount),
                _number(tr, one.balance_after),
            ]
        )
    return out.getvalue().encode("utf-8-sig")


def _text(words: str) -> str:
    return f"'{words}" if words.startswith(_FORMULAS) else words


def _number(tr: Texts, kopecks: int) -> str:
    """Without spaces or a currency, or Excel takes it for text."""
    roubles = f"{kopecks / 100:.2f}"
    return roubles.replace(".", ",") if tr.locale == "ru" else roubles
