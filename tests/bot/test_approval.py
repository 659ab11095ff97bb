"""Votes and approvals under a team's album: counts, N of M, changes in rounds, reasons, audit."""

from __future__ import annotations

import asyncio

import pytest

from db import approvals, teams
from db.states import Role
from tests.bot.office import execute, member
from tests.bot.stage import Person, Stage, buttons, data_of
from tests.bot.test_team import (
    event_actions,
    group_of,
    move,
    move_bot,
    roles,
    team_id,
    team_page,
)
from tests.sim import ANNA, BEN, Message, label

CLIENT = 7003


async def team_of_three(live: Stage, thread: bool = False) -> tuple[Person, Person, Person]:
    """Anna the owner, Ben an editor, and a client who approves."""
    topics = ("Осень",) if thread else ()
    group = await live.sim.group(topics=topics)
    thread_id = group["topics"][0]["message_thread_id"] if thread else None
    await live.person(ANNA, group["id"]).text("для этой команды")
    await move(live, group["id"], "join", CLIENT, first_name="Клим", language_code="ru")
    people = [live.person(one, group["id"], thread_id) for one in (ANNA, BEN, CLIENT)]
    for one in people[1:]:
        await team_page(one)
    await member(live, await team_id(live), BEN, Role.EDITOR)
    await member(live, await team_id(live), CLIENT, Role.APPROVER)
    return people[0], people[1], people[2]


async def drawn(person: Person) -> Message:
    """The action card under an album that the person asked for."""
    sent = await person.send(f"/gen@{await person.username()} осеннее меню кофейни")
    await person.wait_for(lambda one: one["message_id"] > sent and "reply_markup" in one)
    await person.stage.draw()
    return await person.wait_for(
        lambda one: one["message_id"] > sent and label(one, "PNG") is not None, "action card"
    )


async def asked(person: Person, card: Message) -> Message:
    """The approval card."""
    await person.press(label(card, "📨") or "", card)
    return await person.wait_for(
        lambda one: one["message_id"] > card["message_id"] and label(one, "✏️") is not None
    )


async def now_says(person: Person, card: Message, part: str) -> Message:
    """That message, once it has this in its text or on a button."""
    return await person.wait_for(
        lambda one: (
            one["message_id"] == card["message_id"]
            and (part in one.get("text", "") or label(one, part) is not None)
        ),
        part,
    )


# --- votes ---


async def test_everybody_has_one_vote_which_can_be_moved_and_taken_back(live: Stage) -> None:
    anna, ben, client = await team_of_three(live)
    card = await drawn(anna)
    assert (await ben.press("👍 2", card))["text"] == "Your vote: №2"
    card = await now_says(anna, card, "👍 2 · 1")
    await client.press("👍 2", card)
    card = await now_says(anna, card, "👍 2 · 2")
    await client.press("👍 3", card)
    card = await now_says(anna, card, "👍 3 · 1")
    assert label(card, "👍 2") == "👍 2 · 1"
    await anna.press("Взять №1", card)  # what is chosen and what is liked are two things
    card = await now_says(anna, card, "✓ Взять №1")
    assert label(card, "👍 3") == "👍 3 · 1"
    assert (await client.press("👍 3", card))["text"] == "Голос за №3 отозван"
    assert (await ben.press("👍 2", card))["text"] == "Your vote for №2 is taken back"
    await anna.wait_for(lambda one: {"👍 1", "👍 2", "👍 3"} <= set(buttons(one)))
    cast = [one for one in await event_actions(live) if "vote" in one]
    assert cast == ["vote", "vote", "vote", "unvote", "unvote"]


async def test_a_vote_whose_tap_comes_twice_counts_once(live: Stage) -> None:
    """Telegram offers an update again when its handling broke off, here at showing the vote."""
    anna, ben, _ = await team_of_three(live)
    card = await drawn(anna)
    await live.sim.fault("editMessageText", "500")
    await live.rested()
    await ben.press("👍 2", card)
    await now_says(anna, card, "👍 2 · 1")
    assert (await event_actions(live)).count("vote") == 1
    assert "unvote" not in await event_actions(live)


