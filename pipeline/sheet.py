"""A contact sheet: all pictures of an album on one page, in rank order, with their scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import font_manrope
from PIL import Image, ImageDraw, ImageFont

from pipeline.types import Score

_CELL_PX = 520
_GAP_PX = 28
_LABEL_PX = 64
_HEAD_PX = 92
_PAPER, _INK, _QUIET = "#faf9f7", "#1d1d21", "#77777f"


def contact_sheet(title: str, pictures: Sequence[tuple[Image.Image, Score]]) -> Image.Image:
    """`pictures` best first; they keep their shape within equal cells, two in a row."""
    columns = min(2, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    tallest = max(image.height / image.width for image, _ in pictures)
    cell = (_CELL_PX, round(_CELL_PX * tallest))
    width = _GAP_PX + columns * (cell[0] + _GAP_PX)
    height = _HEAD_PX + rows * (cell[1] + _LABEL_PX)
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    head = _font("Bold", 30)
    pen.text((_GAP_PX, 32), _cut(title, head, width - 2 * _GAP_PX), _INK, head)
    for index, (image, score) in enumerate(pictures):
        x = _GAP_PX + (index % columns) * (cell[0] + _GAP_PX)
        y = _HEAD_PX + (index // columns) * (cell[1] + _LABEL_PX)
        small = image.copy()
        small.thumbnail(cell, Image.Resampling.LANCZOS)
        sheet.paste(small, (x, y))
        _label(pen, x, y + small.height + 12, index + 1, score)
    return sheet


def _label(pen: ImageDraw.ImageDraw, x: int, y: int, place: int, score: Score) -> None:
    strong, plain = _font("Bold", 22), _font("Medium", 19)
    first = f"№{place}   {score.final:.3f}"
    pen.text((x, y), first, _INK, strong)
    parts = f"clip {score.clip_n:.2f}   aes {score.aes_n:.2f}"
    pen.text((x + strong.getlength(first) + 26, y + 2), parts, _QUIET, plain)


def _cut(text: str, font: ImageFont.FreeTypeFont, width_px: float) -> str:
    """One line of the text, with an ellipsis where it doesn't fit."""
    line = " ".join(text.split())
    if font.getlength(line) <= width_px:
        return line
    while line and font.getlength(line + "…") > width_px:
        line = line[:-1]
    return line.rstrip() + "…"


@cache
def _font(weight: str, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manrope.font_files[f"Manrope{weight}"], size_px)
