"""Things that are sold, served or used, for the mock generator."""

from __future__ import annotations

from pipeline.generate import shapes as s
from pipeline.generate.motifs import Motif, Part


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


def bag() -> Motif:
    return (
        Part(s.ring(0, -0.62, 0.19, 0.3, 0.035), "accent"),
        Part(s.polygon([(-0.42, -0.64), (0.42, -0.64), (0.47, 0), (-0.47, 0)]), "hero", "round"),
        Part(s.polygon([(0.2, -0.64), (0.42, -0.64), (0.47, 0), (0.24, 0)]), "deep", alpha=0.16,
             solid=False),
        Part(s.star(-0.1, -0.31, 0.17, 0.5, 8), "accent"),
        Part(s.ring(0, -0.62, 0.19, 0.3, 0.035).without(s.box(-0.3, -0.64, 0.3, 0)), "accent"),
    )  # fmt: skip


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


def ring() -> Motif:
    gem = s.polygon([(-0.2, -0.84), (-0.1, -0.98), (0.1, -0.98), (0.2, -0.84), (0, -0.62)])
    facets = s.polygon([(-0.08, -0.84), (0, -0.98), (0.08, -0.84), (0, -0.62)])
    return (
        Part(s.ring(0, -0.34, 0.34, 0.34, 0.075), "accent", "round"),
        Part(gem, "light", "down"),
        Part(facets, "hero", "down", alpha=0.5, solid=False),
    )


def shirt() -> Motif:
    body = s.polygon(
        [(-0.16, -0.94), (-0.34, -0.88), (-0.56, -0.62), (-0.42, -0.5), (-0.31, -0.6), (-0.31, 0),
         (0.31, 0), (0.31, -0.6), (0.42, -0.5), (0.56, -0.62), (0.34, -0.88), (0.16, -0.94)]
    )  # fmt: skip
    return (
        Part(body, "hero", "round"),
        Part(s.half(0, -0.945, 0.165, 0.15, up=False), "deep", alpha=0.35, solid=False),
        Part(s.half(0, -0.945, 0.125, 0.11, up=False), "panel", solid=False),
        Part(s.circle(0, -0.5, 0.14), "accent", "ball", solid=False),
        Part(s.box(-0.2, -0.29, 0.2, -0.25, 0.02), "second", solid=False),
        Part(s.box(-0.13, -0.21, 0.13, -0.17, 0.02), "second", solid=False),
    )


def suitcase() -> Motif:
    ribs = [
        Part(s.box(x, -0.7, x + 0.035, -0.1, 0.017), "deep", alpha=0.16, solid=False)
        for x in (-0.24, -0.1, 0.065, 0.205)
    ]
    return (
        Part(s.box(-0.14, -1.0, 0.14, -0.7, 0.05).without(s.box(-0.1, -0.96, 0.1, -0.7)), "second"),
        Part(s.circle(-0.23, -0.035, 0.045), "deep", "ball"),
        Part(s.circle(0.23, -0.035, 0.045), "deep", "ball"),
        Part(s.box(-0.35, -0.76, 0.35, -0.05, 0.09), "hero", "round"),
        *ribs,
        Part(s.circle(0.2, -0.56, 0.085), "accent", "ball", solid=False),
        Part(s.star(-0.17, -0.28, 0.09, 0.45, 5), "light", solid=False),
    )


def armchair() -> Motif:
    legs = [
        Part(s.polygon([(x, -0.16), (x + 0.06, -0.16), (x + lean + 0.045, 0),
                        (x + lean + 0.015, 0)]), "deep", "round")
        for x, lean in ((-0.37, -0.05), (0.31, 0.05))
    ]  # fmt: skip
    return (
        *legs,
        Part(s.box(-0.34, -0.92, 0.34, -0.2, 0.16), "hero", "ball"),
        Part(s.box(-0.3, -0.42, 0.3, -0.2, 0.07), "hero", "down"),
        Part(s.box(-0.17, -0.68, 0.15, -0.38, 0.05).moved(0, 0, 1, 0.05), "accent", "ball"),
        Part(s.box(-0.48, -0.54, -0.29, -0.12, 0.085), "hero", "round"),
        Part(s.box(0.29, -0.54, 0.48, -0.12, 0.085), "hero", "round"),
        Part(s.box(-0.4, -0.24, 0.4, -0.12, 0.04), "hero", "down"),
    )


def fruit() -> Motif:
    bowl = s.half(0, -0.36, 0.5, 0.68, up=False).without(s.box(-1, -0.06, 1, 1))
    pieces = ((-0.26, -0.44, 0.18, "accent"), (0.25, -0.43, 0.19, "second"),
              (0.0, -0.52, 0.2, "accent"), (-0.1, -0.4, 0.14, "light"))  # fmt: skip
    return (
        *(Part(s.circle(x, y, r), tone, "ball") for x, y, r, tone in pieces),  # type: ignore[arg-type]
        Part(s.stroke([(0.0, -0.7), (0.02, -0.78), (0.06, -0.83)], 0.025), "deep"),
        Part(s.leaf(0.2, 0.1, 0.03).moved(0.04, -0.76, 1, 1.0), "leaf", "down"),
        Part(s.leaf(0.24, 0.12).moved(-0.3, -0.56, 1, -0.7), "leaf", "down"),
        Part(bowl, "hero", "round"),
        Part(s.box(-0.2, -0.07, 0.2, 0, 0.02), "hero", "round"),
        Part(s.box(-0.5, -0.375, 0.5, -0.34, 0.017), "light", "round", alpha=0.7, solid=False),
    )


def candle() -> Motif:
    return (
        Part(s.leaf(0.2, 0.11).moved(0, -0.78), "accent", "down", solid=False),
        Part(s.leaf(0.11, 0.055).moved(0, -0.79), "light", solid=False),
        Part(s.box(-0.01, -0.8, 0.01, -0.7, 0.01), "deep"),
        Part(s.box(-0.28, -0.66, 0.28, 0, 0.07), "hero", "round", alpha=0.95),
        Part(s.ellipse(0, -0.65, 0.27, 0.05), "light", "round"),
        Part(s.box(-0.19, -0.43, 0.19, -0.15, 0.02), "light", "down", alpha=0.9),
        Part(s.leaf(0.17, 0.08).moved(0, -0.2), "second", "down", solid=False),
    )


def megaphone() -> Motif:
    waves = [
        Part(s.stroke([(x, y), (x + 0.12, y + lift)], 0.045), "accent", solid=False)
        for x, y, lift in ((0.42, -0.76, -0.1), (0.47, -0.52, 0.0), (0.42, -0.28, 0.1))
    ]
    return (
        Part(s.polygon([(-0.26, -0.42), (-0.1, -0.4), (-0.04, -0.02), (-0.2, 0)]), "deep", "round"),
        Part(s.polygon([(-0.2, -0.64), (0.3, -0.9), (0.3, -0.14), (-0.2, -0.4)]), "hero", "down"),
        Part(s.box(-0.46, -0.66, -0.16, -0.38, 0.1), "second", "down"),
        Part(s.ellipse(0.3, -0.52, 0.085, 0.38), "accent", "down"),
        Part(s.ellipse(0.305, -0.52, 0.045, 0.28), "deep", alpha=0.5, solid=False),
        *waves,
    )
