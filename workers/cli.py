"""`vitrina worker gpu` and `vitrina worker io`: the two kinds of worker process."""

from __future__ import annotations

import asyncio

import typer

app = typer.Typer(no_args_is_help=True)


@app.command()
def gpu() -> None:
    """Make pictures: claim tasks, run the pipeline, store what it made."""
    from db.settings import DatabaseSettings
    from pipeline.errors import BackendUnavailable
    from workers import gpu
    from workers.process import until_told
    from workers.settings import WorkerSettings

    try:
        asyncio.run(until_told(gpu.run(WorkerSettings(), DatabaseSettings())))
    except BackendUnavailable as error:
        raise typer.BadParameter(str(error)) from error  # a setting: no restart will mend it


@app.command()
def io() -> None:
    """Talk to Telegram: deliver albums, keep status cards true, sweep."""
    from bot.settings import BotSettings
    from db.settings import DatabaseSettings
    from workers import io
    from workers.process import until_told
    from workers.settings import WorkerSettings

    asyncio.run(until_told(io.run(WorkerSettings(), DatabaseSettings(), BotSettings())))
