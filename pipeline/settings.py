"""What an operator may set of the pipeline: environment variables that begin with `PIPELINE_`."""

from __future__ import annotations

from pathlib import Path

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.formats import GRID_PX


class PipelineSettings(BaseSettings):
    """Which backends run, and how large the pictures are.

    `judge="auto"` takes the best judge that can run on this machine. `picture_area_px` is width
    times height; formats of every aspect have about this area.
    """

    model_config = SettingsConfigDict(
        env_prefix="PIPELINE_", env_ignore_empty=True, frozen=True, populate_by_name=True
    )

    enhancer: str = "lexicon"
    generator: str = "mock"
    judge: str = "auto"
    picture_area_px: int = Field(default=1024 * 1024, ge=256 * 256, le=2048 * 2048)

    models_dir: Path = Field(
        default=Path(".vitrina/models"),
        validation_alias=AliasChoices("PIPELINE_MODELS_DIR", "MODELS_DIR"),
    )
    """Where `vitrina models pull` puts models and where backends look for them: no network."""

    ollama_host: str = Field(
        default="http://127.0.0.1:11434",
        validation_alias=AliasChoices("PIPELINE_OLLAMA_HOST", "OLLAMA_HOST"),
    )
    """Where the `ollama` enhancer finds its server."""

    ollama_model: str = Field(default="qwen2.5:1.5b-instruct", min_length=1)
    """Any chat model of Ollama's library; `vitrina models pull` fetches it."""

    ollama_num_ctx: int = Field(default=4096, ge=2048, le=131072)
    """Tokens that request and answer share. Ollama's own default cuts the front off unseen."""

    ollama_keep_alive: str = Field(default="30m", pattern=r"^-?\d+(?:\.\d+)?(?:ms|s|m|h)?$")
    """How long the model stays loaded after a request: `30m`, seconds, or -1 for ever."""

    ollama_deadline_s: float = Field(default=45.0, gt=0, le=600)
    """For all tries of one request; when it passes, the `lexicon` enhancer takes over."""

    diffusion_model: str = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    """Any text-to-image model of the hub that diffusers knows, or a folder in the hub's layout."""

    diffusion_runtime: str = "auto"
    """`auto` (by the machine), `cuda-bf16`, `cuda-fp16`, `openvino-bf16`, `torch-bf16` or
    `torch-fp32`."""

    diffusion_threads: int = Field(default=0, ge=0)
    """Cores that drawing may use; 0: all."""

    diffusion_steps: int = Field(default=0, ge=0, le=150)
    """0: what suits the model."""

    diffusion_guidance: float | None = Field(default=None, ge=0, le=30)
    """How closely the prompt is followed; None: what suits the model."""

    diffusion_scheduler: str = "auto"
    """`auto` (what suits the model), `own` (the model's), `dpm++2m-karras`, `euler`, `euler-a`,
    `unipc`, `ddim` or `lcm`."""

    diffusion_area_px: int = Field(default=0, ge=0, le=2048 * 2048)
    """Width times height, 4096 (64 x 64) or more; 0: the area the model was trained at."""

    diffusion_few_steps: bool = False
    """Draw in 4 steps with an LCM-LoRA: ten times as fast, a little plainer."""

    diffusion_tiny_vae: bool = False
    """Decode with a tiny VAE: for previews, and with `diffusion_few_steps`."""

    diffusion_lora: Path | None = None
    """A `.safetensors` file with a style of one's own."""

    diffusion_lora_scale: float = Field(default=1.0, ge=-2, le=2)

    diffusion_safety: bool = True
    """Leave out pictures that the safety checker flags."""

    diffusion_compile: bool = False
    """Let torch compile the model on a GPU: the first picture of each shape waits a minute."""

    judge_model: str = "openai/clip-vit-base-patch32"
    """Any CLIP-shaped model of the hub, by its name there, or a folder in the hub's layout."""

    judge_runtime: str = "auto"
    """`auto` (by the chip), `openvino-bf16`, `torch-bf16` or `torch-fp32`."""

    judge_threads: int = Field(default=0, ge=0)
    """Cores the judge may use; 0: all."""

    diversity: float = Field(default=0.3, ge=0, le=1)
    """How much of the places after the first goes to difference from the ones before, not to score:
    0 orders by score alone."""

    @field_validator("diffusion_area_px")
    @classmethod
    def _holds_a_tile(cls, area_px: int) -> int:
        if 0 < area_px < GRID_PX**2:
            raise ValueError(f"must be 0 or at least {GRID_PX**2}")
        return area_px
