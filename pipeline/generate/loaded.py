"""A diffusion pipeline in memory, made fast for the machine, and one picture drawn by it."""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from pipeline import formats
from pipeline.compiled import cache_key, cores
from pipeline.errors import BackendUnavailable
from pipeline.generate import noise, recipe
from pipeline.generate.checker import SafetyChecker
from pipeline.generate.checkpoint import Checkpoint, quiet
from pipeline.generate.device import Runtime, release
from pipeline.generate.recipe import Recipe
from pipeline.settings import PipelineSettings
from pipeline.types import Brief, Prompt, Variation

if TYPE_CHECKING:
    import torch
    from diffusers import DiffusionPipeline

Size = tuple[int, int]
"""Width and height in pixels."""

_LAYOUT = "diffusion-1"
"""Part of the key of what OpenVINO compiled: count it up when something else is compiled."""

_log = logging.getLogger(__name__)


class LoadedModel:
    """A pipeline with its recipe. Not for use from two threads at once."""

    def __init__(
        self,
        pipeline: DiffusionPipeline,
        checkpoint: Checkpoint,
        wanted: Recipe,
        runtime: Runtime,
        settings: PipelineSettings,
    ) -> None:
        self.runtime = runtime
        self._pipeline = pipeline
        self._photo_pipeline: DiffusionPipeline | None = None
        self._checkpoint = checkpoint
        self._checker = (
            SafetyChecker.load(checkpoint.checker, runtime) if checkpoint.checker else None
        )
        self._own_scheduler = pipeline.scheduler
        self._parameters = inspect.signature(pipeline.__call__).parameters
        self._scheduler_name = wanted.scheduler
        self._steps = wanted.steps or int(self._default("num_inference_steps"))
        self._guidance = (
            self._default("guidance_scale") if wanted.guidance is None else wanted.guidance
        )
        self._area_px = settings.diffusion_area_px or self._native_area_px()

    @classmethod
    def load(
        cls, checkpoint: Checkpoint, wanted: Recipe, runtime: Runtime, settings: PipelineSettings
    ) -> LoadedModel:
        """Raises BackendUnavailable. The runtime may turn out to be a slower one: see the log."""
        threads = settings.diffusion_threads or cores()
        quiet()
        digests = checkpoint.checked()
        if runtime.name == "openvino-bf16":
            pipeline, runtime = _by_openvino(
                checkpoint,
                _Kept(settings.models_dir / "compiled", checkpoint, digests),
                threads,
                _samples_a_step(checkpoint, wanted),
            )
        elif runtime.device == "cuda":
            pipeline = _by_cuda(checkpoint, runtime, compile_it=settings.diffusion_compile)
        else:
            pipeline = _by_torch(checkpoint, runtime)
        release(runtime)
        return cls(pipeline, checkpoint, wanted, runtime, settings)

    def size(self, brief: Brief) -> Size:
        """Of the brief's aspect, at the area the model was trained at."""
        return formats.size(brief.aspect, self._area_px)

    def smaller_size(self, brief: Brief) -> Size:
        """Half the area, for when memory is short."""
        return formats.size(brief.aspect, max(self._area_px // 2, formats.GRID_PX**2))

    def draw(
        self,
        prompt: Prompt,
        brief: Brief,
        seed: int,
        size: Size,
        *,
        watch: Callable[[float], None],
        steps: int | None = None,
    ) -> Image.Image:
        """One picture. `watch` hears after each step how far it is (0..1); what it raises passes.

        The same arguments give the same picture, whatever was drawn before.
        """
        import torch

        steps, photo = steps or self._steps, brief.photo
        pipeline = self._over_photos() if photo else self._pipeline
        if photo:  # Of all steps only this share is taken, which must be one at least.
            steps = max(steps, math.ceil(1 / photo.strength))
        taken = int(steps * photo.strength) if photo else steps

        def on_step(_: object, index: int, __: object, ___: object) -> dict[str, object]:
            watch(min(1.0, (index + 1) / (taken + 1)))
            return {}

        # Schedulers remember a run's steps: a cancelled one would leave its traces.
        pipeline.scheduler = recipe.scheduler(self._scheduler_name, self._own_scheduler)
        variation = self._variation(brief)
        generator = noise.source(seed, variation)
        arguments = {
            "image": ImageOps.fit(photo.image, size, Image.Resampling.LANCZOS) if photo else None,
            "strength": photo.strength if photo else None,
            "prompt": prompt.render,
            "negative_prompt": prompt.negative or None,
            "width": size[0],
            "height": size[1],
            "num_inference_steps": steps,
            "guidance_scale": self._guidance,
            "generator": generator,
            "latents": None if photo else self._noise(generator, variation, seed, size),
            "callback_on_step_end": on_step,
        }
        parameters = inspect.signature(pipeline.__call__).parameters
        understood = {name: arguments[name] for name in arguments if name in parameters}
        with torch.inference_mode():
            image: Image.Image = pipeline(**understood).images[0]
        return image.convert("RGB")

    def is_flagged(self, image: Image.Image) -> bool:
        """By the safety checker; never without one."""
        return self._checker is not None and self._checker.flags(image)

    def meta(self, size: Size, brief: Brief) -> dict[str, object]:
        """What a picture was made by, for its file."""
        meta: dict[str, object] = {
            "model": self._checkpoint.name,
            "steps": self._steps,
            "guidance": self._guidance,
            "scheduler": self._scheduler_name,
            "width": size[0],
            "height": size[1],
            "runtime": self.runtime.name,
            "device": self.runtime.device,
            "tiny_vae": self._checkpoint.tiny_vae is not None,
            "loras": {lora.file.name: lora.scale for lora in self._checkpoint.loras},
            "safety_checker": self._checker is not None,
        }
        if (variation := self._variation(brief)) is not None:
            meta["variation"] = asdict(variation)
        if brief.photo:
            meta["photo_strength"] = brief.photo.strength
        return meta

    def _over_photos(self) -> DiffusionPipeline:
        """The same parts as a pipeline that starts from a picture.

        Raises BackendUnavailable for a kind of model that can't.
        """
        from diffusers import AutoPipelineForImage2Image

        if self._photo_pipeline is None:
            try:
                self._photo_pipeline = AutoPipelineForImage2Image.from_pipe(self._pipeline)
            except ValueError as error:
                raise BackendUnavailable(
                    "diffusion",
                    f"{self._checkpoint.name} starts from no photo: {error}",
                    code="no_photos",
                ) from error
            self._photo_pipeline.set_progress_bar_config(disable=True)
        return self._photo_pipeline

    @property
    def _has_unet(self) -> bool:
        return self._checkpoint.denoiser == "unet"

    def _variation(self, brief: Brief) -> Variation | None:
        """None for transformers: they pack their noise, each kind in its own way, so that it can't
        be made here."""
        return brief.variation if self._has_unet and not brief.photo else None

    def _noise(
        self, generator: torch.Generator, variation: Variation | None, seed: int, size: Size
    ) -> torch.Tensor | None:
        """None: the pipeline draws it itself, from the generator."""
        if not self._has_unet:
            return None
        scale = self._pipeline.vae_scale_factor
        shape = (1, self._pipeline.unet.config.in_channels, size[1] // scale, size[0] // scale)
        latents = noise.initial(shape, generator, seed, variation)
        return latents.to(self._pipeline.unet.dtype) if self.runtime.device == "cuda" else latents

    def _native_area_px(self) -> int:
        config = getattr(self._pipeline, self._checkpoint.denoiser).config
        sample = config.get("sample_size") or self._pipeline.default_sample_size
        height, width = sample if isinstance(sample, list | tuple) else (sample, sample)
        return int(height * width * self._pipeline.vae_scale_factor**2)

    def _default(self, parameter: str) -> float:
        """What the pipeline's own call takes when told nothing."""
        return float(self._parameters[parameter].default)


def _samples_a_step(checkpoint: Checkpoint, wanted: Recipe) -> int:
    """Two where guidance compares the prompt with the negative one, unless it is an input."""
    embedded = checkpoint.scheduler_class == "LCMScheduler"
    unguided = wanted.guidance is not None and wanted.guidance <= 1
    return 1 if embedded or unguided else 2


def _by_torch(checkpoint: Checkpoint, runtime: Runtime) -> DiffusionPipeline:
    import torch

    from pipeline.generate.parts import cast

    pipeline = checkpoint.load(runtime.dtype, torch.float32)
    denoiser = getattr(pipeline, checkpoint.denoiser)
    # Convolutions on a CPU read pixels faster than planes; a part in bf16 stays one among fp32.
    for part in (denoiser, getattr(pipeline.vae, "decoder", pipeline.vae)):
        if runtime.dtype == torch.float32:
            part.to(memory_format=torch.channels_last)
        else:
            cast(part, runtime.dtype)
    return pipeline


def _by_cuda(checkpoint: Checkpoint, runtime: Runtime, *, compile_it: bool) -> DiffusionPipeline:
    import torch

    pipeline = checkpoint.load(runtime.dtype, runtime.dtype).to("cuda")
    denoiser = getattr(pipeline, checkpoint.denoiser)
    for part in (denoiser, pipeline.vae):
        part.to(memory_format=torch.channels_last)
    if compile_it:
        denoiser.compile_repeated_blocks(fullgraph=True)
    return pipeline


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where what is compiled from a checkpoint is kept."""

    folder: Path
    checkpoint: Checkpoint
    digests: Mapping[str, str]

    def of(self, part: str) -> Path:
        fingerprint = self.checkpoint.fingerprint(part, self.digests)
        return self.folder / cache_key(_LAYOUT, part, fingerprint)


def _by_openvino(
    checkpoint: Checkpoint, kept: _Kept, threads: int, streams: int
) -> tuple[DiffusionPipeline, Runtime]:
    """With parts compiled now or earlier, or by torch where OpenVINO can't or gets it wrong."""
    import torch

    from pipeline.generate import parts

    by_torch = Runtime("torch-bf16")
    if not parts.compilable(checkpoint):
        _log.warning("%s is of a kind that OpenVINO isn't used for", checkpoint.name)
        return _by_torch(checkpoint, by_torch), by_torch
    folder = kept.of("unet")
    # A LoRA for the text encoder is fused into torch's weights, which needs the whole pipeline.
    may_keep = not any(lora.touches_text for lora in checkpoint.loras)
    unet = parts.CompiledPart.kept(folder, threads, streams) if may_keep else None
    pipeline = checkpoint.load(torch.bfloat16, torch.float32, without_denoiser=unet is not None)
    if unet is None:
        unet = parts.CompiledPart.make(parts.UnetFunction(pipeline.unet), threads)
        if unet is None:
            del pipeline
            return _by_torch(checkpoint, by_torch), by_torch
        unet.keep(folder)
        unet = parts.CompiledPart.kept(folder, threads, streams) or unet
    pipeline.unet = parts.CompiledUnet(unet)
    decoder = _decoder(pipeline.vae, kept.of("vae"), threads)
    if decoder is not None:
        pipeline.vae.decoder = decoder
    return pipeline, Runtime("openvino-bf16")


def _decoder(vae: torch.nn.Module, folder: Path, threads: int) -> torch.nn.Module | None:
    from pipeline.generate.parts import CompiledDecoder, CompiledPart, DecoderFunction

    part = CompiledPart.kept(folder, threads, 1)
    if part is None:
        part = CompiledPart.make(DecoderFunction(vae), threads)
        if part is None:
            return None
        part.keep(folder)
    return CompiledDecoder(part)
