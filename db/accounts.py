"""People, their settings, and the accounts (personal or a team's) that own everything."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Literal, TypedDict, Unpack, cast

from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db import mergers, statuses, tasks
from db.errors import NotFound
from db.locales import locale_of
from db.models import (
    Account,
    Approval,
    Brand,
    Channel,
    Delivery,
    Member,
    Order,
    Post,
    Question,
    Request,
    Task,
    User,
)
from db.models import UserSettings as SettingsRow
from db.states import AccountKind, DeliveryState, PostState, Role, TaskState
from db.views import Locale, TelegramUser, UserSettings, UserView

ANONYMOUS_ADMIN = 1087968824
"""@GroupAnonymousBot: in every group the sender of what admins write in the group's own name."""

_SEEN_EVERY = timedelta(hours=1)
_MERGED = -(2**62)
"""No chat of Telegram's: an account merged into another keeps its money's history under it."""

ChatType = Literal["private", "group", "supergroup", "channel"]


class SettingsFields(TypedDict, total=False):
    """What `change_settings` can change."""

    locale: Locale | None
    count: int
    aspect: str | None
    enhance: bool


async def known_user(session: AsyncSession, user: TelegramUser) -> UserView | None:
    """The person of an update, with one read; None: there is news for `ensure_user` to note.

    Called for every update, so `seen_at` is true to the hour only.
    """
    view, has_news = await _find_user(session, user)
    return None if has_news else view


async def ensure_user(session: AsyncSession, user: TelegramUser) -> UserView:
    """The person of an update; met for the first time, they get an account and settings."""
    view, has_news = await _find_user(session, user)
    if view is None:
        await _add_user(session, user)
        view, has_news = await _find_user(session, user)
        assert view is not None
    if has_news:
        await _refresh_user(session, user)
    return view


async def for_chat(
    session: AsyncSession, user_id: int, chat_id: int, chat_type: ChatType, title: str | None
) -> int:
    """The account that a message in this chat belongs to.

    A group's team is made on first use, the user its owner; who comes later joins with
    `newcomers.enter`. Raises NotFound for a user never met.
    """
    if chat_type == "private":
        account_id = await session.scalar(
            select(Account.id).where(
                Account.owner_user_id == user_id, Account.kind == AccountKind.PERSONAL
            )
        )
        if account_id is None:
            raise NotFound("user", user_id)
        return account_id
    account_id = await session.scalar(
        select(Account.id).where(
            Account.chat_id == chat_id, Account.title.is_not_distinct_from(title)
        )
    )
    return account_id or await _make_team(session, user_id, chat_id, title)


async def role(session: AsyncSession, account_id: int, user_id: int) -> Role:
    """What a member may do. Raises NotFound for somebody who is none (any more)."""
    found = await session.scalar(
        select(Member.role).where(
            Member.account_id == account_id, Member.user_id == user_id, Member.left_at.is_(None)
        )
    )
    if found is None:
        raise NotFound("member", user_id)
    return found


async def first_name(session: AsyncSession, user_id: int) -> str:
    """Raises NotFound for a user never met."""
    name = await session.scalar(select(User.first_name).where(User.id == user_id))
    if name is None:
        raise NotFound("user", user_id)
    return name


async def set_blocked(session: AsyncSession, chat_id: int, now: datetime) -> None:
    """Notes that a person has blocked the bot, until they write again. Groups are not noted."""
    await session.execute(
        update(User).where(User.id == chat_id, User.blocked_at.is_(None)).values(blocked_at=now)
    )


