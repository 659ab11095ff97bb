"""A team's life: the bot comes and goes, people join, leave, get roles; seats; the private chat."""

from __future__ import annotations

from typing import Any

from db.accounts import ANONYMOUS_ADMIN
from db.states import Role
from tests.bot.office import member
from tests.bot.stage import Person, Stage, buttons, data_of
from tests.sim import ANNA, BEN, TEAM, Message
from workers import notices
from workers.courier import Courier


async def group_of(live: Stage) -> tuple[int, Person, Person]:
    """A group with Anna, who brought the bot, and Ben."""
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    await anna.text("для этой команды")
    return group["id"], anna, ben


async def move(live: Stage, chat_id: int, action: str, user_id: int, **more: Any) -> None:
    await live.sim.post(f"chats/{chat_id}/members", action=action, user_id=user_id, **more)


async def move_bot(live: Stage, chat_id: int, action: str) -> None:
    await live.sim.post(f"chats/{chat_id}/members", action=action, bot=True, by_user_id=ANNA)


async def roles(live: Stage) -> dict[int, str]:
    """Who is in the team, and as what."""
    rows = await live.rows(
        "SELECT user_id, role FROM members JOIN accounts a ON a.id = account_id"
        " WHERE a.kind = 'team' AND left_at IS NULL"
    )
    return {row["user_id"]: row["role"] for row in rows}


async def team_page(person: Person) -> Message:
    sent = await person.send(f"/team@{await person.username()}")
    return await person.wait_for(
        lambda one: one["message_id"] > sent and "🤝" in str(buttons(one)), "team page"
    )


async def drawing(person: Person) -> Message:
    """The status card of what the person has asked for."""
    sent = await person.send(f"/gen@{await person.username()} кофе")
    return await person.wait_for(
        lambda one: (
            one["message_id"] > sent and bool({"✕ Отменить", "✕ Cancel"} & set(buttons(one)))
        ),
        "status card",
    )


async def team_id(live: Stage) -> int:
    (row,) = await live.rows("SELECT id FROM accounts WHERE kind = 'team'")
    return int(row["id"])


async def event_actions(live: Stage) -> list[str]:
    return [row["action"] for row in await live.rows("SELECT action FROM events ORDER BY id")]


# --- the bot ---


async def test_the_bots_coming_is_told_once_and_its_going_is_noted(live: Stage) -> None:
    chat_id, anna, _ = await group_of(live)
    await move_bot(live, chat_id, "demote")
    await anna.settled()
    assert await live.rows("SELECT presence FROM accounts WHERE kind = 'team'") == [
        {"presence": "member"}
    ]
    await move_bot(live, chat_id, "kick")
    await live.person(ANNA).answer_to("/help", "Как это работает")
    assert await live.rows("SELECT presence FROM accounts WHERE kind = 'team'") == [
        {"presence": "kicked"}
    ]
    await move_bot(live, chat_id, "join")
    await anna.text("Я снова здесь. Команда, роли, бренды, альбомы и журнал остались как были")
    await anna.settled()
    greetings = [one for one in await anna.messages() if "👋" in one.get("text", "")]
    assert len(greetings) == 2  # for either coming one
    assert await roles(live) == {ANNA: "owner"}


async def test_the_team_page_says_when_the_bot_is_no_administrator(live: Stage) -> None:
    chat_id, anna, _ = await group_of(live)
    assert "администратором группы" not in (await team_page(anna))["text"]
    await move_bot(live, chat_id, "demote")
    assert "администратором группы" in (await team_page(anna))["text"]


async def test_the_team_page_says_so_of_a_group_from_before_the_bot_was_there(live: Stage) -> None:
    """Nobody has told the bot what it is in the group that it finds."""
    anna = live.person(ANNA, TEAM)
    for action, told in (("demote", True), ("promote", False)):
        await move_bot(live, TEAM, action)
        await live.person(ANNA).answer_to("/help", "Как это работает")
        await live.rows_changed("UPDATE accounts SET presence = NULL WHERE kind = 'team'")
        assert ("администратором группы" in (await team_page(anna))["text"]) is told


# --- people ---


async def test_who_taps_looks_on_until_they_ask_for_pictures(live: Stage) -> None:
    _, anna, ben = await group_of(live)
    page = await team_page(anna)
    assert (await ben.press("Журнал", page))["text"].startswith("Your role here is viewer")
    assert await roles(live) == {ANNA: "owner", BEN: "viewer"}
    assert await live.rows("SELECT id FROM notices") == []
    await drawing(ben)
    assert await roles(live) == {ANNA: "owner", BEN: "editor"}


