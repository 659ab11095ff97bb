"""What everybody reads on a team's page."""

from __future__ import annotations

import re

import pytest

from bot import team_views, texts, views
from bot.callbacks import JournalTap, TeamTap
from bot.texts import without_markup
from db.states import Presence, Role
from db.team_views import MemberView, TeamView
from tests.bot.office import member
from tests.bot.stage import Stage, buttons
from tests.bot.test_team import group_of, team_id, team_page
from tests.sim import BEN


async def test_everybody_reads_on_the_teams_page_who_may_what(live: Stage) -> None:
    _, anna, ben = await group_of(live)
    await team_page(ben)
    await member(live, await team_id(live), BEN, Role.VIEWER)
    for who, roles in ((anna, ("владелец", "редактор")), (ben, ("owner", "editor"))):
        page = await team_page(who)
        for role in roles:
            assert re.search(rf"^\S+ {role}: .+", page["text"], re.MULTILINE)
    await ben.press("Анна", page)
    await ben.button("‹ Team")


@pytest.mark.parametrize("locale", texts.LOCALES)
def test_the_page_of_a_large_team_fits_into_a_message(locale: str) -> None:
    people = tuple(MemberView(1, id_, "Я" * 128, Role.APPROVER, False) for id_ in range(150))
    team = TeamView(1, "Ю" * 128, people, 30, 30, 149, 9, 24, Presence.MEMBER, has_owner=False)
    card = team_views.team(texts.of(locale), team)
    assert views.length(without_markup(card.text)) <= views.TEXT_LIMIT


@pytest.mark.parametrize(
    ("reader", "of", "expected"),
    [
        (Role.VIEWER, Role.EDITOR, set()),
        (Role.EDITOR, Role.VIEWER, set()),
        (Role.ADMIN, Role.ADMIN, set()),
        (Role.ADMIN, Role.EDITOR, {"role: editor", "role: approver", "role: viewer", "remove"}),
        (Role.OWNER, Role.OWNER, set()),
        (
            Role.OWNER,
            Role.ADMIN,
            {f"role: {one}" for one in Role if one is not Role.OWNER} | {"remove", "sure"},
        ),
    ],
)
def test_a_card_for_one_reader_has_only_buttons_that_they_may_use(
    reader: Role, of: Role, expected: set[str]
) -> None:
    card = team_views.member(texts.of("ru"), MemberView(1, 2, "Ben", of, False), reader)
    assert _does(card) == expected | {"page"}


def test_a_page_for_one_reader_has_settings_for_who_manages_the_team() -> None:
    people = (MemberView(1, 2, "Ben", Role.EDITOR, False),)
    team = TeamView(1, "SMM", people, 3, 1, 1, 1, 24, Presence.MEMBER, has_owner=False)
    shown = {by: _does(team_views.team(texts.of("ru"), team, by)) for by in (*Role, None)}
    for by in (Role.VIEWER, Role.APPROVER, Role.EDITOR):
        assert shown[by] == {"member"}
    for by in (Role.ADMIN, Role.OWNER):
        assert shown[by] == {"member", "needed: 2", "remind: 0", "journal"}
    assert shown[None] == shown[Role.OWNER] | {"claim"}


def _does(card: views.Card) -> set[str]:
    assert card.keyboard is not None
    found = set()
    for one in (one for row in card.keyboard.inline_keyboard for one in row):
        data = one.callback_data or ""
        if data.startswith(JournalTap.__prefix__):
            found.add("journal")
        else:
            tap = TeamTap.unpack(data)
            found.add(f"{tap.do}: {tap.value}" if tap.value else tap.do)
    return found


async def test_an_editor_in_the_private_chat_sees_a_members_role_and_no_buttons_for_it(
    live: Stage,
) -> None:
    _, _, ben = await group_of(live)
    await team_page(ben)
    await member(live, await team_id(live), BEN, Role.EDITOR)
    private = live.person(BEN)
    await private.press("Команда", await private.answer_to("/account", "Who do you work for"))
    page = await private.answer_to("/team", "Seats: 2 of 3")
    assert "📜 Journal" not in buttons(page)
    await private.press("Анна", page)
    card = await private.button("‹ Team")
    assert buttons(card) == ["‹ Team"]
    await private.press("‹ Team", card)
    await private.press("🖌 Ben")
    card = await private.button("‹ Team")
    assert card["text"].startswith("🖌 Ben: editor")
    assert buttons(card) == ["‹ Team"]
