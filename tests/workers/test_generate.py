"""One claimed task, on a real Postgres, Redis and folder."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
from pathlib import Path

import asyncpg
import pytest
from arq import ArqRedis
from PIL import Image
from sqlalchemy import text
from sqlalchemy.engine import make_url

from db import albums, images, queue, tasks
from db.views import Claim
from pipeline import models
from pipeline.errors import BackendBusy, BackendUnavailable, BadBrief
from pipeline.generate.diffusion import REDRAWS, DiffusionGenerator
from pipeline.generate.noise import another_seed
from pipeline.run import Pipeline, derive_seed
from pipeline.types import CancelFlag, Variation
from tests.pipeline import tiny_diffusion
from tests.workers.conftest import SETTINGS, Ask, Critic, Painter, Row, Words
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
        assert image.gen_meta["score_rank"] == image.rank
        assert image.gen_meta["twin_of"] is None
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


class SlowStore(images.Store):
    """Stores when it is let, or fails then."""

    def __init__(self, url: str, error: OSError | None) -> None:
        super().__init__(url)
        self.storing = asyncio.Event()
        self.go_on = asyncio.Event()
        self.error = error

    async def put(self, key: str, data: bytes) -> None:
        self.storing.set()
        await self.go_on.wait()
        if self.error:
            raise self.error
        await super().put(key, data)


@pytest.mark.parametrize(
    ("error", "state", "attempt"), [(None, "done", 1), (OSError("disk full"), "queued", 0)]
)
async def test_an_album_that_is_being_stored_is_not_thrown_away_at_a_stop(
    studio: Studio,
    ask: Ask,
    row: Row,
    image_dir: Path,
    error: OSError | None,
    state: str,
    attempt: int,
) -> None:
    await ask()
    store = SlowStore(str(image_dir), error)
    making = asyncio.create_task(make_one(dataclasses.replace(studio, store=store)))
    await store.storing.wait()
    making.cancel()
    await asyncio.sleep(0)
    store.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(making, 20)
    task = await row(TASK)
    assert (task["state"], task["attempt"]) == (state, attempt)


async def shut(url: str, postgres_url: str, *, to: str) -> None:
    """Cuts the connections to a database and lets nobody in, or lets people in again."""
    name = make_url(url).database
    server = make_url(postgres_url)
    connection = await asyncpg.connect(
        host=str(server.query["host"]), user=server.username, database=server.database
    )
    await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {to}')
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
    )
    await connection.close()


async def test_a_database_that_is_away_at_the_end_does_not_fail_the_task(
    studio: Studio, ask: Ask, row: Row, painter: Painter, database_url: str, postgres_url: str
) -> None:
    await ask()
    hasty = SETTINGS.model_copy(update={"lease_s": 0.3})
    claim = await claim_one(studio)
    await shut(database_url, postgres_url, to="false")
    await generate.make(claim, dataclasses.replace(studio, settings=hasty), CancelFlag())
    await shut(database_url, postgres_url, to="true")
    assert (await row(TASK))["state"] == "running"
    async with studio.sessions.begin() as session:
        await session.execute(text("UPDATE ml_tasks SET lease_until = now() - interval '1 s'"))
        assert (await tasks.sweep_leases(session)).requeued == 1


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
        (BackendUnavailable("painter", "no photos", code="no_photos"), "no_photos"),
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


@pytest.fixture
def safe_studio(studio: Studio, tmp_path: Path) -> Studio:
    """One that draws by a tiny real model, whose pictures a safety checker looks at."""
    for library in ("torch", "diffusers", "transformers"):
        pytest.importorskip(library, reason="the ml extra is not installed")
    tiny_diffusion.save(models.STABLE_DIFFUSION.path(tmp_path))
    generator = DiffusionGenerator(tiny_diffusion.settings_of(tmp_path, diffusion_steps=1))
    return dataclasses.replace(studio, pipeline=Pipeline(Words(), generator, Critic()))


OF_IDEA = [derive_seed(7, index) for index in range(2)]
"""The seeds that the pictures of `ask` are drawn by first."""


@pytest.mark.parametrize(
    ("flagged", "seeds"),
    [
        (1, [another_seed(OF_IDEA[0], 1), OF_IDEA[1]]),
        (1 + REDRAWS, OF_IDEA[1:]),
    ],
)
async def test_a_flagged_picture_is_drawn_again_by_another_seed_and_not_charged(
    safe_studio: Studio, ask: Ask, row: Row, flagged: int, seeds: list[int]
) -> None:
    asked = await ask(count=2)
    assert await row("SELECT held, used FROM periods") == {"held": 2, "used": 0}
    with tiny_diffusion.flagging(*[True] * flagged):
        await make_one(safe_studio)
    async with safe_studio.sessions() as session:
        album = await albums.album(session, asked.account_id, asked.task_id)
    assert {image.seed for image in album.images} == set(seeds)
    assert await row("SELECT held, used FROM periods") == {"held": 0, "used": len(seeds)}
    hold = await row("SELECT state, captured_quota, captured_paid FROM holds")
    assert hold == {"state": "captured", "captured_quota": len(seeds), "captured_paid": 0}


async def test_nothing_is_charged_where_every_picture_stays_flagged(
    safe_studio: Studio, ask: Ask, row: Row
) -> None:
    await ask(count=2)
    with tiny_diffusion.flagging(*[True] * 2 * (1 + REDRAWS)):
        await make_one(safe_studio)
    task = await row(TASK)
    assert (task["state"], task["error_code"]) == ("failed", "bad_brief")
    assert await row("SELECT held, used FROM periods") == {"held": 0, "used": 0}
    assert (await row("SELECT state FROM holds"))["state"] == "voided"


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
            "variation": {"seed": 3, "strength": 0.5, "of": {"seed": 2, "strength": 0.4}},
        }
    )
    assert (brief.count, brief.seed, brief.aspect) == (2, 7, "9:16")
    assert brief.brand is not None
    assert brief.brand.palette == ("#ffffff",)
    assert brief.variation == Variation(3, 0.5, of=Variation(2, 0.4))
    assert images.key(claim.task_id, "0" * 64) == f"tasks/{claim.task_id}/{'0' * 16}.png"


PHOTO_KEY = "photos/1001/7/AQAD_x-1.jpg"


async def ask_from_photo(studio: Studio, ask: Ask) -> None:
    await ask()
    async with studio.sessions.begin() as session:
        brief = "brief || jsonb_build_object('photo', CAST(:key AS text))"
        await session.execute(text(f"UPDATE ml_tasks SET brief = {brief}"), {"key": PHOTO_KEY})


async def test_the_photo_is_handed_to_the_generator(
    studio: Studio, ask: Ask, row: Row, painter: Painter
) -> None:
    await ask_from_photo(studio, ask)
    buffer = io.BytesIO()
    Image.new("RGB", (90, 70), "teal").save(buffer, "PNG")
    await studio.store.put(PHOTO_KEY, buffer.getvalue())
    await make_one(studio)
    assert (await row(TASK))["state"] == "done"
    assert painter.brief is not None
    assert painter.brief.photo is not None
    assert painter.brief.photo.image.size == (90, 70)
    assert painter.brief.photo.image.getpixel((5, 5)) == (0, 128, 128)


@pytest.mark.parametrize("stored", [None, b"no picture"])
async def test_a_photo_that_is_gone_or_broken_fails_at_once(
    studio: Studio, ask: Ask, row: Row, stored: bytes | None
) -> None:
    await ask_from_photo(studio, ask)
    if stored is not None:
        await studio.store.put(PHOTO_KEY, stored)
    await make_one(studio)
    task = await row(TASK)
    assert (task["state"], task["error_code"]) == ("failed", "photo_lost")
