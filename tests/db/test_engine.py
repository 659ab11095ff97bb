"""A connection that was lost while nobody used it costs nobody an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from db import engine as db_engine
from tests.db import rows


async def _use(engine: AsyncEngine, count: int = 1) -> set[int]:
    """Uses so many connections at once; the ids of the server's processes behind them."""
    async with AsyncExitStack() as stack:
        used = [await stack.enter_async_context(engine.begin()) for _ in range(count)]
        query = text("SELECT pg_backend_pid()")
        return {(await connection.execute(query)).scalar_one() for connection in used}


async def test_connections_that_the_server_ended_are_replaced(
    database_url: str, postgres_url: str
) -> None:
    engine = db_engine.create(database_url)
    before = await _use(engine, 2)
    name = make_url(database_url).database
    ended = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
    await rows.run_on(postgres_url, ended)
    assert not before & await _use(engine, 2)
    await engine.dispose()


@asynccontextmanager
async def _forgetful_way(database_url: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """To the database by a way which, once the event is set, has forgotten the connections it had:
    the client hears of that when it next sends something."""
    url = make_url(database_url)
    path = Path(str(url.query["host"])) / f".s.PGSQL.{url.port or 5432}"
    forget = asyncio.Event()

    async def carry(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may_forget: bool
    ) -> None:
        while (data := await reader.read(65536)) and not (may_forget and forget.is_set()):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(path)
        await asyncio.gather(
            carry(reader, server_writer, not forget.is_set()),
            carry(server_reader, writer, False),
        )

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield url.set(host="127.0.0.1", port=port, query={}).render_as_string(False), forget
    server.close()
    await server.wait_closed()


async def test_a_connection_forgotten_on_the_way_is_replaced(database_url: str) -> None:
    async with _forgetful_way(database_url) as (url, forget):
        engine = db_engine.create(url, trusted_s=0)
        (before,) = await _use(engine)
        forget.set()
        (after,) = await _use(engine)
        await engine.dispose()
    assert after != before
