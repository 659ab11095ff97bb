"""Fetching model files: from the hub and from plain HTTP, resumed where they stopped, checked.

The hub's client lists a repository (commit, sizes, checksums, access tokens); the bytes come by our
own reader, because the client drops a half-fetched file when it is stopped. A file appears under
its name only when it is whole and its checksum is right.
"""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.errors import BackendBusy, BackendUnavailable
from pipeline.model_files import file_sha256, write_manifest
from pipeline.models import (
    INDEX,
    INSTALL,
    HeadFile,
    HubModel,
    Model,
    OllamaModel,
    without_weights,
)

CHUNK_BYTES = 1024 * 1024
TIMEOUT_S = 30.0
TRIES = 5
"""In a row without a byte gained; a download that moves on may be cut as often as it likes."""

_PASSING = {408, 425, 429, 500, 502, 503, 504}

OnBytes = Callable[[str, int, int | None], None]
"""File name, bytes there, bytes in all if known; called for every chunk."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file to fetch. `checksum` is `sha256:<hex>` or `git:<hex>` (a blob's SHA-1), or None."""

    url: str
    name: str
    size_bytes: int | None = None
    checksum: str | None = None
    token: str | None = None


def pull(model: Model, models_dir: Path, on_bytes: OnBytes, *, endpoint: str | None = None) -> None:
    """Fetch what is missing of a model; what is there and right is not fetched again.

    `endpoint` is another hub (a mirror). Raises BackendUnavailable for what trying again won't mend
    (no such model, no access, wrong checksum, disk full), BackendBusy for a network that fails.
    """
    if isinstance(model, OllamaModel):
        from pipeline.enhance.ollama.server import OllamaServer

        asyncio.run(OllamaServer(model.settings).pull(on_bytes))
    elif isinstance(model, HeadFile):
        source = Source(model.url, model.name, model.size_bytes, f"sha256:{model.sha256}")
        fetch(source, model.path(models_dir), on_bytes)
    else:
        _pull_repository(model, models_dir, on_bytes, endpoint)