async def migrate_chat(session: AsyncSession, old_chat_id: int, new_chat_id: int) -> None:
    """Follows a group that became a supergroup; doing it again changes nothing.

    Message ids of the old chat mean nothing in the new one: cards are forgotten, so that new
    ones are sent. `source_chat_id` stays, because there the ids must not meet the new chat's.
    """
    # Who claims or ends a task locks it, then (for its money) the account.
    await tasks.lock_claims(session)
    await _lock_work(session, old_chat_id, new_chat_id)
    await _move_account(session, old_chat_id, new_chat_id)
    await session.execute(
        update(Request)
        .where(Request.chat_id == old_chat_id)
        .values(chat_id=new_chat_id, card_message_id=None)
    )
    await session.execute(
        update(Task)
        .where(Task.chat_id == old_chat_id)
        .values(chat_id=new_chat_id, status_message_id=None)
    )
    await session.execute(
        update(Approval)
        .where(Approval.chat_id == old_chat_id)
        .values(chat_id=new_chat_id, card_message_id=None)
    )
    await session.execute(
        update(Order)
        .where(Order.chat_id == old_chat_id)
        .values(chat_id=new_chat_id, message_id=None)
    )
    # One being sent now stays: Telegram answers it with the new id, and it is moved when it
    # has gone back to pending. Moved earlier, it could meet another one being sent there.
    # What was sent stays too: its message ids are of the old chat.
    stays = (DeliveryState.SENDING, DeliveryState.SENT)
    await session.execute(
        update(Delivery)
        .where(Delivery.chat_id == old_chat_id, Delivery.state.not_in(stays))
        .values(chat_id=new_chat_id)
    )


async def settings(session: AsyncSession, user_id: int) -> UserSettings:
    """Raises NotFound for a user never met."""
    row = await session.get(SettingsRow, user_id, populate_existing=True)
    if row is None:
        raise NotFound("user", user_id)
    return _settings_view(row)


async def change_settings(
    session: AsyncSession, user_id: int, **fields: Unpack[SettingsFields]
) -> UserSettings:
    """Sets the fields given, leaves the others. Raises NotFound for a user never met."""
    if fields:
        await session.execute(
            update(SettingsRow).where(SettingsRow.user_id == user_id).values(**fields)
        )
    return await settings(session, user_id)


# Made once: SQLAlchemy takes longer to put it together than Postgres to answer it.
_KNOWN_USER = (
    select(
        Account.id,
        SettingsRow.locale,
        SettingsRow.count,
        SettingsRow.aspect,
        SettingsRow.enhance,
        SettingsRow.team_id,
        or_(
            User.first_name.is_distinct_from(bindparam("first_name")),
            User.username.is_distinct_from(bindparam("username")),
            User.language_code.is_distinct_from(bindparam("language_code")),
            User.blocked_at.is_not(None),
            User.seen_at < func.now() - _SEEN_EVERY,
        ),
    )
    .join(User, Account.owner_user_id == User.id)
    .join(SettingsRow, SettingsRow.user_id == User.id)
    .where(User.id == bindparam("id"), Account.kind == AccountKind.PERSONAL)
)


async def _find_user(session: AsyncSession, user: TelegramUser) -> tuple[UserView | None, bool]:
    """And whether what is stored of them is out of date."""
    row = (await session.execute(_KNOWN_USER, asdict(user))).one_or_none()
    if row is None:
        return None, True
    account_id, locale, count, aspect, enhance, team_id, has_news = row
    view = UserView(
        id=user.id,
        first_name=user.first_name,
        locale=locale_of(user.language_code, locale),
        account_id=account_id,
        settings=UserSettings(
            locale=cast("Locale | None", locale), count=count, aspect=aspect, enhance=enhance
        ),
        team_id=team_id,
    )
    return view, has_news


async def _refresh_user(session: AsyncSession, user: TelegramUser) -> None:
    await statuses.draw_lost(session, user.id)
    await session.execute(
        update(User)
        .where(User.id == user.id)
        .values(
            first_name=user.first_name,
            username=user.username,
            language_code=user.language_code,
            blocked_at=None,
            seen_at=func.now(),
        )
        .execution_options(synchronize_session=False)
    )


async def _add_user(session: AsyncSession, user: TelegramUser) -> None:
    """Each step bows to a twin of this call that was faster."""
    await session.execute(insert(User).values(asdict(user)).on_conflict_do_nothing())
    await session.execute(insert(SettingsRow).values(user_id=user.id).on_conflict_do_nothing())
    account_id = await session.scalar(
        insert(Account)
        .values(kind=AccountKind.PERSONAL, owner_user_id=user.id)
        .on_conflict_do_nothing()
        .returning(Account.id)
    )
    if account_id is not None:
        await _add_member(session, account_id, user.id, Role.OWNER)


