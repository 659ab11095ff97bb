"""One at a time: what waits until another transaction has ended."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Account

# Postgres' advisory locks are numbers of the whole database.
MIGRATING: Final = 727_001
CLAIMING_TASKS: Final = 727_002
CLAIMING_DELIVERIES: Final = 727_003
CLAIMING_POSTS: Final = 727_008

ALONE: Final = text("SELECT pg_advisory_xact_lock(:what)")
"""The only transaction that does `what`, one of the numbers above."""


async def alone(session: AsyncSession, what: int) -> None:
    """Waits until nobody else does `what`, one of the numbers above."""
    await session.execute(ALONE, {"what": what})


async def account(session: AsyncSession, account_id: int) -> bool:
    """One change of an account's at a time, for what is counted or looked up before it is changed.

    False: there is no such account.
    """
    found = await session.scalar(
        select(Account.id).where(Account.id == account_id).with_for_update(key_share=True)
    )
    return found is not None
