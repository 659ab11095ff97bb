"""/channels: connecting channels, what Telegram says of them, and by which rules posts go out."""

from __future__ import annotations

from datetime import datetime

from aiogram import Bot, F, Router
from aiogram.enums import ChatType
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, ChatMemberAdministrator, ChatMemberUpdated, Message
from aiogram.utils.deep_linking import create_start_link
from arq import ArqRedis

from bot import channel_keyboards, channel_views, keyboards, posting, texts
from bot.callbacks import ChannelTap
from bot.clock import Clock
from bot.intake import Sessions
from bot.taps import edit
from bot.views import Card
from bot.who import Who
from db import accounts, audit, channels, plans, teams
from db.audit import Deed
from db.errors import NotFound
from db.queue import wake_io
from db.rights import Action, allowed, check
from db.states import LatePosts
from db.zones import ZONES

router = Router(name="channels")

_LINK = "channels_"
_BACK = {texts.of(locale).plain(channel_keyboards.BACK_TO_MENU) for locale in texts.LOCALES}


@router.message(Command("channels"))
async def show(
    message: Message, who: Who, state: FSMContext, bot: Bot, sessions: Sessions, clock: Clock
) -> None:
    await state.clear()
    card = await _page(bot, sessions, who, clock())
    await message.answer(card.text, reply_markup=card.keyboard)


@router.callback_query(ChannelTap.filter(F.do == "list"))
async def back_to_list(
    query: CallbackQuery, who: Who, bot: Bot, sessions: Sessions, clock: Clock
) -> None:
    card = await _page(bot, sessions, who, clock())
    await query.answer()
    await edit(bot, query, card)


async def _page(bot: Bot, sessions: Sessions, who: Who, now: datetime) -> Card:
    who.may(Action.LOOK)
    async with sessions.begin() as session:
        listed = await channels.list_(session, who.account_id)
        rules = await channels.rules(session, who.account_id)
        limit = (await plans.terms(session, who.account_id, now=now)).channels
    url = await _connect_url(bot, who)
    manages = who.is_group or allowed(who.role, Action.MANAGE_CHANNELS)
    return channel_views.channels(who.tr, listed, rules, url, limit=limit, manages=manages)


async def way_to_first(bot: Bot, sessions: Sessions, who: Who, now: datetime) -> Card:
    """What leads an account without a channel that it may post to, to one, or who can."""
    async with sessions.begin() as session:
        limit = (await plans.terms(session, who.account_id, now=now)).channels
        owner = await teams.owner_name(session, who.account_id)
    if not allowed(who.role, Action.MANAGE_CHANNELS):
        return channel_views.none_by_others(who.tr, owner)
    if limit == 0:
        return channel_views.none_in_plan(who.tr)
    return channel_views.none_yet(who.tr, await _connect_url(bot, who))


async def _connect_url(bot: Bot, who: Who) -> str | None:
    """Telegram lets people share a channel in a private chat only: the way there; None: here."""
    return await create_start_link(bot, f"{_LINK}{who.account_id}") if who.is_group else None


# --- connecting ---


@router.callback_query(ChannelTap.filter(F.do == "connect"), F.message.chat.type == "private")
async def ask_here(
    query: CallbackQuery, who: Who, bot: Bot, sessions: Sessions, clock: Clock
) -> None:
    who.may(Action.MANAGE_CHANNELS)
    await query.answer()
    await _ask(bot, query.from_user.id, who, who.account_id, sessions, clock())


