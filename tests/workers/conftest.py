"""Workers on a real Postgres and Redis, with a pipeline whose generator a test can hold back."""

from __future__ import annotations

import itertools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from arq import ArqRedis
from PIL import Image
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot.gateway import create_bot
from db import accounts, images, queue, requests
from db.views import NewDraft, TelegramUser
from pipeline.errors import Cancelled
from pipeline.run import Pipeline
from pipeline.types import Brief, CancelFlag, OnPicture, Picture, Prompt, Score
from playground import server
from tests.sim import TOKEN, Sim
from workers.courier import Courier
from workers.generate import Studio
from workers.settings import WorkerSettings

SETTINGS = WorkerSettings(
    lease_s=30, heartbeat_s=0.05, poll_every_s=0.2, sweep_every_s=0.2, delivery_lease_s=30
)


class Words:
    """An enhancer that keeps the words."""

    name = "words"

    async def enhance(self, brief: Brief) -> Prompt:
        return Prompt(brief.cleaned_prompt, "", brief.cleaned_prompt, "words", ("слово",))


class Painter:
    """Draws flat pictures, one a `step`; raises `error` first, if there is one."""

    name = "painter"
    max_count = 4
    starts_from_photos = False

    def __init__(self) -> None:
        self.drawing = threading.Event()
        self.step = threading.Event()
        self.step.set()
        self.error: Exception | None = None
        self.brief: Brief | None = None

    def generate(
        self,
        prompt: Prompt,
        brief: Brief,
        seeds: Sequence[int],
        on_picture: OnPicture,
        cancel: CancelFlag,
    ) -> list[Picture]:
        self.brief = brief
        self.drawing.set()
        if self.error is not None:
            raise self.error
        made = []
        for place, seed in enumerate(seeds):
            on_picture(place, 0.25)
            while not self.step.wait(0.01):
                if cancel.is_set():
                    raise Cancelled
            colour = (seed % 256, 60 * place, 128)
            made.append(Picture(seed, Image.new("RGB", (64, 64), colour), {"steps": 1}))
            on_picture(place + 1)
        return made


class Critic:
    """Likes later pictures more."""

    name = "critic"

    def score(self, intent: str, images: Sequence[Image.Image]) -> list[Score]:
        return [
            Score(0.3, 0.2 * place, 5.0, 0.1 * place, {"contrast": 0.5})
            for place in range(1, len(images) + 1)
        ]


@pytest.fixture
def painter() -> Painter:
    return Painter()


@pytest.fixture
async def pool(redis_url: str) -> AsyncIterator[ArqRedis]:
    pool = await queue.create_pool(redis_url)
    yield pool
    await pool.aclose()


@pytest.fixture
def store(image_dir: Path) -> images.Store:
    return images.Store(str(image_dir))


@pytest.fixture
def studio(
    sessions: async_sessionmaker[AsyncSession],
    pool: ArqRedis,
    store: images.Store,
    painter: Painter,
) -> Studio:
    return Studio(sessions, pool, store, Pipeline(Words(), painter, Critic()), SETTINGS)


@pytest.fixture
async def sim() -> AsyncIterator[Sim]:
    async with server.running() as url, aiohttp.ClientSession() as http:
        yield Sim(url, http)


@pytest.fixture
async def courier(studio: Studio, sim: Sim) -> AsyncIterator[Courier]:
    bot = create_bot(TOKEN, sim.url, studio.pool, sessions=studio.sessions, timeout_s=1.0)
    await bot.get_me()
    yield Courier(studio.sessions, studio.pool, studio.store, bot, SETTINGS)
    await bot.session.close()


@dataclass(frozen=True, slots=True)
class Asked:
    """A submitted request."""

    account_id: int
    request_id: int
    task_id: int


Ask = Callable[..., Awaitable[Asked]]


@pytest.fixture
def ask(sessions: async_sessionmaker[AsyncSession]) -> Ask:
    """Submits a request of person 1001, by default in their private chat."""
    message_ids = itertools.count(1)

    async def asked(
        chat_id: int = 1001,
        *,
        user_id: int = 1001,
        thread_id: int | None = None,
        count: int = 4,
        status_message_id: int | None = None,
    ) -> Asked:
        person = TelegramUser(user_id, "Анна", language_code="ru")
        kind = "private" if chat_id > 0 else "supergroup"
        async with sessions.begin() as session:
            await accounts.ensure_user(session, person)
            account_id = await accounts.for_chat(session, user_id, chat_id, kind, "Команда")
            new = NewDraft(
                account_id=account_id,
                user_id=user_id,
                chat_id=chat_id,
                thread_id=thread_id,
                source_message_id=next(message_ids),
                raw_prompt="кофе осенью",
                cleaned_prompt="кофе осенью",
                seed=7,
                locale="ru",
                count=count,
            )
            draft, _ = await requests.draft(session, new)
            submitted = await requests.submit(
                session,
                account_id,
                draft.id,
                "card:1:make",
                chat_id=chat_id,
                thread_id=thread_id,
                now=datetime.now(UTC),
                status_message_id=status_message_id,
            )
        return Asked(account_id, draft.id, submitted.task_id)

    return asked


Row = Callable[[str], Awaitable[dict[str, object]]]


@pytest.fixture
def row(sessions: async_sessionmaker[AsyncSession]) -> Row:
    """The one row of a query, as a dict."""

    async def fetch(query: str) -> dict[str, object]:
        async with sessions() as session:
            return dict((await session.execute(text(query))).mappings().one())

    return fetch
