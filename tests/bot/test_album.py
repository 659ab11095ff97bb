"""Status cards and action cards: cancel, retry, show again, choose, more, similar, PNG, why."""

from __future__ import annotations

from sqlalchemy import text

from db import brands, deliveries
from tests.bot.stage import Person, Stage, buttons, data_of
from tests.sim import ANNA, BEN, Message

UNKNOWN = text(
    "UPDATE deliveries SET state = 'unknown', reason = 'test', sent_at = NULL, message_ids = '{}'"
)


async def drawn(person: Person) -> Message:
    """The action card of a finished album."""
    await person.send("/gen осеннее меню кофейни")
    await person.button("Отменить")
    await person.stage.draw()
    return await person.button("Почему")


async def test_the_album_tells_scores_in_rank_order_and_by_whom(anna: Person) -> None:
    await drawn(anna)
    (album,) = await anna.albums()
    assert len(album) == 4
    caption = album[0]["caption"]
    assert caption.startswith("осеннее меню кофейни")
    assert "№1 0,83: сюжет 0,81, эстетика 0,87" in caption
    assert "№1 — лучшая из этих четырёх" in caption
    assert "оценка по цвету и композиции, без ML-модели (pixels)" in caption
    assert not any(one.get("caption") for one in album[1:])


async def test_the_action_card_offers_only_what_works(anna: Person) -> None:
    card = await drawn(anna)
    assert buttons(card) == [
        "1",
        "2",
        "3",
        "4",
        "🔁 Ещё варианты",
        "🎯 Похожие на №1",
        "📥 Оригиналы PNG",
        "🤔 Почему?",
        "📣 В канал",
    ]


async def test_choosing_marks_the_picture_and_can_be_changed(anna: Person, live: Stage) -> None:
    card = await drawn(anna)
    answer = await anna.press("2", card)
    assert answer["text"] == "Выбрана №2"
    chosen = await anna.text("Выбрана №2")
    assert chosen["message_id"] == card["message_id"]
    assert "✓ 2" in buttons(chosen)
    assert "🎯 Похожие на №2" in buttons(chosen)
    await anna.press("3", chosen)
    await anna.text("Выбрана №3")
    (row,) = await live.rows(
        "SELECT rank FROM predictions p JOIN ml_tasks t ON t.chosen_prediction_id = p.id"
    )
    assert row["rank"] == 3


async def test_why_explains_and_leads_back(anna: Person) -> None:
    card = await drawn(anna)
    await anna.press("Почему", card)
    why = await anna.text("Почему такой порядок")
    words = why["text"]
    assert why["message_id"] == card["message_id"]
    assert "№4 0,61: сюжет 0,69, эстетика 0,41 · seed 1004" in words
    assert "№4 тянет вниз эстетика: 0,41 против 0,87 у №1 (больше всего: контраст)" in words
    assert "Промт: coffee <b>&" in words
    assert "Исключено: text, blurry" in words
    assert "Незнакомые слова: раф" in words
    assert (
        "Модель: mock · промт: lexicon · оценка по цвету и композиции, без ML-модели (pixels)"
        in words
    )
    assert "1,23 с" in words
    await anna.press("Назад", why)
    await anna.text("Какую берёте?")


async def test_more_variants_come_from_other_seeds_once_a_card(anna: Person, live: Stage) -> None:
    card = await drawn(anna)
    answer = await anna.press("Ещё варианты", card)
    assert answer["text"] == "Взял в работу!"
    answer = await anna.press("Ещё варианты", card)
    assert answer["text"] == "Об этом вы уже попросили"
    await anna.settled()
    first, second = await live.rows("SELECT brief, status_message_id FROM ml_tasks ORDER BY id")
    assert first["brief"]["seed"] != second["brief"]["seed"]
    assert second["brief"]["variation"] is None
    assert second["status_message_id"] > card["message_id"]


async def test_similar_ones_start_from_the_chosen_picture(anna: Person, live: Stage) -> None:
    card = await drawn(anna)
    await anna.press("2", card)
    await anna.press("Похожие на №2")
    await anna.settled()
    rows = await live.rows("SELECT brief FROM ml_tasks ORDER BY id")
    assert rows[1]["brief"]["variation"] == {"seed": 1002, "strength": 0.35, "of": None}


