"""A diffusion model on the disk, in the hub's own layout: found, checked, loaded.

Weights are read from safetensors alone, which can't hold code; nothing is fetched, and nothing that
lies in a model's folder is run. Every fault is a BackendUnavailable that says what to do.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import model_files, models
from pipeline.errors import BackendUnavailable
from pipeline.models import HubModel
from pipeline.settings import PipelineSettings

if TYPE_CHECKING:
    import torch
    from diffusers import DiffusionPipeline

_LIBRARIES = ("torch", "diffusers", "transformers", "safetensors")


@dataclass(frozen=True, slots=True)
class Lora:
    """A file of low-rank changes to a model's weights, and how strongly they are applied."""

    file: Path
    scale: float = 1.0

    @property
    def touches_text(self) -> bool:
        """Whether it changes a text encoder too. Raises BackendUnavailable."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.file, framework="pt") as weights:
                return any(key.startswith(("lora_te", "text_encoder")) for key in weights.keys())  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise _broken(self.file, error) from error


@dataclass(frozen=True, slots=True)
class Checker:
    """A safety checker's weights, and the file that says how it wants its pictures."""

    folder: Path
    preprocessor: Path


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model and what goes with it; of `folder` only `model_index.json` was read."""

    name: str
    folder: Path
    index: Mapping[str, object]
    tiny_vae: Path | None
    loras: tuple[Lora, ...]
    checker: Checker | None

    @classmethod
    def find(cls, settings: PipelineSettings) -> Checkpoint:
        """What the settings name, in `models_dir`. Raises BackendUnavailable; loads no library."""
        loras = tuple(_loras(settings))
        libraries = (*_LIBRARIES, "peft") if loras else _LIBRARIES
        if absent := [name for name in libraries if importlib.util.find_spec(name) is None]:
            missing = ", ".join(absent)
            raise BackendUnavailable("diffusion", f"{missing} not installed: {models.INSTALL}")
        name = models.renamed(settings.diffusion_model)
        folder = _present(models.diffusion_model(name), settings)
        tiny_vae = None
        if settings.diffusion_tiny_vae:
            tiny_vae = _present(models.tiny_vae(name), settings)
        return cls(
            name=name.rstrip("/").rsplit("/", 1)[-1],
            folder=folder,
            index=_index(folder),
            tiny_vae=tiny_vae,
            loras=loras,
            checker=_checker(folder, settings) if settings.diffusion_safety else None,
        )

    @property
    def pipeline_class(self) -> str:
        return str(self.index.get("_class_name"))

    @property
    def scheduler_class(self) -> str:
        return self._class_of("scheduler")

    @property
    def denoiser(self) -> str:
        """The large part's name, by which pipelines know it."""
        return "unet" if "unet" in self.index else "transformer"

    def config(self, part: str) -> Mapping[str, object]:
        """A part's `config.json`. Raises BackendUnavailable."""
        return _json(self._place(part) / "config.json")

    def _place(self, part: str) -> Path:
        return self.tiny_vae if part == "vae" and self.tiny_vae else self.folder / part

    def _class_of(self, part: str) -> str:
        entry = self.index.get(part)
        return str(entry[1]) if isinstance(entry, list) and len(entry) == 2 else ""

    def checked(self) -> Mapping[str, str]:
        """SHA-256 of every weights file, by its path.

        Raises BackendUnavailable for a file that isn't what `vitrina models pull` fetched.
        """
        folders = [self.folder, *([self.tiny_vae] if self.tiny_vae else [])]
        if self.checker and not self.checker.folder.is_relative_to(self.folder):
            folders.append(self.checker.folder)
        found = {
            str(folder / name): model_files.checked(folder, name, "diffusion")
            for folder in folders
            for name in _weights(folder)
        }
        loras = [lora.file for lora in self.loras]
        return found | {
            str(file): model_files.checked(file.parent, file.name, "diffusion") for file in loras
        }

    def fingerprint(self, part: str, digests: Mapping[str, str]) -> str:
        """Tells what is made of this part's weights from what is made of others."""
        own = self._place(part)
        told = [digest for path, digest in sorted(digests.items()) if Path(path).parent == own]
        told.append(json.dumps(self.config(part), sort_keys=True))
        if part == self.denoiser:
            told += [f"{digests[str(lora.file)]} {lora.scale}" for lora in self.loras]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def load(
        self, denoiser_dtype: torch.dtype, dtype: torch.dtype, *, without_denoiser: bool = False
    ) -> DiffusionPipeline:
        """The pipeline on the CPU, its LoRAs fused into the weights.

        `without_denoiser` leaves the large part out: its place is then None.
        """
        from diffusers import AutoencoderTiny, AutoPipelineForText2Image

        parts: dict[str, object] = {
            part: None
            for part, entry in self.index.items()
            if part in models.UNUSED_PARTS or entry == [None, None]
        }
        if "requires_safety_checker" in self.index:
            parts["requires_safety_checker"] = False
        if without_denoiser:
            parts[self.denoiser] = None
        common = {"use_safetensors": True, "local_files_only": True}
        try:
            if self.tiny_vae:
                parts["vae"] = AutoencoderTiny.from_pretrained(self.tiny_vae, dtype=dtype, **common)
            pipeline = AutoPipelineForText2Image.from_pretrained(
                self.folder,
                dtype={self.denoiser: denoiser_dtype, "default": dtype},
                **common,
                **parts,
            )
            for lora in () if without_denoiser else self.loras:
                _fuse(pipeline, lora)
        except Exception as error:  # diffusers raises nothing narrower
            raise _broken(self.folder, error) from error
        pipeline.set_progress_bar_config(disable=True)
        return pipeline


