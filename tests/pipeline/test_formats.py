"""Picture sizes by aspect, and the aspect each platform starts with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import formats
from pipeline.brief import PLATFORMS
from pipeline.types import Aspect

_RATIO = {Aspect.SQUARE: 1.0, Aspect.PORTRAIT: 0.8, Aspect.STORY: 9 / 16, Aspect.LANDSCAPE: 16 / 9}


@given(st.sampled_from(list(Aspect)), st.integers(512 * 512, 2048 * 2048))
def test_sides_are_multiples_of_64_and_close_to_the_asked_area_and_ratio(
    aspect: Aspect, area_px: int
) -> None:
    width, height = formats.size(aspect, area_px)
    assert width % 64 == height % 64 == 0
    assert width * height == pytest.approx(area_px, rel=0.15)
    assert width / height == pytest.approx(_RATIO[aspect], rel=0.16)


@pytest.mark.parametrize(
    ("aspect", "expected"),
    [
        (Aspect.SQUARE, (1024, 1024)),
        (Aspect.PORTRAIT, (896, 1152)),
        (Aspect.STORY, (768, 1344)),
        (Aspect.LANDSCAPE, (1344, 768)),
    ],
)
def test_a_megapixel_gives_the_sizes_that_models_were_trained_on(
    aspect: Aspect, expected: tuple[int, int]
) -> None:
    assert formats.size(aspect, 1024 * 1024) == expected


def test_portrait_and_landscape_of_a_small_area_keep_both_sides() -> None:
    assert min(formats.size(Aspect.STORY, 64 * 64)) >= 64


def test_an_area_below_one_tile_is_refused() -> None:
    with pytest.raises(ValueError, match="4096"):
        formats.size(Aspect.SQUARE, 4095)


@pytest.mark.parametrize(
    ("platform", "aspect"),
    [
        ("stories", Aspect.STORY),
        ("reels", Aspect.STORY),
        ("tiktok", Aspect.STORY),
        ("instagram", Aspect.SQUARE),
        ("telegram", Aspect.SQUARE),
        ("vk", Aspect.SQUARE),
        ("website", Aspect.LANDSCAPE),
        ("banner", Aspect.LANDSCAPE),
        ("youtube", Aspect.LANDSCAPE),
        ("pinterest", Aspect.PORTRAIT),
        (None, Aspect.SQUARE),
    ],
)
def test_each_platform_starts_with_its_own_shape(platform: str | None, aspect: Aspect) -> None:
    assert formats.default_aspect(platform) is aspect


def test_every_platform_has_a_shape_that_exists() -> None:
    assert all(formats.default_aspect(platform) in Aspect for platform in PLATFORMS)


@given(st.sampled_from(list(Aspect)), st.integers(512 * 512, 2048 * 2048))
def test_a_size_tells_the_aspect_it_was_made_for(aspect: Aspect, area_px: int) -> None:
    assert formats.nearest(*formats.size(aspect, area_px)) is aspect
