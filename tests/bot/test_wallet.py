"""The wallet in the chat: what it holds, what has moved, topping it up."""

from __future__ import annotations

import csv
import io

import pytest

from bot.handlers.top_up import kopecks_of
from bot.settings import PaymentTerms
from tests.bot.stage import Person, Stage, buttons, data_of
from tests.sim import ANNA, BEN, Message

NBSP = "\u00a0"


def plain(text: str) -> str:
    """Sums as a person reads them, whatever spaces are in them."""
    return text.replace(NBSP, " ").replace("\u202f", " ")


async def wallet(person: Person) -> Message:
    return await person.answer_to("/wallet", "Кошелёк")


async def invoice(person: Person, sum_: str = "500", method: str = "Звёздами") -> Message:
    """The way from the wallet to an invoice."""
    await person.press("Пополнить", await wallet(person))
    await person.press(f"{sum_}{NBSP}₽")
    await person.press(method)
    return await person.wait_for(lambda one: "invoice" in one, "invoice")


async def pay(person: Person, bill: Message) -> dict[str, object]:
    done = await person.sim.post(
        "pay",
        user_id=person.user_id,
        chat_id=person.chat_id,
        message_id=bill["message_id"],
        email="anna@example.com",
    )
    assert isinstance(done, dict)
    return done


async def test_a_sum_is_written_one_way_from_the_question_to_the_receipt(anna: Person) -> None:
    await anna.press("Пополнить", await wallet(anna))
    await anna.press(f"3{NBSP}000{NBSP}₽")
    chooser = await anna.text(f"Пополнить на 3{NBSP}000{NBSP}₽")
    assert "⭐ Звёздами: 2 000 ⭐" in map(plain, buttons(chooser))
    await anna.press("Звёздами", chooser)
    await anna.text(f"Счёт на 3{NBSP}000{NBSP}₽")
    bill = await anna.wait_for(lambda one: "invoice" in one, "invoice")
    assert plain(buttons(bill)[0]) == "Оплатить 2 000 ⭐"


async def test_an_empty_wallet_says_so_and_offers_to_top_up(anna: Person) -> None:
    card = await wallet(anna)
    assert "На счёте: 0 ₽" in plain(card["text"])
    assert "Движений пока нет" in card["text"]
    assert buttons(card) == ["➕ Пополнить", "💎 Тариф"]


async def test_the_menus_button_opens_it(anna: Person) -> None:
    await anna.answer_to("💰 Кошелёк", "На счёте")


@pytest.mark.parametrize(("method", "price"), [("Звёздами", "334 ⭐"), ("Картой", "500 ₽")])
async def test_topping_up_by_each_method(anna: Person, method: str, price: str) -> None:
    bill = await invoice(anna, "500", method)
    assert price in plain(buttons(bill)[0])
    assert buttons(bill)[1] == "✕ Отменить"
    await anna.text("Счёт на 500")
    assert (await pay(anna, bill))["pre_checkout"] == {"ok": True, "error_message": None}
    await anna.settled()
    card = await wallet(anna)
    assert "На счёте: 500 ₽" in plain(card["text"])
    assert "+500 ₽ · Пополнение" in plain(card["text"])


async def test_any_sum_by_dialogue(anna: Person, live: Stage) -> None:
    await anna.press("Пополнить", await wallet(anna))
    await anna.press("Другая сумма")
    await anna.text("Сколько рублей?")
    await anna.answer_to("много", "Нужна сумма от 100")
    await anna.answer_to("99,99", "Нужна сумма от 100")
    await anna.answer_to("15000,01", "Нужна сумма от 100")
    asked = await anna.answer_to("1 234,50 ₽", "Пополнить на")
    assert "1 234,50 ₽" in plain(asked["text"])
    await anna.press("Картой", asked)
    bill = await anna.wait_for(lambda one: "invoice" in one, "invoice")
    assert bill["invoice"]["total_amount"] == 123_450
    await anna.answer_to("баннер для сайта", "Черновик")


async def test_the_dialogue_is_left_by_its_button_and_by_the_menu(anna: Person) -> None:
    for leave in ("button", "menu"):
        await anna.press("Пополнить", await wallet(anna))
        await anna.press("Другая сумма")
        question = await anna.text("Сколько рублей?")
        if leave == "button":
            await anna.press("Отменить", question)
        else:
            await anna.answer_to("🗂 История", "Альбомов пока нет")
        await anna.answer_to("700", "Черновик")


@pytest.mark.parametrize(
    ("text", "kopecks"),
    [
        ("700", 70_000),
        (" 1 500 ", 150_000),
        ("1\u00a0500,5 ₽", 150_050),
        ("1500.05 руб.", 150_005),
        ("100 200", 10_020_000),
        ("100 20", None),
        ("-5", None),
        ("1e3", None),
        ("", None),
        ("9" * 30, None),
        ("٣٠٠", None),
        ("1,234", None),
    ],
)
def test_sums_as_people_write_them(text: str, kopecks: int | None) -> None:
    assert kopecks_of(text) == kopecks


