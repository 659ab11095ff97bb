"""Whole conversations about money: every process' code, real Postgres and Redis, moved time."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import wallet
from tests.clock import MovedClock
from tests.e2e.conftest import Unhurried
from tests.sim import ANNA, Message, Talk, label, said
from workers.renew import Renewals

Sessions = async_sessionmaker[AsyncSession]

PROMPT = "Сделай пост для инстаграма: осеннее меню кофейни, тыквенный латте"


@pytest.fixture
def talk(town: Unhurried) -> Talk:
    return town.talk(ANNA)


async def after(talk: Talk, command: str, words: str) -> Message:
    """The answer to a command."""
    sent = await talk.send(command)
    return await talk.wait_for(
        lambda one: one["message_id"] > sent and words in said(one), f"{command}: {words}"
    )


async def tap(talk: Talk, card: Message, part: str) -> Message:
    """Taps a button of a card, once the card has it; the card as it was."""
    shown = await talk.wait_for(
        lambda one: one["message_id"] == card["message_id"] and label(one, part) is not None,
        f"{part} on #{card['message_id']}",
    )
    await talk.press(part, shown)
    return shown


async def top_up(talk: Talk, sum_: str, method: str) -> Message:
    """From the wallet through the invoice to the receipt; what Telegram says of the payment."""
    card = await after(talk, "/wallet", "Кошелёк")
    for part in ("Пополнить", sum_, method):
        await tap(talk, card, part)
    bill = await talk.wait_for(
        lambda one: "invoice" in one and one["message_id"] > card["message_id"], "the invoice"
    )
    return await pay(talk, bill)


async def buy(talk: Talk, title: str) -> None:
    """From the plans through the question to the plan."""
    card = await after(talk, "/plans", "Тариф")
    await tap(talk, card, title)
    await tap(talk, card, "Заплатить")
    await talk.text(f"✅ «{title}» до")


async def pay(talk: Talk, bill: Message) -> Message:
    done = await talk.sim.post(
        "pay",
        user_id=talk.user_id,
        chat_id=talk.chat_id,
        message_id=bill["message_id"],
        email="anna@example.com",
    )
    assert done["pre_checkout"]["ok"], done
    payment = done["message"]["successful_payment"]
    await talk.wait_for(
        lambda one: one["message_id"] > done["message"]["message_id"] and "✅" in said(one),
        "the receipt",
    )
    return payment


async def balance(talk: Talk) -> str:
    card = await after(talk, "/wallet", "Кошелёк")
    return said(card).replace("\u00a0", " ").split("На счёте: ")[1].split("\n")[0]


async def use(sessions: Sessions, pictures: int) -> None:
    """As if so many of the month's pictures had been drawn."""
    async with sessions.begin() as session:
        await session.execute(
            text("UPDATE periods SET used = :n WHERE id = (SELECT max(id) FROM periods)"),
            {"n": pictures},
        )


async def renew(sessions: Sessions, clock: MovedClock) -> None:
    await Renewals(sessions, clock=clock)()


async def balanced(sessions: Sessions) -> None:
    """Nothing was made or lost on the way."""
    async with sessions.begin() as session:
        found = await wallet.audit(session)
    assert (found.total, found.wrong) == (0, ())


async def test_top_up_buy_run_out_pay_per_picture_upgrade_and_downgrade(
    talk: Talk, sessions: Sessions
) -> None:
    await top_up(talk, "500", "Звёздами")
    await top_up(talk, "3\u00a0000", "Картой")
    assert await balance(talk) == "3 500 ₽"

    await buy(talk, "Профи")
    assert await balance(talk) == "2 010 ₽"

    await use(sessions, 799)
    sent = await talk.send(PROMPT)
    await talk.press("Создать", await talk.button("Создать"))
    cure = await talk.text("Картинок на этот месяц не хватает")
    assert cure["message_id"] > sent
    await talk.press("Платить сверх квоты: сейчас 3 за 15", cure)
    await talk.button("✓ 1")
    best = await talk.wait_for(lambda one: "document" in one, "the best one's file")
    assert "№1" in said(best)
    assert await balance(talk) == "1 995 ₽"

    await top_up(talk, "3\u00a0000", "Картой")
    await buy(talk, "Студия")
    async with sessions.begin() as session:
        paid = await session.scalar(text("SELECT amount FROM transfers WHERE kind = 'upgrade'"))
    assert 2_500_00 <= paid < 2_510_00  # a month of Pro was only minutes old

    card = await after(talk, "/plans", "Студия")
    await tap(talk, card, "Старт")
    await tap(talk, card, "Перейти")
    await talk.text("Потом — «Старт»")
    await balanced(sessions)


async def test_renewals_with_and_without_money(
    talk: Talk, sessions: Sessions, clock: MovedClock
) -> None:
    await top_up(talk, "1\u00a0000", "Картой")
    await buy(talk, "Старт")

    clock.move(days=32)
    await renew(sessions, clock)
    await talk.text("«Старт» продлён")
    assert await balance(talk) == "20 ₽"

    clock.move(days=28)
    await renew(sessions, clock)
    await talk.text("⏳")  # it renews soon, and the money lacks

    clock.move(days=4)
    await renew(sessions, clock)
    waiting = await talk.text("⌛")
    await tap(talk, waiting, "Пополнить на 470")
    await tap(talk, waiting, "Картой")
    await pay(
        talk,
        await talk.wait_for(
            lambda one: "invoice" in one and one["message_id"] > waiting["message_id"]
        ),
    )
    assert await balance(talk) == "0 ₽"
    assert "Потом продлится" in said(await after(talk, "/plans", "Старт"))

    clock.move(days=32)
    await renew(sessions, clock)
    clock.move(days=4)
    await renew(sessions, clock)
    await talk.text("⏹")
    assert "Бесплатный" in said(await after(talk, "/plans", "Тариф"))
    await balanced(sessions)


async def test_a_payment_given_back_by_telegram_pauses_what_was_spent(
    talk: Talk, sessions: Sessions
) -> None:
    payment = await top_up(talk, "500", "Звёздами")
    await buy(talk, "Старт")
    charge_id = payment["telegram_payment_charge_id"]
    await talk.sim.post("refund", charge_id=charge_id)
    await talk.text("вернул")
    card = await after(talk, "/wallet", "на паузе")
    assert "0" in said(card)
    await tap(talk, card, "Пополнить")
    await tap(talk, card, "300")
    refused = await talk.press("Звёздами", await talk.button("Звёздами"))
    assert "на паузе" in refused["text"]
    await balanced(sessions)
