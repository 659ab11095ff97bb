"""Plans in the chat: bought, changed and left; what is shown is what is charged."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from db import plans as db_plans
from tests.bot.stage import Person, Stage, buttons, data_of
from tests.bot.test_wallet import pay, plain
from tests.sim import ANNA, BEN, Message


async def plans(person: Person) -> Message:
    return await person.answer_to("/plans", "Тариф «")


async def asked(person: Person, title: str) -> Message:
    """The question before a plan is taken."""
    page = await plans(person)
    await person.press(title, page)
    return await person.wait_for(
        lambda one: one["message_id"] == page["message_id"] and "‹ Тарифы" in buttons(one)
    )


async def bought(person: Person, title: str) -> Message:
    await person.press("Заплатить", await asked(person, title))
    return await person.text("✅")


async def test_plans_stand_side_by_side_with_what_each_gives(anna: Person) -> None:
    card = await plans(anna)
    words = plain(card["text"])
    assert "Тариф «Бесплатный», ваш личный\nОсталось картинок: 40 из 40" in words
    assert "Профи · 1 490 ₽ в месяц\n800 картинок в месяц, дальше по 5 ₽\n10 брендов" in words
    assert "Студия · 3 990 ₽ в месяц\n3 000 картинок в месяц" in words
    assert "Бесплатный · 0 ₽ · ваш" in words
    assert "мест" not in words  # one's own account seats nobody
    assert "ещё 3" in words  # thirty days or so
    assert buttons(card)[0].startswith("Старт · 490")
    assert not any("Бесплатный" in label for label in buttons(card))


async def test_buying_names_the_charge_and_the_renewal_first(anna: Person, live: Stage) -> None:
    await live.credit(2000_00)
    question = await asked(anna, "Профи")
    words = plain(question["text"])
    assert "Купить «Профи»?\nСейчас спишется: 1 490 ₽\nПродлится " in words
    assert "за 1 490 ₽ и дальше каждый месяц" in words
    assert "На счёте 2 000 ₽, останется 510 ₽." in words
    assert await live.rows("SELECT id FROM transfers WHERE kind = 'subscription'") == []
    await anna.press("Заплатить 1\u00a0490\u00a0₽", question)
    done = await anna.text("✅ «Профи» до")
    assert "Списано 1 490 ₽, на счёте 510 ₽." in plain(done["text"])


async def test_a_double_tap_buys_once(anna: Person, live: Stage) -> None:
    await live.credit(5000_00)
    question = await asked(anna, "Профи")
    await anna.press("Заплатить", question)
    await anna.tap(data_of(question, "Заплатить"), question)
    await anna.settled()
    assert len(await live.rows("SELECT id FROM transfers WHERE kind = 'subscription'")) == 1
    await anna.text("✅ «Профи» до")


async def test_without_money_the_way_leads_through_a_top_up_to_the_plan(
    anna: Person, live: Stage
) -> None:
    await live.credit(490_00)
    question = await asked(anna, "Профи")
    assert "не хватает 1 000 ₽" in plain(question["text"])
    await anna.press("Пополнить на 1", question)
    await anna.press("Картой")
    bill = await anna.wait_for(lambda one: "invoice" in one, "invoice")
    assert (await pay(anna, bill))["pre_checkout"]
    again = await anna.button("Заплатить")
    assert "Купить «Профи»?" in again["text"]
    await anna.press("Заплатить", again)
    assert "на счёте 0" in plain((await anna.text("✅ «Профи» до"))["text"])


async def test_an_upgrade_is_pro_rata_and_charged_as_shown(anna: Person, live: Stage) -> None:
    await live.credit(10_000_00)
    await bought(anna, "Профи")
    live.clock.move(days=10)
    question = await asked(anna, "Студия")
    words = plain(question["text"])
    assert "Перейти на тариф «Студия» сразу?\n3 990 ₽ минус" in words
    shown = words.split("Сейчас спишется: ")[1].split("\n")[0]
    live.clock.move(minutes=14)
    await anna.press("Заплатить", question)
    await anna.text("✅ «Студия» до")
    (moved,) = await live.rows("SELECT amount FROM transfers WHERE kind = 'upgrade'")
    assert (
        f"{moved['amount'] / 100:,.2f} ₽".replace(",", " ").replace(".", ",").replace(",00", "")
        == shown
    )
    assert 2_990_00 < moved["amount"] < 3_990_00


async def test_an_old_question_is_asked_anew_with_the_new_sum(anna: Person, live: Stage) -> None:
    await live.credit(10_000_00)
    await bought(anna, "Профи")
    question = await asked(anna, "Студия")
    live.clock.move(days=5)
    answer = await anna.press("Заплатить", question)
    assert "изменилась" in answer["text"]
    assert await live.rows("SELECT id FROM transfers WHERE kind = 'upgrade'") == []
    fresh = await anna.wait_for(
        lambda one: one["message_id"] == question["message_id"] and one["text"] != question["text"]
    )
    await anna.press("Заплатить", fresh)
    await anna.text("✅ «Студия» до")


async def test_a_price_changed_meanwhile_is_asked_first(anna: Person, live: Stage) -> None:
    await live.credit(10_000_00)
    question = await asked(anna, "Профи")
    await live.rows_changed("UPDATE plans SET price = 300000 WHERE code = 'profi'")
    answer = await anna.press("Заплатить", question)
    assert "изменилась" in answer["text"]
    assert await live.rows("SELECT id FROM transfers WHERE kind = 'subscription'") == []
    fresh = await anna.wait_for(
        lambda one: one["message_id"] == question["message_id"] and one["text"] != question["text"]
    )
    assert "Сейчас спишется: 3 000 ₽" in plain(fresh["text"])
    await anna.press("Заплатить", fresh)
    await anna.text("✅ «Профи» до")


async def test_a_question_from_before_another_purchase_charges_nothing(
    anna: Person, live: Stage
) -> None:
    await live.credit(10_000_00)
    old = await asked(anna, "Старт")
    await bought(anna, "Студия")
    await anna.press("Заплатить", old)
    again = await anna.text("Перейти на тариф «Старт»")
    assert again["message_id"] == old["message_id"]
    assert len(await live.rows("SELECT id FROM periods WHERE plan_code = 'start'")) == 0


async def test_a_downgrade_waits_for_the_periods_end_and_can_be_undone(
    anna: Person, live: Stage
) -> None:
    await live.credit(10_000_00)
    await bought(anna, "Студия")
    question = await asked(anna, "Профи")
    assert "сейчас ничего не спишется" in question["text"]
    await anna.press("Перейти", question)
    page = await anna.text("Потом — «Профи»")
    assert "Тариф «Студия»" in page["text"]
    assert "✓ Профи · 1\u00a0490\u00a0₽" in buttons(page)
    assert "⏹ Не продлевать" in buttons(page)
    await anna.press("✓ Профи", page)  # chosen already: nothing is asked
    page = await anna.button("Остаться на тарифе «Студия»")
    await anna.press("Остаться на тарифе «Студия»", page)
    await anna.text("Потом продлится за 3")


async def test_a_change_overtaken_by_the_periods_end_asks_before_it_charges(
    anna: Person, live: Stage
) -> None:
    await live.credit(10_000_00)
    await bought(anna, "Студия")
    account_id = await live.account_of()
    async with live.sessions.begin() as session:
        studio = await db_plans.choose(session, account_id, "free", now=live.clock())
    page = await asked(anna, "Старт")
    live.clock.ahead += studio.period.ends_at - live.clock() - timedelta(minutes=1)
    async with live.sessions.begin() as session:
        # The worker holds the account while the tap looks at what it was.
        await db_plans.renew(session, account_id, now=studio.period.ends_at)
        tapped = asyncio.create_task(anna.press("Перейти", page))
        while not await live.rows("SELECT pid FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.02)
    await tapped
    question = await anna.text("Купить «Старт»?")
    assert question["message_id"] == page["message_id"]
    assert len(await live.rows("SELECT id FROM transfers WHERE kind <> 'credit'")) == 1


async def test_a_smaller_plan_says_which_channels_it_freezes(anna: Person, live: Stage) -> None:
    await live.plan("profi")
    await live.rows_changed(
        "INSERT INTO channels (account_id, chat_id, title, connected_by)"
        " SELECT id, -n, 'Кофе', owner_user_id FROM accounts, generate_series(1, 3) n"
    )
    question = await asked(anna, "Старт")
    assert "2 канала замёрзнут: посты туда, и запланированные тоже, не выйдут" in question["text"]
    await anna.press("Не продлевать", await plans(anna))
    await anna.text("3 канала замёрзнут")


async def test_stopping_the_renewal_and_what_comes_then(anna: Person, live: Stage) -> None:
    await live.credit(10_000_00)
    await bought(anna, "Старт")
    await anna.press("Не продлевать", await plans(anna))
    question = await anna.text("Не продлевать «Старт»?")
    await anna.press("Не продлевать", question)
    page = await anna.text("Потом — «Бесплатный»")
    assert "⏹ Не продлевать" not in buttons(page)
    live.clock.move(days=32)
    await live.renew()
    card = await plans(anna)
    assert "Тариф «Бесплатный»" in card["text"]
    assert len(await live.rows("SELECT id FROM transfers WHERE kind = 'subscription'")) == 1


async def test_renewal_with_money_and_grace_without(anna: Person, live: Stage) -> None:
    await live.credit(2 * 490_00)
    await bought(anna, "Старт")
    live.clock.move(days=32)
    await live.renew()
    assert "Потом продлится за 490" in plain((await plans(anna))["text"])
    live.clock.move(days=31)
    await live.renew()
    page = await plans(anna)
    assert "На продление не хватило денег" in page["text"]
    await live.credit(490_00)
    await anna.press("Продлить сейчас", page)
    await anna.press("Заплатить", await anna.text("Купить «Старт»?"))
    await anna.text("✅ «Старт» до")
    assert len(await live.rows("SELECT id FROM transfers WHERE kind = 'subscription'")) == 3


async def test_paying_past_the_quota_is_a_switch(anna: Person, live: Stage) -> None:
    page = await plans(anna)
    words = "не рисую и ничего не списываю, пока не включите — тогда по 9 ₽ за картинку"
    assert words in plain(page["text"])
    await anna.press("⬜ Платить сверх квоты", page)
    on = await anna.text("Сверх квоты: 9")
    await anna.press("✅ Платить сверх квоты", on)
    await anna.text("не рисую и ничего не списываю")


@pytest.mark.parametrize(
    "data",
    ["p:ask:0:gold:0:0:0", "p:buy:0:gold:1:1:0", "p:change:0::0:0:0", "p:buy:0:profi:0:0:149000"],
)
async def test_plans_no_button_offers_charge_nothing(anna: Person, live: Stage, data: str) -> None:
    await live.credit(10_000_00)
    await anna.tap(data, await plans(anna))
    await anna.settled()
    assert await live.rows("SELECT id FROM transfers WHERE kind <> 'credit'") == []
    assert "Бесплатный" in (await plans(anna))["text"]


async def test_a_moment_nobody_was_shown_is_not_paid_by(anna: Person, live: Stage) -> None:
    await live.credit(10_000_00)
    await bought(anna, "Профи")
    page = await asked(anna, "Студия")
    _, _, account, _, period, _, kopecks = data_of(page, "Заплатить").split(":")
    for moment in (0, int(datetime.now(UTC).timestamp()) + 600, 2**62):
        await anna.tap(f"p:buy:{account}:studio:{period}:{moment}:{kopecks}", page)
    await anna.settled()
    assert await live.rows("SELECT id FROM transfers WHERE kind = 'upgrade'") == []


async def test_english_is_complete(live: Stage) -> None:
    ben = live.person(BEN)
    await live.credit(1_490_00, BEN)
    page = await ben.answer_to("/plans", "Plan: Free")
    assert "Free · 0 ₽ · yours" in plain(page["text"])
    await ben.press("Pro", page)
    await ben.press("Pay", await ben.text("Charged now: 1,490"))
    await ben.text("“Pro” until")


async def test_a_plan_of_a_team_is_the_teams(live: Stage) -> None:
    group = await live.sim.group()
    anna = live.person(ANNA, group["id"])
    await anna.text("для этой команды")
    (team,) = await live.rows("SELECT id FROM accounts WHERE chat_id IS NOT NULL")
    await live.credit_account(team["id"], 490_00)
    await anna.answer_to(f"/plans@{await anna.username()}", "Тариф «Бесплатный», общий на команду")
    await anna.press("Старт")
    await anna.press("Заплатить")
    await anna.text("✅ «Старт» до")
    alone = live.person(ANNA)
    assert "Бесплатный" in (await plans(alone))["text"]
