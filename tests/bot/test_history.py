"""History: pages of albums, opened again by file_id, repeated, changed, deleted."""

from __future__ import annotations

from tests.bot.stage import Person, Stage, buttons, data_of
from tests.sim import ANNA, BEN, Message


async def albums(person: Person, count: int = 1) -> None:
    for number in range(1, count + 1):
        await person.send(f"/gen осеннее меню, день {number}")
        await person.text(f"день {number}")
        await person.stage.draw(pictures=2)


async def opened(person: Person) -> Message:
    """The page of the newest album."""
    await person.send("/history")
    await person.press("1", await person.text("нажмите на номер"))
    return await person.button("Открыть альбом")


async def test_an_album_is_opened_again_at_once_by_file_id(anna: Person, live: Stage) -> None:
    await albums(anna)
    page = await opened(anna)
    assert "2 варианта, лучший 0,83" in page["text"]
    assert "без ML-модели" in page["text"]
    live.files.clear()
    answer = await anna.press("Открыть", page)
    assert answer["text"] == "Сейчас покажу"
    await anna.press("Открыть", page)
    await anna.settled()
    await live.deliver()
    first, second = await anna.albums()
    assert [one["photo"] for one in first] == [one["photo"] for one in second]
    assert second[0]["caption"] == first[0]["caption"]


async def test_pages_go_to_older_albums_and_back(anna: Person) -> None:
    await albums(anna, 7)
    await anna.send("/history")
    page = await anna.text("нажмите на номер")
    assert buttons(page) == ["1", "2", "3", "4", "5", "Раньше ›"]
    assert page["text"].index("день 7") < page["text"].index("день 3")
    await anna.press("Раньше", page)
    older = await anna.button("К новым")
    assert "день 1" in older["text"]
    assert buttons(older) == ["1", "2", "‹ К новым"]
    await anna.press("К новым", older)
    await anna.text("день 7")


async def test_repeat_draws_the_same_request_anew(anna: Person, live: Stage) -> None:
    await albums(anna)
    page = await opened(anna)
    await anna.press("Повторить", page)
    await anna.press("Повторить", page)
    await anna.settled()
    first, second = await live.rows("SELECT request_id, brief FROM ml_tasks ORDER BY id")
    assert first["request_id"] == second["request_id"]
    assert first["brief"]["seed"] != second["brief"]["seed"]


async def test_repeat_with_changes_opens_a_draft_as_the_old_one_was(
    anna: Person, live: Stage
) -> None:
    await anna.send("баннер для сайта, распродажа")
    card = await anna.button("Создать")
    await anna.press("Вариантов", card)
    await anna.press("Вариантов: 1")
    await anna.press("Создать", await anna.button("Вариантов: 2"))
    await live.draw(pictures=2)
    page = await opened(anna)
    await anna.press("С изменениями", page)
    draft = await anna.button("Создать")
    assert draft["message_id"] > page["message_id"]
    assert "2 варианта" in draft["text"]
    assert "Баннер, распродажа" in draft["text"]
    answer = await anna.press("С изменениями", page)
    assert answer["text"] == "Черновик выше"
    await anna.settled()
    assert len(await live.rows("SELECT id FROM ml_requests")) == 2
    await anna.press("Создать", draft)
    await anna.press("С изменениями", page)
    await anna.settled()
    assert len(await live.rows("SELECT id FROM ml_requests")) == 3


async def test_delete_asks_first_and_takes_the_album_out(anna: Person, live: Stage) -> None:
    await albums(anna)
    page = await opened(anna)
    await anna.press("Удалить", page)
    await anna.press("Оставить", await anna.text("Удалить этот альбом"))
    await anna.press("Удалить", await anna.button("Открыть альбом"))
    await anna.press("Да, удалить")
    await anna.text("Альбомов пока нет")