@router.message(
    CommandStart(deep_link=True, magic=F.args.regexp(rf"^{_LINK}\d{{1,10}}$")),
    F.chat.type == ChatType.PRIVATE,
)
async def ask_for_team(
    message: Message,
    command: CommandObject,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    """The way from a group's list of channels; the right is that of the team."""
    account_id = int((command.args or "").removeprefix(_LINK))
    await _must_manage(sessions, account_id, who)
    await _ask(bot, message.chat.id, who, account_id, sessions, clock())


async def _ask(
    bot: Bot, chat_id: int, who: Who, account_id: int, sessions: Sessions, now: datetime
) -> None:
    async with sessions.begin() as session:
        limit = (await plans.terms(session, account_id, now=now)).channels
    if limit == 0:  # Said before a channel is handed over for nothing.
        card = channel_views.none_in_plan(who.tr)
        await bot.send_message(chat_id, card.text, reply_markup=card.keyboard)
        return
    markup = channel_keyboards.request_channel(who.tr, account_id)
    await bot.send_message(chat_id, channel_views.connect(who.tr), reply_markup=markup)


@router.message(F.chat_shared)
async def connect(message: Message, who: Who, bot: Bot, sessions: Sessions, clock: Clock) -> None:
    """A channel was chosen: connected if both the bot and the person may post there.

    Raises LimitReached("channels"), NotAllowed, NotFound.
    """
    shared = message.chat_shared
    assert shared is not None
    await _must_manage(sessions, shared.request_id, who)
    for user_id in (bot.id, who.user_id):
        if not await posting.may_post(bot, shared.chat_id, user_id):
            refusal = channel_views.not_connected(who.tr, bot_may=user_id != bot.id)
            await message.answer(refusal)
            return
    async with sessions.begin() as session:
        channel = await channels.connect(
            session,
            shared.request_id,
            who.user_id,
            chat_id=shared.chat_id,
            title=shared.title or str(shared.chat_id),
            username=shared.username,
            now=clock(),
        )
    await message.answer(
        channel_views.connected(who.tr, channel), reply_markup=keyboards.menu(who.tr)
    )


async def _must_manage(sessions: Sessions, account_id: int, who: Who) -> None:
    """Raises NotAllowed for who may not manage the account's channels, and NotFound."""
    async with sessions.begin() as session:
        try:
            role = await accounts.role(session, account_id, who.user_id)
        except NotFound:
            role = None
    check(role, Action.MANAGE_CHANNELS)


@router.message(F.text.in_(_BACK), F.chat.type == ChatType.PRIVATE)
async def back_to_menu(message: Message, who: Who) -> None:
    await message.answer(who.tr("Here is the menu."), reply_markup=keyboards.menu(who.tr))


# --- a channel ---


@router.callback_query(ChannelTap.filter(F.do.in_({"open", "remove"})))
async def open_channel(
    query: CallbackQuery, callback_data: ChannelTap, who: Who, bot: Bot, sessions: Sessions
) -> None:
    """A channel's page, with its rights looked up anew; or the question before it goes."""
    who.may(Action.MANAGE_CHANNELS)
    async with sessions.begin() as session:
        channel = await channels.get(session, who.account_id, callback_data.channel_id)
    await query.answer()
    if callback_data.do == "remove":
        await edit(bot, query, channel_views.sure_to_remove(who.tr, channel))
        return
    if channel.broken_reason and await posting.may_post(bot, channel.chat_id, bot.id):
        async with sessions.begin() as session:
            await channels.healed(session, channel.chat_id)
            channel = await channels.get(session, who.account_id, channel.id)
    await edit(bot, query, channel_views.channel(who.tr, channel))


@router.callback_query(ChannelTap.filter(F.do == "sure"))
async def remove(
    query: CallbackQuery,
    callback_data: ChannelTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    who.may(Action.MANAGE_CHANNELS)
    async with sessions.begin() as session:
        removed = await channels.remove(
            session, who.account_id, callback_data.channel_id, now=clock()
        )
        await audit.note(
            session, who.account_id, who.user_id, Deed.CHANNEL_REMOVED, f"channel {removed.id}",
            channel=removed.title,
        )  # fmt: skip
    await query.answer(who.tr.plain("Disconnected"))
    await edit(bot, query, await _page(bot, sessions, who, clock()))


@router.my_chat_member(F.chat.type == ChatType.CHANNEL)
async def rights_changed(
    event: ChatMemberUpdated, sessions: Sessions, pool: ArqRedis, clock: Clock
) -> None:
    """The bot was promoted, demoted or removed in a channel: its accounts are told."""
    member = event.new_chat_member
    async with sessions.begin() as session:
        if isinstance(member, ChatMemberAdministrator) and member.can_post_messages:
            await channels.healed(session, event.chat.id)
        else:
            reason = "blocked" if member.status in ("left", "kicked") else "no_rights"
            await channels.broke(session, event.chat.id, reason, now=clock())
    await wake_io(pool)


# --- the rules of posts ---


@router.callback_query(ChannelTap.filter(F.do == "zones"))
async def choose_zone(query: CallbackQuery, who: Who, bot: Bot, sessions: Sessions) -> None:
    who.may(Action.MANAGE_CHANNELS)
    async with sessions.begin() as session:
        rules = await channels.rules(session, who.account_id)
    await query.answer()
    await edit(bot, query, channel_views.time_zones(who.tr, rules))


@router.callback_query(ChannelTap.filter(F.do.in_({"zone", "late"})))
async def change_rules(
    query: CallbackQuery,
    callback_data: ChannelTap,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    clock: Clock,
) -> None:
    """Values that no button offers change nothing."""
    who.may(Action.MANAGE_CHANNELS)
    zone, late = None, None
    value = callback_data.value
    if callback_data.do == "zone":
        known = dict(enumerate(ZONES))
        zone = known.get(int(value)) if value.isdecimal() else None
    elif value in set(LatePosts):
        late = LatePosts(value)
    async with sessions.begin() as session:
        await channels.change_rules(session, who.account_id, time_zone=zone, late_posts=late)
        if zone is not None:
            await audit.note(
                session, who.account_id, who.user_id, Deed.TIME_ZONE, "posts", zone=zone
            )
        if late is not None:
            await audit.note(
                session, who.account_id, who.user_id, Deed.LATE_POSTS, "posts", late=late
            )
    await query.answer(who.tr.plain("Saved"))
    await edit(bot, query, await _page(bot, sessions, who, clock()))
