"""The bot's process ends when it is told to, whatever it waits for."""

from __future__ import annotations

import asyncio
import os
import signal
import sys


async def test_a_bot_that_waits_for_telegram_ends_on_sigterm(
    database_url: str, redis_url: str
) -> None:
    env = {
        **os.environ,
        "BOT_TOKEN": "42:nobody",
        "BOT_API_URL": "http://127.0.0.1:9",  # the discard port: nobody answers there
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vitrina", "bot", env=env, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            while b"Telegram is away" not in await process.stderr.readline():
                assert process.returncode is None
            process.send_signal(signal.SIGTERM)
            await process.stderr.read()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
