"""The judge that sees: CLIP for the match with the prompt, LAION's head for beauty.

One pass: each picture is embedded once, and that one unit vector feeds prompt match, beauty, safety
and the album's diversity. The prompt is embedded once per request and remembered.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.errors import BackendUnavailable
from pipeline.judge.heads import AestheticHead, SafetyHead
from pipeline.judge.runtime import Opened, open_runtime
from pipeline.judge.weights import ClipFolder
from pipeline.types import Score

Floats = NDArray[np.float32]

MAX_BATCH = 16
"""Pictures embedded at once: more gains nothing on a CPU and costs memory."""

MAX_TEXTS = 256
"""Prompts remembered; one is 2 kB."""

NEUTRAL_AES = 5.5
"""Raw beauty where no head fits the model: the middle of the scale, the same for every picture."""


@dataclass(frozen=True, slots=True)
class ClipFiles:
    """What a ClipJudge is made of: a model folder, its two heads (or None), a folder for caches.

    Heads are paths with the SHA-256 they must have (None: not known, not checked).
    """

    model: Path
    aesthetic: tuple[Path, str | None] | None = None
    safety: tuple[Path, str | None] | None = None
    cache: Path | None = None


class ClipJudge:
    """Scores by a CLIP-shaped model.

    - `clip_raw` is the cosine of picture and prompt, `clip_n = min(1, 2.5 * max(cos, 0))`:
      CLIPScore (Hessel et al. 2021, arXiv 2104.08718). Pictures that fit have about 0.2..0.35.
    - `aes_raw` is the aesthetic head's 1..10, `aes_n = clip((aes_raw - 1) / 9, 0, 1)`; both are
      neutral for models without a head.
    - `details`: `prompt_match` (the cosine), `beauty` and `unsafe` where there is a head.

    The model is loaded by `warm_up`, or by the first verdict. Calls from several threads wait for
    one another.
    """

    def __init__(
        self, model_name: str, files: ClipFiles, *, runtime: str = "auto", threads: int = 0
    ) -> None:
        """`name` is `model_name`, and once the model is loaded also by what it runs, in which
        precision. `threads` 0 takes every core this process may use."""
        self.name = model_name
        self._files = files
        self._runtime = runtime
        self._threads = threads or _cores()
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    @property
    def agreement(self) -> float | None:
        """The runtime's worst cosine to fp32, measured on this model; None before loading."""
        return None if self._loaded is None else self._loaded.agreement

    def warm_up(self) -> None:
        """Load the model, so that the first verdict doesn't wait. Raises BackendUnavailable."""
        with self._lock:
            self._load()

    def score(self, intent: str, images: Sequence[Image.Image]) -> list[Score]:
        """One score an image; `intent` is English, at most 75 of its tokens are read.

        Raises BackendUnavailable for a model that can't be loaded or gives no finite numbers.
        """
        if not images:
            return []
        with self._lock:
            loaded = self._load()
            text = loaded.embed_text(intent)
            embeddings = loaded.embed_images(images)
        return verdicts(embeddings, text, loaded.beauty, loaded.unsafe)

    def _load(self) -> _Loaded:
        if self._loaded is None:
            folder = ClipFolder.open(self._files.model)
            opened = open_runtime(
                folder, name=self._runtime, threads=self._threads, cache=self._files.cache
            )
            self._loaded = _Loaded(folder, opened, self._files, self._threads)
            self.name = f"{self.name} ({opened.runtime.name})"
        return self._loaded


class _Loaded:
    """A model in memory. Not for use from two threads at once."""

    def __init__(self, folder: ClipFolder, opened: Opened, files: ClipFiles, threads: int) -> None:
        self.runtime = opened.runtime
        self.agreement = opened.agreement
        self._preprocess = folder.preprocess
        self._threads = threads
        self._tokenizer = folder.tokenizer()
        self._texts: OrderedDict[str, Floats] = OrderedDict()
        width = len(self.embed_text(""))
        self.beauty = files.aesthetic and AestheticHead.load(*files.aesthetic, width)
        self.unsafe = files.safety and SafetyHead.load(*files.safety, width)

    def embed_text(self, text: str) -> Floats:
        """A unit vector [D]."""
        known = self._texts.pop(text, None)
        if known is None:
            known = _unit(self.runtime.text(self._tokenizer.encode(text).ids))[0]
        self._texts[text] = known
        if len(self._texts) > MAX_TEXTS:
            self._texts.popitem(last=False)
        return known

    def embed_images(self, images: Sequence[Image.Image]) -> Floats:
        """Unit vectors [N, D]."""
        batches = [images[at : at + MAX_BATCH] for at in range(0, len(images), MAX_BATCH)]
        return np.concatenate(
            [
                _unit(self.runtime.images(self._preprocess.batch(batch, self._threads)))
                for batch in batches
            ]
        )


def verdicts(
    images: Floats,
    text: Floats,
    beauty: AestheticHead | None = None,
    unsafe: SafetyHead | None = None,
) -> list[Score]:
    """The seed's formula on unit vectors: pictures' [N, D] and the prompt's [D].

    Raises BackendUnavailable where one of the scores is no finite number: no order is then right.
    """
    cosines = images @ text
    clip_n = np.clip(2.5 * cosines, 0, 1)
    details = {"prompt_match": cosines}
    if beauty:
        details["beauty"] = beauty(images)
    if unsafe:
        details["unsafe"] = unsafe(images)
    aes_raw = details.get("beauty", np.full(len(images), NEUTRAL_AES, dtype=np.float32))
    aes_n = np.clip((aes_raw - 1) / 9, 0, 1)
    if broken := [name for name, values in details.items() if not np.isfinite(values).all()]:
        raise BackendUnavailable("clip", f"{', '.join(broken)}: the model gives no finite numbers")
    return [
        Score(
            clip_raw=float(cosines[at]),
            clip_n=float(clip_n[at]),
            aes_raw=float(aes_raw[at]),
            aes_n=float(aes_n[at]),
            details={name: float(values[at]) for name, values in details.items()},
            embedding=images[at],
        )
        for at in range(len(images))
    ]


def _cores() -> int:
    """Those this process may use; a container may be given fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit
