"""Channels and posts through the chat: connecting, publishing, scheduling, and whose taps count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from bot import posting
from bot.callbacks import ChannelTap
from db import plans, publishing
from tests.bot.stage import Person, Stage, buttons, data_of
from tests.bot.test_team import drawing, group_of
from tests.sim import ANNA, BEN, Message, said

Channel = Callable[..., Awaitable[int]]


@pytest.fixture
def channel(live: Stage) -> Channel:
    """A channel of the playground's, Anna its creator; the bot is not there yet."""

    async def made(title: str = "Кофе рядом", **more: Any) -> int:
        members = [{"id": ANNA, "status": "creator"}, {"id": BEN, "status": "member"}]
        chat = await live.sim.post(
            "chats", type="channel", title=title, members=members, bot_status="left", **more
        )
        return int(chat["id"])

    return made


async def allow(stage: Stage, person: Person, count: int = 3) -> None:
    """As if the person's plan had so many channels."""
    await person.answer_to("/help", "/history")
    rows = await stage.rows("SELECT id FROM accounts WHERE owner_user_id = :u", u=person.user_id)
    for row in rows:
        async with stage.sessions.begin() as session:
            await plans.terms(session, row["id"], now=stage.clock())
    async with stage.sessions.begin() as session:
        await session.execute(text("UPDATE periods SET channels = :n"), {"n": count})


async def share(person: Person, chat_id: int) -> None:
    """Taps the button that asks for a channel, and chooses one."""
    (account,) = await person.stage.rows(
        "SELECT id FROM accounts WHERE owner_user_id = :u AND kind = 'personal'", u=person.user_id
    )
    await person.stage.rested()
    await person.sim.post(
        f"chats/{person.chat_id}/share",
        user_id=person.user_id,
        request_id=account["id"],
        chat_id=chat_id,
    )


async def connected(anna: Person, chat_id: int) -> None:
    await allow(anna.stage, anna)
    await anna.answer_to("/channels", "Каналы")
    await anna.press("Подключить канал")
    await anna.text("Подключить канал")
    await share(anna, chat_id)
    await anna.text("подключён")


async def album(person: Person, pictures: int = 4) -> Message:
    """An album drawn and delivered; its action card."""
    asked = await person.send("/gen осеннее меню кофейни")
    await person.next(asked, "очереди")
    await person.stage.draw(pictures)
    return await person.button("В канал")


async def post_card(person: Person) -> Message:
    await album(person)
    await person.press("В канал")
    return await person.text("Пост в")


async def shown_in(person: Person, chat_id: int) -> list[Message]:
    return list((await person.sim.get(f"chats/{chat_id}/messages"))["messages"])


async def publish_due(stage: Stage) -> int:
    """The io worker's part, without its courier: how many posts were due."""
    count = 0
    await stage.rested()
    while True:
        async with stage.sessions.begin() as session:
            claim = await publishing.claim(session, now=stage.clock())
        if claim is None:
            return count
        ids = await posting.send_post(
            stage.bot, claim.task_id, claim.images, claim.caption, claim.chat_id, None, stage._load
        )
        async with stage.sessions.begin() as session:
            assert await publishing.sent(session, claim.id, claim.token, ids)
        count += 1


# --- connecting ---


async def test_a_channel_is_connected_with_the_right_it_needs(
    anna: Person, channel: Channel
) -> None:
    chat_id = await channel()
    await connected(anna, chat_id)
    (chat,) = [one for one in (await anna.sim.get("chats"))["chats"] if one["id"] == chat_id]
    assert chat["bot_status"] == "administrator"
    assert chat["bot_rights"] == {"can_post_messages": True}
    (row,) = await anna.stage.rows("SELECT chat_id, title FROM channels")
    assert (row["chat_id"], row["title"]) == (chat_id, "Кофе рядом")
    await anna.answer_to("/channels", "• Кофе рядом")


async def test_the_free_plan_says_where_channels_come_from(anna: Person) -> None:
    """Before one is handed over for nothing; on a card from a better time, too."""
    page = await anna.answer_to("/channels", "нет каналов")
    assert buttons(page)[0] == "💎 Тарифы"
    await anna.tap(ChannelTap(do="connect").pack(), page)
    await anna.next(page["message_id"], "нет каналов")


async def test_who_may_not_post_in_a_channel_can_not_connect_it(
    anna: Person, ben: Person, channel: Channel
) -> None:
    """A forged answer: Telegram itself would not let Ben choose Anna's channel."""
    chat_id = await channel()
    await connected(anna, chat_id)
    await allow(ben.stage, ben)
    (account,) = await ben.stage.rows("SELECT id FROM accounts WHERE owner_user_id = :u", u=BEN)
    asked = await ben.send("/help")
    for request_id, words in ((account["id"], "Only an administrator"), (1, "not in this team")):
        await ben.stage.push(
            {
                "message": {
                    "message_id": asked,
                    "date": 1,
                    "chat": {"id": BEN, "type": "private"},
                    "from": {
                        "id": BEN,
                        "is_bot": False,
                        "first_name": "Ben",
                        "language_code": "en",
                    },
                    "chat_shared": {"request_id": request_id, "chat_id": chat_id},
                }
            }
        )
        await ben.wait_for(lambda one, words=words: words in said(one), words)  # type: ignore[misc]
    rows = await ben.stage.rows("SELECT account_id FROM channels")
    assert len(rows) == 1


async def test_losing_and_regaining_the_right_is_told(anna: Person, channel: Channel) -> None:
    chat_id = await channel()
    await connected(anna, chat_id)
    for action, kinds in (
        ("demote", ["channel_broken"]),
        ("promote", ["channel_broken", "channel_healed"]),
        ("kick", ["channel_broken", "channel_healed", "channel_broken"]),
    ):
        await anna.sim.post(f"chats/{chat_id}/members", action=action, bot=True)
        await anna.settled()
        for _ in range(100):
            rows = await anna.stage.rows("SELECT kind FROM notices ORDER BY id")
            if [row["kind"] for row in rows] == kinds:
                break
            await asyncio.sleep(0.05)
        assert [row["kind"] for row in rows] == kinds
    await anna.answer_to("/channels", "меня удалили из канала")


async def test_a_channel_is_disconnected_after_a_question(anna: Person, channel: Channel) -> None:
    await connected(anna, await channel())
    page = await anna.answer_to("/channels", "• Кофе рядом")
    await anna.press("Кофе рядом", page)
    await anna.press("Отключить")
    await anna.press("Да, отключить")
    await anna.text("Пока ни одного")


async def test_channels_over_a_smaller_plans_limit_are_frozen(
    anna: Person, channel: Channel
) -> None:
    await connected(anna, await channel())
    await share(anna, await channel("Вторая"))
    await anna.text("Вторая")
    await album(anna)
    await anna.press("В канал")
    await anna.press("Вторая", await anna.text("В какой канал?"))
    draft = await anna.text("Пост в «Вторая»")
    await anna.press("👁", draft)
    when = await anna.text("будет выглядеть")
    await anna.stage.rows_changed("UPDATE periods SET channels = 1")

    page = await anna.answer_to("/channels", "🧊 Заморожено то, что сверх 1 канала")
    assert buttons(page)[:3] == ["Кофе рядом", "🧊 Вторая", "💎 Тарифы"]
    await anna.press("🧊 Вторая", page)
    page = await anna.text("🧊 Заморожен:")
    assert buttons(page) == ["💎 Тарифы", "🗑 Отключить", "‹ Все каналы"]
    for tap in ("Сейчас", "Завтра 10:00"):
        answer = await anna.press(tap, when)
        assert answer["text"] == (
            "📣 В вашем тарифе 1 канал. Больше в тарифах побольше: /plans, или отключите другой "
            "канал."
        )
    (row,) = await anna.stage.rows("SELECT state FROM posts")
    assert row["state"] == "draft"
    await anna.press("Назад", when)
    await anna.text("Посты сюда не выйдут")
    await anna.stage.rows_changed("UPDATE periods SET channels = 0")
    page = await anna.answer_to("/channels", "нет каналов")
    assert buttons(page)[:3] == ["🧊 Кофе рядом", "🧊 Вторая", "💎 Тарифы"]
    before = page["message_id"]
    await anna.press("В канал", await anna.button("В канал"))
    await anna.next(before, "нет каналов")