async def test_albums_of_one_idea_are_told_apart(anna: Person, live: Stage) -> None:
    card = await drawn(anna)
    await anna.press("Похожие на №1", card)
    await live.draw()
    await anna.press("Ещё варианты", card)
    await live.draw()
    first, similar, more = [album[0]["caption"] for album in await anna.albums()]
    assert "Похожие" not in first
    assert "Ещё варианты" not in first
    assert "🎯 Похожие на №1" in similar
    assert "🔁 Ещё варианты" in more
    history = await anna.answer_to("/history", "История")
    assert "4 варианта · 🔁 Ещё варианты" in history["text"]
    assert "4 варианта · 🎯 Похожие на №1" in history["text"]


async def test_a_retry_draws_the_very_task_that_failed(anna: Person, live: Stage) -> None:
    action = await drawn(anna)
    await anna.press("Похожие на №1", action)
    await anna.wait_for(
        lambda one: one["message_id"] > action["message_id"] and "✕ Отменить" in buttons(one)
    )
    await anna.press("Отменить")
    await anna.press("Запустить снова", await anna.text("Ничего не списано"))
    await anna.settled()
    rows = await live.rows("SELECT state, brief FROM ml_tasks ORDER BY id")
    assert [one["state"] for one in rows] == ["done", "cancelled", "queued"]
    assert rows[2]["brief"] == rows[1]["brief"]
    assert rows[2]["brief"]["variation"] == {"seed": 1001, "strength": 0.35, "of": None}


async def test_more_variants_keep_a_brand_that_was_deleted_since(anna: Person, live: Stage) -> None:
    await anna.send("/start")
    await anna.settled()
    (account,) = await live.rows("SELECT id FROM accounts")
    async with live.sessions.begin() as session:
        brand = await brands.create(
            session,
            account["id"],
            name="Кофе",
            style_original="тепло",
            style_short="warm",
            palette=["#aa5500"],
            preset=None,
        )
        await brands.set_default(session, account["id"], brand.id)
    card = await drawn(anna)
    await anna.press("Почему", card)
    await anna.text("Бренд: Кофе")
    await anna.press("Назад")
    card = await anna.button("Ещё варианты")
    async with live.sessions.begin() as session:
        await brands.delete(session, account["id"], brand.id)
    await anna.press("Ещё варианты", card)
    await anna.settled()
    first, second = await live.rows("SELECT brief FROM ml_tasks ORDER BY id")
    assert second["brief"]["brand"] == first["brief"]["brand"]
    assert second["brief"]["brand"]["name"] == "Кофе"


async def test_originals_that_may_be_lost_can_be_asked_for_again(anna: Person, live: Stage) -> None:
    card = await drawn(anna)
    for _ in range(2):
        answer = await anna.press("Оригиналы", card)
        assert answer["text"] == "Файлы уже в пути"
        async with live.sessions.begin() as session:
            claim = await deliveries.claim(session)
        assert claim is not None
        async with live.sessions.begin() as session:
            await deliveries.unknown(session, claim.id, claim.token, "timeout")
    await anna.press("Оригиналы", card)
    await live.deliver()
    answer = await anna.press("Оригиналы", card)
    assert answer["text"] == "Эти файлы я уже отправил, смотрите ниже"
    assert len([one for one in await anna.messages() if "document" in one]) == 4


async def test_originals_come_as_png_documents_once(anna: Person, live: Stage) -> None:
    card = await drawn(anna)
    answer = await anna.press("Оригиналы", card)
    assert answer["text"] == "Файлы уже в пути"
    answer = await anna.press("Оригиналы", card)
    assert answer["text"] == "Файлы уже в пути"
    await live.deliver()
    answer = await anna.press("Оригиналы", card)
    assert answer["text"] == "Эти файлы я уже отправил, смотрите ниже"
    files = [one["document"]["file_name"] for one in await anna.messages() if "document" in one]
    assert [name.rsplit("-", 1)[1] for name in files] == ["1.png", "2.png", "3.png", "4.png"]


