"""Colour science and what colours words ask for, shared by the mock generator and the pixels judge.

Colours are sRGB triples 0..255 at the borders; arrays have shape [..., 3] within.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pipeline.colour_words import in_order, words

Floats = NDArray[np.float64]
RGB = tuple[int, int, int]

# D65 white and the sRGB matrix, IEC 61966-2-1.
_TO_XYZ = np.array(
    [
        [0.4123907993, 0.3575843394, 0.1804807884],
        [0.2126390059, 0.7151686788, 0.0721923154],
        [0.0193308187, 0.1191947798, 0.9505321522],
    ]
)
_WHITE = np.array([0.9504559271, 1.0, 1.0890577508])

# OKLab, Ottosson 2020, https://bottosson.github.io/posts/oklab/
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LMS = np.linalg.inv(_TO_LMS)
_FROM_OKLAB = np.linalg.inv(_TO_OKLAB)


def parse_hex(text: str) -> RGB:
    """`#rrggbb` or `#rgb` as a triple. Raises ValueError."""
    match = re.fullmatch(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})", text.strip())
    if match is None:
        raise ValueError(f"not a hex colour: {text!r}")
    digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def linear(rgb: Iterable[float] | Floats) -> Floats:
    """sRGB 0..255 as linear light 0..1."""
    value = np.asarray(rgb, dtype=np.float64) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb: Iterable[float] | Floats) -> Floats:
    """CIELAB (D65) of sRGB 0..255, shape kept."""
    ratio = linear(rgb) @ _TO_XYZ.T / _WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def delta_e_2000(one: Floats, other: Floats) -> Floats:
    """CIEDE2000 between CIELAB colours, shapes broadcast; 0 is equal, about 2 just visible.

    Sharma, Wu, Dalal 2005, "The CIEDE2000 color-difference formula", Color Res. Appl. 30(1).
    """
    l1, a1, b1 = one[..., 0], one[..., 1], one[..., 2]
    l2, a2, b2 = other[..., 0], other[..., 1], other[..., 2]
    c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(c7 / (c7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    dh = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    # A difference of exactly 180 degrees is positive in the paper, and negative after the modulo.
    dh = np.where(~grey & (h2 - h1 == 180), 180.0, dh)
    far = np.abs(h1 - h2) > 180
    h_sum = h1 + h2
    h_mean = np.where(far, (h_sum + np.where(h_sum < 360, 360, -360)) / 2, h_sum / 2)
    h_mean = np.where(grey, h_sum, h_mean)
    return _ciede(l2 - l1, c2 - c1, dh, np.sqrt(c1 * c2), (l1 + l2) / 2, (c1 + c2) / 2, h_mean)


def _ciede(
    dl: Floats, dc: Floats, dh: Floats, c_root: Floats, l_mean: Floats, c_mean: Floats, h: Floats
) -> Floats:
    """Equations 11 to 22 of the paper; `dh` and the mean hue `h` in degrees."""
    d_hue = 2 * c_root * np.sin(np.radians(dh) / 2)
    t = (
        1
        - 0.17 * np.cos(np.radians(h - 30))
        + 0.24 * np.cos(np.radians(2 * h))
        + 0.32 * np.cos(np.radians(3 * h + 6))
        - 0.20 * np.cos(np.radians(4 * h - 63))
    )
    l50 = (l_mean - 50) ** 2
    s_l = 1 + 0.015 * l50 / np.sqrt(20 + l50)
    s_c = 1 + 0.045 * c_mean
    s_h = 1 + 0.015 * c_mean * t
    theta = 30 * np.exp(-(((h - 275) / 25) ** 2))
    c7 = c_mean**7
    r_t = -2 * np.sqrt(c7 / (c7 + 25.0**7)) * np.sin(np.radians(2 * theta))
    dl, dc, d_hue = dl / s_l, dc / s_c, d_hue / s_h
    return np.asarray(np.sqrt(np.maximum(dl**2 + dc**2 + d_hue**2 + r_t * dc * d_hue, 0)))


def oklch(rgb: RGB) -> tuple[float, float, float]:
    """OKLCh: lightness 0..1, chroma 0..about 0.32, hue in radians."""
    ok = _TO_OKLAB @ np.cbrt(_TO_LMS @ linear(rgb))
    return float(ok[0]), float(np.hypot(ok[1], ok[2])), float(np.arctan2(ok[2], ok[1]))


def from_oklch(lightness: float, chroma: float, hue: float) -> RGB:
    """The sRGB colour, with the chroma lowered until it exists."""
    for _ in range(24):
        ok = np.array([lightness, chroma * np.cos(hue), chroma * np.sin(hue)])
        light = _FROM_LMS @ (_FROM_OKLAB @ ok) ** 3
        if light.min() >= -1e-4 and light.max() <= 1 + 1e-4:
            break
        chroma *= 0.9
    light = np.clip(light, 0, 1)
    value = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    red, green, blue = (int(channel) for channel in np.rint(value * 255))
    return red, green, blue


SUBJECT_COLOURS: dict[str, tuple[str, ...]] = {
    "autumn": ("#d9772b", "#8f3d1c", "#e6b04a"), "fall": ("#d9772b", "#8f3d1c", "#e6b04a"),
    "winter": ("#dcebf5", "#6f9fc8", "#2f4f7a"), "spring": ("#a7d48a", "#f6b6c8", "#fdf1c9"),
    "summer": ("#ffd24a", "#35b9c9", "#ff8a5c"), "christmas": ("#b3202c", "#1f5f3c", "#e8c464"),
    "newyear": ("#1f3f6b", "#e8c464", "#b3202c"), "valentine": ("#d6335a", "#f7b4c3"),
    "halloween": ("#f07a1a", "#2a1f33"), "easter": ("#bfe0b0", "#f8d9e3", "#fbe88f"),
    "coffee": ("#6b4026", "#d9b48a", "#f3e7d6"), "latte": ("#8a5a38", "#ecd9bf"),
    "cappuccino": ("#8a5a38", "#ecd9bf"), "cocoa": ("#5a3220", "#d8b193"),
    "tea": ("#b8692c", "#e9d6a9", "#6e8a4c"), "matcha": ("#8fae58", "#e6eccf"),
    "wine": ("#6d1a36", "#d9b8a6"), "beer": ("#e0a12c", "#fbf0d2"), "honey": ("#e39f1f", "#ffdf8a"),
    "pumpkin": ("#e27a1e", "#6a7a3a"), "strawberry": ("#d9273c", "#7fb04b"),
    "berry": ("#8a1f52", "#4f2a6a"), "citrus": ("#f9b51f", "#f5e663"),
    "apple": ("#c93a33", "#8db14a"), "bread": ("#c98d4d", "#f0dcb8"),
    "bakery": ("#c98d4d", "#f0dcb8"), "pastry": ("#d59b57", "#f6e4c4"),
    "croissant": ("#cf8f48", "#f6e4c4"), "burger": ("#c9772e", "#8bb04a", "#c8322b"),
    "pizza": ("#d9482b", "#f1c557", "#5f8f3f"), "salad": ("#7fb04b", "#e0483a"),
    "sushi": ("#f28a6b", "#27312e", "#f6f2e8"), "cake": ("#f5c6cf", "#fbf0e4", "#9c4a3a"),
    "chocolatey": ("#55301c", "#d8b193"), "forest": ("#2f5d3a", "#86a66a"),
    "tree": ("#3d7043", "#7a5535"), "jungle": ("#1f6b45", "#9bc25a"),
    "leaf": ("#5b8f45", "#c7d99a"), "plant": ("#4a8a4a", "#dfe8cf"),
    "garden": ("#6aa34f", "#f0a5b8"), "flower": ("#e87fa0", "#6aa34f", "#fbe3e8"),
    "bouquet": ("#e87fa0", "#6aa34f", "#fbe3e8"), "tulip": ("#e2445c", "#6aa34f"),
    "peony": ("#f0a3b8", "#79a06a"), "sunflower": ("#f5b81f", "#6b4a1f"),
    "sea": ("#1f7fae", "#9fdbe5", "#f0e2c2"), "ocean": ("#125a8c", "#6cc2d6"),
    "beach": ("#f0dcae", "#4fb8cf"), "water": ("#3fa0cf", "#d4eef6"),
    "river": ("#4a93b8", "#8fb37a"), "sun": ("#ffc83a", "#ff9a3c"),
    "sunset": ("#ff7a4a", "#7a3f7f", "#ffc46b"), "sunrise": ("#ff9f6b", "#ffe0a3", "#8fb8de"),
    "night": ("#16203f", "#5b6bb0"), "mountain": ("#5f7f9f", "#e6edf2", "#3d5a4a"),
    "snow": ("#eef5fa", "#9fc0da"), "desert": ("#d9a566", "#a8552e"),
    "fire": ("#f0541e", "#ffb52e"), "city": ("#4a5f7f", "#f0b86b"), "gym": ("#222428", "#e8452c"),
    "fitness": ("#222428", "#e8452c"), "spa": ("#a9c3b0", "#efe6d8"), "eco": ("#6f9f5a", "#efe6d0"),
    "denim": ("#3d5f8f", "#c9d6e4"), "wood": ("#a5713f", "#d9b483"),
    "marble": ("#eceae6", "#b9b5ae"), "skin": ("#e8bfa0", "#f6dfcf"),
    "baby": ("#bfe0f0", "#f9d6de"), "wedding": ("#f7efe8", "#d9b9a3", "#a3b18a"),
    "jewelry": ("#d4a63a", "#f3ece2"), "jewellery": ("#d4a63a", "#f3ece2"),
    "technology": ("#2a4fd0", "#0f1a33"), "cosmetic": ("#e9b7b0", "#f7e9e2"),
    "perfume": ("#c9a57a", "#f3e4d6"),
}  # fmt: skip
"""The colours people expect with a season, a food, a place: main one first. This table is ours."""


def named_colours(text: str) -> list[RGB]:
    """Colours that the text names outright, in order, each once."""
    return [parse_hex(colour) for colour in in_order(text)]


def subject_colours(text: str) -> list[RGB]:
    """Colours that go with the text's seasons and subjects, main ones first, each once."""
    hits = [SUBJECT_COLOURS[word] for word in words(text) if word in SUBJECT_COLOURS]
    longest = max((len(hit) for hit in hits), default=0)
    found = dict.fromkeys(hit[i] for i in range(longest) for hit in hits if i < len(hit))
    return [parse_hex(colour) for colour in found]
