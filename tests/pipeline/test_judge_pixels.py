"""The pixels judge: each measure against numbers worked out another way."""

from __future__ import annotations

import math
import statistics

import coloraide
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from pipeline import colours
from pipeline.colour_words import COLOUR_WORDS
from pipeline.judge import pixels
from pipeline.judge.pixels import PixelsJudge

Floats = NDArray[np.float64]

# Sharma, Wu, Dalal 2005, table 1: the pairs made to find faults, with the published distance.
SHARMA = (
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, 2.8361, -74.0200), (50, 0, -82.7485), 3.4412),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, -1.1848, -84.8006), (50, 0, -82.7485), 1.0000),
    ((50, -0.9009, -85.5211), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, -1, 2), (50, 0, 0), 2.3669),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0009), 7.1792),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0010), 7.1792),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0011), 7.2195),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0012), 7.2195),
    ((50, -0.0010, 2.4900), (50, 0.0009, -2.4900), 4.8045),
    ((50, -0.0010, 2.4900), (50, 0.0010, -2.4900), 4.8045),
    ((50, -0.0010, 2.4900), (50, 0.0011, -2.4900), 4.7461),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (61, -5, 29), 22.8977),
    ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((50, 2.5, 0), (50, 3.1736, 0.5854), 1.0000),
    ((50, 2.5, 0), (50, 3.2972, 0), 1.0000),
    ((50, 2.5, 0), (50, 1.8634, 0.5757), 1.0000),
    ((50, 2.5, 0), (50, 3.2592, 0.3350), 1.0000),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ((61.2901, 3.7196, -5.3901), (61.4292, 2.2480, -4.9620), 1.8731),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((36.4612, 47.8580, 18.3852), (36.2715, 50.5065, 21.2231), 1.4146),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((90.9257, -0.5406, -0.9208), (88.6381, -0.8985, -0.7239), 1.5381),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
)


@pytest.mark.parametrize(("one", "other", "published"), SHARMA)
def test_ciede2000_gives_the_published_distances(
    one: tuple[float, ...], other: tuple[float, ...], published: float
) -> None:
    assert float(colours.delta_e_2000(np.array(one), np.array(other))) == pytest.approx(
        published, abs=5e-5
    )


_rgb = st.tuples(*[st.integers(0, 255)] * 3)


