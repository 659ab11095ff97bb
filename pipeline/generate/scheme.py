"""Colours of a mock picture: from the brand's palette, or the words, to roles on the canvas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline import colour_words, colours
from pipeline.colours import RGB
from pipeline.types import BrandStyle

DEFAULTS: tuple[tuple[str, ...], ...] = (
    ("#e2725b", "#f3d9c0", "#2f4858"),
    ("#5b5f97", "#ffc145", "#fffffb"),
    ("#2a9d8f", "#e9c46a", "#e76f51"),
    ("#7f5af0", "#ffb4a2", "#2cb67d"),
    ("#d1495b", "#edae49", "#00798c"),
    ("#3d5a80", "#ee6c4d", "#e0fbfc"),
    ("#8a5a44", "#ddb892", "#6b9080"),
)
"""Palettes for words that bring no colour along."""

MOODS = ("light", "bold", "deep", "duo")

_GREY_CHROMA = 0.03
"""Below this OKLCh chroma a colour is white, grey or black to the eye, and needs company."""

_DARK_WORDS = frozenset(("dark", "night", "neon", "noir", "luxury", "black", "cyberpunk", "gothic"))
_LIGHT_WORDS = frozenset(
    ("pastel", "airy", "light", "minimalism", "minimalist", "minimal", "tender", "delicate", "soft")
)


@dataclass(frozen=True, slots=True)
class Scheme:
    """What is painted with which colour.

    `back` to `ground` are the scene from far to near, `panel` large shapes in it; `hero`, `second`
    and `accent` the object; `light` and `deep` its ends of the scale; `leaf` what grows;
    `shade` shadows.
    """

    back: RGB
    ground: RGB
    panel: RGB
    panel2: RGB
    hero: RGB
    second: RGB
    accent: RGB
    light: RGB
    deep: RGB
    leaf: RGB
    shade: RGB


def base_colours(prompt: str, brand: BrandStyle | None, default: Sequence[str]) -> list[RGB]:
    """One to four colours: the brand's own, else those of its style, else those of the words.

    A brand keeps its hold on the picture, but a colour the words name outright joins it.
    """
    named = colours.named_colours(prompt)
    if brand is not None:
        own = [colours.parse_hex(colour) for colour in brand.palette]
        own = own or colours.named_colours(brand.style_short)
        if own:
            return [*own, *(colour for colour in named if colour not in own)][:4]
    found = [*named, *colours.subject_colours(prompt)]
    if all(colours.oklch(colour)[1] < _GREY_CHROMA for colour in found):
        found += [colours.parse_hex(colour) for colour in default]
    return found[:4]


def mood_order(prompt: str, brand: BrandStyle | None, order: Sequence[str]) -> list[str]:
    """The moods in the order an album goes through them; words may forbid dark or light ones."""
    words = set(colour_words.words(f"{prompt} {brand.style_short if brand else ''}"))
    if words & _DARK_WORDS:
        return [{"light": "deep"}.get(mood, mood) for mood in order]
    if words & _LIGHT_WORDS:
        return [{"deep": "light"}.get(mood, mood) for mood in order]
    return list(order)


def tone(colour: RGB, lightness: float, chroma: float = 1.0, turn: float = 0.0) -> RGB:
    """The colour at another lightness (0..1), its chroma multiplied, its hue turned (radians).

    A yellow goes towards orange as it darkens; kept at its hue it would turn to mud.
    """
    was, c, h = colours.oklch(colour)
    h += turn - _yellowness(h + turn) * min(0.8, 2 * max(0.0, was - lightness))
    return colours.from_oklch(lightness, c * chroma, h)


def _yellowness(hue: float) -> float:
    """1 for the hue of lemon, near 0 beyond orange and green."""
    return math.exp(-(((hue - 1.75) / 0.35) ** 2))


def lighter(colour: RGB, by: float) -> RGB:
    """Moved in lightness by -1..1, hue kept."""
    lightness, _, _ = colours.oklch(colour)
    return tone(colour, min(0.985, max(0.06, lightness + by)))


def _lightness(colour: RGB) -> float:
    return colours.oklch(colour)[0]


def contrast(one: RGB, other: RGB) -> float:
    """Difference in lightness, 0..1."""
    return abs(_lightness(one) - _lightness(other))


def _apart(colour: RGB, ground: RGB, by: float = 0.2) -> RGB:
    """The colour, moved in lightness until it stands out from the ground."""
    mine, under = _lightness(colour), _lightness(ground)
    if abs(mine - under) >= by:
        return colour
    up = mine >= under if 0.2 < under < 0.8 else under < 0.5
    return tone(colour, min(0.97, under + by) if up else max(0.12, under - by))


def _clamped(colour: RGB, low: float, high: float) -> RGB:
    lightness = _lightness(colour)
    return tone(colour, min(high, max(low, lightness)))


def make(base: Sequence[RGB], mood: str, *, branded: bool) -> Scheme:
    """Roles for one picture. `base` has one colour or more, the main one first."""
    main = base[0]
    second = base[1] if len(base) > 1 else tone(main, _lightness(main), 0.9, turn=0.6)
    vivid = max(base, key=lambda colour: colours.oklch(colour)[1])
    third = base[2] if len(base) > 2 else tone(main, 0.72, 1.0, turn=math.pi * 0.85)
    if mood == "light":
        back, ground = tone(main, 0.945, 0.22), tone(main, 0.875, 0.34)
        panel, panel2 = _clamped(second, 0.74, 0.86), tone(main, 0.72, 0.85)
        hero, second, accent = _clamped(vivid, 0.38, 0.64), _clamped(second, 0.5, 0.8), third
    elif mood == "bold":
        back = _clamped(main, 0.5, 0.7 + 0.13 * _yellowness(colours.oklch(main)[2]))
        ground = lighter(back, -0.09)
        panel, panel2 = lighter(back, 0.1), _clamped(second, 0.55, 0.85)
        hero, accent = tone(second, 0.93, 0.4), third
    elif mood == "deep":
        back, ground = tone(main, 0.27, 0.75), tone(main, 0.2, 0.7)
        panel, panel2 = tone(main, 0.4, 0.95), tone(second, 0.5, 0.95)
        hero, accent = _clamped(second, 0.68, 0.86), _clamped(third, 0.6, 0.88)
    else:
        back, ground = tone(second, 0.85, 0.75), tone(second, 0.77, 0.85)
        panel, panel2 = _clamped(main, 0.45, 0.68), tone(third, 0.72, 0.9)
        hero, accent = tone(main, 0.955, 0.16), _clamped(third, 0.5, 0.8)
    leaf = tone(second, 0.52, 1.0) if branded else tone((74, 138, 84), 0.55, 0.8)
    return Scheme(
        back=back,
        ground=ground,
        panel=_apart(panel, back, 0.08),
        panel2=_apart(panel2, back, 0.1),
        hero=_apart(hero, back if mood == "bold" else panel, 0.2),
        second=_apart(second, hero, 0.14),
        accent=_apart(accent, hero, 0.16),
        light=tone(main, 0.97, 0.12),
        deep=tone(main, 0.25, 0.6),
        leaf=_apart(leaf, back, 0.14),
        shade=tone(main, 0.16, 0.5),
    )
