"""The judge for machines without model weights: published measures of pixels, nothing learned.

It can tell a lively, crisp, well-balanced picture from a dull one, and whether the colours fit the
words. What is drawn it can't see; wherever its scores show, they are marked `pixels`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline import colours
from pipeline.types import Score

Floats = NDArray[np.float64]

LONG_SIDE_PX = 256
"""Pictures are measured on a copy this large: the measures then compare across sizes."""

PALETTE_SIZE = 8
MIN_SHARE = 0.01
NEUTRAL_MATCH = 0.5
"""Prompt match where the intent names no colour, season or subject that has one."""

_SUBJECT_WEIGHT = 0.5
"""A colour that merely goes with a subject counts half of one that the person named, and where
there are only such, the match moves half as far from neutral: autumn may also be blue."""

_AES_WEIGHTS = {"colourfulness": 0.3, "contrast": 0.25, "balance": 0.25, "sharpness": 0.2}


def colourfulness(rgb: Floats) -> float:
    """M of Hasler & Suesstrunk 2003, "Measuring colourfulness in natural images" (SPIE 5007).

    `rgb` [H, W, 3] 0..255; 0 is grey, 15 slightly, 45 quite, 109 extremely colourful.
    """
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    rg, yb = red - green, (red + green) / 2 - blue
    spread = math.hypot(float(rg.std()), float(yb.std()))
    return spread + 0.3 * math.hypot(float(rg.mean()), float(yb.mean()))


def sharpness(grey: Floats) -> float:
    """Variance of the Laplacian: Pech-Pacheco et al. 2000, "Diatom autofocusing" (ICPR).

    `grey` [H, W] 0..255, at least 3 x 3; the four-neighbour kernel, borders left out. From 0
    (flat) up; below about 50 a picture of this size looks blurred.
    """
    centre = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * centre).var())


def contrast(grey: Floats) -> float:
    """RMS contrast: Peli 1990, "Contrast in complex images" (JOSA A 7); 0..0.5.

    The standard deviation of `grey` [H, W] 0..255 scaled to 0..1.
    """
    return float((grey / 255).std())


def imbalance(grey: Floats) -> float:
    """Deviation of the centre of mass: Huebner & Fillinger 2016 (Front. Psychol. 7:335).

    Dark is heavy (Arnheim 1974). Distance from the middle to the centre of visual mass, as a share
    of the distance from the middle to a corner: 0 is balanced, 1 all weight in a corner.
    """
    mass = 255 - grey
    total = float(mass.sum())
    if total == 0:
        return 0.0
    height, width = grey.shape
    across = float(mass.sum(axis=0) @ np.linspace(-1, 1, width)) / total
    down = float(mass.sum(axis=1) @ np.linspace(-1, 1, height)) / total
    return math.hypot(across * width, down * height) / math.hypot(width, height)


def dominant(image: Image.Image) -> tuple[NDArray[np.uint8], Floats]:
    """Up to eight main colours [N, 3] and their shares [N] of the area, by median cut.

    Heckbert 1982, "Color image quantization for frame buffer display" (SIGGRAPH). Colours on less
    than a hundredth of the area are left out.
    """
    small = image.resize((64, 64), Image.Resampling.BOX)
    cut = small.quantize(PALETTE_SIZE, Image.Quantize.MEDIANCUT)
    table = np.array(cut.getpalette(), dtype=np.uint8).reshape(-1, 3)
    counts = np.bincount(np.asarray(cut).ravel(), minlength=len(table))[: len(table)]
    shares = counts / counts.sum()
    seen = shares >= MIN_SHARE
    return table[seen], shares[seen]


def wanted_colours(intent: str) -> list[tuple[colours.RGB, float]]:
    """Colours the intent asks for and how much each counts: named ones 1, subjects' ones 0.5."""
    named = colours.named_colours(intent)
    implied = [colour for colour in colours.subject_colours(intent) if colour not in named]
    return [(c, 1.0) for c in named] + [(c, _SUBJECT_WEIGHT) for c in implied]


