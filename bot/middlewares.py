"""What happens to every update before its handler: is it for us, who it is from, flood control."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiogram import BaseMiddleware, Bot, Dispatcher
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.fsm.context import FSMContext
from aiogram.types import (
    CallbackQuery,
    Chat,
    ChatMemberRestricted,
    Message,
    ResultChatMemberUnion,
    TelegramObject,
    Update,
    User,
)
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot import dialogue, team_views, texts
from bot.buckets import Bucket, Buckets
from bot.callbacks import CureTap, JournalTap, PlanTap, TeamTap, WalletTap
from bot.errors import NotYours, OtherAccount, Undeliverable
from bot.filters import (
    answers_question,
    asks_for_pictures,
    is_command,
    is_payment,
    replies_to,
)
from bot.settings import BotSettings
from bot.taps import take_buttons
from bot.who import Who
from db import accounts, newcomers, teams, workplaces
from db.accounts import ANONYMOUS_ADMIN
from db.capacity import offered
from db.engine import autocommit
from db.errors import NotFound
from db.states import Role
from db.team_views import Membership
from db.views import TelegramUser, UserView

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]

_NOTICE_EVERY_S = 30
_OUTSIDER_S = 10


class Overhear(BaseMiddleware):
    """Drops what people in a group say to each other: nobody is noted or counted for it."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        if isinstance(event, Update) and await _is_talk(event, data["bot"]):
            return None
        return await handler(event, data)


async def _is_talk(update: Update, bot: Bot) -> bool:
    message = update.message or update.edited_message
    if message is None or message.chat.type == ChatType.PRIVATE or _moves(message):
        return False
    if is_payment(update):
        return False
    return not (replies_to(message, bot) or await is_command(message, bot))


def _moves(message: Message) -> bool:
    """Whether it says that a group became a supergroup, or that somebody has left it."""
    return bool(
        message.migrate_to_chat_id or message.migrate_from_chat_id or message.left_chat_member
    )


class Throttle(BaseMiddleware):
    """Drops what a flooding person sends: says so once, then keeps silent; answers taps.

    An update that is offered once more has been counted already.
    """

    def __init__(self, redis: Redis, settings: BotSettings) -> None:
        self._redis = redis
        self._buckets = Buckets(redis)
        self._burst = float(settings.throttle_burst)
        self._per_s = settings.throttle_per_s

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        who: Who | None = data.get("who")
        update = _person_event(event)
        if who is None or update is None or data.get("offer", 1) > 1:
            return await handler(event, data)
        # By chat as well: anonymous admins of all groups share one user id.
        key = f"throttle:{data['bot'].id}:{data['event_chat'].id}:{who.user_id}"
        if await self._buckets.take([Bucket(key, self._per_s, self._burst)]) == 0:
            return await handler(event, data)
        await self._refuse(update, who, key)
        return None

    async def _refuse(self, event: Message | CallbackQuery, who: Who, key: str) -> None:
        if isinstance(event, CallbackQuery):
            await event.answer(who.tr.plain("Too fast. Wait a few seconds, please."))
        elif await self._redis.set(f"{key}:told", 1, nx=True, ex=_NOTICE_EVERY_S):
            await event.reply(who.tr("🐢 Too fast for me. Wait a few seconds, then send it again."))


