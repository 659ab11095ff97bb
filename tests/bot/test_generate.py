"""From a message to a draft, from a draft to a task: in private, in groups, in topics."""

from __future__ import annotations

import pytest
from aiogram import Bot
from aiogram.client.session.middlewares.base import NextRequestMiddlewareType
from aiogram.methods import EditMessageText, Response, TelegramMethod
from aiogram.methods.base import TelegramType
from sqlalchemy import text

from db import capacity, statuses, tasks
from db.capacity import Capacity
from db.queue import GPU_QUEUE
from db.states import Shown
from tests.bot.stage import Person, Stage, buttons, data_of
from tests.sim import ANNA, BEN, Message

PROMPT = "нарисуй осеннее меню кофейни для инстаграма, тыквенный латте"


async def draft(person: Person, prompt: str = PROMPT) -> Message:
    await person.send(prompt)
    return await person.button("Создать")


async def card(person: Person, message: Message) -> Message:
    """The same message as it stands now."""
    found = [one for one in await person.messages() if one["message_id"] == message["message_id"]]
    return found[0]


async def test_plain_text_becomes_a_draft_card_as_understood(anna: Person) -> None:
    shown = await draft(anna)
    assert "осеннее меню кофейни" in shown["text"]
    assert "нарисуй" not in shown["text"]
    assert "Instagram, меню заведения · 1:1 квадрат" in shown["text"]
    assert "без бренда" in shown["text"]
    assert "4 варианта" in shown["text"]
    assert buttons(shown) == [
        "✨ Создать",
        "📍 Instagram",
        "🏁 меню заведения",
        "Бренд: нет",
        "Формат: 1:1",
        "Вариантов: 4",
        "✅ Улучшать промт",
    ]


async def test_every_guess_is_a_tap_from_being_put_right(anna: Person) -> None:
    shown = await draft(anna)
    await anna.press("Instagram", shown)
    await anna.press("Сторис")
    await anna.press("меню")
    await anna.press("распродажа")
    await anna.press("Формат")
    await anna.press("16:9")
    await anna.press("Вариантов: 4")
    await anna.press("Улучшать")
    changed = await anna.text("слово в слово")
    assert changed["message_id"] == shown["message_id"]
    assert "Сторис, распродажа · 16:9" in changed["text"]
    assert "1 вариант" in changed["text"]
    assert "☐ Улучшать промт" in buttons(changed)


async def test_the_format_follows_the_platform_until_it_is_chosen(anna: Person) -> None:
    shown = await draft(anna)
    await anna.press("Instagram", shown)
    await anna.press("Сторис")
    await anna.text("9:16 сторис")
    await anna.press("Формат")
    marked = await anna.button("как принято")
    assert "✓ как принято на площадке" in buttons(marked)


async def test_create_queues_the_task_and_turns_the_card_into_its_status(
    anna: Person, live: Stage
) -> None:
    shown = await draft(anna)
    answer = await anna.press("Создать", shown)
    assert answer["text"] == "Взял в работу!"
    status = await anna.text("В очереди")
    assert status["message_id"] == shown["message_id"]
    assert buttons(status) == ["✕ Отменить"]
    (task,) = await live.rows("SELECT state, status_message_id, brief FROM ml_tasks")
    assert task["state"] == "queued"
    assert task["status_message_id"] == shown["message_id"]
    assert task["brief"]["platform"] == "instagram"
    assert await live.redis.zcard(GPU_QUEUE) == 1


