"""Keeps a playground's state in one SQLite file, so that it survives a restart and a kill -9.

Records are written whole, as JSON, in one table. Writes are gathered and go to disk in one
transaction per call (`flush`), before the call is answered: what was answered is on disk.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar, cast

from pydantic import TypeAdapter

from playground.errors import StateUnusable

R = TypeVar("R")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    world INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (world, kind, key)
) WITHOUT ROWID
"""


_ADAPTERS: dict[type[object], TypeAdapter[object]] = {}


def _adapter(record_type: type[object]) -> TypeAdapter[object]:
    """Building an adapter takes milliseconds, so each type gets one."""
    if record_type not in _ADAPTERS:
        _ADAPTERS[record_type] = TypeAdapter(record_type)
    return _ADAPTERS[record_type]


def _open(path: Path) -> sqlite3.Connection:
    """A database for this process alone. Raises StateUnusable."""
    database = sqlite3.connect(path, isolation_level=None, timeout=1.0)
    try:
        # Two playgrounds on one folder would each overwrite what the other remembers.
        database.execute("PRAGMA locking_mode=EXCLUSIVE")
        # NORMAL with WAL loses nothing when the process is killed, only when power goes.
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute(_SCHEMA)
    except sqlite3.OperationalError as error:
        database.close()
        raise StateUnusable(path.parent, str(error)) from error
    return database


class Store:
    """Records by (world, kind, key), and files' bytes by name. Without a folder: memory only."""

    def __init__(self, state_dir: Path | None) -> None:
        self._pending: dict[tuple[int, str, str], object | None] = {}
        self._blobs: dict[str, bytes] = {}
        self._files_dir: Path | None = None
        self._database: sqlite3.Connection | None = None
        if state_dir is not None:
            self._files_dir = state_dir / "files"
            try:
                self._files_dir.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StateUnusable(state_dir, error.strerror or str(error)) from error
            self._database = _open(state_dir / "playground.sqlite")

    def save(self, world: int, kind: str, key: str, record: object) -> None:
        """Remember `record` for the next flush (it is read only then)."""
        if self._database is not None:
            self._pending[world, kind, key] = record

    def delete(self, world: int, kind: str, key: str) -> None:
        """Forget a record at the next flush."""
        if self._database is not None:
            self._pending[world, kind, key] = None

    def flush(self) -> None:
        """Write everything that waits, in one transaction."""
        if self._database is None or not self._pending:
            return
        pending, self._pending = self._pending, {}
        self._database.execute("BEGIN")
        for (world, kind, key), record in pending.items():
            if record is None:
                self._database.execute(
                    "DELETE FROM records WHERE world = ? AND kind = ? AND key = ?",
                    (world, kind, key),
                )
            else:
                body = _adapter(type(record)).dump_json(record)
                self._database.execute(
                    "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)", (world, kind, key, body)
                )
        self._database.execute("COMMIT")

    def worlds(self) -> list[int]:
        """Numbers of the worlds on disk, in the order they were made."""
        if self._database is None:
            return []
        rows = self._database.execute("SELECT DISTINCT world FROM records ORDER BY world")
        return [int(row[0]) for row in rows]

    def load(self, world: int, kind: str, record_type: type[R]) -> Iterator[R]:
        """Every record of a kind, as `record_type`."""
        if self._database is None:
            return
        rows = self._database.execute(
            "SELECT body FROM records WHERE world = ? AND kind = ?", (world, kind)
        )
        for (body,) in rows:
            yield cast(R, _adapter(record_type).validate_json(body))

    def write_blob(self, name: str, content: bytes) -> None:
        """Keep a file's bytes; at once, since no transaction covers files."""
        if self._files_dir is None:
            self._blobs[name] = content
        else:
            (self._files_dir / name).write_bytes(content)

    def read_blob(self, name: str) -> bytes:
        """A file's bytes. Raises FileNotFoundError where they are gone."""
        if self._files_dir is None:
            if name not in self._blobs:
                raise FileNotFoundError(name)
            return self._blobs[name]
        return (self._files_dir / name).read_bytes()

    def close(self) -> None:
        """Flush and let go of the file."""
        self.flush()
        if self._database is not None:
            self._database.close()
