"""Keeps a set of processes alive on one machine and shows their output as one log.

Children run in sessions of their own, so a Ctrl-C reaches only the supervisor, which stops them
in reverse order of their start. What dies is started again after a pause that doubles. On Linux
the kernel ends the children of a supervisor that was killed.

ChildError   a child never came up, or says that its configuration can't work
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import re
import shutil
import signal
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

CONFIG_ERROR = 2
"""The exit code of a child that was asked wrongly: starting it again would not help."""

_READY_POLL_S = 0.05
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 15.0
_MOST_DOUBLINGS = 20
_STEADY_AFTER_S = 30.0  # a child that lived so long starts with the shortest pause again
_START_TRIES = 3  # a server that was killed may need one or two until its leftovers are gone
_CRASH_LOOP = 5

Write = Callable[[str, str], None]
"""Takes a child's name and one line of its output, without the newline."""


class ChildError(Exception):
    """`name` can't run; `last_line` is the last thing it said, if anything."""

    def __init__(self, name: str, code: int, last_line: str) -> None:
        reason = last_line.removeprefix("Error: ") or describe_exit(code)
        super().__init__(f"{name} can't run: {reason}")
        self.name = name
        self.code = code
        self.last_line = last_line


@dataclass(frozen=True, slots=True)
class Child:
    """A command to keep running in the foreground until `stop_signal`.

    `ready` is asked, in a thread, until it is true; without it a started child is ready.
    `orphan_signal` is what it gets when the supervisor itself is killed. `grace_s` passes
    between `stop_signal` and SIGKILL. Lines in which `chatter` is found are not shown.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    grace_s: float = 10.0
    chatter: re.Pattern[str] | None = None


class Supervisor:
    """Children in waves: each `start` call is one, and `stop` goes through them backwards.

    Made inside the running event loop, in the main thread: signals and the kernel's leash on
    the children hang on it.
    """

    def __init__(self, write: Write, *, first_pause_s: float = _FIRST_PAUSE_S) -> None:
        self._write = write
        self._first_pause_s = first_pause_s
        self._waves: list[list[asyncio.Task[None]]] = []
        self._alive: dict[int, str] = {}
        self._hurry = False
        # Done by a signal, or with the error that ends it all.
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, bring_up: Callable[[], Awaitable[None]]) -> None:
        """Awaits `bring_up`, which calls `start`, then keeps things alive until a signal.

        SIGINT, SIGTERM and SIGHUP stop everything in order, a second one at once. Raises what
        `bring_up` raised, or ChildError; nothing is left running in any case.
        """
        with self._signals():
            starting = asyncio.ensure_future(bring_up())
            try:
                await asyncio.wait((starting, self._over), return_when=asyncio.FIRST_COMPLETED)
                if not self._over.done():
                    await starting
                await self._over
            finally:
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
                await self.stop()

    async def start(self, *children: Child) -> None:
        """Starts them together; returns once all are ready. Raises ChildError."""
        readiness = [asyncio.get_running_loop().create_future() for _ in children]
        self._waves.append(
            [
                asyncio.create_task(self._keep(child, ready), name=child.name)
                for child, ready in zip(children, readiness, strict=True)
            ]
        )
        await asyncio.gather(*readiness)

    async def stop(self) -> None:
        """Stops what runs, the last wave first, and waits until all of it is gone."""
        while self._waves:
            wave = self._waves.pop()
            for keeper in wave:
                keeper.cancel()
            await asyncio.gather(*wave, return_exceptions=True)

    def kill(self) -> None:
        """Ends everything at once, without a chance to tidy up."""
        self._hurry = True
        for pid in tuple(self._alive):
            _signal_group(pid, signal.SIGKILL)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

        def on_signal() -> None:
            if self._over.done():
                self.kill()
            else:
                self._over.set_result(None)

        for name in names:
            loop.add_signal_handler(name, on_signal)
        try:
            yield
        finally:
            for name in names:
                loop.remove_signal_handler(name)

    async def _keep(self, child: Child, ready: asyncio.Future[None]) -> None:
        crashes = 0
        while True:
            started_at = time.monotonic()
            code, last_line = await self._run_once(child, ready)
            crashes = 1 if time.monotonic() - started_at > _STEADY_AFTER_S else crashes + 1
            if code == CONFIG_ERROR or (not ready.done() and crashes >= _START_TRIES):
                self._give_up(ChildError(child.name, code, last_line), ready)
                return
            pause_s = pause_after_s(crashes, self._first_pause_s)
            again = f", {crashes} times in a row" if crashes >= _CRASH_LOOP else ""
            self._write(
                child.name, f"{describe_exit(code)}{again}; starting again in {pause_s:g} s"
            )
            await asyncio.sleep(pause_s)

    def _give_up(self, failure: ChildError, ready: asyncio.Future[None]) -> None:
        if not ready.done():
            ready.set_exception(failure)
        elif not self._over.done():
            self._over.set_exception(failure)

    async def _run_once(self, child: Child, ready: asyncio.Future[None]) -> tuple[int, str]:
        """One life of a child: its exit code and the last line it wrote."""
        process, output = await _spawn(child)
        self._alive[process.pid] = child.name
        last_line: deque[str] = deque(maxlen=1)
        reading = asyncio.create_task(self._copy_output(child, output, last_line))
        asking = asyncio.create_task(_report_ready(child, ready))
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await self._end(child, process)
            raise
        finally:
            del self._alive[process.pid]
            _signal_group(process.pid, signal.SIGKILL)  # what it may have left of its own
            await asyncio.wait((reading,), timeout=1.0)
            for task in (reading, asking):
                task.cancel()
        return code, last_line[0] if last_line else ""

    async def _end(self, child: Child, process: asyncio.subprocess.Process) -> None:
        if not self._hurry:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(child.stop_signal)
        try:
            async with asyncio.timeout(0 if self._hurry else child.grace_s):
                await process.wait()
        except TimeoutError:
            if not self._hurry:
                self._write(child.name, f"still there after {child.grace_s:g} s: killed")
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()

    async def _copy_output(self, child: Child, output: BinaryIO, last_line: deque[str]) -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, output)
        rest = b""
        try:
            while chunk := await reader.read(65536):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    last_line.append(self._say(child, line))
            if rest:
                last_line.append(self._say(child, rest))
        finally:
            transport.close()

    def _say(self, child: Child, line: bytes) -> str:
        text = line.decode(errors="replace").rstrip()
        if child.chatter is None or not child.chatter.search(text):
            self._write(child.name, text)
        return text


class Console:
    """Writes the children's lines to the terminal, the name before each, a colour a child."""

    _COLOURS = (36, 33, 35, 32, 34, 31)

    def __init__(self, width: int = 10) -> None:
        self._width = width
        self._colour_of: dict[str, int] = {}
        self._in_colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def __call__(self, name: str, line: str) -> None:
        prefix = f"{name:<{self._width}} |"
        if self._in_colour:
            colour = self._colour_of.setdefault(
                name, self._COLOURS[len(self._colour_of) % len(self._COLOURS)]
            )
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        try:
            sys.stdout.write(f"{prefix} {line}\n")
            sys.stdout.flush()
        except (BrokenPipeError, ValueError):
            # Whoever read our output is gone (`| head`); the product goes on without a log.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123


