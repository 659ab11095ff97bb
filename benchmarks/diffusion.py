"""The diffusion generator's speed against diffusers' defaults: `make bench ARGS=diffusion`.

Real-size Stable Diffusion 1.5 with random weights: cost does not depend on the values, and the
figures say nothing of quality. Each contender runs in a process of its own, in turns, so that what
else the machine does falls on all of them alike. Figures are medians; ratios are of medians.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks import figures

ROUNDS = 3
STEPS = 20
"""Of the picture that diffusers' defaults are charged with; its own default is 50."""

Seconds = dict[str, float]
Draw = Callable[[], Seconds]
"""Draws a picture; returns named durations."""


def guided(folder: Path) -> tuple[str, Draw]:
    """The shipped generator, steps with guidance."""
    return _shipped(folder, diffusion_steps=3)


def few_steps(folder: Path) -> tuple[str, Draw]:
    """The shipped generator as `diffusion_few_steps` and `diffusion_tiny_vae` run it.

    An LCM-LoRA is fused into the weights before the first step: without one the cost is the same.
    """
    return _shipped(
        folder,
        diffusion_steps=4,
        diffusion_guidance=1.0,
        diffusion_scheduler="lcm",
        diffusion_tiny_vae=True,
    )


def _shipped(folder: Path, **chosen: object) -> tuple[str, Draw]:
    from pipeline.generate.diffusion import DiffusionGenerator
    from pipeline.settings import PipelineSettings
    from pipeline.types import Brief, CancelFlag, Prompt

    started = time.perf_counter()
    generator = DiffusionGenerator(
        PipelineSettings.model_validate(
            {
                "models_dir": folder,
                "diffusion_model": str(folder / "sd"),
                "diffusion_safety": False,
                **chosen,
            }
        )
    )
    generator.warm_up()
    warm_s = time.perf_counter() - started
    prompt = Prompt(render="a cup of coffee", negative="blurry", intent="a cup", backend="off")
    brief = Brief(raw_prompt="кофе", cleaned_prompt="кофе", seed=0)

    def draw() -> Seconds:
        times = [time.perf_counter()]

        def on_picture(done: int, part: float = 0.0) -> None:
            _finish_device_work()
            times.append(time.perf_counter())

        generator.generate(prompt, brief, [0], on_picture, CancelFlag())
        # Start, after each step, decoded, done.
        steps = [after - before for before, after in itertools.pairwise(times[1:-2])]
        return {
            "step": statistics.median(steps),
            "decode": times[-2] - times[-3],
            "picture": times[-1] - times[0],
        }

    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return f"{generator.name}, warm in {warm_s:.0f} s, peak memory {peak_gb:.1f} GB", draw


def defaults(folder: Path) -> tuple[str, Draw]:
    """What one would write first: fp32 on a CPU, fp16 on a GPU, nothing else touched.

    The prompt comes encoded, to save memory; that costs diffusers less than a tenth of a step.
    """
    from pipeline.generate.checkpoint import quiet

    quiet()
    import torch
    from diffusers import StableDiffusionPipeline

    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.float16 if device == "cuda" else torch.float32
    pipeline = StableDiffusionPipeline.from_pretrained(
        folder / "sd", dtype=dtype, text_encoder=None, tokenizer=None, safety_checker=None
    ).to(device)
    pipeline.set_progress_bar_config(disable=True)
    embeddings = torch.randn(2, 1, 77, 768, dtype=dtype, device=device)

    def draw() -> Seconds:
        times = []

        def on_step(*_: object) -> dict[str, object]:
            _finish_device_work()
            times.append(time.perf_counter())
            return {}

        pipeline(
            prompt_embeds=embeddings[0],
            negative_prompt_embeds=embeddings[1],
            num_inference_steps=2,
            callback_on_step_end=on_step,
        )
        decoded = time.perf_counter()
        return {"step": times[-1] - times[-2], "decode": decoded - times[-1]}

    return f"diffusers' defaults: {str(dtype).removeprefix('torch.')} on {device}", draw


