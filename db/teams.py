"""Teams: who is in, in which role and with which seat; who has left; who may publish."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import accounts, audit, locks, plans, statuses
from db.accounts import ANONYMOUS_ADMIN
from db.audit import Deed
from db.errors import LimitReached, NotAllowed, NotFound, Stale
from db.models import Account, Approval, Member, User
from db.rights import RIGHTS, Action, allowed, check
from db.states import AccountKind, ApprovalState, Presence, Role
from db.team_views import Membership, MemberView, TeamView

MOST_NEEDED = 3
"""Approvals that an album can need."""

_ORDER = case({role: place for place, role in enumerate(Role)}, value=Member.role)


async def find(
    session: AsyncSession, user_id: int, chat_id: int, title: str | None
) -> Membership | None:
    """What a known member of the group's team is; None: to be looked at with
    `newcomers.enter`."""
    row = (
        await session.execute(
            select(Account.id, Member.role, Member.looks_on)
            .join(Member)
            .where(
                Account.chat_id == chat_id,
                Account.title.is_not_distinct_from(title),
                Member.user_id == user_id,
                Member.left_at.is_(None),
            )
        )
    ).one_or_none()
    return None if row is None else Membership(row[0], row[1], looks_on=row[2])


async def left(session: AsyncSession, chat_id: int, user_id: int, *, now: datetime) -> None:
    """A person is no longer in the group. An owner's place goes to the admin of longest standing,
    else it waits for one of the group's own administrators (`claim`)."""
    account_id = await session.scalar(select(Account.id).where(Account.chat_id == chat_id))
    if account_id is None:
        return
    await locks.account(session, account_id)
    member = await row(session, account_id, user_id)
    if member is None or member.left_at is not None:
        return
    was_owner = member.role is Role.OWNER
    role = Role.EDITOR if was_owner else member.role
    await _set(session, account_id, user_id, role=role, left_at=now)
    await audit.note(session, account_id, user_id, Deed.LEAVE, f"user {user_id}", role=member.role)
    if was_owner:
        heir_id = await session.scalar(
            select(Member.user_id)
            .where(
                Member.account_id == account_id,
                Member.role == Role.ADMIN,
                Member.left_at.is_(None),
                Member.user_id != ANONYMOUS_ADMIN,
            )
            .order_by(Member.joined_at, Member.user_id)
            .limit(1)
        )
        await _crown(session, account_id, heir_id)


async def team(session: AsyncSession, account_id: int, *, now: datetime) -> TeamView:
    """Raises NotFound for an account that is no team."""
    account = await session.scalar(
        select(Account)
        .where(Account.id == account_id, Account.kind == AccountKind.TEAM)
        .execution_options(populate_existing=True)
    )
    if account is None:
        raise NotFound("team", account_id)
    members = await _members(session, account_id)
    terms = await plans.terms(session, account_id, now=now)
    present = [one for one in members if not one.is_removed]
    return TeamView(
        account_id=account_id,
        title=account.title,
        members=members,
        seats=terms.seats,
        seats_taken=sum(one.role is not Role.VIEWER for one in present),
        approvers=sum(allowed(one.role, Action.APPROVE) for one in present),
        approvals_needed=account.approvals_needed,
        remind_after_h=account.remind_after_h,
        presence=account.presence,
        has_owner=any(one.role is Role.OWNER for one in present),
    )


async def name(session: AsyncSession, account_id: int) -> str | None:
    """What a team is called, empty if it is not; None for somebody's own account."""
    return await session.scalar(
        select(func.coalesce(Account.title, "")).where(
            Account.id == account_id, Account.kind == AccountKind.TEAM
        )
    )


async def owner_name(session: AsyncSession, account_id: int) -> str | None:
    """None for a team that has no owner now."""
    return await session.scalar(
        select(User.first_name)
        .join(Account, Account.owner_user_id == User.id)
        .where(Account.id == account_id)
    )


async def member(session: AsyncSession, account_id: int, user_id: int) -> MemberView:
    """Raises NotFound, also for who has left."""
    found = [one for one in await _members(session, account_id) if one.user_id == user_id]
    if not found:
        raise NotFound("member", user_id)
    return found[0]


