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
    from diffusers import DiffusionPipeline

MIN_AGREEMENT = 0.99
"""Cosine of a part's output to torch's in bf16 on noise: a wrong conversion is far below, the
roundings of two bf16 libraries are above 0.999."""

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
class CompiledParts:
    """A UNet and, unless a tiny VAE makes it needless, a VAE's decoder, compiled by OpenVINO."""

    unet: Compiled
    decoder: Compiled | None
    unet_config: Mapping[str, object]
    agreement: float

    @classmethod
    def compile(
        cls, pipeline: DiffusionPipeline, threads: int, streams: int
    ) -> CompiledParts | None:
        """Takes the pipeline's UNet and decoder as they are, in whichever precision.

        None, and a line in the log, where OpenVINO can't or where what it makes is wrong.
        """
        unet = _Unet(pipeline.unet)
        try:
            fast, agreement = _compiled(unet, unet.example(), unet.shapes(), threads, streams)
            decoder = None
            if hasattr(pipeline.vae, "post_quant_conv"):  # A tiny VAE is quick enough by torch.
                channels = pipeline.vae.config.latent_channels
                decoder, other = _compiled(
                    _Decoder(pipeline.vae.decoder),
                    (torch.randn(1, channels, 8, 8, generator=torch.Generator().manual_seed(0)),),
                    [[-1, channels, -1, -1]],
                    threads,
                    1,
                )
                agreement = min(agreement, other)
        except RuntimeError as error:
            _log.warning("OpenVINO can't compile the model: %s", error)
            return None
        if not agreement >= MIN_AGREEMENT:
            _log.warning("OpenVINO's model is not torch's: cosine %.4f", agreement)
            return None
        return cls(fast, decoder, dict(pipeline.unet.config), agreement)

    @classmethod
    def kept(cls, folder: Path, threads: int, streams: int) -> CompiledParts | None:
        """What `keep` wrote; None if there is nothing, or nothing this OpenVINO can read."""
        try:
            said = json.loads((folder / "agreement.json").read_text())
            return cls(
                unet=compiled.kept(folder / "unet.blob", threads=threads, streams=streams),
                decoder=compiled.kept(folder / "decoder.blob", threads=threads)
                if said["decoder"]
                else None,
                unet_config=dict(said["unet"]),
                agreement=float(said["cosine"]),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            _log.warning("compiled model in %s is unreadable, made anew: %s", folder, error)
            return None

    def keep(self, folder: Path) -> None:
        """Best effort: a folder that can't be written costs only the next start's time."""
        said = {
            "cosine": self.agreement,
            "decoder": self.decoder is not None,
            "unet": self.unet_config,
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            compiled.keep(self.unet, folder / "unet.blob")
            if self.decoder is not None:
                compiled.keep(self.decoder, folder / "decoder.blob")
            # Last, so that a reader who finds it finds the blobs too.
            compiled.write(folder / "agreement.json", json.dumps(said).encode())
        except OSError as error:
            _log.warning("compiled model is not kept in %s: %s", folder, error)

    def install(self, pipeline: DiffusionPipeline) -> None:
        """Put them where the pipeline's own parts were."""
        pipeline.unet = CompiledUnet(self.unet, self.unet_config)
        if self.decoder is not None:
            pipeline.vae.decoder = CompiledDecoder(self.decoder)


class CompiledUnet(torch.nn.Module):
    """Stands in a pipeline for the UNet it was compiled from.

    With guidance there are two samples a step; each then goes to a stream, that is a share of the
    cores, of its own: they never wait for one another inside a layer (a tenth faster than both over
    all cores).
    """

    def __init__(self, unet: Compiled, config: Mapping[str, object]) -> None:
        super().__init__()
        self.config = FrozenDict(config)
        self.dtype = torch.float32
        self.device = torch.device("cpu")
        self._compiled = unet
        streams = int(unet.model.get_property("NUM_STREAMS"))
        self._requests = [unet.model.create_infer_request() for _ in range(streams)]

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

    def __init__(self, decoder: Compiled) -> None:
        super().__init__()
        self._compiled = decoder
        self._request = self._compiled.model.create_infer_request()

    def forward(self, sample: torch.Tensor, *_: object) -> torch.Tensor:
        return _infer(self._request, [sample])


class _Unet(torch.nn.Module):
    """A UNet as a function of plain fp32 tensors."""

    def __init__(self, unet: torch.nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def example(self) -> tuple[torch.Tensor, ...]:
        config, generator = self.unet.config, torch.Generator().manual_seed(0)
        shapes = [(2, config.in_channels, 8, 8), (), (2, 77, config.cross_attention_dim)]
        if config.time_cond_proj_dim is not None:
            shapes.append((2, config.time_cond_proj_dim))
        return tuple(torch.randn(shape, generator=generator) for shape in shapes)

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
        condition = None if timestep_cond is None else timestep_cond.to(dtype)
        out = self.unet(
            sample.to(dtype),
            timestep,
            states.to(dtype),
            timestep_cond=condition,
            return_dict=False,
        )
        predicted: torch.Tensor = out[0]
        return predicted.float()


class _Decoder(torch.nn.Module):
    """A VAE's decoder as a function of plain fp32 tensors."""

    def __init__(self, decoder: torch.nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, sample: torch.Tensor) -> torch.Tensor:
        decoded: torch.Tensor = self.decoder(sample)
        return decoded


def _compiled(
    module: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    shapes: list[list[int]],
    threads: int,
    streams: int,
) -> tuple[Compiled, float]:
    """The module compiled, and the cosine of its output to the module's own."""
    made = compiled.compile_module(module, example, shapes, threads=threads, streams=streams)
    with torch.inference_mode():
        wanted = module(*example).flatten()
    got = _infer(made.model.create_infer_request(), list(example)).flatten()
    return made, float(torch.nn.functional.cosine_similarity(got, wanted, dim=0))


def _infer(request: openvino.InferRequest, inputs: list[torch.Tensor]) -> torch.Tensor:
    request.infer(_arrays(inputs), share_inputs=True)
    return _output(request)


def _arrays(inputs: list[torch.Tensor]) -> list[NDArray[np.float32]]:
    return [value.float().contiguous().numpy() for value in inputs]


def _output(request: openvino.InferRequest) -> torch.Tensor:
    # A copy: multi-step schedulers look back at earlier outputs, the request's memory is reused.
    return torch.from_numpy(request.get_output_tensor(0).data.copy())
