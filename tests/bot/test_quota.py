"""The month's pictures in the chat: what a draft takes, and the ways on when they are out."""

from __future__ import annotations

import pytest

from tests.bot.stage import Person, Stage, buttons, data_of
from tests.bot.test_wallet import pay, plain
from tests.sim import ANNA, BEN, Message


async def draft(person: Person) -> Message:
    await person.send("баннер для сайта")
    return await person.button("Создать")


async def out(person: Person, stage: Stage, used: int = 38) -> Message:
    """A draft of four that the quota does not cover, after its button was pressed."""
    await stage.used(used)
    await person.press("Создать", await draft(person))
    return await person.text("Картинок на этот месяц не хватает")


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (0, "🎟 4 из 40 оставшихся картинок"),
        (19, "🎟 4 из 21 оставшейся картинки"),
        (36, "🎟 4 из 4 оставшихся картинок"),
        (38, "🎟 Осталось картинок: 2 из 40, этого не хватит"),
    ],
)
async def test_a_draft_says_what_it_takes(anna: Person, live: Stage, used: int, words: str) -> None:
    await live.used(used)
    assert words in (await draft(anna))["text"]


@pytest.mark.parametrize(
    ("used", "kopecks", "words"),
    [
        (38, 100_00, "🎟 2 последних из квоты и ещё 2 за 18 ₽"),
        (40, 100_00, "🎟 4 картинки за 36 ₽"),
        (40, 10_00, "🎟 Сверх квоты 4 за 36 ₽, на счёте не хватает 26 ₽"),
    ],
)
async def test_a_draft_says_what_it_costs(
    anna: Person, live: Stage, used: int, kopecks: int, words: str
) -> None:
    await live.credit(kopecks)
    await live.used(used)
    await anna.press("⬜ Платить сверх квоты", await anna.answer_to("/plans", "Тариф"))
    assert words in plain((await draft(anna))["text"])


async def test_paying_per_picture_draws_in_one_tap_and_once_for_two(
    anna: Person, live: Stage
) -> None:
    await live.credit(100_00)
    card = await out(anna, live)
    assert "Нужно: 4, осталось: 2 из 40" in card["text"]
    assert await live.rows("SELECT id FROM ml_tasks") == []
    assert (await anna.press("Платить сверх квоты: сейчас 2 за 18", card))[
        "text"
    ] == "Взял в работу!"
    await anna.tap(data_of(card, "Платить сверх квоты"), card)
    await anna.settled()
    await anna.text("В очереди")
    await live.draw()
    await anna.settled()
    (moved,) = await live.rows("SELECT amount FROM transfers WHERE kind = 'pictures'")
    assert moved["amount"] == 18_00
    (period,) = await live.rows("SELECT used, held FROM periods")
    assert period == {"used": 40, "held": 0}
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 1


async def test_paying_per_picture_says_that_it_stays_on_and_where_it_ends(
    anna: Person, live: Stage
) -> None:
    await live.credit(100_00)
    card = await out(anna, live)
    assert "пока не выключите в /plans" in card["text"]
    await anna.press("Платить сверх квоты", card)
    await anna.text("и следующие тоже. Выключить: /plans")
    await anna.tap(data_of(card, "Платить сверх квоты"), card)
    said = [one for one in await anna.settled() if "и следующие тоже" in one.get("text", "")]
    assert len(said) == 1


async def test_nobody_pays_per_picture_another_sum_than_the_button_says(
    anna: Person, live: Stage
) -> None:
    await live.credit(100_00)
    card = await out(anna, live)
    await live.used(39)
    answer = await anna.press("Платить сверх квоты: сейчас 2 за 18", card)
    assert "Сумма изменилась" in answer["text"]
    assert await live.rows("SELECT id FROM ml_tasks") == []
    await anna.press("Платить сверх квоты: сейчас 3 за 27", await anna.text("осталось: 1 из 40"))
    await anna.text("В очереди")


async def test_a_top_up_of_what_lacks_leads_back_to_the_draft(anna: Person, live: Stage) -> None:
    card = await out(anna, live)
    await anna.press("Платить сверх квоты", card)
    lacking = await anna.text("а на счёте 0")
    # 18 ₽ lack, and nobody can pay less than 100.
    await anna.press("Пополнить на 100", lacking)
    await anna.press("Звёздами: 67 ⭐")
    await pay(anna, await anna.wait_for(lambda one: "invoice" in one, "invoice"))
    ready = await anna.text("Теперь хватает")
    await anna.press("Продолжить", ready)
    await anna.text("В очереди")
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 1


async def test_a_larger_plan_leads_back_to_the_draft(anna: Person, live: Stage) -> None:
    await live.credit(500_00)
    card = await out(anna, live)
    await anna.press("Старт: 200 картинок за 490", card)
    await anna.press("Заплатить", await anna.text("Купить «Старт»?"))
    await anna.press("Продолжить", await anna.text("✅ «Старт» до"))
    await anna.text("В очереди")


async def test_both_a_top_up_and_a_plan_lie_between_the_draft_and_its_album(
    anna: Person, live: Stage
) -> None:
    card = await out(anna, live)
    await anna.press("Старт", card)
    await anna.press("Пополнить на 490", await anna.text("Купить «Старт»?"))
    await anna.press("Картой")
    await pay(anna, await anna.wait_for(lambda one: "invoice" in one, "invoice"))
    await anna.press("Заплатить", await anna.button("Заплатить"))
    await anna.press("Продолжить", await anna.text("✅ «Старт» до"))
    await anna.text("В очереди")


