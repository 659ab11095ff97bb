"""A generator without a model: composed posters, the same for the same words, seed and brand.

It stands in for a diffusion model where there is none, and shows a brand's colours, the words'
subject and four different layouts, so that the rest of the product can be seen at work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PIL import Image

from pipeline import colour_words, formats
from pipeline.errors import BackendUnavailable, Cancelled
from pipeline.generate import scheme, subjects, world
from pipeline.generate.canvas import Canvas, Paint
from pipeline.generate.compositions import FAMILIES
from pipeline.generate.dice import Dice
from pipeline.generate.scene import Scene
from pipeline.types import Brief, CancelFlag, Picture, Prompt

_CALM_WORDS = frozenset(("minimalism", "minimalist", "minimal", "minimalistic", "clean", "simple"))


class MockGenerator:
    """Draws with Pillow. `area_px` is width times height of what it makes."""

    name = "mock"
    max_count = 4
    starts_from_photos = False

    def __init__(self, area_px: int) -> None:
        self._area_px = area_px

    def generate(
        self,
        prompt: Prompt,
        brief: Brief,
        seeds: Sequence[int],
        on_picture: Callable[[int], None],
        cancel: CancelFlag,
    ) -> list[Picture]:
        """One picture a seed. Raises Cancelled, BackendUnavailable for a photo to start from."""
        if brief.photo:
            raise BackendUnavailable(
                self.name,
                "starts from no photo: PIPELINE_GENERATOR=diffusion does",
                code="no_photos",
            )
        size = formats.size(brief.aspect, self._area_px)
        pictures: list[Picture] = []
        for seed in seeds:
            if cancel.is_set():
                raise Cancelled
            pictures.append(_draw(prompt, brief, seed, size))
            on_picture(len(pictures))
        return pictures


def _draw(prompt: Prompt, brief: Brief, seed: int, size: tuple[int, int]) -> Picture:
    # Not the render prompt: the style an enhancer adds to it ("soft light", "clean background") is
    # the same for every request, and says nothing of what is to be seen.
    text = prompt.intent
    base, variation = seed, brief.variation
    steps: list[tuple[int, float]] = []
    while variation is not None:
        steps.insert(0, (base, min(1.0, 1.5 * variation.strength)))
        base, variation = variation.seed, variation.of
    family, mood, default = _design(base)
    moods = scheme.mood_order(text, brief.brand, scheme.MOODS)
    picked = scheme.make(
        scheme.base_colours(text, brief.brand, default),
        moods[mood],
        branded=brief.brand is not None,
    )
    brand = brief.brand.style_short if brief.brand else ""
    dice = Dice(f"{prompt.render}\n{brand}", base, steps)
    if dice.changed():
        picked = replace(picked, second=picked.accent, accent=picked.second)
    wanted = subjects.found(text) or [world.abstract]
    scene = Scene(
        canvas=Canvas(size, Paint((scheme.lighter(picked.back, 0.04), picked.back), "down")),
        scheme=picked,
        dice=dice,
        motif=wanted[(base & 3) % len(wanted)](),
        calm=bool(_CALM_WORDS & set(colour_words.words(f"{text} {brand}"))),
    )
    FAMILIES[family](scene)
    image: Image.Image = scene.canvas.finish()
    meta = {"composition": family, "mood": moods[mood]}
    return Picture(seed=seed, image=image, meta=meta)


def _design(seed: int) -> tuple[str, int, tuple[str, ...]]:
    """Family, place in the moods and default palette that belong to a seed.

    The lower two bits are a picture's place in its album (`run.derive_seed`); the rest deals out
    families and moods, so that the four pictures of an album get four of each.
    """
    deck = Dice("album", seed >> 2)
    families = deck.shuffled(list(FAMILIES))
    moods = deck.shuffled(range(len(scheme.MOODS)))
    return families[seed & 3], moods[seed & 3], deck.pick(scheme.DEFAULTS)
