"""How the one-machine product comes up and refuses to, with stand-ins for its programs."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from workers import local
from workers.supervisor import Child, ChildError

PROGRAM = """
import http.server, os, sys, time
print(*sys.argv[1:], os.environ.get("DATABASE_URL"), os.environ.get("BOT_API_URL"), flush=True)
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
if sys.argv[1] == "playground":
    http.server.HTTPServer(("127.0.0.1", int(os.environ["PLAYGROUND_PORT"])), Page).serve_forever()
time.sleep(600)
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def plan(tmp_path: Path, port: int) -> local.Plan:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    return local.Plan(
        program=(sys.executable, str(program)),
        state_dir=tmp_path / "state",
        database=local.Backing("DATABASE_URL", lambda: ("database", None)),
        redis=local.Backing("REDIS_URL", lambda: ("redis", None)),
        migrate=lambda url: None,
        playground_port=port,
    )


async def run_until_written(plan: local.Plan, *names: str) -> list[tuple[str, str]]:
    """What a run logs until each of these has written; then it is stopped.

    Not by a signal: the run shares its process with the tests.
    """
    lines: list[tuple[str, str]] = []
    written = asyncio.Event()

    def log(name: str, line: str) -> None:
        lines.append((name, line))
        if {*names} <= {name for name, _ in lines}:
            written.set()

    running = asyncio.create_task(local.run(plan, log))
    waiting = asyncio.create_task(written.wait())
    await asyncio.wait((running, waiting), timeout=30, return_when=asyncio.FIRST_COMPLETED)
    for task in (running, waiting):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert written.is_set(), lines
    return lines


async def test_the_address_is_told_and_every_part_runs_with_its_settings(plan: local.Plan) -> None:
    opened: list[str] = []
    url = f"http://127.0.0.1:{plan.playground_port}"
    lines = await run_until_written(
        replace(plan, on_open=opened.append), "bot", "worker-gpu", "worker-io", "vitrina"
    )
    assert ("bot", f"bot database {url}") in lines
    assert ("worker-gpu", f"worker gpu database {url}") in lines
    assert ("vitrina", f"open {url} and write to the bot; Ctrl-C stops everything") in lines
    assert opened == [url]


async def test_without_a_playground_nothing_points_away_from_telegram(plan: local.Plan) -> None:
    lines = await run_until_written(replace(plan, playground_port=None), "bot", "vitrina")
    assert ("bot", "bot database None") in lines
    assert "playground" not in {name for name, _ in lines}


async def test_the_bot_starts_only_after_the_migration(plan: local.Plan) -> None:
    def refuse(url: str) -> None:
        raise local.LocalError(f"no tables in {url}")

    names: list[str] = []
    with pytest.raises(local.LocalError, match="no tables in database"):
        await asyncio.wait_for(
            local.run(replace(plan, migrate=refuse), lambda name, line: names.append(name)), 30
        )
    assert "bot" not in names


async def test_a_server_that_cannot_start_is_one_error(plan: local.Plan) -> None:
    broken = Child("redis", (sys.executable, "-c", "exit('no libgomp')"), ready=lambda: False)
    plan = replace(plan, redis=local.Backing("REDIS_URL", lambda: ("redis", broken)))
    with pytest.raises(ChildError, match="redis can't run: no libgomp"):
        await asyncio.wait_for(local.run(plan, lambda name, line: None), 30)


async def test_a_second_one_in_the_same_folder_names_the_first(plan: local.Plan) -> None:
    with (
        local.hold(plan.state_dir, "pid 42, http://127.0.0.1:8081"),
        pytest.raises(local.AlreadyRunning, match=r"pid 42, http://127\.0\.0\.1:8081"),
    ):
        await local.run(plan, lambda name, line: None)


def test_a_folder_is_free_again_after_its_holder(tmp_path: Path) -> None:
    for holder in ("first", "second"):
        with local.hold(tmp_path, holder):
            assert (tmp_path / "lock").read_text() == holder


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(local.LocalError, match=r"can't write to .*file/state: Not a directory"),
        local.hold(tmp_path / "file" / "state", ""),
    ):
        pass


async def test_a_busy_port_is_one_line_and_starts_nothing(plan: local.Plan) -> None:
    with socket.create_server(("127.0.0.1", plan.playground_port or 0)):
        lines: list[str] = []
        with pytest.raises(local.LocalError, match=f"port {plan.playground_port} is busy"):
            await local.run(plan, lambda name, line: lines.append(line))
        assert not lines


async def test_failing_together_leaves_no_step_running(plan: local.Plan) -> None:
    """The database fails while the playground still starts: the playground must go, too."""

    def fail() -> tuple[str, Child | None]:
        raise local.LocalError("no disk")

    plan = replace(plan, database=local.Backing("DATABASE_URL", fail))
    with pytest.raises(local.LocalError, match="no disk"):
        await asyncio.wait_for(local.run(plan, lambda name, line: None), 30)
    local.check_port_is_free(plan.playground_port or 0)
