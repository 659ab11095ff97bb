"""`vitrina playground`: a clean end, and one clear line where it can't start."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import aiohttp
import pytest
import typer
from typer.testing import CliRunner

from playground.cli import playground as command
from tests.playground.client import Playground, start


async def test_it_ends_cleanly_when_asked(state_dir: Path) -> None:
    process, base_url = await start(state_dir)
    async with aiohttp.ClientSession() as http:
        playground = Playground(base_url, http)
        assert (await playground.call("getMe"))["is_bot"] is True
        async with http.get(f"{base_url}/sim/events"):
            process.send_signal(signal.SIGTERM)
            _, said = await process.communicate()
    assert (process.returncode, said) == (0, b"")


@pytest.mark.parametrize("problem", ["port", "folder"])
def test_a_start_that_fails_says_why_in_one_line(tmp_path: Path, problem: str) -> None:
    folder = tmp_path / "state"
    if problem == "folder":
        folder.write_text("not a folder")
    app = typer.Typer()
    app.command()(command)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, [f"--port={port}", f"--state-dir={folder}"])
    lines = result.stderr.splitlines()
    assert result.exit_code == 1
    assert len(lines) == 1
    assert lines[0].startswith("playground: ")
