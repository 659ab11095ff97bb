"""The mock generator: the same picture for the same words, unlike pictures within an album."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipeline import colour_words, colours
from pipeline.errors import Cancelled
from pipeline.generate.compositions import FAMILIES
from pipeline.generate.mock import MockGenerator
from pipeline.generate.scene import lit
from pipeline.judge.pixels import dominant
from pipeline.run import derive_seed
from pipeline.types import Aspect, BrandStyle, Brief, CancelFlag, Picture, Prompt, Variation

AREA_PX = 320 * 320
PURPLE = BrandStyle("Лаванда", "purple minimalism", ("#6a2fb5", "#f2e9ff"))


def brief_of(text: str = "autumn coffee cup", **changes: object) -> Brief:
    return replace(Brief(text, text, seed=7), **changes)  # type: ignore[arg-type]


def draw(brief: Brief, seeds: list[int] | None = None) -> list[Picture]:
    prompt = Prompt(brief.cleaned_prompt, "", brief.cleaned_prompt, "test")
    seeds = seeds or [derive_seed(brief.seed, index) for index in range(brief.count)]
    return MockGenerator(AREA_PX).generate(prompt, brief, seeds, lambda done: None, CancelFlag())


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of channel values, 0..255."""
    a, b = (np.asarray(image, dtype=np.int16) for image in (one, other))
    return float(np.abs(a - b).mean())


def digest(pictures: list[Picture]) -> str:
    return hashlib.sha256(b"".join(picture.image.tobytes() for picture in pictures)).hexdigest()


def test_same_words_seed_and_brand_give_the_same_pixels_in_another_process() -> None:
    script = (
        "from tests.pipeline.test_generate_mock import *; "
        "print(digest(draw(brief_of(brand=PURPLE))))"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": salt, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for salt in ("1", "2")
    ]
    assert answers == [digest(draw(brief_of(brand=PURPLE)))] * 2


@pytest.mark.parametrize("text", ["autumn coffee cup", "zzz", "white gift"])
@pytest.mark.parametrize("brand", [None, PURPLE])
def test_pictures_of_an_album_are_plainly_different(text: str, brand: BrandStyle | None) -> None:
    for seed in range(3):
        album = draw(brief_of(text, brand=brand, seed=seed))
        for one, other in itertools.combinations(album, 2):
            assert one.meta["composition"] != other.meta["composition"]
            assert difference(one.image, other.image) > 15


def test_words_seed_and_brand_each_change_the_picture() -> None:
    plain = draw(brief_of(), [4])[0].image
    for other in (
        draw(brief_of("autumn coffee cups to go"), [4]),
        draw(brief_of(), [8]),
        draw(brief_of(brand=PURPLE), [4]),
    ):
        assert difference(plain, other[0].image) > 2


def test_words_it_knows_nothing_about_still_change_the_picture() -> None:
    one, other = draw(brief_of("qwerty"), [4])[0], draw(brief_of("asdfgh"), [4])[0]
    assert difference(one.image, other.image) > 1


def test_brand_colours_rule_every_picture() -> None:
    brand = colours.lab(colours.parse_hex(PURPLE.palette[0]))
    for picture in draw(brief_of("coffee", brand=PURPLE)):
        table, shares = dominant(picture.image)
        hues = colours.lab(table)
        strong = np.hypot(hues[:, 1], hues[:, 2]) > 12
        turn = np.angle(
            (hues[:, 1] + 1j * hues[:, 2]) * np.conj(brand[1] + 1j * brand[2]), deg=True
        )
        kin = strong & (np.abs(turn) < 35)
        assert shares[kin].sum() > 0.15, picture.meta


def test_brand_style_words_colour_a_brand_without_a_palette() -> None:
    purple = draw(brief_of("coffee", brand=BrandStyle("x", "purple minimalism")), [4])[0]
    orange = draw(brief_of("coffee", brand=BrandStyle("x", "orange minimalism")), [4])[0]
    assert difference(purple.image, orange.image) > 15


@pytest.mark.parametrize("aspect", list(Aspect))
def test_pictures_have_the_shape_that_was_asked_for(aspect: Aspect) -> None:
    width, height = draw(brief_of(aspect=aspect), [1])[0].image.size
    across, down = (int(part) for part in aspect.value.split(":"))
    assert width % 64 == height % 64 == 0
    assert width / height == pytest.approx(across / down, rel=0.2)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_composition_draws_more_than_a_background(family: str) -> None:
    for seed in range(400):
        picture = draw(brief_of("gift"), [seed])[0] if _family(seed) == family else None
        if picture is not None:
            assert picture.meta["composition"] == family
            assert np.asarray(picture.image.convert("L")).std() > 12
            return
    raise AssertionError("no seed of 400 leads to this composition")


def _family(seed: int) -> str:
    from pipeline.generate.mock import _design

    return _design(seed)[0]


def test_variations_keep_the_composition_and_differ_from_it_and_each_other() -> None:
    first = draw(brief_of())[2]
    near = draw(brief_of(seed=99, variation=Variation(first.seed)))
    assert {picture.meta["composition"] for picture in near} == {first.meta["composition"]}
    assert {picture.meta["mood"] for picture in near} == {first.meta["mood"]}
    for one, other in itertools.combinations([first, *near], 2):
        assert difference(one.image, other.image) > 1


def test_variation_of_no_strength_is_the_picture_itself() -> None:
    first = draw(brief_of())[0]
    again = draw(brief_of(seed=99, variation=Variation(first.seed, strength=0.0)), [5])[0]
    assert difference(first.image, again.image) == 0


def test_a_variation_of_a_variation_starts_from_that_very_picture() -> None:
    variation: Variation | None = None
    for seed in (40, 81, 122, 163):
        old = draw(brief_of(variation=variation), [seed])[0]
        again = draw(brief_of(variation=Variation(seed, 0.0, of=variation)), [5])[0]
        assert difference(old.image, again.image) == 0
        variation = Variation(seed, of=variation)
        near = draw(brief_of(variation=variation), [5])[0]
        assert difference(old.image, near.image) > 1
        assert near.meta == old.meta


def test_cancel_stops_before_the_next_picture() -> None:
    cancel, drawn = CancelFlag(), []

    def on_picture(done: int) -> None:
        drawn.append(done)
        if done == 2:
            cancel.set()

    brief = brief_of()
    prompt = Prompt("a", "", "a", "test")
    with pytest.raises(Cancelled):
        MockGenerator(AREA_PX).generate(prompt, brief, [1, 2, 3, 4], on_picture, cancel)
    assert drawn == [1, 2]


def test_a_thing_wins_over_season_and_occasion() -> None:
    from pipeline.generate import goods, subjects, world

    assert subjects.found("autumn sale of coffee") == [goods.cup]
    assert subjects.found("autumn sale") != []
    assert subjects.found("qwerty") == []
    assert subjects.found("a pastry shop") == [goods.cake]
    assert subjects.found("a bowl of raspberries") == [goods.plate, goods.fruit]
    assert subjects.found("leaves") == [world.branch]


def test_what_is_kept_of_prompts_and_colours_does_not_grow_for_ever() -> None:
    for n in range(5000):
        colour_words.words(f"cup {n:x}")
        lit((n % 256, n // 256, 9), "ball")
    assert colour_words.words.cache_info().currsize < 5000
    assert lit.cache_info().currsize < 5000
