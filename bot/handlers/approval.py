"""Approval of a team's album: the card, yes by N of M, what to change or why not, the next round.

What to change and why not are written as replies to our question. It is remembered in the
database, not as somebody's dialogue: who may approve may answer it, an anonymous admin too.
"""

from __future__ import annotations

from aiogram import Bot, F, Router
from aiogram.enums import ChatType
from aiogram.filters import Filter
from aiogram.types import CallbackQuery, Message
from arq import ArqRedis
from sqlalchemy.ext.asyncio import AsyncSession

from bot import intake, rounds, team_views, views, whispers
from bot.callbacks import ApprovalTap
from bot.clock import Clock
from bot.filters import IsForBot
from bot.handlers import votes
from bot.intake import Place, Sessions, Understood
from bot.texts import Texts
from bot.who import Who, card_of, thread_of
from db import albums, approvals, requests
from db.errors import Stale
from db.queue import wake_io
from db.rights import Action
from db.states import Answer, ApprovalState
from db.team_views import ApprovalView, QuestionView
from db.views import AlbumView, Draft, NewDraft

router = Router(name="approval")


@router.callback_query(ApprovalTap.filter(F.do == "ask"))
async def ask(
    query: CallbackQuery,
    callback_data: ApprovalTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
) -> None:
    """The album's card for approval; a second tap finds it, and sends it if it never came."""
    who.may(Action.PROPOSE)
    card = card_of(query)
    async with sessions.begin() as session:
        place = approvals.Place(card.chat.id, thread_of(card))
        round_ = await approvals.ask(session, who.account_id, callback_data.id, who.user_id, place)
        album = await albums.album(session, who.account_id, callback_data.id)
    is_here = round_.chat_id == card.chat.id
    if round_.state is ApprovalState.APPROVED:
        await query.answer(who.tr.plain("It is approved already"))
    elif round_.card_message_id is not None:
        await query.answer(_look_at_the_card(who.tr, is_here=is_here))
    else:
        if is_here:
            await query.answer(who.tr.plain("Asked for approval"))
        else:
            await query.answer(who.tr.plain("Asked for approval in the team's group"))
            await wake_io(pool)
        await rounds.send(bot, sessions, round_)
    await votes.show(query, who, bot, sessions, album)


def _look_at_the_card(tr: Texts, *, is_here: bool) -> str:
    if is_here:
        return tr.plain("It is being approved: look at the card")
    return tr.plain("It is being approved: look at the card in the team's group")


