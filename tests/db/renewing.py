"""One process that renews whatever is due: `python -m tests.db.renewing URL MOMENT`."""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import datetime

from db import engine, plans


async def main(url: str, now: datetime) -> None:
    db = engine.create(url)
    sessions = engine.session_factory(db)
    while True:
        async with sessions.begin() as session:
            account_ids = await plans.due(session, now=now, limit=1000)
        if not account_ids:
            break
        # They should meet now and then, not at every account.
        for account_id in random.sample(account_ids, min(25, len(account_ids))):
            async with sessions.begin() as session:
                renewed = await plans.renew(session, account_id, now=now)
            if renewed.outcome == "renewed":
                print(account_id, flush=True)  # noqa: T201
    await db.dispose()


asyncio.run(main(sys.argv[1], datetime.fromisoformat(sys.argv[2])))
