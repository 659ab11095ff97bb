"""One claimed task, from its brief to stored pictures and a delivery that waits to be sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import structlog
from arq import ArqRedis
from obstore.exceptions import BaseError as StoreError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import images, queue, tasks
from db.errors import FileMissing
from db.states import TaskState
from db.views import Brief as StoredBrief
from db.views import BriefVariation, Claim, FinishedAlbum, NewPrediction, PromptRecord
from pipeline.errors import (
    BackendBusy,
    BackendUnavailable,
    BadBrief,
    BadImage,
    Cancelled,
    PipelineError,
)
from pipeline.formats import default_aspect
from pipeline.images import decode
from pipeline.run import Pipeline
from pipeline.types import (
    Album,
    Aspect,
    BrandStyle,
    Brief,
    CancelFlag,
    Photo,
    Progress,
    RankedImage,
    Variation,
)
from workers import patience
from workers.settings import WorkerSettings

log = structlog.get_logger()

_PROGRESS_EVERY_S = 0.2
_STORAGE_RETRY_S = 5.0
_FINISH_STORING_S = 5.0  # with the two of `_give_back` within the supervisor's grace
_NO_PHOTOS = "no_photos"
_OUT_OF_MEMORY = "out_of_memory"
"""A generator says so when smaller pictures didn't fit either: people are told now, not after three
attempts of minutes each."""


@dataclass(frozen=True, slots=True)
class Studio:
    """What it takes to make an album."""

    sessions: async_sessionmaker[AsyncSession]
    pool: ArqRedis
    store: images.Store
    pipeline: Pipeline
    settings: WorkerSettings


async def make(claim: Claim, studio: Studio, cancel: CancelFlag) -> None:
    """Runs the pipeline for a claimed task and writes down how it ended.

    When cancelled itself (the process is told to stop) it first gives the task back, unspent.
    """
    with structlog.contextvars.bound_contextvars(request=claim.request_id, task=claim.task_id):
        log.info("task started", attempt=claim.attempt, queued_ms=round(claim.queued_s * 1000))
        progress = _ProgressWriter(studio.pool, claim.task_id)
        beside = [
            asyncio.create_task(_hold_lease(claim, studio, cancel)),
            asyncio.create_task(progress.write()),
        ]
        try:
            await _make(claim, studio, progress, cancel)
        finally:
            for task in beside:
                task.cancel()


async def _make(
    claim: Claim, studio: Studio, progress: _ProgressWriter, cancel: CancelFlag
) -> None:
    try:
        album = await _draw(claim, studio, progress, cancel)
        await _hand_in(claim, studio, album)
    except Cancelled:
        log.info("task cancelled")
    except BackendBusy as error:
        if error.code == _OUT_OF_MEMORY:
            await _fail(claim, studio, error.code, error)
        else:
            await _try_later(claim, studio, error.retry_after_s, "backend_busy", error)
    except (OSError, StoreError) as error:
        await _try_later(claim, studio, _STORAGE_RETRY_S * claim.attempt, "storage", error)
    except BadBrief as error:
        await _fail(claim, studio, "bad_brief", error)
    except (FileMissing, BadImage) as error:
        await _fail(claim, studio, "photo_lost", error)
    except BackendUnavailable as error:
        code = _NO_PHOTOS if error.code == _NO_PHOTOS else "backend_unavailable"
        await _fail(claim, studio, code, error)
    except PipelineError as error:
        await _fail(claim, studio, "pipeline", error)
    except Exception as error:
        if patience.is_away(error):
            # Nothing can be written down now. The lease runs out, and the task is done again.
            log.warning("task can't be handed in", error=str(error))
            return
        log.exception("task failed for a reason of our own")
        await _fail(claim, studio, "internal", error)


async def _draw(
    claim: Claim, studio: Studio, progress: _ProgressWriter, cancel: CancelFlag
) -> Album:
    """The pipeline's album. Stopped meanwhile, it gives the task back before the drawing ends."""
    drawing = asyncio.create_task(_run(claim.brief, studio, progress, cancel))
    try:
        return await asyncio.shield(drawing)
    except asyncio.CancelledError:
        cancel.set()
        await _give_back(claim, studio)
        await asyncio.wait([drawing])
        drawing.exception()  # The cancellation tells the story.
        raise


async def _run(
    stored: StoredBrief, studio: Studio, progress: _ProgressWriter, cancel: CancelFlag
) -> Album:
    """Raises FileMissing and BadImage for a photo that is gone or broken."""
    brief = brief_of(stored)
    if photo_key := stored.get("photo"):
        data = await studio.store.get(photo_key)
        brief = replace(brief, photo=Photo(await asyncio.to_thread(decode, data)))
    return await studio.pipeline.run(brief, on_progress=progress, cancel=cancel)


async def _hand_in(claim: Claim, studio: Studio, album: Album) -> None:
    """Stores the album. Stopped meanwhile, it is finished first if that takes only seconds."""
    storing = asyncio.create_task(_store_album(claim, studio, album))
    try:
        await asyncio.shield(storing)
    except asyncio.CancelledError:
        await asyncio.wait([storing], timeout=_FINISH_STORING_S)
        if not storing.done() or storing.exception():
            storing.cancel()
            await _give_back(claim, studio)
        raise