async def test_a_vote_is_remembered_without_redis(live: Stage) -> None:
    anna, ben, _ = await team_of_three(live)
    card = await drawn(anna)
    await ben.tap(data_of(card, "👍 2"), card)
    await now_says(anna, card, "👍 2 · 1")
    await live.redis.flushdb()
    await ben.tap(data_of(card, "👍 2"), card)  # the same tap, once more
    await ben.settled()
    assert await live.rows("SELECT user_id, rank FROM votes") == [{"user_id": BEN, "rank": 2}]


async def test_votes_of_one_moment_are_all_counted_and_shown(live: Stage) -> None:
    anna, ben, client = await team_of_three(live)
    card = await drawn(anna)
    await live.rested()
    await asyncio.gather(*(one.tap(data_of(card, "👍 1"), card) for one in (anna, ben, client)))
    await now_says(anna, card, "👍 1 · 3")


async def test_the_approval_card_says_which_picture_leads(live: Stage) -> None:
    anna, ben, client = await team_of_three(live)
    card = await drawn(ben)
    await ben.press("👍 2", card)
    round_ = await asked(ben, await now_says(ben, card, "👍 2 · 1"))
    assert "Leads by votes: №2 (👍 1)" in round_["text"]
    await client.press("👍 3", card)
    await now_says(anna, round_, "Leads by votes: №2, №3 (👍 1)")


async def test_an_album_of_ones_own_has_no_votes(anna: Person) -> None:
    await anna.send("/gen осеннее меню кофейни")
    await anna.button("Отменить")
    await anna.stage.draw()
    card = await anna.button("Почему")
    assert label(card, "👍") is None
    assert label(card, "согласование") is None


# --- approvals ---


async def test_one_yes_approves_by_default_and_the_editor_may_then_publish(live: Stage) -> None:
    anna, ben, client = await team_of_three(live)
    card = await drawn(ben)
    await ben.press("Take №2", card)
    card = await now_says(ben, card, "✓ Take №2")
    task = int(data_of(card, "PNG").split(":")[1])

    async def may(user_id: int) -> bool:
        async with live.sessions.begin() as session:
            return await teams.may_publish(session, await team_id(live), task, user_id)

    assert [await may(one) for one in (ANNA, BEN, CLIENT)] == [True, False, False]
    round_ = await asked(ben, card)
    assert "Chosen: №2" in round_["text"]
    assert "Asked by Ben" in round_["text"]
    assert label(await now_says(ben, card, "Being approved"), "📨") is None
    assert (await ben.press("Approve", round_))["text"].startswith("Your role here is editor")
    assert (await client.press("Approve", round_))["text"] == "Согласовано"
    done = await now_says(anna, round_, "Said yes: Клим")
    assert buttons(done) == ["ℹ️ Details"]
    await now_says(ben, card, "✅ Approved")
    assert [await may(one) for one in (ANNA, BEN, CLIENT)] == [True, True, False]
    assert [one for one in await event_actions(live) if one in ("ask", "approve")] == [
        "ask",
        "approve",
    ]


async def test_a_second_tap_asks_for_no_second_approval(live: Stage) -> None:
    _, ben, _ = await team_of_three(live)
    card = await drawn(ben)
    await asked(ben, card)
    again = await ben.press("approv", await now_says(ben, card, "Being approved"))
    assert again["text"] == "It is being approved: look at the card"
    assert len(await live.rows("SELECT id FROM approvals")) == 1


async def opened_in_private(person: Person) -> tuple[Person, Message]:
    """The person's private chat, which works for the team, and its card of the team's album."""
    private = person.stage.person(person.user_id)
    await private.press("Команда", await private.answer_to("/account", "Для кого"))
    await private.button("✓ 👥 Команда")
    await private.press("1", await private.answer_to("/history", "нажмите на номер"))
    await private.press("Открыть", await private.button("Открыть альбом"))
    await private.settled()
    await person.stage.deliver()
    return private, await private.button("PNG")


