"""Pictures as bytes: what is written can be read by others, what is foreign is read with care."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pipeline import images
from pipeline.errors import BadImage


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (64, 128)])
def test_png_holds_the_very_pixels_and_its_parameters(size: tuple[int, int]) -> None:
    image = noise(*size)
    data = images.encode_png(image, {"seed": 5, "prompt": "чашка <b>&"})
    read = Image.open(io.BytesIO(data))
    read.load()
    assert read.format == "PNG"
    assert read.tobytes() == image.tobytes()
    assert read.text == {  # type: ignore[attr-defined]
        "Software": "Vitrina",
        "Source": "AI-generated",
        "parameters": '{"prompt": "чашка <b>&", "seed": 5}',
    }


def test_encoding_twice_gives_the_same_bytes() -> None:
    first, again = (images.encode_png(noise(50, 50), {"b": 1, "a": 2}) for _ in range(2))
    assert first == again


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_transparent_picture_lies_on_white() -> None:
    data = saved(Image.new("RGBA", (4, 4), (255, 0, 0, 0)), "PNG")
    assert images.decode(data).getpixel((0, 0)) == (255, 255, 255)


def test_camera_picture_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert images.decode(saved(noise(40, 20), "JPEG", exif=exif)).size == (20, 40)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_allowed_format_comes_as_rgb(kind: str) -> None:
    image = images.decode(saved(noise(30, 20), kind))
    assert (image.mode, image.size) == ("RGB", (30, 20))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (saved(noise(9, 9), "ICO"), "not_an_image"),
        (saved(noise(90, 90), "PNG")[:-2000], "broken"),
        (saved(noise(90, 90), "JPEG")[:600], "broken"),
    ],
)
def test_what_is_no_safe_picture_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadImage) as refused:
        images.decode(data)
    assert refused.value.reason == reason


def test_a_clean_photo_is_upright_bounded_and_says_nothing_of_its_maker() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by a quarter
    exif[0x9286] = "of Anna"
    image = Image.new("RGB", (3000, 1500), "red")
    image.paste("blue", (0, 0, 1500, 1500))
    data = saved(image, "JPEG", exif=exif, comment=b"of Anna", icc_profile=b"of Anna")
    clean = images.clean_photo(data)
    assert b"of Anna" in data
    assert b"of Anna" not in clean
    with Image.open(io.BytesIO(clean)) as photo:
        assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (1024, 2048))
        assert set(photo.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        top = photo.getpixel((512, 100))
    assert isinstance(top, tuple)
    assert top[2] > 200 > 60 > top[0], "what was left is on top"


def test_a_photo_of_a_few_pixels_is_no_photo() -> None:
    with pytest.raises(BadImage, match="too_small"):
        images.clean_photo(saved(noise(63, 500), "PNG"))
    assert images.clean_photo(saved(noise(64, 64), "PNG"))
