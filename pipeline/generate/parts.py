"""The large parts of a diffusion pipeline, run faster than diffusers would.

On a CPU the rest stays in fp32: prompts are encoded once a picture, and the scheduler's arithmetic
in bf16 would show.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusers.configuration_utils import FrozenDict
from numpy.typing import NDArray

from pipeline import compiled
from pipeline.compiled import Compiled
from pipeline.generate.checkpoint import Checkpoint

if TYPE_CHECKING:
    import openvino

MIN_AGREEMENT = 0.99
"""Cosine of a part's output to torch's in bf16 on noise: a wrong conversion is far below, the
roundings of two bf16 libraries are above 0.999."""

_BLOB, _CONFIG = "model.blob", "config.json"

_PLAIN = ("addition_embed_type", "class_embed_type", "encoder_hid_dim_type")
"""What a UNet's config must be free of: each adds inputs. Stable Diffusion 1.x and 2.x are."""

_log = logging.getLogger(__name__)


def cast(module: torch.nn.Module, dtype: torch.dtype) -> None:
    """Let a part of an fp32 pipeline work in `dtype`: its floats are converted in and out."""

    def fitted(value: object, to: torch.dtype) -> object:
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            return value.to(to)
        return value

    def before(_: object, args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        return (
            tuple(fitted(value, dtype) for value in args),
            {name: fitted(value, dtype) for name, value in kwargs.items()},
        )

    def after(_: object, __: object, output: object) -> object:
        if isinstance(output, tuple):
            return tuple(fitted(value, torch.float32) for value in output)
        if isinstance(output, dict):  # What transformers' models return.
            for name, value in list(output.items()):
                output[name] = fitted(value, torch.float32)
            return output
        return fitted(output, torch.float32)

    module.to(dtype=dtype, memory_format=torch.channels_last)
    module.register_forward_pre_hook(before, with_kwargs=True)
    module.register_forward_hook(after)


def compilable(checkpoint: Checkpoint) -> bool:
    """Whether OpenVINO can take the UNet over."""
    if checkpoint.denoiser != "unet":
        return False
    config = checkpoint.config("unet")
    return all(config.get(name) is None for name in _PLAIN)


@dataclass(frozen=True, slots=True)
class CompiledPart:
    """A part compiled by OpenVINO; `config` is what the pipeline asks it for."""

    compiled: Compiled
    config: Mapping[str, object]

    @classmethod
    def make(cls, function: UnetFunction | DecoderFunction, threads: int) -> CompiledPart | None:
        """None, and a line in the log, where OpenVINO can't or where what it makes is wrong."""
        example = function.example()
        try:
            made = compiled.compile_module(
                function, example, function.shapes(), threads=threads, streams=1
            )
            got = _infer(made.model.create_infer_request(), example).flatten()
        except RuntimeError as error:
            _log.warning("OpenVINO can't compile the model: %s", error)
            return None
        with torch.inference_mode():
            wanted = function(*example).flatten()
        agreement = float(torch.nn.functional.cosine_similarity(got, wanted, dim=0))
        if not agreement >= MIN_AGREEMENT:
            _log.warning("OpenVINO's model is not torch's: cosine %.4f", agreement)
            return None
        return cls(made, function.config())

    @classmethod
    def kept(cls, folder: Path, threads: int, streams: int) -> CompiledPart | None:
        """What `keep` wrote; None if there is nothing, or nothing whole and readable.

        Unlike a part fresh from the compiler, it has no copy of torch's weights.
        """
        try:
            noted = json.loads((folder / _CONFIG).read_text())
            made = compiled.kept(folder / _BLOB, noted["sha256"], threads=threads, streams=streams)
            return cls(made, noted["config"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            _log.warning("compiled model in %s is unreadable, made anew: %s", folder, error)
            return None

    def keep(self, folder: Path) -> None:
        """Best effort: a folder that can't be written costs only the next start's time."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            sha256 = compiled.keep(self.compiled, folder / _BLOB)
            # Last, so that a reader who finds it finds the blob too.
            noted = json.dumps({"sha256": sha256, "config": self.config})
            compiled.write(folder / _CONFIG, noted.encode())
        except OSError as error:
            _log.warning("compiled model is not kept in %s: %s", folder, error)


class CompiledUnet(torch.nn.Module):
    """Stands in a pipeline for the UNet it was compiled from.

    With guidance there are two samples a step; each then goes to a stream, that is a share of the
    cores, of its own: they never wait for one another inside a layer (a tenth faster than both over
    all cores).
    """

    def __init__(self, part: CompiledPart) -> None:
        super().__init__()
        self.config = FrozenDict(part.config)
        self.dtype = torch.float32
        self.device = torch.device("cpu")
        self._compiled = part.compiled
        model = part.compiled.model
        streams = int(model.get_property("NUM_STREAMS"))
        self._requests = [model.create_infer_request() for _ in range(streams)]

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        timestep_cond: torch.Tensor | None = None,
        **_: object,
    ) -> tuple[torch.Tensor]:
        parts = min(len(self._requests), len(sample))
        shares = zip(
            sample.chunk(parts),
            encoder_hidden_states.chunk(parts),
            (None,) * parts if timestep_cond is None else timestep_cond.chunk(parts),
            strict=True,
        )
        inputs = [
            _arrays([part, timestep, states, *([] if condition is None else [condition])])
            for part, states, condition in shares
        ]
        busy = self._requests[:parts]
        for request, arrays in zip(busy, inputs, strict=True):
            request.start_async(arrays, share_inputs=True)
        for request in busy:
            request.wait()
        return (torch.cat([_output(request) for request in busy]),)


class CompiledDecoder(torch.nn.Module):
    """Stands in a VAE for the decoder it was compiled from."""

    def __init__(self, part: CompiledPart) -> None:
        super().__init__()
        self._compiled = part.compiled
        self._request = self._compiled.model.create_infer_request()

    def forward(self, sample: torch.Tensor, *_: object) -> torch.Tensor:
        return _infer(self._request, [sample])


class UnetFunction(torch.nn.Module):
    """A UNet as a function of plain fp32 tensors, to be compiled."""

    def __init__(self, unet: torch.nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def config(self) -> Mapping[str, object]:
        return dict(self.unet.config)

    def example(self) -> list[torch.Tensor]:
        config, generator = self.unet.config, torch.Generator().manual_seed(0)
        shapes = [(2, config.in_channels, 8, 8), (), (2, 77, config.cross_attention_dim)]
        if config.time_cond_proj_dim is not None:
            shapes.append((2, config.time_cond_proj_dim))
        return [torch.randn(shape, generator=generator) for shape in shapes]

    def shapes(self) -> list[list[int]]:
        sample, _, states, *condition = (list(value.shape) for value in self.example())
        return [
            [-1, sample[1], -1, -1],
            [],
            [-1, -1, states[2]],
            *([-1, shape[1]] for shape in condition),
        ]

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor,
        states: torch.Tensor,
        timestep_cond: torch.Tensor | None = None,
    ) -> torch.Tensor:
        dtype = self.unet.dtype
        out = self.unet(
            sample.to(dtype),
            timestep,
            states.to(dtype),
            timestep_cond=None if timestep_cond is None else timestep_cond.to(dtype),
            return_dict=False,
        )
        predicted: torch.Tensor = out[0]
        return predicted.float()


class DecoderFunction(torch.nn.Module):
    """A VAE's decoder as a function of a plain fp32 tensor, to be compiled."""

    def __init__(self, vae: torch.nn.Module) -> None:
        super().__init__()
        self.decoder = vae.decoder
        self._channels: int = vae.config.latent_channels

    def config(self) -> Mapping[str, object]:
        return {}

    def example(self) -> list[torch.Tensor]:
        return [torch.randn(1, self._channels, 8, 8, generator=torch.Generator().manual_seed(0))]

    def shapes(self) -> list[list[int]]:
        return [[-1, self._channels, -1, -1]]

    def forward(self, sample: torch.Tensor) -> torch.Tensor:
        decoded: torch.Tensor = self.decoder(sample)
        return decoded


def _infer(request: openvino.InferRequest, inputs: list[torch.Tensor]) -> torch.Tensor:
    request.infer(_arrays(inputs), share_inputs=True)
    return _output(request)


def _arrays(inputs: list[torch.Tensor]) -> list[NDArray[np.float32]]:
    return [value.float().contiguous().numpy() for value in inputs]


def _output(request: openvino.InferRequest) -> torch.Tensor:
    # A copy: multi-step schedulers look back at earlier outputs, the request's memory is reused.
    return torch.from_numpy(request.get_output_tensor(0).data.copy())
