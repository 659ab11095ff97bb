"""Torch modules compiled by OpenVINO: whole, and whole without the module they were made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("openvino", reason="openvino is not installed")
pytest.importorskip("torch", reason="torch is not installed")

import torch

from pipeline.compiled import compile_module

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