async def test_a_card_whose_worker_was_quicker_than_the_tap_is_drawn_again(
    anna: Person, live: Stage
) -> None:
    shown = await draft(anna)

    async def worker_first(
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        if isinstance(method, EditMessageText):
            async with live.sessions.begin() as session:
                claim = await tasks.claim(session, lease_s=60, account_running_cap=1)
                assert claim is not None
                await tasks.fail(session, claim.task_id, claim.token, "internal")
                await statuses.mark_status_shown(session, claim.task_id, Shown.FAILED)
        return await make_request(bot, method)

    live.bot.session.middleware.register(worker_first)
    await anna.press("Создать", shown)
    await anna.text("В очереди")
    await anna.settled()
    async with live.sessions.begin() as session:
        [status] = await statuses.status_work(session, 10)
    assert status.wanted is Shown.FAILED


async def test_second_tap_on_create_changes_nothing(anna: Person, live: Stage) -> None:
    shown = await draft(anna)
    await anna.press("Создать", shown)
    await anna.tap(data_of(shown, "Создать"), shown)
    await anna.settled()
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 1


async def test_a_tap_that_is_handled_twice_changes_the_draft_once(
    anna: Person, live: Stage
) -> None:
    shown = await draft(anna)
    for part in ("Вариантов", "Улучшать"):
        for _ in range(2):
            await anna.tap(data_of(shown, part), shown)
    await anna.settled()
    assert await live.rows("SELECT count, enhance FROM ml_requests") == [
        {"count": 1, "enhance": False}
    ]


async def test_an_eleventh_waiting_album_is_refused_with_what_to_do(
    anna: Person, live: Stage
) -> None:
    await live.plan("start")
    for number in range(10):
        await anna.send(f"/gen осеннее меню, день {number}")
    shown = await draft(anna)
    answer = await anna.press("Создать", shown)
    assert answer["show_alert"]
    assert "в очереди уже 10" in answer["text"]
    assert "отмените" in answer["text"]
    await anna.answer_to("/gen зимнее меню", "в очереди уже 10")
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 10
    await live.draw()
    assert (await anna.press("Создать", shown))["text"] == "Взял в работу!"


async def test_tap_on_a_draft_already_at_work_says_so(anna: Person, live: Stage) -> None:
    shown = await draft(anna)
    await anna.press("Создать", shown)
    await anna.tap(data_of(shown, "Вариантов"), shown)
    await anna.settled()
    (answer,) = [
        call["arguments"]
        for call in await live.sim.calls("answerCallbackQuery")
        if "уже в работе" in call["arguments"].get("text", "")
    ]
    assert answer["show_alert"]
    (row,) = await live.rows("SELECT count FROM ml_requests")
    assert row["count"] == 4


async def test_gen_goes_straight_to_the_queue(anna: Person, live: Stage) -> None:
    await anna.send("/gen осеннее меню кофейни")
    await anna.text("В очереди")
    await anna.settled()
    (task,) = await live.rows("SELECT t.status_message_id, t.status_shown FROM ml_tasks t")
    assert task["status_message_id"] is not None
    assert task["status_shown"] == "queued"


async def test_gen_over_several_lines(anna: Person, live: Stage) -> None:
    await anna.send("/gen\nосеннее меню\nкофейни")
    await anna.text("В очереди")
    (row,) = await live.rows("SELECT cleaned_prompt FROM ml_requests")
    assert row["cleaned_prompt"] == "осеннее меню кофейни"


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("/gen", "Напишите после команды"),
        ("/gen   ", "Напишите после команды"),
        ("😀🔥", "Не вижу слов"),
        ("/gen 😀🔥", "Не вижу слов"),
        ("я" * 4097, "Слишком длинно"),
        ("/gen " + "я" * 2001, "Слишком длинно"),
    ],
)
async def test_what_cannot_be_drawn_is_answered_with_what_to_do(
    anna: Person, live: Stage, prompt: str, answer: str
) -> None:
    await anna.send(prompt)
    await anna.text(answer)
    await anna.settled()
    assert await live.rows("SELECT id FROM ml_requests") == []
    said = [one for one in await anna.messages() if one["from"]["is_bot"]]
    assert len(said) == 2  # the answer, and the help that settled() asked for


async def test_markup_in_a_prompt_is_only_text(anna: Person) -> None:
    shown = await draft(anna, 'акция <b>&"50%" <i & </code> #кофе')
    assert "акция" in shown["text"]
    assert "entities" in shown
    assert not any(e["type"] in ("italic", "code") for e in shown["entities"])
    await anna.press("Создать", shown)
    await anna.text("В очереди")


async def test_a_prompt_of_two_thousand_characters_fits(anna: Person) -> None:
    shown = await draft(anna, "кот & пёс " * 199)
    await anna.press("Создать", shown)
    await anna.text("В очереди")


