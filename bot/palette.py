"""Colours a person gives: as codes in a text, or in the pixels of a logo."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from PIL import Image

from pipeline.images import decode

MAX_COLOURS = 5

_CODE = re.compile(r"#?(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_SEPARATORS = re.compile(r"[\s,;]+")
_SIDE_PX = 160
_SWATCHES = 12
_APART = 48.0
"""Two colours closer than this in RGB look like one on a swatch."""

RGB = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Codes:
    """Colour codes found in a text as `#rrggbb`, and the words that are none."""

    colours: tuple[str, ...]
    bad: tuple[str, ...]


def parse(text: str) -> Codes:
    """Codes as people write them: #6c3ce9, 6C3CE9, #fff; separated by spaces, commas, lines."""
    words = [word for word in _SEPARATORS.split(text) if word]
    good = dict.fromkeys(_normal(word) for word in words if _CODE.fullmatch(word))
    bad = tuple(word for word in words if not _CODE.fullmatch(word))
    return Codes(tuple(good), bad)


def _normal(code: str) -> str:
    digits = code.removeprefix("#").lower()
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return f"#{digits}"


def dominant(data: bytes) -> tuple[str, ...]:
    """The colours of a logo, the most telling first; at most MAX_COLOURS.

    A logo is mostly its ground, so a colour counts by its share and by how vivid it is; white
    comes last. Raises pipeline's BadImage. Blocks: call it in a thread.
    """
    image = decode(data)
    image.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    reduced = image.quantize(_SWATCHES, method=Image.Quantize.MEDIANCUT).convert("RGB")
    shares = Counter(cast("Iterable[RGB]", reduced.get_flattened_data()))
    total = reduced.width * reduced.height
    weighed = sorted(
        ((_weight(rgb, count / total), rgb) for rgb, count in shares.items()), reverse=True
    )
    chosen: list[RGB] = []
    for _, rgb in weighed:
        if all(_distance(rgb, other) > _APART for other in chosen):
            chosen.append(rgb)
    return tuple("#{:02x}{:02x}{:02x}".format(*rgb) for rgb in chosen[:MAX_COLOURS])


def _weight(rgb: RGB, share: float) -> float:
    if share < 0.005:
        return 0.0
    if min(rgb) > 240:
        return 0.001
    vividness = (max(rgb) - min(rgb)) / 255
    return float(share**0.5 * (0.15 + vividness))


def _distance(one: RGB, other: RGB) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)