def pause_after_s(crashes: int, first_s: float = _FIRST_PAUSE_S) -> float:
    """How long a child that died that many times in a row, once at least, waits to be started."""
    # Not 2**crashes as it is: after four hours of them that is beyond a float.
    return min(first_s * 2.0 ** min(crashes - 1, _MOST_DOUBLINGS), _LONGEST_PAUSE_S)


def describe_exit(code: int) -> str:
    """An exit code in words: `ended with code 1`, `killed by SIGKILL`."""
    if code >= 0:
        return f"ended with code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"


async def _spawn(child: Child) -> tuple[asyncio.subprocess.Process, BinaryIO]:
    """The process, and what it writes.

    The pipe is ours: with one of asyncio's, `wait()` would return only once every grandchild
    that inherited it has ended too.
    """
    reading_end, writing_end = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *_leash(child.orphan_signal),
            *child.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing_end,
            stderr=writing_end,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **child.env},
            start_new_session=True,
        )
    except BaseException:
        os.close(reading_end)
        raise
    finally:
        os.close(writing_end)
    return process, os.fdopen(reading_end, "rb", buffering=0)


async def _report_ready(child: Child, ready: asyncio.Future[None]) -> None:
    while not ready.done():
        if child.ready is None or await asyncio.to_thread(child.ready):
            if not ready.done():
                ready.set_result(None)
            return
        await asyncio.sleep(_READY_POLL_S)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


@functools.cache
def _setpriv() -> str | None:
    return shutil.which("setpriv") if sys.platform == "linux" else None


def _leash(orphan_signal: signal.Signals) -> tuple[str, ...]:
    """A prefix that has the kernel signal the child when we die, where the system can do that."""
    setpriv = _setpriv()
    return (setpriv, f"--pdeathsig={orphan_signal.name[3:]}", "--") if setpriv else ()
