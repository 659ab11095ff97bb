"""Pictures to the tensors CLIP was trained on: PIL bicubic, centre crop, one fused normalise.

The same numbers as transformers' `CLIPImageProcessor` on its PIL path, at a fraction of its time:
rescaling and normalising are one table look-up per channel (a byte has 256 values), and pictures
are resized side by side, because Pillow lets go of the interpreter's lock while it resizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.errors import BackendUnavailable

Pixels = NDArray[np.float32]

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, slots=True)
class Preprocess:
    """What `preprocessor_config.json` says: sides in pixels, mean and std of 0..1 channels."""

    short_side_px: int
    crop_px: tuple[int, int]
    mean: tuple[float, float, float] = OPENAI_MEAN
    std: tuple[float, float, float] = OPENAI_STD

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> Preprocess:
        """Reads the hub's file, old (`size: 224`) and new (`size: {shortest_edge: 224}`) alike.

        Raises BackendUnavailable for steps that CLIP's own preprocessing doesn't have.
        """
        if config.get("resample", 3) != Image.Resampling.BICUBIC:
            raise BackendUnavailable("clip", f"resample {config['resample']!r} is not bicubic")
        if abs(_number(config.get("rescale_factor", 1 / 255)) - 1 / 255) > 1e-9:
            raise BackendUnavailable("clip", f"rescale_factor {config['rescale_factor']!r}")
        skipped = [name for name in config if name.startswith("do_") and config[name] is False]
        if unknown := set(skipped) - {"do_pad", "do_reduce_labels"}:
            raise BackendUnavailable("clip", f"preprocessing without {sorted(unknown)}")
        height, width = _sides(config.get("crop_size", 224), ("height", "width"))
        return cls(
            short_side_px=_sides(config.get("size", 224), ("shortest_edge",))[0],
            crop_px=(height, width),
            mean=_triple(config.get("image_mean", OPENAI_MEAN)),
            std=_triple(config.get("image_std", OPENAI_STD)),
        )

    def batch(self, images: Sequence[Image.Image], threads: int = 1) -> Pixels:
        """Pictures of any size as one [N, 3, H, W] float32 array."""
        height, width = self.crop_px
        out = np.empty((len(images), 3, height, width), dtype=np.float32)
        tables = self._tables()

        def fill(index: int) -> None:
            cropped = self._cropped(images[index])
            for channel in range(3):
                # Bytes can't be out of a 256-entry table's range; "clip" only saves the check.
                tables[channel].take(cropped[..., channel], out=out[index, channel], mode="clip")

        if threads == 1 or len(images) == 1:
            for index in range(len(images)):
                fill(index)
        else:
            with ThreadPoolExecutor(min(threads, len(images)), "preprocess") as pool:
                list(pool.map(fill, range(len(images))))
        return out

    def _cropped(self, image: Image.Image) -> NDArray[np.uint8]:
        rgb = image if image.mode == "RGB" else image.convert("RGB")
        small = rgb.resize(self._resized(rgb.size), Image.Resampling.BICUBIC)
        height, width = self.crop_px
        # Halves go to the even pixel, as in OpenAI's preprocessing (torchvision's CenterCrop);
        # transformers rounds them down, one pixel off for every other odd margin.
        left, top = round((small.width - width) / 2), round((small.height - height) / 2)
        return np.asarray(small.crop((left, top, left + width, top + height)))

    def _resized(self, size: tuple[int, int]) -> tuple[int, int]:
        short, side = min(size), self.short_side_px
        # Cut, not rounded: the reference computes int(side * long / short).
        return int(side * size[0] / short), int(side * size[1] / short)

    def _tables(self) -> list[Pixels]:
        levels = np.arange(256, dtype=np.float32) * np.float32(1 / 255)
        return [
            (levels - np.float32(mean)) / np.float32(std)
            for mean, std in zip(self.mean, self.std, strict=True)
        ]


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise BackendUnavailable("clip", f"preprocessor_config.json: {value!r} is no number")
    return float(value)


def _sides(value: object, names: tuple[str, ...]) -> list[int]:
    """`224` or `{"height": 224, "width": 224}` as whole pixels in the order of `names`."""
    if isinstance(value, Mapping):
        if missing := [name for name in names if name not in value]:
            raise BackendUnavailable("clip", f"preprocessor_config.json lacks {missing}")
        return [int(_number(value[name])) for name in names]
    return [int(_number(value))] * len(names)


def _triple(value: object) -> tuple[float, float, float]:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise BackendUnavailable("clip", f"preprocessor_config.json: {value!r} is no colour")
    red, green, blue = (_number(part) for part in value)
    return red, green, blue
