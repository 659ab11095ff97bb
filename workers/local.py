"""The whole product on one machine, under one supervisor: what `vitrina demo` and `run` do.

LocalError
└── AlreadyRunning   another one holds the same state folder
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import socket
import sys
import urllib.request
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from workers.supervisor import Child, Supervisor, Write

T = TypeVar("T")


class LocalError(Exception):
    """The product can't start here; the message says why in one line."""


class AlreadyRunning(LocalError):
    """`holder` is what the one that runs says of itself."""

    def __init__(self, state_dir: Path, holder: str) -> None:
        super().__init__(
            f"already running in {state_dir} ({holder}): stop it, or choose another --state-dir"
        )
        self.holder = holder


Prepare = Callable[[], tuple[str, Child | None]]
"""A server's URL, and how to keep it running unless it runs already.

It may take seconds (a first start makes the data folder) and is called in a thread.
"""


@dataclass(frozen=True, slots=True)
class Backing:
    """A server the product stands on, and the variable its URL goes by."""

    url_variable: str
    prepare: Prepare


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. `program` is the command line of `vitrina` itself.

    `playground_port` is None on real Telegram. `migrate` brings the database at a URL up to date.
    """

    program: tuple[str, ...]
    state_dir: Path
    database: Backing
    redis: Backing
    migrate: Callable[[str], None]
    playground_port: int | None = None
    on_open: Callable[[str], None] = lambda url: None


_HOST = "127.0.0.1"
# The playground makes a bot of every well-formed token; this one is nobody's on Telegram.
_PLAYGROUND_TOKEN = "1000001:playground"
# Every way to pay is on, with a receipt: no money moves there.
_PLAYGROUND_PAYMENTS = {
    "PAYMENTS_STARS_RATE_KOPECKS": "150",
    "PAYMENTS_PROVIDER_TOKEN": "playground:provider",
    "PAYMENTS_TAX_SYSTEM_CODE": "2",
    "PAYMENTS_VAT_CODE": "1",
}


async def run(plan: Plan, write: Write) -> None:
    """Runs it all until a signal. Raises LocalError, ChildError or what `prepare` raises."""
    supervisor = Supervisor(write)
    with hold(plan.state_dir, f"pid {os.getpid()}{_at(plan)}"):
        if plan.playground_port is not None:
            check_port_is_free(plan.playground_port)
        await supervisor.run(lambda: _bring_up(plan, supervisor, write))


async def _bring_up(plan: Plan, supervisor: Supervisor, write: Write) -> None:
    """The playground needs neither server nor tables, so it starts beside them.

    Bot and workers come after it, not beside it: a person waits for the page first.
    """
    env = {"IMAGES_URL": str(plan.state_dir.resolve() / "images")}
    if plan.playground_port is None:
        env |= await _prepare(plan, supervisor)
        write("vitrina", "running on Telegram; Ctrl-C stops everything")
    else:
        url = _url(plan.playground_port)
        for found in await _together(
            _prepare(plan, supervisor), _start_playground(plan, url, supervisor, write)
        ):
            env |= found
    commands = (("bot",), ("worker", "gpu"), ("worker", "io"))
    await supervisor.start(*(_command(plan, env, *words) for words in commands))


async def _prepare(plan: Plan, supervisor: Supervisor) -> dict[str, str]:
    """Brings up the servers and the tables; their URLs by variable."""
    urls = dict(
        await _together(
            _start_backing(plan.database, supervisor), _start_backing(plan.redis, supervisor)
        )
    )
    await asyncio.to_thread(plan.migrate, urls[plan.database.url_variable])
    return urls


async def _start_playground(
    plan: Plan, url: str, supervisor: Supervisor, write: Write
) -> dict[str, str]:
    """What the bot must know to find it."""
    env = {
        "PLAYGROUND_PORT": str(plan.playground_port),
        "PLAYGROUND_STATE_DIR": str(plan.state_dir.resolve() / "playground"),
    }
    await supervisor.start(_command(plan, env, "playground", ready=lambda: _answers(url)))
    write("vitrina", f"open {url} and write to the bot; Ctrl-C stops everything")
    await asyncio.to_thread(plan.on_open, url)
    return {"BOT_TOKEN": _PLAYGROUND_TOKEN, "BOT_API_URL": url, **_PLAYGROUND_PAYMENTS}


async def _start_backing(backing: Backing, supervisor: Supervisor) -> tuple[str, str]:
    url, child = await asyncio.to_thread(backing.prepare)
    if child is not None:
        await supervisor.start(child)
    return backing.url_variable, url


async def _together(*steps: Coroutine[None, None, T]) -> list[T]:
    """All of them at once; when one fails, the others have ended before its error is raised.

    Not a TaskGroup, whose exception groups no caller could put into one line.
    """
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _command(
    plan: Plan, env: Mapping[str, str], *words: str, ready: Callable[[], bool] | None = None
) -> Child:
    return Child("-".join(words), (*plan.program, *words), env, ready)


@contextlib.contextmanager
def hold(state_dir: Path, holder: str) -> Iterator[None]:
    """Locks the folder for this process. Raises AlreadyRunning, or LocalError if it can't write."""
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        lock = (state_dir / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise LocalError(f"can't write to {state_dir}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise AlreadyRunning(state_dir, lock.read().strip()) from error
        lock.truncate(0)
        lock.write(holder)
        lock.flush()
        yield


def check_port_is_free(port: int) -> None:
    """Raises LocalError when something listens there, or when we may not."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise LocalError(f"port {port} is busy: choose another with --port") from error
            raise LocalError(f"can't use port {port}: {error.strerror}") from error


def has_screen() -> bool:
    """Whether a browser window could be seen here."""
    return sys.platform == "darwin" or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/sim/chats", timeout=2):
            return True
    except OSError:
        return False


def _url(port: int) -> str:
    return f"http://{_HOST}:{port}"


def _at(plan: Plan) -> str:
    return "" if plan.playground_port is None else f", {_url(plan.playground_port)}"