def _finish_device_work() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def measure() -> Iterator[str]:
    """Lines to print."""
    if absent := [name for name in ("torch", "diffusers") if find_spec(name) is None]:
        yield f"diffusion: skipped, {absent[0]} is not installed: pip install -e '.[ml]'"
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        in_process(save_models, folder)
        if (busy := os.getloadavg()[0]) > 1:
            yield f"the machine is busy (load {busy:.1f}): these figures say little"
        with _contender(defaults, folder) as (text, default):
            yield f"against {text}"
            with _contender(guided, folder) as (text, _):
                yield f"first start:  {text}"
            with _contender(guided, folder) as (text, ours):
                yield f"second start: {text}"
                ours_took, default_took = _in_turns(ours, default)
            yield _compared(
                "a step with guidance", "step", ours_took, default_took, "aim 3, floor 2"
            )
            yield _compared("decoding", "decode", ours_took, default_took, "no aim")
            with _contender(few_steps, folder) as (text, ours):
                yield f"few steps:    {text}"
                few_took, default_took = _in_turns(ours, default)
            yield _whole(few_took, default_took)


def _in_turns(ours: Draw, default: Draw) -> tuple[list[Seconds], list[Seconds]]:
    ours(), default()  # First pictures allocate.
    rounds = [(ours(), default()) for _ in range(ROUNDS)]
    return [one for one, _ in rounds], [other for _, other in rounds]


def _compared(what: str, key: str, ours: list[Seconds], default: list[Seconds], aim: str) -> str:
    mine, theirs = _median(ours, key), _median(default, key)
    return f"{what}: {mine:.2f} s, by default {theirs:.2f} s: {theirs / mine:.1f} x ({aim})"


def _whole(few: list[Seconds], default: list[Seconds]) -> str:
    mine = _median(few, "picture")
    theirs = STEPS * _median(default, "step") + _median(default, "decode")
    return (
        f"a picture in 4 steps with the tiny VAE: {mine:.2f} s; {STEPS} steps by default"
        f" {theirs:.0f} s ({STEPS} times a step, and decoding): {theirs / mine:.0f} x"
        " (aim 30, floor 20)"
    )


def _median(took: list[Seconds], key: str) -> float:
    return statistics.median(seconds[key] for seconds in took)


def save_models(folder: Path) -> None:
    """Stable Diffusion 1.5 and TAESD in the hub's layout; the large part in bf16."""
    from pipeline.generate.checkpoint import quiet

    quiet()
    import torch
    from diffusers import (
        AutoencoderKL,
        AutoencoderTiny,
        PNDMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel

    from pipeline import models
    from tests.pipeline import tiny_diffusion

    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768)
    torch.set_default_dtype(torch.float32)
    StableDiffusionPipeline(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            sample_size=512,
        ),
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                hidden_size=768,
                intermediate_size=3072,
                num_hidden_layers=12,
                num_attention_heads=12,
                projection_dim=768,
                bos_token_id=514,
                eos_token_id=515,
                pad_token_id=515,
            )
        ),
        tokenizer=tiny_diffusion.tokenizer(),
        unet=unet,
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            skip_prk_steps=True,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder / "sd")
    AutoencoderTiny().save_pretrained(models.TINY_VAE.path(folder))


def in_process(work: Callable[[Path], None], folder: Path) -> None:
    """In a process of its own, whose memory is given back."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=(folder,))
    process.start()
    process.join()
    if process.exitcode != 0:
        raise RuntimeError(f"{work.__name__} failed")


@contextmanager
def _contender(
    make: Callable[[Path], tuple[str, Draw]], folder: Path
) -> Iterator[tuple[str, Draw]]:
    """A contender, ready in its own process: what it calls itself, and how it is asked to draw."""
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(make, folder, theirs))
    process.start()
    theirs.close()

    def draw() -> Seconds:
        pipe.send("draw")
        took: Seconds = pipe.recv()
        return took

    try:
        yield pipe.recv(), draw
    finally:
        pipe.close()
        process.join()


def _serve(make: Callable[[Path], tuple[str, Draw]], folder: Path, pipe: Connection) -> None:
    text, draw = make(folder)
    pipe.send(text)
    while True:
        try:
            pipe.recv()
            pipe.send(draw())
        except (EOFError, BrokenPipeError):
            return


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _say(f"{datetime.now(UTC):%Y-%m-%d}, {figures.machine()}; random weights: speed only")
    for line in measure():
        _say(line)
