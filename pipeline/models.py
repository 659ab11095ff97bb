"""The model files that backends need: where they are published, under which licence, how large.

Files lie under `MODELS_DIR`: a hub repository `org/name` in `org--name/` in the hub's own layout,
the judge's heads in `heads/`. A language model lies with the Ollama server that runs it. Nothing
here imports an ML library or goes to the network: `model_files` looks what is there, `download`
fetches.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.settings import PipelineSettings

INSTALL = "install the extra ml (docs/models.md says how, with Docker and without)"
"""What to do where the real models' libraries are missing."""

_LAION_AESTHETIC = (
    "https://raw.githubusercontent.com/LAION-AI/aesthetic-predictor/"
    "6d122adad522ab246644d9dc1c6d7a3810ee255f/"
)
_LAION_SAFETY = (
    "https://raw.githubusercontent.com/LAION-AI/CLIP-based-NSFW-Detector/"
    "e8038cdb61f044b63f2dc11a400156b49dce612c/models/"
)


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model repository of the hub.

    `wanted` are glob patterns of the files to fetch; of `either`, the first that is published.
    `size_bytes` is about what will be fetched (None: not known before asking the hub).
    """

    repo: str
    purpose: str
    licence: str
    wanted: tuple[str, ...]
    either: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    size_bytes: int | None = None

    @property
    def name(self) -> str:
        return self.repo

    def path(self, models_dir: Path) -> Path:
        return models_dir / self.repo.replace("/", "--")

    def chosen(self, published: Collection[str]) -> dict[str, str]:
        """Which of the published files are fetched, by their names here; none of another kind.

        Weights that are published in fp16 alone are fetched under the name of those in fp32.
        """
        names = {name: name for name in published if self._wants(name)}
        whole = {name.rpartition("/")[0] for name in names if name.endswith(".safetensors")}
        for half in published:
            name = half.replace(".fp16.safetensors", ".safetensors")
            if name != half and self._wants(name) and name.rpartition("/")[0] not in whole:
                names[name] = half
        either = [name for name in self.either if name in published][:1]
        return names | {name: name for name in either} if either or not self.either else {}

    def _wants(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.wanted) and not any(
            fnmatch.fnmatchcase(name, pattern) for pattern in self.unwanted
        )


@dataclass(frozen=True, slots=True)
class HeadFile:
    """A small file published on its own, known by its SHA-256."""

    name: str
    purpose: str
    licence: str
    url: str
    sha256: str
    size_bytes: int

    def path(self, models_dir: Path) -> Path:
        return models_dir / "heads" / self.name


@dataclass(frozen=True, slots=True)
class OllamaModel:
    """A language model that an Ollama server keeps, resumes and checks by itself."""

    settings: PipelineSettings
    licence: str
    size_bytes: int | None
    purpose: str = "enhancer"

    @property
    def name(self) -> str:
        return self.settings.ollama_model


Model = HubModel | HeadFile | OllamaModel

_CLIP_WANTED = ("config.json", "*processor_config.json", "tokenizer.json")
_CLIP_EITHER = ("model.safetensors", "pytorch_model.bin")

_CLIP_KNOWN = {
    # Licence and download size, as the hub's model pages say.
    "openai/clip-vit-base-patch32": ("MIT", 605_000_000),
    "openai/clip-vit-base-patch16": ("MIT", 599_000_000),
    "openai/clip-vit-large-patch14": ("MIT", 1_711_000_000),
    "laion/CLIP-ViT-H-14-laion2B-s32B-b79K": ("MIT", 3_944_000_000),
    "yuvalkirstain/PickScore_v1": ("none stated", 3_944_000_000),
}


def _aesthetic(space: str, sha256: str, size_bytes: int) -> HeadFile:
    name = f"sa_0_4_{space}_linear.pth"
    return HeadFile(name, "judge: beauty", "MIT", f"{_LAION_AESTHETIC}{name}", sha256, size_bytes)


def _safety(space: str, sha256: str, size_bytes: int) -> HeadFile:
    name = f"clip_{space}_openai_binary_nsfw_head.pth"
    return HeadFile(name, "judge: safety", "MIT", f"{_LAION_SAFETY}{name}", sha256, size_bytes)


# A head belongs to one model's embeddings: ViT-B/16 is as wide as ViT-B/32 and yet another space.
AESTHETIC_HEADS: Mapping[str, HeadFile] = {
    "openai/clip-vit-base-patch32": _aesthetic(
        "vit_b_32", "c7b14cead230694acc7b9447974d3cad78003c72da032e402a303b6c2429e85f", 3047
    ),
    "openai/clip-vit-base-patch16": _aesthetic(
        "vit_b_16", "8ad3923d7ecf019df20ecd2ab5542a3075fbba0278d239c0371345f3d7fcbde0", 3047
    ),
    "openai/clip-vit-large-patch14": _aesthetic(
        "vit_l_14", "2cd4e60f4f24ae3bcd57b847b13c1f3ba27edc28cc1a7f9ce74ee9f421243cba", 4071
    ),
}
SAFETY_HEADS: Mapping[str, HeadFile] = {
    "openai/clip-vit-base-patch32": _safety(
        "ViT-B-32", "615f35e1364b40b14c30e770544345b82d8e558240692ad72eb8eafa466ef25c", 77_307
    ),
    "openai/clip-vit-large-patch14": _safety(
        "ViT-L-14", "fc4d70d2eea4e948d13bc27bf7114f5e8d3bd317eb01a4b49b35dcf1a3d672c6", 866_223
    ),
}


def clip_model(repo: str) -> HubModel:
    """A CLIP-shaped model, known here or not."""
    licence, size_bytes = _CLIP_KNOWN.get(repo, ("see its page on the hub", None))
    return HubModel(
        repo, "judge: embeddings", licence, _CLIP_WANTED, _CLIP_EITHER, size_bytes=size_bytes
    )


_OLLAMA_KNOWN = {
    # Licence and download size, as Ollama's library says.
    "qwen2.5:1.5b-instruct": ("Apache-2.0", 986_000_000),
    "qwen2.5:3b-instruct": ("Qwen Research", 1_930_000_000),
    "qwen2.5:7b-instruct": ("Apache-2.0", 4_680_000_000),
}


def ollama_model(settings: PipelineSettings) -> OllamaModel:
    """The enhancer's language model, known here or not."""
    known = _OLLAMA_KNOWN.get(settings.ollama_model)
    licence, size_bytes = known or ("see its page in Ollama's library", None)
    return OllamaModel(settings, licence, size_bytes)


