"""Who may do what in a team: every button tapped by everybody, checked against the one table.

Each person taps each button of a team's cards. Where their role includes the action something
happens; where it does not nothing does, and one quiet answer says so.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiogram.filters.callback_data import CallbackData

from bot import callbacks
from bot.callbacks import (
    AlbumTap,
    ApprovalTap,
    BrandTap,
    CancelTap,
    ChannelTap,
    CureTap,
    DraftTap,
    ExampleTap,
    HistoryTap,
    JournalTap,
    PlanTap,
    PostTap,
    PostTo,
    ResendTap,
    RetryTap,
    SettingsTap,
    StatsTap,
    TeamTap,
    VoteTap,
    WalletTap,
    WeekTap,
    WorkplaceTap,
)
from db.rights import Action, allowed
from db.states import Role
from tests.bot.office import PEOPLE, Office, is_quiet, open_office, said
from tests.bot.stage import Stage
from tests.sim import ANNA, BEN


@dataclass(frozen=True)
class Button:
    """A button and the right that it takes, or one of several; none: it is nobody's here. Where it
    only `shows`, nothing of the team's changes."""

    action: Action | tuple[Action, ...]
    tap: Callable[[Office], CallbackData | Awaitable[CallbackData]]
    shows: bool = False

    def is_for(self, role: Role | None) -> bool:
        actions = (self.action,) if isinstance(self.action, Action) else self.action
        return any(allowed(role, action) for action in actions)


async def of_draft(office: Office, do: str, field: str = "", value: str = "") -> DraftTap:
    return DraftTap(request_id=await office.draft(), do=do, field=field, value=value)


async def of_task(office: Office, cls: type[CancelTap] | type[RetryTap]) -> CallbackData:
    task_id = await office.task()
    if cls is RetryTap:
        cancelled = "UPDATE ml_tasks SET state = 'cancelled', finished_at = now() WHERE id = :id"
        await office.execute(cancelled, id=task_id)
    return cls(task_id=task_id)


def album(do: str, rank: int = 0) -> Callable[[Office], CallbackData]:
    return lambda office: AlbumTap(task_id=office.ids["album"], do=do, rank=rank)


def of_round(do: str) -> Callable[[Office], CallbackData]:
    return lambda office: ApprovalTap(do=do, id=office.ids["round"])


def history(do: str) -> Callable[[Office], CallbackData]:
    return lambda office: HistoryTap(do=do, task_id=office.ids["album"])


def brand(do: str, value: str = "") -> Callable[[Office], CallbackData]:
    return lambda office: BrandTap(do=do, brand_id=office.ids["brand"], value=value)


def of_ben(do: str, value: str = "") -> Callable[[Office], CallbackData]:
    return lambda office: TeamTap(do=do, team_id=office.account_id, user_id=BEN, value=value)


def channel(do: str, value: str = "") -> Callable[[Office], CallbackData]:
    return lambda office: ChannelTap(do=do, channel_id=office.ids["channel"], value=value)


def post(do: str, value: str = "", which: str = "post") -> Callable[[Office], CallbackData]:
    return lambda office: PostTap(do=do, post_id=office.ids[which], value=value)


def later(office: Office) -> CallbackData:
    at = office.live.clock() + timedelta(days=30)
    return PostTap(do="at", post_id=office.ids["post"], value=at.strftime("%Y%m%d%H%M"))


