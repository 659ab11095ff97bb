"""The mock generator's canvas: antialiased fills, shaded paints and soft shadows on Pillow.

Only a shape's own box is drawn larger and reduced (2 or 3 times), shadows at a quarter of the size:
that keeps a megapixel picture within tens of milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from pipeline.colours import RGB
from pipeline.generate.shapes import Polygon, Shape

Box = tuple[int, int, int, int]

_SHADOW_SCALE = 4
_SMALL_AREA_PX = 350_000


@dataclass(frozen=True, slots=True)
class Paint:
    """A colour, or colours that run `down` or `across` the shape's box, or round it as a `ball`."""

    stops: tuple[RGB, ...]
    kind: Literal["flat", "down", "across", "ball"] = "flat"


def flat(colour: RGB) -> Paint:
    return Paint((colour,))


class Canvas:
    """A picture in the making."""

    def __init__(self, size: tuple[int, int], ground: Paint) -> None:
        self.image = _swatch(ground, size)
        self.width, self.height = size

    @property
    def side(self) -> float:
        """The shorter side, the measure of things."""
        return float(min(self.width, self.height))

    def fill(self, shape: Shape, paint: Paint | RGB, alpha: float = 1.0) -> None:
        """Paint the shape, antialiased."""
        found = self._visible(shape, 1)
        if found is None:
            return
        mask = _mask(shape, found)
        if alpha < 1:
            mask = mask.point([round(value * alpha) for value in range(256)])
        if not isinstance(paint, Paint):
            self.image.paste(paint, found, mask)
        elif paint.kind == "flat":
            self.image.paste(paint.stops[0], found, mask)
        else:
            left, top, right, bottom = _whole(shape.box())
            swatch = _swatch(paint, (right - left, bottom - top))
            inside = (found[0] - left, found[1] - top, found[2] - left, found[3] - top)
            self.image.paste(swatch.crop(inside), found, mask)

    def shadow(
        self,
        shape: Shape,
        colour: RGB,
        alpha: float,
        blur_px: float,
        shift_px: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """A soft shadow (or glow) of the shape."""
        cast = shape.moved(*shift_px)
        found = self._visible(cast, math.ceil(blur_px * 2.5) + _SHADOW_SCALE)
        if found is None:
            return
        left, top, right, bottom = found
        size = (-(-(right - left) // _SHADOW_SCALE), -(-(bottom - top) // _SHADOW_SCALE))
        small = _draw(cast, (left, top), 1 / _SHADOW_SCALE, size)
        small = small.filter(ImageFilter.GaussianBlur(blur_px / _SHADOW_SCALE))
        small = small.point([round(value * alpha) for value in range(256)])
        mask = small.resize((right - left, bottom - top), Image.Resampling.BILINEAR)
        self.image.paste(colour, found, mask)

    def finish(self) -> Image.Image:
        """The picture with a breath of paper on it, which also hides the steps of gradients."""
        paper = _paper()
        sheet = Image.new("L", self.image.size)
        for left in range(0, self.width, paper.width):
            for top in range(0, self.height, paper.height):
                sheet.paste(paper, (left, top))
        return ImageChops.add(self.image, Image.merge("RGB", (sheet,) * 3), offset=-128)

    def _visible(self, shape: Shape, margin: int) -> Box | None:
        left, top, right, bottom = _whole(shape.box())
        left, top = max(0, left - margin), max(0, top - margin)
        right, bottom = min(self.width, right + margin), min(self.height, bottom + margin)
        return (left, top, right, bottom) if left < right and top < bottom else None


def _whole(box: Sequence[float]) -> Box:
    left, top, right, bottom = box
    return math.floor(left), math.floor(top), math.ceil(right) + 1, math.ceil(bottom) + 1


def _mask(shape: Shape, found: Box) -> Image.Image:
    left, top, right, bottom = found
    width, height = right - left, bottom - top
    times = 3 if width * height < _SMALL_AREA_PX else 2
    return _draw(shape, (left, top), times, (width * times, height * times)).reduce(times)


def _draw(
    shape: Shape, origin: tuple[int, int], scale: float, size: tuple[int, int]
) -> Image.Image:
    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    offset = np.array(origin)

    def lay(polygon: Polygon, ink: int) -> None:
        pen.polygon(((polygon - offset) * scale).ravel().tolist(), fill=ink)

    for polygon in shape.fill:
        lay(polygon, 255)
    for polygon in shape.cut:
        lay(polygon, 0)
    return mask


def _swatch(paint: Paint, size: tuple[int, int]) -> Image.Image:
    if paint.kind == "flat" or len(paint.stops) == 1:
        return Image.new("RGB", size, paint.stops[0])
    if paint.kind == "ball":
        return _ball(paint.stops).resize(size, Image.Resampling.BILINEAR)
    down = paint.kind == "down"
    line = _ramp(paint.stops, size[1] if down else size[0])
    strip = Image.fromarray(line[:, None, :] if down else line[None, :, :])
    return strip.resize(size, Image.Resampling.NEAREST)


def _ramp(stops: tuple[RGB, ...], length: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    table = np.array(stops, dtype=np.float64)
    at = np.linspace(0, len(stops) - 1, length)
    known = np.arange(len(stops))
    channels = [np.interp(at, known, table[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def _ball(stops: tuple[RGB, ...]) -> Image.Image:
    """Light from the upper left: the first stop at the highlight, the last at the far rim."""
    y, x = np.mgrid[0:64, 0:64] / 63
    distance = np.hypot(x - 0.36, y - 0.30) / 0.9
    table = _ramp(stops, 256)
    return Image.fromarray(table[np.rint(np.clip(distance, 0, 1) * 255).astype(np.uint8)])


@cache
def _paper() -> Image.Image:
    """A tile of soft mottling around 128, a few levels strong; wraps without a seam."""
    noise = np.random.Generator(np.random.PCG64(20240217)).integers(0, 256, (256, 256))
    cloud = sum(np.roll(noise, (dy, dx), (0, 1)) for dy in range(4) for dx in range(7))
    level = 128 + np.clip((cloud // 28 - 120) // 14, -1, 2)
    return Image.fromarray(level.astype(np.uint8))