async def test_cancel_stops_the_task_and_offers_another_go(anna: Person, live: Stage) -> None:
    await anna.send("/gen осеннее меню")
    status = await anna.button("Отменить")
    answer = await anna.press("Отменить", status)
    assert answer["text"] == "Отменено"
    card = await anna.text("Ничего не списано")
    assert card["message_id"] == status["message_id"]
    (row,) = await live.rows("SELECT state FROM ml_tasks")
    assert row["state"] == "cancelled"

    await anna.press("Запустить снова", card)
    await anna.button("Отменить")
    rows = await live.rows("SELECT state, brief FROM ml_tasks ORDER BY id")
    assert [one["state"] for one in rows] == ["cancelled", "queued"]
    assert rows[0]["brief"] == rows[1]["brief"]
    answer = await anna.press("Запустить снова", card)
    assert answer["text"] == "Об этом вы уже попросили"


async def test_cancel_of_a_finished_task_is_told(anna: Person, live: Stage) -> None:
    await anna.send("/gen осеннее меню")
    status = await anna.button("Отменить")
    await live.draw()
    answer = await anna.press("Отменить", status)
    assert answer["text"] == "Уже закончено"


async def test_an_album_that_may_be_lost_is_shown_again_by_choice(
    anna: Person, live: Stage
) -> None:
    card = await drawn(anna)
    async with live.sessions.begin() as session:
        await session.execute(text("DELETE FROM deliveries WHERE kind = 'actions'"))
        await session.execute(UNKNOWN)
    task_id = int(data_of(card, "Почему").split(":")[1])
    shown = {**card, "message_id": card["message_id"]}
    await anna.tap(f"s:{task_id}", shown)
    await anna.settled()
    await live.deliver()
    assert len(await anna.albums()) == 2
    await anna.tap(f"s:{task_id}", shown)
    await anna.settled()
    answers = [row["arguments"] for row in await live.sim.calls("answerCallbackQuery")]
    assert [one.get("text") for one in answers] == [
        "Отправляю ещё раз",
        "Альбом уже пришёл, смотрите ниже",
    ]
    assert len(await anna.albums()) == 2


async def test_team_shares_albums_but_steering_is_the_requesters_and_the_owners(
    live: Stage,
) -> None:
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    await anna.text("для этой команды")
    name = await anna.username()
    await ben.send(f"/gen@{name} coffee")
    await ben.button("Cancel")
    await live.draw()
    card = await ben.button("Why")
    # Anna added the bot: she owns the team, and may steer what Ben asked for.
    assert (await anna.press("2", card))["text"] == "Выбрана №2"

    await anna.send(f"/gen@{name} осеннее меню")
    await anna.button("Отменить")
    await live.draw()
    card = await anna.button("Почему")
    assert (await ben.press("3", card))["text"] == "This menu is not yours"
    rows = await live.rows("SELECT count(chosen_prediction_id) AS chosen FROM ml_tasks")
    assert rows == [{"chosen": 1}]


async def test_another_accounts_album_cannot_be_touched(live: Stage) -> None:
    anna, ben = live.person(ANNA), live.person(BEN)
    card = await drawn(anna)
    await ben.send("/gen coffee")
    own = await ben.button("Cancel")
    for part in ("2", "Ещё", "Похожие", "PNG", "Почему"):
        await ben.tap(data_of(card, part), own)
    await ben.tap(data_of(card, "Почему").replace("a:", "c:", 1).split(":why")[0], own)
    await ben.settled()
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 2
    assert await live.rows("SELECT id FROM deliveries WHERE kind = 'originals'") == []
    assert await live.rows("SELECT id FROM ml_tasks WHERE chosen_prediction_id IS NOT NULL") == []
    assert not any("Почему" in one.get("text", "") for one in await ben.messages())


async def test_one_picture_is_sent_alone(anna: Person, live: Stage) -> None:
    await anna.send("/gen осеннее меню")
    await anna.button("Отменить")
    await live.draw(pictures=1)
    card = await anna.button("Почему")
    assert "1" not in buttons(card)
    (photo,) = [one for one in await anna.messages() if "photo" in one]
    assert "лучшая из" not in photo["caption"]
    await anna.press("Оригиналы", card)
    await live.deliver()
    assert len([one for one in await anna.messages() if "document" in one]) == 1
