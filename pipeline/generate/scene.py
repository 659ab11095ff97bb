"""What every composition works with: the canvas, colours, chance and the thing to show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pipeline.colours import RGB
from pipeline.generate import shapes as s
from pipeline.generate.canvas import Canvas, Paint, flat
from pipeline.generate.dice import Dice
from pipeline.generate.motifs import Form, Motif, Tone, footprint
from pipeline.generate.scheme import Scheme, contrast, lighter
from pipeline.generate.shapes import Shape


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture in the making. `calm` leaves decoration out (a minimalist brand)."""

    canvas: Canvas
    scheme: Scheme
    dice: Dice
    motif: Motif
    calm: bool

    @property
    def u(self) -> float:
        return self.canvas.side

    @property
    def w(self) -> float:
        return float(self.canvas.width)

    @property
    def h(self) -> float:
        return float(self.canvas.height)

    @property
    def stage(self) -> RGB:
        """A ground on which the motif's main colour shows."""
        c = self.scheme
        far = max((c.light, c.panel, c.back, c.second), key=lambda ground: contrast(ground, c.hero))
        return c.light if contrast(c.light, c.hero) > 0.25 else far

    def soft(
        self, shape: Shape, alpha: float = 0.3, blur: float = 0.03, drop: float = 0.02
    ) -> None:
        """A shadow below the shape; blur and drop as shares of the shorter side."""
        u = self.u
        self.canvas.shadow(shape, self.scheme.shade, alpha, blur * u, (drop * u * 0.5, drop * u))

    def raised(self, shape: Shape, colour: RGB, form: Form = "down", alpha: float = 0.3) -> None:
        """A shape that floats a little above what lies below it, as cut paper does."""
        self.soft(shape, alpha)
        self.canvas.fill(shape, lit(colour, form))

    def place(
        self,
        x: float,
        y: float,
        height: float,
        *,
        angle: float = 0.0,
        cast: float = 0.0,
        grounded: bool = True,
        middle: bool = False,
        tones: Mapping[Tone, Tone] | None = None,
    ) -> None:
        """The motif with its foot at (x, y), no wider than `height`.

        With `middle` its middle is there instead of its foot. `cast` is how far its shadow leans
        to the right (0: none).
        """
        left, top, right, bottom = footprint(self.motif).box()
        height /= max(1.0, right - left)
        x -= (left + right) / 2 * height
        y -= (top + bottom) / 2 * height if middle else 0.0
        outline = footprint(self.motif).moved(x, y, height, angle)
        if grounded:
            left, right = outline.foot(height * 0.08)
            foot = s.ellipse(
                (left + right) / 2, y, (right - left) * 0.5 + height * 0.02, height * 0.035
            )
            self.canvas.shadow(foot, self.scheme.shade, 0.5, height * 0.03)
        else:
            self.soft(outline, 0.26, 0.02, 0.025)
        if cast:
            lying = footprint(self.motif).stretched(1, 0.62).moved(0, 0, height, shear=-cast)
            self.canvas.shadow(lying.moved(x, y), self.scheme.shade, 0.26, height * 0.022)
        for part in self.motif:
            role = (tones or {}).get(part.tone, part.tone)
            shape = part.shape.moved(x, y, height, angle)
            self.canvas.fill(shape, lit(getattr(self.scheme, role), part.form), part.alpha)

    def ball(self, x: float, y: float, r: float, colour: RGB) -> None:
        """A sphere that rests at (x, y)."""
        foot = s.ellipse(x + r * 0.25, y - r * 0.04, r * 1.0, r * 0.16)
        self.canvas.shadow(foot, self.scheme.shade, 0.5, r * 0.18)
        self.canvas.fill(s.circle(x, y - r, r), lit(colour, "ball"))

    def drum(self, x: float, y: float, width: float, height: float, colour: RGB) -> float:
        """A round podium whose front foot is at y; returns the y of its top's middle."""
        rx, ry = width / 2, width * 0.085
        foot = s.ellipse(x + rx * 0.18, y - ry * 0.7, rx * 1.12, ry * 1.1)
        self.canvas.shadow(foot, self.scheme.shade, 0.42, width * 0.06)
        top = y - ry - height
        side = s.union(s.box(x - rx, top, x + rx, y - ry), s.ellipse(x, y - ry, rx, ry))
        self.canvas.fill(side, lit(colour, "round"))
        self.canvas.fill(s.ellipse(x, top, rx, ry), lit(lighter(colour, 0.07), "across"))
        return top

    def sprig(
        self, x: float, y: float, length: float, angle: float, colour: RGB, leaves: int = 6
    ) -> None:
        """A frond that grows from (x, y) towards `angle` (0 is up), with its shadow."""
        stem = s.stroke([(0, 0), (0.02, -0.5), (0, -0.98)], 0.018, taper=0.4)
        blades = []
        for step in range(leaves):
            at, size = 0.18 + 0.76 * step / leaves, 0.42 - 0.2 * step / leaves
            for side in (-1, 1):
                blade = s.leaf(size, size * 0.34, 0.03 * side)
                blades.append(blade.moved(0.01, -at, 1, side * (1.0 - 0.35 * step / leaves)))
        blades.append(s.leaf(0.26, 0.09).moved(0, -0.95))
        frond = s.union(stem, *blades).moved(x, y, length, angle)
        self.soft(frond, 0.3, 0.018, 0.018)
        for index, blade in enumerate(blades):
            shade = lighter(colour, 0.035 if index % 2 else -0.035)
            self.canvas.fill(blade.moved(x, y, length, angle), lit(shade, "down"))
        self.canvas.fill(stem.moved(x, y, length, angle), lighter(colour, -0.08))


@lru_cache(maxsize=1024)
def lit(colour: RGB, form: str) -> Paint:
    """The colour as light from the upper left makes it."""
    if form == "flat":
        return flat(colour)
    if form == "down":
        return Paint((lighter(colour, 0.045), lighter(colour, -0.05)), "down")
    if form == "across":
        return Paint((lighter(colour, 0.03), lighter(colour, -0.05)), "across")
    if form == "round":
        steps = (-0.02, 0.075, 0.02, -0.045, -0.11)
        return Paint(tuple(lighter(colour, step) for step in steps), "across")
    return Paint((lighter(colour, 0.15), lighter(colour, 0.02), lighter(colour, -0.17)), "ball")


def wave(scene: Scene, y: float, swing: float, bumps: int, phase: float, bottom: float) -> Shape:
    """A band from a wavy top edge down to `bottom`, over the whole width."""
    reach = scene.w * 1.1
    points = []
    for step in range(bumps * 2 + 1):
        x = -0.05 * scene.w + reach * step / (bumps * 2)
        points.append((x, y + swing * math.sin(phase + step * 1.9)))
    line = s.smooth(points, closed=False, steps=12)
    return s.polygon([*((float(a), float(b)) for a, b in line), (reach, bottom), (-reach, bottom)])