async def test_a_cancelled_invoice_goes_and_can_not_be_paid(anna: Person, live: Stage) -> None:
    bill = await invoice(anna)
    assert (await anna.press("Отменить", bill))["text"] == "Счёт отменён"
    await anna.settled()
    assert bill["message_id"] not in [one["message_id"] for one in await anna.messages()]
    (order,) = await live.rows("SELECT state FROM orders")
    assert order["state"] == "cancelled"


async def test_a_second_tap_makes_no_second_invoice(anna: Person, live: Stage) -> None:
    await anna.press("Пополнить", await wallet(anna))
    await anna.press(f"500{NBSP}₽")
    chooser = await anna.button("Звёздами")
    await anna.press("Звёздами", chooser)
    await anna.tap(data_of(chooser, "Звёздами"), chooser)
    await anna.settled()
    assert len(await live.rows("SELECT id FROM orders")) == 1
    assert len(await live.sim.calls("sendInvoice")) == 1


async def test_somebody_elses_order_is_not_cancelled(live: Stage) -> None:
    anna, ben = live.person(ANNA), live.person(BEN)
    await invoice(anna)
    card = await ben.answer_to("/wallet", "Wallet")
    (order,) = await live.rows("SELECT id, state FROM orders")
    await ben.tap(f"w:cancel:0:{order['id']}::", card)
    await ben.settled()
    assert [row["state"] for row in await live.rows("SELECT state FROM orders")] == ["open"]


@pytest.mark.parametrize("data", ["w:pay:0:1:stars:", "w:pay:0:50000:cash:", "w:sum:0:999999999::"])
async def test_sums_and_methods_no_button_offers_make_no_order(
    anna: Person, live: Stage, data: str
) -> None:
    card = await wallet(anna)
    await anna.tap(data, card)
    await anna.text("На сколько?")
    assert await live.rows("SELECT id FROM orders") == []


async def test_movements_are_paged(anna: Person, live: Stage) -> None:
    for number in range(1, 11):
        await live.credit(number * 100)
    card = await wallet(anna)
    assert card["text"].count("+") == 6
    assert "+10" in card["text"]
    await anna.press("Раньше", card)
    older = await anna.text("+4")
    assert older["text"].count("+") == 4
    assert "На счёте: 55 ₽" in plain(older["text"])
    await anna.press("К новым", older)
    await anna.text("+10")


async def test_the_statement_opens_in_a_russian_excel(anna: Person, live: Stage) -> None:
    await live.plan("start")
    await live.credit(150_05)
    card = await wallet(anna)
    await anna.press("Выписка", card)
    await anna.tap(data_of(card, "Выписка"), card)
    await anna.settled()
    (sent,) = [one["document"] for one in await anna.messages() if "document" in one]
    async with live.sim.http.get(f"{live.sim.url}/sim/file/{sent['file_id']}") as answer:
        table = await answer.read()
    assert table.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(table.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == ["Дата (Москва)", "Операция", "Сумма, ₽", "Остаток, ₽"]
    assert [row[1:] for row in rows[1:]] == [
        ["Начислено поддержкой", "490,00", "490,00"],
        ["Тариф на месяц: Старт", "-490,00", "0,00"],
        ["Начислено поддержкой", "150,05", "150,05"],
    ]


class TestNothingConnected:
    @pytest.fixture
    def terms(self) -> PaymentTerms:
        return PaymentTerms(stars_rate_kopecks=None, provider_token=None)

    async def test_it_says_so_in_words(self, anna: Person) -> None:
        await anna.press("Пополнить", await wallet(anna))
        card = await anna.text("Пополнение пока не подключено")
        assert buttons(card) == ["‹ Кошелёк"]


async def test_a_paused_wallet_says_so_and_makes_no_invoice(anna: Person, live: Stage) -> None:
    await live.credit(100)
    await live.rows_changed("UPDATE wallets SET paused_at = now() WHERE account_id IS NOT NULL")
    card = await anna.answer_to("/wallet", "на паузе")
    await anna.press("Пополнить", card)
    await anna.press(f"500{NBSP}₽")
    assert "на паузе" in (await anna.press("Звёздами"))["text"]
    assert await live.rows("SELECT id FROM orders") == []


async def test_a_teams_wallet_is_for_its_owner_and_admins(live: Stage) -> None:
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    await anna.text("для этой команды")
    name = await anna.username()
    refused = await ben.answer_to(f"/wallet@{name}", "/team")
    assert "₽" not in refused["text"]
    assert "₽" not in (await ben.answer_to(f"/plans@{name}", "/team"))["text"]
    card = await anna.answer_to(f"/wallet@{name}", "Кошелёк")
    answer = await ben.press("Пополнить", card)
    assert not answer.get("show_alert")
    assert "/team" in answer["text"]
    await anna.press("Пополнить", card)
    await anna.text("На сколько?")
