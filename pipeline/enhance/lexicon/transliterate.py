"""Latin letters for everything else, after BGN/PCGN simplified: "е" is always "e", signs are left
out, "ё" is "yo", "х" is "kh", "щ" is "shch". Letters of the other Cyrillic alphabets follow their
own usual Latin spelling. What is in no table keeps its ASCII base or goes.
"""

from __future__ import annotations

import unicodedata

_RUSSIAN = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "yo", "ж": "zh", "з": "z",
    "и": "i", "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r",
    "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh",
    "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
}  # fmt: skip
_NEIGHBOURS = {
    # Ukrainian, Belarusian
    "і": "i", "ї": "yi", "є": "ye", "ґ": "g", "ў": "w",
    # Kazakh, Tatar, Bashkir, Kyrgyz
    "ә": "a", "ғ": "gh", "қ": "q", "ң": "ng", "ө": "o", "ұ": "u", "ү": "u", "һ": "h", "җ": "j",
    "ҡ": "q", "ҙ": "z", "ҫ": "s",
    # Tajik, Uzbek
    "ӣ": "i", "ӯ": "u", "ҳ": "h", "ҷ": "j",
    # Serbian, Macedonian
    "ђ": "dj", "ј": "j", "љ": "lj", "њ": "nj", "ћ": "c", "џ": "dz", "ѓ": "gj", "ќ": "kj", "ѕ": "dz",
}  # fmt: skip
_LATIN = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "þ": "th"}
_MARKS = {
    "«": '"', "»": '"', "“": '"', "”": '"', "„": '"', "’": "'", "‘": "'", "—": "-", "–": "-",
    "−": "-", "…": "...", "№": "No. ", "₽": " rubles", "€": " euros", "£": " pounds", "×": "x",
    "½": "1/2", "°": " degrees",
}  # fmt: skip
_TABLE = {**_RUSSIAN, **_NEIGHBOURS, **_LATIN, **_MARKS}


def to_ascii(text: str) -> str:
    """The text in ASCII letters; a capital stays a capital, what can't be written goes."""
    return "".join(map(_letter, unicodedata.normalize("NFC", text)))


def _letter(char: str) -> str:
    if char.isascii():
        return char
    if (latin := _TABLE.get(char)) is not None:
        return latin
    lower = char.lower()
    if lower != char and (latin := _TABLE.get(lower)) is not None:
        return latin.capitalize()
    bases = [
        base for base in unicodedata.normalize("NFKD", char) if not unicodedata.combining(base)
    ]
    if bases and bases != [char]:
        return "".join(map(_letter, bases))
    return _by_name(char)


def _by_name(char: str) -> str:
    """A rare Cyrillic letter by its Unicode name: "CYRILLIC SMALL LETTER OMEGA" gives "o"."""
    name = unicodedata.name(char, "")
    if not name.startswith("CYRILLIC") or "LETTER" not in name:
        return ""
    letter = name.split("LETTER")[1].split()[-1:] or [""]
    return letter[0][:1].lower()