class CloseQuestions(BaseMiddleware):
    """Takes the buttons off a dialogue's question that is over, and says so when a command, the
    menu or a photo has left the dialogue in the middle."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        who: Who | None = data.get("who")
        update = _person_event(event)
        if who is None or update is None or data.get("raw_state") is None:
            return await handler(event, data)
        state: FSMContext = data["state"]
        question_id = await dialogue.question(state)
        result = await handler(event, data)
        bot, chat_id = data["bot"], data["event_chat"].id
        # What a tap makes of its own question is for its handler to say.
        is_over = question_id not in (await dialogue.question(state), _tapped_on(update))
        if question_id is not None and is_over:
            await take_buttons(bot, chat_id, question_id)
        if await dialogue.was_left(state):
            await bot.send_message(
                chat_id,
                who.tr("↩️ The question above is dropped, nothing was changed."),
                message_thread_id=data.get("event_thread_id"),
            )
        return result


def _tapped_on(event: Message | CallbackQuery) -> int | None:
    """The message whose button was pressed."""
    if isinstance(event, Message) or event.message is None:
        return None
    return event.message.message_id


class PressOn(BaseMiddleware):
    """Hands a tap's handler `press`: another button, pressed by the same tap of the same person."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, CallbackQuery)
        dispatcher: Dispatcher = data["dispatcher"]

        async def press(tap: str) -> None:
            query = event.model_copy(update={"data": tap})
            await dispatcher.propagate_event("callback_query", query, **data)

        return await handler(event, {**data, "press": press})


def _person_event(event: TelegramObject) -> Message | CallbackQuery | None:
    """What a person can flood with; membership always comes through."""
    if not isinstance(event, Update):
        return None
    return event.message or event.edited_message or event.callback_query


def _is_present(event: TelegramObject, chat: Chat) -> bool:
    """Whether there is a chat to have an account: not one that was just left or given up.

    Money goes to its order's account, whoever says so: payments need no introduction, and with it
    they are spared flood control.
    """
    if chat.type == ChatType.CHANNEL or not isinstance(event, Update) or is_payment(event):
        return False
    if event.chat_member is not None:
        return False
    if event.my_chat_member is not None:
        gone = (ChatMemberStatus.LEFT, ChatMemberStatus.KICKED)
        return event.my_chat_member.new_chat_member.status not in gone
    return event.message is None or not _moves(event.message)


