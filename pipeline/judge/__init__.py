"""Judges: who scores the pictures."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import models
from pipeline.errors import BackendUnavailable
from pipeline.settings import PipelineSettings
from pipeline.types import Judge

if TYPE_CHECKING:
    from pipeline.judge.clip import ClipFiles

JUDGES = ("clip", "pixels")
"""Names that `create` knows, best first; `auto` stands for the first that can run."""


def create(name: str, settings: PipelineSettings) -> Judge:
    """The judge called `name`; `auto` takes `clip` where its weights are on the disk.

    Cheap: a model is loaded by the judge's `warm_up`, or by its first verdict. Raises
    BackendUnavailable for an unknown name and for missing or unfit files.
    """
    if name == "auto":
        name = "clip" if clip_lacks(settings) is None else "pixels"
    if name == "pixels":
        from pipeline.judge.pixels import PixelsJudge

        return PixelsJudge()
    if name == "clip":
        if (reason := clip_lacks(settings)) is not None:
            raise BackendUnavailable("clip", reason)
        from pipeline.judge.clip import ClipJudge

        return ClipJudge(
            settings.judge_model.rstrip("/").rsplit("/", 1)[-1],
            _clip_files(settings),
            runtime=settings.judge_runtime,
            threads=settings.judge_threads,
        )
    raise BackendUnavailable(name, f"unknown judge, one of: auto, {', '.join(JUDGES)}")


def clip_lacks(settings: PipelineSettings) -> str | None:
    """Why the `clip` judge can't run here, None if it can; imports no ML library."""
    absent = [lib for lib in ("torch", "tokenizers", "safetensors") if not _installed(lib)]
    if absent:
        return f"{', '.join(absent)} not installed: {models.INSTALL}"
    from pipeline.judge.weights import lacking

    files = _clip_files(settings)
    if not files.model.is_dir():
        return f"{settings.judge_model} is not in {settings.models_dir}: vitrina models pull"
    missing = [str(files.model / name) for name in lacking(files.model)]
    missing += [
        str(head[0]) for head in (files.aesthetic, files.safety) if head and not head[0].is_file()
    ]
    if missing:
        return f"{', '.join(missing)} missing: vitrina models pull"
    return None


def _clip_files(settings: PipelineSettings) -> ClipFiles:
    """A model's heads: the ones published for it, else those that lie in its folder, else none."""
    from pipeline.judge.clip import ClipFiles

    folder, repo = Path(settings.judge_model), settings.judge_model
    if not folder.is_dir():
        folder = models.clip_model(repo).path(settings.models_dir)
    return ClipFiles(
        folder,
        _head(models.AESTHETIC_HEADS.get(repo), folder / "aesthetic.pth", settings),
        _head(models.SAFETY_HEADS.get(repo), folder / "safety.pth", settings),
        settings.models_dir / "compiled",
    )


def _head(
    published: models.HeadFile | None, own: Path, settings: PipelineSettings
) -> tuple[Path, str | None] | None:
    """A head's file and the SHA-256 it must have: nobody knows that of one's own."""
    if published:
        return published.path(settings.models_dir), published.sha256
    return (own, None) if own.is_file() else None


def _installed(library: str) -> bool:
    return importlib.util.find_spec(library) is not None