async def _members(session: AsyncSession, account_id: int) -> tuple[MemberView, ...]:
    rows = await session.execute(
        select(Member.user_id, User.first_name, Member.role, Member.removed_by)
        .join(User, User.id == Member.user_id)
        .where(
            Member.account_id == account_id,
            Member.left_at.is_(None) | Member.removed_by.is_not(None),
            Member.user_id != ANONYMOUS_ADMIN,
        )
        .order_by(Member.removed_by.is_not(None), _ORDER, Member.joined_at, Member.user_id)
    )
    return tuple(
        MemberView(account_id, user_id, name, role, removed_by is not None)
        for user_id, name, role, removed_by in rows
    )


async def set_role(
    session: AsyncSession,
    account_id: int,
    actor_id: int,
    user_id: int,
    role: Role,
    *,
    now: datetime,
) -> MemberView:
    """Gives a member another role; somebody removed comes back with it.

    Only the owner makes and unmakes admins; the owner's own role changes with `transfer`.
    Raises NotAllowed, NotFound, LimitReached("seats").
    """
    await locks.account(session, account_id)
    before = await member(session, account_id, user_id)
    await _check_over(session, account_id, actor_id, before.role, role)
    if before.role is role and not before.is_removed:
        return before
    takes_seat = before.is_removed or before.role is Role.VIEWER
    if role is not Role.VIEWER and takes_seat:
        await _check_seat(session, account_id, now)
    given = {"role": role, "looks_on": False, "left_at": None, "removed_by": None}
    await _set(session, account_id, user_id, **given)
    await audit.note(
        session, account_id, actor_id, Deed.ROLE, f"user {user_id}", before=before.role, role=role
    )
    return replace(before, role=role, is_removed=False)


async def remove(
    session: AsyncSession, account_id: int, actor_id: int, user_id: int, *, now: datetime
) -> MemberView:
    """Sends a member away: until somebody gives them a role, they may do nothing.

    Raises NotAllowed, NotFound.
    """
    await locks.account(session, account_id)
    before = await member(session, account_id, user_id)
    await _check_over(session, account_id, actor_id, before.role)
    if before.is_removed:
        return before
    await _set(session, account_id, user_id, left_at=now, removed_by=actor_id)
    await audit.note(
        session, account_id, actor_id, Deed.REMOVE, f"user {user_id}", role=before.role
    )
    return replace(before, is_removed=True)


async def transfer(
    session: AsyncSession, account_id: int, actor_id: int, user_id: int, *, now: datetime
) -> None:
    """The owner passes the team on and stays as an admin, so an heir who only looked on takes one
    seat more. Raises NotAllowed, NotFound, LimitReached("seats")."""
    await locks.account(session, account_id)
    check(await _role(session, account_id, actor_id), Action.OWN)
    heir = await member(session, account_id, user_id)
    if heir.is_removed:
        raise NotFound("member", user_id)
    if user_id == actor_id:
        return
    if heir.role is Role.VIEWER:
        await _check_seat(session, account_id, now)
    await _set(session, account_id, actor_id, role=Role.ADMIN)
    await _crown(session, account_id, user_id)
    await audit.note(session, account_id, actor_id, Deed.TRANSFER, f"user {user_id}")


async def claim(session: AsyncSession, account_id: int, user_id: int) -> None:
    """A team without an owner gets one: a member who administers the group, which the caller has
    made sure of. Raises NotFound for no member, Stale where there is an owner.

    Whether a seat is free is not asked: where nobody rules, nobody could make one free.
    """
    await locks.account(session, account_id)
    if await _role(session, account_id, user_id) is None:
        raise NotFound("member", user_id)
    owner = select(Member.user_id).where(Member.account_id == account_id, Member.role == Role.OWNER)
    if await session.scalar(owner) is not None:
        raise Stale("team")
    await _crown(session, account_id, user_id)
    await audit.note(session, account_id, user_id, Deed.CLAIM, f"user {user_id}")


async def set_approvals_needed(
    session: AsyncSession, account_id: int, actor_id: int, needed: int
) -> None:
    """How many must say yes to an album, 1..3. Raises NotAllowed."""
    check(await _role(session, account_id, actor_id), Action.MANAGE_TEAM)
    await session.execute(
        update(Account).where(Account.id == account_id).values(approvals_needed=needed)
    )
    await audit.note(session, account_id, actor_id, Deed.APPROVALS, "team", needed=needed)


async def set_remind_after(
    session: AsyncSession, account_id: int, actor_id: int, hours: int
) -> None:
    """After how many hours approvers are reminded, 0 (never), 4 or 24. Raises NotAllowed."""
    check(await _role(session, account_id, actor_id), Action.MANAGE_TEAM)
    await session.execute(
        update(Account).where(Account.id == account_id).values(remind_after_h=hours)
    )
    await audit.note(session, account_id, actor_id, Deed.REMINDERS, "team", hours=hours)


