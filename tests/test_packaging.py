"""What an installation brings, as the metadata of the installed packages has it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

_CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"


def _installed_by(*extras: str) -> dict[str, Version | None]:
    """Every package that `vitrina[extras]` needs on this machine; None: it isn't installed."""
    found: dict[str, Version | None] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    open_ = [("vitrina", frozenset(extras))]
    while open_:
        name, asked = open_.pop()
        if (name, asked) in seen:
            continue
        seen.add((name, asked))
        try:
            package = distribution(name)
        except PackageNotFoundError:
            found[name] = None
            continue
        found[name] = Version(package.version)
        for line in package.requires or ():
            wanted = Requirement(line)
            if wanted.marker is None or any(
                wanted.marker.evaluate({"extra": extra}) for extra in asked or {""}
            ):
                open_.append((canonicalize_name(wanted.name), frozenset(wanted.extras)))
    del found["vitrina"]
    return found


def _pinned() -> dict[str, Version]:
    lines = [line for line in _CONSTRAINTS.read_text().splitlines() if "==" in line]
    pairs = (line.split("==") for line in lines)
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def test_everything_that_tests_and_models_need_is_installed_at_its_pinned_version() -> None:
    pinned = _pinned()
    for name, version in _installed_by("dev", "ml", "bench", "local").items():
        assert version is not None, f"{name} is not installed"
        # torch's CPU build is 2.13.0+cpu.
        assert Version(version.public) == pinned.get(name), name


def test_the_tests_bring_the_models_libraries() -> None:
    names = _installed_by("dev").keys()
    assert {"torch", "diffusers", "transformers", "openvino", "torchmetrics"} <= names
    assert "torchvision" not in names  # It would replace torch's CPU build by one for CUDA.


def test_the_demo_brings_no_model_library() -> None:
    heavy = {"torch", "diffusers", "transformers", "openvino"}
    assert heavy.isdisjoint(_installed_by("local"))
    assert heavy.isdisjoint(_installed_by())
