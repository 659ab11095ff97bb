"""`vitrina models`: pull, status and verify the model files that the chosen backends need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import TaskID

    from pipeline.download import OnBytes
    from pipeline.model_files import Status
    from pipeline.models import Model

app = typer.Typer(no_args_is_help=True, help="Model files: fetch, show, check.")

Folder = Annotated[
    Path | None, typer.Option("--dir", help="Where models lie. [MODELS_DIR or .vitrina/models]")
]
Names = Annotated[
    list[str] | None,
    typer.Argument(help="Models by name; none: all that the chosen backends need.", metavar="NAME"),
]


@app.command()
def pull(names: Names = None, directory: Folder = None) -> None:
    """Fetch what is missing or broken; goes on where it was stopped."""
    from pipeline import download
    from pipeline.errors import PipelineError

    models, folder = _selected(names, directory)
    failed: list[str] = []
    for model in models:
        if _is_ready(model, folder):
            typer.echo(f"{model.name}: there already")
            continue
        size = f", about {_megabytes(model.size_bytes)}" if model.size_bytes else ""
        typer.echo(f"{model.name}: {model.purpose}, licence {model.licence}{size}")
        try:
            with _bars() as show:
                download.pull(model, folder, show)
        except PipelineError as error:
            typer.echo(f"Error: {error}", err=True)
            failed.append(model.name)
    if len(models) > len(failed) > 0:
        typer.echo(f"not fetched: {', '.join(failed)}; the others are there", err=True)
    if failed:
        raise typer.Exit(1)


@app.command("status")
def show_status(names: Names = None, directory: Folder = None) -> None:
    """Say what is there and what is missing, by names and sizes."""
    from pipeline.model_files import status

    models, folder = _selected(names, directory)
    _report([status(model, folder) for model in models], folder)


@app.command("verify")
def show_verified(names: Names = None, directory: Folder = None) -> None:
    """Read every file and compare its SHA-256 with the recorded one."""
    from pipeline.model_files import verify

    models, folder = _selected(names, directory)
    _report([verify(model, folder) for model in models], folder)


def _selected(names: list[str] | None, directory: Path | None) -> tuple[list[Model], Path]:
    """Models by name or by the settings, and the folder.

    A name that neither we nor the settings know is Ollama's when it has a colon, which the hub's
    names never have, else it is taken for a CLIP model of the hub.
    """
    from pipeline.models import (
        clip_model,
        diffusion_model,
        known,
        needed,
        ollama_model,
        renamed,
    )
    from pipeline.settings import PipelineSettings

    settings = PipelineSettings()
    if not names:
        models = list(needed(settings))
    else:
        chosen = (diffusion_model(settings.diffusion_model), *needed(settings))
        by_name = {model.name: model for model in (*known(), *chosen)}
        models = [
            ollama_model(settings.model_copy(update={"ollama_model": name}))
            if ":" in name or name == settings.ollama_model
            else by_name.get(renamed(name)) or clip_model(name)
            for name in names
        ]
    return models, directory or settings.models_dir


def _is_ready(model: Model, folder: Path) -> bool:
    from pipeline.errors import BackendUnavailable
    from pipeline.model_files import verify

    try:
        return verify(model, folder).state == "ready"
    except BackendUnavailable:
        return False  # What the last pull noted can't be read: the next one notes it anew.


def _report(found: list[Status], folder: Path) -> None:
    if not found:
        typer.echo("the chosen backends need no model files")
        return
    for status in found:
        model = status.model
        typer.echo(f"{status.state:<10}  {_size(status):>18}  {model.name}")
        about = f"{model.purpose}, licence {model.licence}"
        typer.echo(f"{'':32}{about}: {status.detail}" if status.detail else f"{'':32}{about}")
    typer.echo(f"folder: {folder}")
    if any(status.state != "ready" for status in found):
        typer.echo("next: `vitrina models pull` fetches what isn't ready")
        raise typer.Exit(1)


def _size(status: Status) -> str:
    """What is there, and of how much where that isn't all."""
    there, size_bytes = _megabytes(status.size_bytes), status.model.size_bytes
    if status.state == "ready" or not size_bytes:
        return there
    return f"{there} of {_megabytes(size_bytes)}"


@contextmanager
def _bars() -> Iterator[OnBytes]:
    """A bar for each file that is reported to what this yields."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description:<28}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total, completed=done)
            bars.update(tasks[name], completed=done, total=total)

        yield show


def _megabytes(size_bytes: int) -> str:
    return (
        f"{size_bytes / 1e6:,.1f} MB" if size_bytes < 10_000_000 else f"{size_bytes / 1e6:,.0f} MB"
    )
