"""Outlines the mock generator draws with: polygons in any unit, y pointing down.

A polygon is a float array [N, 2]. Curves are flattened here; the canvas only fills polygons.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Polygon = NDArray[np.float64]
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Shape:
    """What is filled, less what is cut out of it."""

    fill: tuple[Polygon, ...]
    cut: tuple[Polygon, ...] = ()

    def moved(
        self, x: float, y: float, scale: float = 1.0, angle: float = 0.0, shear: float = 0.0
    ) -> Shape:
        """Sheared along x by y, turned by `angle` radians about the origin, scaled, moved."""
        cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
        matrix = np.array([[cos, sin], [-sin, cos]])
        matrix = np.array([[1.0, 0.0], [shear, 1.0]]) @ matrix
        offset = np.array([x, y])
        return Shape(
            tuple(polygon @ matrix + offset for polygon in self.fill),
            tuple(polygon @ matrix + offset for polygon in self.cut),
        )

    def stretched(self, across: float, down: float) -> Shape:
        factors = np.array([across, down])
        return Shape(tuple(p * factors for p in self.fill), tuple(p * factors for p in self.cut))

    def without(self, other: Shape) -> Shape:
        return Shape(self.fill, self.cut + other.fill)

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        points = np.concatenate(self.fill)
        left, top = points.min(axis=0)
        right, bottom = points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    def foot(self, depth: float) -> tuple[float, float]:
        """Left and right of what is within `depth` of the lowest point."""
        points = np.concatenate(self.fill)
        low = points[points[:, 1] >= points[:, 1].max() - depth]
        return float(low[:, 0].min()), float(low[:, 0].max())


def union(*shapes: Shape) -> Shape:
    """All filled parts together; the shapes' own cuts are dropped."""
    return Shape(tuple(polygon for shape in shapes for polygon in shape.fill))


def polygon(points: Points) -> Shape:
    return Shape((np.array(points, dtype=np.float64),))


def _arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> Polygon:
    steps = max(8, math.ceil(abs(end - start) / math.tau * 72))
    turns = [start + (end - start) * step / steps for step in range(steps + 1)]
    return np.array([(x + rx * math.cos(turn), y + ry * math.sin(turn)) for turn in turns])


def ellipse(x: float, y: float, rx: float, ry: float) -> Shape:
    return Shape((_arc(x, y, rx, ry, 0, math.tau),))


def circle(x: float, y: float, r: float) -> Shape:
    return ellipse(x, y, r, r)


def sector(x: float, y: float, r: float, start: float, end: float) -> Shape:
    """A slice of pie; angles in radians, clockwise from the right."""
    return Shape((np.vstack([_arc(x, y, r, r, start, end), [(x, y)]]),))


def half(x: float, y: float, rx: float, ry: float, *, up: bool) -> Shape:
    """Half an ellipse on the line `y`."""
    return Shape((_arc(x, y, rx, ry, 0, -math.pi if up else math.pi),))


def ring(x: float, y: float, rx: float, ry: float, width: float) -> Shape:
    return ellipse(x, y, rx, ry).without(ellipse(x, y, rx - width, ry - width))


def box(left: float, top: float, right: float, bottom: float, r: float = 0.0) -> Shape:
    """A rectangle, its corners rounded by `r`."""
    r = min(r, (right - left) / 2, (bottom - top) / 2)
    if r <= 0:
        return polygon([(left, top), (right, top), (right, bottom), (left, bottom)])
    quarter = math.pi / 2
    return Shape(
        (
            np.vstack(
                [
                    _arc(right - r, bottom - r, r, r, 0, quarter),
                    _arc(left + r, bottom - r, r, r, quarter, 2 * quarter),
                    _arc(left + r, top + r, r, r, 2 * quarter, 3 * quarter),
                    _arc(right - r, top + r, r, r, 3 * quarter, 4 * quarter),
                ]
            ),
        )
    )


def arch(x: float, base: float, width: float, height: float) -> Shape:
    """A doorway: straight sides, a half circle on top."""
    r = min(width / 2, height)
    top = _arc(x, base - height + r, r, r, math.pi, math.tau)
    return Shape((np.vstack([top, [(x + r, base), (x - r, base)]]),))


def smooth(points: Points, *, closed: bool = True, steps: int = 8) -> Polygon:
    """A curve through the points: Catmull & Rom 1974, centripetal weights left out."""
    p = np.array(points, dtype=np.float64)
    if closed:
        before, after, beyond = np.roll(p, 1, 0), np.roll(p, -1, 0), np.roll(p, -2, 0)
    else:
        ends = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
        before, p, after, beyond = ends[:-3], ends[1:-2], ends[2:-1], ends[3:]
    t = (np.arange(steps) / steps)[None, :, None]
    before, p, after, beyond = (a[:, None, :] for a in (before, p, after, beyond))
    curve = 0.5 * (
        2 * p
        + (after - before) * t
        + (2 * before - 5 * p + 4 * after - beyond) * t**2
        + (3 * p - before - 3 * after + beyond) * t**3
    )
    flat = curve.reshape(-1, 2)
    return flat if closed else np.vstack([flat, after[-1]])


def blob(points: Points) -> Shape:
    """A closed smooth outline through the points."""
    return Shape((smooth(points),))


def stroke(points: Points, width: float, *, taper: float = 1.0) -> Shape:
    """A smooth line with round ends; its width ends at `taper` times what it began with."""
    line = smooth(points, closed=False)
    along = np.gradient(line, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across /= np.maximum(np.hypot(across[:, 0], across[:, 1]), 1e-9)[:, None]
    radius = (width / 2 * np.linspace(1, taper, len(line)))[:, None]
    outline = np.vstack([line + across * radius, (line - across * radius)[::-1]])
    (x0, y0), (x1, y1) = line[0], line[-1]
    first, last = circle(x0, y0, width / 2), circle(x1, y1, width / 2 * taper)
    return Shape((outline, *first.fill, *last.fill))


def leaf(length: float, width: float, bend: float = 0.0) -> Shape:
    """A pointed leaf that grows from the origin upwards; `bend` leans its tip to the right."""
    steps = np.linspace(0, 1, 25)
    half_width = width / 2 * np.sin(np.pi * steps**0.8) ** 1.2
    middle = bend * steps**2
    right = np.stack([middle + half_width, -length * steps], axis=1)
    left = np.stack([middle - half_width, -length * steps], axis=1)
    return Shape((np.vstack([right, left[::-1]]),))


def star(x: float, y: float, r: float, inner: float, points: int, turn: float = 0.0) -> Shape:
    """A star of `points` rays; inner radius as a share of `r`."""
    outline = []
    for step in range(points * 2):
        radius = r if step % 2 == 0 else r * inner
        angle = turn - math.pi / 2 + math.pi * step / points
        outline.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
    return polygon(outline)