async def test_the_question_before_an_album_goes_counts_its_scheduled_posts(
    anna: Person, live: Stage
) -> None:
    await albums(anna)
    await live.rows_changed(
        "INSERT INTO channels (account_id, chat_id, title, connected_by)"
        " SELECT id, -5, 'Кофе', owner_user_id FROM accounts"
    )
    await live.rows_changed(
        "INSERT INTO posts (account_id, channel_id, task_id, created_by, origin, ranks, state,"
        " publish_at, sent_at) SELECT c.account_id, c.id, t.id, t.user_id, n, '{1}', made.state,"
        " now() + interval '1 day', CASE made.state WHEN 'sent' THEN now() END"
        " FROM channels c, ml_tasks t, unnest(ARRAY['draft', 'scheduled', 'scheduled', 'sent',"
        " 'cancelled']) WITH ORDINALITY AS made (state, n)"
    )
    page = await opened(anna)
    await anna.press("Удалить", page)
    question = await anna.text("Из него запланировано 2 поста, они выйдут и без него")
    await anna.press("Оставить", question)
    page = await anna.button("Открыть альбом")
    await live.rows_changed("UPDATE posts SET state = 'cancelled' WHERE state = 'scheduled'")
    await anna.press("Удалить", page)
    question = await anna.text("Удалить этот альбом")
    assert "запланирован" not in question["text"]


async def test_deleting_an_album_spares_its_siblings_and_what_is_at_work(
    anna: Person, live: Stage
) -> None:
    await albums(anna)
    action = await anna.button("Ещё варианты")
    await anna.press("Ещё варианты", action)
    await anna.settled()
    await live.draw(pictures=2)
    await anna.press(
        "Ещё варианты",
        await anna.wait_for(
            lambda one: (
                one["message_id"] > action["message_id"] and "🔁 Ещё варианты" in buttons(one)
            )
        ),
    )
    page = await opened(anna)
    await anna.press("Удалить", page)
    await anna.press("Да, удалить")
    listed = await anna.wait_for(lambda one: buttons(one) == ["1"])
    assert "день 1" in listed["text"]
    rows = await live.rows(
        "SELECT state, hidden_at IS NOT NULL AS hidden FROM ml_tasks ORDER BY id"
    )
    assert [(one["state"], one["hidden"]) for one in rows] == [
        ("done", False),
        ("done", True),
        ("queued", False),
    ]


async def test_in_a_team_who_repeats_an_album_steers_it_in_their_own_language(live: Stage) -> None:
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    await anna.text("для этой команды")
    name = await anna.username()
    await anna.send(f"/gen@{name} осеннее меню")
    await anna.button("Отменить")
    await live.draw()
    await ben.send(f"/history@{name}")
    await ben.press("1", await ben.text("tap a number"))
    await ben.press("Repeat", await ben.button("Repeat"))
    card = await ben.button("✕ Cancel")
    assert (await ben.press("Cancel", card))["text"] == "Cancelled"


async def test_who_may_not_delete_an_album_is_told_so_before_the_question(live: Stage) -> None:
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    await anna.text("для этой команды")
    name = await anna.username()
    await anna.send(f"/gen@{name} осеннее меню")
    await anna.button("Отменить")
    await live.draw()
    await ben.send(f"/history@{name}")
    await ben.press("1", await ben.text("tap a number"))
    page = await ben.button("🗑 Delete")
    assert (await ben.press("Delete", page))["text"].startswith("Your role here is viewer")
    await ben.send(f"/gen@{name} чай")
    await ben.text("чай")
    assert (await ben.press("Delete", page))["text"].startswith("Only who asked for the album")
    await anna.press("Delete", page)
    await anna.press("Да, удалить")
    await anna.text("Альбомов пока нет")


async def test_another_accounts_history_stays_closed(live: Stage) -> None:
    anna, ben = live.person(ANNA), live.person(BEN)
    await albums(anna)
    page = await opened(anna)
    own = await ben.answer_to("/history", "No albums yet")
    for part in ("Открыть", "Повторить", "С изменениями", "Удалить"):
        await ben.tap(data_of(page, part), own)
    await ben.tap(data_of(page, "Удалить").replace("delete", "sure"), own)
    await ben.settled()
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 1
    assert len(await live.rows("SELECT id FROM ml_requests WHERE state = 'submitted'")) == 1
    assert len(await live.rows("SELECT id FROM deliveries WHERE kind = 'album'")) == 1