INDEX = "model_index.json"
"""Names the parts of a diffusion model, each with its library and class."""

UNUSED_PARTS = ("safety_checker", "feature_extractor", "image_encoder")
"""Of a diffusion model, what this package does itself or has no use for."""

_WEIGHTLESS = ("Scheduler", "Tokenizer", "Processor", "FeatureExtractor")
"""In the names of classes that have no weights."""

_DIFFUSION_WANTED = (
    INDEX,
    "*/config.json",
    "*/*_config.json",
    "*/*.safetensors.index.json",
    "tokenizer*/*",
    "*/model.safetensors",
    "*/diffusion_pytorch_model.safetensors",
    "*/*-of-*.safetensors",
)
_DIFFUSION_UNWANTED = ("*.fp16*", "*.bf16*", "*non_ema*", "*openvino*", "*flax*")

_DIFFUSION_KNOWN = {
    "stable-diffusion-v1-5/stable-diffusion-v1-5": ("CreativeML OpenRAIL-M", 5_480_000_000),
    "stabilityai/stable-diffusion-xl-base-1.0": ("OpenRAIL++", 13_900_000_000),
    "stabilityai/sdxl-turbo": ("Stability AI Community", 13_900_000_000),
    "stabilityai/sd-turbo": ("Stability AI Community", 5_200_000_000),
    "SimianLuo/LCM_Dreamshaper_v7": ("MIT", 5_480_000_000),
}

_RENAMED = {
    # The first has left the hub, its weights live on under the new name.
    "runwayml/stable-diffusion-v1-5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "stable-diffusion-v1-5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
}


def renamed(repo: str) -> str:
    """A model's name of today."""
    return _RENAMED.get(repo, repo)


def diffusion_model(repo: str) -> HubModel:
    """A text-to-image model, known here or not."""
    name = renamed(repo)
    licence, size_bytes = _DIFFUSION_KNOWN.get(name, ("see its page on the hub", None))
    return HubModel(
        name,
        "generator",
        licence,
        _DIFFUSION_WANTED,
        unwanted=_DIFFUSION_UNWANTED,
        size_bytes=size_bytes,
    )


