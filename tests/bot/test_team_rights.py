"""Who may do what in a team: every button pressed by everybody, checked against the one table.

Each person presses each button of a team's cards. Where their role includes the action something
of the team's changes; where it does not nothing does, and one quiet answer says so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiogram.types import InlineKeyboardMarkup
from sqlalchemy import text

from bot import team_keyboards, texts, views
from bot.buttons import button, markup
from bot.callbacks import (
    AlbumTap,
    ApprovalTap,
    BrandTap,
    CancelTap,
    DraftTap,
    HistoryTap,
    ResendTap,
    RetryTap,
    TeamTap,
    VoteTap,
)
from db import albums, approvals, brands, requests, teams
from db.rights import Action, allowed
from db.states import Role
from db.views import NewDraft
from tests.bot.stage import Stage
from tests.sim import ANNA, BEN, Message

PERSON = 7001
RUSSIAN = {"language_code": "ru"}

OWNED = (
    "members", "brands", "ml_requests", "ml_tasks", "approvals", "events",
)  # fmt: skip
BY_TASK = ("votes", "deliveries")
BY_ROUND = ("approvers", "approval_questions")


@dataclass
class Office:
    """A team's group with one person in question, and cards of the team sent to it."""

    live: Stage
    chat_id: int
    account_id: int
    person_id: int
    task_id: int
    brand_id: int
    elsewhere: int = 0
    messages: int = 100_000

    async def state(self) -> dict[str, list[Any]]:
        """Everything the team has."""
        mine = {"id": self.account_id}
        state = {
            table: await self.live.rows(
                f"SELECT to_jsonb(x) AS row FROM {table} x WHERE account_id = :id ORDER BY 1",
                **mine,
            )
            for table in OWNED
        }
        tasks = "SELECT id FROM ml_tasks WHERE account_id = :id"
        rounds = "SELECT id FROM approvals WHERE account_id = :id"
        for table in BY_TASK:
            query = (
                f"SELECT to_jsonb(x) AS row FROM {table} x WHERE task_id IN ({tasks}) ORDER BY 1"
            )
            state[table] = await self.live.rows(query, **mine)
        for table in BY_ROUND:
            query = f"SELECT to_jsonb(x) AS row FROM {table} x WHERE approval_id IN ({rounds})"
            state[table] = await self.live.rows(query, **mine)
        query = "SELECT default_brand_id, approvals_needed FROM accounts WHERE id = :id"
        state["accounts"] = await self.live.rows(query, **mine)
        return state

    async def card(self, keyboard: InlineKeyboardMarkup | None, chat_id: int) -> Message:
        """A card of the bot with these buttons."""
        await self.live.rested()
        sent = await self.live.bot.send_message(chat_id, "карточка", reply_markup=keyboard)
        return await self.live.person(ANNA, chat_id).wait_for(
            lambda one: one["message_id"] == sent.message_id
        )

    async def draft(self) -> int:
        """A draft of the person in question, from when they had the right."""
        self.messages += 1
        async with self.live.sessions.begin() as session:
            made, _ = await requests.draft(
                session,
                NewDraft(
                    account_id=self.account_id, user_id=self.person_id, chat_id=self.chat_id,
                    source_message_id=self.messages, raw_prompt="кофе", cleaned_prompt="кофе",
                    seed=1, locale="ru", count=1,
                ),
            )  # fmt: skip
        return made.id

    async def task(self) -> int:
        """A task that waits."""
        request_id = await self.draft()
        now = (await self.live.rows("SELECT now() AS now"))[0]["now"]
        async with self.live.sessions.begin() as session:
            submitted = await requests.submit(
                session, self.account_id, request_id, "create",
                chat_id=self.chat_id, thread_id=None, now=now,
            )  # fmt: skip
        return submitted.task_id

    async def round(self) -> int:
        """A new round of the album's approval, asked for by the owner."""
        for table in ("approval_questions", "approvers", "approvals"):
            await self.execute(f"DELETE FROM {table}")
        async with self.live.sessions.begin() as session:
            asked = await approvals.ask(
                session, self.account_id, self.task_id, ANNA, approvals.Place(self.chat_id, None)
            )
        return asked.id

    async def execute(self, statement: str, **values: object) -> None:
        async with self.live.sessions.begin() as session:
            await session.execute(text(statement), values)