ALBUMS = {
    "example": Button(Action.CREATE, lambda _: ExampleTap(index=0)),
    "album: choose": Button(Action.CHOOSE, album("choose", 2)),
    "album: more": Button(Action.CREATE, album("more")),
    "album: similar": Button(Action.CREATE, album("similar", 1)),
    "album: originals": Button(Action.LOOK, album("png")),
    "album: why": Button(Action.LOOK, album("why"), shows=True),
    "draft: create": Button(Action.CREATE, lambda o: of_draft(o, "go")),
    "draft: platform": Button(Action.CREATE, lambda o: of_draft(o, "set", "platform", "vk")),
    "draft: open": Button(Action.CREATE, lambda o: of_draft(o, "open", "platform"), shows=True),
    "task: cancel": Button(Action.CREATE, lambda o: of_task(o, CancelTap)),
    "task: retry": Button(Action.CREATE, lambda o: of_task(o, RetryTap)),
    "task: show again": Button(Action.LOOK, lambda o: ResendTap(task_id=o.ids["album"])),
    "history: page": Button(Action.LOOK, lambda _: HistoryTap(do="page"), shows=True),
    "history: item": Button(Action.LOOK, history("item"), shows=True),
    "history: open": Button(Action.LOOK, history("open")),
    "history: repeat": Button(Action.CREATE, history("repeat")),
    "history: with changes": Button(Action.CREATE, history("change")),
    "history: delete?": Button(Action.CREATE, history("delete"), shows=True),
    "history: delete": Button(Action.CREATE, history("sure")),
}
TEAM = {
    "vote": Button(Action.VOTE, lambda o: VoteTap(task_id=o.ids["album"], rank=2)),
    "approval: ask": Button(Action.PROPOSE, lambda o: ApprovalTap(do="ask", id=o.ids["album"])),
    "approval: approve": Button(Action.APPROVE, of_round("approve")),
    "approval: changes": Button(Action.APPROVE, of_round("changes")),
    "approval: reject": Button(Action.APPROVE, of_round("reject")),
    "approval: details": Button(Action.LOOK, of_round("more"), shows=True),
    "team: page": Button(Action.LOOK, of_ben("page"), shows=True),
    "team: member": Button(Action.LOOK, of_ben("member"), shows=True),
    "team: approvals needed": Button(Action.MANAGE_TEAM, of_ben("needed", "2")),
    "team: reminders": Button(Action.MANAGE_TEAM, of_ben("remind", "4")),
    "team: make a viewer": Button(Action.MANAGE_TEAM, of_ben("role", "viewer")),
    "team: remove": Button(Action.MANAGE_TEAM, of_ben("remove")),
    "team: make an admin": Button(Action.OWN, of_ben("role", "admin")),
    "team: pass on?": Button(Action.OWN, of_ben("sure"), shows=True),
    "team: pass on": Button(Action.OWN, of_ben("transfer")),
    "journal": Button(Action.MANAGE_TEAM, lambda o: JournalTap(team_id=o.account_id), shows=True),
    "brand: list": Button(Action.LOOK, brand("list"), shows=True),
    "brand: open": Button(Action.LOOK, brand("open"), shows=True),
    "brand: default": Button(Action.MANAGE_BRANDS, brand("default")),
    "brand: words of its posts": Button(Action.LOOK, brand("posts"), shows=True),
    "brand: AI label": Button(Action.MANAGE_BRANDS, brand("mark", "1")),
    "brand: hashtags": Button(Action.MANAGE_BRANDS, brand("say", "hashtags"), shows=True),
    "brand: no signature": Button(Action.MANAGE_BRANDS, brand("unsay", "signature")),
    "brand: delete": Button(Action.MANAGE_BRANDS, brand("sure")),
    "another's settings": Button((), lambda _: SettingsTap(user_id=BEN, field="count", value="1")),
}
PAGES = {one: TEAM[one] for one in TEAM if one.startswith(("team", "journal"))}
"""What the note about a newcomer leads to in the private chat."""
MONEY = {
    "wallet": Button(
        Action.MANAGE_MONEY, lambda o: WalletTap(do="show", account_id=o.account_id), shows=True
    ),
    "wallet: statement": Button(
        Action.MANAGE_MONEY, lambda o: WalletTap(do="csv", account_id=o.account_id), shows=True
    ),
    "wallet: top up": Button(
        Action.MANAGE_MONEY, lambda o: WalletTap(do="top_up", account_id=o.account_id), shows=True
    ),
    "wallet: sum": Button(
        Action.MANAGE_MONEY,
        lambda o: WalletTap(do="sum", account_id=o.account_id, value=30_000),
        shows=True,
    ),
    "wallet: invoice": Button(
        Action.MANAGE_MONEY,
        lambda o: WalletTap(do="pay", account_id=o.account_id, value=30_000, method="stars"),
    ),
    "plans": Button(
        Action.MANAGE_MONEY, lambda o: PlanTap(do="show", account_id=o.account_id), shows=True
    ),
    "plan: ask": Button(
        Action.MANAGE_MONEY,
        lambda o: PlanTap(do="ask", account_id=o.account_id, value="start"),
        shows=True,
    ),
    "plan: another price": Button(
        Action.MANAGE_MONEY,
        lambda o: PlanTap(do="buy", account_id=o.account_id, value="start"),
        shows=True,
    ),
    "plan: change": Button(
        Action.MANAGE_MONEY, lambda o: PlanTap(do="change", account_id=o.account_id, value="start")
    ),
    "plan: pay for each": Button(
        Action.MANAGE_MONEY, lambda o: PlanTap(do="pay", account_id=o.account_id, value="1")
    ),
    "cure: pay for each": Button(
        Action.MANAGE_MONEY, lambda o: CureTap(do="pay", account_id=o.account_id)
    ),
    "wallet: no invoice": Button(
        Action.MANAGE_MONEY,
        lambda o: WalletTap(do="cancel", account_id=o.account_id, value=o.ids["order"]),
    ),
}
SETTLE = (Action.PUBLISH, Action.APPROVE)
"""Those who approve may say as well whether a post has arrived."""
POSTS = {
    "channels": Button(Action.LOOK, channel("list"), shows=True),
    "channel: open": Button(Action.MANAGE_CHANNELS, channel("open"), shows=True),
    "channel: disconnect": Button(Action.MANAGE_CHANNELS, channel("sure")),
    "channel: zones": Button(Action.MANAGE_CHANNELS, channel("zones"), shows=True),
    "channel: zone": Button(Action.MANAGE_CHANNELS, channel("zone", "0")),
    "channel: late posts": Button(Action.MANAGE_CHANNELS, channel("late", "send")),
    "post: of an album": Button(Action.PUBLISH, album("post"), shows=True),
    "post: to a channel": Button(
        Action.PUBLISH,
        lambda o: PostTo(task_id=o.ids["posted_album"], channel_id=o.ids["channel"]),
        shows=True,
    ),
    "post: show": Button(Action.LOOK, post("show"), shows=True),
    "post: pictures": Button(Action.PUBLISH, post("ranks", "12")),
    "post: no caption": Button(Action.PUBLISH, post("caption", "none")),
    "post: AI label": Button(Action.PUBLISH, post("part", "ai1")),
    "post: suggest another": Button(Action.PUBLISH, post("suggest", "1")),
    "post: take what is suggested": Button(Action.PUBLISH, post("take", "1")),
    "post: leave it": Button(Action.PUBLISH, post("unsuggest", "1")),
    "post: write": Button(Action.PUBLISH, post("write"), shows=True),
    "post: times": Button(Action.PUBLISH, post("times"), shows=True),
    "post: at": Button(Action.PUBLISH, later),
    "post: now": Button(Action.PUBLISH, post("now")),
    "post: cancel": Button(Action.PUBLISH, post("sure")),
    "post: arrived": Button(SETTLE, post("arrived", "0", which="lost_post")),
    "post: again": Button(SETTLE, post("again", "0", which="lost_post")),
    "content plan": Button(Action.LOOK, lambda _: WeekTap(), shows=True),
    "statistics": Button(Action.LOOK, lambda _: StatsTap(), shows=True),
}
BUTTONS = {"albums": ALBUMS, "team": TEAM, "money": MONEY, "posts": POSTS}

