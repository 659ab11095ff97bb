"""The bot in this process, seen from the chat; and the worker's part, done by hand."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiogram import Bot, Dispatcher
from arq import ArqRedis
from PIL import Image
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot import delivery
from db import accounts, albums, deliveries, plans, tasks, wallet
from db.money_views import Agreed
from db.states import DeliveryKind, SystemWallet, TransferKind
from db.views import FinishedAlbum, NewPrediction, PromptRecord, TelegramUser
from tests.clock import MovedClock
from tests.sim import ANNA, Message, Sim, Talk

Sessions = async_sessionmaker[AsyncSession]

FINALS = ((0.81, 0.87), (0.78, 0.61), (0.70, 0.66), (0.69, 0.41))
"""Match and aesthetics of the pictures that the tests' artist makes."""


@dataclass
class Stage:
    """A running bot and everything around it."""

    sim: Sim
    bot: Bot
    dispatcher: Dispatcher
    sessions: Sessions
    redis: Redis
    pool: ArqRedis
    clock: MovedClock = field(default_factory=MovedClock)
    files: dict[str, bytes] = field(default_factory=dict)

    def person(
        self, user_id: int = ANNA, chat_id: int | None = None, thread_id: int | None = None
    ) -> Person:
        chat = user_id if chat_id is None else chat_id
        return Person(self.sim, chat, user_id, thread_id, patience_s=20.0, stage=self)

    async def rested(self) -> None:
        """As if time had passed: the gateway's buckets are full again."""
        keys = [key async for key in self.redis.scan_iter("pace:*")]
        if keys:
            await self.redis.delete(*keys)

    async def rows(self, query: str, **values: object) -> list[Any]:
        async with self.sessions() as session:
            return [row._asdict() for row in await session.execute(text(query), values)]

    async def rows_changed(self, statement: str) -> None:
        """As if somebody else had done this."""
        async with self.sessions.begin() as session:
            await session.execute(text(statement))

    async def account_of(self, user_id: int = ANNA) -> int:
        """The personal account of somebody, who is met by this if the bot does not know them."""
        async with self.sessions.begin() as session:
            return (await accounts.ensure_user(session, TelegramUser(user_id, "x"))).account_id

    async def credit(self, kopecks: int, user_id: int = ANNA) -> None:
        """Money for somebody's own wallet."""
        await self.credit_account(await self.account_of(user_id), kopecks)

    async def credit_account(self, account_id: int, kopecks: int) -> None:
        async with self.sessions.begin() as session:
            kind, key = TransferKind.CREDIT, f"test:{uuid.uuid4()}"
            await wallet.transfer(session, SystemWallet.OPERATOR, account_id, kopecks, kind, key)

    async def plan(self, code: str, user_id: int = ANNA) -> None:
        """A plan for somebody's own account, paid for."""
        account_id, now = await self.account_of(user_id), self.clock()
        async with self.sessions.begin() as session:
            quote = await plans.quote(session, account_id, code, now=now)
        await self.credit(quote.to_pay, user_id)
        async with self.sessions.begin() as session:
            agreed = Agreed(quote.to_pay, f"test:{uuid.uuid4()}")
            await plans.choose(session, account_id, code, now=now, agreed=agreed)

    async def used(self, pictures: int, user_id: int = ANNA) -> None:
        """As if so many pictures of the month had been drawn."""
        account_id = await self.account_of(user_id)
        async with self.sessions.begin() as session:
            await plans.standing(session, account_id, now=self.clock())
            await session.execute(
                text("UPDATE periods SET used = :used WHERE account_id = :account_id"),
                {"used": pictures, "account_id": account_id},
            )

    async def renew(self) -> None:
        """What the io worker does of its own accord for subscriptions."""
        async with self.sessions.begin() as session:
            due = await plans.due(session, now=self.clock(), limit=100)
        for account_id in due:
            async with self.sessions.begin() as session:
                await plans.renew(session, account_id, now=self.clock())

    async def push(self, update: dict[str, Any]) -> None:
        """A raw update, as Telegram might send it."""
        await self.sim.post("updates?next_id=1", **update)

    async def draw(self, pictures: int = 4, chat_id: int | None = None) -> int:
        """Do the waiting task and deliver its album, as the workers would; the task's id."""
        async with self.sessions.begin() as session:
            claim = await tasks.claim(session, lease_s=60, account_running_cap=9)
        assert claim is not None, "no task waits"
        images = tuple(self._paint(claim.task_id, rank) for rank in range(1, pictures + 1))
        album = FinishedAlbum(
            prompt=PromptRecord("coffee <b>&", "text, blurry", "coffee", "lexicon", ("раф",)),
            images=images,
            judge="pixels",
            generator="mock",
            timings_ms={"total": 1234.0},
        )
        async with self.sessions.begin() as session:
            await tasks.finish(session, claim.task_id, claim.token, album)
        await self.deliver()
        return claim.task_id

    def _paint(self, task_id: int, rank: int) -> NewPrediction:
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), (60 * rank, 20, 90)).save(buffer, "PNG")
        key = f"tasks/{task_id}/{rank:016x}.png"
        self.files[key] = buffer.getvalue()
        clip_n, aes_n = FINALS[rank - 1]
        return NewPrediction(
            rank=rank,
            seed=1000 + rank,
            storage_key=key,
            sha256=f"{rank:064x}",
            width=64,
            height=64,
            size_bytes=len(self.files[key]),
            clip_raw=0.3,
            clip_n=clip_n,
            aes_raw=5.5,
            aes_n=aes_n,
            final_score=0.7 * clip_n + 0.3 * aes_n,
            gen_meta={"details": {"contrast": 0.9 - rank / 10, "sharpness": 0.5}},
        )

    async def deliver(self) -> None:
        """Send all that waits, as the io worker would."""
        await self.rested()
        while True:
            async with self.sessions.begin() as session:
                claim = await deliveries.claim(session)
                if claim is None:
                    return
                album = await albums.album(session, claim.account_id, claim.task_id)
            place = claim.chat_id, claim.thread_id
            if claim.kind == DeliveryKind.ACTIONS:
                sent = await delivery.send_actions(self.bot, album, *place, claim.reply_to)
            elif claim.kind == DeliveryKind.ALBUM:
                sent = await delivery.send_album(self.bot, album, *place, self._load)
            else:
                only_best = claim.origin == deliveries.BEST
                sent = await delivery.send_originals(
                    self.bot,
                    album,
                    *place,
                    self._load,
                    reply_to=claim.reply_to,
                    only_best=only_best,
                )
            photos = sent.file_ids if claim.kind == DeliveryKind.ALBUM else {}
            documents = sent.file_ids if claim.kind == DeliveryKind.ORIGINALS else {}
            async with self.sessions.begin() as session:
                await deliveries.sent(
                    session, claim.id, claim.token, sent.message_ids, photos, documents
                )

    async def _load(self, key: str) -> bytes:
        return self.files[key]


