"""Whose sending is whose: the living keep theirs, what the dead have left is in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from db import deliveries, tasks
from db.leases import SendingClaim
from pipeline.types import CancelFlag
from tests.sim import ANNA
from tests.workers.conftest import Ask, Asked, Row
from workers import generate
from workers.courier import Courier
from workers.generate import Studio
from workers.leases import Leases
from workers.publish import Publisher


@pytest.fixture
async def album(studio: Studio, ask: Ask) -> Asked:
    """A finished task whose album waits to be sent."""
    asked = await ask(ANNA)
    async with studio.sessions.begin() as session:
        claim = await tasks.claim(session, lease_s=30, account_running_cap=2)
    assert claim is not None
    await generate.make(claim, studio, CancelFlag())
    return asked


async def claimed(courier: Courier) -> SendingClaim:
    async with courier.sessions.begin() as session:
        claim = await deliveries.claim(session)
    assert claim is not None
    return claim


async def leases_run_out(courier: Courier) -> None:
    async with courier.sessions.begin() as session:
        await session.execute(
            text(
                "UPDATE deliveries SET lease_until = now() - interval '1 s' WHERE state = 'sending'"
            )
        )


@asynccontextmanager
async def on_its_way(courier: Courier, claim: SendingClaim) -> AsyncIterator[None]:
    """A call that lasts."""
    answered = asyncio.Event()

    async def call() -> None:
        await answered.wait()

    sending = asyncio.create_task(courier.finish(claim, call()))
    await asyncio.sleep(0)
    yield
    answered.set()
    await sending


DELIVERY = "SELECT state, reason, lease_until > now() AS leased FROM deliveries"


async def test_a_dead_senders_delivery_is_in_doubt_and_its_chat_goes_on(
    courier: Courier, album: Asked, row: Row
) -> None:
    await claimed(courier)
    async with courier.sessions.begin() as session:
        await session.execute(
            text(
                "INSERT INTO deliveries (task_id, kind, origin, chat_id)"
                " SELECT task_id, kind, 'next', chat_id FROM deliveries"
            )
        )
        assert await deliveries.claim(session) is None
    await leases_run_out(courier)
    await Leases(courier, Publisher(courier))()
    dead = await row(f"{DELIVERY} WHERE origin = 'first'")
    assert (dead["state"], dead["reason"]) == ("unknown", "sender_died")
    await claimed(courier)


async def test_a_call_that_outlasts_its_lease_is_its_senders(
    courier: Courier, album: Asked, row: Row
) -> None:
    """After a database that was away, or a machine that slept."""
    leases = Leases(courier, Publisher(courier))
    async with on_its_way(courier, await claimed(courier)):
        await leases_run_out(courier)
        await leases()
        assert (await row(DELIVERY))["leased"]
    await leases_run_out(courier)
    await leases()
    assert (await row(DELIVERY))["state"] == "unknown", "nobody holds it any more"


async def test_what_was_taken_for_dead_is_not_ours_again(
    courier: Courier, album: Asked, row: Row
) -> None:
    async with on_its_way(courier, await claimed(courier)):
        await leases_run_out(courier)
        async with courier.sessions.begin() as session:
            assert await deliveries.sweep_leases(session) == 1  # another process's
        await courier.keep_leases()
        assert (await row(DELIVERY))["state"] == "unknown"
        async with courier.sessions.begin() as session:
            assert await deliveries.claim(session) is None
