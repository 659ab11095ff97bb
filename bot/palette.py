"""Colours a person gives: as codes or names in a text, or in the pixels of a logo."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import cast

from PIL import Image

from pipeline import colour_words
from pipeline.errors import BadBrief
from pipeline.images import decode

MAX_COLOURS = 5

_CODE = re.compile(r"#?(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_ITEMS = re.compile(r"[,;\n]|\s(?:и|and)\s")
_SIDE_PX = 160
_SWATCHES = 12
_APART = 48.0
"""Two colours closer than this in RGB look like one on a swatch."""
_LEAST = 0.005
"""A colour on a smaller share of a logo is none of its own."""
_EDGES = 0.05
"""Blends along the edges cover no more of it than this, and the colours blended far more."""
_STRONGER = 2.5
_OFF_LINE = 12
"""By how much the way over a colour may be longer than the straight one for it to lie between."""

RGB = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Codes:
    """Colour codes found in a text as `#rrggbb`, and the words that are none."""

    colours: tuple[str, ...]
    bad: tuple[str, ...]


def parse(text: str) -> Codes:
    """Codes and names as people write them: #6c3ce9, FFF, чёрный, dark blue; separated by commas,
    spaces, lines.

    Blocks while the dictionaries load, which nothing but names needs.
    """
    good: dict[str, None] = {}
    bad: list[str] = []
    for phrase in filter(None, map(str.strip, _ITEMS.split(text))):
        # "тёмно-синий" is one name, "чёрный золотой" are two, "navy #fff" a name and a code.
        for said in [phrase] if _colours(phrase) else phrase.split():
            colours = _colours(said)
            good |= dict.fromkeys(colours)
            bad += [] if colours else [said]
    return Codes(tuple(good), tuple(bad))


@functools.lru_cache(maxsize=256)
def _colours(said: str) -> tuple[str, ...]:
    """The colours of a code or a name; none for anything else."""
    if _CODE.fullmatch(said):
        return (_normal(said),)
    if not any(map(str.isalpha, said)) or "#" in said:
        return ()
    if english := colour_words.named(said):
        return english
    from pipeline.enhance.lexicon import translate_style

    try:
        return colour_words.named(translate_style(said).text)
    except BadBrief:
        return ()


def _normal(code: str) -> str:
    digits = code.removeprefix("#").lower()
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return f"#{digits}"


def dominant(data: bytes) -> tuple[str, ...]:
    """The colours of a logo, the most telling first; at most MAX_COLOURS.

    A logo is mostly its ground, so a colour counts by its share and by how vivid it is; white
    comes last. Blends along its edges are left out. Raises pipeline's BadImage. Blocks: call it
    in a thread.
    """
    image = decode(data)
    image.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    reduced = image.quantize(_SWATCHES, method=Image.Quantize.MEDIANCUT).convert("RGB")
    counts = Counter(cast("Iterable[RGB]", reduced.get_flattened_data()))
    total = reduced.width * reduced.height
    shares = Counter(
        {rgb: n for rgb, n in counts.items() if n >= _LEAST * total and not _is_blend(rgb, counts)}
    )
    weighed = sorted(
        ((_weight(rgb, count / total), rgb) for rgb, count in shares.items()), reverse=True
    )
    chosen: list[RGB] = []
    for _, rgb in weighed:
        if all(_distance(rgb, other) > _APART for other in chosen):
            chosen.append(rgb)
    return tuple("#{:02x}{:02x}{:02x}".format(*rgb) for rgb in chosen[:MAX_COLOURS])


def _is_blend(rgb: RGB, counts: Counter[RGB]) -> bool:
    """Whether it is what smoothing makes of the edge between two colours that cover far more."""
    if counts[rgb] > _EDGES * counts.total():
        return False
    ends = [
        other
        for other, count in counts.items()
        if count >= _STRONGER * counts[rgb] and _distance(rgb, other) > _APART
    ]
    return any(
        _distance(rgb, one) + _distance(rgb, other) < _distance(one, other) + _OFF_LINE
        for one, other in combinations(ends, 2)
    )


def _weight(rgb: RGB, share: float) -> float:
    if min(rgb) > 240:
        return 0.001
    vividness = (max(rgb) - min(rgb)) / 255
    return float(share**0.5 * (0.15 + vividness))


def _distance(one: RGB, other: RGB) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)
