"""The words on the screen: English in the code, Russian from `locales/ru`, numbers by Babel.

`of(locale)` gives the Texts of a language. Calling it makes HTML: every value put into a message
is escaped unless it is `Html` already. `plain` is for places that know no markup: buttons, taps'
answers. Texts chosen at run time are marked with `N_`, so that the extraction finds them.
"""

from __future__ import annotations

import functools
import gettext
import html
import io
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from importlib import resources

from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LOCALES = ("ru", "en")
DEFAULT_LOCALE = "ru"

MOSCOW = timezone(timedelta(hours=3))
"""The time on the screen: Telegram tells bots no time zone, and the product's people live by it."""

Value = str | int | float


class Html(str):
    """Text that is HTML already: goes into a message as it is."""

    __slots__ = ()


def N_(msgid: str) -> str:  # noqa: N802  # gettext's own name for it
    """Mark a text for extraction; it is translated where it is used."""
    return msgid


class Texts:
    """The texts of one language."""

    def __init__(self, locale: str, translations: gettext.NullTranslations) -> None:
        self.locale = locale
        self._translations = translations

    def __call__(self, msgid: str, /, **values: Value) -> Html:
        """A message's text as HTML, values escaped."""
        return Html(self._translations.gettext(msgid).format(**self._escaped(values)))

    def plain(self, msgid: str, /, **values: Value) -> str:
        """A text for a place without markup."""
        return self._translations.gettext(msgid).format(**values)

    def n(self, one: str, many: str, n: int, /, **values: Value) -> Html:
        """A text with a number `{n}` in the right plural form, its thousands apart."""
        template = self._translations.ngettext(one, many, n)
        return Html(template.format(n=self.number(n), **self._escaped(values)))

    def n_plain(self, one: str, many: str, n: int, /, **values: Value) -> str:
        """The same for a place without markup."""
        return self._translations.ngettext(one, many, n).format(n=self.number(n), **values)

    def _escaped(self, values: dict[str, Value]) -> dict[str, Value]:
        return {
            name: html.escape(value, quote=False)
            if isinstance(value, str) and not isinstance(value, Html)
            else value
            for name, value in values.items()
        }

    def decimal(self, number: float) -> str:
        """Two decimals, as the language writes them: 0,83."""
        return format_decimal(number, format="0.00", locale=self.locale)

    def number(self, number: float, *, decimals: int = 0) -> str:
        """With thousands apart: 1 299, 12,5."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        return format_decimal(number, format=pattern, locale=self.locale)

    def roubles(self, kopecks: int) -> str:
        """A sum in roubles: 1 299 ₽, or with the kopecks that there are: 1 299,50 ₽."""
        pattern = "#,##0.00" if kopecks % 100 else "#,##0"
        roubles = Decimal(kopecks) / 100
        return format_decimal(roubles, format=f"{pattern}\u00a0₽", locale=self.locale)

    def seconds(self, seconds: float) -> str:
        """A duration in words: 40 s, 3 min."""
        if seconds < 90:
            return self.plain("{n} s", n=max(1, round(seconds)))
        return self.plain("{n} min", n=round(seconds / 60))

    def day(self, moment: datetime) -> str:
        """A day: 5 марта 2027."""
        pattern = "d MMMM y" if self.locale == "ru" else "MMMM d, y"
        return format_datetime(moment.astimezone(MOSCOW), pattern, locale=self.locale)

    def when(self, moment: datetime) -> str:
        """A day and time: 5 марта, 14:07."""
        pattern = "d MMMM, HH:mm" if self.locale == "ru" else "MMMM d, HH:mm"
        return format_datetime(moment.astimezone(MOSCOW), pattern, locale=self.locale)


@functools.cache
def of(locale: str) -> Texts:
    """The texts of a language; of the default one for a language we do not speak."""
    if locale not in LOCALES:
        return of(DEFAULT_LOCALE)
    if locale == "en":
        return Texts(locale, gettext.NullTranslations())
    return Texts(locale, _read(locale))


def _read(locale: str) -> gettext.GNUTranslations:
    path = resources.files("bot") / "locales" / locale / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        catalog = read_po(file, locale=locale)
    binary = io.BytesIO()
    write_mo(binary, catalog)
    binary.seek(0)
    return gettext.GNUTranslations(binary)


_TAG = re.compile(r"<[^<>]+>")


def without_markup(text: Html) -> str:
    """A message's text for a place that knows no markup, such as the answer to a tap."""
    return html.unescape(_TAG.sub("", text))
