"""The team of a group: the bot comes and goes, people leave, /team gives roles.

In the private chat: for whom one works there.
"""

from __future__ import annotations

from aiogram import Bot, F, Router
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message

from bot import journal_views, keyboards, pages, team_views
from bot.callbacks import JournalTap, TeamTap, WorkplaceTap
from bot.clock import Clock
from bot.intake import Sessions
from bot.middlewares import is_in
from bot.taps import edit
from bot.views import Card
from bot.who import Who, card_of
from db import audit, channels, teams, workplaces
from db.errors import NotAllowed, NotFound
from db.reminders import AFTER_H
from db.rights import Action
from db.states import Presence, Role

router = Router(name="team")

_GROUPS = F.chat.type.in_({ChatType.GROUP, ChatType.SUPERGROUP})
_GONE = (None, Presence.LEFT, Presence.KICKED)


@router.my_chat_member(_GROUPS)
async def moved(
    event: ChatMemberUpdated, sessions: Sessions, bot: Bot, who: Who | None = None
) -> None:
    """The bot was added, promoted, demoted or removed; a group that it enters hears so once."""
    presence = Presence(event.new_chat_member.status)
    async with sessions.begin() as session:
        before = await teams.presence(session, event.chat.id)
    if who is not None and before in _GONE:
        username = (await bot.me()).username or ""
        if presence in (Presence.MEMBER, Presence.ADMINISTRATOR):
            greet = pages.group_welcome if before is None else pages.group_again
            await bot.send_message(event.chat.id, greet(who.tr, username))
    async with sessions.begin() as session:
        await teams.set_presence(session, event.chat.id, event.from_user.id, presence)


@router.chat_member(_GROUPS)
async def member_moved(event: ChatMemberUpdated, sessions: Sessions, clock: Clock) -> None:
    """Telegram tells bots that administer a group who comes and goes."""
    if not is_in(event.new_chat_member):
        await _left(sessions, clock, event.chat.id, event.new_chat_member.user.id)


@router.message(F.left_chat_member)
async def member_left(message: Message, sessions: Sessions, clock: Clock, bot: Bot) -> None:
    """The same as every bot of the group sees it."""
    assert message.left_chat_member is not None
    if message.left_chat_member.id != bot.id:
        await _left(sessions, clock, message.chat.id, message.left_chat_member.id)


async def _left(sessions: Sessions, clock: Clock, chat_id: int, user_id: int) -> None:
    async with sessions.begin() as session:
        await teams.left(session, chat_id, user_id, now=clock())


# --- /team ---


@router.message(Command("team"))
async def show(
    message: Message, who: Who, bot: Bot, state: FSMContext, sessions: Sessions, clock: Clock
) -> None:
    await state.clear()
    who.may(Action.LOOK)
    if who.is_group:
        await _look_at_oneself(bot, sessions, message.chat.id)
    try:
        card = await _page(sessions, who, clock)
    except NotFound:  # one's own account: no team there, but perhaps one to work for
        card = await _workplaces(sessions, who)
    await message.answer(card.text, reply_markup=card.keyboard)


async def _look_at_oneself(bot: Bot, sessions: Sessions, chat_id: int) -> None:
    """What the bot is in a group: it may have been changed before anybody told us of it."""
    found = await bot.get_chat_member(chat_id, bot.id)
    async with sessions.begin() as session:
        await teams.set_presence(session, chat_id, None, Presence(found.status))


@router.callback_query(TeamTap.filter(F.do == "page"))
async def back_to_page(
    query: CallbackQuery, who: Who, bot: Bot, sessions: Sessions, clock: Clock
) -> None:
    who.may(Action.LOOK)
    card = await _page(sessions, who, clock)
    await query.answer()
    await edit(bot, query, card)