async def test_zone_and_late_posts_are_set_by_buttons(anna: Person) -> None:
    await anna.answer_to("/channels", "Москва")
    await anna.press("Москва")
    await anna.press("Владивосток")
    page = await anna.text("Часовой пояс: Владивосток")
    assert "опоздал больше чем на 2 часа, сначала спрошу" in page["text"]
    await anna.press("Опоздавшие: спросить")
    page = await anna.button("Опоздавшие: отправить")
    assert "отправлю его, как только вернусь" in page["text"]
    (row,) = await anna.stage.rows(
        "SELECT time_zone, late_posts FROM accounts WHERE owner_user_id = :u", u=ANNA
    )
    assert row == {"time_zone": "Asia/Vladivostok", "late_posts": "send"}


# --- publishing ---


async def test_without_a_channel_the_button_says_how_to_connect_one(anna: Person) -> None:
    card = await album(anna)
    await anna.press("В канал", card)
    await anna.press("💎 Тарифы", await anna.text("нет каналов"))
    await anna.text("1 канал")
    await allow(anna.stage, anna)
    await anna.press("В канал", card)
    await anna.press("Подключить канал", await anna.text("не подключено ни одного"))
    await anna.text("выберите свой канал")


async def test_who_may_not_connect_a_channel_is_told_who_may(live: Stage) -> None:
    _, _, ben = await group_of(live)
    await drawing(ben)
    await live.draw()
    await ben.press("To the channel", await ben.button("To the channel"))
    said = await ben.text("The owner is Анна")
    assert "The team's owner or an admin connects channels" in said["text"]
    assert buttons(said) == []
    private = live.person(BEN)
    await private.press("Команда", await private.answer_to("/account", "Who do you work for"))
    page = await private.answer_to("/channels", "The team's owner or an admin connects channels")
    assert buttons(page) == ["🗓 Content plan"]


async def test_from_the_album_to_the_channel(anna: Person, channel: Channel) -> None:
    chat_id = await channel()
    await connected(anna, chat_id)
    card = await post_card(anna)
    assert buttons(card)[:4] == ["✓ 1", "2", "3", "4"]
    await anna.press("2", card)
    await anna.button("✓ 2")
    await anna.press("Из идеи")
    await anna.text("Осеннее меню кофейни")
    await anna.press("Посмотреть")
    when = await anna.text("будет выглядеть")
    preview = [one for one in await anna.messages() if "Осеннее меню" in one.get("caption", "")]
    assert len(preview[-1:]) == 1
    await anna.press("Сейчас", when)
    await anna.text("Публикую")
    assert await publish_due(anna.stage) == 1
    shown = await shown_in(anna, chat_id)
    assert [("photo" in one, one.get("caption")) for one in shown] == [
        (True, "Осеннее меню кофейни"),
        (True, None),
    ]


async def test_a_nervous_second_tap_sends_no_second_card(anna: Person, channel: Channel) -> None:
    await connected(anna, await channel())
    card = await album(anna)
    await asyncio.gather(*(anna.press("В канал", card) for _ in range(2)))
    assert len([one for one in await anna.settled() if "Пост в" in said(one)]) == 1


async def test_a_written_caption_leaves_no_older_card_to_change_the_post_from(
    anna: Person, channel: Channel
) -> None:
    await connected(anna, await channel())
    first = await post_card(anna)
    await anna.press("Написать текст", first)
    await anna.answer_to("Тыквенный латте", "Тыквенный латте")
    older = await anna.wait_for(
        lambda one: (
            one["message_id"] == first["message_id"] and "открыт на другой карточке" in said(one)
        )
    )
    await anna.press("Открыть пост", older)
    await anna.wait_for(
        lambda one: one["message_id"] == first["message_id"] and "Тыквенный латте" in said(one)
    )


async def test_several_channels_are_asked_about(anna: Person, channel: Channel) -> None:
    await connected(anna, await channel())
    await share(anna, await channel("Вторая"))
    await anna.text("Вторая")
    await album(anna)
    await anna.press("В канал")
    await anna.text("В какой канал?")
    await anna.press("Вторая")
    await anna.text("Пост в «Вторая»")