@router.callback_query(ApprovalTap.filter(F.do == "approve"))
async def approve(
    query: CallbackQuery, callback_data: ApprovalTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    who.may(Action.APPROVE)
    async with sessions.begin() as session:
        round_, is_new = await approvals.approve(
            session, who.account_id, callback_data.id, who.user_id
        )
    missing = round_.needed - len(round_.approved_by)
    if round_.state is ApprovalState.APPROVED:
        await query.answer(who.tr.plain("Approved"))
    elif is_new:
        await query.answer(who.tr.plain("You said yes. Needed: {n} more", n=missing))
    else:
        await query.answer(who.tr.plain("You have said yes already"))
    await rounds.decided(bot, sessions, round_)


@router.callback_query(ApprovalTap.filter(F.do.in_({"changes", "reject"})))
async def object_(
    query: CallbackQuery, callback_data: ApprovalTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    """Asks what to change, or why not; the reply ends the round."""
    who.may(Action.APPROVE)
    answer = Answer.CHANGES if callback_data.do == "changes" else Answer.REJECTED
    async with sessions.begin() as session:
        round_ = await approvals.get(session, who.account_id, callback_data.id)
    if round_.state is not ApprovalState.OPEN:
        raise Stale("round")
    card = card_of(query)
    if card.chat.id != round_.chat_id:
        # Rounds could be asked for in a private chat once, where no reply is taken for an answer.
        await query.answer(_look_at_the_card(who.tr, is_here=False))
        await rounds.redraw(bot, sessions, round_)
        return
    await query.answer(who.tr.plain("Answer the question below"))
    message = await bot.send_message(
        card.chat.id,
        team_views.question(who.tr, answer, who.name),
        message_thread_id=thread_of(card),
    )
    async with sessions.begin() as session:
        await approvals.asked(
            session,
            who.account_id,
            callback_data.id,
            answer,
            chat_id=card.chat.id,
            message_id=message.message_id,
        )


@router.callback_query(ApprovalTap.filter(F.do == "more"))
async def tell_more(
    query: CallbackQuery, callback_data: ApprovalTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    """The rounds so far, who voted for what, who has not answered: for the presser alone."""
    who.may(Action.LOOK)
    async with sessions.begin() as session:
        details = await approvals.details(session, who.account_id, callback_data.id)
    await whispers.whisper(bot, query, who, team_views.details(who.tr, details))


class _IsAnswer(Filter):
    """A reply to one of our questions about a round; hands `asked` to the handler."""

    async def __call__(
        self, message: Message, sessions: Sessions
    ) -> bool | dict[str, QuestionView]:
        replied = message.reply_to_message
        if replied is None or message.chat.type == ChatType.PRIVATE:
            return False
        async with sessions.begin() as session:
            asked = await approvals.question(session, message.chat.id, replied.message_id)
        return False if asked is None else {"asked": asked}


@router.message(IsForBot(), _IsAnswer(), F.text, ~F.text.startswith("/"))
async def answered(
    message: Message,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    pool: ArqRedis,
    clock: Clock,
    asked: QuestionView,
) -> None:
    """Ends the round; changes begin the next one. Handled twice, it finds what it began."""
    who.may(Action.APPROVE)
    words = " ".join((message.text or "").split())
    if len(words) > approvals.REASON_MAX:
        await message.reply(views.too_long(who.tr, approvals.REASON_MAX))
        return
    place = Place(message.chat.id, thread_of(message), message.message_id)
    if asked.answer is Answer.REJECTED:
        async with sessions.begin() as session:
            round_ = await approvals.answer(session, asked, who.user_id, message.message_id, words)
        await rounds.decided(bot, sessions, round_)
        await message.reply(who.tr("✕ Noted. The card has the reason."))
        return
    async with sessions.begin() as session:
        task_id = (await approvals.get(session, who.account_id, asked.approval_id)).task_id
        album = await albums.album(session, who.account_id, task_id)
        before = await requests.get_draft(session, who.account_id, album.request_id)
    idea = await intake.understand(f"{before.cleaned_prompt}. {words}")
    async with sessions.begin() as session:
        round_ = await approvals.answer(session, asked, who.user_id, message.message_id, words)
        new = _next_round(album, before, idea, words, place)
        task_id = await _queue(session, round_, new, place, clock)
    await rounds.decided(bot, sessions, round_)
    await intake.show_task(bot, sessions, pool, who, task_id, place)


@router.message(IsForBot(), _IsAnswer(), ~F.text)
async def not_in_words(message: Message, who: Who) -> None:
    await message.reply(who.tr("Write the answer in words, please."))


def _next_round(
    album: AlbumView, before: Draft, idea: Understood, words: str, place: Place
) -> NewDraft:
    """The old request with the changes in its words, still its author's and of its seed."""
    brand = before.brand if before.brand and not before.brand.is_frozen else None
    return NewDraft(
        account_id=before.account_id,
        user_id=album.user_id,
        chat_id=place.chat_id,
        thread_id=place.thread_id,
        source_message_id=place.reply_to or 0,
        raw_prompt=f"{before.raw_prompt}\n{words}",
        cleaned_prompt=idea.cleaned,
        platform=before.platform,
        goal=before.goal,
        seed=before.seed,
        locale=album.locale,
        count=before.count,
        aspect=before.aspect,
        enhance=before.enhance,
        brand_id=brand.id if brand else None,
        photo_key=before.photo_key,
    )


async def _queue(
    session: AsyncSession, round_: ApprovalView, new: NewDraft, place: Place, clock: Clock
) -> int:
    """The task of the next round. Raises QuotaOut and the like: then nothing has happened."""
    draft, _ = await requests.draft(session, new)
    submitted = await requests.submit(
        session,
        new.account_id,
        draft.id,
        f"changes:{round_.id}",
        chat_id=place.chat_id,
        thread_id=place.thread_id,
        now=clock(),
    )
    await approvals.leads_to(session, round_.id, draft.id)
    return submitted.task_id
