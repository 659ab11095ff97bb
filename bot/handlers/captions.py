"""A post's caption: the switches of its parts."""

from __future__ import annotations

from aiogram import Bot, F, Router
from aiogram.types import CallbackQuery
from arq import ArqRedis

from bot.callbacks import PostTap
from bot.clock import Clock
from bot.intake import Sessions
from bot.postcards import noted, redraw, steered
from bot.who import Who
from db import posts
from db.audit import Deed
from db.queue import wake_io
from db.states import Part

router = Router(name="captions")

_SWITCHES = {f"{part}{int(on)}": (part, on) for part in Part for on in (True, False)}


@router.callback_query(PostTap.filter((F.do == "part") & F.value.in_(set(_SWITCHES))))
async def switch(
    query: CallbackQuery,
    callback_data: PostTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
) -> None:
    """To what the button says, so that a tap handled twice changes nothing; a published post
    follows."""
    part, on = _SWITCHES[callback_data.value]
    async with sessions.begin() as session:
        post = await steered(session, who, callback_data.post_id)
        post = await posts.switch(session, who.account_id, post.id, part, on=on)
        await noted(session, who, post, Deed.POST_EDITED)
    await wake_io(pool)
    await query.answer()
    await redraw(bot, query, who, post, clock)
