"""`vitrina playground`: Telegram on this machine, alone."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from playground.errors import StateUnusable
from playground.settings import PlaygroundSettings


def playground(
    port: Annotated[
        int | None,
        typer.Option(help="Where bots call and the page is; 0 is any. [8081]", min=0, max=65535),
    ] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on. [127.0.0.1]")] = None,
    state_dir: Annotated[
        Path | None, typer.Option(help="Where chats survive a restart. [in memory]")
    ] = None,
) -> None:
    """Run a Bot API server with a chat page, for trying a bot without Telegram."""
    settings = PlaygroundSettings()
    if port is not None:
        settings.port = port
    if host is not None:
        settings.host = host
    if state_dir is not None:
        settings.state_dir = state_dir
    try:
        asyncio.run(_serve(settings))
    except StateUnusable as error:
        typer.echo(f"playground: {error}", err=True)
        raise typer.Exit(1) from error
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        typer.echo(
            f"playground: can't listen on {where}: {error.strerror}; another port: --port", err=True
        )
        raise typer.Exit(1) from error


async def _serve(settings: PlaygroundSettings) -> None:
    """Run until SIGINT or SIGTERM."""
    # aiohttp and aiogram take seconds to import: not for `--help`.
    from playground.server import running

    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with running(settings.port, settings.state_dir, settings.host) as address:
        typer.echo(f"Playground: {address}")
        await stop.wait()