async def test_a_vote_takes_no_seat_and_drawing_an_album_anew_does(live: Stage) -> None:
    _, anna, ben = await group_of(live)
    await drawing(anna)
    await live.draw()
    card = await anna.button("Ещё варианты")
    await ben.press("👍 2", card)
    await anna.button("👍 2 · 1")
    assert await roles(live) == {ANNA: "owner", BEN: "viewer"}
    await ben.press("Ещё варианты", card)  # of Anna's album, which is hers to steer
    assert await roles(live) == {ANNA: "owner", BEN: "viewer"}
    await ben.send(f"/history@{await ben.username()}")
    await ben.press("1", await ben.text("tap a number"))
    await ben.press("Repeat", await ben.button("Repeat"))
    await ben.button("✕ Cancel")
    assert await roles(live) == {ANNA: "owner", BEN: "editor"}


async def test_who_was_made_a_viewer_stays_one_whatever_they_ask_for(live: Stage) -> None:
    _, anna, ben = await group_of(live)
    await team_page(ben)
    page = await team_page(anna)
    await anna.press("Редактор", await _member_page(anna, page, "Ben"))
    await anna.press("Наблюдатель", await anna.text("Ben: редактор"))
    await ben.answer_to(f"/gen@{await ben.username()} coffee", "Your role here is viewer")
    assert await roles(live) == {ANNA: "owner", BEN: "viewer"}


async def test_the_owner_hears_of_who_takes_a_seat_and_gives_them_another_role_there(
    live: Stage, courier: Courier
) -> None:
    chat_id, _, ben = await group_of(live)
    await drawing(ben)
    await _bring_notices(courier)
    anna = live.person(ANNA)
    note = await anna.text("Ben теперь в команде «Команда», роль — редактор. Мест занято: 2 из 3.")
    (sent,) = [
        one["arguments"]
        for one in await live.sim.calls("sendMessage")
        if "теперь в команде" in one["arguments"]["text"]
    ]
    assert (int(sent["chat_id"]), str(sent["disable_notification"])) == (ANNA, "true")

    await anna.press("Роль и права", note)
    await anna.press("Наблюдатель", await anna.text("Ben: редактор"))
    await anna.text("Ben: наблюдатель")
    assert await roles(live) == {ANNA: "owner", BEN: "viewer"}
    await anna.press("‹ Команда")
    await anna.press("Журнал", await anna.button("Журнал"))
    await anna.press("‹ Команда", await anna.text("Ben теперь наблюдатель, раньше — редактор"))
    await anna.button("Журнал")

    await move(live, chat_id, "leave", BEN)
    await live.person(ANNA, chat_id).settled()
    await move(live, chat_id, "join", BEN)
    await team_page(ben)  # somebody known: no news
    assert len(await live.rows("SELECT id FROM notices")) == 1


async def test_past_the_plans_seats_people_look_on(live: Stage, courier: Courier) -> None:
    chat_id, anna, ben = await group_of(live)
    for number, user_id in enumerate((7003, 7004)):
        await move(live, chat_id, "join", user_id, first_name=f"Гость {number}", language_code="ru")
        await drawing(live.person(user_id, chat_id))
    for _ in range(2):
        asked = f"/gen@{await ben.username()} coffee"
        await ben.answer_to(asked, "All seats of the team's plan are taken (3)")
    assert await roles(live) == {ANNA: "owner", 7003: "editor", 7004: "editor", BEN: "viewer"}
    await _bring_notices(courier)
    told = "Ben хочет рисовать в команде «Команда», но все места заняты: 3 из 3"
    private = live.person(ANNA)
    await private.press("👥 Команда", await private.text(told))
    await private.button("👀 Ben")
    assert await live.rows("SELECT count(*) FROM notices WHERE kind = 'no_seat'") == [{"count": 1}]
    page = await team_page(anna)
    assert "Мест занято: 3 из 3" in page["text"]
    assert len(await live.rows("SELECT id FROM ml_requests")) == 2

    await anna.press("Редактор", await _member_page(anna, page, "Ben"))
    assert (await roles(live))[BEN] == "viewer"  # all seats are taken
    await anna.press("Наблюдатель", await _member_page(anna, page, "Гость 0"))
    await anna.press("Редактор", await _member_page(anna, page, "Ben"))
    await anna.text("Ben: редактор")
    assert (await roles(live))[7003] == "viewer"
    await ben.send(f"/gen@{await ben.username()} coffee")
    await ben.button("Cancel")


