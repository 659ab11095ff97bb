"""Who acts in a group for the first time: what they begin as, and that the owner hears of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import accounts, audit, locks, notices, plans, teams
from db.accounts import ANONYMOUS_ADMIN
from db.audit import Deed
from db.models import Account, Member, User
from db.states import Role
from db.team_views import Membership

CAME = "newcomer"
NO_SEAT = "no_seat"
"""The kinds of notices: somebody has taken a seat; somebody wanted to draw and there was none."""

NAMELESS = frozenset({136817688, 777000})
"""@Channel_Bot (people who write as their channel) and Telegram itself: nobody in particular."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What a notice says: who came into which team, and how many of its seats are taken."""

    team_id: int
    team: str
    user_id: int
    name: str
    role: Role
    taken: int
    seats: int


async def enter(
    session: AsyncSession,
    user_id: int,
    chat_id: int,
    title: str | None,
    *,
    draws: bool,
    now: datetime,
) -> Membership:
    """Somebody acts in a group: its team, made on first use, and what they are in it.

    The first is the owner. Of the others who asks for pictures (`draws`) joins as an editor while
    there are seats, who does anything else as a viewer until they ask for some. Who comes back has
    the role of before, at most an editor's; who was removed has none. For whom there is no seat
    looks on until there is one.
    """
    known = await teams.find(session, user_id, chat_id, title)
    if known is not None and not (draws and known.looks_on):
        return known
    account_id = await accounts.for_chat(session, user_id, chat_id, "supergroup", title)
    if user_id in NAMELESS:
        return Membership(account_id, None)
    await locks.account(session, account_id)
    before = await teams.row(session, account_id, user_id)
    is_new = before is None or before.looks_on
    if before is not None and before.left_at is None and not (draws and is_new):
        return Membership(account_id, before.role, looks_on=before.looks_on)
    if before is not None and before.removed_by is not None:
        return Membership(account_id, None, is_removed=True)
    role, full_seats = _wanted(user_id, before, draws=draws), None
    if (
        role not in (Role.VIEWER, Role.ADMIN)
        and await teams.free_seats(session, account_id, now) < 1
    ):
        role, full_seats = Role.VIEWER, (await plans.terms(session, account_id, now=now)).seats
    looks_on = role is Role.VIEWER and (is_new or full_seats is not None)
    entered = Membership(account_id, role, looks_on=looks_on, full_seats=full_seats)
    if full_seats is not None and draws:
        await _tell_owner(session, NO_SEAT, account_id, user_id, role, now)
    if before is not None and before.left_at is None and before.role is role:
        return entered  # they ask, but there is no seat
    fields = {"role": role, "looks_on": looks_on}
    await session.execute(
        insert(Member)
        .values(account_id=account_id, user_id=user_id, **fields)
        .on_conflict_do_update(
            index_elements=[Member.account_id, Member.user_id],
            set_={**fields, "left_at": None, "joined_at": func.now()},
        )
    )
    await audit.note(session, account_id, user_id, Deed.JOIN, f"user {user_id}", role=role)
    if is_new and role is not Role.VIEWER and user_id != ANONYMOUS_ADMIN:
        await _tell_owner(session, CAME, account_id, user_id, role, now)
    return entered


def _wanted(user_id: int, before: Member | None, *, draws: bool) -> Role:
    """What somebody begins as if there is a seat; only the anonymous admin is one from the first
    and takes none."""
    if user_id == ANONYMOUS_ADMIN:
        return Role.ADMIN
    if before is None or before.looks_on:
        return Role.EDITOR if draws else Role.VIEWER
    return Role.EDITOR if before.role in (Role.OWNER, Role.ADMIN) else before.role


async def _tell_owner(
    session: AsyncSession, kind: str, account_id: int, user_id: int, role: Role, now: datetime
) -> None:
    """A notice of the owner's own account, so that it comes to them and not to the group; one of
    a kind for each person."""
    owner_id = await session.scalar(select(Account.owner_user_id).where(Account.id == account_id))
    if owner_id is None:
        return
    own_id = await accounts.for_chat(session, owner_id, owner_id, "private", None)
    team = await teams.team(session, account_id, now=now)
    name = await session.scalar(select(User.first_name).where(User.id == user_id))
    newcomer = Newcomer(
        account_id, team.title or "", user_id, name or "", role, team.seats_taken, team.seats
    )
    key = f"{kind}:{account_id}:{user_id}"
    await notices.tell(session, own_id, kind, asdict(newcomer), key=key)
