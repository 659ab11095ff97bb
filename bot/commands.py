"""What Telegram shows of the bot before anybody writes to it: commands and descriptions."""

from __future__ import annotations

import structlog
from aiogram import Bot
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
)

from bot import texts
from bot.errors import SendError
from bot.texts import N_

log = structlog.get_logger(__name__)

COMMANDS: dict[str, str] = {
    "start": N_("What I do, and an example"),
    "gen": N_("Draw at once: /gen and your idea"),
    "brands": N_("Your styles and colours"),
    "history": N_("Albums drawn so far"),
    "plan_posts": N_("Content plan: what goes out when"),
    "stats": N_("Reactions to posts: what works best"),
    "channels": N_("Channels, time zone"),
    "team": N_("Who is in the team, and who may what"),
    "account": N_("Who you work for here"),
    "wallet": N_("Balance, top-ups, statement"),
    "plans": N_("Your plan and pictures left"),
    "settings": N_("Language and defaults"),
    "help": N_("How it works"),
    "cancel": N_("Leave a dialogue"),
}

_OF_ADMINS = (
    "gen",
    "brands",
    "history",
    "plan_posts",
    "stats",
    "channels",
    "wallet",
    "plans",
    "settings",
    "help",
    "cancel",
)
_SCOPES = (
    (BotCommandScopeAllPrivateChats(), ("start", *_OF_ADMINS)),
    (
        BotCommandScopeAllGroupChats(),
        ("gen", "brands", "history", "plan_posts", "stats", "help", "cancel"),
    ),
    (BotCommandScopeAllChatAdministrators(), _OF_ADMINS),
)

DESCRIPTION = N_(
    "I turn a rough idea into pictures ready to post: I improve the prompt, draw up to four "
    "variants, score them and put the best one first.\n\n"
    "Press Start and write what you need in your own words."
)
SHORT_DESCRIPTION = N_("Pictures for posts from a rough idea: drawn, scored, the best one first.")

# Telegram shows the list without a language to everybody whose language has none of its own.
_LANGUAGES: tuple[tuple[str | None, str], ...] = ((None, "en"), ("ru", "ru"))


async def introduce(bot: Bot) -> None:
    """Register commands and descriptions, by scope and language.

    Telegram keeps them; if it refuses this time, the bot works all the same.
    """
    try:
        for language_code, locale in _LANGUAGES:
            tr = texts.of(locale)
            for scope, names in _SCOPES:
                commands = [
                    BotCommand(command=name, description=tr.plain(COMMANDS[name])) for name in names
                ]
                await bot.set_my_commands(commands, scope, language_code)
            await bot.set_my_description(tr.plain(DESCRIPTION), language_code)
            await bot.set_my_short_description(tr.plain(SHORT_DESCRIPTION), language_code)
    except SendError as error:
        log.warning("commands not registered", error=str(error))
