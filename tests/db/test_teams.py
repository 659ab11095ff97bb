"""Teams: seats, roles, who rules over whom, leaving, publishing; whatever comes at one moment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from db import approvals, audit, newcomers, reminders, rights, teams, votes, workplaces
from db.accounts import ANONYMOUS_ADMIN
from db.errors import LimitReached, NotAllowed, NotFound, Stale
from db.rights import Action
from db.states import Answer, ApprovalState, Presence, Role
from db.team_views import ApprovalView
from tests.db import rows
from tests.db.rows import Person, Sessions

WAITING = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
GROUP = -5
NOW = datetime(2026, 5, 1, tzinfo=UTC)


async def enter(sessions: Sessions, user_id: int) -> Role | None:
    async with sessions.begin() as session:
        return (await newcomers.enter(session, user_id, GROUP, "SMM", draws=True, now=NOW)).role


async def team_of(sessions: Sessions, **people: Role) -> int:
    """A team owned by person 1; the others are numbered as they come, from 2 on."""
    await rows.person(sessions, 1)
    async with sessions.begin() as session:
        team = await newcomers.enter(session, 1, GROUP, "SMM", draws=True, now=NOW)
    for number, role in enumerate(people.values(), start=2):
        await rows.person(sessions, number)
        await rows.execute(
            sessions,
            "INSERT INTO members (account_id, user_id, role) VALUES (:team, :user, :role)",
            team=team.account_id,
            user=number,
            role=role,
        )
    return team.account_id


async def role_of(sessions: Sessions, team_id: int, user_id: int) -> Role | None:
    async with sessions.begin() as session:
        found = (await teams.team(session, team_id, now=NOW)).members
    return next((one.role for one in found if one.user_id == user_id and not one.is_removed), None)


def test_every_role_has_the_rights_of_the_one_below_but_approvers() -> None:
    table = rights.RIGHTS
    assert table[Role.VIEWER] < table[Role.EDITOR] < table[Role.ADMIN] < table[Role.OWNER]
    assert table[Role.VIEWER] < table[Role.APPROVER] < table[Role.ADMIN]
    assert Action.APPROVE not in table[Role.EDITOR]
    assert not any(rights.allowed(None, action) for action in Action)


async def test_people_who_come_at_one_moment_take_no_more_seats_than_there_are(
    sessions: Sessions,
) -> None:
    await team_of(sessions)
    for user_id in range(2, 8):
        await rows.person(sessions, user_id)
    got = await asyncio.gather(*(enter(sessions, user_id) for user_id in range(2, 8)))
    assert sorted(str(one) for one in got) == ["editor"] * 2 + ["viewer"] * 4


async def test_an_anonymous_admin_takes_no_seat_and_begins_no_ownership(sessions: Sessions) -> None:
    await rows.person(sessions, ANONYMOUS_ADMIN)
    assert await enter(sessions, ANONYMOUS_ADMIN) is Role.ADMIN
    for user_id in (1, 2, 3):
        await rows.person(sessions, user_id)
        assert await enter(sessions, user_id) is Role.EDITOR
    async with sessions.begin() as session:
        team = await newcomers.enter(session, 1, GROUP, "SMM", draws=True, now=NOW)
        view = await teams.team(session, team.account_id, now=NOW)
        assert (view.has_owner, view.seats_taken, view.approvers) == (False, 3, 0)
        await teams.claim(session, team.account_id, 2)
    async with sessions.begin() as session:
        with pytest.raises(Stale):
            await teams.claim(session, team.account_id, 1)
    assert await role_of(sessions, team.account_id, 2) is Role.OWNER


async def test_who_comes_back_has_the_role_of_before_but_no_admins(sessions: Sessions) -> None:
    await team_of(sessions, a=Role.ADMIN, b=Role.VIEWER)
    for user_id, role in ((2, Role.EDITOR), (3, Role.VIEWER)):
        async with sessions.begin() as session:
            await teams.left(session, GROUP, user_id, now=NOW)
            await teams.left(session, GROUP, user_id, now=NOW)
        assert await enter(sessions, user_id) is role


async def test_who_comes_back_to_a_full_team_looks_on_until_there_is_a_seat(
    sessions: Sessions,
) -> None:
    team_id = await team_of(sessions, a=Role.EDITOR, b=Role.EDITOR)
    async with sessions.begin() as session:
        await teams.left(session, GROUP, 2, now=NOW)
    await rows.person(sessions, 4)
    assert await enter(sessions, 4) is Role.EDITOR
    assert await enter(sessions, 2) is Role.VIEWER
    async with sessions.begin() as session:
        await teams.set_role(session, team_id, 1, 3, Role.VIEWER, now=NOW)
    assert await enter(sessions, 2) is Role.EDITOR


@pytest.mark.parametrize(
    ("actor", "target", "role"),
    [
        (2, 1, Role.EDITOR),  # an admin over the owner
        (2, 3, Role.ADMIN),  # an admin makes an admin
        (2, 5, Role.EDITOR),  # an admin over an admin
        (3, 4, Role.APPROVER),  # an editor over anybody
        (1, 3, Role.OWNER),  # a second owner
        (1, 1, Role.ADMIN),  # the owner steps down to nobody
        (9, 3, Role.VIEWER),  # somebody of nowhere
    ],
)
async def test_roles_are_given_only_from_above(
    sessions: Sessions, actor: int, target: int, role: Role
) -> None:
    team_id = await team_of(sessions, a=Role.ADMIN, b=Role.EDITOR, c=Role.VIEWER, d=Role.ADMIN)
    before = await rows.rows(sessions, "SELECT * FROM members ORDER BY 1, 2")
    with pytest.raises(NotAllowed):
        async with sessions.begin() as session:
            await teams.set_role(session, team_id, actor, target, role, now=NOW)
    with pytest.raises(NotAllowed):
        async with sessions.begin() as session:
            await teams.transfer(session, team_id, 2, 2, now=NOW)
    assert await rows.rows(sessions, "SELECT * FROM members ORDER BY 1, 2") == before


async def test_a_viewer_is_raised_only_while_there_is_a_seat(sessions: Sessions) -> None:
    team_id = await team_of(sessions, a=Role.EDITOR, b=Role.EDITOR, c=Role.VIEWER)
    async with sessions.begin() as session:
        with pytest.raises(LimitReached):
            await teams.set_role(session, team_id, 1, 4, Role.APPROVER, now=NOW)
        await teams.set_role(session, team_id, 1, 2, Role.VIEWER, now=NOW)
        await teams.set_role(session, team_id, 1, 4, Role.APPROVER, now=NOW)
    assert await role_of(sessions, team_id, 4) is Role.APPROVER


async def test_a_team_is_passed_on_to_a_viewer_only_while_there_is_a_seat(
    sessions: Sessions,
) -> None:
    team_id = await team_of(sessions, a=Role.EDITOR, b=Role.EDITOR, c=Role.VIEWER)
    async with sessions.begin() as session:
        with pytest.raises(LimitReached) as caught:
            await teams.transfer(session, team_id, 1, 4, now=NOW)
        assert (caught.value.what, caught.value.limit) == ("seats", 3)
        await teams.transfer(session, team_id, 1, 2, now=NOW)
        await teams.set_role(session, team_id, 2, 3, Role.VIEWER, now=NOW)
        await teams.transfer(session, team_id, 2, 4, now=NOW)
        view = await teams.team(session, team_id, now=NOW)
    assert view.seats_taken == view.seats == 3
    assert await role_of(sessions, team_id, 4) is Role.OWNER


async def test_a_team_without_an_owner_gets_one_though_all_seats_are_taken(
    sessions: Sessions,
) -> None:
    team_id = await team_of(sessions, a=Role.EDITOR, b=Role.EDITOR, c=Role.APPROVER, d=Role.VIEWER)
    async with sessions.begin() as session:
        await teams.left(session, GROUP, 1, now=NOW)
        await teams.claim(session, team_id, 5)
    assert await role_of(sessions, team_id, 5) is Role.OWNER


async def test_a_team_has_one_owner_whoever_passes_it_on_at_one_moment(sessions: Sessions) -> None:
    team_id = await team_of(sessions, a=Role.ADMIN, b=Role.ADMIN)

    async def to(user_id: int) -> None:
        async with sessions.begin() as session:
            await teams.transfer(session, team_id, 1, user_id, now=NOW)

    outcomes = await asyncio.gather(to(2), to(3), return_exceptions=True)
    assert [type(one) for one in outcomes if one is not None] == [NotAllowed]
    assert await rows.rows(
        sessions, "SELECT count(*) FROM members WHERE role = 'owner' AND account_id = :id",
        id=team_id,
    ) == [(1,)]  # fmt: skip


async def _album(sessions: Sessions, team_id: int) -> int:
    task_id, _ = await rows.done(sessions, Person(1, team_id))
    return task_id


async def test_the_last_yeses_of_one_moment_approve_once(sessions: Sessions) -> None:
    team_id = await team_of(sessions, a=Role.APPROVER, b=Role.APPROVER, c=Role.EDITOR)
    task_id = await _album(sessions, team_id)
    async with sessions.begin() as session:
        await teams.set_approvals_needed(session, team_id, 1, 2)
        round_ = await approvals.ask(session, team_id, task_id, 4, approvals.Place(GROUP, None))

    async def yes(user_id: int) -> None:
        async with sessions.begin() as session:
            await approvals.approve(session, team_id, round_.id, user_id)

    await asyncio.gather(yes(2), yes(3))
    async with sessions.begin() as session:
        with pytest.raises(Stale):
            await approvals.approve(session, team_id, round_.id, 1)
        assert await teams.may_publish(session, team_id, task_id, 4)
        assert not await teams.may_publish(session, team_id, task_id, 2)
        lines = (await audit.page(session, team_id)).lines
    assert [one.deed for one in lines][:3] == ["approve", "approve", "ask"]


async def _round(sessions: Sessions, team_id: int, needed: int) -> int:
    task_id = await _album(sessions, team_id)
    async with sessions.begin() as session:
        await teams.set_approvals_needed(session, team_id, 1, needed)
        place = approvals.Place(GROUP, None)
        return (await approvals.ask(session, team_id, task_id, 1, place)).id


async def _yes(sessions: Sessions, team_id: int, round_id: int, user_id: int) -> ApprovalView:
    async with sessions.begin() as session:
        return (await approvals.approve(session, team_id, round_id, user_id))[0]


async def test_yeses_of_the_groups_own_administrators_add_up(sessions: Sessions) -> None:
    """Two editors, whom the bot has found among the administrators."""
    team_id = await team_of(sessions, a=Role.EDITOR, b=Role.APPROVER, c=Role.EDITOR)
    round_id = await _round(sessions, team_id, 2)
    assert (await _yes(sessions, team_id, round_id, 2)).state is ApprovalState.OPEN
    assert (await _yes(sessions, team_id, round_id, 4)).state is ApprovalState.APPROVED


async def test_a_yes_counts_no_more_once_its_right_is_gone(sessions: Sessions) -> None:
    team_id = await team_of(sessions, a=Role.EDITOR, b=Role.EDITOR, c=Role.APPROVER, d=Role.ADMIN)
    await rows.execute(sessions, "UPDATE users SET first_name = 'user ' || id")
    await rows.execute(sessions, "UPDATE periods SET seats = 9")
    round_id = await _round(sessions, team_id, 3)
    for user_id in (2, 3, 4):
        before = await _yes(sessions, team_id, round_id, user_id)
        if user_id == 2:
            async with sessions.begin() as session:
                await teams.left(session, GROUP, 2, now=NOW)
        if user_id == 3:
            async with sessions.begin() as session:
                await teams.remove(session, team_id, 1, 3, now=NOW)
    assert before.approved_by == ("user 4",)
    async with sessions.begin() as session:
        await teams.set_role(session, team_id, 1, 4, Role.EDITOR, now=NOW)
        lowered = await approvals.get(session, team_id, round_id)
    assert (lowered.approved_by, lowered.needed) == ((), 2)
    # Lowered, but an administrator of the group all the same: said once more, it counts.
    assert (await _yes(sessions, team_id, round_id, 4)).approved_by == ("user 4",)
    assert (await _yes(sessions, team_id, round_id, 5)).state is ApprovalState.APPROVED


@pytest.mark.parametrize("what", ["yes", "answer", "reminder"])
async def test_nothing_about_a_round_meets_its_groups_move_halfway(
    sessions: Sessions, what: str
) -> None:
    """`accounts.migrate_chat` takes the account, then the rounds."""
    team_id = await team_of(sessions)
    round_id = await _round(sessions, team_id, 1)
    async with sessions.begin() as session:
        reason = Answer.REJECTED
        await approvals.asked(session, team_id, round_id, reason, chat_id=GROUP, message_id=50)
        question = await approvals.question(session, GROUP, 50)
    assert question is not None
    late = datetime.now(UTC).replace(hour=12) + timedelta(days=2)

    async def work() -> None:
        async with sessions.begin() as session:
            if what == "yes":
                await approvals.approve(session, team_id, round_id, 1)
            elif what == "answer":
                await approvals.answer(session, question, 1, 60, "нет")
            else:
                await reminders.remind(session, now=late, limit=9)

    async with sessions.begin() as session:
        await session.execute(text("SELECT id FROM accounts ORDER BY id FOR UPDATE"))
        at_work = asyncio.create_task(work())
        while not at_work.done() and not await rows.rows(sessions, WAITING):
            await asyncio.sleep(0.02)
        await session.execute(text("UPDATE approvals SET chat_id = -6"))
    await at_work
    async with sessions.begin() as session:  # what was left out comes next time
        assert await reminders.remind(session, now=late, limit=9) == (what == "reminder")


async def test_one_reply_ends_a_round_once(sessions: Sessions) -> None:
    team_id = await team_of(sessions)
    task_id = await _album(sessions, team_id)
    async with sessions.begin() as session:
        round_ = await approvals.ask(session, team_id, task_id, 1, approvals.Place(GROUP, None))
        for message_id in (50, 51):
            await approvals.asked(
                session, team_id, round_.id, Answer.REJECTED, chat_id=GROUP, message_id=message_id
            )
        first = await approvals.question(session, GROUP, 50)
        second = await approvals.question(session, GROUP, 51)
        assert first is not None
        assert second is not None
        assert await approvals.question(session, GROUP, 52) is None
        ended = await approvals.answer(session, first, 1, 60, "нет")
        assert await approvals.answer(session, first, 1, 60, "нет") == ended
        for asked, reply_id in ((first, 61), (second, 62)):
            with pytest.raises(Stale):
                await approvals.answer(session, asked, 1, reply_id, "да")
    assert ended.reason == "нет"


async def test_a_vote_is_one_and_for_a_picture_that_is_there(sessions: Sessions) -> None:
    team_id = await team_of(sessions)
    task_id = await _album(sessions, team_id)
    async with sessions.begin() as session:
        assert await votes.cast(session, team_id, task_id, 1, 1, "a")
        assert not await votes.cast(session, team_id, task_id, 1, 1, "b")
        assert await votes.cast(session, team_id, task_id, 1, 2, "c")
        with pytest.raises(NotFound):
            await votes.cast(session, team_id, task_id, 1, 3, "d")
    assert await rows.rows(sessions, "SELECT user_id, rank FROM votes") == [(1, 2)]


async def test_a_tap_votes_once_however_often_it_comes(sessions: Sessions) -> None:
    """Also the one that took the vote back, and the one that comes twice at one moment."""
    team_id = await team_of(sessions)
    task_id = await _album(sessions, team_id)

    async def tap(tap: str) -> bool:
        async with sessions.begin() as session:
            return await votes.cast(session, team_id, task_id, 1, 2, tap)

    assert await asyncio.gather(tap("a"), tap("a"), tap("a")) == [True] * 3
    assert [await tap("b"), await tap("b")] == [False, False]
    async with sessions.begin() as session:
        lines = (await audit.page(session, team_id)).lines
    assert [one.deed for one in lines] == ["unvote", "vote"]


async def test_one_works_for_a_team_only_while_in_it_and_while_the_bot_is(
    sessions: Sessions,
) -> None:
    team_id = await team_of(sessions, a=Role.VIEWER)
    async with sessions.begin() as session:
        await workplaces.work_for(session, 2, team_id)
        assert [one.account_id for one in await workplaces.choices(session, 2)] == [team_id]
        await teams.set_presence(session, GROUP, 1, Presence.KICKED)
        assert await workplaces.working_for(session, 2, team_id) is None
        with pytest.raises(NotFound):
            await workplaces.work_for(session, 2, team_id)
        await teams.set_presence(session, GROUP, 1, Presence.MEMBER)
        await teams.left(session, GROUP, 2, now=NOW)
        assert await workplaces.choices(session, 2) == ()