async def presence(session: AsyncSession, chat_id: int) -> Presence | None:
    """What the bot was in a group when last heard of; None: never."""
    return await session.scalar(select(Account.presence).where(Account.chat_id == chat_id))


async def set_presence(
    session: AsyncSession, chat_id: int, user_id: int | None, now_is: Presence
) -> None:
    """The bot was added to a group, promoted, restricted or removed there, by `user_id`; None:
    nobody knows by whom."""
    if now_is not in (Presence.LEFT, Presence.KICKED):
        await statuses.draw_lost(session, chat_id)
    account = (
        await session.execute(
            select(Account.id, Account.presence).where(Account.chat_id == chat_id)
        )
    ).one_or_none()
    if account is None or account.presence is now_is:
        return
    await session.execute(update(Account).where(Account.id == account.id).values(presence=now_is))
    known = await session.scalar(select(User.id).where(User.id == user_id))
    await audit.note(session, account.id, known, Deed.BOT, "bot", presence=now_is)


# --- publishing ---


async def may_publish(session: AsyncSession, account_id: int, task_id: int, user_id: int) -> bool:
    """Whether a person may publish this album: owner and admins any, editors an approved one."""
    role = await _role(session, account_id, user_id)
    if not allowed(role, Action.PUBLISH):
        return False
    if role in (Role.OWNER, Role.ADMIN):
        return True
    state = await session.scalar(
        select(Approval.state)
        .where(Approval.task_id == task_id, Approval.account_id == account_id)
        .order_by(Approval.id.desc())
        .limit(1)
    )
    return state is ApprovalState.APPROVED


async def able_to(session: AsyncSession, account_id: int, action: Action) -> frozenset[int]:
    """The members whose role includes an action."""
    roles = [role for role, actions in RIGHTS.items() if action in actions]
    found = await session.scalars(
        select(Member.user_id).where(
            Member.account_id == account_id,
            Member.role.in_(roles),
            Member.left_at.is_(None),
            Member.user_id != ANONYMOUS_ADMIN,
        )
    )
    return frozenset(found)


# --- rows ---


async def row(session: AsyncSession, account_id: int, user_id: int) -> Member | None:
    """Somebody who is or was a member, as they are at this moment."""
    return await session.scalar(
        select(Member)
        .where(Member.account_id == account_id, Member.user_id == user_id)
        .execution_options(populate_existing=True)
    )


async def _role(session: AsyncSession, account_id: int, user_id: int) -> Role | None:
    try:
        return await accounts.role(session, account_id, user_id)
    except NotFound:
        return None


async def _check_over(session: AsyncSession, account_id: int, actor_id: int, *roles: Role) -> None:
    """Whether the actor rules over these roles. Raises NotAllowed."""
    actor = await _role(session, account_id, actor_id)
    check(actor, Action.MANAGE_TEAM)
    if Role.OWNER in roles:
        raise NotAllowed(Action.OWN, actor)
    if Role.ADMIN in roles:
        check(actor, Action.OWN)


async def _set(session: AsyncSession, account_id: int, user_id: int, **values: object) -> None:
    await session.execute(
        update(Member)
        .where(Member.account_id == account_id, Member.user_id == user_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def _crown(session: AsyncSession, account_id: int, user_id: int | None) -> None:
    if user_id is not None:
        await _set(session, account_id, user_id, role=Role.OWNER, looks_on=False)
    await session.execute(
        update(Account).where(Account.id == account_id).values(owner_user_id=user_id)
    )


async def _check_seat(session: AsyncSession, account_id: int, now: datetime) -> None:
    """Whether one more may have a seat. Raises LimitReached("seats")."""
    if await free_seats(session, account_id, now) < 1:
        raise LimitReached("seats", (await plans.terms(session, account_id, now=now)).seats)


async def free_seats(session: AsyncSession, account_id: int, now: datetime) -> int:
    """How many more may have another role than a viewer's; below 0 once a plan has shrunk."""
    taken = await session.scalar(
        select(func.count()).where(
            Member.account_id == account_id,
            Member.left_at.is_(None),
            Member.role != Role.VIEWER,
            Member.user_id != ANONYMOUS_ADMIN,
        )
    )
    terms = await plans.terms(session, account_id, now=now)
    return terms.seats - (taken or 0)
