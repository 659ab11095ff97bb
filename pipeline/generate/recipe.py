"""How a kind of diffusion model wants to be run: steps, guidance, scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import BackendUnavailable
from pipeline.settings import PipelineSettings

if TYPE_CHECKING:
    from diffusers import SchedulerMixin

OWN = "own"
"""The scheduler that the model was published with."""

SCHEDULERS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    # Diffusers' class and what to change in the model's own configuration.
    "dpm++2m-karras": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "dpmsolver++", "solver_order": 2, "use_karras_sigmas": True},
    ),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler-a": ("EulerAncestralDiscreteScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "ddim": ("DDIMScheduler", {}),
    "lcm": ("LCMScheduler", {}),
}

SCHEDULER_NAMES = ("auto", OWN, *SCHEDULERS)
"""What an operator may choose; `auto` is the one of the recipe."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """`steps` and `guidance` None: what the pipeline's own call takes when told nothing."""

    steps: int | None
    guidance: float | None
    scheduler: str


_FEW_STEPS = Recipe(4, 1.0, "lcm")
"""With an LCM-LoRA: guidance is distilled into it (Luo et al. 2023, arXiv 2311.05556)."""

_CONSISTENCY = Recipe(4, 8.0, OWN)
"""A whole latent consistency model takes guidance as an input: it costs nothing."""

_DISTILLED = Recipe(4, 0.0, OWN)
"""SD-Turbo, SDXL-Turbo, SD 3.5 Turbo, FLUX schnell: trained for 1-4 steps without guidance."""

_DISTILLED_WORDS = ("turbo", "schnell")

_BY_CLASS: Mapping[str, Recipe] = {
    "StableDiffusionPipeline": Recipe(20, 7.5, "dpm++2m-karras"),
    "StableDiffusionXLPipeline": Recipe(25, 5.0, "dpm++2m-karras"),
}

_OTHER = Recipe(None, None, OWN)


def find(
    model: str, pipeline_class: str, scheduler_class: str, settings: PipelineSettings
) -> Recipe:
    """The model's recipe, with what the settings say put over it.

    `model` is its name on the hub or its folder's; the classes are those of `model_index.json`.
    Raises BackendUnavailable for a scheduler that isn't known.
    """
    found = _by_kind(model, pipeline_class, scheduler_class, settings.diffusion_few_steps)
    guidance = settings.diffusion_guidance
    scheduler = settings.diffusion_scheduler
    if scheduler not in SCHEDULER_NAMES:
        raise BackendUnavailable(
            "diffusion", f"unknown scheduler {scheduler!r}, one of: {', '.join(SCHEDULER_NAMES)}"
        )
    return Recipe(
        steps=settings.diffusion_steps or found.steps,
        guidance=found.guidance if guidance is None else guidance,
        scheduler=found.scheduler if scheduler == "auto" else scheduler,
    )


def scheduler(name: str, own: SchedulerMixin) -> SchedulerMixin:
    """A new scheduler: `own`'s class and configuration, changed as `name` says.

    Schedulers remember a run's steps, so each picture gets one of its own.
    """
    if name == OWN:
        return type(own).from_config(own.config)
    import diffusers

    class_name, changes = SCHEDULERS[name]
    return getattr(diffusers, class_name).from_config(own.config, **changes)


def _by_kind(model: str, pipeline_class: str, scheduler_class: str, few_steps: bool) -> Recipe:
    if few_steps:
        return _FEW_STEPS
    if scheduler_class == "LCMScheduler":
        return _CONSISTENCY
    if any(word in model.casefold() for word in _DISTILLED_WORDS):
        return _DISTILLED
    return _BY_CLASS.get(pipeline_class, _OTHER)
