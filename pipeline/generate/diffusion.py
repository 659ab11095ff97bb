"""The generator that draws with a diffusion model: Stable Diffusion 1.5, or any other of its kind.

One picture at a time, whatever the device: a seed then gives the same picture alone and in an
album, and a cancelled request stops within a step.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from PIL import Image

from pipeline.compiled import cores
from pipeline.errors import BackendBusy, BadBrief, Cancelled
from pipeline.generate import device, noise, recipe
from pipeline.generate.checkpoint import Checkpoint
from pipeline.generate.device import Runtime
from pipeline.generate.loaded import LoadedModel, Size
from pipeline.settings import PipelineSettings
from pipeline.types import Brief, CancelFlag, OnPicture, Picture, Prompt

T = TypeVar("T")

REDRAWS = 2
"""How often a flagged picture is drawn again, each time with another seed."""

FROM_PHOTOS = frozenset(
    {
        "FluxPipeline",
        "LatentConsistencyModelPipeline",
        "QwenImagePipeline",
        "StableDiffusion3Pipeline",
        "StableDiffusionPipeline",
        "StableDiffusionXLPipeline",
        "ZImagePipeline",
    }
)
"""Kinds of models that diffusers can start from a photo, written down because it takes seconds to
ask."""

_RETRY_AFTER_OOM_S = 30.0

_log = logging.getLogger(__name__)


class DiffusionGenerator:
    """Draws by a model of the hub, loaded by `warm_up` or by the first picture.

    `name` is the model's, and once it is loaded also says by what it runs, in which precision.
    `device` is `cuda` or `cpu`. Calls from several threads wait for one another.
    """

    def __init__(self, settings: PipelineSettings) -> None:
        """Raises BackendUnavailable for what can't run here; loads no weights."""
        self._settings = settings
        self._checkpoint = Checkpoint.find(settings)
        self._recipe = recipe.find(
            self._checkpoint.name,
            self._checkpoint.pipeline_class,
            self._checkpoint.scheduler_class,
            settings,
        )
        self._runtime = device.choose(settings.diffusion_runtime)
        self._lock = threading.Lock()
        self._model: LoadedModel | None = None
        self.name = self._checkpoint.name
        self.max_count = self._runtime.max_count
        self.starts_from_photos = self._checkpoint.pipeline_class in FROM_PHOTOS
        self.device = self._runtime.device

    def warm_up(self) -> None:
        """Load the model and take a step with it, so that no request waits for either.

        Raises BackendUnavailable, BackendBusy when memory runs out.
        """
        with self._lock:
            model = self._load()
            nothing = Prompt(render="a cup", negative="", intent="a cup", backend="off")
            brief = Brief(raw_prompt="", cleaned_prompt="", seed=0)
            draw = partial(model.draw, nothing, brief, 0, watch=_ignore, steps=1)
            _is_flagged(model, _in_memory(model, [model.size(brief)], draw))

    def generate(
        self,
        prompt: Prompt,
        brief: Brief,
        seeds: Sequence[int],
        on_picture: OnPicture,
        cancel: CancelFlag,
    ) -> list[Picture]:
        """One picture a seed; one that stays flagged by the safety checker is left out.

        Raises Cancelled within one step, BackendUnavailable for a model that can't be loaded,
        BackendBusy when memory runs out, BadBrief `unsafe` when every picture was flagged.
        """
        with self._lock:
            _check(cancel)
            model = self._load()
            sizes = [model.size(brief), model.smaller_size(brief)]
            pictures: list[Picture] = []
            for place, seed in enumerate(seeds):

                def watch(part: float, place: int = place) -> None:
                    _check(cancel)
                    on_picture(place, part)

                picture = _passed(model, prompt, brief, seed, sizes, watch)
                pictures += [picture] if picture else []
                on_picture(place + 1)
        if not pictures:
            raise BadBrief("unsafe")
        return pictures

    def _load(self) -> LoadedModel:
        """Raises BackendUnavailable, BackendBusy when memory runs out."""
        import torch

        # Each time: torch keeps the number for a thread, and the judge has another.
        torch.set_num_threads(self._settings.diffusion_threads or cores())
        if self._model is None:
            parts = (self._checkpoint, self._recipe, self._runtime, self._settings)
            load = partial(LoadedModel.load, *parts)
            self._model = _with_memory(self._runtime, load, "loading the model")
            self.name = f"{self._checkpoint.name} ({self._model.runtime.name})"
        return self._model


def _passed(
    model: LoadedModel,
    prompt: Prompt,
    brief: Brief,
    seed: int,
    sizes: list[Size],
    watch: Callable[[float], None],
) -> Picture | None:
    """A picture that the safety checker lets pass, drawn again by other seeds if need be."""
    for attempt in range(1 + REDRAWS):
        drawn_by = noise.another_seed(seed, attempt) if attempt else seed
        draw = partial(model.draw, prompt, brief, drawn_by, watch=watch)
        image = _in_memory(model, sizes, draw)
        watch(1.0)
        if not _is_flagged(model, image):
            meta = model.meta(image.size, brief) | ({"redrawn": attempt} if attempt else {})
            return Picture(drawn_by, image, meta)
        _log.warning("a picture was flagged by the safety checker, try %d", attempt + 1)
    return None


def _in_memory(
    model: LoadedModel, sizes: list[Size], draw: Callable[[Size], Image.Image]
) -> Image.Image:
    """Draw at the first of the sizes that memory is enough for; those before are struck off.

    Raises BackendBusy when there is none.
    """
    while True:
        width, height = sizes[0]
        try:
            return _with_memory(model.runtime, partial(draw, sizes[0]), f"at {width} x {height}")
        except BackendBusy:
            del sizes[0]
            if not sizes:
                raise


def _is_flagged(model: LoadedModel, image: Image.Image) -> bool:
    """By the safety checker. Raises BackendBusy when memory runs out."""
    return _with_memory(model.runtime, partial(model.is_flagged, image), "checking a picture")


def _with_memory(runtime: Runtime, work: Callable[[], T], when: str) -> T:
    """The work's result. Raises BackendBusy when memory runs out, and gives it back before."""
    try:
        return work()
    except Exception as error:  # Those that load models wrap it in errors of their own.
        if not device.is_out_of_memory(error):
            raise
        _log.warning("out of memory %s: %s", when, error)
    # Not before here: the error held every tensor of the failed try.
    device.release(runtime)
    raise BackendBusy(
        "diffusion", f"out of memory {when}", _RETRY_AFTER_OOM_S, code="out_of_memory"
    )


def _ignore(part: float) -> None:
    """Nobody watches a warm-up."""


def _check(cancel: CancelFlag) -> None:
    if cancel.is_set():
        raise Cancelled
