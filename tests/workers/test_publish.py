"""Posts against the playground and its faults: what the channel got, what the database says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from db import channels, plans, posts, publishing, tasks
from db.team_views import PostView
from pipeline.types import CancelFlag
from tests.sim import ANNA, Message, Sim
from tests.workers.conftest import Ask, Asked, Row
from tests.workers.waiting import until
from workers import generate
from workers.courier import Courier
from workers.generate import Studio
from workers.leases import Leases
from workers.publish import Publisher

NOW = datetime.now(UTC)


@dataclass
class Channel:
    """One of the playground's, connected for Anna."""

    id: int
    chat_id: int
    sim: Sim

    async def posts(self) -> list[Message]:
        return list((await self.sim.get(f"chats/{self.chat_id}/messages"))["messages"])

    async def bot(self, action: str) -> None:
        await self.sim.post(f"chats/{self.chat_id}/members", action=action, bot=True)


@dataclass
class Newsroom:
    """An album, channels, and the worker's part that publishes."""

    sim: Sim
    courier: Courier
    album: Asked
    publisher: Publisher

    async def channel(self, title: str = "Кофе рядом") -> Channel:
        made = await self.sim.post(
            "chats",
            type="channel",
            title=title,
            members=[{"id": ANNA, "status": "creator"}],
            bot_status="administrator",
        )
        account_id = self.album.account_id
        async with self.courier.sessions.begin() as session:
            connected = await channels.connect(
                session, account_id, ANNA, chat_id=made["id"], title=title, username=None, now=NOW
            )
        return Channel(connected.id, made["id"], self.sim)

    async def post(
        self, channel: Channel, at: datetime = NOW, caption: str = "", ranks: tuple[int, ...] = ()
    ) -> PostView:
        account_id = self.album.account_id
        async with self.courier.sessions.begin() as session:
            post = await posts.draft(session, account_id, ANNA, self.album.task_id, channel.id)
            if ranks:
                await posts.set_ranks(session, account_id, post.id, ranks)
            await posts.set_caption(session, account_id, post.id, caption)
            post, _ = await posts.publish_now(session, account_id, post.id, now=at)
        return post

    async def publish(self) -> None:
        claim = await self.publisher.claim()
        assert claim is not None
        await self.publisher.publish(claim)

    async def caption(self, post: PostView, caption: str) -> None:
        async with self.courier.sessions.begin() as session:
            await posts.set_caption(session, post.account_id, post.id, caption)

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """The publisher as the io process runs it."""
        running = [asyncio.create_task(job) for job in self.publisher.jobs()]
        yield
        for task in running:
            task.cancel()
        ends = await asyncio.gather(*running, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends


@pytest.fixture
async def room(studio: Studio, courier: Courier, sim: Sim, ask: Ask) -> Newsroom:
    asked = await ask(ANNA)
    async with studio.sessions.begin() as session:
        claim = await tasks.claim(session, lease_s=30, account_running_cap=2)
    assert claim is not None
    await generate.make(claim, studio, CancelFlag())
    async with studio.sessions.begin() as session:
        await plans.terms(session, asked.account_id, now=NOW)
    async with studio.sessions.begin() as session:
        await session.execute(_MANY_CHANNELS)
    return Newsroom(sim, courier, asked, Publisher(courier))


_MANY_CHANNELS = text("UPDATE periods SET channels = 1000")
POST = "SELECT state, reason, message_ids, shown_caption, caption FROM posts"
TOLD = "SELECT array_agg(kind ORDER BY id) AS kinds FROM notices"
BROKEN = "SELECT broken_reason FROM channels"


async def test_a_post_goes_out_as_it_was_made(room: Newsroom, row: Row) -> None:
    channel = await room.channel()
    await room.post(channel, caption="<b>Осеннее</b> меню &amp; корица", ranks=(1, 3))
    await room.publish()
    post = await row(POST)
    shown = await channel.posts()
    assert [one["message_id"] for one in shown] == post["message_ids"]
    assert shown[0]["caption"] == "Осеннее меню & корица"
    assert shown[0]["caption_entities"] == [{"type": "bold", "offset": 0, "length": 7}]
    assert "caption" not in shown[1]
    assert (post["state"], post["shown_caption"]) == ("sent", post["caption"])
    assert await room.publisher.claim() is None


async def test_one_picture_is_a_photo(room: Newsroom, sim: Sim) -> None:
    await room.post(await room.channel())
    await room.publish()
    assert len(await sim.calls("sendPhoto")) == 1


@pytest.mark.parametrize("mode", ["500", "502html", "hang", "drop"])
async def test_a_doubt_is_never_sent_again_by_itself(
    room: Newsroom, sim: Sim, row: Row, mode: str
) -> None:
    await room.post(await room.channel())
    await sim.fault("sendPhoto", mode)
    await room.publish()
    assert (await row(POST))["state"] == "unknown"
    assert (await row(TOLD))["kinds"] == ["post_unknown"]
    assert await room.publisher.claim() is None
    assert len(await sim.calls("sendPhoto")) == 1


@pytest.mark.parametrize("mode", ["500", "hang", "429"])
async def test_a_doubt_about_the_rights_is_none_about_the_post(
    room: Newsroom, sim: Sim, row: Row, mode: str
) -> None:
    await room.post(await room.channel())
    await sim.fault("getChatMember", mode, retry_after=30)
    await room.publish()
    post = await row("SELECT state, not_before > now() AS waits FROM posts")
    assert (post["state"], post["waits"]) == ("scheduled", True)
    assert await sim.calls("sendPhoto") == []


async def test_a_long_429_is_waited_for_without_sending(room: Newsroom, sim: Sim, row: Row) -> None:
    await room.post(await room.channel())
    await sim.fault("sendPhoto", "429", retry_after=30)
    await room.publish()
    post = await row("SELECT state, not_before > now() + '25 s' AS waits FROM posts")
    assert (post["state"], post["waits"]) == ("scheduled", True)


@pytest.mark.parametrize("action", ["demote", "kick"])
async def test_a_bot_without_rights_tells_at_once_and_comes_back(
    room: Newsroom, sim: Sim, row: Row, action: str
) -> None:
    channel = await room.channel()
    post = await room.post(channel)
    await channel.bot(action)
    await room.publish()
    assert (await row(POST))["state"] == "undeliverable"
    assert (await row(BROKEN))["broken_reason"] == "no_rights"
    assert (await row(TOLD))["kinds"] == ["channel_broken", "post_undeliverable"]
    assert await sim.calls("sendPhoto") == []
    await channel.bot("promote")
    async with room.courier.sessions.begin() as session:
        await posts.publish_now(session, post.account_id, post.id, now=NOW)
    await room.publish()
    assert len(await channel.posts()) == 1
    assert (await row(BROKEN))["broken_reason"] is None


async def test_rights_lost_between_asking_and_sending(room: Newsroom, sim: Sim, row: Row) -> None:
    """Telegram's own refusal says it as well: here the bot may manage, but not post."""
    channel = await room.channel()
    await room.post(channel)
    await sim.post(
        f"chats/{channel.chat_id}/members",
        action="promote",
        bot=True,
        rights={"can_manage_chat": True},
    )
    await room.publish()
    assert (await row(POST))["reason"] == "no_rights"
    assert await channel.posts() == []


async def test_a_file_id_that_is_refused_is_uploaded_anew(
    room: Newsroom, row: Row, studio: Studio
) -> None:
    channel = await room.channel()
    async with studio.sessions.begin() as session:
        await session.execute(text("UPDATE predictions SET photo_file_id = 'gone'"))
    await room.post(channel)
    await room.publish()
    assert (await row(POST))["state"] == "scheduled"
    await room.publish()
    assert len(await channel.posts()) == 1


async def test_a_changed_caption_reaches_the_post(room: Newsroom, row: Row) -> None:
    channel = await room.channel()
    post = await room.post(channel, caption="Старая")
    await room.publish()
    await room.caption(post, "<i>Новая</i>")
    assert await room.publisher.edit() == 1
    (shown,) = await channel.posts()
    assert shown["caption"] == "Новая"
    await room.caption(post, "")
    await room.publisher.edit()
    (shown,) = await channel.posts()
    assert "caption" not in shown
    assert await room.publisher.edit() == 0


async def test_an_edit_is_brought_again_after_a_fault(room: Newsroom, sim: Sim, row: Row) -> None:
    channel = await room.channel()
    post = await room.post(channel, caption="Старая")
    await room.publish()
    await room.caption(post, "Новая")
    await sim.fault("editMessageCaption", "500")
    await room.publisher.edit()
    assert (await row(POST))["shown_caption"] == "Старая"
    async with room.courier.sessions.begin() as session:
        await session.execute(text("UPDATE posts SET not_before = NULL"))
    await room.publisher.edit()
    (shown,) = await channel.posts()
    assert shown["caption"] == "Новая"


async def test_a_deleted_post_keeps_no_promise(room: Newsroom, sim: Sim, row: Row) -> None:
    channel = await room.channel()
    post = await room.post(channel, caption="Старая")
    await room.publish()
    (shown,) = await channel.posts()
    await sim.post(f"chats/{channel.chat_id}/delete", user_id=ANNA, message_id=shown["message_id"])
    await room.caption(post, "Новая")
    await room.publisher.edit()
    assert (await row(POST))["caption"] == "Старая"
    assert (await row(TOLD))["kinds"] == ["post_edit_refused"]


async def test_the_sweep_asks_about_what_is_late(room: Newsroom, row: Row) -> None:
    await room.post(await room.channel(), at=NOW - publishing.LATE - timedelta(minutes=1))
    assert await room.publisher.claim() is None
    await room.publisher.sweep()
    assert (await row(POST))["state"] == "overdue"
    assert (await row(TOLD))["kinds"] == ["post_overdue"]


@pytest.mark.parametrize("late", [timedelta(), publishing.LATE + timedelta(minutes=1)])
async def test_a_post_to_a_frozen_channel_says_so_and_is_not_sent(
    room: Newsroom, sim: Sim, row: Row, late: timedelta
) -> None:
    post = await room.post(await room.channel(), at=NOW - late)
    card = await room.courier.bot.send_message(ANNA, "card")
    async with room.courier.sessions.begin() as session:
        await posts.remember_card(session, post.account_id, post.id, ANNA, card.message_id)
        await session.execute(text("UPDATE periods SET channels = 0"))
    assert await room.publisher.claim() is None
    await room.publisher.sweep()
    assert (await row(POST))["state"] == "undeliverable"
    assert (await row(TOLD))["kinds"] == ["post_undeliverable"]
    await room.publisher.show_next()
    shown = await sim.talk(ANNA).text("Возьмите тариф побольше: /plans, или отключите")
    assert shown["message_id"] == card.message_id
    assert await sim.calls("sendPhoto") == []


async def test_the_card_says_how_it_went(room: Newsroom, sim: Sim) -> None:
    channel = await room.channel()
    post = await room.post(channel)
    card = await room.courier.bot.send_message(ANNA, "card")
    async with room.courier.sessions.begin() as session:
        await posts.remember_card(session, post.account_id, post.id, ANNA, card.message_id)
    async with room.at_work():
        await sim.talk(ANNA).text("Опубликовано")


async def test_the_card_of_a_dead_senders_post_asks_as_well(
    room: Newsroom, sim: Sim, row: Row
) -> None:
    post = await room.post(await room.channel())
    assert await room.publisher.claim() is not None
    card = await room.courier.bot.send_message(ANNA, "card")
    async with room.courier.sessions.begin() as session:
        await posts.remember_card(session, post.account_id, post.id, ANNA, card.message_id)
        await session.execute(text("UPDATE posts SET lease_until = now() - interval '1 s'"))
    await Leases(room.courier, room.publisher)()
    assert (await row(POST))["state"] == "unknown"
    await room.publisher.show_next()
    shown = await sim.talk(ANNA).text("Не уверен, что")
    assert shown["message_id"] == card.message_id


async def test_a_post_that_takes_its_time_is_its_senders(room: Newsroom, row: Row) -> None:
    await room.post(await room.channel())
    claim = await room.publisher.claim()
    assert claim is not None
    async with room.courier.sessions.begin() as session:
        await session.execute(text("UPDATE posts SET lease_until = now() - interval '1 s'"))
    room.courier.held[claim.token] = claim
    await Leases(room.courier, room.publisher)()
    assert (await row(POST))["state"] == "sending"


async def test_many_posts_each_once_in_order_none_early(room: Newsroom, sim: Sim) -> None:
    """200 posts to 20 channels, due within two seconds, with Telegram's limits enforced."""
    chats = [await room.channel(f"Канал {n}") for n in range(20)]
    start = datetime.now(UTC) + timedelta(seconds=3)
    planned: dict[str, datetime] = {}
    for n in range(10):
        for place, chat in enumerate(chats):
            name = f"{place}-{n}"
            # Later ones first, so that the order of making is not that of going.
            planned[name] = start + timedelta(milliseconds=200 * (9 - n))
            await room.post(chat, at=planned[name], caption=name)
    await sim.post("limits", enforce=True)

    async def all_sent() -> bool:
        async with room.courier.sessions() as session:
            left = await session.scalar(text("SELECT count(*) FROM posts WHERE state <> 'sent'"))
        return not left

    async with room.at_work():
        await until(all_sent, within_s=60)
    calls = await sim.calls("sendPhoto")
    assert {call["status"] for call in calls} == {200}
    assert len(calls) == 200
    for place, chat in enumerate(chats):
        shown = [one["caption"] for one in await chat.posts()]
        assert shown == [f"{place}-{n}" for n in range(9, -1, -1)]
    early = [
        call["arguments"]["caption"]
        for call in calls
        if call["time"] < planned[call["arguments"]["caption"]].timestamp()
    ]
    assert early == []
