"""The process that talks to Telegram for the workers: delivers, edits cards, renews, sweeps."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from bot.clock import Clock, utc_now
from bot.gateway import create_bot, who_am_i
from bot.settings import BotSettings
from db import engine, images, liveness, queue
from db.settings import DatabaseSettings
from pipeline import captions
from pipeline.captions import CaptionWriter
from pipeline.captions.templates import TemplateWriter
from pipeline.errors import BackendUnavailable
from pipeline.settings import PipelineSettings
from workers import notices, patience
from workers.courier import Courier
from workers.deliver import deliver_all
from workers.leases import Leases
from workers.publish import Publisher
from workers.reconcile import Reconciliation
from workers.remind import Reminders
from workers.renew import Renewals
from workers.settings import WorkerSettings
from workers.status import Cards
from workers.suggest import Scribe
from workers.sweep import Sweep
from workers.wakes import listen

log = structlog.get_logger()

_RENEW_EVERY_S = 30.0
_REMIND_EVERY_S = 60.0


async def run(settings: WorkerSettings, database: DatabaseSettings, telegram: BotSettings) -> None:
    """The whole process, until cancelled. Raises CannotStart for a wrong token."""
    async with contextlib.AsyncExitStack() as stack:
        db = engine.create(database.database_url)
        stack.push_async_callback(db.dispose)
        sessions = engine.session_factory(db)
        pool = await queue.create_pool(database.redis_url)
        stack.push_async_callback(pool.aclose)
        bot = create_bot(
            telegram.token.get_secret_value(),
            telegram.api_url,
            pool,
            sessions=sessions,
            timeout_s=telegram.request_timeout_s,
        )
        stack.push_async_callback(bot.session.close)
        # With a token that Telegram refuses, nothing would reach anybody.
        log.info("io worker is up", username=await who_am_i(bot))
        courier = Courier(sessions, pool, images.Store(database.images_url), bot, settings)
        await serve(courier, writer=_writer())


def _writer() -> CaptionWriter | None:
    try:
        return captions.create(PipelineSettings())
    except BackendUnavailable as error:
        # Albums and posts go out all the same.
        log.error("no language model for captions", error=str(error))
        return None


async def serve(
    courier: Courier, clock: Clock = utc_now, writer: CaptionWriter | None = None
) -> None:
    """Delivers until cancelled; calls on their way are finished first. `writer` of captions: None
    for templates."""
    settings = courier.settings
    wake, told = asyncio.Event(), asyncio.Event()
    publisher = Publisher(courier, clock=clock)
    scribe = Scribe(courier, writer or TemplateWriter())
    cards = Cards(courier)
    renewals, reminders = Renewals(courier.sessions), Reminders(courier.sessions, clock)
    try:
        async with asyncio.TaskGroup() as group:
            # An event for each: who looks for deliveries would take the notices' away.
            wakes = wake, told, publisher.wake, publisher.wake_edits, scribe.wake
            group.create_task(listen(courier.pool, queue.IO_QUEUE, queue.RUN_DELIVERIES, *wakes))
            group.create_task(liveness.beat(courier.pool, "io"))
            leases = Leases(courier, publisher)
            group.create_task(patience.every(leases.beat_every_s, leases, "leases"))
            group.create_task(patience.every(settings.sweep_every_s, Sweep(courier), "sweep"))
            group.create_task(patience.forever(cards, "status cards"))
            group.create_task(patience.forever(Reconciliation(courier), "reconciliation"))
            group.create_task(patience.every(_RENEW_EVERY_S, renewals, "renewals"))
            group.create_task(patience.every(_REMIND_EVERY_S, reminders, "reminders"))
            group.create_task(notices.send_all(courier, told))
            for _ in range(settings.deliveries_in_flight):
                group.create_task(deliver_all(courier, wake))
            for job in [*publisher.jobs(), *scribe.jobs()]:
                group.create_task(job)
    finally:
        await cards.close()
