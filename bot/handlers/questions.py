"""A reply to a question that somebody else was asked: neither an answer nor an idea."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import Message

from bot.filters import AsksAnother, IsForBot
from bot.intake import Sessions
from bot.who import Who
from db import accounts

router = Router(name="questions")


@router.message(IsForBot(), AsksAnother())
async def not_asked(message: Message, who: Who, sessions: Sessions, asked_id: int) -> None:
    async with sessions.begin() as session:
        name = await accounts.first_name(session, asked_id)
    await message.reply(
        who.tr("This question is for {name} to answer. For an idea write /gen.", name=name)
    )