Button = tuple[InlineKeyboardMarkup | None, str]
"""A card's keyboard, and the callback data of the button in question."""


async def of_album(office: Office, tap: Any) -> Button:
    await office.execute("UPDATE ml_tasks SET chosen_prediction_id = NULL")
    async with office.live.sessions.begin() as session:
        album = await albums.album(session, office.account_id, office.task_id)
    return views.action_card(album).keyboard, tap.pack()


async def choose(office: Office) -> Button:
    return await of_album(office, AlbumTap(task_id=office.task_id, do="choose", rank=2))


async def more(office: Office) -> Button:
    return await of_album(office, AlbumTap(task_id=office.task_id, do="more"))


async def similar(office: Office) -> Button:
    return await of_album(office, AlbumTap(task_id=office.task_id, do="similar", rank=1))


async def originals(office: Office) -> Button:
    return await of_album(office, AlbumTap(task_id=office.task_id, do="png"))


async def vote(office: Office) -> Button:
    return await of_album(office, VoteTap(task_id=office.task_id, rank=2))


async def propose(office: Office) -> Button:
    for table in ("approval_questions", "approvers", "approvals"):
        await office.execute(f"DELETE FROM {table}")
    return await of_album(office, ApprovalTap(do="ask", id=office.task_id))


def round_button(do: str) -> Callable[[Office], Awaitable[Button]]:
    async def button(office: Office) -> Button:
        round_id = await office.round()
        async with office.live.sessions.begin() as session:
            view = await approvals.get(session, office.account_id, round_id)
        return team_keyboards.approval(texts.of("ru"), view), ApprovalTap(do=do, id=round_id).pack()

    return button


def draft_button(
    do: str, field: str = "", value: str = ""
) -> Callable[[Office], Awaitable[Button]]:
    async def button(office: Office) -> Button:
        request_id = await office.draft()
        async with office.live.sessions.begin() as session:
            draft = await requests.get_draft(session, office.account_id, request_id)
        tap = DraftTap(request_id=request_id, do=do, field=field, value=value)
        return one(tap), tap.pack() if draft else ""

    return button


def one(tap: Any) -> InlineKeyboardMarkup:
    """A keyboard of this one button."""
    return markup([[button("кнопка", tap)]])


async def cancel(office: Office) -> Button:
    tap = CancelTap(task_id=await office.task())
    return one(tap), tap.pack()


async def retry(office: Office) -> Button:
    task_id = await office.task()
    await office.execute(
        "UPDATE ml_tasks SET state = 'cancelled', finished_at = now() WHERE id = :id", id=task_id
    )
    tap = RetryTap(task_id=task_id)
    return one(tap), tap.pack()


async def resend(office: Office) -> Button:
    await office.execute(
        "UPDATE deliveries SET state = 'unknown', reason = 'x', sent_at = NULL, message_ids = '{}'"
    )
    tap = ResendTap(task_id=office.task_id)
    return one(tap), tap.pack()


def history_button(do: str) -> Callable[[Office], Awaitable[Button]]:
    async def button(office: Office) -> Button:
        await office.execute("UPDATE ml_tasks SET hidden_at = NULL")
        tap = HistoryTap(do=do, task_id=office.task_id)
        return one(tap), tap.pack()

    return button


def brand_button(do: str) -> Callable[[Office], Awaitable[Button]]:
    async def button(office: Office) -> Button:
        await office.execute("UPDATE brands SET deleted_at = NULL")
        await office.execute("UPDATE accounts SET default_brand_id = NULL")
        tap = BrandTap(do=do, brand_id=office.brand_id)
        return one(tap), tap.pack()

    return button


def member_button(do: str, value: str = "") -> Callable[[Office], Awaitable[Button]]:
    async def button(office: Office) -> Button:
        await office.execute(
            "UPDATE members SET role = 'editor', left_at = NULL, removed_by = NULL"
            " WHERE user_id = :ben AND account_id = :id",
            ben=BEN,
            id=office.account_id,
        )
        await office.execute("UPDATE accounts SET approvals_needed = 1")
        tap = TeamTap(do=do, user_id=0 if do == "needed" else BEN, value=value)
        return one(tap), tap.pack()

    return button


