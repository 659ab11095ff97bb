"""What everybody reads on a team's page."""

from __future__ import annotations

import re

import pytest

from bot import team_views, texts, views
from bot.texts import without_markup
from db.states import Presence, Role
from db.team_views import MemberView, TeamView
from tests.bot.office import member
from tests.bot.stage import Stage
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
