"""From the tap on «Создать» to the whole album in the chat, as the person sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from sqlalchemy import text

from benchmarks.figures import median, spread
from benchmarks.product import Product
from db import engine
from tests.sim import Talk

_PROMPT = "осенний латте в уютной кофейне, скидка 20%"
_ONE_BY_ONE = 20
_AT_ONCE = 20


async def measure(product: Product) -> list[str]:
    """One user at a time, then twenty at once; each is a newcomer, so no chat's pace slows it."""
    await _album(await _drafted(product, 100_000))  # the first one warms everything up
    alone = [await _album(await _drafted(product, 110_000 + index)) for index in range(_ONE_BY_ONE)]
    pipeline = await _pipeline_times(product.database_url, _ONE_BY_ONE)
    added = [whole - own for whole, own in zip(alone, pipeline, strict=True)]
    talks = [await _drafted(product, 120_000 + index) for index in range(_AT_ONCE)]
    started = time.perf_counter()
    together = await asyncio.gather(*(_album(talk) for talk in talks))
    wall = time.perf_counter() - started
    ratio = _AT_ONCE * median(pipeline) / wall
    return [
        f"tap to album, 1 user:    {spread(alone)}",
        f"  of that the pipeline:  {spread(pipeline)}",
        f"  added by the product:  {spread(added)}  (aim: median under 200 ms)",
        f"tap to album, {_AT_ONCE} users:  {spread(together)}",
        f"  albums a second:       {_AT_ONCE / wall:.2f}, {ratio:.2f} x the bare pipeline's",
    ]


async def _drafted(product: Product, user_id: int) -> Talk:
    talk = product.sim.talk(await product.newcomer(user_id))
    await talk.send(_PROMPT)
    await talk.button("Создать")
    return talk


async def _album(talk: Talk) -> float:
    """Seconds from the tap until all four pictures are there."""
    card = await talk.button("Создать")
    started = time.perf_counter()
    pressing = asyncio.create_task(talk.press("Создать", card))
    talk.patience_s = 120
    await talk.wait_for(lambda message: "photo" in message, "an album")
    arrived = time.perf_counter() - started
    await pressing
    albums: Sequence[Sequence[object]] = await talk.albums()
    assert [len(album) for album in albums] == [4], "not one album of four"
    return arrived


async def _pipeline_times(database_url: str, newest: int) -> list[float]:
    """Seconds the pipeline itself took for the newest tasks, oldest first."""
    query = text(
        "SELECT (timings_ms->>'total')::float / 1000 FROM"
        " (SELECT id, timings_ms FROM ml_tasks ORDER BY id DESC LIMIT :newest) AS t ORDER BY id"
    )
    db = engine.create(database_url)
    async with db.connect() as connection:
        found = (await connection.execute(query, {"newest": newest})).scalars().all()
    await db.dispose()
    return list(found)
