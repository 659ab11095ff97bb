"""Nature, places, people and feasts, for the mock generator; and solids for all other words."""

from __future__ import annotations

import math

from pipeline.generate import shapes as s
from pipeline.generate.motifs import Motif, Part, Tone


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


def mountain() -> Motif:
    return (
        Part(s.circle(0.3, -0.78, 0.15), "accent", "ball"),
        Part(s.polygon([(-0.16, 0), (0.26, -0.66), (0.66, 0)]), "second", "round"),
        Part(s.polygon([(0.15, -0.49), (0.26, -0.66), (0.37, -0.48), (0.27, -0.42)]), "light"),
        Part(s.polygon([(-0.68, 0), (-0.18, -0.92), (0.32, 0)]), "hero", "round"),
        Part(s.polygon([(-0.31, -0.68), (-0.18, -0.92), (-0.05, -0.68), (-0.13, -0.61),
                        (-0.2, -0.68), (-0.26, -0.6)]), "light"),
        Part(s.polygon([(-0.6, 0), (-0.5, -0.26), (-0.4, 0)]), "leaf", "round"),
        Part(s.polygon([(0.3, 0), (0.4, -0.3), (0.5, 0)]), "leaf", "round"),
    )  # fmt: skip


def cat() -> Motif:
    body = s.blob(
        [(-0.3, 0.0), (-0.33, -0.24), (-0.2, -0.48), (0.0, -0.56), (0.2, -0.48), (0.33, -0.24),
         (0.3, 0.0), (0, 0.02)]
    )  # fmt: skip
    ears = [
        Part(
            s.polygon([(side * 0.26, -0.74), (side * 0.24, -1.0), (side * 0.05, -0.88)]),
            "hero",
            "down",
        )
        for side in (-1, 1)
    ]
    inner = [
        Part(s.polygon([(side * 0.22, -0.8), (side * 0.215, -0.93), (side * 0.11, -0.87)]),
             "accent", solid=False)
        for side in (-1, 1)
    ]  # fmt: skip
    eyes = [Part(s.circle(side * 0.1, -0.72, 0.032), "deep", solid=False) for side in (-1, 1)]
    paws = [Part(s.ellipse(side * 0.12, -0.04, 0.1, 0.06), "light", "ball") for side in (-1, 1)]
    return (
        Part(s.stroke([(0.2, -0.05), (0.5, -0.08), (0.52, -0.34), (0.42, -0.42)], 0.09), "second"),
        Part(body, "hero", "ball"),
        Part(s.ellipse(0, -0.26, 0.15, 0.2), "light", "ball", solid=False),
        *paws,
        *ears,
        *inner,
        Part(s.ellipse(0, -0.71, 0.28, 0.22), "hero", "ball"),
        *eyes,
        Part(s.ellipse(0, -0.635, 0.07, 0.045), "light", solid=False),
        Part(s.polygon([(-0.028, -0.66), (0.028, -0.66), (0, -0.63)]), "accent", solid=False),
        Part(s.box(-0.17, -0.53, 0.17, -0.485, 0.02), "accent", "round"),
    )


def abstract() -> Motif:
    """For words that name nothing we can draw: a still life of solids."""
    return (
        Part(s.box(-0.5, -0.5, -0.12, 0, 0.03), "second", "round"),
        Part(s.circle(-0.31, -0.66, 0.16), "accent", "ball"),
        Part(s.circle(0.2, -0.3, 0.3), "hero", "ball"),
        Part(s.polygon([(0.36, 0), (0.66, 0), (0.51, -0.5)]), "accent", "round"),
    )
