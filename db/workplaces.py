"""For whom a person works in the private chat: themselves, or one of their teams."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import NotFound
from db.models import Account, Brand, Channel, Member, Post, Request, Task, UserSettings
from db.states import AccountKind, Presence
from db.team_views import TeamChoice

_OWNED: dict[str, type[Request | Task | Brand | Post | Channel]] = {
    "request": Request,
    "task": Task,
    "brand": Brand,
    "post": Post,
    "channel": Channel,
}


@dataclass(frozen=True, slots=True)
class Workplace:
    """A team that a person can work for; None: their own account."""

    team: TeamChoice | None


async def choices(session: AsyncSession, user_id: int) -> tuple[TeamChoice, ...]:
    """The teams that a person can work for."""
    rows = await session.execute(
        select(Account.id, Account.title, Member.role)
        .join(Member)
        .where(*_works_for(user_id))
        .order_by(Account.id)
    )
    return tuple(TeamChoice(*row) for row in rows)


async def working_for(session: AsyncSession, user_id: int, team_id: int) -> TeamChoice | None:
    """The team, if the person (still) can work for it."""
    row = (
        await session.execute(
            select(Account.id, Account.title, Member.role)
            .join(Member)
            .where(*_works_for(user_id), Account.id == team_id)
        )
    ).one_or_none()
    return None if row is None else TeamChoice(*row)


async def work_for(session: AsyncSession, user_id: int, team_id: int | None) -> None:
    """From now on drafts of the private chat are the team's; None: the person's own.

    Raises NotFound for a team that is not theirs.
    """
    if team_id is not None and await working_for(session, user_id, team_id) is None:
        raise NotFound("team", team_id)
    await session.execute(
        update(UserSettings).where(UserSettings.user_id == user_id).values(team_id=team_id)
    )


async def owner(
    session: AsyncSession, user_id: int, what: str, thing_id: int, *, but: int
) -> Workplace | None:
    """For whom a person must work to reach this thing, if they can and do not already (`but` is
    whom they work for). None also for what is nobody's, or others'."""
    owned = _OWNED[what]
    account = await session.scalar(
        select(Account)
        .join(owned, owned.account_id == Account.id)
        .where(owned.id == thing_id, Account.id != but)
    )
    if account is None:
        return None
    if account.kind is AccountKind.PERSONAL:
        return Workplace(None) if account.owner_user_id == user_id else None
    team = await working_for(session, user_id, account.id)
    return None if team is None else Workplace(team)


def _works_for(user_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Account.kind == AccountKind.TEAM,
        Account.presence.is_(None) | Account.presence.not_in((Presence.LEFT, Presence.KICKED)),
        Member.user_id == user_id,
        Member.left_at.is_(None),
    )
