"""`vitrina demo`: comes up, stops, leaves nothing, finds its data again, refuses in one line."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.demo import PROGRAM, free_port, running
from tests.sim import ANNA, label

pytestmark = pytest.mark.faults


async def gone(processes: list[psutil.Process]) -> None:
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, 20)
    assert alive == []


async def test_it_stops_cleanly_and_picks_up_its_data(tmp_path: Path) -> None:
    async with running(tmp_path / "state") as demo:
        anna = demo.sim.talk(ANNA)
        await anna.send("/gen реклама кофейни осенью")
        await anna.text("✅")
        processes = demo.everything()
        assert len(processes) >= 6
        assert await demo.stop() == 0
        await gone(processes)
        assert not [line for line in demo.lines if "Traceback" in line or "rror" in line]
    async with running(tmp_path / "state") as demo:
        anna = demo.sim.talk(ANNA)
        assert len(await anna.albums()) == 1
        await anna.send("/history")
        history = await anna.wait_for(lambda one: label(one, "1") is not None and not png(one))
        await anna.press("1", on=history)
        await anna.press("🖼")
        await anna.wait_for(
            lambda one: "photo" in one and one["message_id"] > history["message_id"]
        )
        (sent,) = await demo.sim.calls("sendMediaGroup")
        assert "attach://" not in str(sent["arguments"])


def png(message: dict[str, object]) -> bool:
    return label(message, "PNG") is not None


async def test_a_killed_supervisor_takes_everything_with_it(tmp_path: Path) -> None:
    async with running(tmp_path / "state") as demo:
        processes = demo.everything()
        demo.process.kill()
        await gone(processes)


def refused(*arguments: str, **env: str) -> str:
    """What a command says that can't start: one line, exit code 1, nothing left running."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    done = subprocess.run(
        (sys.executable, str(PROGRAM), *arguments),
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert "Traceback" not in done.stdout + done.stderr
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
    return line


def test_a_busy_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        line = refused("demo", "--port", str(port), "--state-dir", str(tmp_path))
    assert line == f"Error: port {port} is busy: choose another with --port"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = refused("demo", "--port", str(free_port()), "--state-dir", str(tmp_path / "file" / "x"))
    assert line.startswith("Error: can't write to ")


def test_run_without_a_token_is_one_line(tmp_path: Path) -> None:
    line = refused("run", "--state-dir", str(tmp_path), BOT_TOKEN="")
    assert line.startswith("Error: BOT_TOKEN is not set")


def test_run_with_a_database_that_is_away_is_one_line(tmp_path: Path) -> None:
    away = {"DATABASE_URL": "postgresql://x@127.0.0.1:9/x", "REDIS_URL": "redis://127.0.0.1:9"}
    line = refused("run", "--state-dir", str(tmp_path), BOT_TOKEN="1:token", **away)
    assert line.startswith("Error: can't use the database: ")


def test_a_folder_with_something_else_in_it_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "junk").touch()
    line = refused("demo", "--port", str(free_port()), "--state-dir", str(tmp_path))
    assert "holds no Postgres data" in line