async def test_a_redelivered_message_gets_one_card(stage: Stage) -> None:
    update = message_update(stage, 1, 77, PROMPT)
    for _ in range(2):
        await stage.dispatcher.feed_raw_update(stage.bot, update)
    assert len(await stage.sim.calls("sendMessage")) == 1
    assert len(await stage.rows("SELECT id FROM ml_requests")) == 1


async def test_a_redelivered_gen_gets_one_task_and_one_card(stage: Stage) -> None:
    update = message_update(stage, 1, 77, "/gen кофе")
    for _ in range(2):
        await stage.dispatcher.feed_raw_update(stage.bot, update)
    assert len(await stage.sim.calls("sendMessage")) == 1
    assert len(await stage.rows("SELECT id FROM ml_tasks")) == 1


async def test_a_card_that_was_not_sent_is_sent_on_redelivery(stage: Stage) -> None:
    await stage.sim.fault("sendMessage", "500")
    update = message_update(stage, 1, 77, PROMPT)
    with pytest.raises(Exception, match="Internal Server Error"):
        await stage.dispatcher.feed_raw_update(stage.bot, update)
    await stage.dispatcher.feed_raw_update(stage.bot, update)
    (row,) = await stage.rows("SELECT card_message_id FROM ml_requests")
    assert row["card_message_id"] is not None


def message_update(stage: Stage, update_id: int, message_id: int, words: str) -> dict[str, object]:
    person = {"id": ANNA, "is_bot": False, "first_name": "Анна", "language_code": "ru"}
    chat = {"id": ANNA, "type": "private", "first_name": "Анна"}
    message: dict[str, object] = {
        "message_id": message_id,
        "date": 1_800_000_000,
        "chat": chat,
        "from": person,
        "text": words,
    }
    if words.startswith("/"):
        length = len(words.split()[0])
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
    return {"update_id": update_id, "message": message}


async def test_a_text_at_the_limit_is_answered_when_it_is_offered_again(
    anna: Person, live: Stage
) -> None:
    await live.sim.fault("sendMessage", "500")
    await anna.answer_to("ы" * 4096, "Слишком длинно")


async def test_a_text_in_three_parts_gets_one_answer_an_offer(stage: Stage) -> None:
    anna = stage.person(ANNA)
    first, *_ = [await anna.send(words) for words in ("а" * 4096, "б" * 4096, "конец")]
    updates = await stage.bot.get_updates()
    for update in updates * 2:
        await stage.dispatcher.feed_update(stage.bot, update)
    answers = [one for one in await anna.messages() if one["from"]["is_bot"]]
    assert [one["reply_to_message"]["message_id"] for one in answers] == [first, first]


async def test_what_is_sent_right_after_a_long_text_is_answered(anna: Person, live: Stage) -> None:
    await anna.send("а" * 5000)
    await anna.answer_to("рыжий кот", "рыжий кот")
    await anna.answer_to("б" * 5000, "Слишком длинно")
    await anna.settled()
    assert len(await live.rows("SELECT id FROM ml_requests")) == 1


async def test_an_edited_message_updates_its_draft(anna: Person, live: Stage) -> None:
    sent = await anna.send(PROMPT)
    shown = await anna.button("Создать")
    await anna.edit(sent, "распродажа шуб, баннер")
    changed = await anna.text("распродажа шуб")
    assert changed["message_id"] == shown["message_id"]
    assert "Баннер, распродажа" in changed["text"]
    assert "✨ Создать" in buttons(changed)
    assert len(await live.rows("SELECT id FROM ml_requests")) == 1


async def test_an_edited_message_leaves_what_was_put_right_by_hand(anna: Person) -> None:
    sent = await anna.send(PROMPT)
    await anna.press("Instagram")
    await anna.press("Сторис")
    await anna.text("Сторис, меню")
    await anna.edit(sent, "распродажа шуб, баннер")
    await anna.text("Сторис, распродажа")
    await anna.edit(sent, "распродажа шуб, для вк")
    changed = await anna.text("для вк")
    assert "Сторис, распродажа" in changed["text"]


async def test_a_number_of_pictures_in_the_idea_is_the_drafts(anna: Person) -> None:
    message_id = await anna.send("кот, 2 варианта")
    card = await anna.text("Черновик")
    assert "кот\n" in card["text"]
    assert "2 варианта" in card["text"]
    await anna.edit(message_id, "кот, 9 вариантов")
    card = await anna.text("не больше 4")
    assert "Вариантов: 4" in buttons(card)
    await anna.press("Вариантов: 4", card)
    await anna.edit(message_id, "пёс, 3 варианта")
    assert "Вариантов: 1" in buttons(await anna.text("пёс"))


