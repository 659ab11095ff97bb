"""What the handlers of posts share: who may touch a post, and the card that shows it."""

from __future__ import annotations

import contextlib
from datetime import MAXYEAR, MINYEAR, datetime

from aiogram import Bot
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from bot import channel_views, texts
from bot.clock import Clock
from bot.delivery import edit_card, send_card
from bot.errors import SendError
from bot.intake import Sessions
from bot.taps import edit
from bot.who import Who, card_of, thread_of
from db import audit, posts, publishing, teams, zones
from db.audit import Deed
from db.errors import Stale
from db.rights import Action, allowed
from db.states import PostState
from db.team_views import PostCard, PostView


async def steered(session: AsyncSession, who: Who, post_id: int) -> PostView:
    """A post that the person may change: a draft with the right to make one, and what goes out or
    has gone out with the right to publish it. Raises NotFound, NotAllowed, Stale."""
    who.may(Action.PUBLISH)
    post = await posts.get(session, who.account_id, post_id)
    if post.publish_at is None:
        return post
    return await publishable(session, who, post_id)


async def publishable(session: AsyncSession, who: Who, post_id: int) -> PostView:
    """A post that the person may publish. Raises NotFound, NotAllowed, and Stale("approval")."""
    who.may(Action.PUBLISH)
    post = await posts.get(session, who.account_id, post_id)
    if who.is_admin:
        return post
    if not await teams.may_publish(session, who.account_id, post.task_id, who.user_id):
        raise Stale("approval")
    return post


async def settleable(session: AsyncSession, who: Who, post_id: int) -> PostView:
    """A post of which the person may say whether it has arrived: those who approve may, as it was
    meant to go, and who may publish it. Raises NotFound, NotAllowed, Stale("approval")."""
    if allowed(who.role, Action.APPROVE):
        return await posts.get(session, who.account_id, post_id)
    return await publishable(session, who, post_id)


async def noted(session: AsyncSession, who: Who, post: PostView, deed: Deed) -> None:
    """A line of the audit about what a person did to a post that is more than a draft."""
    if post.state is PostState.DRAFT:
        return
    at = post.publish_at.isoformat() if post.publish_at else None
    await audit.note(
        session, who.account_id, who.user_id, deed, f"post {post.id}",
        channel=post.channel.title, at=at,
    )  # fmt: skip


def today_of(post: PostView, clock: Clock) -> datetime:
    return zones.local(clock(), post.time_zone)


async def redraw(bot: Bot, query: CallbackQuery, who: Who, post: PostView, clock: Clock) -> None:
    """Turns the card that was tapped into the post's, as the post stands now."""
    await edit(bot, query, channel_views.post_card(who.locale, post, now=clock()))


async def show_card(
    bot: Bot, query: CallbackQuery, who: Who, sessions: Sessions, post: PostView, clock: Clock
) -> None:
    """Turns the card that was tapped into the post's; it will say how the post goes."""
    at = card_of(query)
    before = await remember(sessions, post, at.chat.id, at.message_id, thread_of(at))
    await redraw(bot, query, who, post, clock)
    await leave(bot, before, clock)


async def send_new_card(
    bot: Bot,
    who: Who,
    sessions: Sessions,
    post: PostView,
    clock: Clock,
    chat_id: int,
    thread_id: int | None,
) -> None:
    """Shows the post at the end of a chat or topic; that card will say how the post goes."""
    card = channel_views.post_card(who.locale, post, now=clock())
    card_id = await send_card(bot, card, chat_id, thread_id)
    before = await remember(sessions, post, chat_id, card_id, thread_id)
    await leave(bot, before, clock)


async def remember(
    sessions: Sessions, post: PostView, chat_id: int, message_id: int, thread_id: int | None
) -> PostCard | None:
    """The card that spoke of the post until now, if that was another."""
    async with sessions.begin() as session:
        before = await publishing.card(session, post.id)
        await posts.remember_card(
            session, post.account_id, post.id, chat_id, message_id, thread_id=thread_id
        )
    if before is None or (before.chat_id, before.message_id) == (chat_id, message_id):
        return None
    return before


async def leave(bot: Bot, card: PostCard | None, clock: Clock) -> None:
    """What a card says last, in the language it has spoken: nobody tells it what becomes of the
    post from now on."""
    if card is None:
        return
    if card.post.state is PostState.SENT:
        last = channel_views.post_card(card.locale, card.post, now=clock())
    else:
        last = channel_views.elsewhere(texts.of(card.locale), card.post)
    with contextlib.suppress(SendError):  # somebody may have deleted it
        await edit_card(bot, last, card.chat_id, card.message_id)


def parsed(value: str, pattern: str) -> datetime:
    """What a time button says. Raises Stale for what none of ours does."""
    try:
        at = datetime.strptime(value, pattern)  # noqa: DTZ007  # the zone is the account's
    except ValueError:
        raise Stale("time") from None
    if at.year in (MINYEAR, MAXYEAR):  # in another zone it may be no date at all
        raise Stale("time")
    return at
