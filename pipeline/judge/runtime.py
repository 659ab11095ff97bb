"""What runs the towers: OpenVINO in bf16, torch in bf16 or torch in fp32, as the chip favours.

bf16 is taken only where the chip has it and where its embeddings agree with fp32's on this very
model: the worst cosine over test pictures and texts, measured before the first verdict, must reach
`MIN_AGREEMENT`. What OpenVINO compiled is kept on disk, so that a restart converts nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.compiled import (
    Compiled,
    cache_key,
    chip_has_bf16,
    compile_module,
    has_openvino,
    keep,
    kept,
    write,
)
from pipeline.errors import BackendUnavailable
from pipeline.judge.weights import ClipFolder
from pipeline.models import INSTALL

if TYPE_CHECKING:
    import openvino
    import torch

Floats = NDArray[np.float32]

RUNTIMES = ("openvino-bf16", "torch-bf16", "torch-fp32")
"""Fastest first on chips with BF16 instructions; the last runs everywhere and is the reference."""

MIN_AGREEMENT = 0.9999
"""Cosine to fp32: the angle is then below a degree, scores move by less than 0.001."""

_LAYOUT = "2"
"""Part of the cache key: count it up when the towers' arithmetic changes."""

_IMAGE_STREAMS = 2

_log = logging.getLogger(__name__)


class Runtime(Protocol):
    """Both towers in one precision. Not for use from two threads at once."""

    name: str

    def images(self, pixels: Floats) -> Floats:
        """[N, 3, side, side] to [N, D], not normalised."""
        ...

    def text(self, ids: Sequence[int]) -> Floats:
        """Token ids, the end token last, to [1, D], not normalised."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A runtime ready to work; `agreement` is its worst cosine to fp32 (1 for fp32 itself)."""

    runtime: Runtime
    agreement: float


def candidates(name: str = "auto") -> tuple[str, ...]:
    """Runtimes to try in turn. Raises BackendUnavailable for one that can't run here."""
    if name == "auto":
        if not chip_has_bf16():
            return ("torch-fp32",)
        return tuple(r for r in RUNTIMES if r != "openvino-bf16" or has_openvino())
    if name not in RUNTIMES:
        raise BackendUnavailable(
            "clip", f"unknown runtime {name!r}, one of: auto, {', '.join(RUNTIMES)}"
        )
    if name == "openvino-bf16" and not has_openvino():
        raise BackendUnavailable("clip", f"openvino is not installed: {INSTALL}")
    return (name, "torch-fp32") if name != "torch-fp32" else (name,)


def open_runtime(folder: ClipFolder, *, name: str, threads: int, cache: Path | None) -> Opened:
    """The first candidate that agrees with fp32, its blobs read from or kept in `cache`.

    Raises BackendUnavailable for weights that can't be loaded or aren't those that were pulled.
    """
    wanted = candidates(name)
    fingerprint = folder.fingerprint(folder.checked())
    blobs = None if cache is None else cache / cache_key(_LAYOUT, fingerprint)
    if wanted[0] == "openvino-bf16" and blobs and (opened := OpenVino.load(blobs, threads)):
        return opened
    import torch

    towers = _Towers(folder)
    reference = TorchRuntime(towers, torch.float32, threads)
    for candidate in wanted[:-1]:
        if candidate == "torch-bf16":
            runtime: TorchRuntime | OpenVino = TorchRuntime(towers, torch.bfloat16, threads)
        else:
            runtime = OpenVino.compile(towers, threads)
        agreement = _agreement(runtime, reference, folder)
        if agreement >= MIN_AGREEMENT:
            if isinstance(runtime, OpenVino) and blobs:
                runtime.keep(blobs, agreement)
            return Opened(runtime, agreement)
        _log.warning("%s agrees with fp32 only to cosine %.6f: not used", candidate, agreement)
    return Opened(reference, 1.0)


class TorchRuntime:
    """The towers run by torch on the CPU.

    How many cores torch takes is said at each run: it keeps one number for a thread, and the
    generator has another.
    """

    def __init__(self, towers: _Towers, dtype: torch.dtype, threads: int) -> None:
        import torch

        self._threads = threads
        self.name = "torch-bf16" if dtype == torch.bfloat16 else "torch-fp32"
        self._image = towers.image(dtype)
        self._text = towers.text(dtype)

    def images(self, pixels: Floats) -> Floats:
        import torch

        torch.set_num_threads(self._threads)
        with torch.inference_mode():
            embeddings: Floats = self._image(torch.from_numpy(pixels)).numpy()
        return embeddings

    def text(self, ids: Sequence[int]) -> Floats:
        import torch

        torch.set_num_threads(self._threads)
        with torch.inference_mode():
            embeddings: Floats = self._text(torch.tensor([list(ids)], dtype=torch.int64)).numpy()
        return embeddings