async def test_two_taps_at_once_make_one_post(anna: Person, channel: Channel) -> None:
    chat_id = await channel()
    await connected(anna, chat_id)
    await post_card(anna)
    await anna.press("Посмотреть")
    when = await anna.text("будет выглядеть")
    data = data_of(when, "Сейчас")
    other = Person(anna.sim, ANNA, ANNA, stage=anna.stage)
    await asyncio.gather(*(other.press("Сейчас", when) for _ in range(3)))
    assert await publish_due(anna.stage) == 1
    await anna.tap(data, when)
    await anna.settled()
    assert await publish_due(anna.stage) == 0
    # The older card leads to what has become of the post.
    await anna.press("Открыть пост")
    await anna.text("Опубликовано")
    assert len(await shown_in(anna, chat_id)) == 1


async def test_a_written_caption_keeps_its_formatting(anna: Person, channel: Channel) -> None:
    chat_id = await channel()
    await connected(anna, chat_id)
    await post_card(anna)
    await anna.press("Написать текст")
    await anna.text("Пришлите текст")
    await anna.answer_to("🦊" * 513, "Длиннее на 2 знака")
    bold = [{"type": "bold", "offset": 0, "length": 6}]
    await anna.send("Скидка <20% & кофе", entities=bold)
    card = await anna.text("Скидка <20% & кофе")
    await anna.press("Посмотреть", card)
    await anna.text("будет выглядеть")
    await anna.press("Сейчас")
    await anna.text("Публикую")
    await publish_due(anna.stage)
    (shown,) = await shown_in(anna, chat_id)
    assert shown["caption"] == "Скидка <20% & кофе"


async def test_a_caption_of_a_post_that_is_gone_is_asked_for_no_longer(
    anna: Person, channel: Channel
) -> None:
    await connected(anna, await channel())
    await post_card(anna)
    await anna.press("Написать текст")
    await anna.text("Пришлите текст")
    await anna.stage.rows_changed("UPDATE posts SET state = 'cancelled'")
    await anna.answer_to("Ждём вас", "Уже поздно")
    await anna.answer_to("зимнее меню кофейни", "Черновик")


async def test_a_post_gets_a_time_moves_and_is_called_off(anna: Person, channel: Channel) -> None:
    await connected(anna, await channel())
    await post_card(anna)
    await anna.press("Посмотреть")
    await anna.text("будет выглядеть")
    await anna.press("Завтра 10:00")
    await anna.text("Запланировано")
    (row,) = await anna.stage.rows(
        "SELECT state, (publish_at AT TIME ZONE 'Europe/Moscow')::time::text AS at FROM posts"
    )
    assert row == {"state": "scheduled", "at": "10:00:00"}
    assert await publish_due(anna.stage) == 0
    await anna.press("Другое время")
    await anna.press("День и час")
    await anna.press("Позже")
    await anna.press("15")
    await anna.press("18:00")
    await anna.press("18:30")
    await anna.text("18:30 (Москва)")
    await anna.answer_to("/plan_posts", "План постов")
    await anna.press("Отменить")
    await anna.press("Да, отменить")
    await anna.text("Отменено")
    (row,) = await anna.stage.rows("SELECT state FROM posts")
    assert row["state"] == "cancelled"


async def test_a_card_of_yesterday_schedules_nothing(anna: Person, channel: Channel) -> None:
    """Its “tomorrow” is today, and its hours may be past; it is renewed instead."""
    await connected(anna, await channel())
    await post_card(anna)
    await anna.press("Посмотреть")
    quick = await anna.text("будет выглядеть")
    anna.stage.clock.move(days=1)
    answer = await anna.press("Завтра 10:00", quick)
    assert answer["text"] == "Карточка не сегодняшняя. Выберите время ещё раз."
    await anna.press("День и час", await anna.text("Когда публиковать"))
    await anna.press("Позже")
    await anna.press("15")
    await anna.press("18:00")
    exact = await anna.button("18:30")
    anna.stage.clock.move(days=60)
    answer = await anna.press("18:30", exact)
    assert answer["text"].startswith("Это время уже прошло")
    (row,) = await anna.stage.rows("SELECT state FROM posts")
    assert row["state"] == "draft"
    await anna.press("Завтра 10:00")
    await anna.text("Запланировано")