async def _bring_notices(courier: Courier) -> None:
    while (claimed := await notices.claim(courier)) is not None:
        await notices.send(claimed, courier)


async def _member_page(person: Person, page: Message, name: str) -> Message:
    shown = await person.wait_for(lambda one: one["message_id"] == page["message_id"])
    if "‹ Команда" in buttons(shown):
        await person.press("‹ Команда", shown)
        shown = await person.wait_for(
            lambda one: one["message_id"] == page["message_id"] and "🤝" in str(buttons(one))
        )
    await person.press(name, shown)
    return await person.wait_for(
        lambda one: one["message_id"] == page["message_id"] and "🚫 Удалить" in buttons(one)
    )


async def test_who_leaves_loses_every_right_and_comes_back_as_before(live: Stage) -> None:
    chat_id, anna, ben = await group_of(live)
    await ben.send(f"/gen@{await ben.username()} coffee")
    status = await ben.button("Cancel")
    await member(live, await team_id(live), BEN, Role.APPROVER)
    await move(live, chat_id, "leave", BEN)
    await anna.settled()
    assert await roles(live) == {ANNA: "owner"}
    await ben.tap(data_of(status, "Cancel"), status)
    await live.person(BEN).answer_to("/help", "How it works")
    assert await live.rows("SELECT state FROM ml_tasks") == [{"state": "queued"}]
    await move(live, chat_id, "join", BEN)
    await team_page(ben)
    assert (await roles(live))[BEN] == "approver"


async def test_without_an_administrators_eyes_leaving_is_seen_by_the_service_message(
    live: Stage,
) -> None:
    chat_id, anna, ben = await group_of(live)
    await team_page(ben)
    await move_bot(live, chat_id, "demote")
    await move(live, chat_id, "kick", BEN, by_user_id=ANNA)
    await anna.settled()
    assert await roles(live) == {ANNA: "owner"}
    asked = [one["arguments"]["user_id"] for one in await live.sim.calls("getChatMember")]
    assert str(BEN) not in map(str, asked)


async def test_an_owner_who_leaves_is_followed_by_an_admin_or_by_one_of_the_group(
    live: Stage,
) -> None:
    chat_id, anna, ben = await group_of(live)
    await team_page(ben)
    await move(live, chat_id, "leave", ANNA)
    page = await team_page(ben)
    assert "👑 Become the owner" in buttons(page)
    assert "takes another" in (await ben.press("Become the owner", page))["text"]
    await move(live, chat_id, "promote", BEN, by_user_id=ANNA)
    await ben.press("Become the owner", page)
    assert await roles(live) == {BEN: "owner"}
    await move(live, chat_id, "join", ANNA)
    await team_page(anna)
    await member(live, await team_id(live), ANNA, Role.ADMIN)
    await move(live, chat_id, "leave", BEN)
    await anna.settled()
    assert await roles(live) == {ANNA: "owner"}
    assert (await event_actions(live))[-1] == "leave"


async def test_somebody_removed_does_not_come_back_by_themselves(live: Stage) -> None:
    _, anna, ben = await group_of(live)
    await drawing(ben)
    page = await team_page(anna)
    await anna.press("Удалить", await _member_page(anna, page, "Ben"))
    gone = await anna.text("Ben: удалён")
    for asked in ("gen", "plan_posts", "team"):
        await ben.answer_to(f"/{asked}@{await ben.username()} coffee", "You were removed")
    assert (await ben.press("Журнал", await team_page(anna)))["text"].startswith("You were")
    assert await roles(live) == {ANNA: "owner"}
    await anna.press("Вернуть", gone)
    assert await roles(live) == {ANNA: "owner", BEN: "editor"}


async def test_the_team_is_passed_on_after_a_question(live: Stage) -> None:
    _, anna, ben = await group_of(live)
    await team_page(ben)
    page = await team_page(anna)
    await anna.press("Сделать владельцем", await _member_page(anna, page, "Ben"))
    await anna.press("Да, передать", await anna.text("новый владелец — Ben"))
    assert await roles(live) == {ANNA: "admin", BEN: "owner"}
    assert await live.rows("SELECT owner_user_id FROM accounts WHERE kind = 'team'") == [
        {"owner_user_id": BEN}
    ]
    assert "transfer" in await event_actions(live)


async def test_an_anonymous_admin_acts_as_an_admin_takes_no_seat_and_owns_nothing(
    live: Stage,
) -> None:
    _, anna, ben = await group_of(live)
    sent = await anna.send(f"/team@{await anna.username()}", anonymous=True)
    page = await anna.next(sent, "Мест занято: 1 из 3")
    assert "Group" not in str(buttons(page))
    assert await roles(live) == {ANNA: "owner", ANONYMOUS_ADMIN: "admin"}
    await ben.press("🤝", page)  # Ben administers nothing
    assert await live.rows("SELECT approvals_needed FROM accounts WHERE kind = 'team'") == [
        {"approvals_needed": 1}
    ]


