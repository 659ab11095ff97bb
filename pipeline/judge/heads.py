"""Small heads on the L2-normalised image embedding: beauty and safety.

Both are published as pickled state dicts; they are read with `weights_only=True` after their
SHA-256 was checked, and then run in numpy (a few thousand multiplications).
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BackendUnavailable
from pipeline.judge.weights import unpickled

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AestheticHead:
    """LAION's linear aesthetic predictor (github.com/LAION-AI/aesthetic-predictor, MIT).

    Raw scores are about 1..10, 5 being an ordinary photo; nothing bounds them.
    """

    weight: Floats
    bias: float

    @classmethod
    def load(cls, path: Path, sha256: str | None, width: int) -> AestheticHead:
        """`width` is the embedding's; `sha256` None is not checked. Raises BackendUnavailable."""
        state = _State(path, sha256)
        return cls(state.take("weight", (1, width))[0], float(state.take("bias", (1,))[0]))

    def __call__(self, embeddings: Floats) -> Floats:
        """[N, width] unit vectors to [N] raw scores."""
        scores: Floats = embeddings @ self.weight + np.float32(self.bias)
        return scores


@dataclass(frozen=True, slots=True)
class SafetyHead:
    """LAION's CLIP-based NSFW detector (github.com/LAION-AI/CLIP-based-NSFW-Detector, MIT).

    A normalisation and dense layers with ReLU between and a sigmoid at the end.
    """

    mean: Floats
    deviation: Floats
    layers: tuple[tuple[Floats, Floats], ...]

    @classmethod
    def load(cls, path: Path, sha256: str | None, width: int) -> SafetyHead:
        """`width` is the embedding's; `sha256` None is not checked. Raises BackendUnavailable."""
        state = _State(path, sha256)
        layers = []
        inputs = width
        for name in state.layers():
            bias = state.take(f"{name}.bias", None)
            layers.append((state.take(f"{name}.weight", (len(bias), inputs)), bias))
            inputs = len(bias)
        if inputs != 1:
            raise BackendUnavailable("clip", f"{path}: last layer has {inputs} outputs, not 1")
        # Keras' Normalization floors the deviation at its epsilon.
        variance = state.take("norm.variance", (width,))
        deviation = np.maximum(np.sqrt(variance), np.float32(1e-7))
        return cls(state.take("norm.mean", (width,)), deviation, tuple(layers))

    def __call__(self, embeddings: Floats) -> Floats:
        """[N, width] unit vectors to [N] probabilities 0..1 that a picture is unsafe."""
        x: Floats = (embeddings - self.mean) / self.deviation
        for weight, bias in self.layers[:-1]:
            x = np.maximum(x @ weight.T + bias, 0)
        weight, bias = self.layers[-1]
        probability: Floats = 1 / (1 + np.exp(-np.clip(x @ weight.T + bias, -60, 60)))
        return probability[:, 0]


class _State:
    """A state dict read from a file that is trusted only as far as its checksum goes."""

    def __init__(self, path: Path, sha256: str | None) -> None:
        self.path = path
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BackendUnavailable("clip", f"{path} can't be read: {error.strerror}") from error
        found = hashlib.sha256(data).hexdigest()
        if sha256 is not None and found != sha256:
            raise BackendUnavailable("clip", f"{path}: sha256 is {found}, should be {sha256}")
        self._arrays: dict[str, Floats] = {
            str(name): tensor.float().numpy()
            for name, tensor in unpickled(io.BytesIO(data), path).items()
        }

    def layers(self) -> list[str]:
        """`linear_1`, `linear_2`, ... as many as there are; at least one."""
        names = [name for name in self._arrays if name.startswith("linear_")]
        count = len({name.split(".")[0] for name in names})
        if not count:
            raise BackendUnavailable("clip", f"{self.path} has no layers: no safety head")
        return [f"linear_{number}" for number in range(1, count + 1)]

    def take(self, name: str, shape: tuple[int, ...] | None) -> Floats:
        """The array `name`, which must have `shape` (None: any one-dimensional)."""
        array = self._arrays.get(name)
        if array is None:
            raise BackendUnavailable("clip", f"{self.path} lacks {name}")
        if (array.ndim != 1) if shape is None else (array.shape != shape):
            raise BackendUnavailable(
                "clip", f"{self.path}: {name} has shape {array.shape}, should have {shape}"
            )
        return array