@pytest.mark.parametrize("thread", [False, True], ids=["group", "topic"])
async def test_what_is_asked_for_in_private_is_decided_in_the_group(
    live: Stage, thread: bool
) -> None:
    anna, ben, client = await team_of_three(live, thread)
    card = await drawn(anna)
    private, action = await opened_in_private(anna)
    answer = await private.press("📨", action)
    assert answer["text"] == "Отправлено на согласование в группу команды"
    round_ = await ben.wait_for(lambda one: label(one, "✏️") is not None)
    assert round_.get("message_thread_id") == anna.thread_id
    assert (await ben.press("📨", card))["text"] == "It is being approved: look at the card"
    again = await private.press("🕓", await now_says(private, action, "На согласовании"))
    assert again["text"] == "Уже на согласовании: карточка в группе команды"
    await client.press("Отклонить", round_)
    question = await client.text("почему нет?")
    await client.send("слишком темно", reply_to_message_id=question["message_id"])
    await now_says(anna, round_, "Клим: слишком темно")
    assert await live.rows("SELECT state FROM approvals") == [{"state": "rejected"}]


async def test_an_album_drawn_in_private_for_a_team_is_shown_in_its_group_to_be_approved(
    live: Stage,
) -> None:
    anna, ben, client = await team_of_three(live)
    private = live.person(ANNA)
    await private.press("Команда", await private.answer_to("/account", "Для кого"))
    await private.button("✓ 👥 Команда")
    sent = await private.send("/gen осень")
    await private.wait_for(lambda one: one["message_id"] > sent and label(one, "✕") is not None)
    await live.draw()
    await private.press("📨", await private.button("📨"))
    round_ = await ben.wait_for(lambda one: label(one, "✏️") is not None)
    await live.deliver()
    assert len(await client.albums()) == 1
    await anna.press("Одобрить", round_)
    await now_says(client, round_, "Согласовано")
    assert await live.rows("SELECT state FROM approvals") == [{"state": "approved"}]


async def test_a_card_that_was_left_in_a_private_chat_leads_to_the_group(live: Stage) -> None:
    """As it is for a round that `migrations` has moved."""
    anna, ben, _ = await team_of_three(live)
    round_ = await asked(ben, await drawn(ben))
    private, _ = await opened_in_private(anna)
    await execute(live, "UPDATE approvals SET card_message_id = NULL")
    await private.tap(data_of(round_, "✏️"), await private.button("PNG"))
    await ben.wait_for(
        lambda one: one["message_id"] > round_["message_id"] and label(one, "✏️ Changes") is not None
    )
    answers = [one["arguments"] for one in await live.sim.calls("answerCallbackQuery")]
    assert answers[-1]["text"] == "Уже на согласовании: карточка в группе команды"
    assert not [one for one in await private.messages() if "что поправить" in str(one)]


async def test_two_of_three_must_say_yes_when_the_team_says_so(live: Stage) -> None:
    anna, ben, client = await team_of_three(live)
    page = await team_page(anna)
    await anna.press("🤝", page)
    assert "2 из 2" in (await now_says(anna, page, "согласий: 2"))["text"]
    card = await drawn(ben)
    round_ = await asked(ben, card)
    assert (await client.press("Approve", round_))["text"] == "Ваше согласие учтено. Нужно ещё: 1"
    assert (await client.press("Approve", round_))["text"] == "Вы уже согласились"
    await now_says(anna, round_, "Said yes: 1 of 2 (Клим)")
    await anna.press("Approve", round_)
    await now_says(anna, round_, "Said yes: Клим, Анна")