BUTTONS: dict[str, tuple[Action, Callable[[Office], Awaitable[Button]]]] = {
    "album: choose": (Action.CHOOSE, choose),
    "album: more": (Action.CREATE, more),
    "album: similar": (Action.CREATE, similar),
    "album: originals": (Action.LOOK, originals),
    "album: vote": (Action.VOTE, vote),
    "album: ask for approval": (Action.PROPOSE, propose),
    "approval: approve": (Action.APPROVE, round_button("approve")),
    "approval: changes": (Action.APPROVE, round_button("changes")),
    "approval: reject": (Action.APPROVE, round_button("reject")),
    "draft: create": (Action.CREATE, draft_button("go")),
    "draft: platform": (Action.CREATE, draft_button("set", "platform", "vk")),
    "task: cancel": (Action.CREATE, cancel),
    "task: retry": (Action.CREATE, retry),
    "task: show again": (Action.LOOK, resend),
    "history: open": (Action.LOOK, history_button("open")),
    "history: repeat": (Action.CREATE, history_button("repeat")),
    "history: with changes": (Action.CREATE, history_button("change")),
    "history: delete": (Action.CREATE, history_button("sure")),
    "brand: default": (Action.MANAGE_BRANDS, brand_button("default")),
    "brand: delete": (Action.MANAGE_BRANDS, brand_button("sure")),
    "team: approvals needed": (Action.MANAGE_TEAM, member_button("needed", "2")),
    "team: make a viewer": (Action.MANAGE_TEAM, member_button("role", "viewer")),
    "team: remove": (Action.MANAGE_TEAM, member_button("remove")),
    "team: make an admin": (Action.OWN, member_button("role", "admin")),
    "team: pass on": (Action.OWN, member_button("transfer")),
}


async def open_office(live: Stage) -> Office:
    """Anna's team with Ben in it, an album that the person in question once asked for, a brand."""
    await execute(live, "UPDATE plans SET seats = 50, images_limit = 10000 WHERE code = 'free'")
    group = await live.sim.group()
    anna = live.person(ANNA, group["id"])
    await anna.text("для этой команды")
    (account,) = await live.rows("SELECT id FROM accounts WHERE kind = 'team'")
    for user_id in (BEN, PERSON):
        await execute(
            live,
            "INSERT INTO users (id, first_name, language_code) VALUES (:id, 'Кто-то', 'ru')"
            " ON CONFLICT DO NOTHING",
            id=user_id,
        )
        await execute(
            live, "INSERT INTO user_settings (user_id) VALUES (:id) ON CONFLICT DO NOTHING",
            id=user_id,
        )  # fmt: skip
    await member(live, account["id"], BEN, Role.EDITOR)
    async with live.sessions.begin() as session:
        brand = await brands.create(
            session, account["id"], name="Кофе", style_original="", style_short="",
            palette=(), preset=None,
        )  # fmt: skip
    office = Office(live, group["id"], account["id"], PERSON, 0, brand.id)
    await office.task()
    office.task_id = await live.draw(pictures=2)
    return office


async def now(live: Stage) -> Any:
    return (await live.rows("SELECT now() AS now"))[0]["now"]


async def execute(live: Stage, statement: str, **values: object) -> None:
    async with live.sessions.begin() as session:
        await session.execute(text(statement), values)


async def member(live: Stage, account_id: int, user_id: int, role: Role) -> None:
    await execute(
        live,
        "INSERT INTO members (account_id, user_id, role) VALUES (:account, :user, :role)"
        " ON CONFLICT (account_id, user_id) DO UPDATE SET role = :role, left_at = NULL,"
        " removed_by = NULL",
        account=account_id,
        user=user_id,
        role=role,
    )


async def arrive(live: Stage, chat_id: int) -> None:
    """The person comes into the group."""
    await live.sim.post(
        f"chats/{chat_id}/members", action="join", user_id=PERSON, first_name="Кто-то", **RUSSIAN
    )


async def insider(office: Office, role: Role) -> None:
    await arrive(office.live, office.chat_id)
    if role is Role.OWNER:
        await member(office.live, office.account_id, ANNA, Role.ADMIN)
    await member(office.live, office.account_id, PERSON, role)


async def stranger(office: Office) -> None:
    """Known to Telegram, never in the group."""
    await office.live.sim.post("chats", type="private", members=[{"id": PERSON, **RUSSIAN}])