async def _make_team(session: AsyncSession, user_id: int, chat_id: int, title: str | None) -> int:
    """Behind the anonymous admin may be anybody: a team that they make has no owner yet."""
    owner_id = None if user_id == ANONYMOUS_ADMIN else user_id
    made_id: int | None = await session.scalar(
        insert(Account)
        .values(kind=AccountKind.TEAM, owner_user_id=owner_id, chat_id=chat_id, title=title)
        .on_conflict_do_nothing()
        .returning(Account.id)
    )
    if made_id is not None:
        if owner_id is not None:
            await _add_member(session, made_id, owner_id, Role.OWNER)
        return made_id
    account_id: int | None = await session.scalar(
        update(Account).where(Account.chat_id == chat_id).values(title=title).returning(Account.id)
    )
    assert account_id is not None
    return account_id


async def _add_member(session: AsyncSession, account_id: int, user_id: int, role: Role) -> None:
    await session.execute(
        insert(Member)
        .values(account_id=account_id, user_id=user_id, role=role)
        .on_conflict_do_nothing()
    )


async def _lock_work(session: AsyncSession, *chat_ids: int) -> None:
    """Tasks of these chats that are not over stay so until the transaction's end."""
    teams = select(Account.id).where(Account.chat_id.in_(chat_ids))
    await session.execute(
        select(Task.id)
        .where(Task.account_id.in_(teams), Task.state.in_([TaskState.QUEUED, TaskState.RUNNING]))
        .order_by(Task.id)
        .with_for_update(key_share=True)
    )


async def _move_account(session: AsyncSession, old_chat_id: int, new_chat_id: int) -> None:
    accounts = {
        account.chat_id: account
        for account in await session.scalars(
            select(Account)
            .where(Account.chat_id.in_([old_chat_id, new_chat_id]))
            .order_by(Account.id)
            .with_for_update()
        )
    }
    old, new = accounts.get(old_chat_id), accounts.get(new_chat_id)
    if old is None:
        return
    if new is not None:
        await _merge(session, new.id, into_id=old.id)
    await session.execute(delete(Question).where(Question.chat_id == old_chat_id))
    await session.execute(update(Account).where(Account.id == old.id).values(chat_id=new_chat_id))


async def _merge(session: AsyncSession, account_id: int, *, into_id: int) -> None:
    """Someone wrote in the new chat before we heard of the move: the team is one again.

    Of two brands with one name the older team's stays in sight; of a channel that both have, too.
    """
    taken = select(Brand.name_key).where(Brand.account_id == into_id, Brand.deleted_at.is_(None))
    await session.execute(
        update(Brand)
        .where(Brand.account_id == account_id, Brand.name_key.in_(taken))
        .values(deleted_at=func.coalesce(Brand.deleted_at, func.now()))
        .execution_options(synchronize_session=False)
    )
    await _merge_channels(session, account_id, into_id=into_id)
    for owned in (Brand, Request, Task, Approval, Channel, Post):
        await session.execute(
            update(owned).where(owned.account_id == account_id).values(account_id=into_id)
        )
    await mergers.merge(session, account_id, into_id=into_id)
    # Whoever acts in the new chat joins the older team then, as its rules have it.
    await session.execute(delete(Member).where(Member.account_id == account_id))
    await session.execute(
        update(Account).where(Account.id == account_id).values(chat_id=_MERGED - account_id)
    )


async def _merge_channels(session: AsyncSession, account_id: int, *, into_id: int) -> None:
    """What was to go to a channel that both have goes to the older team's."""
    kept = aliased(Channel)
    twins = (
        Channel.account_id == account_id,
        Channel.removed_at.is_(None),
        kept.account_id == into_id,
        kept.chat_id == Channel.chat_id,
        kept.removed_at.is_(None),
    )
    await session.execute(
        update(Post)
        .where(Post.channel_id == Channel.id, Post.state != PostState.SENDING, *twins)
        .values(channel_id=kept.id)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(Channel)
        .where(*twins)
        .values(removed_at=func.now())
        .execution_options(synchronize_session=False)
    )


def _settings_view(row: SettingsRow) -> UserSettings:
    return UserSettings(
        locale=cast("Locale | None", row.locale),
        count=row.count,
        aspect=row.aspect,
        enhance=row.enhance,
    )
