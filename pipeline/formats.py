"""Sizes of pictures, and the shape each place to post wants."""

from __future__ import annotations

import math

from pipeline.types import Aspect

GRID_PX = 64
"""Diffusion models want sides divisible by 8 (latents) and work best on multiples of 64."""

_RATIOS: dict[Aspect, tuple[int, int]] = {
    Aspect.SQUARE: (1, 1),
    Aspect.PORTRAIT: (4, 5),
    Aspect.STORY: (9, 16),
    Aspect.LANDSCAPE: (16, 9),
}

_PLATFORM_ASPECTS: dict[str, Aspect] = {
    "stories": Aspect.STORY,
    "reels": Aspect.STORY,
    "shorts": Aspect.STORY,
    "tiktok": Aspect.STORY,
    "whatsapp": Aspect.STORY,
    "pinterest": Aspect.PORTRAIT,
    "marketplace": Aspect.PORTRAIT,
    "print": Aspect.PORTRAIT,
    "youtube": Aspect.LANDSCAPE,
    "dzen": Aspect.LANDSCAPE,
    "website": Aspect.LANDSCAPE,
    "banner": Aspect.LANDSCAPE,
    "email": Aspect.LANDSCAPE,
    "presentation": Aspect.LANDSCAPE,
}


def size(aspect: Aspect, area_px: int) -> tuple[int, int]:
    """Width and height in pixels, multiples of 64, close to `area_px` and to the aspect's ratio.

    Raises ValueError for an area smaller than one 64 x 64 tile.
    """
    if area_px < GRID_PX * GRID_PX:
        raise ValueError(f"area_px must be at least {GRID_PX * GRID_PX}, got {area_px}")
    across, down = _RATIOS[aspect]
    return (
        _to_grid(math.sqrt(area_px * across / down)),
        _to_grid(math.sqrt(area_px * down / across)),
    )


def nearest(width_px: int, height_px: int) -> Aspect:
    """The shape a picture was drawn for: on the grid its sides only come close to it."""

    def distance(aspect: Aspect) -> float:
        across, down = _RATIOS[aspect]
        return abs(math.log(width_px * down / (height_px * across)))

    return min(_RATIOS, key=distance)


def _to_grid(side_px: float) -> int:
    return max(GRID_PX, math.floor(side_px / GRID_PX + 0.5) * GRID_PX)


def default_aspect(platform: str | None) -> Aspect:
    """The shape for a platform's code of `pipeline.brief`; square where none is known."""
    if platform is None:
        return Aspect.SQUARE
    return _PLATFORM_ASPECTS.get(platform, Aspect.SQUARE)
