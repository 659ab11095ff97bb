"""In which language somebody is spoken to."""

from __future__ import annotations

from typing import cast

from db.views import Locale


def locale_of(language_code: str | None, chosen: str | None = None) -> Locale:
    """What they chose; else Russian, unless Telegram says that they read another language.

    `language_code` is Telegram's, None where it says nothing; `chosen` is of their settings.
    """
    if chosen is not None:
        return cast(Locale, chosen)
    return "ru" if language_code is None or language_code.startswith("ru") else "en"
