"""Rows to start tests from, made by the product's own functions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import accounts, deliveries, plans, requests, tasks, wallet
from db.models import Base
from db.money_views import Agreed, Standing
from db.states import DeliveryKind, SystemWallet, TransferKind
from db.views import (
    Claim,
    DeliveryClaim,
    FinishedAlbum,
    NewDraft,
    NewPrediction,
    PromptRecord,
    TelegramUser,
)

Sessions = async_sessionmaker[AsyncSession]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

_message_ids = itertools.count(1000)


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    account_id: int


async def person(sessions: Sessions, user_id: int = 1) -> Person:
    async with sessions.begin() as session:
        view = await accounts.ensure_user(
            session, TelegramUser(id=user_id, first_name="Аня", language_code="ru")
        )
    return Person(id=user_id, account_id=view.account_id)


async def credit(sessions: Sessions, account_id: int, amount: int, key: str = "credit") -> None:
    """Money from the operator, in kopecks."""
    async with sessions.begin() as session:
        await wallet.transfer(
            session, SystemWallet.OPERATOR, account_id, amount, TransferKind.CREDIT, key
        )


async def subscribe(
    sessions: Sessions, account_id: int, plan_code: str, *, now: datetime | None = None
) -> Standing:
    """On a paid plan, with the money for exactly that."""
    moment = now or datetime.now(UTC)
    async with sessions.begin() as session:
        offer = await plans.quote(session, account_id, plan_code, now=moment)
        await wallet.transfer(
            session,
            SystemWallet.OPERATOR,
            account_id,
            offer.to_pay,
            TransferKind.CREDIT,
            f"for {plan_code} at {moment}",
        )
        agreed = Agreed(offer.to_pay, f"{moment}")
        return await plans.choose(session, account_id, plan_code, now=moment, agreed=agreed)


async def choose(
    session: AsyncSession, account_id: int, plan_code: str, *, now: datetime, key: str
) -> Standing:
    """Whatever it costs at the moment."""
    offer = await plans.quote(session, account_id, plan_code, now=now)
    agreed = Agreed(offer.to_pay, key)
    return await plans.choose(session, account_id, plan_code, now=now, agreed=agreed)


async def free_pictures(sessions: Sessions, count: int) -> None:
    """So many a month are in the Free plan of whoever begins with it from now on."""
    await execute(
        sessions, "UPDATE plans SET images_limit = :count WHERE code = 'free'", count=count
    )


def new_draft(who: Person, **fields: object) -> NewDraft:
    values: dict[str, object] = {
        "account_id": who.account_id,
        "user_id": who.id,
        "chat_id": who.id,
        "source_message_id": next(_message_ids),
        "raw_prompt": "кофе осенью!!",
        "cleaned_prompt": "кофе осенью",
        "seed": 7,
        "locale": "ru",
        "count": 4,
        "platform": "instagram",
        "goal": "promotion",
    }
    return NewDraft(**(values | fields))  # type: ignore[arg-type]


async def queued(
    sessions: Sessions, who: Person, *, origin: str = "card:1:create", chat_id: int | None = None
) -> int:
    """The id of a task that waits."""
    chat = who.id if chat_id is None else chat_id
    async with sessions.begin() as session:
        draft, _ = await requests.draft(session, new_draft(who, chat_id=chat))
        submitted = await requests.submit(
            session, who.account_id, draft.id, origin, chat_id=chat, thread_id=None, now=NOW
        )
    return submitted.task_id


async def burst(sessions: Sessions, who: Person, count: int) -> None:
    """More tasks than one person may have waiting."""
    task_id = await queued(sessions, who)
    await execute(
        sessions,
        "INSERT INTO ml_tasks (request_id, account_id, user_id, locale, origin, brief, chat_id)"
        " SELECT request_id, account_id, user_id, locale, origin || n, brief, chat_id"
        " FROM ml_tasks, generate_series(2, :count) n WHERE id = :id",
        id=task_id,
        count=count,
    )


async def claim(sessions: Sessions, *, cap: int = 2, lease_s: float = 45) -> Claim | None:
    async with sessions.begin() as session:
        return await tasks.claim(session, lease_s=lease_s, account_running_cap=cap)


async def running(sessions: Sessions, who: Person) -> Claim:
    await queued(sessions, who)
    claimed = await claim(sessions)
    assert claimed is not None
    return claimed


def finished_album(count: int = 2) -> FinishedAlbum:
    return FinishedAlbum(
        prompt=PromptRecord(
            render="coffee, autumn",
            negative="text",
            intent="coffee",
            backend="lexicon",
            unknown=("осенью",),
        ),
        images=tuple(picture(rank) for rank in range(1, count + 1)),
        judge="pixels",
        generator="mock",
        timings_ms={"enhance": 1.5, "generate": 20.0},
    )


def picture(rank: int) -> NewPrediction:
    clip_n, aes_n = 0.9 - rank / 10, 0.5
    return NewPrediction(
        rank=rank,
        seed=100 + rank,
        storage_key=f"tasks/1/{rank:016x}.png",
        sha256=f"{rank:064x}",
        width=512,
        height=512,
        size_bytes=1234,
        clip_raw=0.3,
        clip_n=clip_n,
        aes_raw=5.5,
        aes_n=aes_n,
        final_score=0.7 * clip_n + 0.3 * aes_n,
        gen_meta={"generator": "mock", "слово": "ё"},
    )


async def finish(sessions: Sessions, claimed: Claim, pictures: int = 2) -> int | None:
    async with sessions.begin() as session:
        return await tasks.finish(session, claimed.task_id, claimed.token, finished_album(pictures))


async def done(sessions: Sessions, who: Person) -> tuple[int, int]:
    """The ids of a finished task and of its album's delivery."""
    claimed = await running(sessions, who)
    delivery_id = await finish(sessions, claimed)
    assert delivery_id is not None
    return claimed.task_id, delivery_id


