"""What of the models is there, on the disk and with the Ollama server, and whether it is whole."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import BackendUnavailable, PipelineError
from pipeline.models import HeadFile, HubModel, Model, OllamaModel

MANIFEST = "vitrina.json"
"""What a finished pull writes into a hub model's folder: commit, sizes, SHA-256 of each file."""


@dataclass(frozen=True, slots=True)
class Status:
    """What of a model is on the disk. `state`: `ready`, `unfinished`, `missing` or `broken`."""

    model: Model
    state: str
    size_bytes: int
    detail: str = ""


def status(model: Model, models_dir: Path) -> Status:
    """By names and sizes alone; `verify` reads the files."""
    if isinstance(model, OllamaModel):
        return _served(model)
    path = model.path(models_dir)
    if isinstance(model, HeadFile):
        if not path.is_file():
            return Status(model, "missing", 0)
        size = path.stat().st_size
        fits = size == model.size_bytes
        return Status(model, "ready" if fits else "broken", size, "" if fits else "wrong size")
    if not path.is_dir():
        return Status(model, "missing", 0)
    size = sum(file.stat().st_size for file in _files(path))
    manifest = _manifest(path)
    if manifest is None:
        return Status(model, "unfinished", size, "pulled in part, or put here by hand")
    for name, (size_bytes, _) in manifest.items():
        file = path / name
        if not file.is_file() or file.stat().st_size != size_bytes:
            return Status(model, "broken", size, f"{name} is missing or has a wrong size")
    return Status(model, "ready", size)


def _served(model: OllamaModel) -> Status:
    from pipeline.enhance.ollama.server import OllamaServer

    try:
        server = OllamaServer(model.settings)
        sizes = asyncio.run(server.models())
    except PipelineError as error:
        return Status(model, "missing", 0, str(error))
    name = model.name if ":" in model.name else f"{model.name}:latest"
    if name not in sizes:
        return Status(model, "missing", 0, server.missing())
    return Status(model, "ready", sizes[name], f"at {server.host}")


def verify(model: Model, models_dir: Path) -> Status:
    """Like `status`, and every byte checked against the recorded SHA-256.

    Ollama's own files are not reachable from here: it checks them as it fetches them.
    """
    found = status(model, models_dir)
    if found.state != "ready" or isinstance(model, OllamaModel):
        return found
    path = model.path(models_dir)
    for file, sha256 in _checksums(model, path):
        if (actual := file_sha256(file)) != sha256:
            return Status(
                model, "broken", found.size_bytes, f"{file.name}: sha256 {actual}, not {sha256}"
            )
    return found


def write_manifest(folder: Path, commit: str, names: list[str]) -> None:
    """Record what a finished pull fetched."""
    files = {
        name: {"size_bytes": (folder / name).stat().st_size, "sha256": file_sha256(folder / name)}
        for name in sorted(names)
    }
    text = json.dumps({"commit": commit, "files": files}, indent=2)
    # A half-written one would stand for a broken model.
    part = folder / f"{MANIFEST}.part"
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(folder / MANIFEST)


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded(folder: Path) -> Mapping[str, str]:
    """SHA-256 by file name, as the pull of a hub model wrote them down; empty without a manifest.

    Raises BackendUnavailable for a manifest that can't be read.
    """
    return {name: sha256 for name, (_, sha256) in (_manifest(folder) or {}).items()}


def checked(folder: Path, name: str, backend: str) -> str:
    """SHA-256 of a file of a model, by its name in the folder.

    Raises BackendUnavailable, said of `backend`, for a file that can't be read or isn't what the
    pull fetched.
    """
    file = folder / name
    try:
        digest = file_sha256(file)
    except OSError as error:
        raise BackendUnavailable(backend, f"{file} can't be loaded: {error}") from error
    wanted = recorded(folder).get(name, digest)
    if wanted != digest:
        raise BackendUnavailable(
            backend, f"{file}: sha256 {digest}, not {wanted}: vitrina models pull"
        )
    return digest


def _checksums(model: HubModel | HeadFile, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(model, HeadFile):
        yield path, model.sha256
        return
    for name, (_, sha256) in (_manifest(path) or {}).items():
        yield path / name, sha256


def _manifest(folder: Path) -> dict[str, tuple[int, str]] | None:
    """Size and SHA-256 by file name. Raises BackendUnavailable for one that can't be read."""
    file = folder / MANIFEST
    if not file.is_file():
        return None
    try:
        files = json.loads(file.read_text(encoding="utf-8"))["files"]
        return {name: (int(f["size_bytes"]), str(f["sha256"])) for name, f in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackendUnavailable("models", f"{file} is broken: pull the model again") from error


def _files(path: Path) -> Iterator[Path]:
    """The model's own files, without the downloader's `.cache`."""
    for file in path.rglob("*"):
        if file.is_file() and ".cache" not in file.relative_to(path).parts:
            yield file
