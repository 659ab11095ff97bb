"""Colours by their English names. Importing this is cheap."""

from __future__ import annotations

import re
from functools import lru_cache

COLOUR_WORDS: dict[str, str] = {
    "red": "#d62f2f", "crimson": "#b3122f", "scarlet": "#e0301e", "burgundy": "#6d1a36",
    "maroon": "#701c28", "cherry": "#a8122e", "raspberry": "#c2185b", "ruby": "#a8123e",
    "coral": "#ff7358", "salmon": "#f98b76", "peach": "#ffc59b", "apricot": "#f9b27c",
    "orange": "#f08020", "tangerine": "#f28500", "terracotta": "#c8643f", "rust": "#a8481e",
    "amber": "#f5b021", "copper": "#b46a3c", "bronze": "#9a6a35", "gold": "#d4a63a",
    "golden": "#d4a63a", "yellow": "#f7cf2e", "mustard": "#d3a21e", "lemon": "#f8e24a",
    "sand": "#dcc49b", "sandy": "#dcc49b", "beige": "#e5d5b8", "cream": "#f6ecd6",
    "creamy": "#f6ecd6", "ivory": "#f7f2e2", "milky": "#f5f0e6", "nude": "#e3bfa6",
    "brown": "#7a4a2a", "chocolate": "#55301c", "caramel": "#bd7b3a", "chestnut": "#8a4426",
    "khaki": "#a59a63", "olive": "#7b7d34", "lime": "#a8d62b", "green": "#3a9a50",
    "emerald": "#0f8a5f", "mint": "#a6e3c8", "sage": "#a3b18a", "pistachio": "#b5d38c",
    "teal": "#15807f", "turquoise": "#35c7bd", "aqua": "#4fd3d8", "cyan": "#2cc4dd",
    "azure": "#3f9be8", "sky": "#8cc8f0", "blue": "#2f66d0", "cobalt": "#1f49b6",
    "navy": "#1c2b57", "indigo": "#40369a", "purple": "#7b3fb5", "violet": "#7e4fd0",
    "lilac": "#c3a4dd", "lavender": "#b9a9e3", "plum": "#6d2f62", "magenta": "#cc2f93",
    "fuchsia": "#dd2f8f", "pink": "#f29bb8", "rose": "#e38a9c", "rosy": "#e8a3ae",
    "dusty": "#c9a3a0", "white": "#f7f7f5", "silver": "#c3c7cc", "silvery": "#c3c7cc",
    "grey": "#8b8f94", "gray": "#8b8f94", "graphite": "#41454b", "charcoal": "#36393e",
    "black": "#1c1c1f", "neon": "#39ff88", "pastel": "#f3cfd6",
}  # fmt: skip
"""Colours by their English names."""

HAIR_WORDS: dict[str, str] = {
    "ginger": "#c1692f", "redhead": "#a8502a", "auburn": "#7a3b22", "blond": "#dcbf8a",
    "blonde": "#dcbf8a", "brunette": "#46301f", "tawny": "#b5793f", "fawn": "#cfa878",
    "tan": "#cfa878", "tanned": "#c48f66", "swarthy": "#a9744f",
}  # fmt: skip
"""Colours said of people and animals; no brand's palette is called so."""

_HAIR = re.compile(r"\b(red|fair|dark)[- ]hair(?:ed)?\b", re.IGNORECASE)
_HAIRED = {"red": "ginger", "fair": "blond", "dark": "brunette"}

_SHADES = {"light": ("#ffffff", 0.45), "pale": ("#ffffff", 0.6), "delicate": ("#ffffff", 0.45),
           "dark": ("#000000", 0.45), "deep": ("#000000", 0.25)}  # fmt: skip
"""What a word before a colour mixes into it, and how much, 0..1."""

_SAY_NOTHING = frozenset({"and", "a", "the", "color", "colour", "bright", "shade", "of"})


@lru_cache(maxsize=1024)
def words(text: str) -> tuple[str, ...]:
    """Lower-case English words, plural endings taken off where that is safe, in order."""
    return tuple(_singular(word) for word in re.findall(r"[a-z]+", text.lower()))


def in_order(text: str) -> list[str]:
    """The colours that a text names outright as `#rrggbb`, each once."""
    text = _HAIR.sub(lambda found: _HAIRED[found[1].lower()], text)
    codes = COLOUR_WORDS | HAIR_WORDS
    return list(dict.fromkeys(codes[word] for word in words(text) if word in codes))


_PLURALS = {
    "leaves": "leaf", "peaches": "peach", "beaches": "beach", "boxes": "box", "watches": "watch",
    "dresses": "dress", "people": "person",
}  # fmt: skip


def _singular(word: str) -> str:
    if word in _PLURALS:
        return _PLURALS[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is", "as")):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") else word[:-1]


def named(phrase: str) -> tuple[str, ...]:
    """The colours of an English phrase as `#rrggbb`; none if anything else is in it.

    "black, dark blue" gives two.
    """
    found: list[str] = []
    shade: tuple[str, float] | None = None
    for word in words(phrase):
        if word in _SHADES:
            shade = _SHADES[word]
        elif word in COLOUR_WORDS:
            colour = COLOUR_WORDS[word]
            found.append(_mixed(colour, *shade) if shade else colour)
            shade = None
        elif word not in _SAY_NOTHING:
            return ()
    return () if shade else tuple(found)


def _mixed(one: str, other: str, share: float) -> str:
    channels = (
        round((1 - share) * int(one[at : at + 2], 16) + share * int(other[at : at + 2], 16))
        for at in (1, 3, 5)
    )
    return "#" + "".join(f"{channel:02x}" for channel in channels)