async def ex_member(office: Office) -> None:
    """Left the group: the bot has heard of it."""
    await insider(office, Role.ADMIN)
    await office.live.sim.post(f"chats/{office.chat_id}/members", action="leave", user_id=PERSON)
    await office.live.person(ANNA, office.chat_id).settled()


async def removed(office: Office) -> None:
    """Still in the group, but sent away from the team."""
    await insider(office, Role.ADMIN)
    async with office.live.sessions.begin() as session:
        await teams.remove(session, office.account_id, ANNA, PERSON, now=await now(office.live))


async def of_another_team(office: Office) -> None:
    """The owner of another group."""
    live = office.live
    group = await live.sim.post(
        "chats", type="supergroup", title="Другие", bot_status="administrator",
        members=[{"id": PERSON, "first_name": "Чужой", "status": "creator", **RUSSIAN}],
    )  # fmt: skip
    await live.person(PERSON, group["id"]).text("для этой команды")
    office.elsewhere = group["id"]


PEOPLE: dict[str, tuple[Role | None, Callable[[Office], Awaitable[None]]]] = {
    "stranger": (None, stranger),
    "ex-member": (None, ex_member),
    "removed": (None, removed),
    "another team's owner": (None, of_another_team),
    **{
        str(role): (role, lambda office, role=role: insider(office, role))  # type: ignore[misc]
        for role in Role
    },
}


async def pressed(office: Office, button: Button, chat_id: int, *, is_there: bool) -> list[Message]:
    """Presses it; what the bot called from then on, its answer to the tap included."""
    live = office.live
    keyboard, data = button
    card = await office.card(keyboard, chat_id)
    await live.rested()
    calls = await live.sim.calls()
    before = calls[-1]["n"]
    if is_there:
        await live.sim.post(
            f"chats/{chat_id}/press", user_id=PERSON, message_id=card["message_id"], data=data
        )
    else:  # no app shows them the button: this is what a forged tap would be
        await live.person(PERSON, chat_id).tap(data, card)
    while True:
        after = [call for call in await live.sim.calls() if call["n"] > before]
        if any(call["method"] == "answerCallbackQuery" for call in after):
            return after
        await asyncio.sleep(0.01)


async def changed(office: Office, before: dict[str, list[Any]], *, patience_s: float) -> bool:
    """Whether the team's things differ, by now or soon."""
    deadline = time.monotonic() + patience_s
    while await office.state() == before:
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(0.02)
    return True


def is_quiet(calls: list[Message]) -> bool:
    """Whether the one thing said was an answer in words, without an alert."""
    said = [call for call in calls if call["method"] not in ("getUpdates", "getChatMember")]
    if [call["method"] for call in said] != ["answerCallbackQuery"]:
        return False
    answer = said[0]["arguments"]
    return bool(answer.get("text")) and str(answer.get("show_alert")).lower() != "true"


@pytest.mark.parametrize("name", list(PEOPLE))
async def test_a_button_does_what_its_pressers_role_includes_and_nothing_else(
    live: Stage, name: str
) -> None:
    role, become = PEOPLE[name]
    office = await open_office(live)
    await become(office)
    is_there = role is not None or name == "removed"
    found: dict[str, str] = {}
    expected: dict[str, str] = {}
    for label, (action, make) in BUTTONS.items():
        may = allowed(role, action)
        expected[label] = "done" if may else "refused quietly"
        button = await make(office)
        before = await office.state()
        calls = await pressed(office, button, office.chat_id, is_there=is_there)
        done = await changed(office, before, patience_s=5.0 if may else 0.05)
        refused = "refused quietly" if is_quiet(calls) else "refused loudly"
        found[label] = "done" if done else refused
        if role is Role.OWNER and label == "team: pass on":
            break  # the last one: now Ben owns the team
    assert found == expected


async def test_another_teams_ids_in_ones_own_group_change_nothing(live: Stage) -> None:
    office = await open_office(live)
    await of_another_team(office)
    theirs = office.elsewhere
    touched = []
    for label, (_, make) in BUTTONS.items():
        button = await make(office)
        before = await office.state()
        await pressed(office, button, theirs, is_there=True)
        if await changed(office, before, patience_s=0.05):
            touched.append(label)
    assert touched == []
