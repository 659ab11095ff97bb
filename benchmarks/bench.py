"""`make bench`: the product's and the judge's times on this machine, beside their baselines.

Drawing at real size loads gigabytes and takes minutes, the timeline shows what only a GPU gains by:
both run when they are named.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from benchmarks import (
    diffusion,
    figures,
    judge,
    product,
    tap_to_album,
    timeline,
    wake,
    wallet,
    webhook,
)

_PARTS = {"tap": tap_to_album.measure, "wake": wake.measure, "webhook": webhook.measure}
_ALONE = {
    "wallet": ("transfers between wallets, embedded Postgres", wallet.measure),
    "judge": ("judge with random weights: speed only", judge.measure),
    "diffusion": ("diffusion with random weights: speed only", diffusion.measure),
    "timeline": ("six requests through a worker", timeline.measure),
}
_USUAL = (*_PARTS, "wallet", "judge")


def main(names: list[str]) -> None:
    if unknown := set(names) - _PARTS.keys() - _ALONE.keys():
        sys.exit(f"{', '.join(unknown)}: unknown, one of {', '.join((*_PARTS, *_ALONE))}")
    machine = f"{datetime.now(UTC):%Y-%m-%d}, {figures.machine()}"
    wanted = names or _USUAL
    if parts := [name for name in wanted if name in _PARTS]:
        _say(f"{machine}; mock generator, pixels judge")
        asyncio.run(_product(parts))
    for name in wanted:
        if name in _ALONE:
            what, measure = _ALONE[name]
            _say(f"{machine}; {what}")
            for line in measure():
                _say(line)
    if not names:
        _say("by name only: make bench ARGS=diffusion (minutes), make bench ARGS=timeline")


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
