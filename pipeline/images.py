"""Pictures as bytes: how they are written, and how bytes from outside are read safely."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping

from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from pipeline.errors import BadImage

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Decoders that may touch foreign bytes; everything else in Pillow stays shut."""

MAX_PIXELS = 50_000_000
"""Above this a header is taken for a decompression bomb (50 MP is a large camera's photo)."""

COMPRESS_LEVEL = 1
"""zlib level 1: a third faster than Pillow's 6 for about a tenth more bytes."""


def encode_png(image: Image.Image, parameters: Mapping[str, object]) -> bytes:
    """An RGB picture as a PNG that says it is AI-generated and how it was made.

    The same picture and parameters give the same bytes: nothing in the file tells the time.
    """
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "Vitrina")
    text.add_text("Source", "AI-generated")
    text.add_itxt("parameters", json.dumps(parameters, ensure_ascii=False, sort_keys=True))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=COMPRESS_LEVEL, pnginfo=text)
    return buffer.getvalue()


def decode(data: bytes) -> Image.Image:
    """Foreign bytes as an upright RGB picture.

    Raises BadImage: `not_an_image`, `too_large` (more than MAX_PIXELS), `broken` (cut or damaged).
    """
    try:
        with warnings.catch_warnings():
            # Pillow's own bomb limit warns; ours is lower and refuses, before any pixel is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise BadImage("not_an_image") from error
    except Image.DecompressionBombError as error:
        raise BadImage("too_large") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise BadImage("broken") from error
    if image.width * image.height > MAX_PIXELS:
        raise BadImage("too_large")
    try:
        return _on_white(ImageOps.exif_transpose(image))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise BadImage("broken") from error


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    sheet = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(sheet, image.convert("RGBA")).convert("RGB")
