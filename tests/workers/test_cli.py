"""The worker commands as processes: wrong settings end them for good, SIGTERM cleanly."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.sim import Sim
from workers.courier import Courier
from workers.supervisor import CONFIG_ERROR

PROGRAM = Path(__file__).resolve().parents[2] / "vitrina.py"


async def start(kind: str, **env: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM), "worker", kind),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **env},
    )


@pytest.fixture
def env(database_url: str, redis_url: str, image_dir: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "IMAGES_URL": str(image_dir),
        "BOT_TOKEN": "42:token",
        "BOT_API_URL": "http://127.0.0.1:9",
    }


@pytest.mark.parametrize(
    ("kind", "wrong", "says"),
    [
        ("gpu", {"PIPELINE_GENERATOR": "crayons"}, "crayons"),
        ("io", {"BOT_TOKEN": "junk"}, "BOT_TOKEN"),
        ("io", {"WORKER_LEASE_S": "-1"}, "LEASE_S"),
    ],
)
async def test_a_wrong_setting_ends_the_worker_for_good(
    env: dict[str, str], kind: str, wrong: dict[str, str], says: str
) -> None:
    await ends_for_good(await start(kind, **{**env, **wrong}), says)


async def test_a_token_that_telegram_refuses_ends_the_io_worker_for_good(
    env: dict[str, str], courier: Courier, sim: Sim
) -> None:
    """Sending with it would have made every waiting album undeliverable."""
    rotated = {"BOT_TOKEN": f"{courier.bot.id}:old", "BOT_API_URL": sim.url}
    await ends_for_good(await start("io", **{**env, **rotated}), "Telegram refuses BOT_TOKEN")


async def ends_for_good(worker: asyncio.subprocess.Process, says: str) -> None:
    out, _ = await asyncio.wait_for(worker.communicate(), 60)
    (line,) = out.decode().splitlines()
    assert line.startswith("Error: ")
    assert says in line
    assert worker.returncode == CONFIG_ERROR


@pytest.mark.parametrize(("kind", "says"), [("gpu", b"worker is up"), ("io", b"Telegram is away")])
async def test_sigterm_ends_a_worker_cleanly(env: dict[str, str], kind: str, says: bytes) -> None:
    worker = await start(kind, **env)
    assert worker.stdout is not None
    assert says in await asyncio.wait_for(worker.stdout.readline(), 60)
    worker.send_signal(signal.SIGTERM)
    rest, _ = await asyncio.wait_for(worker.communicate(), 10)
    assert b"Traceback" not in rest
    assert worker.returncode == 0