def palette_match(
    wanted: Sequence[tuple[colours.RGB, float]], table: NDArray[np.uint8], shares: Floats
) -> tuple[float, float]:
    """How well a picture's colours answer the wanted ones: match 0..1, mean CIEDE2000 distance.

    For each wanted colour the area counts that is near it, `area = sum(share * exp(-(dE/15)**2))`;
    the match is `1 - exp(-5 * area)`: a tenth of the picture in the very colour gives 0.4, a third
    0.8. The distance is that of the nearest main colour. Formula of distance: see
    `colours.delta_e_2000`; the mapping is ours.
    """
    want = colours.lab(np.array([colour for colour, _ in wanted]))
    weights = np.array([weight for _, weight in wanted])
    distance = colours.delta_e_2000(want[:, None, :], colours.lab(table)[None, :, :])
    area = (shares * np.exp(-((distance / 15) ** 2))).sum(axis=1)
    match = 1 - np.exp(-5 * area)
    return (
        float((match * weights).sum() / weights.sum()),
        float((distance.min(axis=1) * weights).sum() / weights.sum()),
    )


def _bell(value: float, best: float, width: float) -> float:
    """1 at `best`, 0.37 at `width` to either side."""
    return math.exp(-(((value - best) / width) ** 2))


class PixelsJudge:
    """Scores by pixels alone.

    `clip_raw` is 0.4 times the palette match, so that CLIPScore's `clip_n = min(1, 2.5 * raw)`
    holds for this judge too; `aes_raw` is 1..10, the weighted mean of four measures, so that
    `aes_n = clip((aes_raw - 1) / 9, 0, 1)` does. Where each measure is best was set by eye on
    photographs and posters: too little and too much both cost. `details` has each part 0..1 and,
    as `*_raw`, in its paper's own unit; `palette` and `palette_delta_e` are there if the intent
    asks for colours; else the match is not measured, and says so.
    """

    name = "pixels"

    def score(self, intent: str, images: Sequence[Image.Image]) -> list[Score]:
        """One score an image; `intent` is English."""
        wanted = wanted_colours(intent)
        return [self._score_one(wanted, image) for image in images]

    def _score_one(self, wanted: Sequence[tuple[colours.RGB, float]], image: Image.Image) -> Score:
        small = _measured_copy(image)
        parts, raw = _aesthetics(small)
        aes_raw = 1 + 9 * sum(_AES_WEIGHTS[name] * part for name, part in parts.items())
        match = NEUTRAL_MATCH
        if wanted:
            found, raw["palette_delta_e"] = palette_match(wanted, *dominant(small))
            certainty = max(weight for _, weight in wanted)
            match += certainty * (found - NEUTRAL_MATCH)
            parts["palette"] = match
        clip_raw = 0.4 * match
        return Score(
            clip_raw=clip_raw,
            clip_n=min(1.0, 2.5 * clip_raw),
            aes_raw=aes_raw,
            aes_n=min(1.0, max(0.0, (aes_raw - 1) / 9)),
            details={**parts, **raw},
            match_measured=bool(wanted),
        )


def _measured_copy(image: Image.Image) -> Image.Image:
    scale = LONG_SIDE_PX / max(image.size)
    size = (max(3, round(image.width * scale)), max(3, round(image.height * scale)))
    return image.convert("RGB").resize(size, Image.Resampling.BOX, reducing_gap=None)


def _aesthetics(image: Image.Image) -> tuple[dict[str, float], dict[str, float]]:
    rgb = np.asarray(image, dtype=np.float64)
    grey = np.asarray(image.convert("L"), dtype=np.float64)
    raw = {
        "colourfulness_raw": colourfulness(rgb),
        "contrast_raw": contrast(grey),
        "balance_raw": imbalance(grey),
        "sharpness_raw": sharpness(grey),
    }
    parts = {
        "colourfulness": _bell(raw["colourfulness_raw"], 65, 55),
        "contrast": _bell(raw["contrast_raw"], 0.22, 0.11),
        "balance": math.exp(-raw["balance_raw"] / 0.1),
        "sharpness": _bell(math.log10(raw["sharpness_raw"] + 1), 2.9, 0.9),
    }
    return parts, raw
