"""`vitrina demo` as a person starts it: real processes, a folder of its own, a free port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil

from tests.sim import Sim

PROGRAM = Path(__file__).resolve().parents[2] / "vitrina.py"

# Small pictures; and a sweep that notices a death within seconds, so that tests don't wait for it.
QUICK = {
    "PIPELINE_PICTURE_AREA_PX": str(256 * 256),
    "WORKER_LEASE_S": "6",
    "WORKER_HEARTBEAT_S": "1",
    "WORKER_SWEEP_EVERY_S": "1",
    "WORKER_POLL_EVERY_S": "1",
    "BOT_REQUEST_TIMEOUT_S": "5",
}
_PART_OF = {
    "bot": "vitrina.py bot",
    "worker-gpu": "vitrina.py worker gpu",
    "worker-io": "vitrina.py worker io",
    "playground": "vitrina.py playground",
    "redis": "redis-server",
    "postgres": "bin/postgres",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Demo:
    """A running demo; `sim` talks to its playground."""

    process: asyncio.subprocess.Process
    state_dir: Path
    sim: Sim
    lines: list[str] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def line(self, part: str, *, after: int = 0, within_s: float = 60.0) -> int:
        """Waits for a line of the log; returns its number, to look for later ones `after` it."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for number, line in enumerate(self.lines[after:], start=after + 1):
                        if part in line:
                            return number
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"no {part!r} in:\n" + "\n".join(self.lines)) from None

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().rstrip())
            self._more.set()

    def part(self, name: str) -> psutil.Process:
        """The process of a part, e.g. `worker-gpu`."""
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if _PART_OF[name] in " ".join(child.cmdline()):
                    return child
        raise AssertionError(f"{name} does not run")

    def everything(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    async def stop(self) -> int:
        """Ctrl-C; the exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        return await asyncio.wait_for(self.process.wait(), 30)


@contextlib.asynccontextmanager
async def running(state_dir: Path) -> AsyncIterator[Demo]:
    """A demo that is up, bot and workers included; stopped at the end."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM), "demo", "--no-browser"),
        *("--port", str(port), "--state-dir", str(state_dir)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **QUICK},
    )
    async with aiohttp.ClientSession() as http:
        demo = Demo(process, state_dir, Sim(f"http://127.0.0.1:{port}", http))
        reading = asyncio.create_task(demo.read())
        try:
            for sign in ("bot is up", "gpu worker is up", "io worker is up"):
                await demo.line(sign)
            yield demo
            await demo.stop()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await reading