def quiet() -> None:
    """Keep the libraries from printing people's prompts (what was cut off) and progress bars."""
    from transformers.utils import logging as transformers_logging

    # Before diffusers is imported, which makes transformers tell what it has not got.
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    from diffusers.utils import logging as diffusers_logging

    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()


def _fuse(pipeline: DiffusionPipeline, lora: Lora) -> None:
    pipeline.load_lora_weights(
        str(lora.file.parent),
        weight_name=lora.file.name,
        use_safetensors=True,
        local_files_only=True,
    )
    pipeline.fuse_lora(lora_scale=lora.scale)
    pipeline.unload_lora_weights()


def _loras(settings: PipelineSettings) -> Iterator[Lora]:
    if settings.diffusion_few_steps:
        name = models.renamed(settings.diffusion_model)
        known = models.lcm_lora(name)
        yield Lora(_present(known, settings) / known.wanted[0])
    if settings.diffusion_lora is not None:
        file = settings.diffusion_lora
        if file.suffix != ".safetensors":
            raise BackendUnavailable("diffusion", f"{file}: a LoRA must be a .safetensors file")
        if not file.is_file():
            raise BackendUnavailable("diffusion", f"{file} isn't there")
        yield Lora(file, settings.diffusion_lora_scale)


def _present(model: HubModel, settings: PipelineSettings) -> Path:
    own = Path(model.repo)
    folder = own if own.is_dir() else model.path(settings.models_dir)
    if not folder.is_dir():
        raise BackendUnavailable(
            "diffusion", f"{model.repo} is not in {settings.models_dir}: vitrina models pull"
        )
    return folder


def _checker(folder: Path, settings: PipelineSettings) -> Checker:
    """The model's own, or the one that is published alone."""
    alone = models.SAFETY_CHECKER.path(settings.models_dir)
    places = (
        Checker(folder / "safety_checker", folder / "feature_extractor" / _PREPROCESSOR),
        Checker(alone, alone / _PREPROCESSOR),
    )
    for place in places:
        if (place.folder / "model.safetensors").is_file() and place.preprocessor.is_file():
            return place
    raise BackendUnavailable(
        "diffusion",
        f"{folder} has no safety checker and {models.SAFETY_CHECKER.repo} is not in"
        f" {settings.models_dir}: vitrina models pull, or PIPELINE_DIFFUSION_SAFETY=false",
    )


_PREPROCESSOR = "preprocessor_config.json"


def _weights(folder: Path) -> set[str]:
    """Every file that was fetched, and all weights."""
    loose = {file.relative_to(folder).as_posix() for file in folder.rglob("*.safetensors")}
    return loose | model_files.recorded(folder).keys()


def _index(folder: Path) -> Mapping[str, object]:
    index = _json(folder / models.INDEX)
    if not isinstance(index.get("_class_name"), str):
        # A list there names a class in the folder's own code.
        raise BackendUnavailable(
            "diffusion", f"{folder / models.INDEX} names no pipeline of diffusers"
        )
    return index


def _json(file: Path) -> Mapping[str, object]:
    try:
        loaded = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _broken(file, error) from error
    if not isinstance(loaded, dict):
        raise BackendUnavailable("diffusion", f"{file} is no object")
    return loaded


def _broken(path: Path, error: Exception) -> BackendUnavailable:
    return BackendUnavailable("diffusion", f"{path} can't be loaded: {error}")
