"""Drawing with tiny models, and comparing what was drawn; skips whoever imports it without `ml`."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pipeline.generate.diffusion import DiffusionGenerator
from pipeline.types import Brief, CancelFlag, Picture, Prompt

for library in ("torch", "diffusers", "transformers", "peft"):
    pytest.importorskip(library, reason="the ml extra is not installed")

BRIEF = Brief(raw_prompt="кот", cleaned_prompt="кот", seed=1)
PROMPT = Prompt(render="a cat on a violet table", negative="blurry", intent="a cat", backend="off")
SEEDS = (40, 41)


def draw(
    generator: DiffusionGenerator,
    *seeds: int,
    brief: Brief = BRIEF,
    prompt: Prompt = PROMPT,
) -> list[Picture]:
    return generator.generate(prompt, brief, seeds, lambda done, part=0.0: None, CancelFlag())


def pixels_of(picture: Picture | Image.Image) -> np.ndarray:
    image = picture.image if isinstance(picture, Picture) else picture
    return np.asarray(image, dtype=np.int16)


def same(one: Picture | Image.Image, other: Picture | Image.Image) -> bool:
    return np.array_equal(pixels_of(one), pixels_of(other))


def distance(one: Picture, other: Picture) -> float:
    return float(np.abs(pixels_of(one) - pixels_of(other)).mean())