@given(_rgb, _rgb)
def test_lab_and_distance_agree_with_coloraide(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    a, b = (coloraide.Color("srgb", [channel / 255 for channel in rgb]) for rgb in (one, other))
    assert colours.lab(one) == pytest.approx(a.convert("lab-d65").coords(), abs=2e-3)
    ours = float(colours.delta_e_2000(colours.lab(one), colours.lab(other)))
    assert ours == pytest.approx(a.delta_e(b, method="2000", space="lab-d65"), abs=0.02)


@given(_rgb)
def test_oklch_there_and_back_is_the_same_colour(rgb: tuple[int, int, int]) -> None:
    assert colours.from_oklch(*colours.oklch(rgb)) == pytest.approx(rgb, abs=1)


@pytest.fixture(scope="module")
def noise() -> Floats:
    return np.random.default_rng(3).integers(0, 256, (9, 13, 3)).astype(np.float64)


def test_colourfulness_follows_the_paper(noise: Floats) -> None:
    flat = [tuple(pixel) for row in noise.tolist() for pixel in row]
    rg = [r - g for r, g, b in flat]
    yb = [0.5 * (r + g) - b for r, g, b in flat]
    spread = math.sqrt(statistics.pvariance(rg) + statistics.pvariance(yb))
    mean = math.sqrt(statistics.fmean(rg) ** 2 + statistics.fmean(yb) ** 2)
    assert pixels.colourfulness(noise) == pytest.approx(spread + 0.3 * mean)
    assert pixels.colourfulness(np.full((4, 4, 3), 90.0)) == 0


def test_sharpness_is_the_variance_of_the_laplacian(noise: Floats) -> None:
    grey = noise[..., 0]
    answers = [
        grey[y - 1][x] + grey[y + 1][x] + grey[y][x - 1] + grey[y][x + 1] - 4 * grey[y][x]
        for y in range(1, 8)
        for x in range(1, 12)
    ]
    assert pixels.sharpness(grey) == pytest.approx(statistics.pvariance(answers))


def test_contrast_is_the_rms_of_luminance() -> None:
    halves = np.array([[0.0, 255.0], [255.0, 0.0]])
    assert pixels.contrast(halves) == pytest.approx(0.5)
    assert pixels.contrast(np.full((4, 4), 200.0)) == 0


def test_imbalance_is_the_way_to_the_centre_of_darkness() -> None:
    page = np.full((101, 201), 255.0)
    assert pixels.imbalance(page) == 0
    page[50, 100] = 0
    assert pixels.imbalance(page) == pytest.approx(0)
    page[50, 100], page[0, 0] = 255, 0
    assert pixels.imbalance(page) == pytest.approx(1)
    page[0, 0], page[50, 0] = 255, 0
    assert pixels.imbalance(page) == pytest.approx(201 / math.hypot(101, 201))


def test_dominant_colours_have_their_shares() -> None:
    image = Image.new("RGB", (400, 400), "#2040c0")
    image.paste("#f0e010", (0, 0, 400, 100))
    table, shares = pixels.dominant(image)
    found = {tuple(colour): share for colour, share in zip(table.tolist(), shares, strict=True)}
    assert found == {(0x20, 0x40, 0xC0): pytest.approx(0.75), (0xF0, 0xE0, 0x10): 0.25}


def test_palette_match_rises_with_area_and_nearness() -> None:
    wanted = [((200, 30, 40), 1.0)]

    def match(colour: tuple[int, int, int], share: float) -> float:
        table = np.array([colour, (20, 200, 60)], dtype=np.uint8)
        return pixels.palette_match(wanted, table, np.array([share, 1 - share]))[0]

    assert match((200, 30, 40), 1 / 3) == pytest.approx(1 - math.exp(-5 / 3), abs=0.01)
    assert match((200, 30, 40), 0.5) > match((200, 30, 40), 0.1) > match((200, 30, 40), 0.01)
    assert match((200, 30, 40), 0.3) > match((220, 90, 60), 0.3) > match((30, 30, 200), 0.3)


def test_named_colours_count_twice_what_subjects_imply() -> None:
    wanted = dict(pixels.wanted_colours("blue coffee cups"))
    assert wanted[colours.parse_hex(COLOUR_WORDS["blue"])] == 1
    assert wanted[colours.parse_hex(colours.SUBJECT_COLOURS["coffee"][0])] == 0.5
    assert pixels.wanted_colours("a thing without colour") == []


@pytest.mark.parametrize(
    ("intent", "colour"),
    [
        ("ginger cat on windowsill", "#c1692f"),
        ("red-haired young woman", "#c1692f"),
        ("fair-haired child", "#dcbf8a"),
        ("two blondes", "#dcbf8a"),
        ("dark-haired man", "#46301f"),
    ],
)
def test_colours_of_hair_and_coats_are_colours(intent: str, colour: str) -> None:
    assert pixels.wanted_colours(intent) == [(colours.parse_hex(colour), 1.0)]


def solid(colour: str) -> Image.Image:
    return Image.new("RGB", (300, 200), colour)


def test_the_picture_in_the_asked_for_colour_matches_best() -> None:
    red, blue = PixelsJudge().score("a red poster", [solid("#d62f2f"), solid("#2f66d0")])
    assert red.clip_n > 0.95
    assert blue.clip_n < 0.1
    assert red.details["palette_delta_e"] < 1 < blue.details["palette_delta_e"]


def test_colours_only_implied_move_the_match_half_as_far() -> None:
    implied = PixelsJudge().score("winter", [solid("#d62f2f")])[0]
    assert implied.clip_n == pytest.approx(0.25, abs=0.01)
    assert PixelsJudge().score("blue", [solid("#d62f2f")])[0].clip_n < 0.01


def test_without_colours_in_the_intent_the_match_is_neutral() -> None:
    scores = PixelsJudge().score("a poster", [solid("#d62f2f"), solid("#2f66d0")])
    assert [score.clip_n for score in scores] == [0.5, 0.5]
    assert not scores[0].match_measured
    assert not {"palette", "palette_delta_e"} & set(scores[0].details)
    assert PixelsJudge().score("red", [solid("#d62f2f")])[0].match_measured


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (1024, 1024), (64, 300)])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA"])
def test_scores_stay_in_bounds_and_keep_their_formulas(size: tuple[int, int], mode: str) -> None:
    pixels_ = np.random.default_rng(5).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    image = Image.fromarray(pixels_).convert(mode)
    (score,) = PixelsJudge().score("white snow and gold", [image])
    assert score.clip_n == pytest.approx(min(1, 2.5 * max(score.clip_raw, 0)), abs=1e-9)
    assert score.aes_n == pytest.approx(min(1, max(0, (score.aes_raw - 1) / 9)), abs=1e-9)
    assert abs(score.final - (0.7 * score.clip_n + 0.3 * score.aes_n)) < 1e-6
    assert 0 <= score.clip_n <= 1
    assert 0 <= score.aes_n <= 1
    assert all(math.isfinite(value) for value in score.details.values())


def test_blur_and_greyness_cost_aesthetics() -> None:
    rings = Image.radial_gradient("L").resize((512, 512))
    image = Image.merge("RGB", (rings, rings.rotate(90).point(lambda v: 255 - v), rings)).quantize(
        6
    )
    sharp = image.convert("RGB")
    blurred = sharp.filter(ImageFilter.GaussianBlur(12))
    judged = PixelsJudge().score("", [sharp, blurred, sharp.convert("L")])
    assert judged[0].details["sharpness"] > judged[1].details["sharpness"]
    assert judged[0].details["colourfulness"] > judged[2].details["colourfulness"]