def without_weights(index: Mapping[str, object], names: Collection[str]) -> list[str]:
    """Parts that the index of a diffusion model names, but that have no weights among `names`."""
    weighty = [
        part
        for part, entry in index.items()
        if isinstance(entry, list)
        and entry != [None, None]
        and part not in UNUSED_PARTS
        and not any(word in str(entry[-1:]) for word in _WEIGHTLESS)
    ]
    return [
        part
        for part in weighty
        if not any(name.startswith(f"{part}/") and name.endswith(".safetensors") for name in names)
    ]


STABLE_DIFFUSION = diffusion_model("stable-diffusion-v1-5/stable-diffusion-v1-5")

SAFETY_CHECKER = HubModel(
    "CompVis/stable-diffusion-safety-checker",
    "generator: safety",
    "see its page on the hub",
    wanted=("config.json", "preprocessor_config.json", "model.safetensors"),
    size_bytes=1_220_000_000,
)

_TINY_VAE_WANTED = ("config.json", "diffusion_pytorch_model.safetensors")
TINY_VAE = HubModel(
    "madebyollin/taesd", "generator: previews", "MIT", _TINY_VAE_WANTED, size_bytes=9_800_000
)
TINY_VAE_XL = HubModel(
    "madebyollin/taesdxl", "generator: previews", "MIT", _TINY_VAE_WANTED, size_bytes=9_800_000
)

_LORA_WANTED = ("pytorch_lora_weights.safetensors",)
LCM_LORA = HubModel(
    "latent-consistency/lcm-lora-sdv1-5",
    "generator: few steps",
    "OpenRAIL++",
    _LORA_WANTED,
    size_bytes=135_000_000,
)
LCM_LORA_XL = HubModel(
    "latent-consistency/lcm-lora-sdxl",
    "generator: few steps",
    "OpenRAIL++",
    _LORA_WANTED,
    size_bytes=394_000_000,
)


def tiny_vae(repo: str) -> HubModel:
    """The tiny VAE for a model's kind of latents, told by its name."""
    return TINY_VAE_XL if _is_xl(repo) else TINY_VAE


def lcm_lora(repo: str) -> HubModel:
    """The LoRA that lets a model draw in 4 steps."""
    return LCM_LORA_XL if _is_xl(repo) else LCM_LORA


def _is_xl(repo: str) -> bool:
    return "xl" in repo.rstrip("/").rsplit("/", 1)[-1].casefold()


def needed(settings: PipelineSettings) -> tuple[Model, ...]:
    """What the chosen backends want on the disk; `judge="auto"` counts as `clip`.

    A model that is a folder of one's own needs nothing from here.
    """
    models: list[Model] = []
    if settings.enhancer == "ollama":
        models.append(ollama_model(settings))
    if settings.judge in ("auto", "clip") and not Path(settings.judge_model).is_dir():
        repo = settings.judge_model
        heads = (AESTHETIC_HEADS.get(repo), SAFETY_HEADS.get(repo))
        models += [clip_model(repo), *(head for head in heads if head)]
    if settings.generator == "diffusion":
        models += _for_drawing(settings)
    return tuple(models)


def _for_drawing(settings: PipelineSettings) -> Iterator[Model]:
    repo = renamed(settings.diffusion_model)
    if not Path(repo).is_dir():
        yield diffusion_model(repo)
        if settings.diffusion_safety and repo != STABLE_DIFFUSION.repo:
            yield SAFETY_CHECKER
    if settings.diffusion_tiny_vae:
        yield tiny_vae(repo)
    if settings.diffusion_few_steps:
        yield lcm_lora(repo)


def known() -> tuple[Model, ...]:
    """Every model that can be named without its kind being guessed."""
    return (
        *map(clip_model, _CLIP_KNOWN),
        *AESTHETIC_HEADS.values(),
        *SAFETY_HEADS.values(),
        *map(diffusion_model, _DIFFUSION_KNOWN),
        SAFETY_CHECKER,
        TINY_VAE,
        TINY_VAE_XL,
        LCM_LORA,
        LCM_LORA_XL,
    )
