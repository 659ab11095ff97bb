"""Statistics of posts through the chat: what is put in order, what is not, and for whom."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.callbacks import StatsTap
from db import channels, plans
from db.team_views import ChannelView
from tests.bot.stage import Person, Stage, buttons
from tests.db import rows
from tests.db.channels import published
from tests.sim import ANNA, BEN, Message, said

STEADY = (10, 11) * 5
CHAT = -1000000003001


async def channel(
    stage: Stage, account_id: int, title: str = "Кофе рядом", user_id: int = ANNA
) -> ChannelView:
    """One more channel of an account, as if its plan had so many."""
    now = stage.clock()
    async with stage.sessions.begin() as session:
        await plans.terms(session, account_id, now=now)
    await stage.rows_changed("UPDATE periods SET channels = 9")
    async with stage.sessions.begin() as session:
        listed = await channels.list_(session, account_id)
        return await channels.connect(
            session, account_id, user_id, chat_id=CHAT - len(listed), title=title, username=None,
            now=now,
        )  # fmt: skip


async def album(
    stage: Stage, account_id: int, brand: str | None = None, user_id: int = ANNA
) -> int:
    """A finished task, drawn with a brand of that name."""
    task_id, _ = await rows.done(stage.sessions, rows.Person(user_id, account_id))
    if brand is not None:
        await rows.execute(
            stage.sessions,
            """
            WITH made AS (
                INSERT INTO brands
                    (account_id, name, name_key, style_original, style_short, palette)
                VALUES (:account_id, :name, :name, 'тепло', 'warm', '{}') RETURNING id
            ), drawn AS (
                UPDATE ml_tasks SET brief = brief || '{"brand": {}}' WHERE id = :task_id
                RETURNING request_id
            )
            UPDATE ml_requests SET brand_id = made.id FROM made, drawn
            WHERE ml_requests.id = drawn.request_id
            """,
            account_id=account_id, name=brand, task_id=task_id,
        )  # fmt: skip
    return task_id


def at(stage: Stage, hour: int, days: int = 3) -> datetime:
    """Half past an hour, UTC, some days ago."""
    return stage.clock().replace(hour=hour, minute=30) - timedelta(days=days)


def lines(message: Message) -> list[str]:
    return said(message).replace("\xa0", " ").splitlines()


async def test_nothing_published_yet(anna: Person) -> None:
    page = await anna.answer_to("/stats", "ничего не опубликовано")
    assert "✓ 🏆 Лучшие" in buttons(page)
    assert not any("канал" in label for label in buttons(page))


async def test_the_best_posts_come_with_links(anna: Person) -> None:
    account_id = await anna.stage.account_of()
    there = await channel(anna.stage, account_id)
    task_id = await album(anna.stage, account_id)
    await published(anna.stage.sessions, there, task_id, 1, 1299, 0, sent_at=at(anna.stage, 15))
    page = await anna.answer_to("/stats", "Статистика постов")
    assert lines(page)[1:4] == [
        "30 дней · все каналы",
        "3 поста, 1 300 реакций",
        "🤏 Мало данных, чтобы сравнивать: нужно хотя бы 10 постов.",
    ]
    assert lines(page)[5:] == [
        "Больше всего реакций",
        "1. Пост 2",
        lines(page)[7],
        "2. Пост 1",
        lines(page)[9],
    ]
    assert lines(page)[7].startswith("1 299 реакций · ")
    assert lines(page)[9].startswith("1 реакция · ")
    links = [one["url"] for one in page["entities"] if one["type"] == "text_link"]
    assert links == [f"https://t.me/c/3001/{1000 * task_id + 10 * n}" for n in (2, 1)]


async def test_too_little_data_is_said_once_on_a_card(anna: Person) -> None:
    account_id = await anna.stage.account_of()
    there = await channel(anna.stage, account_id)
    task_id = await album(anna.stage, account_id, "Чай")
    await published(anna.stage.sessions, there, task_id, 1, 12, sent_at=at(anna.stage, 15))
    await anna.answer_to("/stats", "Статистика постов")
    await anna.press("Бренды")
    page = await anna.text("По брендам")
    assert said(page).count("Мало данных") == 1
    assert lines(page)[-1] == "• Чай: 2 поста, 13 реакций"


async def test_brands_are_put_in_order_once_there_are_ten_posts(anna: Person) -> None:
    stage, account_id = anna.stage, await anna.stage.account_of()
    there = await channel(stage, account_id)
    for brand, counts in (("Чай", (5, 6) * 5), (None, STEADY), ("Лавка", (900, 3, 0))):
        task_id = await album(stage, account_id, brand)
        await published(stage.sessions, there, task_id, *counts, sent_at=at(stage, 15))
    await anna.answer_to("/stats", "23 поста, 1\xa0063 реакции: 46,2 на пост")
    await anna.press("Бренды")
    page = await anna.text("По брендам")
    assert lines(page)[4:] == [
        "По брендам, реакций на пост",
        "1. без бренда: 10,5 · 10 постов",
        "▇" * 12,
        "2. Чай: 5,5 · 10 постов",
        "▇" * 6,
        "Мало данных, меньше 10 постов:",
        "• Лавка: 3 поста, 903 реакции",
    ]


async def test_a_lead_that_may_be_chance_is_called_so(anna: Person) -> None:
    stage, account_id = anna.stage, await anna.stage.account_of()
    there = await channel(stage, account_id)
    for brand, counts in (("Чай", (0, 20) * 5), ("Кофе", STEADY)):
        task_id = await album(stage, account_id, brand)
        await published(stage.sessions, there, task_id, *counts, sent_at=at(stage, 15))
    await anna.answer_to("/stats", "Статистика")
    await anna.press("Бренды")
    page = await anna.text("По брендам")
    assert lines(page)[5] == "1. Кофе: 10,5 · 10 постов"
    assert lines(page)[-1] == "Первые два близки: разница может быть случайной."


async def test_many_brands_come_by_the_page(anna: Person) -> None:
    stage, account_id = anna.stage, await anna.stage.account_of()
    there = await channel(stage, account_id)
    await stage.rows_changed("UPDATE periods SET images_limit = 1000")
    task_id = await album(stage, account_id, "Чай")
    await published(stage.sessions, there, task_id, *STEADY, sent_at=at(stage, 15))
    for number in range(9):
        task_id = await album(stage, account_id, f"Бренд {number}")
        await published(stage.sessions, there, task_id, 1, sent_at=at(stage, 15))
    await anna.answer_to("/stats", "Статистика")
    await anna.press("Бренды")
    first = await anna.text("По брендам")
    assert "1. Чай" in said(first)
    assert said(first).count("• Бренд") == 7
    await anna.press("Ещё", first)
    second = await anna.text("• Бренд 8")
    assert lines(second)[5:] == [
        "Мало данных, меньше 10 постов:",
        "• Бренд 7: 1 пост, 1 реакция",
        "• Бренд 8: 1 пост, 1 реакция",
    ]
    assert not any("Ещё" in label for label in buttons(second))
    await anna.press("Назад", second)
    await anna.text("1. Чай")
    # An old page of a plan that has fewer brands now shows the last there is.
    await anna.tap(StatsTap(by="brand", offset=800).pack(), second)
    await anna.text("• Бренд 8")


async def test_hours_are_told_by_the_accounts_clock(anna: Person) -> None:
    stage, account_id = anna.stage, await anna.stage.account_of()
    there = await channel(stage, account_id)
    task_id = await album(stage, account_id)
    await published(stage.sessions, there, task_id, *STEADY, sent_at=at(stage, 23))
    await published(stage.sessions, there, task_id, 4, sent_at=at(stage, 5))
    await anna.answer_to("/stats", "Статистика")
    await anna.press("Часы")
    page = await anna.text("По часам")
    assert "Время: Москва" in lines(page)
    assert "1. 02:00–02:59: 10,5 · 10 постов" in lines(page)
    assert "• 08:00–08:59: 1 пост, 4 реакции" in lines(page)
    await anna.press("Форматы")
    page = await anna.text("По форматам")
    assert lines(page)[5] == "1. 1:1 квадрат: 9,9 · 11 постов"


async def test_period_and_channel_are_chosen_by_buttons(anna: Person) -> None:
    stage, account_id = anna.stage, await anna.stage.account_of()
    one, two = [await channel(stage, account_id, title) for title in ("Кофе", "Чай")]
    task_id = await album(stage, account_id)
    await published(stage.sessions, one, task_id, 1, sent_at=at(stage, 15, days=31))
    await published(stage.sessions, one, task_id, 2, sent_at=at(stage, 15, days=91))
    await published(stage.sessions, two, task_id, 4, sent_at=at(stage, 15, days=10))
    await anna.answer_to("/stats", "1 пост, 4 реакции")
    await anna.press("90 дней")
    await anna.text("2 поста, 5 реакций")
    await anna.press("Всё время")
    await anna.text("3 поста, 7 реакций")
    await anna.press("Все каналы")
    question = await anna.text("Посты какого канала?")
    assert buttons(question) == ["✓ 📣 Все каналы", "Кофе", "Чай"]
    await anna.press("Кофе", question)
    page = await anna.text("2 поста, 3 реакции")
    assert "Всё время · Кофе" in lines(page)
    await anna.press("📣 Кофе", page)
    await anna.button("✓ Кофе")
    await anna.press("Все каналы")
    await anna.text("3 поста, 7 реакций")
    await anna.press("План постов")
    await anna.press("Статистика")
    await anna.text("1 пост, 4 реакции")


async def test_in_english(ben: Person) -> None:
    stage, account_id = ben.stage, await ben.stage.account_of(BEN)
    await ben.answer_to("/stats", "Nothing was published in this time.")
    there = await channel(stage, account_id, "Coffee", BEN)
    task_id = await album(stage, account_id, user_id=BEN)
    await published(stage.sessions, there, task_id, *STEADY, 1295, sent_at=at(stage, 15))
    await ben.answer_to("/stats", "11 posts, 1,400 reactions: 127.3 per post")
    await ben.press("Formats")
    page = await ben.text("By format")
    assert lines(page)[5] == "1. 1:1 square: 127.3 · 11 posts"


async def test_a_team_sees_its_own_in_both_chats_and_strangers_see_nothing(
    anna: Person, ben: Person
) -> None:
    stage = anna.stage
    group = await stage.sim.group()
    in_group = stage.person(ANNA, group["id"])
    name = await anna.username()
    await in_group.answer_to(f"/stats@{name}", "ничего не опубликовано")
    (team,) = await stage.rows("SELECT id FROM accounts WHERE kind = 'team'")
    own = await stage.account_of()
    for account_id, title, count in ((team["id"], "Командный", 7), (own, "Личный", 3)):
        there = await channel(stage, account_id, title)
        task_id = await album(stage, account_id)
        await published(stage.sessions, there, task_id, count, sent_at=at(stage, 15))
    page = await in_group.answer_to(f"/stats@{name}", "1 пост, 7 реакций")
    await anna.answer_to("/stats", "1 пост, 3 реакции")
    await rows.execute(
        stage.sessions,
        "UPDATE user_settings SET team_id = :id WHERE user_id = :user_id",
        id=team["id"],
        user_id=ANNA,
    )
    await anna.answer_to("/stats", "1 пост, 7 реакций")
    # Somebody who is not in the group; and, for himself, Ben with the id of the team's channel.
    await stage.sim.post(f"chats/{group['id']}/members", action="leave", user_id=BEN)
    await ben.answer_to("/help", "/history")
    (row,) = await stage.rows("SELECT id FROM channels WHERE title = 'Командный'")
    mine = await ben.answer_to("/stats", "Nothing was published")
    await ben.tap(StatsTap(channel_id=row["id"]).pack(), mine)
    assert not any("Командный" in said(one) for one in await ben.settled())
    answered = len(await stage.sim.calls("answerCallbackQuery"))
    stranger = stage.person(BEN, group["id"])
    await stranger.tap(StatsTap(days=90).pack(), page)
    await anna.settled()
    assert (await in_group.text("Статистика")) == page
    (refusal,) = (await stage.sim.calls("answerCallbackQuery"))[answered:]
    assert "нет в этой команде" in refusal["arguments"]["text"]
