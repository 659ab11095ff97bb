"""The ledger: money moves from one wallet to another, once for each key, and is never forgotten.

What a transaction locks, it locks in this order, here and wherever money or quota is touched:

    task  ->  account  ->  subscription, order, payment  ->  hold  ->  period  ->  wallet

The account also where only rows that refer to it are added: its key is locked then anyway, and
again by whoever changes one wallet twice, as charging for held pictures does. Several rows of a
kind are locked by ascending id. System wallets have no balance of their own, so nobody ever waits
for one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import InsufficientFunds, KeyReused, NotFound
from db.models import Account, Transfer, Wallet
from db.money_views import Audit, Movement, MovementPage, Transferred, WalletView
from db.states import SystemWallet, TransferKind

_NEWEST = 2**63 - 1

# One statement, one round trip. The wallets are locked before anything is decided, so what is
# decided on is their newest state: after a wait Postgres looks at a locked row again. It does not
# look again for a transfer of this key made meanwhile; then the INSERT meets it, inserts nothing,
# and nothing moves. So `moved` hangs from what was inserted, never the other way round.
_TRANSFER = text("""
WITH known AS (
    SELECT id, input_hash FROM transfers WHERE key = :key
), locked AS (
    SELECT id, account_id, balance - reserved AS free FROM wallets
    WHERE account_id IN (:source_account, :destination_account)
        AND NOT EXISTS (SELECT FROM known)
    ORDER BY id
    FOR NO KEY UPDATE
), source AS (
    SELECT id, free FROM locked WHERE account_id = :source_account
    UNION ALL
    SELECT id, NULL FROM wallets WHERE system = :source_system
), destination AS (
    SELECT id FROM locked WHERE account_id = :destination_account
    UNION ALL
    SELECT id FROM wallets WHERE system = :destination_system
), made AS (
    INSERT INTO transfers (source_id, destination_id, amount, kind, key, input_hash, memo)
    SELECT source.id, destination.id, :amount, :kind, :key, :input_hash, CAST(:memo AS jsonb)
    FROM source, destination
    WHERE (source.free IS NULL OR source.free >= :amount) AND NOT EXISTS (SELECT FROM known)
    ON CONFLICT (key) DO NOTHING
    RETURNING id, source_id, destination_id
), moved AS (
    UPDATE wallets w
    SET balance = w.balance + CASE w.id WHEN made.source_id THEN -:amount ELSE :amount END
    FROM made
    WHERE w.id IN (made.source_id, made.destination_id) AND w.account_id IS NOT NULL
)
SELECT (SELECT id FROM made) AS made_id,
    (SELECT id FROM known) AS known_id,
    (SELECT input_hash FROM known) AS known_hash,
    (SELECT free FROM source) AS free,
    EXISTS (SELECT FROM source WHERE free IS NULL OR free >= :amount) AS can_pay,
    EXISTS (SELECT FROM destination) AS has_destination
""")

# A page of each direction from its own index, then the newest of both. What the newer ones sum up
# to leads from the present balance back to the one after the page's first.
_MOVEMENTS = text("""
WITH own AS (
    SELECT id, balance FROM wallets WHERE account_id = :account_id
), page AS (
    (SELECT t.id, -t.amount AS amount, t.kind, t.memo, t.created_at
     FROM own JOIN transfers t ON t.source_id = own.id
     WHERE t.id < :before_id ORDER BY t.id DESC LIMIT :limit)
    UNION ALL
    (SELECT t.id, t.amount, t.kind, t.memo, t.created_at
     FROM own JOIN transfers t ON t.destination_id = own.id
     WHERE t.id < :before_id ORDER BY t.id DESC LIMIT :limit)
    ORDER BY id DESC LIMIT :limit
), newer AS (
    SELECT coalesce((SELECT sum(t.amount) FROM own JOIN transfers t
                     ON t.destination_id = own.id AND t.id >= :before_id), 0)
        - coalesce((SELECT sum(t.amount) FROM own JOIN transfers t
                    ON t.source_id = own.id AND t.id >= :before_id), 0) AS amount
)
SELECT page.*, (own.balance - newer.amount - coalesce(sum(page.amount) OVER (
    ORDER BY page.id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
), 0))::bigint AS balance_after
FROM page, own, newer
ORDER BY page.id DESC
""")

_AUDIT = text("""
WITH entries AS (
    SELECT wallet_id, sum(amount) AS amount FROM (
        SELECT destination_id AS wallet_id, amount FROM transfers
        UNION ALL
        SELECT source_id, -amount FROM transfers
    ) AS entry GROUP BY wallet_id
), held AS (
    SELECT account_id, sum(paid * picture_price) AS amount FROM holds
    WHERE state = 'open' GROUP BY account_id
)
SELECT coalesce(sum(coalesce(w.balance, e.amount)), 0)::bigint AS total,
    coalesce(array_agg(coalesce(w.account_id, h.account_id) ORDER BY 1) FILTER (
        WHERE w.system IS NULL AND (
            coalesce(w.balance, 0) <> coalesce(e.amount, 0)
            OR coalesce(w.reserved, 0) <> coalesce(h.amount, 0)
        )
    ), '{}') AS wrong
