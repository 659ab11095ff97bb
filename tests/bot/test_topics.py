"""What the bot says later of its own accord comes to the topic in which it was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from db import images
from tests.bot.office import execute
from tests.bot.stage import Person, Stage
from tests.bot.test_approval import drawn
from tests.bot.test_plans import asked
from tests.bot.test_wallet import pay
from tests.sim import ANNA, Message
from workers import notices
from workers.courier import Courier
from workers.publish import Publisher
from workers.settings import WorkerSettings


@pytest.fixture
def courier(live: Stage, image_dir: Path) -> Courier:
    store = images.Store(str(image_dir))
    return Courier(live.sessions, live.pool, store, live.bot, WorkerSettings())


@pytest.fixture
async def anna(live: Stage) -> Person:
    """The owner of a team, in one of its topics."""
    group = await live.sim.group(topics=("Осень",))
    anna = live.person(ANNA, group["id"], group["topics"][0]["message_thread_id"])
    await live.person(ANNA, group["id"]).text("для этой команды")
    return anna


async def close_topic(anna: Person) -> Person:
    """Now only administrators may write there; Anna, where she sees the whole group."""
    path = f"chats/{anna.chat_id}/members"
    await anna.sim.post(path, action="demote", bot=True)
    await anna.sim.post(path, action="close_topic", message_thread_id=anna.thread_id)
    return anna.stage.person(ANNA, anna.chat_id)


async def told(courier: Courier) -> None:
    """The notices that wait go out, as the io worker sends them."""
    while (claimed := await notices.claim(courier)) is not None:
        await notices.send(claimed, courier)


async def invoice(anna: Person) -> Message:
    """For the money that a plan wants."""
    await anna.press("Пополнить", await asked(anna, "Профи"))
    await anna.press("Звёздами")
    return await anna.wait_for(lambda one: "invoice" in one, "invoice")


async def test_what_comes_of_an_invoice_is_told_in_its_topic(
    anna: Person, courier: Courier, live: Stage
) -> None:
    paid = await pay(anna, await invoice(anna))
    await anna.text("Купить «Профи»?")
    await told(courier)
    await anna.text("В кошелёк пришло")
    charge = paid["message"]["successful_payment"]["telegram_payment_charge_id"]  # type: ignore[index]
    await live.sim.post("refund", charge_id=charge)
    while not await live.rows("SELECT id FROM notices WHERE state = 'pending'"):
        await anna.messages()
    await told(courier)
    await anna.text("Telegram вернул платёж")


async def test_a_receipt_comes_to_the_group_where_the_topic_was_closed(
    anna: Person, courier: Courier
) -> None:
    bill = await invoice(anna)
    outside = await close_topic(anna)
    await pay(anna, bill)
    again = await outside.text("Купить «Профи»?")
    await told(courier)
    receipt = await outside.text("В кошелёк пришло")
    assert "message_thread_id" not in again | receipt


async def test_a_post_that_failed_is_told_in_the_topic_in_which_it_was_published(
    anna: Person, courier: Courier, live: Stage
) -> None:
    channel = await live.sim.post(
        "chats", type="channel", title="Кофе рядом", members=[{"id": ANNA, "status": "creator"}]
    )
    album = await drawn(anna)
    await execute(
        live,
        "INSERT INTO channels (account_id, chat_id, title, connected_by)"
        " SELECT id, :chat_id, 'Кофе рядом', :anna FROM accounts WHERE kind = 'team'",
        chat_id=channel["id"], anna=ANNA,
    )  # fmt: skip
    await execute(live, "UPDATE periods SET channels = 1")
    await anna.press("В канал", album)
    await anna.press("Посмотреть", await anna.text("Пост в"))
    await anna.press("Сейчас")
    publisher = Publisher(courier)
    while (claim := await publisher.claim()) is None:
        await anna.messages()
    await publisher.publish(claim)
    await told(courier)
    await anna.text("не опубликован")
