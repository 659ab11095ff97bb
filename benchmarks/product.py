"""The whole product in processes of its own, as `make demo` starts it, for a benchmark to drive."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from playground import embedded
from tests.sim import Sim

_NO_THROTTLE = {"BOT_THROTTLE_BURST": "100000", "BOT_THROTTLE_PER_S": "100000"}


@dataclass(frozen=True, slots=True)
class Product:
    """Where its parts are reached."""

    sim: Sim
    database_url: str
    redis_url: str

    async def newcomer(self, user_id: int) -> int:
        """A person who never wrote before, for a chat with no pace to keep yet; their chat's id."""
        person = {"id": user_id, "first_name": f"P{user_id}", "language_code": "ru"}
        chat = await self.sim.post("chats", type="private", members=[person])
        return int(chat["id"])


@asynccontextmanager
async def running(env: Mapping[str, str] | None = None) -> AsyncIterator[Product]:
    """`vitrina demo` in a folder of its own; ready once the bot answers `/start`."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        port = free_port()
        argv = ("-m", "vitrina", "demo", "--no-browser", "--port", str(port), "--state-dir", folder)
        with (Path(folder) / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *argv,
                stdout=log,
                stderr=log,
                env={**os.environ, **_NO_THROTTLE, **(env or {})},
            )
        try:
            async with aiohttp.ClientSession() as http:
                sim = Sim(f"http://127.0.0.1:{port}", http)
                await _until_up(sim, process, Path(folder) / "log")
                yield Product(
                    sim,
                    embedded.postgres(Path(folder)).url,
                    embedded.redis(Path(folder)).url,
                )
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _until_up(sim: Sim, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(120):
        while process.returncode is None:
            try:
                await sim.get("chats")
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
        else:
            raise RuntimeError(
                f"the product did not start:\n{await asyncio.to_thread(log.read_text)}"
            )
    talk = sim.talk(1001)
    talk.patience_s = 60
    await talk.send("/start")
    await talk.text("")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