async def test_the_plan_shows_the_week(anna: Person, channel: Channel) -> None:
    await connected(anna, await channel())
    await post_card(anna)
    await anna.press("Из идеи")
    await anna.text("из 1024")
    await anna.press("Посмотреть")
    await anna.text("будет выглядеть")
    await anna.press("Сейчас")
    await anna.text("Публикую")
    await publish_due(anna.stage)
    await anna.answer_to("/plan_posts", "✅")
    week = await anna.answer_to("🗓 Посты", "Кофе рядом: Осеннее меню кофейни")
    await anna.press("1", week)
    await anna.text("Опубликовано")
    await anna.answer_to("/plan_posts", "✅")
    await anna.press("›")
    await anna.text("Пока пусто")


async def test_a_long_week_is_paged_there_and_back(anna: Person, channel: Channel) -> None:
    await connected(anna, await channel())
    await post_card(anna)
    await anna.stage.rows_changed(
        "INSERT INTO posts (account_id, channel_id, task_id, created_by, origin, ranks, caption,"
        " shown_caption, shown_parts, state, publish_at, sent_at) SELECT account_id, channel_id,"
        " task_id, created_by, n, ranks, '', '', parts, 'sent', now(), now()"
        " FROM posts, generate_series(1, 12) n"
    )
    week = await anna.answer_to("/plan_posts", "10. ✅")
    await anna.press("Позже", week)
    week = await anna.text("12. ✅")
    assert buttons(week)[:3] == ["11", "12", "‹ Раньше"]
    await anna.press("Раньше", week)
    assert buttons(await anna.text("10. ✅"))[:11] == [*map(str, range(1, 11)), "Позже ›"]


async def test_reactions_to_both_pictures_show_wherever_the_post_does(
    anna: Person, channel: Channel
) -> None:
    chat_id = await channel()
    await connected(anna, chat_id)
    card = await post_card(anna)
    await anna.press("2", card)
    await anna.button("✓ 2")
    await anna.press("Посмотреть")
    await anna.text("будет выглядеть")
    await anna.press("Сейчас")
    await anna.text("Публикую")
    await publish_due(anna.stage)
    first, second = [one["message_id"] for one in await shown_in(anna, chat_id)]

    async def react(user_id: int, message_id: int, emoji: str | None) -> None:
        await anna.sim.post(
            f"chats/{chat_id}/react", user_id=user_id, message_id=message_id, emoji=emoji
        )

    async def counted(expected: dict[str, dict[str, int]]) -> None:
        for _ in range(100):
            (row,) = await anna.stage.rows("SELECT reactions FROM posts")
            if row["reactions"] == expected:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(row)

    for user_id in (ANNA, BEN):
        await react(user_id, first, "👍")
    await react(ANNA, second, "🔥")
    await react(BEN, first, None)
    await react(BEN, second, "🔥")
    await counted({str(first): {"👍": 1}, str(second): {"🔥": 2}})
    week = await anna.answer_to("/plan_posts", "№1, №2 · 🔥 2 👍 1")
    await anna.press("1", week)
    await anna.text("Реакции: 🔥 2 👍 1")
    stats = await anna.answer_to("/stats", "1 пост, 3 реакции")
    assert "1. №1, №2" in said(stats)
    await anna.stage.push(
        {
            "message_reaction_count": {
                "chat": {"id": chat_id, "type": "channel", "title": "x"},
                "date": 1,
                "message_id": first,
                "reactions": [
                    {"type": {"type": "custom_emoji", "custom_emoji_id": "7"}, "total_count": 4},
                    {"type": {"type": "custom_emoji", "custom_emoji_id": "8"}, "total_count": 1},
                    {"type": {"type": "paid"}, "total_count": 900},
                ],
            }
        }
    )
    await counted({str(first): {"✨": 5}, str(second): {"🔥": 2}})


# --- in doubt ---


@pytest.mark.parametrize(
    ("do", "left", "toast"),
    [("again", "открыт на другой карточке", "Публикую"), ("arrived", "Опубликовано", "Сохранено")],
)
async def test_a_post_in_doubt_leaves_no_card_that_is_publishing_for_ever(
    anna: Person, channel: Channel, do: str, left: str, toast: str
) -> None:
    await connected(anna, await channel())
    await post_card(anna)
    await anna.press("👁")
    await anna.text("будет выглядеть")
    await anna.press("Сейчас")
    first = await anna.text("Публикую")
    async with anna.stage.sessions.begin() as session:
        claim = await publishing.claim(session, now=anna.stage.clock())
        assert claim is not None
        await publishing.unknown(session, claim.id, claim.token, "timeout")
    await anna.stage.bot.send_message(ANNA, "Не уверен, что пост дошёл")
    await anna.tap(f"z:{do}:{claim.id}:1", await anna.text("Не уверен"))
    await anna.wait_for(
        lambda one: one["message_id"] == first["message_id"] and left in said(one), left
    )
    answers = await anna.sim.calls("answerCallbackQuery")
    assert answers[-1]["arguments"]["text"] == toast


