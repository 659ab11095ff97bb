"""`make bench`: the product's times on this machine, in one run, beside their baselines."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from benchmarks import figures, product, tap_to_album, wake, webhook

_PARTS = {"tap": tap_to_album.measure, "wake": wake.measure, "webhook": webhook.measure}


async def main(names: list[str]) -> None:
    _say(f"{datetime.now(UTC):%Y-%m-%d}, {figures.machine()}; mock generator, pixels judge")
    async with product.running() as running:
        for name in names or _PARTS:
            for line in await _PARTS[name](running):
                _say(line)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
