"""Deliveries against the playground and its faults: what the chat got, what the database says."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from aiogram import Bot
from aiogram.client.session.middlewares.base import NextRequestMiddlewareType
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from sqlalchemy import text

from bot.gateway import create_bot
from db import deliveries, images, tasks
from db.states import DeliveryKind
from db.views import DeliveryClaim
from pipeline.types import CancelFlag
from tests.sim import ANNA, TOKEN, Sim
from tests.workers.conftest import Ask, Asked, Row
from workers import generate
from workers.courier import Courier
from workers.deliver import deliver
from workers.generate import Studio


async def made(studio: Studio, ask: Ask, chat_id: int = ANNA, **more: object) -> Asked:
    """A finished task whose album waits to be sent."""
    asked = await ask(chat_id, **more)
    async with studio.sessions.begin() as session:
        claim = await tasks.claim(session, lease_s=30, account_running_cap=2)
    assert claim is not None
    await generate.make(claim, studio, CancelFlag())
    return asked


async def claim_next(courier: Courier) -> DeliveryClaim:
    async with courier.sessions.begin() as session:
        claim = await deliveries.claim(session)
    assert claim is not None
    return claim


async def deliver_next(courier: Courier) -> None:
    await deliver(await claim_next(courier), courier)


ALBUM = """SELECT state, reason, message_ids, thread_id, chat_id,
    extract(epoch FROM not_before - now())::float8 AS later_s
    FROM deliveries WHERE kind = 'album'"""


async def test_the_album_then_its_card_each_once(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask, row: Row
) -> None:
    await made(studio, ask)
    await deliver_next(courier)
    await deliver_next(courier)
    album = await row(ALBUM)
    assert album["state"] == "sent"
    (pictures,) = await sim.talk(ANNA).albums()
    assert [message["message_id"] for message in pictures] == album["message_ids"]
    card = await sim.talk(ANNA).text("Какую берёте")
    assert card["reply_to_message"]["message_id"] == pictures[0]["message_id"]
    assert [row["method"] for row in await sim.calls("sendMediaGroup", "sendMessage")] == [
        "sendMediaGroup",
        "sendMessage",
    ]
    known = await row("SELECT count(photo_file_id) AS n FROM predictions")
    assert known["n"] == 4


async def test_one_picture_is_a_photo(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask, row: Row
) -> None:
    await made(studio, ask, count=1)
    await deliver_next(courier)
    assert len(await sim.calls("sendPhoto")) == 1
    assert (await row(ALBUM))["state"] == "sent"


async def test_a_long_429_is_waited_for_without_sending(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask, row: Row
) -> None:
    await made(studio, ask)
    await sim.fault("sendMediaGroup", "429", retry_after=30)
    await deliver_next(courier)
    album = await row(ALBUM)
    assert album["state"] == "pending"
    assert 25 < float(str(album["later_s"])) <= 30
    assert await sim.talk(ANNA).albums() == []


@pytest.mark.parametrize("mode", ["500", "502html", "hang", "drop"])
async def test_a_doubt_is_never_sent_again_by_itself(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask, row: Row, mode: str
) -> None:
    await made(studio, ask)
    await sim.fault("sendMediaGroup", mode)
    await deliver_next(courier)
    assert (await row(ALBUM))["state"] == "unknown"
    assert len(await sim.calls("sendMediaGroup")) == 1
    async with courier.sessions.begin() as session:
        assert await deliveries.claim(session) is None


async def test_a_refused_connection_is_tried_again(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask, row: Row
) -> None:
    await made(studio, ask)
    nowhere = create_bot(TOKEN, "http://127.0.0.1:9", studio.pool)
    await deliver_next(dataclasses.replace(courier, bot=nowhere))
    await nowhere.session.close()
    album = await row(ALBUM)
    assert album["state"] == "pending"
    assert float(str(album["later_s"])) > 0


async def test_a_token_that_was_replaced_loses_no_album(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask, row: Row
) -> None:
    await made(studio, ask)
    refused = create_bot(f"{courier.bot.id}:old", sim.url, studio.pool)
    await deliver_next(dataclasses.replace(courier, bot=refused))
    await refused.session.close()
    assert (await row(ALBUM))["state"] == "pending"


async def test_a_bot_that_is_blocked_gives_up_and_remembers(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask, row: Row
) -> None:
    await made(studio, ask)
    await sim.post(f"chats/{ANNA}/members", action="block")
    await deliver_next(courier)
    album = await row(ALBUM)
    assert (album["state"], album["reason"]) == ("undeliverable", "blocked")
    assert (await row("SELECT blocked_at IS NOT NULL AS blocked FROM users"))["blocked"]


async def test_a_migrated_group_gets_its_album_under_the_new_id(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask, row: Row
) -> None:
    members = [{"id": ANNA, "status": "creator"}]
    group = await sim.post("chats", type="group", title="Г", members=members)
    await made(studio, ask, group["id"])
    supergroup = await sim.post(f"chats/{group['id']}/members", action="migrate")
    await deliver_next(courier)
    await deliver_next(courier)
    album = await row(ALBUM)
    assert (album["state"], album["chat_id"]) == ("sent", supergroup["id"])
    assert len(await sim.talk(supergroup["id"]).albums()) == 1


async def test_a_closed_topic_is_tried_once_without_it(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask, row: Row
) -> None:
    group = await sim.group(topics=("Кофе",))
    thread_id = group["topics"][0]["message_thread_id"]
    # An administrator may write into closed topics, a member may not.
    await sim.post(f"chats/{group['id']}/members", action="demote", bot=True)
    await sim.post(
        f"chats/{group['id']}/members", action="close_topic", message_thread_id=thread_id
    )
    await made(studio, ask, group["id"], thread_id=thread_id)
    await deliver_next(courier)
    assert (await row(ALBUM))["thread_id"] is None
    await deliver_next(courier)
    assert (await row(ALBUM))["state"] == "sent"


async def test_a_lost_file_is_said_to_be_lost(
    studio: Studio, courier: Courier, ask: Ask, row: Row
) -> None:
    await made(studio, ask)
    key = await row("SELECT storage_key FROM predictions WHERE rank = 1")
    await courier.store.delete(str(key["storage_key"]))
    await deliver_next(courier)
    album = await row(ALBUM)
    assert (album["state"], album["reason"]) == ("undeliverable", "file_missing")


@pytest.mark.parametrize("kept", [0, 200])
async def test_a_broken_file_does_not_hold_up_its_chat(
    studio: Studio, courier: Courier, ask: Ask, row: Row, kept: int
) -> None:
    """Empty or cut short, as after a loss of power."""
    await made(studio, ask)
    async with courier.sessions() as session:
        for key in await session.scalars(text("SELECT storage_key FROM predictions")):
            await courier.store.put(key, (await courier.store.get(key))[:kept])
    await deliver_next(courier)
    album = await row(ALBUM)
    assert (album["state"], album["reason"]) == ("undeliverable", "file_broken")


class NoStore(images.Store):
    """A disk that can't be read."""

    async def get(self, key: str) -> bytes:
        raise OSError("I/O error")