class ActInTeam(BaseMiddleware):
    """In a private chat a page of a team is tapped as whoever one is in that team, whatever else
    the chat works for. Raises NotYours for another team's page in a group."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        tap = data.get("callback_data")
        who: Who | None = data.get("who")
        if who is not None and isinstance(tap, TeamTap | JournalTap):
            data["who"] = await self._there(who, tap.team_id, data["sessions"])
        return await handler(event, data)

    async def _there(
        self, who: Who, team_id: int, sessions: async_sessionmaker[AsyncSession]
    ) -> Who:
        if team_id == who.account_id:
            return who
        if who.is_group:
            raise NotYours
        async with sessions.begin() as session:
            team = await workplaces.working_for(session, who.user_id, team_id)
        return replace(who, account_id=team_id, role=None if team is None else team.role)


class KeepToAccount(BaseMiddleware):
    """A card about money stays its account's. A private chat may work for another one by now, and
    nobody means a wallet that the card does not show. Raises OtherAccount.

    Outsiders of a group are left to the handler, which tells them so.
    """

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        tap = data.get("callback_data")
        who: Who | None = data.get("who")
        if who is not None and isinstance(tap, WalletTap | PlanTap | CureTap):
            is_other = tap.account_id not in (0, who.account_id)
            if is_other and who.role is not None:
                raise OtherAccount
        return await handler(event, data)


class Introduce(BaseMiddleware):
    """Remembers the person and their account, and hands `who` to the handler."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], redis: Redis) -> None:
        self._sessions = sessions
        self._redis = redis

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        user: User | None = data.get("event_from_user")
        chat: Chat | None = data.get("event_chat")
        if user is not None and chat is not None and _is_present(event, chat):
            assert isinstance(event, Update)
            data["who"] = await self._introduce(event, user, chat, data)
        return await handler(event, data)

    async def _introduce(self, update: Update, user: User, chat: Chat, data: dict[str, Any]) -> Who:
        is_group, is_tap = chat.type != ChatType.PRIVATE, update.callback_query is not None
        bot: Bot = data["bot"]
        known = await self._known(
            TelegramUser(user.id, user.first_name, user.username, user.language_code)
        )
        member = await self._membership(known, chat, bot)
        draws = (
            (member is None or member.looks_on)
            and await asks_for_pictures(update, bot)
            and not await answers_question(update, data["state"], self._sessions)
        )
        if member is None or draws:
            # Who writes in a group is in it; buttons can be pressed from outside.
            if not is_tap or await self._is_inside(bot, chat, user):
                async with self._sessions.begin() as session:
                    now = data["clock"]()
                    member = await newcomers.enter(
                        session, user.id, chat.id, chat.title, draws=draws, now=now
                    )
            else:
                member = Membership(known.account_id, None)
        if is_group and is_tap and (member.role is Role.EDITOR or member.looks_on):
            member = await self._promoted(member, user, chat, bot)
        return await self._who(known, member, is_group=is_group)

    async def _known(self, user: TelegramUser) -> UserView:
        async with autocommit(self._sessions) as session:
            known = await accounts.known_user(session, user)
        if known is not None:
            return known
        async with self._sessions.begin() as session:
            return await accounts.ensure_user(session, user)

    async def _membership(self, known: UserView, chat: Chat, bot: Bot) -> Membership | None:
        """For which account a person acts here and as what; None: not known in this group."""
        own = Membership(known.account_id, Role.OWNER)
        if chat.type == ChatType.PRIVATE and known.team_id is None:
            return own
        async with autocommit(self._sessions) as session:
            if chat.type != ChatType.PRIVATE:
                return await teams.find(session, known.id, chat.id, chat.title)
            assert known.team_id is not None
            team = await workplaces.working_for(session, known.id, known.team_id)
        if team is None:
            await self._let_go(known, known.team_id, bot)
            return own
        return Membership(team.account_id, team.role, team.title or "")

    async def _let_go(self, known: UserView, team_id: int, bot: Bot) -> None:
        """Says that the private chat is its person's own again, and keeps it so: the team may be
        chosen anew once it is back."""
        async with autocommit(self._sessions) as session:
            name = await teams.name(session, team_id)
        words = team_views.works_alone(texts.of(known.locale), name)
        await bot.send_message(known.id, words)
        async with self._sessions.begin() as session:
            await workplaces.work_for(session, known.id, None)

    async def _is_inside(self, bot: Bot, chat: Chat, user: User) -> bool:
        """Whether Telegram says that a person is in a group; a no is remembered for a moment."""
        key = f"outsider:{chat.id}:{user.id}"
        if await self._redis.exists(key):
            return False
        try:
            found = await bot.get_chat_member(chat.id, user.id)
        except Undeliverable:
            is_inside = False
        else:
            is_inside = is_in(found)
        if not is_inside:
            await self._redis.set(key, 1, ex=_OUTSIDER_S)
        return is_inside

    async def _promoted(self, member: Membership, user: User, chat: Chat, bot: Bot) -> Membership:
        """With an admin's role, if the group has anonymous admins and this is one of its admins.

        They write without a name, but press buttons under their own.
        """
        async with self._sessions.begin() as session:
            try:
                await accounts.role(session, member.account_id, ANONYMOUS_ADMIN)
            except NotFound:
                return member
        admins = await bot.get_chat_administrators(chat.id)
        is_admin = user.id in (one.user.id for one in admins)
        return replace(member, role=Role.ADMIN) if is_admin else member

    async def _who(self, known: UserView, member: Membership, *, is_group: bool) -> Who:
        capacity = await offered(self._redis)
        return Who(
            user_id=known.id,
            name=known.first_name,
            account_id=member.account_id,
            role=member.role,
            team=member.team,
            locale=known.locale,
            is_group=is_group,
            settings=known.settings,
            max_count=capacity.max_count,
            can_start_from_photos=capacity.starts_from_photos,
            is_removed=member.is_removed,
            full_seats=member.full_seats,
        )


def is_in(member: ResultChatMemberUnion) -> bool:
    """Whether a person (still) belongs to a group."""
    if isinstance(member, ChatMemberRestricted):
        return member.is_member
    return member.status not in (ChatMemberStatus.LEFT, ChatMemberStatus.KICKED)
