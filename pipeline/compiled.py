"""Torch modules compiled by OpenVINO for this chip in bf16, and kept on disk.

What every backend that runs on a CPU shares: one inference library in a process, because two fight
for the cores.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import tempfile
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import openvino
    import torch


_making_the_core = threading.Lock()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled model, and what its weights lie in where OpenVINO doesn't hold on to it: whoever
    runs the model keeps both."""

    model: openvino.CompiledModel
    memory: object = None


def chip_has_bf16() -> bool:
    """Whether the processor multiplies bf16 itself; emulated it is slower than fp32."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags)


def has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


def compile_module(
    module: torch.nn.Module,
    examples: Sequence[torch.Tensor],
    shapes: Sequence[Sequence[int]],
    *,
    threads: int,
    streams: int = 1,
) -> Compiled:
    """The module for the CPU in bf16; inputs in order, each of its shape (-1: any length).

    The conversion is by the frontend itself: `openvino.convert_model` reports each one to its
    vendor.
    """
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with warnings.catch_warnings():
        # The decoder traces by torch.jit, which torch calls deprecated.
        warnings.simplefilter("ignore")
        # It must outlive the conversion, which holds no reference to it. Weights are copied: shared
        # ones are pointers only, and those of a channels_last layer point to a copy already freed.
        decoder = TorchScriptPythonDecoder(
            module, example_input=tuple(examples), shared_memory=False
        )
    frontend = FrontEndManager().load_by_framework("pytorch")
    model = frontend.convert(frontend.load(decoder))
    model.reshape({place: list(shape) for place, shape in enumerate(shapes)})
    return Compiled(_core().compile_model(model, "CPU", _properties(threads, streams)))


def cache_key(*parts: str) -> str:
    """A folder's name for what this OpenVINO compiles for this chip from what `parts` tell."""
    import openvino

    told = (*parts, openvino.get_version(), str(chip_has_bf16()))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]


def keep(compiled: Compiled, file: Path) -> str:
    """Returns the SHA-256 that `kept` wants. Raises OSError."""
    blob = compiled.model.export_model().getbuffer()
    write(file, blob)
    return hashlib.sha256(blob).hexdigest()


def kept(file: Path, sha256: str, *, threads: int, streams: int = 1) -> Compiled:
    """What `keep` wrote, mapped and not copied: its pages are then shared.

    OpenVINO takes a blob with wrong bytes without a word, and computes by them: hence the sum.
    Raises OSError, ValueError or RuntimeError for a file that isn't there or isn't the one.
    """
    import openvino

    # Copy-on-write, because OpenVINO takes no read-only memory; it writes nothing.
    mapped = np.memmap(file, dtype=np.uint8, mode="c")
    if hashlib.sha256(mapped.data).hexdigest() != sha256:
        raise ValueError(f"{file} is not what was written")
    blob = openvino.Tensor(mapped, shared_memory=True)
    return Compiled(_core().import_model(blob, "CPU", _properties(threads, streams)), mapped)


def write(path: Path, data: bytes | memoryview) -> None:
    """All or nothing: two workers may start at once, the power may fail, the disk be full."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _core() -> openvino.Core:
    """The one of this process, for as long as it lives.

    The CPU plugin gives the thread that loads it a signal stack (AMX needs a larger one), and frees
    it with the last core: when that happens in another thread, the next signal to the first, a
    SIGTERM say, is a segmentation fault.
    """
    with _making_the_core:  # generator and judge may load at once
        return _the_core()


@functools.cache
def _the_core() -> openvino.Core:
    import openvino

    return openvino.Core()


def _properties(threads: int, streams: int) -> dict[str, object]:
    return {
        # OpenVINO would pick bf16 by itself on some chips and not on others: always said aloud.
        "INFERENCE_PRECISION_HINT": "bf16",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": min(streams, threads),
    }