async def test_who_writes_as_a_channel_is_nobody(live: Stage) -> None:
    chat_id, anna, _ = await group_of(live)
    name = await anna.username()
    words = f"/gen@{name} кофе"
    await live.push(
        {
            "message": {
                "message_id": 900,
                "date": 1,
                "chat": {"id": chat_id, "type": "supergroup", "title": "Команда"},
                "from": {"id": 136817688, "is_bot": True, "first_name": "Channel"},
                "sender_chat": {"id": -1009, "type": "channel", "title": "Канал"},
                "text": words,
                "entities": [{"type": "bot_command", "offset": 0, "length": len(name) + 5}],
            }
        }
    )
    await anna.settled()
    assert await live.rows("SELECT id FROM ml_requests") == []
    assert await roles(live) == {ANNA: "owner"}


# --- the private chat ---


async def test_in_the_private_chat_one_works_for_oneself_or_for_a_team(live: Stage) -> None:
    chat_id, _, ben = await group_of(live)
    await team_page(ben)
    await member(live, await team_id(live), BEN, Role.EDITOR)
    private = live.person(BEN)
    card = await private.answer_to("/account", "Who do you work for")
    assert buttons(card) == ["✓ 👤 Myself", "👥 Команда"]
    await private.press("Команда", card)
    await private.button("✓ 👥 Команда")
    await private.answer_to("coffee", "Draft")
    await private.press("👤 Myself")
    await private.button("✓ 👤 Myself")
    await private.answer_to("tea", "tea")
    kinds = "SELECT a.kind FROM ml_requests r JOIN accounts a ON a.id = r.account_id ORDER BY r.id"
    assert await live.rows(kinds) == [{"kind": "team"}, {"kind": "personal"}]

    await private.press("👥 Команда")
    await move(live, chat_id, "leave", BEN)
    await live.person(ANNA, chat_id).settled()
    await private.answer_to("juice", "juice")
    assert (await live.rows(kinds))[-1] == {"kind": "personal"}


async def test_who_worked_for_a_team_out_of_reach_is_told_once_and_works_for_themselves(
    live: Stage,
) -> None:
    chat_id, _, _ = await group_of(live)
    anna = live.person(ANNA)
    await anna.press("Команда", await anna.answer_to("/account", "Для кого"))
    await anna.text("Теперь вы работаете здесь для")
    await move_bot(live, chat_id, "kick")
    sent = await anna.send("кофе")
    await anna.next(sent, "Этот чат больше не работает для команды «Команда»")
    assert not (await anna.next(sent, "Черновик"))["text"].startswith("👥")
    await move_bot(live, chat_id, "join")
    await live.person(ANNA, chat_id).text("Я снова здесь")
    later = await anna.answer_to("чай", "Черновик")
    assert not later["text"].startswith("👥")
    told = [one for one in await anna.messages() if "больше не работает" in one.get("text", "")]
    assert sent < told[0]["message_id"] < later["message_id"]
    assert len(told) == 1


async def test_a_card_of_another_account_says_whose_it_is_to_who_may_work_for_it(
    live: Stage,
) -> None:
    _, _, ben = await group_of(live)
    await team_page(ben)
    anna, private = live.person(ANNA), live.person(BEN)
    mine = await anna.answer_to("кофе", "Черновик")
    await anna.press("Команда", await anna.answer_to("/account", "Для кого"))
    await anna.text("Теперь вы работаете здесь для")
    assert "Это ваше личное" in (await anna.press("Создать", mine))["text"]
    teams = await anna.answer_to("чай", "Черновик")
    await anna.press("👤 Я сам")
    await anna.text("Теперь вы работаете здесь для себя")
    said = await anna.press("Создать", teams)
    assert "Это принадлежит команде «Команда»" in said["text"]
    assert said["show_alert"]

    own = await private.answer_to("/account", "Who do you work for")
    for draft, expected in ((teams, "Это принадлежит"), (mine, "Этого уже нет")):
        await private.tap(data_of(draft, "Создать"), own)
        await private.settled()
        answer = (await live.sim.calls("answerCallbackQuery"))[-1]["arguments"]
        assert answer["text"].startswith(expected)
    assert await live.rows("SELECT id FROM ml_tasks") == []