def fetch(source: Source, path: Path, on_bytes: OnBytes, *, pause_s: float = 1.0) -> None:
    """One file to `path`; raises like `pull`. `pause_s` is the first of growing pauses."""
    if path.is_file() and _is_right(path, source):
        on_bytes(source.name, path.stat().st_size, path.stat().st_size)
        return
    part = _part(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch_part(source, part, on_bytes, pause_s)
    except OSError as error:
        raise BackendUnavailable("models", f"{path}: {error.strerror or error}") from error
    if not _is_right(part, source):
        part.unlink()
        raise BackendUnavailable(
            "models", f"{source.name}: checksum is wrong, {source.checksum} was expected"
        )
    part.replace(path)


def _pull_repository(
    model: HubModel, models_dir: Path, on_bytes: OnBytes, endpoint: str | None
) -> None:
    folder = model.path(models_dir)
    commit, sources = _listing(model, endpoint)
    if INDEX in model.wanted:
        _check_weights(model, folder, sources, on_bytes)
    _check_space(models_dir, sum(_lacking(s, folder / s.name) for s in sources))
    for source in sources:
        fetch(source, folder / source.name, on_bytes)
    write_manifest(folder, commit, [source.name for source in sources])


def _check_weights(model: HubModel, folder: Path, sources: list[Source], on_bytes: OnBytes) -> None:
    """Before gigabytes are fetched: a part may be published as a pickle alone, or not at all."""
    by_name = {source.name: source for source in sources}
    if INDEX not in by_name:
        raise BackendUnavailable("models", f"{model.repo} has no {INDEX}: no diffusion model")
    file = folder / INDEX
    fetch(by_name[INDEX], file, on_bytes)
    try:
        lacking = without_weights(json.loads(file.read_text(encoding="utf-8")), by_name)
    except (ValueError, AttributeError) as error:
        raise BackendUnavailable("models", f"{model.repo}: broken {INDEX}") from error
    if lacking:
        raise BackendUnavailable(
            "models", f"{model.repo} has no safetensors for {', '.join(lacking)}"
        )


def _listing(model: HubModel, endpoint: str | None) -> tuple[str, list[Source]]:
    """The newest commit of the repository and the files to fetch from it."""
    try:
        from huggingface_hub import HfApi, get_token, hf_hub_url
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError
    except ImportError as error:
        raise BackendUnavailable("models", f"no huggingface_hub here: {INSTALL}") from error
    try:
        info = HfApi(endpoint=endpoint).model_info(model.repo, files_metadata=True)
    except HFValidationError as error:
        raise BackendUnavailable("models", f"{model.repo!r} is no hub model's name") from error
    except HfHubHTTPError as error:
        if error.response.status_code in _PASSING:
            raise BackendBusy("models", f"{model.repo}: {error}") from error
        raise BackendUnavailable("models", f"{model.repo}: {error}") from error
    except (HTTPError, OSError) as error:
        raise BackendBusy("models", f"the hub can't be reached: {error}") from error
    published = {file.rfilename: file for file in info.siblings or ()}
    chosen = model.chosen(published)
    if not chosen or info.sha is None:
        raise BackendUnavailable("models", f"{model.repo} has none of the files that are needed")
    if strays := [name for name in chosen if not _stays_inside(name)]:
        raise BackendUnavailable("models", f"{model.repo} has files outside its folder: {strays}")
    sources = [
        Source(
            url=hf_hub_url(model.repo, theirs, revision=info.sha, endpoint=endpoint),
            name=ours,
            size_bytes=published[theirs].size,
            checksum=f"sha256:{lfs.sha256}"
            if (lfs := published[theirs].lfs)
            else _git(published[theirs].blob_id),
            token=get_token(),
        )
        for ours, theirs in chosen.items()
    ]
    return info.sha, sources


def _stays_inside(name: str) -> bool:
    """Whether a repository's file name leads to a place in the model's folder."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _git(blob_id: str | None) -> str | None:
    return f"git:{blob_id}" if blob_id else None


def _fetch_part(source: Source, part: Path, on_bytes: OnBytes, pause_s: float) -> None:
    failures = 0
    while True:
        before = _size(part)
        try:
            _read(source, part, on_bytes)
            return
        except urllib.error.HTTPError as error:
            error.close()  # It holds the connection.
            if error.code not in _PASSING:
                raise BackendUnavailable("models", f"{source.url}: {error}") from error
            fault: Exception = error
        except (
            urllib.error.URLError,
            http.client.HTTPException,
            ConnectionError,
            TimeoutError,
        ) as error:
            fault = error
        failures = 0 if _size(part) > before else failures + 1
        if failures == TRIES:
            raise BackendBusy("models", f"{source.url}: {fault}", 60.0) from fault
        time.sleep(pause_s * 2**failures)


def _read(source: Source, part: Path, on_bytes: OnBytes) -> None:
    """Read on from where `part` ends."""
    there = _size(part)
    if source.size_bytes is not None and there == source.size_bytes:
        return
    request = urllib.request.Request(source.url)
    if there:
        request.add_header("Range", f"bytes={there}-")
    if source.token:
        # Not sent on to the storage that the hub redirects to.
        request.add_unredirected_header("Authorization", f"Bearer {source.token}")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not there:
            raise
        error.close()
        part.unlink()  # Longer than the file: a left-over of another one.
        _read(source, part, on_bytes)
        return
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            there = 0
        length = response.length
        total = source.size_bytes if length is None else there + length
        with part.open("ab" if there else "wb") as file:
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                there += len(chunk)
                on_bytes(source.name, there, total)
    if total is not None and there < total:
        raise http.client.IncompleteRead(b"", total - there)


def _is_right(path: Path, source: Source) -> bool:
    if source.size_bytes is not None and path.stat().st_size != source.size_bytes:
        return False
    if source.checksum is None:
        return True
    kind, expected = source.checksum.split(":")
    if kind == "sha256":
        return file_sha256(path) == expected
    data = path.read_bytes()  # Small text files only: large ones have a SHA-256 on the hub.
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() == expected


def _lacking(source: Source, path: Path) -> int:
    """Bytes still to come, by sizes alone."""
    wanted = source.size_bytes or 0
    return 0 if _size(path) == wanted else max(0, wanted - _size(_part(path)))


def _check_space(models_dir: Path, wanted_bytes: int) -> None:
    place = models_dir.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < wanted_bytes:
        raise BackendUnavailable(
            "models", f"{place}: {free // 10**6} MB free, {wanted_bytes // 10**6} MB needed"
        )


def _part(path: Path) -> Path:
    """Where a file lies until it is whole."""
    return path.with_name(f"{path.name}.part")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