async def test_gen_says_that_fewer_pictures_come_than_were_asked_for(anna: Person) -> None:
    await anna.answer_to("/gen кот, 9 вариантов", "не больше 4")
    await anna.text("В очереди")


async def test_an_edited_caption_updates_its_draft(anna: Person, live: Stage) -> None:
    sent = await anna.upload("photo", PNG, "cat.png", caption="рыжий кот, баннер")
    offer = await anna.button("Взять текст")
    message = next(one for one in await anna.messages() if one["message_id"] == sent)
    edited = {key: value for key, value in message.items() if key != "seq"}
    await live.push({"edited_message": edited | {"caption": "чёрный кот", "edit_date": 1}})
    shown = await anna.text("чёрный кот")
    assert shown["message_id"] == offer["message_id"]


async def test_an_edit_after_the_work_began_is_answered(anna: Person, live: Stage) -> None:
    sent = await anna.send(PROMPT)
    await anna.press("Создать")
    await anna.edit(sent, "распродажа шуб")
    await anna.text("Работа по этой идее уже началась")
    (row,) = await live.rows("SELECT raw_prompt FROM ml_requests")
    assert row["raw_prompt"] == PROMPT


async def test_an_edit_of_an_old_word_is_ignored(anna: Person) -> None:
    sent = await anna.send("/help")
    await anna.text("Как это работает")
    await anna.edit(sent, "просто слова")
    before = len(await anna.messages())
    await anna.settled()
    assert len(await anna.messages()) == before + 2


async def test_a_photo_with_a_caption_offers_the_caption(anna: Person, live: Stage) -> None:
    await anna.upload("photo", PNG, "cat.png", caption="рыжий кот, баннер")
    offer = await anna.text("Рисовать по картинке сейчас не могу")
    assert "рыжий кот" in offer["text"]
    await anna.press("Взять текст")
    shown = await anna.button("Создать")
    assert shown["message_id"] == offer["message_id"]
    await anna.press("Создать")
    await anna.text("В очереди")


async def test_a_photo_without_words_is_answered_honestly(anna: Person, live: Stage) -> None:
    await anna.upload("photo", PNG, "cat.png")
    await anna.text("Опишите, пожалуйста, что нужно, словами")
    assert await live.rows("SELECT id FROM ml_requests") == []


async def test_a_tap_on_a_draft_that_is_gone_says_so(anna: Person, live: Stage) -> None:
    shown = await draft(anna)
    async with live.sessions.begin() as session:
        await session.execute(text("DELETE FROM ml_requests"))
    answer = await anna.press("Создать", shown)
    assert answer["show_alert"]
    assert "Этого уже нет" in answer["text"]


async def test_a_tap_on_a_message_too_old_to_edit_still_works(anna: Person, live: Stage) -> None:
    shown = await draft(anna)
    gone = {"chat": shown["chat"], "message_id": 424242, "date": 0}
    await anna.tap(data_of(shown, "Создать"), gone)
    await anna.settled()
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 1


async def test_edits_in_a_group_that_are_not_for_the_bot_are_not_answered(live: Stage) -> None:
    group = await live.sim.group()
    anna = live.person(ANNA, group["id"])
    await anna.text("для этой команды")
    sent = await anna.send("болтаем о своём")
    await anna.edit(sent, "😀")
    before = [one["message_id"] for one in await anna.messages()]
    assert [one["message_id"] for one in await anna.settled()] == before


async def test_a_photo_sent_as_a_file_to_a_group_is_answered_honestly(live: Stage) -> None:
    group = await live.sim.group()
    anna = live.person(ANNA, group["id"])
    await anna.text("для этой команды")
    name = await anna.username()
    await anna.upload("document", PNG, "cat.png", caption=f"/gen@{name} рыжий кот")
    offer = await anna.text("Рисовать по картинке сейчас не могу")
    assert "рыжий кот" in offer["text"]
    assert name not in offer["text"]


