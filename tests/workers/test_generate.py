"""One claimed task, on a real Postgres, Redis and folder."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest
from arq import ArqRedis
from sqlalchemy import text

from db import albums, images, queue, tasks
from db.views import Claim
from pipeline.errors import BackendBusy, BackendUnavailable, BadBrief
from pipeline.types import CancelFlag
from tests.workers.conftest import SETTINGS, Ask, Painter, Row
from tests.workers.waiting import until
from workers import generate
from workers.generate import Studio


async def claim_one(studio: Studio) -> Claim:
    async with studio.sessions.begin() as session:
        claim = await tasks.claim(session, lease_s=SETTINGS.lease_s, account_running_cap=2)
    assert claim is not None
    return claim


async def make_one(studio: Studio) -> None:
    await generate.make(await claim_one(studio), studio, CancelFlag())


async def in_thread(event: object) -> None:
    assert await asyncio.to_thread(event.wait, 20)  # type: ignore[attr-defined]


TASK = "SELECT * FROM ml_tasks"


async def test_pictures_are_stored_ranked_and_a_delivery_waits(
    studio: Studio, ask: Ask, row: Row, pool: ArqRedis
) -> None:
    asked = await ask()
    await make_one(studio)
    async with studio.sessions() as session:
        album = await albums.album(session, asked.account_id, asked.task_id)
    assert [image.rank for image in album.images] == [1, 2, 3, 4]
    finals = [image.final_score for image in album.images]
    assert finals == sorted(finals, reverse=True)
    for image in album.images:
        assert image.final_score == pytest.approx(0.7 * image.clip_n + 0.3 * image.aes_n, abs=1e-6)
        png = await studio.store.get(image.storage_key)
        assert hashlib.sha256(png).hexdigest() == image.sha256
        assert image.gen_meta["parameters"] == {"steps": 1}
        assert image.gen_meta["details"] == {"contrast": 0.5}
    assert album.prompt.unknown == ("слово",)
    delivery = await row("SELECT kind, state, origin FROM deliveries")
    assert delivery == {"kind": "album", "state": "pending", "origin": "first"}
    assert await pool.zcard(queue.IO_QUEUE) == 1


async def test_a_cancelled_task_stops_and_leaves_nothing(
    studio: Studio, ask: Ask, row: Row, painter: Painter
) -> None:
    asked = await ask()
    painter.step.clear()
    making = asyncio.create_task(make_one(studio))
    await in_thread(painter.drawing)
    async with studio.sessions.begin() as session:
        assert await tasks.cancel(session, asked.account_id, asked.task_id)
    await asyncio.wait_for(making, 20)  # the heartbeat finds no row of ours
    assert (await row(TASK))["state"] == "cancelled"
    assert (await row("SELECT count(*) AS n FROM deliveries"))["n"] == 0


async def test_a_lost_lease_writes_nothing(
    studio: Studio, ask: Ask, row: Row, painter: Painter
) -> None:
    await ask()
    painter.step.clear()
    making = asyncio.create_task(make_one(studio))
    await in_thread(painter.drawing)
    async with studio.sessions.begin() as session:
        await session.execute(text("UPDATE ml_tasks SET lease_until = now() - interval '1 s'"))
        assert (await tasks.sweep_leases(session)).requeued == 1
    painter.step.set()
    await asyncio.wait_for(making, 20)
    assert (await row(TASK))["state"] == "queued"
    assert (await row("SELECT count(*) AS n FROM predictions"))["n"] == 0


async def test_being_stopped_gives_the_task_back_unspent(
    studio: Studio, ask: Ask, row: Row, painter: Painter
) -> None:
    await ask()
    painter.step.clear()
    making = asyncio.create_task(make_one(studio))
    await in_thread(painter.drawing)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(making, 5)
    task = await row(TASK)
    assert (task["state"], task["attempt"], task["not_before"] is None) == ("queued", 0, False)
    assert await studio.pool.zcard(queue.GPU_QUEUE) == 1


async def test_a_storage_fault_is_tried_again_later(
    studio: Studio, ask: Ask, row: Row, image_dir: Path
) -> None:
    await ask()
    (image_dir / "tasks").write_text("a file where a folder should be")
    await make_one(studio)
    task = await row("SELECT *, not_before > now() AS later FROM ml_tasks")
    assert (task["state"], task["attempt"], task["later"]) == ("queued", 1, True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BackendUnavailable("painter", "no paint"), "backend_unavailable"),
        (BadBrief("empty"), "bad_brief"),
        (ZeroDivisionError("ours"), "internal"),
    ],
)
async def test_what_will_not_pass_fails_at_once(
    studio: Studio, ask: Ask, row: Row, painter: Painter, error: Exception, code: str
) -> None:
    await ask()
    painter.error = error
    await make_one(studio)
    task = await row(TASK)
    assert (task["state"], task["error_code"]) == ("failed", code)


async def test_a_busy_backend_is_tried_three_times(
    studio: Studio, ask: Ask, row: Row, painter: Painter
) -> None:
    await ask()
    painter.error = BackendBusy("painter", "out of paint", retry_after_s=0.0)
    for state in ("queued", "queued", "failed"):
        await make_one(studio)
        assert (await row(TASK))["state"] == state
    assert (await row(TASK))["error_code"] == "backend_busy"


async def test_lack_of_memory_fails_a_task_at_once(
    studio: Studio, ask: Ask, row: Row, painter: Painter
) -> None:
    await ask()
    painter.error = BackendBusy("painter", "too large", 30.0, code="out_of_memory")
    await make_one(studio)
    task = await row(TASK)
    assert (task["state"], task["error_code"]) == ("failed", "out_of_memory")


async def test_progress_is_there_to_read_while_it_runs(
    studio: Studio, ask: Ask, painter: Painter, pool: ArqRedis
) -> None:
    asked = await ask()
    painter.step.clear()
    making = asyncio.create_task(make_one(studio))
    await in_thread(painter.drawing)

    async def told() -> bool:
        progress = await queue.read_progress(pool, [asked.task_id])
        return progress == {asked.task_id: queue.Progress("generate", 0, 4, 0.25)}

    await until(told)
    painter.step.set()
    await making


async def test_the_frozen_brief_reaches_the_pipeline_whole(studio: Studio, ask: Ask) -> None:
    await ask(count=2)
    claim = await claim_one(studio)
    brief = generate.brief_of(
        {
            **claim.brief,
            "platform": "stories",
            "brand": {"name": "N", "style_short": "calm", "palette": ["#ffffff"]},
            "variation": {"seed": 3, "strength": 0.5},
        }
    )
    assert (brief.count, brief.seed, brief.aspect) == (2, 7, "9:16")
    assert brief.brand is not None
    assert brief.brand.palette == ("#ffffff",)
    assert brief.variation is not None
    assert brief.variation.strength == 0.5
    assert images.key(claim.task_id, "0" * 64) == f"tasks/{claim.task_id}/{'0' * 16}.png"
