"""How many transfers a second the ledger makes, beside the least that could move a balance.

The baseline is one conditional UPDATE of a like table in a transaction of its own, through the
same sessions: no second wallet, no key, no record of what happened. Both take turns.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from benchmarks.figures import median
from db import engine, migrate, wallet
from db.states import SystemWallet, TransferKind
from playground import embedded

ACCOUNTS = 1000
CALLERS = 10
ROUNDS = 5
_ROUND_S = 1.0

Sessions = async_sessionmaker[AsyncSession]
Move = Callable[[AsyncSession, int], Awaitable[object]]

_SETUP = (
    "INSERT INTO users (id, first_name) SELECT n, 'P' FROM generate_series(1, {n}) n",
    "INSERT INTO accounts (kind, owner_user_id) SELECT 'personal', id FROM users ORDER BY id",
    "INSERT INTO wallets (account_id, balance, reserved) SELECT id, 0, 0 FROM accounts",
    # What the ledger would show after a first credit of each.
    "INSERT INTO transfers (source_id, destination_id, amount, kind, key, input_hash)"
    " SELECT o.id, w.id, 1000000000, 'credit', 'start:' || w.id, '' FROM wallets w, wallets o"
    " WHERE w.account_id IS NOT NULL AND o.system = 'operator'",
    "UPDATE wallets SET balance = 1000000000 WHERE account_id IS NOT NULL",
    "CREATE TABLE bare (LIKE wallets INCLUDING ALL)",
    "INSERT INTO bare OVERRIDING SYSTEM VALUE SELECT * FROM wallets",
    "ANALYZE",
)
_BARE = text(
    "UPDATE bare SET balance = balance - 1 WHERE account_id = :account_id"
    " AND balance - reserved >= 1"
)

_keys = (f"bench:{n}" for n in itertools.count())


def measure() -> Iterator[str]:
    """Lines to print."""
    with (
        tempfile.TemporaryDirectory(prefix="wallet-", ignore_cleanup_errors=True) as name,
        embedded.running(embedded.postgres(Path(name))) as url,
    ):
        migrate.upgrade(url)
        yield from asyncio.run(_measure(url))


async def _measure(url: str) -> list[str]:
    db = engine.create(url)
    sessions = engine.session_factory(db)
    try:
        await _execute(sessions, *(statement.format(n=ACCOUNTS) for statement in _SETUP))
        lines = [
            f"{title + ':':16}{await _compare(sessions, accounts)}"
            for title, accounts in (("one hot wallet", 1), (f"{ACCOUNTS:,} wallets", ACCOUNTS))
        ]
        async with sessions() as session:
            audit = await wallet.audit(session)
    finally:
        await db.dispose()
    sound = "adds up" if (audit.total, audit.wrong) == (0, ()) else f"IS WRONG: {audit}"
    return [
        *lines,
        f"{CALLERS} callers, {ROUNDS} rounds each, medians; afterwards the ledger {sound}",
    ]


async def _compare(sessions: Sessions, accounts: int) -> str:
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(await _rate(sessions, accounts, _transfer))
        bare.append(await _rate(sessions, accounts, _update))
    share = median(ours) / median(bare)
    return (
        f"{median(ours):,.0f} transfers a second; bare UPDATE {median(bare):,.0f},"
        f" so {share:.0%} of it"
    )


async def _rate(sessions: Sessions, accounts: int, move: Move) -> float:
    """Transactions a second, by callers who each begin the next when theirs is done."""
    until = time.perf_counter() + _ROUND_S

    async def caller() -> int:
        for count in itertools.count():
            if time.perf_counter() >= until:
                return count
            async with sessions.begin() as session:
                await move(session, random.randint(1, accounts))
        raise AssertionError

    started = time.perf_counter()
    done = await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return sum(done) / (time.perf_counter() - started)


async def _transfer(session: AsyncSession, account_id: int) -> object:
    return await wallet.transfer(
        session, account_id, SystemWallet.REVENUE, 1, TransferKind.PICTURES, next(_keys)
    )


async def _update(session: AsyncSession, account_id: int) -> object:
    return await session.execute(_BARE, {"account_id": account_id})


async def _execute(sessions: Sessions, *statements: str) -> None:
    async with sessions.begin() as session:
        for statement in statements:
            await session.execute(text(statement))