@dataclass
class Person(Talk):
    """Somebody in a chat, who takes their time."""

    stage: Stage = None  # type: ignore[assignment]

    async def send(self, text: str, **more: Any) -> int:
        await self.stage.rested()
        return await super().send(text, **more)

    async def press(self, part: str, on: Message | None = None) -> Any:
        await self.stage.rested()
        return await super().press(part, on)

    async def tap(self, data: str, on: Message) -> Any:
        """Presses a button with this callback data, which no button here has."""
        await self.stage.rested()
        user = {"id": self.user_id, "is_bot": False, "first_name": "x", "language_code": "ru"}
        query_id = str(abs(hash((data, on["message_id"], self.user_id))))
        query = {"id": query_id, "from": user, "message": on, "chat_instance": "1", "data": data}
        await self.stage.push({"callback_query": query})

    async def edit(self, message_id: int, text: str) -> None:
        await self.stage.rested()
        await self.sim.post(
            f"chats/{self.chat_id}/edit", user_id=self.user_id, message_id=message_id, text=text
        )

    async def upload(self, kind: str, data: bytes, name: str, caption: str = "") -> int:
        await self.stage.rested()
        return await super().upload(kind, data, name, caption)

    async def settled(self) -> list[Message]:
        """The chat once everything sent so far has been handled: one's updates go in order."""
        asked = await self.send("/help" if self.chat_id > 0 else f"/help@{await self.username()}")
        await self.wait_for(lambda one: one["message_id"] > asked and "/history" in one["text"])
        return [one for one in await self.messages() if one["message_id"] < asked]

    async def username(self) -> str:
        return (await self.stage.bot.me()).username or ""

    async def answer_to(self, text: str, expected: str) -> Message:
        """Sends and waits for a message newer than it that says `expected`."""
        sent = await self.send(text)
        return await self.next(sent, expected)

    async def next(self, after: int, expected: str) -> Message:
        return await self.wait_for(
            lambda one: (
                one["message_id"] > after
                and bool(one["from"]["is_bot"])
                and expected in str(one.get("text") or one.get("caption") or "")
            ),
            expected,
        )


def buttons(message: Message) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [str(button["text"]) for row in rows for button in row]


def data_of(message: Message, part: str) -> str:
    """The callback data of the message's button with `part` in its label."""
    rows = message["reply_markup"]["inline_keyboard"]
    return next(str(b["callback_data"]) for row in rows for b in row if part in b["text"])