async def test_in_a_topic_the_answer_stays_in_the_topic(live: Stage) -> None:
    group = await live.sim.group(topics=("Соцсети",))
    thread = group["topics"][0]["message_thread_id"]
    anna = live.person(ANNA, group["id"], thread)
    await anna.send(f"/gen@{await anna.username()} осеннее меню")
    status = await anna.text("В очереди")
    assert status["message_thread_id"] == thread
    (task,) = await live.rows("SELECT chat_id, thread_id FROM ml_tasks")
    assert task == {"chat_id": group["id"], "thread_id": thread}
    await live.draw()
    assert len((await anna.albums())[0]) == 4
    actions = await anna.button("Почему")
    assert actions["message_thread_id"] == thread


async def test_in_a_group_only_replies_and_commands_are_heard(live: Stage) -> None:
    group = await live.sim.group()
    anna = live.person(ANNA, group["id"])
    hello = await anna.text("для этой команды")
    await anna.send("болтаем о своём")
    await anna.send("баннер для сайта", reply_to_message_id=hello["message_id"])
    shown = await anna.button("Создать")
    assert "баннер" in shown["text"]
    assert len(await live.rows("SELECT id FROM ml_requests")) == 1


async def test_a_strangers_tap_on_a_draft_is_quietly_refused(live: Stage) -> None:
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    hello = await anna.text("для этой команды")
    await anna.send("баннер для сайта", reply_to_message_id=hello["message_id"])
    shown = await anna.button("Создать")
    await ben.send("a banner", reply_to_message_id=hello["message_id"])
    await ben.button("Create")

    answer = await ben.press("Создать", shown)

    assert answer["text"] == "This menu is not yours"
    assert not answer.get("show_alert")
    assert await live.rows("SELECT id FROM ml_tasks") == []
    answer = await anna.press("Вариантов", shown)
    assert "text" not in answer or not answer["text"]


async def test_somebody_elses_ids_in_a_button_change_nothing(live: Stage) -> None:
    anna, ben = live.person(ANNA), live.person(BEN)
    shown = await draft(anna)
    await ben.send("coffee")
    own = await ben.button("Create")
    for part in ("Создать", "Вариантов", "Бренд"):
        await ben.tap(data_of(shown, part), own)
    await ben.tap("d:99999999999999999999:go::", own)
    await ben.tap("d:1:set:brand:999999", own)
    await ben.tap("nonsense", own)
    await ben.tap("a:1:choose:40000", own)
    await ben.tap("v:1:40000", own)
    await ben.settled()
    assert await live.rows("SELECT id FROM ml_tasks") == []
    rows = await live.rows("SELECT count, brand_id FROM ml_requests")
    assert rows == [{"count": 4, "brand_id": None}] * 2


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)


async def test_a_card_offers_no_more_variants_than_the_workers_make(
    anna: Person, live: Stage
) -> None:
    await capacity.tell(live.pool, Capacity(2))  # and four are what new drafts start with
    shown = await draft(anna)
    assert "2 варианта" in shown["text"]
    await anna.press("Вариантов: 2", shown)
    await anna.press("Вариантов: 1")
    again = await anna.button("Вариантов: 2")
    await anna.tap(data_of(again, "Вариантов: 2").removesuffix("1") + "4", again)
    await anna.settled()
    assert (await card(anna, shown))["text"] == shown["text"]


async def test_a_card_of_more_variants_than_can_be_made_by_now_is_lowered_by_the_next_tap(
    anna: Person, live: Stage
) -> None:
    shown = await draft(anna)
    other = await draft(anna, "зимний лес")
    await capacity.tell(live.pool, Capacity(2))
    await anna.press("Улучшать", shown)
    await anna.text("слово в слово")
    assert "2 варианта" in (await card(anna, shown))["text"]
    await anna.press("Создать", other)
    await anna.text("В очереди")
    (task,) = await live.rows("SELECT brief FROM ml_tasks")
    assert task["brief"]["count"] == 2


async def test_gen_orders_as_many_as_can_be_made(anna: Person, live: Stage) -> None:
    await capacity.tell(live.pool, Capacity(2))
    await anna.answer_to("/gen зимний лес", "В очереди")
    (task,) = await live.rows("SELECT brief FROM ml_tasks")
    assert task["brief"]["count"] == 2