ELSEWHERE = {WorkplaceTap: "test_nobody_works_for_a_team_that_is_not_theirs in test_team.py"}
"""Buttons of the private chat only."""


async def tap_of(button: Button, office: Office) -> CallbackData:
    tap = button.tap(office)
    return await tap if inspect.isawaitable(tap) else tap


@pytest.mark.parametrize("room", list(BUTTONS))
async def test_a_button_does_what_its_pressers_role_includes_and_nothing_else(
    live: Stage, room: str
) -> None:
    office = await open_office(live)
    found: dict[str, str] = {}
    expected: dict[str, str] = {}
    for label, button in BUTTONS[room].items():
        await office.as_before(ANNA)
        for person, (user_id, role) in PEOPLE.items():
            case, may = f"{label}, by {person}", button.is_for(role)
            expected[case] = "done" if may else "refused quietly"
            if may:
                await office.as_before(user_id)
            office.presser_id = user_id
            tap = await tap_of(button, office)
            before = await office.state()
            calls = await office.press(tap, office.chat_id, to_the_end=may)
            if button.shows and may:
                done = len(said(calls)) > 1
            else:
                done = await office.changes(before, patience_s=5.0 if may else 0.0)
            found[case] = (
                "done" if done else f"refused {'quietly' if is_quiet(calls) else 'loudly'}"
            )
    assert {one: how for one, how in found.items() if how != expected[one]} == {}
    assert len(found) == len(BUTTONS[room]) * len(PEOPLE)


