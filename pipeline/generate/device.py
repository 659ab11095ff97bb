"""What a diffusion model runs on here, and how it is told to hurry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.compiled import chip_has_bf16, has_openvino
from pipeline.errors import BackendUnavailable
from pipeline.models import INSTALL

if TYPE_CHECKING:
    import torch

RUNTIMES = ("cuda-bf16", "cuda-fp16", "openvino-bf16", "torch-bf16", "torch-fp32")
"""Library or device, and the precision of the model's large parts; fastest first.

fp16 is for GPUs alone: a CPU computes it a hundred times slower than fp32.
"""

_OOM_WORDS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "bad_alloc",
    "alloc_failed",
    "failed to allocate",
)


@dataclass(frozen=True, slots=True)
class Runtime:
    name: str

    @property
    def device(self) -> str:
        return "cuda" if self.name.startswith("cuda") else "cpu"

    @property
    def max_count(self) -> int:
        """Pictures a request may ask for: on a CPU one takes minutes."""
        return 4 if self.device == "cuda" else 2

    @property
    def dtype(self) -> torch.dtype:
        """The precision of the model's large parts."""
        import torch

        short = self.name.rsplit("-", 1)[1]
        return {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[short]


def choose(name: str = "auto") -> Runtime:
    """The runtime called so, or the fastest this machine has. Raises BackendUnavailable."""
    if name != "auto" and name not in RUNTIMES:
        known = ", ".join(("auto", *RUNTIMES))
        raise BackendUnavailable("diffusion", f"unknown runtime {name!r}, one of: {known}")
    if name == "auto":
        return Runtime(next(runtime for runtime in RUNTIMES if _lacks(runtime, fast=True) is None))
    if (reason := _lacks(name, fast=False)) is not None:
        raise BackendUnavailable("diffusion", f"{name}: {reason}")
    return Runtime(name)


def _lacks(name: str, *, fast: bool) -> str | None:
    """Why a runtime can't run here, or (`fast`) isn't worth it; None if it can."""
    import torch

    if name.startswith("cuda"):
        if not torch.cuda.is_available():
            return "torch sees no CUDA device"
        if name == "cuda-bf16" and not torch.cuda.is_bf16_supported(including_emulation=False):
            return "the GPU has no bf16"
        return None
    if name == "openvino-bf16" and not has_openvino():
        return f"openvino is not installed: {INSTALL}"
    if fast and name.endswith("bf16") and not chip_has_bf16():
        return "the chip has no bf16"
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a library ran out of memory: few of them raise an error of its own for that.

    Those that load models wrap it in another, so what an error was raised from counts, too.
    """
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).casefold()
    if isinstance(error, RuntimeError) and any(word in text for word in _OOM_WORDS):
        return True
    wrapped = error.__cause__ or error.__context__
    return wrapped is not None and is_out_of_memory(wrapped)


def release(runtime: Runtime) -> None:
    """Give memory that nothing refers to any more back to the device."""
    import gc

    import torch

    gc.collect()
    if runtime.device == "cuda":
        torch.cuda.empty_cache()