@pytest.mark.parametrize(
    ("tap", "answer", "card"),
    [
        ("Да, он там", "Сохранено", "Опубликовано"),
        ("Нет, повторить", "Канал отключён, пост туда уже не отправить: он отменён.", "Отменено"),
    ],
)
async def test_a_doubt_can_be_settled_after_the_channel_is_disconnected(
    anna: Person, channel: Channel, tap: str, answer: str, card: str
) -> None:
    await connected(anna, await channel())
    await post_card(anna)
    await anna.press("👁")
    await anna.text("будет выглядеть")
    await anna.press("Сейчас")
    await anna.text("Публикую")
    async with anna.stage.sessions.begin() as session:
        claim = await publishing.claim(session, now=anna.stage.clock())
        assert claim is not None
        await publishing.unknown(session, claim.id, claim.token, "timeout")
    await anna.press("1", await anna.answer_to("/plan_posts", "План постов"))
    asking = await anna.text("Не уверен")
    await anna.stage.rows_changed("UPDATE channels SET removed_at = now()")
    assert (await anna.press(tap, asking))["text"] == answer
    await anna.text(card)
    deeds = [row["action"] for row in await anna.stage.rows("SELECT action FROM events")]
    assert ("post_cancelled" in deeds) == (card == "Отменено")
    assert "post_again" not in deeds


# --- whose taps count ---


async def test_ids_of_another_account_change_nothing(
    anna: Person, ben: Person, channel: Channel
) -> None:
    chat_id = await channel()
    await connected(anna, chat_id)
    await post_card(anna)
    own = await ben.answer_to("/channels", "Channels")
    (post,) = await ben.stage.rows("SELECT * FROM posts")
    (row,) = await ben.stage.rows("SELECT * FROM channels")
    post_id, channel_id, task_id = post["id"], row["id"], post["task_id"]
    for data in (
        f"k:open:{channel_id}:",
        f"k:sure:{channel_id}:",
        f"zt:{task_id}:{channel_id}",
        f"a:{task_id}:post:0",
        f"z:ranks:{post_id}:12",
        f"z:caption:{post_id}:idea",
        f"z:write:{post_id}:",
        f"z:part:{post_id}:ai1",
        f"z:suggest:{post_id}:",
        f"z:take:{post_id}:1",
        f"z:unsuggest:{post_id}:1",
        f"z:preview:{post_id}:",
        f"z:times:{post_id}:",
        f"z:month:{post_id}:202612",
        f"z:now:{post_id}:",
        f"z:at:{post_id}:203001011200",
        f"z:sure:{post_id}:",
        f"z:arrived:{post_id}:0",
        f"z:again:{post_id}:0",
        f"z:show:{post_id}:",
    ):
        await ben.tap(data, own)
    await ben.settled()
    assert await ben.stage.rows("SELECT * FROM posts") == [post]
    assert await ben.stage.rows("SELECT * FROM channels") == [row]
    texts = [said(one) for one in await ben.messages()]
    assert not any("Кофе рядом" in one for one in texts)


async def test_data_that_no_button_holds_changes_nothing(anna: Person, channel: Channel) -> None:
    await connected(anna, await channel())
    card = await post_card(anna)
    await anna.settled()
    before = await anna.stage.rows("SELECT * FROM posts")
    (post,) = before
    for value in ("", "x", "99999999999999", "20261399", "203012312460", "000101010000"):
        for do in ("at", "quick", "month", "day", "hour", "ranks"):
            await anna.tap(f"z:{do}:{post['id']}:{value}", card)
    for data in (f"z:day:{post['id']}:00010101", f"z:month:{post['id']}:000101"):
        await anna.tap(data, card)
    for data in ("zw:00010101:0", "zw:99991231:0", "zw:x:0", "k:zone:0:999", "k:late:0:never"):
        await anna.tap(data, card)
    await anna.settled()
    assert await anna.stage.rows("SELECT * FROM posts") == before
