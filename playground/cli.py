"""`vitrina playground`: Telegram on this machine, alone."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from playground.errors import StateUnusable
from playground.settings import PlaygroundSettings


def playground(
    port: Annotated[int | None, typer.Option(help="Where bots call and the page is.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    state_dir: Annotated[
        Path | None, typer.Option(help="Where chats survive a restart; without it, in memory.")
    ] = None,
) -> None:
    """Run a Bot API server with a chat page, for trying a bot without Telegram."""
    settings = PlaygroundSettings()
    try:
        asyncio.run(
            _serve(port or settings.port, host or settings.host, state_dir or settings.state_dir)
        )
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except StateUnusable as error:
        typer.echo(f"playground: {error}", err=True)
        raise typer.Exit(1) from error
    except OSError as error:
        typer.echo(f"playground: can't start on port {port or settings.port}: {error}", err=True)
        raise typer.Exit(1) from error


async def _serve(port: int, host: str, state_dir: Path | None) -> None:
    # aiohttp and aiogram take seconds to import: not for `--help`.
    from playground.server import running

    async with running(port=port, state_dir=state_dir, host=host) as address:
        typer.echo(f"Playground: {address}")
        await asyncio.Event().wait()
