"""What people chose, read from JSONL: one prompt, its pictures and their places a line.

Four layouts, told apart by their keys; picture paths are relative to the file:

- ours: `{"prompt", "images": [path, ...], "choice": 0}`; `choice` is the index of the picture that
  was taken, null for a tie; or `"ranking": [place, ...]`, 1 the best, equal places for ties;
- Pick-a-Pic: `{"caption", "image_0", "image_1", "label_0", "label_1"}`, the labels 1 and 0, or 0.5
  each for a tie;
- HPD v2: `{"prompt", "image_path": [...], "rank": [...]}`, or with `human_preference`, 1 for the
  picture that was taken;
- ImageReward: `{"prompt", "generations": [...], "ranking": [...]}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import BadData

_IMAGES = ("images", "generations", "image_path", "file_path")
_PLACES = ("ranking", "rank")


@dataclass(frozen=True, slots=True)
class Preference:
    """One prompt: `places[i]` is the place of `images[i]`, lower is better, equal is a tie."""

    prompt: str
    images: tuple[Path, ...]
    places: tuple[float, ...]


def read(path: Path) -> list[Preference]:
    """Raises BadData, which names the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadData(f"{path}: {error}") from error
    found = [
        _parse(line, path.parent, f"{path}:{number}")
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not found:
        raise BadData(f"{path} is empty")
    return found


def _parse(line: str, folder: Path, where: str) -> Preference:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BadData(f"{where}: {error}") from error
    if not isinstance(row, dict):
        raise BadData(f"{where}: no JSON object")
    prompt = row.get("prompt", row.get("caption"))
    if not isinstance(prompt, str) or not prompt.strip():
        raise BadData(f"{where}: no prompt")
    images, places = _images(row), _places(row)
    if images is None or places is None:
        raise BadData(f"{where}: no pictures, or nothing that says which is better")
    if len(images) < 2 or len(places) != len(images):
        raise BadData(f"{where}: {len(images)} pictures, {len(places)} places")
    return Preference(prompt, tuple(folder / image for image in images), places)


def _images(row: Mapping[str, object]) -> list[str] | None:
    for key in _IMAGES:
        value = row.get(key)
        if isinstance(value, list) and all(isinstance(path, str) for path in value):
            return value
    pair = [row.get("image_0"), row.get("image_1")]
    return [str(path) for path in pair] if all(isinstance(path, str) for path in pair) else None


def _places(row: Mapping[str, object]) -> tuple[float, ...] | None:
    for key in _PLACES:
        if key in row:
            return _numbers(row[key])
    if "label_0" in row and "label_1" in row:
        liked = _numbers([row["label_0"], row["label_1"]])
    elif "human_preference" in row:
        liked = _numbers(row["human_preference"])
    elif "choice" in row:
        images, choice = _images(row) or [], row["choice"]
        if choice is not None and choice not in range(len(images)):
            return None
        liked = tuple(float(index == choice) for index in range(len(images)))
    else:
        return None
    return liked and tuple(-value for value in liked)


def _numbers(value: object) -> tuple[float, ...] | None:
    if not isinstance(value, list) or not all(isinstance(n, int | float) for n in value):
        return None
    return tuple(map(float, value))