async def _store_album(claim: Claim, studio: Studio, album: Album) -> None:
    """Files first, then everything that refers to them in one transaction."""
    await asyncio.gather(*(_store(claim, studio.store, image) for image in album.images))
    finished = FinishedAlbum(
        prompt=PromptRecord(
            render=album.prompt.render,
            negative=album.prompt.negative,
            intent=album.prompt.intent,
            backend=album.prompt.backend,
            unknown=album.prompt.unknown,
            fallback=album.prompt.fallback,
        ),
        images=tuple(_prediction(claim, album, image) for image in album.images),
        judge=album.judge,
        generator=album.generator,
        timings_ms=album.timings_ms,
    )
    delivery_id = await patience.in_transaction(
        studio.sessions,
        lambda session: tasks.finish(session, claim.task_id, claim.token, finished),
        for_s=studio.settings.lease_s,
    )
    await queue.wake_io(studio.pool)
    if delivery_id is None:
        log.info("task was no longer ours: nothing written")
    else:
        log.info("task done", pictures=len(album.images), timings_ms=dict(album.timings_ms))


async def _store(claim: Claim, store: images.Store, image: RankedImage) -> None:
    await store.put(images.key(claim.task_id, image.sha256), image.png)


def _prediction(claim: Claim, album: Album, image: RankedImage) -> NewPrediction:
    score = image.score
    return NewPrediction(
        rank=image.rank,
        seed=image.seed,
        storage_key=images.key(claim.task_id, image.sha256),
        sha256=image.sha256,
        width=image.width,
        height=image.height,
        size_bytes=len(image.png),
        clip_raw=score.clip_raw,
        clip_n=score.clip_n,
        aes_raw=score.aes_raw,
        aes_n=score.aes_n,
        final_score=score.final,
        gen_meta={
            "generator": album.generator,
            "judge": album.judge,
            "enhancer": album.prompt.backend,
            "prompt": album.prompt.render,
            "negative": album.prompt.negative,
            "intent": album.prompt.intent,
            "seed": image.seed,
            "parameters": dict(image.meta),
            "details": dict(score.details),
            "match_measured": score.match_measured,
            "score_rank": image.score_rank,
            "twin_of": image.twin_of,
        },
    )


async def _give_back(claim: Claim, studio: Studio) -> None:
    try:
        await _requeue(claim, studio, not_before_s=0.0, spend_attempt=False, error_code="stopped")
    except (DBAPIError, OSError) as error:
        log.warning("task not given back, its lease runs out", error=str(error))
        return
    await queue.wake_gpu(studio.pool)
    log.info("task given back, unspent")


async def _try_later(
    claim: Claim, studio: Studio, after_s: float, error_code: str, error: Exception
) -> None:
    state = await _requeue(
        claim, studio, not_before_s=after_s, spend_attempt=True, error_code=error_code
    )
    log.warning("task failed for now", error=str(error), after_s=after_s, state=state)


async def _requeue(
    claim: Claim, studio: Studio, *, not_before_s: float, spend_attempt: bool, error_code: str
) -> TaskState | None:
    return await patience.in_transaction(
        studio.sessions,
        lambda session: tasks.requeue(
            session,
            claim.task_id,
            claim.token,
            not_before_s=not_before_s,
            spend_attempt=spend_attempt,
            error_code=error_code,
        ),
        for_s=2.0 if not spend_attempt else studio.settings.lease_s,
    )


async def _fail(claim: Claim, studio: Studio, error_code: str, error: Exception) -> None:
    await patience.in_transaction(
        studio.sessions,
        lambda session: tasks.fail(session, claim.task_id, claim.token, error_code),
        for_s=studio.settings.lease_s,
    )
    log.error("task failed", error_code=error_code, error=str(error))


async def _hold_lease(claim: Claim, studio: Studio, cancel: CancelFlag) -> None:
    """Renews the lease; a task that is no longer ours (cancelled, swept) is stopped."""
    while True:
        await asyncio.sleep(studio.settings.heartbeat_s)
        try:
            async with studio.sessions.begin() as session:
                ours = await tasks.heartbeat(
                    session, claim.task_id, claim.token, studio.settings.lease_s
                )
        except Exception as error:
            # Whether it is still ours is then decided by `finish`, which checks the token.
            log.warning("no heartbeat", error=str(error))
            continue
        if not ours:
            cancel.set()
            return


class _ProgressWriter:
    """Takes progress from any thread; the newest goes to Redis a few times a second."""

    def __init__(self, pool: ArqRedis, task_id: int) -> None:
        self._pool = pool
        self._task_id = task_id
        self._loop = asyncio.get_running_loop()
        self._latest: Progress | None = None
        self._changed = asyncio.Event()

    def __call__(self, progress: Progress) -> None:
        self._loop.call_soon_threadsafe(self._take, progress)

    def _take(self, progress: Progress) -> None:
        self._latest = progress
        self._changed.set()

    async def write(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._latest is not None:
                latest = self._latest
                told = queue.Progress(str(latest.stage), latest.done, latest.total, latest.part)
                await queue.write_progress(self._pool, self._task_id, told)
            await asyncio.sleep(_PROGRESS_EVERY_S)


def brief_of(stored: StoredBrief) -> Brief:
    """The pipeline's brief from what was frozen with the task, but for the photo."""
    brand = stored["brand"]
    return Brief(
        raw_prompt=stored["raw_prompt"],
        cleaned_prompt=stored["cleaned_prompt"],
        seed=stored["seed"],
        platform=stored["platform"],
        goal=stored["goal"],
        brand=BrandStyle(brand["name"], brand["style_short"], tuple(brand["palette"]))
        if brand
        else None,
        aspect=Aspect(stored["aspect"]) if stored["aspect"] else default_aspect(stored["platform"]),
        count=stored["count"],
        enhance=stored["enhance"],
        variation=_variation_of(stored["variation"]),
    )


def _variation_of(stored: BriefVariation | None) -> Variation | None:
    if stored is None:
        return None
    return Variation(stored["seed"], stored["strength"], _variation_of(stored.get("of")))
