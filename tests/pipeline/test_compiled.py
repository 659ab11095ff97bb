"""Torch modules compiled by OpenVINO: whole, and whole without the module they were made of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("openvino", reason="openvino is not installed")
pytest.importorskip("torch", reason="torch is not installed")

import torch

from pipeline.compiled import compile_module, write

if TYPE_CHECKING:
    from torch import Tensor


class Convolution(torch.nn.Module):
    """Weights in bf16, as the backends' are; floats in and out.

    Large enough that freed memory goes back to the system: what was there is then gone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Conv2d(1024, 1024, 3, padding=1, dtype=torch.bfloat16)

    def forward(self, pixels: Tensor) -> Tensor:
        out: Tensor = self.inner(pixels.to(torch.bfloat16))
        return out.float()


@pytest.mark.parametrize("layout", ["contiguous_format", "channels_last"])
def test_a_compiled_module_has_the_weights_without_the_module(layout: str) -> None:
    torch.manual_seed(0)
    module = Convolution().requires_grad_(False)
    module.to(memory_format=getattr(torch, layout))
    pixels = torch.randn(1, 1024, 4, 4)
    wanted = module(pixels).flatten()
    compiled = compile_module(module, [pixels], [[1, 1024, -1, -1]], threads=1)
    module.inner.weight.fill_(0)
    request = compiled.model.create_infer_request()
    request.infer([pixels.numpy()])
    got = torch.from_numpy(request.get_output_tensor().data.copy()).flatten()
    assert torch.nn.functional.cosine_similarity(got, wanted, dim=0) > 0.999


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "model.blob").mkdir()  # In the way: what was written can't take its name.
    with pytest.raises(OSError, match=r"model\.blob"):
        write(tmp_path / "model.blob", b"blob")
    assert [path.name for path in tmp_path.iterdir()] == ["model.blob"]


SIGNAL_AFTER_A_MODEL = """
import gc, os, signal, threading, torch
from pipeline.compiled import compile_module

models = [compile_module(torch.nn.Linear(64, 64), [torch.zeros(1, 64)], [[-1, 64]], threads=1)]

def drop():
    models.clear()
    gc.collect()

dropping = threading.Thread(target=drop)
dropping.start()
dropping.join()
signal.signal(signal.SIGTERM, lambda *_: print("stops cleanly"))
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_signal_after_a_model_went_in_another_thread_is_survived() -> None:
    """In a process of its own: where it fails, the process is gone."""
    ended = subprocess.run(
        [sys.executable, "-c", SIGNAL_AFTER_A_MODEL], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "stops cleanly\n"), ended.stderr