async def test_fewer_pictures_and_the_way_back(anna: Person, live: Stage) -> None:
    card = await out(anna, live)
    await anna.press("К черновику", card)
    again = await anna.button("Создать")
    await anna.press("Создать", again)
    await anna.press("Только 2 варианта", await anna.text("не хватает"))
    fewer = await anna.text("2 из 2 оставшихся")
    assert (await anna.press("Создать", fewer))["text"] == "Взял в работу!"


async def test_gen_past_the_quota_offers_the_same(anna: Person, live: Stage) -> None:
    await live.credit(100_00)
    await live.used(40)
    card = await anna.answer_to("/gen осенний баннер", "не хватает")
    await anna.press("Платить сверх квоты", card)
    await anna.text("В очереди")
    assert len(await live.rows("SELECT id FROM ml_requests")) == 1


async def test_more_of_an_album_past_the_quota_gets_a_card_below(anna: Person, live: Stage) -> None:
    await live.credit(100_00)
    await anna.press("Создать", await draft(anna))
    await live.draw()
    actions = await anna.button("Ещё варианты")
    await live.used(40)
    await anna.press("Ещё варианты", actions)
    await anna.tap(data_of(actions, "Ещё варианты"), actions)
    await anna.settled()
    cards = [one for one in await anna.messages() if "не хватает" in one.get("text", "")]
    assert len(cards) == 1
    assert buttons(await anna.button("Ещё варианты")) == buttons(actions)
    await anna.press("Платить сверх квоты", cards[0])
    await anna.tap(data_of(cards[0], "Платить сверх квоты"), cards[0])
    await anna.settled()
    paid_for = await anna.text("сверх квоты теперь за деньги")
    assert paid_for["message_id"] == cards[0]["message_id"]
    assert not buttons(paid_for)
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 2


async def test_a_paused_wallet_offers_nothing_to_pay(anna: Person, live: Stage) -> None:
    await live.credit(100_00)
    await live.rows_changed("UPDATE wallets SET paused_at = now() WHERE account_id IS NOT NULL")
    card = await out(anna, live)
    assert "на паузе" in card["text"]
    assert buttons(card) == ["Только 2 варианта", "‹ К черновику"]


async def test_a_cure_whose_errand_is_forgotten_still_works(anna: Person, live: Stage) -> None:
    await live.credit(100_00)
    card = await out(anna, live)
    for key in [key async for key in live.redis.scan_iter("errand:*")]:
        await live.redis.delete(key)
    answer = await anna.press("Платить сверх квоты", card)
    assert "теперь за деньги" in answer["text"]
    await anna.text("Тариф «Бесплатный»")


async def test_in_a_group_only_who_may_spend_can_cure(live: Stage) -> None:
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    hello = await anna.text("для этой команды")
    (team,) = await live.rows("SELECT id FROM accounts WHERE chat_id IS NOT NULL")
    await live.credit_account(team["id"], 100_00)
    await ben.send("banner for the site", reply_to_message_id=hello["message_id"])
    card = await ben.button("Create")
    assert "takes 4 of 40 pictures left" in card["text"]
    await live.rows_changed("UPDATE periods SET used = 40")
    await ben.press("Create", card)
    card = await ben.text("Only the team's owner and admins")
    refused = await ben.press("Pay past the quota", card)
    assert "/team" in refused["text"]
    await anna.press("Pay past the quota", card)
    ready = await anna.text("Теперь хватает")
    assert (await anna.press("Продолжить", ready))["text"]
    await ben.press("Продолжить", ready)
    assert len(await live.rows("SELECT id FROM ml_tasks")) == 1


async def test_the_best_is_taken_and_its_file_follows_on_a_plan_that_does_so(
    anna: Person, live: Stage
) -> None:
    await live.plan("start")
    await anna.press("Создать", await draft(anna))
    await live.draw()
    actions = await anna.button("✓ 1")
    file = await anna.wait_for(lambda one: "document" in one, "the file")
    assert "№1 в полном качестве" in file["caption"]
    assert file["message_id"] > actions["message_id"]
    assert len([one for one in await anna.messages() if "document" in one]) == 1
    await anna.press("2", actions)
    await anna.button("✓ 2")
    await anna.press("Оригиналы PNG")
    await live.deliver()
    assert len([one for one in await anna.messages() if "document" in one]) == 5


async def test_without_such_a_plan_nothing_is_taken_by_itself(anna: Person, live: Stage) -> None:
    await anna.press("Создать", await draft(anna))
    await live.draw()
    assert "✓ 1" not in buttons(await anna.button("Оригиналы PNG"))
    assert not [one for one in await anna.messages() if "document" in one]


async def test_a_plan_without_automatic_improvement_leaves_prompts_as_they_are(
    anna: Person, live: Stage
) -> None:
    await live.rows_changed("UPDATE plans SET auto_enhance = false")
    card = await draft(anna)
    assert "Промт пойдёт как есть" in card["text"] or "слово в слово" in card["text"]
