"""A CLIP-shaped model's folder, in the hub's own layout, read without running anything in it.

`config.json`, `preprocessor_config.json`, `tokenizer.json` and one weights file:
`model.safetensors`, else `pytorch_model.bin`, which torch reads with `weights_only=True`. Every
fault is a BackendUnavailable that names the file.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipeline import model_files
from pipeline.errors import BackendUnavailable
from pipeline.judge.preprocess import Preprocess

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

WEIGHTS_FILES = ("model.safetensors", "pytorch_model.bin")
"""In order of preference."""

_PREPROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")
"""The hub's models have the first; transformers 5 saves the second."""

_NEEDED = (("config.json",), ("tokenizer.json",), _PREPROCESSOR_FILES, WEIGHTS_FILES)
"""Of each group one file is enough."""


@dataclass(frozen=True, slots=True)
class TowerConfig:
    layers: int
    heads: int
    activation: str
    norm_eps: float


@dataclass(frozen=True, slots=True)
class VisionConfig(TowerConfig):
    side_px: int
    patch_px: int


@dataclass(frozen=True, slots=True)
class TextConfig(TowerConfig):
    max_tokens: int


@dataclass(frozen=True, slots=True)
class ClipFolder:
    """What is in the folder, small parts read, weights not yet."""

    path: Path
    vision: VisionConfig
    text: TextConfig
    preprocess: Preprocess

    @classmethod
    def open(cls, path: Path) -> ClipFolder:
        """Raises BackendUnavailable for a missing, broken or unfit file."""
        if missing := lacking(path):
            raise BackendUnavailable("clip", f"{path} lacks {', '.join(missing)}")
        config = _json(path / "config.json")
        if config.get("model_type") != "clip":
            raise BackendUnavailable("clip", f"{path}: model_type {config.get('model_type')!r}")
        vision, text = _Fields(config, "vision_config"), _Fields(config, "text_config")
        preprocess = Preprocess.from_config(_preprocessor(path))
        side = vision.whole("image_size", 224)
        if preprocess.crop_px != (side, side):
            raise BackendUnavailable("clip", f"{path}: crop {preprocess.crop_px}, model {side}")
        return cls(
            path=path,
            vision=VisionConfig(
                *vision.tower(layers=12, heads=12),
                side_px=side,
                patch_px=vision.whole("patch_size", 32),
            ),
            text=TextConfig(
                *text.tower(layers=12, heads=8),
                max_tokens=text.whole("max_position_embeddings", 77),
            ),
            preprocess=preprocess,
        )

    @property
    def weights_file(self) -> Path:
        return next(self.path / name for name in WEIGHTS_FILES if (self.path / name).is_file())

    def state(self) -> Mapping[str, Tensor]:
        """Every tensor of the model, on the CPU."""
        file = self.weights_file
        if file.suffix != ".safetensors":
            with file.open("rb") as pickled:
                return unpickled(pickled, file)
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            state: dict[str, Tensor] = load_file(file)
        except (SafetensorError, OSError) as error:
            raise BackendUnavailable("clip", f"{file} is broken: {error}") from error
        return state

    def tokenizer(self) -> Tokenizer:
        """Cuts texts to what the text tower can read, the end token kept."""
        from tokenizers import Tokenizer

        file = self.path / "tokenizer.json"
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # tokenizers raises nothing narrower
            raise BackendUnavailable("clip", f"{file} is broken: {error}") from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.text.max_tokens)
        return tokenizer

    def checked(self) -> str:
        """SHA-256 of the weights file.

        Raises BackendUnavailable where it, or any other file of the folder, isn't what `vitrina
        models pull` fetched.
        """
        weights = self.weights_file.name
        names = model_files.recorded(self.path).keys() | {weights}
        digests = {name: model_files.checked(self.path, name, "clip") for name in names}
        return digests[weights]

    def fingerprint(self, weights_sha256: str) -> str:
        """SHA-256 over all that the towers are made of: tells one model's cache from another's."""
        digest = hashlib.sha256((self.path / "config.json").read_bytes())
        digest.update(weights_sha256.encode())
        return digest.hexdigest()


def lacking(path: Path) -> list[str]:
    """Names of files that a CLIP folder needs and `path` has not."""
    return [
        " or ".join(names)
        for names in _NEEDED
        if not any((path / name).is_file() for name in names)
    ]


def unpickled(file: BinaryIO, path: Path) -> Mapping[str, Tensor]:
    """A pickled state dict; whatever else is in it is refused, not executed.

    `path` is for the message. Raises BackendUnavailable.
    """
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About unusual pickles, which then load or don't.
            state = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise BackendUnavailable("clip", f"{path} is broken or unsafe: {error}") from error
    if not isinstance(state, Mapping) or not all(map(torch.is_tensor, state.values())):
        raise BackendUnavailable("clip", f"{path} holds something else than tensors")
    return state


class _Fields:
    """One tower's part of `config.json`; absent values are CLIP ViT-B/32's, as in transformers."""

    def __init__(self, config: Mapping[str, object], part: str) -> None:
        fields = config.get(part, {})
        if not isinstance(fields, dict):
            raise BackendUnavailable("clip", f"config.json: {part} is no object")
        self._fields: dict[str, object] = fields

    def whole(self, name: str, default: int) -> int:
        value = self._fields.get(name, default)
        if not isinstance(value, int) or value < 1:
            raise BackendUnavailable("clip", f"config.json: {name} is {value!r}")
        return value

    def tower(self, *, layers: int, heads: int) -> tuple[int, int, str, float]:
        eps = self._fields.get("layer_norm_eps", 1e-5)
        if not isinstance(eps, float):
            raise BackendUnavailable("clip", f"config.json: layer_norm_eps is {eps!r}")
        return (
            self.whole("num_hidden_layers", layers),
            self.whole("num_attention_heads", heads),
            str(self._fields.get("hidden_act", "quick_gelu")),
            eps,
        )


def _preprocessor(path: Path) -> dict[str, object]:
    alone, joint = (path / name for name in _PREPROCESSOR_FILES)
    if alone.is_file():
        return _json(alone)
    part = _json(joint).get("image_processor")
    if not isinstance(part, dict):
        raise BackendUnavailable("clip", f"{joint} has no image_processor")
    return part


def _json(path: Path) -> dict[str, object]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackendUnavailable("clip", f"{path} is broken: {error}") from error
    if not isinstance(loaded, dict):
        raise BackendUnavailable("clip", f"{path} is no object")
    return loaded
