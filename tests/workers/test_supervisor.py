"""The supervisor over real processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from workers.supervisor import CONFIG_ERROR, Child, ChildError, Supervisor, pause_after_s

SLEEPER = "import os, time; print(f'up {os.getpid()}'); time.sleep(600)"


class Log:
    """Collects the lines and lets a test wait for one."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._changed = asyncio.Event()

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))
        self._changed.set()

    async def wait(self, found: Callable[[str, str], bool], count: int = 1) -> list[str]:
        """The first `count` lines that match, once they are there."""
        async with asyncio.timeout(20):
            while len(lines := [line for name, line in self.lines if found(name, line)]) < count:
                self._changed.clear()
                await self._changed.wait()
        return lines[:count]


@pytest.fixture
async def log() -> Log:
    return Log()


@pytest.fixture
async def house(log: Log) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(log)
    yield supervisor
    supervisor.kill()
    await supervisor.stop()


def python(name: str, code: str, **options: object) -> Child:
    return Child(name, (sys.executable, "-c", code), **options)  # type: ignore[arg-type]


def pid_in(line: str) -> int:
    return int(line.split()[-1])


async def gone(pid: int) -> None:
    """Returns once the process has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        await asyncio.to_thread(psutil.Process(pid).wait, 20)


async def test_a_killed_child_is_started_again(house: Supervisor, log: Log) -> None:
    await house.start(python("worker", SLEEPER))
    (first,) = await log.wait(lambda _, line: line.startswith("up"))
    os.kill(pid_in(first), signal.SIGKILL)
    _, second = await log.wait(lambda _, line: line.startswith("up"), count=2)
    assert pid_in(second) != pid_in(first)
    assert ("worker", "killed by SIGKILL; starting again in 0.25 s") in log.lines


async def test_pauses_double_and_a_crash_loop_is_named(log: Log) -> None:
    house = Supervisor(log, first_pause_s=0.01)
    await house.start(python("worker", "raise SystemExit(3)"))
    said = await log.wait(lambda _, line: "starting again" in line, count=5)
    await house.stop()
    pauses = [line.rsplit(" in ", 1)[1] for line in said]
    assert pauses == ["0.01 s", "0.02 s", "0.04 s", "0.08 s", "0.16 s"]
    assert said[4].startswith("ended with code 3, 5 times in a row")


def test_a_night_of_crashes_is_lived_through() -> None:
    assert [pause_after_s(crashes) for crashes in (1, 2, 7, 100_000)] == [0.25, 0.5, 15.0, 15.0]


async def test_every_line_carries_the_name_of_its_child(house: Supervisor, log: Log) -> None:
    talk = "import sys, time; print('out'); print('err', file=sys.stderr); print('cut', end='')"
    await house.start(python("one", talk), python("two", SLEEPER))
    await log.wait(lambda name, line: (name, line) == ("one", "cut"))
    await log.wait(lambda name, line: name == "two" and line.startswith("up"))
    assert ("one", "out") in log.lines
    assert ("one", "err") in log.lines


async def test_chatter_is_not_shown(house: Supervisor, log: Log) -> None:
    talk = "print('LOG:  checkpoint'); print('FATAL:  disk full')"
    await house.start(python("database", talk, chatter=re.compile("LOG:")))
    await log.wait(lambda _, line: "FATAL" in line)
    assert not [line for _, line in log.lines if "checkpoint" in line]


async def test_a_line_longer_than_any_buffer_arrives_whole(house: Supervisor, log: Log) -> None:
    await house.start(python("big", "print('x' * 300_000)"))
    (line,) = await log.wait(lambda _, line: line.startswith("x"))
    assert len(line) == 300_000


async def test_start_returns_only_when_a_child_is_ready(
    house: Supervisor, log: Log, tmp_path: Path
) -> None:
    flag = tmp_path / "ready"
    starting = asyncio.create_task(house.start(python("server", SLEEPER, ready=flag.exists)))
    await log.wait(lambda _, line: line.startswith("up"))
    assert not starting.done()
    flag.touch()
    await asyncio.wait_for(starting, 10)


async def test_a_server_that_never_comes_up_ends_the_start(house: Supervisor) -> None:
    child = python("redis", "raise SystemExit('no libgomp.so.1')", ready=lambda: False)
    with pytest.raises(ChildError, match=r"redis can't run: no libgomp\.so\.1"):
        await house.start(child)


async def test_a_configuration_error_is_not_tried_again(log: Log) -> None:
    house = Supervisor(log)
    wrong = python("bot", f"print('no token'); raise SystemExit({CONFIG_ERROR})")
    with pytest.raises(ChildError, match="bot can't run: no token"):
        await house.run(lambda: house.start(python("other", SLEEPER), wrong))
    await gone_all(log)


async def gone_all(log: Log) -> None:
    for _, line in log.lines:
        if line.startswith("up"):
            await gone(pid_in(line))


async def test_a_missing_program_fails_the_start(house: Supervisor) -> None:
    with pytest.raises(ChildError, match="server can't run"):
        await house.start(Child("server", ("/nonexistent/program",), ready=lambda: False))


async def test_waves_stop_in_reverse_order(log: Log) -> None:
    house = Supervisor(log)
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('bye'), sys.exit(0)))\n"
        "print('up'); time.sleep(600)"
    )
    for name in ("database", "playground", "bot"):
        await house.start(python(name, code))
        await log.wait(lambda who, line, name=name: (who, line) == (name, "up"))  # type: ignore[misc]
    await house.stop()
    assert [name for name, line in log.lines if line == "bye"] == ["bot", "playground", "database"]


async def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(log: Log) -> None:
    house = Supervisor(log)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEPER
    await house.start(python("deaf", deaf, grace_s=0.3))
    (line,) = await log.wait(lambda _, line: line.startswith("up"))
    await house.stop()
    await gone(pid_in(line))
    assert ("deaf", "still there after 0.3 s: killed") in log.lines


async def test_what_a_child_started_itself_goes_with_it(house: Supervisor, log: Log) -> None:
    parent = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(f'up {p.pid}'); time.sleep(600)"
    )
    await house.start(python("parent", parent))
    (line,) = await log.wait(lambda _, line: line.startswith("up"))
    await house.stop()
    await gone(pid_in(line))


SCRIPT = """
import asyncio, sys
from workers.supervisor import Child, Console, Supervisor
CODE = {code!r}
async def main():
    house = Supervisor(Console())
    await house.run(lambda: house.start(Child('c', (sys.executable, '-c', CODE), grace_s=60)))
    print('stopped cleanly', flush=True)
asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def supervising(code: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """A supervisor in a process of its own, and the pid of its child."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT.format(code=code), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield process, pid_in((await process.stdout.readline()).decode())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_stops_everything_cleanly(number: signal.Signals) -> None:
    async with supervising(SLEEPER) as (process, child):
        process.send_signal(number)
        out, _ = await process.communicate()
        assert b"stopped cleanly" in out
        assert process.returncode == 0
        await gone(child)


async def test_a_second_signal_kills_what_hesitates() -> None:
    slow = (
        "import signal, os, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('thinking'))\n"
        "print(f'up {os.getpid()}')\n"
        "while True: time.sleep(600)"
    )
    async with supervising(slow) as (process, child):
        assert process.stdout is not None
        process.send_signal(signal.SIGINT)
        while b"thinking" not in await process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.communicate(), 20)
        await gone(child)


async def test_a_killed_supervisor_leaves_no_orphan() -> None:
    async with supervising(SLEEPER) as (process, child):
        process.kill()
        await process.wait()
        await gone(child)