@router.callback_query(TeamTap.filter(F.do.in_({"member", "sure"})))
async def member(
    query: CallbackQuery, callback_data: TeamTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    """A member's page, or the question before the team is passed on to them."""
    who.may(Action.LOOK if callback_data.do == "member" else Action.OWN)
    async with sessions.begin() as session:
        found = await teams.member(session, who.account_id, callback_data.user_id)
    await query.answer()
    if callback_data.do == "member":
        card = team_views.member(who.tr, found, _reader(who))
    else:
        card = team_views.sure_to_transfer(who.tr, found)
    await edit(bot, query, card)


@router.callback_query(TeamTap.filter((F.do == "role") & F.value.in_(set(Role))))
async def set_role(
    query: CallbackQuery,
    callback_data: TeamTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    who.may(Action.MANAGE_TEAM)
    wanted = Role(callback_data.value)
    async with sessions.begin() as session:
        changed = await teams.set_role(
            session, who.account_id, who.user_id, callback_data.user_id, wanted, now=clock()
        )
    await query.answer(who.tr.plain("Saved"))
    await edit(bot, query, team_views.member(who.tr, changed, _reader(who)))


@router.callback_query(TeamTap.filter(F.do == "remove"))
async def remove(
    query: CallbackQuery,
    callback_data: TeamTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    who.may(Action.MANAGE_TEAM)
    async with sessions.begin() as session:
        removed = await teams.remove(
            session, who.account_id, who.user_id, callback_data.user_id, now=clock()
        )
    await query.answer(who.tr.plain("Saved"))
    await edit(bot, query, team_views.member(who.tr, removed, _reader(who)))


@router.callback_query(TeamTap.filter(F.do == "transfer"))
async def transfer(
    query: CallbackQuery,
    callback_data: TeamTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    who.may(Action.OWN)
    async with sessions.begin() as session:
        await teams.transfer(
            session, who.account_id, who.user_id, callback_data.user_id, now=clock()
        )
    await query.answer(who.tr.plain("Saved"))
    await edit(bot, query, await _page(sessions, who, clock))


@router.callback_query(TeamTap.filter((F.do == "needed") & F.value.in_({"1", "2", "3"})))
async def set_needed(
    query: CallbackQuery,
    callback_data: TeamTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    who.may(Action.MANAGE_TEAM)
    async with sessions.begin() as session:
        needed = int(callback_data.value)
        await teams.set_approvals_needed(session, who.account_id, who.user_id, needed)
    await query.answer(who.tr.plain("Saved"))
    await edit(bot, query, await _page(sessions, who, clock))


@router.callback_query(TeamTap.filter((F.do == "remind") & F.value.in_(set(map(str, AFTER_H)))))
async def set_reminders(
    query: CallbackQuery,
    callback_data: TeamTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    who.may(Action.MANAGE_TEAM)
    hours = int(callback_data.value)
    async with sessions.begin() as session:
        await teams.set_remind_after(session, who.account_id, who.user_id, hours)
    await query.answer(who.tr.plain("Saved"))
    await edit(bot, query, await _page(sessions, who, clock))


@router.callback_query(JournalTap.filter())
async def show_journal(
    query: CallbackQuery, callback_data: JournalTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    """Who did what: for those who manage the team."""
    who.may(Action.MANAGE_TEAM)
    before_id = callback_data.before or None
    async with sessions.begin() as session:
        lines = await audit.page(session, who.account_id, before_id=before_id)
        rules = await channels.rules(session, who.account_id)
    await query.answer()
    page = journal_views.page(who.tr, lines, rules.time_zone, first_page=before_id is None)
    await edit(bot, query, page)


@router.callback_query(TeamTap.filter(F.do == "claim"))
async def claim(query: CallbackQuery, who: Who, bot: Bot, sessions: Sessions, clock: Clock) -> None:
    """A team without an owner is for those who administer the group itself."""
    who.may(Action.LOOK)
    found = await bot.get_chat_member(card_of(query).chat.id, who.user_id)
    if found.status not in (ChatMemberStatus.CREATOR, ChatMemberStatus.ADMINISTRATOR):
        raise NotAllowed(Action.OWN, who.role)
    async with sessions.begin() as session:
        await teams.claim(session, who.account_id, who.user_id)
    await query.answer(who.tr.plain("Saved"))
    await edit(bot, query, await _page(sessions, who, clock))


async def _page(sessions: Sessions, who: Who, clock: Clock) -> Card:
    async with sessions.begin() as session:
        team = await teams.team(session, who.account_id, now=clock())
    return team_views.team(who.tr, team, _reader(who))


def _reader(who: Who) -> Role | None:
    """The role of who alone reads a card; None: a group does."""
    return None if who.is_group else who.role


# --- for whom one works in the private chat ---


@router.message(Command("account"), F.chat.type == ChatType.PRIVATE)
@router.message(F.text.in_(keyboards.menu_labels("team")), F.chat.type == ChatType.PRIVATE)
async def show_workplaces(
    message: Message, who: Who, state: FSMContext, sessions: Sessions
) -> None:
    await state.clear()
    card = await _workplaces(sessions, who)
    await message.answer(card.text, reply_markup=card.keyboard)


@router.callback_query(WorkplaceTap.filter(), F.message.chat.type == ChatType.PRIVATE)
async def work_for(
    query: CallbackQuery,
    callback_data: WorkplaceTap,
    who: Who,
    bot: Bot,
    state: FSMContext,
    sessions: Sessions,
) -> None:
    team_id = callback_data.team_id or None
    before = who.account_id if who.team is not None else None
    async with sessions.begin() as session:
        await workplaces.work_for(session, who.user_id, team_id)
        choices = await workplaces.choices(session, who.user_id)
    await state.clear()
    await query.answer(who.tr.plain("Saved"))
    await edit(bot, query, team_views.workplaces(who.tr, choices, team_id))
    if team_id != before:
        team = next((one for one in choices if one.account_id == team_id), None)
        await bot.send_message(query.from_user.id, team_views.works_for(who.tr, team))


async def _workplaces(sessions: Sessions, who: Who) -> Card:
    async with sessions.begin() as session:
        choices = await workplaces.choices(session, who.user_id)
    present = [one.account_id for one in choices if one.account_id == who.account_id]
    return team_views.workplaces(who.tr, choices, present[0] if present else None)