async def test_a_yes_of_who_may_no_longer_approve_does_not_count(live: Stage) -> None:
    anna, ben, client = await team_of_three(live)
    await move(live, anna.chat_id, "join", 7004, first_name="Вера", language_code="ru")
    await execute(live, "UPDATE periods SET seats = 9")
    await team_page(live.person(7004, anna.chat_id))
    await member(live, await team_id(live), 7004, Role.APPROVER)
    await execute(live, "UPDATE accounts SET approvals_needed = 2")
    round_ = await asked(ben, await drawn(ben))
    await client.press("Approve", round_)
    await member(live, await team_id(live), CLIENT, Role.EDITOR)
    assert (await anna.press("Approve", round_))["text"] == "Ваше согласие учтено. Нужно ещё: 1"
    await now_says(anna, round_, "Said yes: 1 of 2 (Анна)")
    await live.person(7004, anna.chat_id).press("Approve", round_)
    assert await live.rows("SELECT state FROM approvals") == [{"state": "approved"}]


async def test_a_rejection_has_its_reason_on_the_card(live: Stage) -> None:
    anna, ben, client = await team_of_three(live)
    card = await drawn(ben)
    round_ = await asked(ben, card)
    await client.press("Reject", round_)
    question = await client.text("почему нет?")
    mine = {"reply_to_message_id": question["message_id"]}
    await ben.send("потому что", **mine)
    await ben.text("Your role here is editor")
    await client.send("не наш <стиль> & цвет", **mine)
    over = await now_says(anna, round_, "Rejected")
    assert "Клим: не наш <стиль> & цвет" in over["text"]
    await anna.send("и я против", **mine)
    await anna.text("Этот круг уже завершён")
    assert await live.rows("SELECT id FROM ml_tasks") == [{"id": 1}]
    # The album may be asked about once more: the second round.
    again = await now_says(ben, card, "again")
    second = await asked(ben, again)
    assert "round 2" in second["text"]
    assert "Round 1: ✕ Клим: не наш <стиль> & цвет" in second["text"]


async def test_who_looks_on_takes_no_seat_by_a_reply_to_a_question(live: Stage) -> None:
    anna, ben, client = await team_of_three(live)
    await execute(live, "UPDATE periods SET seats = 9")
    await move(live, anna.chat_id, "join", 7004, first_name="Вера", language_code="ru")
    round_ = await asked(ben, await drawn(ben))
    await client.press("Changes", round_)
    mine = {"reply_to_message_id": (await client.text("что поправить?"))["message_id"]}
    vera = live.person(7004, anna.chat_id)
    await vera.send("фон светлее", **mine)
    await vera.text("Вы здесь наблюдатель")
    assert (await roles(live))[7004] == "viewer"
    assert len(await live.rows("SELECT id FROM ml_requests")) == 1


@pytest.mark.parametrize("thread", [False, True], ids=["group", "topic"])
async def test_changes_are_drawn_as_a_new_round_with_its_history(live: Stage, thread: bool) -> None:
    anna, ben, client = await team_of_three(live, thread)
    round_ = await asked(ben, await drawn(ben))
    await client.press("Changes", round_)
    question = await client.text("что поправить?")
    reply = await client.send("фон светлее", reply_to_message_id=question["message_id"])
    await now_says(anna, round_, "Клим: фон светлее")
    status = await client.wait_for(
        lambda one: one["message_id"] > reply and label(one, "Cancel") is not None, "status"
    )
    assert status["reply_to_message"]["message_id"] == reply
    raw = next(one for one in await anna.messages() if one["message_id"] == reply)
    await live.push({"message": {key: raw[key] for key in raw if key != "seq"}})
    await anna.settled()
    first, second = await live.rows("SELECT brief, user_id FROM ml_tasks ORDER BY id")
    assert second["brief"]["cleaned_prompt"].startswith(first["brief"]["cleaned_prompt"])
    assert "фон светлее" in second["brief"]["cleaned_prompt"]
    assert second["brief"]["seed"] == first["brief"]["seed"]
    assert second["user_id"] == BEN  # whose request it was steers it on

    await live.draw()
    card = await ben.wait_for(
        lambda one: one["message_id"] > reply and label(one, "PNG") is not None, "new album"
    )
    (task,) = await live.rows("SELECT max(id) AS id FROM ml_tasks")
    async with live.sessions() as session:
        idea = await approvals.idea(session, task["id"])
    assert idea == first["brief"]["cleaned_prompt"]  # a post's readers need not hear of the changes
    new = await asked(ben, card)
    assert "round 2" in new["text"]
    assert "Round 1: ✏️ Клим: фон светлее" in new["text"]
    await client.press("Approve", new)
    await now_says(anna, new, "Said yes: Клим")
    if thread:
        sent = [one for one in await live.person(ANNA, anna.chat_id).messages() if "photo" in one]
        assert {one.get("message_thread_id") for one in sent} == {anna.thread_id}