class OpenVino:
    """The towers compiled by OpenVINO for bf16.

    Pictures go in two halves, a core's share each: the cores then never wait for one another inside
    a layer (a tenth faster than one batch over all cores).
    """

    name = "openvino-bf16"

    def __init__(self, image: Compiled, text: Compiled) -> None:
        self._compiled = (image, text)
        streams = int(image.model.get_property("NUM_STREAMS"))
        self._requests = [image.model.create_infer_request() for _ in range(streams)]
        self._text = text.model.create_infer_request()

    @classmethod
    def compile(cls, towers: _Towers, threads: int) -> OpenVino:
        import torch

        # Weights in bf16 already: what is computed stays the same, blobs and memory are half.
        image, text = towers.image(torch.bfloat16), towers.text(torch.bfloat16)
        side = towers.folder.vision.side_px
        return cls(
            compile_module(
                image,
                [torch.zeros(2, 3, side, side)],
                [[-1, 3, side, side]],
                threads=threads,
                streams=_IMAGE_STREAMS,
            ),
            compile_module(
                text, [torch.zeros(1, 8, dtype=torch.int64)], [[1, -1]], threads=threads
            ),
        )

    @classmethod
    def load(cls, blobs: Path, threads: int) -> Opened | None:
        """What `keep` wrote; None if there is nothing, or nothing whole and readable."""
        try:
            noted = json.loads((blobs / "agreement.json").read_text())
            agreement, sha256 = float(noted["cosine"]), noted["sha256"]
            image = kept(
                blobs / "image.blob",
                sha256["image.blob"],
                threads=threads,
                streams=_IMAGE_STREAMS,
            )
            text = kept(blobs / "text.blob", sha256["text.blob"], threads=threads)
            return Opened(cls(image, text), agreement)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            _log.warning("compiled model in %s is unreadable, made anew: %s", blobs, error)
            return None

    def keep(self, blobs: Path, agreement: float) -> None:
        """Best effort: a folder that can't be written costs only the next start's time."""
        try:
            blobs.mkdir(parents=True, exist_ok=True)
            sha256 = {
                file: keep(compiled, blobs / file)
                for file, compiled in zip(("image.blob", "text.blob"), self._compiled, strict=True)
            }
            # Last, so that a reader who finds it finds the blobs too.
            noted = json.dumps({"cosine": agreement, "sha256": sha256})
            write(blobs / "agreement.json", noted.encode())
        except OSError as error:
            _log.warning("compiled model is not kept in %s: %s", blobs, error)

    def images(self, pixels: Floats) -> Floats:
        parts = np.array_split(pixels, min(len(self._requests), len(pixels)))
        busy = self._requests[: len(parts)]
        for request, part in zip(busy, parts, strict=True):
            request.start_async([part], share_inputs=True)
        for request in busy:
            request.wait()
        return np.concatenate([_output(request) for request in busy])

    def text(self, ids: Sequence[int]) -> Floats:
        self._text.infer([np.array([ids], dtype=np.int64)])
        return _output(self._text).copy()


class _Towers:
    """Builds towers of one model; the weights are read once."""

    def __init__(self, folder: ClipFolder) -> None:
        self.folder = folder
        self._state = folder.state()

    def image(self, dtype: torch.dtype) -> torch.nn.Module:
        from pipeline.judge.towers import ImageTower

        return ImageTower(self._state, self.folder.vision).eval().to(dtype)

    def text(self, dtype: torch.dtype) -> torch.nn.Module:
        from pipeline.judge.towers import TextTower

        return TextTower(self._state, self.folder.text).eval().to(dtype)


def _agreement(runtime: Runtime, reference: Runtime, folder: ClipFolder) -> float:
    pixels = folder.preprocess.batch(list(_test_pictures()))
    ids = folder.tokenizer().encode("a product photo of a cup of coffee on a violet table").ids
    pairs = [
        (runtime.images(pixels), reference.images(pixels)),
        (runtime.text(ids), reference.text(ids)),
    ]
    # By numpy, which keeps a NaN: Python's `min` drops one that doesn't come first.
    return float(np.min([_cosines(a, b).min() for a, b in pairs]))


def _cosines(a: Floats, b: Floats) -> Floats:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines: Floats = (a * b).sum(axis=1) / lengths
    return cosines


def _test_pictures() -> Iterator[Image.Image]:
    """Four unlike pictures: a gradient, shapes, noise, a flat one."""
    ramp = np.linspace(0, 255, 256, dtype=np.uint8)
    yield Image.fromarray(np.stack(np.broadcast_arrays(ramp[:, None], ramp, ramp[::-1]), axis=-1))
    shapes = Image.new("RGB", (320, 240), "white")
    draw = ImageDraw.Draw(shapes)
    draw.ellipse((40, 40, 200, 200), fill=(106, 60, 180))
    draw.rectangle((180, 100, 300, 220), fill=(240, 180, 40))
    yield shapes
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    yield Image.fromarray(noise)
    yield Image.new("RGB", (224, 224), (90, 160, 120))


def _output(request: openvino.InferRequest) -> Floats:
    output: Floats = request.get_output_tensor().data
    return output