@pytest.mark.parametrize(("attempts", "state"), [(0, "pending"), (9, "undeliverable")])
async def test_storage_that_stays_away_is_not_tried_for_ever(
    studio: Studio,
    courier: Courier,
    ask: Ask,
    row: Row,
    image_dir: Path,
    attempts: int,
    state: str,
) -> None:
    await made(studio, ask)
    async with courier.sessions.begin() as session:
        await session.execute(text("UPDATE deliveries SET attempt = :n"), {"n": attempts})
    await deliver_next(dataclasses.replace(courier, store=NoStore(str(image_dir))))
    assert (await row(ALBUM))["state"] == state


async def test_what_is_no_longer_ours_is_not_said_to_be_delivered(
    studio: Studio, courier: Courier, ask: Ask, row: Row
) -> None:
    await made(studio, ask)
    claim = await claim_next(courier)
    with structlog.testing.capture_logs() as logs:
        await deliver(dataclasses.replace(claim, token=uuid4()), courier)
    assert (await row(ALBUM))["state"] == "sending"
    assert [line["event"] for line in logs] == ["no longer ours, nothing written"]


async def again(courier: Courier, asked: Asked, kind: DeliveryKind) -> None:
    async with courier.sessions.begin() as session:
        await deliveries.request(
            session, asked.account_id, asked.task_id, kind, f"again:{kind}:{asked.task_id}"
        )