async def sending(sessions: Sessions) -> DeliveryClaim:
    async with sessions.begin() as session:
        claimed = await deliveries.claim(session)
    assert claimed is not None
    return claimed


async def delivered(sessions: Sessions, who: Person) -> int:
    """The id of a task whose album and action card have arrived."""
    task_id, _ = await done(sessions, who)
    for message_ids in ([11, 12], [13]):
        claimed = await sending(sessions)
        async with sessions.begin() as session:
            await deliveries.sent(session, claimed.id, claimed.token, message_ids)
    assert claimed.kind is DeliveryKind.ACTIONS
    return task_id


async def execute(sessions: Sessions, statement: str, **values: object) -> None:
    """What only time or an accident would do: move a clock, age a row."""
    async with sessions.begin() as session:
        await session.execute(text(statement), values)


async def rows(sessions: Sessions, query: str, **values: object) -> Sequence[tuple[object, ...]]:
    async with sessions() as session:
        return [tuple(row) for row in await session.execute(text(query), values)]


_MIGRATED = ("plans", "wallets")
"""Tables that a migrated database has rows in."""


async def remember_migrated(url: str) -> None:
    """Puts the rows that migrations brought aside, for `empty` to bring back."""
    copies = [f"CREATE TABLE migrated.{name} AS TABLE {name}" for name in _MIGRATED]
    await run_on(url, "; ".join(["CREATE SCHEMA migrated", *copies]))


async def empty(url: str) -> None:
    """As freshly migrated. Deleting a few rows is ten times as quick as TRUNCATE; the setting
    spares us the order of the foreign keys, and lets transfers go."""
    tables = Base.metadata.sorted_tables
    statements = [f"DELETE FROM {table.name}" for table in tables]
    statements += [
        f"ALTER TABLE {table.name} ALTER id RESTART" for table in tables if _counts(table.name)
    ]
    statements += [
        f"INSERT INTO {name} OVERRIDING SYSTEM VALUE TABLE migrated.{name}" for name in _MIGRATED
    ]
    statements.append("SELECT setval('wallets_id_seq', (SELECT max(id) FROM wallets))")
    await run_on(url, "; ".join(["SET session_replication_role = replica", *statements]))


async def run_on(url: str, statements: str) -> None:
    """Outside of the product's own connections."""
    parsed = make_url(url)
    connection = await asyncpg.connect(
        host=str(parsed.query["host"]), user=parsed.username, database=parsed.database
    )
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


def _counts(table: str) -> bool:
    id_column = Base.metadata.tables[table].columns.get("id")
    return id_column is not None and id_column.identity is not None
