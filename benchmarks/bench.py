"""`make bench`: the product's times on this machine, in one run, beside their baselines.

The models' parts load gigabytes and take minutes: they run when they are named.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from benchmarks import diffusion, figures, judge, product, tap_to_album, wake, webhook

_PARTS = {"tap": tap_to_album.measure, "wake": wake.measure, "webhook": webhook.measure}
_MODELS = {"judge": judge.measure, "diffusion": diffusion.measure}


def main(names: list[str]) -> None:
    if unknown := set(names) - _PARTS.keys() - _MODELS.keys():
        sys.exit(f"{', '.join(unknown)}: unknown, one of {', '.join((*_PARTS, *_MODELS))}")
    machine = f"{datetime.now(UTC):%Y-%m-%d}, {figures.machine()}"
    for name in names:
        if name in _MODELS:
            _say(f"{machine}; random weights: speed only")
            for line in _MODELS[name]():
                _say(line)
    if parts := [name for name in names or _PARTS if name in _PARTS]:
        _say(f"{machine}; mock generator, pixels judge")
        asyncio.run(_product(parts))


async def _product(parts: list[str]) -> None:
    async with product.running() as running:
        for name in parts:
            for line in await _PARTS[name](running):
                _say(line)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