async def test_the_second_time_pictures_go_by_file_id(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask
) -> None:
    asked = await made(studio, ask)
    await deliver_next(courier)
    await deliver_next(courier)
    await again(courier, asked, DeliveryKind.ALBUM)
    await deliver_next(courier)
    first, second = await sim.calls("sendMediaGroup")
    assert "attach://" in str(first["arguments"])
    assert "attach://" not in str(second["arguments"])
    assert len(await sim.talk(ANNA).albums()) == 2


async def test_a_refused_file_id_is_uploaded_again(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask, row: Row
) -> None:
    asked = await made(studio, ask)
    await deliver_next(courier)
    await deliver_next(courier)
    await again(courier, asked, DeliveryKind.ALBUM)
    async with courier.sessions.begin() as session:
        await session.execute(text("UPDATE predictions SET photo_file_id = 'gone' || id"))
        await session.execute(text("UPDATE deliveries SET attempt = 5 WHERE state = 'pending'"))
    await deliver_next(courier)
    await deliver_next(courier)
    assert len(await sim.talk(ANNA).albums()) == 2
    stale = await row("SELECT count(*) AS n FROM predictions WHERE photo_file_id LIKE 'gone%'")
    assert stale["n"] == 0


async def test_an_upload_that_is_refused_is_given_up(
    studio: Studio, courier: Courier, ask: Ask, row: Row
) -> None:
    async def refuse(
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        raise TelegramBadRequest(method, "Bad Request: wrong file identifier")

    await made(studio, ask)
    courier.bot.session.middleware.register(refuse)
    await deliver_next(courier)
    album = await row(ALBUM)
    assert (album["state"], album["reason"]) == ("undeliverable", "file_refused")


async def test_originals_come_as_documents(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask
) -> None:
    asked = await made(studio, ask)
    await deliver_next(courier)
    await deliver_next(courier)
    await again(courier, asked, DeliveryKind.ORIGINALS)
    await deliver_next(courier)
    sent = [one for one in await sim.talk(ANNA).messages() if "document" in one]
    assert [one["document"]["mime_type"] for one in sent] == ["image/png"] * 4
    (pictures,) = await sim.talk(ANNA).albums()
    answered = {one["reply_to_message"]["message_id"] for one in sent}
    assert answered == {pictures[0]["message_id"]}


async def test_an_album_that_was_deleted_is_answered_by_nothing(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask
) -> None:
    await made(studio, ask)
    await deliver_next(courier)
    (pictures,) = await sim.talk(ANNA).albums()
    ids = [one["message_id"] for one in pictures]
    await courier.bot.delete_messages(ANNA, ids)
    await deliver_next(courier)
    assert "reply_to_message" not in await sim.talk(ANNA).text("Какую берёте")


async def test_a_call_on_its_way_is_finished_when_the_worker_stops(
    studio: Studio, courier: Courier, sim: Sim, ask: Ask, row: Row
) -> None:
    await made(studio, ask)
    delivering = asyncio.create_task(deliver(await claim_next(courier), courier))
    await asyncio.sleep(0)
    delivering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivering
    assert (await row(ALBUM))["state"] == "sent"
    assert len(await sim.talk(ANNA).albums()) == 1