async def test_a_team_page_in_the_private_chat_obeys_the_role_in_its_team(live: Stage) -> None:
    """The note about a newcomer leads its reader to a page there, and a forged button anybody."""
    office = await open_office(live)
    for user_id, _ in PEOPLE.values():
        await live.sim.post("chats", type="private", id=user_id)
    found: dict[str, str] = {}
    expected: dict[str, str] = {}
    for label, button in PAGES.items():
        for person, (user_id, role) in PEOPLE.items():
            case = f"{label}, by {person}"
            expected[case] = "done" if button.is_for(role) else "refused quietly"
            await office.as_before(user_id)
            before = await office.state()
            calls = await office.press(await tap_of(button, office), user_id, to_the_end=True)
            done = len(said(calls)) > 1 if button.shows else await office.state() != before
            found[case] = (
                "done" if done else f"refused {'quietly' if is_quiet(calls) else 'loudly'}"
            )
    assert {one: how for one, how in found.items() if how != expected[one]} == {}


@pytest.mark.parametrize("room", list(BUTTONS))
async def test_a_teams_ids_do_nothing_from_another_team_or_a_private_chat(
    live: Stage, room: str
) -> None:
    """Forged buttons: the team's ids, tapped where the presser may do everything."""
    office = await open_office(live)
    outsider, _ = PEOPLE["another team's owner"]
    await live.sim.post("chats", type="private", id=outsider)
    touched = []
    for label, button in BUTTONS[room].items():
        places = [(outsider, office.elsewhere_id), (outsider, outsider)]
        if label not in PAGES:
            places.append((ANNA, ANNA))
        for user_id, chat_id in places:
            await office.as_before(user_id)
            tap = await tap_of(button, office)
            before = await office.state()
            await office.press(tap, chat_id, to_the_end=True)
            if await office.state() != before:
                touched.append((label, chat_id))
    assert touched == []


class Paper(Office):
    """An office on paper: enough to make buttons of."""

    async def draft(self) -> int:
        return 1

    async def task(self) -> int:
        return 1

    async def execute(self, statement: str, **values: object) -> None:
        pass


async def test_every_kind_of_button_is_tapped_here(stage: Stage) -> None:
    office = Paper(stage, 1, 1, ids=defaultdict(int))
    tapped = [type(await tap_of(one, office)) for room in BUTTONS.values() for one in room.values()]
    kinds = [one for one in vars(callbacks).values() if inspect.isclass(one)]
    known = {one for one in kinds if issubclass(one, CallbackData)} - {CallbackData}
    assert known == {*tapped, *ELSEWHERE}