async def test_an_answer_about_a_round_is_none_to_another_question(live: Stage) -> None:
    anna, ben, _ = await team_of_three(live)
    round_ = await asked(ben, await drawn(ben))
    await anna.send(f"/brands@{await anna.username()}")
    await anna.press("Новый бренд")
    name = await anna.text("Как он называется?")
    await anna.press("Reject", round_)
    question = await anna.text("почему нет?")
    await anna.send("не наш цвет", reply_to_message_id=question["message_id"])
    await now_says(anna, round_, "не наш цвет")
    await anna.send("Кофе рядом", reply_to_message_id=name["message_id"])
    await anna.text("2 из 3")  # the other question is still open


async def test_an_answer_that_is_too_long_is_not_cut_but_asked_for_again(live: Stage) -> None:
    anna, ben, client = await team_of_three(live)
    round_ = await asked(ben, await drawn(ben))
    await client.press("Changes", round_)
    question = await client.text("что поправить?")
    await client.send("теплее свет " * 60, reply_to_message_id=question["message_id"])
    await client.text("до 500 знаков")
    await client.send("теплее", reply_to_message_id=question["message_id"])
    await now_says(anna, round_, "Sent back for changes")


async def test_an_anonymous_admin_may_answer_the_question(live: Stage) -> None:
    anna, ben, client = await team_of_three(live)
    round_ = await asked(ben, await drawn(ben))
    await client.press("Changes", round_)
    question = await client.text("что поправить?")
    await anna.send("теплее", anonymous=True, reply_to_message_id=question["message_id"])
    await now_says(anna, round_, "теплее")
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 2


async def test_a_round_goes_on_in_the_supergroup_that_its_group_becomes(live: Stage) -> None:
    """The old cards stay behind; a new one comes, and an edit hits no other message there."""
    group = await live.sim.post(
        "chats", type="group", title="Команда", bot_status="administrator",
        members=[{"id": ANNA, "status": "creator"}, {"id": BEN, "status": "member"}],
    )  # fmt: skip
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    await anna.text("для этой команды")
    before = await asked(ben, await drawn(ben))
    moved = await live.sim.post(
        f"chats/{group['id']}/members", action="migrate", by_user_id=ANNA, user_id=ANNA
    )
    anna, ben = live.person(ANNA, moved["id"]), live.person(BEN, moved["id"])
    round_ = await ben.wait_for(lambda one: label(one, "✏️ Changes") is not None, "new card")
    assert round_["text"] == before["text"]
    assert "reply_to_message" not in round_
    await anna.press("Approve", round_)
    await now_says(anna, round_, "Said yes: Анна")
    edits = [one["arguments"] for one in await live.sim.calls("editMessageText")]
    here = {int(one["message_id"]) for one in edits if str(one["chat_id"]) == str(moved["id"])}
    assert here == {round_["message_id"]}
    assert len(await live.rows("SELECT id FROM accounts WHERE kind = 'team'")) == 1


async def test_nothing_is_said_of_a_deleted_album_when_its_group_moves(live: Stage) -> None:
    group = await live.sim.post(
        "chats", type="group", title="Команда", bot_status="administrator",
        members=[{"id": ANNA, "status": "creator"}],
    )  # fmt: skip
    anna = live.person(ANNA, group["id"])
    await anna.text("для этой команды")
    await asked(anna, await drawn(anna))
    await execute(live, "UPDATE ml_tasks SET hidden_at = now()")
    moved = await live.sim.post(
        f"chats/{group['id']}/members", action="migrate", by_user_id=ANNA, user_id=ANNA
    )
    await live.person(ANNA, moved["id"]).settled()
    sent = [one["arguments"] for one in await live.sim.calls("sendMessage")]
    (help_,) = [one["text"] for one in sent if str(one["chat_id"]) == str(moved["id"])]
    assert "/history" in help_


