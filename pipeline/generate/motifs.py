"""Things the mock generator can draw.

A motif stands on the line y = 0 around x = 0 and is about 1 high (y from -1 to 0).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.generate import shapes as s
from pipeline.generate.shapes import Shape

Tone = Literal["hero", "second", "accent", "light", "deep", "leaf", "panel"]
Form = Literal["flat", "round", "down", "across", "ball"]


@dataclass(frozen=True, slots=True)
class Part:
    """A shape, what it is painted with, how it is lit. `solid` parts cast shadows."""

    shape: Shape
    tone: Tone
    form: Form = "flat"
    alpha: float = 1.0
    solid: bool = True


Motif = tuple[Part, ...]


def cup() -> Motif:
    body = s.blob(
        [(-0.36, -0.62), (-0.35, -0.4), (-0.27, -0.16), (-0.14, -0.05), (0.14, -0.05),
         (0.27, -0.16), (0.35, -0.4), (0.36, -0.62), (0.0, -0.6)]
    )  # fmt: skip
    steam = [
        s.stroke([(x, -0.74), (x + 0.06, -0.84), (x - 0.05, -0.95), (x + 0.03, -1.08)], 0.045,
                 taper=0.3)
        for x in (-0.13, 0.07)
    ]  # fmt: skip
    return (
        Part(s.ellipse(0, -0.045, 0.54, 0.065), "second", "round"),
        Part(s.ellipse(0, -0.055, 0.3, 0.03), "deep", alpha=0.25, solid=False),
        Part(s.ring(0.37, -0.4, 0.17, 0.17, 0.065), "hero", "down"),
        Part(body, "hero", "round"),
        Part(s.ellipse(0, -0.62, 0.36, 0.085), "light"),
        Part(s.ellipse(0, -0.612, 0.315, 0.066), "deep"),
        Part(s.ellipse(-0.04, -0.604, 0.2, 0.04), "accent", alpha=0.55, solid=False),
        *(Part(line, "light", alpha=0.6, solid=False) for line in steam),
    )


def bottle() -> Motif:
    drop = s.circle(0, -0.33, 0.085)
    return (
        Part(s.box(-0.25, -0.62, 0.25, 0, 0.07), "hero", "round"),
        Part(s.box(-0.11, -0.71, 0.11, -0.6, 0.02), "second", "round"),
        Part(s.box(-0.145, -1.0, 0.145, -0.69, 0.035), "accent", "round"),
        Part(s.box(-0.25, -0.47, 0.25, -0.16), "light", "round", alpha=0.9),
        Part(drop, "accent"),
        Part(s.box(-0.19, -0.58, -0.145, -0.04, 0.02), "light", alpha=0.35, solid=False),
    )


def jar() -> Motif:
    tube = s.polygon([(0.17, -0.06), (0.43, -0.06), (0.47, -0.86), (0.13, -0.86)])
    return (
        Part(tube, "second", "round"),
        Part(s.box(0.12, -0.92, 0.48, -0.85, 0.01), "second", "round"),
        Part(s.box(0.17, -0.08, 0.43, 0, 0.02), "accent", "round"),
        Part(s.box(-0.5, -0.34, 0.12, 0, 0.08), "hero", "round"),
        Part(s.box(-0.53, -0.49, 0.15, -0.31, 0.05), "light", "round"),
        Part(s.box(-0.38, -0.23, 0.0, -0.11, 0.06), "light", alpha=0.75),
    )


def gift() -> Motif:
    bow = s.blob([(0, -0.74), (0.16, -0.92), (0.36, -0.93), (0.34, -0.79), (0.14, -0.73)])
    left = s.Shape(tuple(p * [-1, 1] for p in bow.fill))
    return (
        Part(s.box(-0.4, -0.6, 0.4, 0, 0.02), "hero", "round"),
        Part(s.box(-0.09, -0.6, 0.09, 0), "accent", "round"),
        Part(s.box(-0.45, -0.74, 0.45, -0.56, 0.02), "hero", "down"),
        Part(s.box(-0.45, -0.575, 0.45, -0.55), "deep", alpha=0.25, solid=False),
        Part(s.box(-0.1, -0.74, 0.1, -0.56), "accent", "down"),
        Part(bow, "accent", "ball"),
        Part(left, "accent", "ball"),
        Part(s.ellipse(0, -0.77, 0.07, 0.055), "second", "ball"),
    )


def branch() -> Motif:
    stem = s.stroke([(-0.05, 0), (0.0, -0.3), (0.03, -0.6), (0.0, -0.86)], 0.03, taper=0.4)
    parts = [Part(stem, "deep")]
    for step, (y, side) in enumerate(
        ((-0.16, 1), (-0.28, -1), (-0.42, 1), (-0.55, -1), (-0.68, 1), (-0.76, -1), (-0.84, 0))
    ):
        blade = s.leaf(0.42 - 0.03 * step, 0.19 - 0.01 * step, 0.04)
        angle = side * (0.95 - 0.05 * step)
        tone: Tone = ("hero", "accent", "second")[step % 3]
        parts.append(Part(blade.moved(0.01, y, 1, angle), tone, "down"))
        vein = s.stroke([(0, 0), (0.005, -0.15), (0.02, -0.3 + 0.02 * step)], 0.008)
        parts.append(Part(vein.moved(0.01, y, 1, angle), "deep", alpha=0.35, solid=False))
    return tuple(parts)


def flower() -> Motif:
    parts = [
        Part(s.stroke([(0, 0), (0.03, -0.3), (0, -0.62)], 0.035), "leaf"),
        Part(s.leaf(0.4, 0.16, 0.05).moved(0.01, -0.1, 1, 0.85), "leaf", "down"),
        Part(s.leaf(0.34, 0.14, -0.05).moved(0.01, -0.16, 1, -0.9), "leaf", "down"),
    ]
    petal = s.leaf(0.33, 0.24)
    for ring, (count, size) in enumerate(((8, 1.0), (8, 0.72))):
        for step in range(count):
            angle = math.tau * (step + ring / 2) / count
            tone: Tone = "hero" if ring == 0 else "second"
            parts.append(Part(petal.moved(0, -0.68, size, angle), tone, "ball", solid=ring == 0))
    parts.append(Part(s.circle(0, -0.68, 0.085), "accent", "ball"))
    return tuple(parts)


def bouquet() -> Motif:
    parts = []
    for x, y, angle in (
        (-0.3, -0.5, -0.7),
        (0.3, -0.5, 0.7),
        (0, -0.66, 0.05),
        (-0.14, -0.6, -0.3),
    ):
        parts.append(Part(s.leaf(0.42, 0.16).moved(x, y, 1, angle), "leaf", "down"))
    heads = ((-0.24, -0.62, 0.16, "hero"), (0.24, -0.63, 0.15, "second"),
             (0.0, -0.78, 0.17, "hero"), (-0.08, -0.54, 0.13, "accent"),
             (0.13, -0.5, 0.12, "hero"))  # fmt: skip
    for x, y, r, tone in heads:
        for step in range(7):
            turn = math.tau * step / 7
            petal = s.circle(x + r * 0.55 * math.cos(turn), y + r * 0.55 * math.sin(turn), r * 0.52)
            parts.append(Part(petal, tone, "ball"))  # type: ignore[arg-type]
        parts.append(Part(s.circle(x, y, r * 0.36), "light", "ball", solid=False))
    wrap = s.polygon([(-0.38, -0.52), (0.0, -0.4), (0.38, -0.52), (0.11, 0), (-0.11, 0)])
    fold = s.polygon([(-0.38, -0.52), (0.06, -0.38), (0.03, 0), (-0.11, 0)])
    band = s.box(-0.17, -0.2, 0.17, -0.145, 0.02)
    return (*parts, Part(wrap, "panel", "down"), Part(fold, "light", "round"), Part(band, "accent"))


def cake() -> Motif:
    drip = [(-0.36, -0.66), (-0.36, -0.48), (-0.29, -0.44), (-0.24, -0.53), (-0.15, -0.54),
            (-0.1, -0.4), (-0.03, -0.38), (0.02, -0.52), (0.12, -0.53), (0.17, -0.44),
            (0.24, -0.43), (0.29, -0.52), (0.36, -0.5), (0.36, -0.66), (0, -0.68)]  # fmt: skip
    berries = [Part(s.circle(x, -0.7, 0.065), "accent", "ball") for x in (-0.24, -0.08, 0.08, 0.24)]
    return (
        Part(s.ellipse(0, -0.05, 0.56, 0.07), "light", "round"),
        Part(s.box(-0.44, -0.34, 0.44, -0.04, 0.05), "hero", "round"),
        Part(s.box(-0.44, -0.22, 0.44, -0.17), "second", "round", solid=False),
        Part(s.box(-0.36, -0.64, 0.36, -0.32, 0.05), "hero", "round"),
        Part(s.blob(drip), "second", "round"),
        *berries,
        Part(s.box(-0.016, -0.96, 0.016, -0.72, 0.01), "second"),
        Part(s.leaf(0.13, 0.07).moved(0, -0.95), "accent", "down", solid=False),
    )


def plate() -> Motif:
    parts = [
        Part(s.ellipse(0, -0.1, 0.62, 0.13), "light", "round"),
        Part(s.ellipse(0, -0.13, 0.44, 0.075), "panel", "down", alpha=0.5, solid=False),
        Part(s.half(0, -0.13, 0.36, 0.3, up=True), "hero", "ball"),
    ]
    greens = ((-0.3, -0.18, -0.9), (0.28, -0.2, 0.9), (-0.1, -0.38, -0.4), (0.12, -0.38, 0.5))
    for x, y, angle in greens:
        parts.append(Part(s.leaf(0.26, 0.14, 0.03).moved(x, y, 1, angle), "leaf", "down"))
    for x, y, r in ((-0.2, -0.24, 0.085), (0.02, -0.4, 0.09), (0.22, -0.26, 0.075)):
        parts.append(Part(s.circle(x, y, r), "accent", "ball"))
    parts.append(Part(s.circle(-0.04, -0.23, 0.07), "second", "ball"))
    return tuple(parts)


def phone() -> Motif:
    tiles = [
        Part(s.box(x, y, x + 0.16, y + 0.16, 0.03), tone, "down", solid=False)  # type: ignore[arg-type]
        for x, y, tone in ((-0.18, -0.5, "hero"), (0.02, -0.5, "accent"),
                           (-0.18, -0.3, "accent"), (0.02, -0.3, "second"))
    ]  # fmt: skip
    return (
        Part(s.box(-0.27, -1, 0.27, 0, 0.075), "deep", "round"),
        Part(s.box(-0.24, -0.97, 0.24, -0.03, 0.055), "light", "down"),
        Part(s.box(-0.18, -0.86, 0.18, -0.56, 0.04), "panel", "down", solid=False),
        Part(s.circle(0.05, -0.71, 0.09), "hero", "ball", solid=False),
        *tiles,
        Part(s.box(-0.07, -0.94, 0.07, -0.915, 0.012), "deep", solid=False),
    )


def laptop() -> Motif:
    chart = [
        Part(s.box(x, -0.18 - h, x + 0.09, -0.18, 0.015), tone, "down", solid=False)  # type: ignore[arg-type]
        for x, h, tone in ((-0.36, 0.16, "second"), (-0.23, 0.26, "hero"), (-0.1, 0.38, "accent"))
    ]
    return (
        Part(s.box(-0.53, -0.76, 0.53, -0.06, 0.04), "deep", "round"),
        Part(s.box(-0.49, -0.72, 0.49, -0.1, 0.02), "light", "down"),
        *chart,
        Part(s.ring(0.24, -0.41, 0.17, 0.17, 0.06), "hero", "ball", solid=False),
        Part(s.sector(0.24, -0.41, 0.17, -1.57, 0.2), "accent", "ball", solid=False),
        Part(s.polygon([(-0.56, -0.07), (0.56, -0.07), (0.7, 0), (-0.7, 0)]), "second", "down"),
        Part(s.box(-0.7, -0.014, 0.7, 0.012, 0.012), "deep"),
    )


def shoe() -> Motif:
    upper = s.blob(
        [(-0.5, -0.1), (-0.52, -0.4), (-0.42, -0.56), (-0.3, -0.46), (-0.16, -0.48), (-0.06, -0.52),
         (0.1, -0.33), (0.34, -0.26), (0.55, -0.17), (0.58, -0.08), (0, -0.06)]
    )  # fmt: skip
    laces = [
        Part(s.stroke([(x, y), (x + 0.05, y - 0.04), (x + 0.12, y - 0.06)], 0.03), "light")
        for x, y in ((-0.12, -0.42), (-0.04, -0.36), (0.05, -0.3))
    ]
    return (
        Part(upper, "hero", "ball"),
        Part(
            s.blob([(-0.5, -0.12), (-0.51, -0.38), (-0.36, -0.3), (-0.28, -0.12)]), "second", "down"
        ),
        Part(s.stroke([(-0.22, -0.14), (0.02, -0.17), (0.2, -0.3)], 0.05, taper=0.4), "accent"),
        *laces,
        Part(s.box(-0.56, -0.14, 0.62, 0, 0.07), "light", "down"),
        Part(s.box(-0.56, -0.045, 0.62, 0.0, 0.02), "accent", "round"),
    )


def house() -> Motif:
    panes = [
        Part(s.box(x, y, x + 0.09, y + 0.13, 0.01), "accent", "down", solid=False)
        for x in (-0.46, -0.3) for y in (-0.82, -0.6, -0.38)
    ] + [
        Part(s.box(x, y, x + 0.11, y + 0.13, 0.01), "light", "down", solid=False)
        for x in (0.04, 0.24) for y in (-0.42,)
    ]  # fmt: skip
    return (
        Part(s.box(-0.54, -0.96, -0.12, 0), "hero", "round"),
        Part(s.box(-0.57, -0.99, -0.09, -0.93), "second", "down"),
        *panes[:6],
        Part(s.box(-0.02, -0.5, 0.46, 0), "second", "round"),
        Part(s.polygon([(-0.08, -0.49), (0.22, -0.8), (0.52, -0.49)]), "accent", "down"),
        *panes[6:],
        Part(s.arch(0.22, 0, 0.14, 0.23), "deep"),
        Part(s.ellipse(0.6, -0.17, 0.13, 0.18), "leaf", "ball"),
        Part(s.ellipse(-0.66, -0.12, 0.12, 0.13), "leaf", "ball"),
    )


def person() -> Motif:
    body = s.blob(
        [(-0.42, 0.02), (-0.4, -0.26), (-0.24, -0.42), (0, -0.45), (0.24, -0.42), (0.4, -0.26),
         (0.42, 0.02)]
    )  # fmt: skip
    hair = s.blob(
        [(-0.21, -0.5), (-0.24, -0.72), (-0.17, -0.92), (0.02, -0.99), (0.19, -0.9), (0.23, -0.7),
         (0.2, -0.46), (0.12, -0.42), (-0.12, -0.42)]
    )  # fmt: skip
    return (
        Part(hair, "deep", "ball"),
        Part(body, "hero", "ball"),
        Part(s.box(-0.075, -0.56, 0.075, -0.38, 0.06), "second", "down"),
        Part(s.ellipse(0, -0.68, 0.15, 0.185), "light", "ball"),
        Part(s.blob([(-0.17, -0.7), (-0.12, -0.88), (0.05, -0.92), (0.17, -0.82), (0.16, -0.68),
                     (0.08, -0.8)]), "deep", "down"),
        Part(s.half(0, -0.44, 0.14, 0.09, up=False), "second", "down", solid=False),
        Part(s.circle(0.16, -0.2, 0.05), "accent", "ball", solid=False),
    )  # fmt: skip


def bag() -> Motif:
    return (
        Part(s.ring(0, -0.62, 0.19, 0.3, 0.035), "accent"),
        Part(s.polygon([(-0.42, -0.64), (0.42, -0.64), (0.47, 0), (-0.47, 0)]), "hero", "round"),
        Part(s.polygon([(0.2, -0.64), (0.42, -0.64), (0.47, 0), (0.24, 0)]), "deep", alpha=0.16,
             solid=False),
        Part(s.star(-0.1, -0.31, 0.17, 0.5, 8), "accent"),
        Part(s.ring(0, -0.62, 0.19, 0.3, 0.035).without(s.box(-0.3, -0.64, 0.3, 0)), "accent"),
    )  # fmt: skip


def snowflake() -> Motif:
    arm = s.union(
        s.box(-0.022, -0.5, 0.022, 0, 0.02),
        *(s.box(-0.018, -length, 0.018, 0, 0.018).moved(0, -y, 1, turn)
          for y, length in ((0.18, 0.13), (0.32, 0.12)) for turn in (0.9, -0.9)),
    )  # fmt: skip
    arms = s.union(*(arm.moved(0, -0.5, 1, math.tau * step / 6) for step in range(6)))
    return (Part(arms, "hero", "down"), Part(s.circle(0, -0.5, 0.07), "accent", "ball"))


def tree() -> Motif:
    tiers = [
        Part(s.polygon([(-w, -y), (0, -y - h), (w, -y)]), "leaf", "round")
        for w, y, h in ((0.42, 0.12, 0.42), (0.34, 0.36, 0.36), (0.24, 0.58, 0.34))
    ]
    balls = [
        Part(s.circle(x, y, 0.04), tone, "ball", solid=False)  # type: ignore[arg-type]
        for x, y, tone in ((-0.2, -0.2, "accent"), (0.1, -0.26, "hero"), (0.24, -0.18, "accent"),
                           (-0.08, -0.44, "hero"), (0.13, -0.5, "accent"), (0.0, -0.68, "hero"))
    ]  # fmt: skip
    trunk = Part(s.box(-0.06, -0.14, 0.06, 0), "deep", "round")
    return (trunk, *tiers, *balls, Part(s.star(0, -0.94, 0.09, 0.45, 5), "accent"))


def heart() -> Motif:
    turns = [math.tau * step / 60 for step in range(60)]
    outline = [
        (
            0.029 * 16 * math.sin(t) ** 3,
            -0.52 - 0.029 * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t)
                             - math.cos(4 * t)),
        )
        for t in turns
    ]  # fmt: skip
    shine = s.stroke([(-0.33, -0.62), (-0.32, -0.76), (-0.22, -0.85)], 0.05)
    return (Part(s.polygon(outline), "hero", "ball"), Part(shine, "light", alpha=0.5, solid=False))


def car() -> Motif:
    body = s.blob(
        [(-0.66, -0.12), (-0.66, -0.3), (-0.46, -0.36), (-0.28, -0.56), (0.14, -0.57),
         (0.34, -0.38), (0.6, -0.31), (0.68, -0.14), (0, -0.1)]
    )  # fmt: skip
    glass = s.polygon([(-0.35, -0.37), (-0.23, -0.51), (-0.04, -0.52), (-0.04, -0.37)])
    glass2 = s.polygon([(0.0, -0.37), (0.0, -0.52), (0.11, -0.51), (0.25, -0.37)])
    wheels = [
        part
        for x in (-0.38, 0.39)
        for part in (
            Part(s.circle(x, -0.12, 0.135), "deep", "ball"),
            Part(s.circle(x, -0.12, 0.07), "light", "ball", solid=False),
        )
    ]
    return (
        Part(body, "hero", "down"),
        Part(glass, "light", "down", solid=False),
        Part(glass2, "light", "down", solid=False),
        Part(s.box(-0.62, -0.22, 0.64, -0.19, 0.01), "accent", solid=False),
        Part(s.circle(0.61, -0.25, 0.035), "accent", "ball", solid=False),
        *wheels,
    )


def book() -> Motif:
    left = s.blob(
        [(0, -0.1), (0, -0.62), (-0.2, -0.7), (-0.52, -0.63), (-0.52, -0.11), (-0.2, -0.18)]
    )
    right = s.Shape(tuple(p * [-1, 1] for p in left.fill))
    lines = [
        Part(s.box(side * 0.28 - 0.15, y, side * 0.28 + 0.15, y + 0.025, 0.01), "panel", alpha=0.7,
             solid=False)
        for side in (-1, 1) for y in (-0.53, -0.45, -0.37, -0.29)
    ]  # fmt: skip
    return (
        Part(s.box(-0.58, -0.64, 0.58, -0.04, 0.03), "hero", "round"),
        Part(left, "light", "round"),
        Part(right, "light", "round"),
        *lines,
        Part(
            s.polygon([(0.02, -0.66), (0.1, -0.67), (0.1, 0.06), (0.06, 0.02), (0.02, 0.06)]),
            "accent",
        ),
    )


def balloons() -> Motif:
    parts = []
    for x, y, r, tone in ((-0.25, -0.66, 0.2, "second"), (0.25, -0.62, 0.19, "accent"),
                          (0.0, -0.8, 0.22, "hero")):  # fmt: skip
        string = s.stroke([(x, y + r), (x * 0.6 + 0.03, -0.3), (0, 0)], 0.012)
        parts.append(Part(string, "deep", alpha=0.6, solid=False))
        parts.append(Part(s.ellipse(x, y, r * 0.88, r * 1.06), tone, "ball"))  # type: ignore[arg-type]
        knot = s.polygon([(x - 0.03, y + r * 1.14), (x, y + r), (x + 0.03, y + r * 1.14)])
        parts.append(Part(knot, tone))  # type: ignore[arg-type]
    return tuple(parts)


def glass() -> Motif:
    return (
        Part(s.ellipse(0, -0.03, 0.2, 0.035), "light", "round", alpha=0.85),
        Part(s.box(-0.018, -0.5, 0.018, -0.03), "light", "round", alpha=0.85),
        Part(s.half(0, -0.99, 0.27, 0.5, up=False), "light", "round", alpha=0.55),
        Part(s.half(0, -0.82, 0.238, 0.31, up=False), "hero", "round"),
        Part(s.ellipse(0, -0.82, 0.238, 0.035), "accent", alpha=0.8, solid=False),
        Part(s.stroke([(-0.18, -0.9), (-0.19, -0.74), (-0.13, -0.62)], 0.025), "light", alpha=0.6,
             solid=False),
        Part(s.ring(0.24, -0.96, 0.13, 0.13, 0.035), "accent"),
        Part(s.circle(0.24, -0.96, 0.09), "second", "ball"),
    )  # fmt: skip


def ring() -> Motif:
    gem = s.polygon([(-0.2, -0.84), (-0.1, -0.98), (0.1, -0.98), (0.2, -0.84), (0, -0.62)])
    facets = s.polygon([(-0.08, -0.84), (0, -0.98), (0.08, -0.84), (0, -0.62)])
    return (
        Part(s.ring(0, -0.34, 0.34, 0.34, 0.075), "accent", "round"),
        Part(gem, "light", "down"),
        Part(facets, "hero", "down", alpha=0.5, solid=False),
    )


def abstract() -> Motif:
    """For words that name nothing we can draw: a still life of solids."""
    return (
        Part(s.box(-0.5, -0.5, -0.12, 0, 0.03), "second", "round"),
        Part(s.circle(-0.31, -0.66, 0.16), "accent", "ball"),
        Part(s.circle(0.2, -0.3, 0.3), "hero", "ball"),
        Part(s.polygon([(0.36, 0), (0.66, 0), (0.51, -0.5)]), "accent", "round"),
    )


def footprint(motif: Sequence[Part]) -> Shape:
    """The outline that casts the motif's shadow."""
    return s.union(*(part.shape for part in motif if part.solid))
