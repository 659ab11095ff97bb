"""`vitrina bot`: the process that listens to Telegram."""

from __future__ import annotations


def bot() -> None:
    """Run the bot until it is stopped; BOT_MODE says how updates come (polling or webhook)."""
    import asyncio

    from bot.process import run
    from bot.settings import BotSettings
    from db.settings import DatabaseSettings

    asyncio.run(run(BotSettings(), DatabaseSettings()))