async def test_nobody_works_for_a_team_that_is_not_theirs(live: Stage) -> None:
    await group_of(live)
    ben = live.person(BEN)
    card = await ben.answer_to("/account", "in no team yet")
    (team,) = await live.rows("SELECT id FROM accounts WHERE kind = 'team'")
    await ben.tap(f"u:{team['id']}", card)
    await ben.settled()
    assert await live.rows("SELECT team_id FROM user_settings WHERE team_id IS NOT NULL") == []


async def test_a_viewers_role_counts_in_the_private_chat_too(live: Stage) -> None:
    _, _, ben = await group_of(live)
    await team_page(ben)
    private = live.person(BEN)
    await private.press("Команда", await private.answer_to("/account", "Who do you work for"))
    await member(live, await team_id(live), BEN, Role.VIEWER)
    await private.answer_to("coffee", "Your role here is viewer")
    assert await live.rows("SELECT id FROM ml_requests") == []


async def test_cards_of_the_private_chat_name_the_team_it_works_for(live: Stage) -> None:
    await group_of(live)
    anna = live.person(ANNA)
    await anna.press("Команда", await anna.answer_to("/account", "Для кого"))
    await anna.text("Теперь вы работаете здесь для «Команда»")
    head = "👥 Команда\n"
    for asked, shown in (
        ("кофе", "Черновик"),
        ("/brands", "Бренды"),
        ("/history", "Альбомов"),
        ("/wallet", "Кошелёк"),
        ("/plans", "общий на команду"),
    ):
        assert (await anna.answer_to(asked, shown))["text"].startswith(head)

    await anna.press("👤 Я сам", await anna.answer_to("/account", "Для кого"))
    await anna.text("Теперь вы работаете здесь для себя")
    assert not (await anna.answer_to("/wallet", "Кошелёк"))["text"].startswith("👥")


async def work_for(person: Person, label: str) -> None:
    await person.press(label, await person.answer_to("/account", "Для кого"))
    await person.button(f"✓ 👥 {label}" if label == "Команда" else f"✓ {label}")


async def test_a_card_about_ones_own_money_does_nothing_to_the_teams(live: Stage) -> None:
    await group_of(live)
    anna = live.person(ANNA)
    await live.credit(2000_00)
    await live.credit_account(await team_id(live), 1000_00)
    await live.plan("start")
    cards: list[tuple[Message, str]] = [(await anna.answer_to("/wallet", "Кошелёк"), "Выписка")]
    page = await anna.answer_to("/plans", "Тариф «")
    cards.append((page, "Платить сверх квоты"))
    for way, asked, label in (
        ("Студия", "Перейти на тариф «Студия» сразу?", "Пополнить на"),
        ("Профи", "Перейти на тариф «Профи» сразу?", "Заплатить"),
        ("Не продлевать", "Не продлевать «Старт»?", "Не продлевать"),
    ):
        page = await anna.answer_to("/plans", "Тариф «")
        await anna.press(way, page)
        cards.append((await anna.text(asked), label))
    await anna.press("Пополнить", await anna.answer_to("/wallet", "Кошелёк"))
    await anna.press("500")
    cards.append((await anna.button("Звёздами"), "Звёздами"))
    await live.rows_changed("UPDATE periods SET used = images_limit")
    await anna.send("кофе")
    await anna.press("Создать", await anna.button("Создать"))
    cards.append((await anna.button("сверх квоты: сейчас"), "сверх квоты: сейчас"))

    await work_for(anna, "Команда")
    money = (
        "SELECT account_id, plan_code, next_plan_code, pays_per_picture, balance"
        " FROM subscriptions JOIN wallets USING (account_id) ORDER BY 1"
    )
    before = await live.rows(money)
    for card, label in cards:
        answer = await anna.press(label, card)
        assert answer["show_alert"], label
        assert "другого кошелька" in answer["text"], label
    assert await live.rows(money) == before
    assert await live.rows("SELECT id FROM orders") == []

    await work_for(anna, "👤 Я сам")
    card, label = cards[-2]
    await anna.press(label, card)
    await anna.wait_for(lambda one: "invoice" in one, "invoice")
    assert await live.rows("SELECT account_id FROM orders") == [
        {"account_id": await live.account_of()}
    ]


async def test_pages_without_an_account_lead_to_the_present_plans(live: Stage) -> None:
    await group_of(live)
    anna = live.person(ANNA)
    channels = await anna.answer_to("/channels", "канал")
    await work_for(anna, "Команда")
    await anna.press("Тарифы", channels)
    await anna.text("общий на команду")