async def test_a_round_outlives_the_bots_demotion_and_its_absence(live: Stage) -> None:
    anna, ben, client = await team_of_three(live)
    card = await drawn(ben)
    round_ = await asked(ben, card)
    await move_bot(live, anna.chat_id, "demote")
    await client.press("👍 2", await now_says(ben, card, "Being approved"))
    await now_says(anna, round_, "Leads by votes: №2")
    await move_bot(live, anna.chat_id, "kick")
    await live.person(ANNA).answer_to("/help", "Как это работает")
    await move_bot(live, anna.chat_id, "join")
    await client.press("Approve", round_)
    await now_says(anna, round_, "Said yes: Клим")


async def test_an_admin_of_the_group_who_writes_without_a_name_approves_under_their_own(
    live: Stage,
) -> None:
    anna, ben, _ = await team_of_three(live)
    round_ = await asked(ben, await drawn(ben))
    await move(live, anna.chat_id, "promote", BEN, by_user_id=ANNA)
    assert (await ben.press("Approve", round_))["text"].startswith("Your role here is editor")
    sent = await ben.send(f"/team@{await ben.username()}", anonymous=True)
    await ben.next(sent, "Мест")
    await ben.press("Approve", round_)
    await now_says(anna, round_, "Said yes: Ben")


async def test_the_audit_keeps_every_line(live: Stage) -> None:
    await group_of(live)
    with pytest.raises(Exception, match="never changed"):
        await execute(live, "UPDATE events SET action = 'nothing'")
    with pytest.raises(Exception, match="never changed"):
        await execute(live, "DELETE FROM events")


# --- notes for one person ---


async def sent_back(live: Stage) -> tuple[Person, Person, Person, Message]:
    """A second round, whose first was sent back, with votes; and its card."""
    anna, ben, client = await team_of_three(live)
    round_ = await asked(ben, await drawn(ben))
    await client.press("Reject", round_)
    question = await client.text("почему нет?")
    await client.send("не наш цвет", reply_to_message_id=question["message_id"])
    await now_says(anna, round_, "Rejected")
    card = await ben.button("Ask for approval again")
    await client.press("👍 2", card)
    return anna, ben, client, await asked(ben, await now_says(ben, card, "👍 2 · 1"))


async def test_details_are_told_to_their_asker_alone(live: Stage) -> None:
    anna, ben, client, card = await sent_back(live)
    await client.press("Details", card)
    note = await client.text("Согласование, круг 2")
    for line in ("Ещё не ответили: Анна, Клим", "👍 №2: Клим", "Круг 1: ✕ Клим: не наш цвет"):
        assert line in note["text"]
    for other in (anna, ben):
        assert not [one for one in await other.messages() if "Согласование, круг" in str(one)]


async def test_where_telegram_takes_no_such_note_it_comes_in_private(live: Stage) -> None:
    anna, _, client, card = await sent_back(live)
    details = data_of(card, "Details")
    # Telegram takes a note for a tap of the last seconds: not for this one, of which it knows
    # nothing.
    await anna.tap(details, card)
    await live.person(ANNA).text("Круг 1: ✕ Клим: не наш цвет")
    await client.tap(details, card)  # who has never written to the bot
    await client.settled()
    answers = [one["arguments"] for one in await live.sim.calls("answerCallbackQuery")]
    assert [one["text"] for one in answers[-2:]] == [
        "Ответил вам лично: t.me/vitrina_bot",
        "Сначала напишите боту: откройте t.me/vitrina_bot, нажмите «Старт» и потом ещё раз сюда.",
    ]
