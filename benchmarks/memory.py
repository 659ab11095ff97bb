"""Whether a worker's memory stays flat: `python -m benchmarks.memory [RUNTIME]`.

300 requests go through one pipeline of tiny real models, as many at a time as a worker holds, in
every format and each with other words. Small models hide nothing: what a request leaves behind is
ours, not the weights'. The exit code is 0 only if the resident memory after the last request is
within 5 % of that after the first 50, by when caches and allocators have warmed up.

RUNTIME is what both models run by, such as `torch-fp32`; without it, what suits this machine.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import psutil

from benchmarks import figures
from pipeline import models
from pipeline.generate.checkpoint import quiet
from pipeline.run import Pipeline
from pipeline.settings import PipelineSettings
from pipeline.types import Aspect, Brief
from tests.pipeline import tiny_clip, tiny_diffusion

REQUESTS = 300
WARM_AFTER = 50
MAX_GROWTH = 0.05

_JUDGE = "someone/tiny-clip"


async def main(runtime: str) -> int:
    """The exit code."""
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        models_dir = Path(folder)
        # Building models costs memory that has nothing to do with running them.
        building = multiprocessing.get_context("spawn").Process(target=_build, args=(models_dir,))
        building.start()
        await asyncio.to_thread(building.join)
        settings = PipelineSettings(
            generator="diffusion",
            judge="clip",
            judge_model=_JUDGE,
            judge_runtime=runtime,
            diffusion_runtime=runtime,
            diffusion_steps=3,
            models_dir=models_dir,
        )
        pipeline = Pipeline.from_settings(settings)
        await pipeline.warm_up()
        _say(
            f"{datetime.now(UTC):%Y-%m-%d}, {figures.machine()};"
            f" tiny models: {pipeline.generator.name}, {pipeline.judge.name}"
        )
        return await _measure(pipeline)


async def _measure(pipeline: Pipeline) -> int:
    """Prints resident memory as it goes; the exit code."""
    briefs = _briefs()
    resident_mb = {0: _resident_mb()}
    _say(f"after {0:>3} requests: {resident_mb[0]:.1f} MB")
    while (done := max(resident_mb)) < REQUESTS:
        for _ in range(0, WARM_AFTER, pipeline.requests_in_flight):
            together = [next(briefs) for _ in range(pipeline.requests_in_flight)]
            await asyncio.gather(*(pipeline.run(brief) for brief in together))
        resident_mb[done + WARM_AFTER] = _resident_mb()
        _say(f"after {done + WARM_AFTER:>3} requests: {resident_mb[done + WARM_AFTER]:.1f} MB")
    growth = resident_mb[REQUESTS] / resident_mb[WARM_AFTER] - 1
    kept_kb = (resident_mb[REQUESTS] - resident_mb[WARM_AFTER]) * 1000 / (REQUESTS - WARM_AFTER)
    flat = growth <= MAX_GROWTH
    _say(
        f"{'PASS' if flat else 'FAIL'}: {growth:+.1%} from request {WARM_AFTER} to {REQUESTS},"
        f" at most {MAX_GROWTH:+.0%} is allowed; {kept_kb:+.1f} kB a request,"
        f" of which each picture alone has {tiny_diffusion.SIDE_PX**2 * 3 / 1000:.0f}"
    )
    return 0 if flat else 1


def _briefs() -> Iterator[Brief]:
    """Endless requests, no two alike."""
    things = ("кофе", "кроссовки", "букет роз", "ноутбук", "пицца", "маяк", "велосипед")
    places = ("на столе", "у моря", "в лесу", "на крыше", "в студии")
    for number, aspect in enumerate(cycle(Aspect)):
        words = f"{things[number % 7]} {places[number % 5]}, вариант {number}"
        yield Brief(raw_prompt=words, cleaned_prompt=words, seed=number, aspect=aspect, count=2)


def _build(models_dir: Path) -> None:
    quiet()
    tiny_diffusion.save(models.STABLE_DIFFUSION.path(models_dir))
    tiny_clip.save_heads(tiny_clip.save(models.clip_model(_JUDGE).path(models_dir)))


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "auto")))