FROM wallets w
LEFT JOIN entries e ON e.wallet_id = w.id
FULL JOIN held h ON h.account_id = w.account_id
""")


# Made once: it is asked for with every draft.
_WALLET = select(Wallet.balance, Wallet.reserved, Wallet.paused_at).where(
    Wallet.account_id == bindparam("account_id")
)


async def transfer(
    session: AsyncSession,
    source: int | SystemWallet,
    destination: int | SystemWallet,
    amount: int,
    kind: TransferKind,
    key: str,
    memo: Mapping[str, object] | None = None,
) -> Transferred:
    """Moves `amount` kopecks (> 0) between accounts and system wallets, once for this key.

    An account gives only what is not reserved. The same key with the same input again moves
    nothing and answers `created` False; `memo` is a remark, not input. After an error nothing has
    been written, also when the transaction goes on.

    Raises KeyReused, InsufficientFunds, NotFound for a destination that does not exist.
    """
    if amount <= 0:
        raise ValueError("an amount is more than nothing")
    if source == destination:
        raise ValueError("from a wallet to the same one")
    digest = _input_hash(source, destination, amount, kind)
    values = {
        "source_account": _account(source),
        "source_system": _system(source),
        "destination_account": _account(destination),
        "destination_system": _system(destination),
        "amount": amount,
        "kind": kind.value,
        "key": key,
        "input_hash": digest,
        "memo": json.dumps(dict(memo or {}), ensure_ascii=False, allow_nan=False),
    }
    found = (await session.execute(_TRANSFER, values)).one()
    if found.can_pay and not found.has_destination and isinstance(destination, int):
        await _open(session, destination)
        found = (await session.execute(_TRANSFER, values)).one()
    if found.made_id is not None:
        return Transferred(id=found.made_id, created=True)
    if found.known_id is not None:
        return _as_before(key, found.known_id, found.known_hash, digest)
    return await _made_meanwhile(session, key, digest, missing=amount - (found.free or 0))


async def wallet(session: AsyncSession, account_id: int) -> WalletView:
    """What an account has. One that never had money has an empty wallet."""
    row = (await session.execute(_WALLET, {"account_id": account_id})).one_or_none()
    if row is None:
        return WalletView(account_id=account_id, balance=0, reserved=0, paused=False)
    return WalletView(
        account_id=account_id,
        balance=row.balance,
        reserved=row.reserved,
        paused=row.paused_at is not None,
    )


async def movements(
    session: AsyncSession, account_id: int, *, before_id: int | None = None, limit: int = 8
) -> MovementPage:
    """An account's transfers, newest first; `before_id` continues from an earlier page."""
    items = await _movements(session, account_id, before_id=before_id, limit=limit + 1)
    more = len(items) > limit
    return MovementPage(
        items=tuple(items[:limit]), next_before_id=items[limit - 1].id if more else None
    )


async def statement(session: AsyncSession, account_id: int) -> list[Movement]:
    """All of an account's transfers, oldest first."""
    return (await _movements(session, account_id, before_id=None, limit=_NEWEST))[::-1]


async def pause(session: AsyncSession, account_id: int, *, now: datetime) -> None:
    """No paid actions from now on; paused again, the first time stays. Raises NotFound."""
    await _open(session, account_id)
    await session.execute(
        update(Wallet)
        .where(Wallet.account_id == account_id)
        .values(paused_at=func.coalesce(Wallet.paused_at, now))
        .execution_options(synchronize_session=False)
    )


async def resume(session: AsyncSession, account_id: int) -> None:
    """Ends a pause; without one it changes nothing."""
    await session.execute(
        update(Wallet)
        .where(Wallet.account_id == account_id)
        .values(paused_at=None)
        .execution_options(synchronize_session=False)
    )


async def audit(session: AsyncSession) -> Audit:
    """Adds up everything there is: `total` is 0 and nobody is `wrong`, or money was made or lost.

    Wrong is an account whose balance is not the sum of its transfers, or whose reserved part is not
    what its open holds say.
    """
    row = (await session.execute(_AUDIT)).one()
    return Audit(total=row.total, wrong=tuple(row.wrong))


async def _made_meanwhile(
    session: AsyncSession, key: str, digest: bytes, *, missing: int
) -> Transferred:
    """Why nothing moved: a twin was faster, whom only a new statement sees, or money lacks."""
    twin = (
        await session.execute(select(Transfer.id, Transfer.input_hash).where(Transfer.key == key))
    ).one_or_none()
    if twin is None:
        raise InsufficientFunds(missing)
    return _as_before(key, twin.id, twin.input_hash, digest)


def _as_before(key: str, id: int, stored: bytes, digest: bytes) -> Transferred:
    if stored != digest:
        raise KeyReused(key)
    return Transferred(id=id, created=False)


async def _open(session: AsyncSession, account_id: int) -> None:
    """An account's wallet is made when money first comes near it. Raises NotFound."""
    account = select(Account.id, literal(0), literal(0)).where(Account.id == account_id)
    await session.execute(
        insert(Wallet)
        .from_select(["account_id", "balance", "reserved"], account)
        .on_conflict_do_nothing()
    )
    opened = select(Wallet.id).where(Wallet.account_id == account_id)
    if await session.scalar(opened) is None:
        raise NotFound("account", account_id)


async def _movements(
    session: AsyncSession, account_id: int, *, before_id: int | None, limit: int
) -> list[Movement]:
    rows = await session.execute(
        _MOVEMENTS,
        {
            "account_id": account_id,
            "before_id": _NEWEST if before_id is None else before_id,
            "limit": limit,
        },
    )
    return [
        Movement(
            id=row.id,
            amount=row.amount,
            kind=TransferKind(row.kind),
            memo=row.memo,
            created_at=row.created_at,
            balance_after=row.balance_after,
        )
        for row in rows
    ]


def _account(end: int | SystemWallet) -> int | None:
    return None if isinstance(end, SystemWallet) else end


def _system(end: int | SystemWallet) -> str | None:
    return end.value if isinstance(end, SystemWallet) else None


def _input_hash(
    source: int | SystemWallet, destination: int | SystemWallet, amount: int, kind: TransferKind
) -> bytes:
    return hashlib.sha256(f"{source}>{destination}:{amount}:{kind}".encode()).digest()
