"""The operator's commands on payments: they can be run again, and say what is to be done next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from typer.testing import CliRunner

from bot import wallet_cli
from bot.settings import BotSettings, PaymentTerms
from db import accounts, payments, wallet
from db.money_views import OrderView, Paid
from db.states import PaymentMethod, SystemWallet, TransferKind
from db.views import TelegramUser
from tests.bot.stage import Stage
from tests.clock import MovedClock
from tests.sim import ANNA, TOKEN

Run = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def run(
    stage: Stage,
    options: BotSettings,
    database_url: str,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Runs a command beside the test; the exit code and all that was said."""
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    monkeypatch.setenv("BOT_API_URL", options.api_url)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)

    async def command(*argv: str) -> tuple[int, str]:
        result = await asyncio.to_thread(CliRunner().invoke, wallet_cli.app, argv)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return command


async def _top_up(stage: Stage, terms: PaymentTerms, method: PaymentMethod) -> OrderView:
    """500 roubles by the charge `c1`, of which the playground knows nothing."""
    now = MovedClock()()
    async with stage.sessions.begin() as session:
        anna = await accounts.ensure_user(session, TelegramUser(ANNA, "Анна"))
        order = await payments.open_order(
            session,
            anna.account_id,
            ANNA,
            method=method,
            credit=500_00,
            rate=terms.rate(method),
            chat_id=ANNA,
            now=now,
            ttl=terms.order_ttl,
        )
        paid = Paid(order.payload, ANNA, order.currency, order.amount, "c1", "p-17", now)
        await payments.credit(session, paid)
    return order


async def _balance(stage: Stage, order: OrderView) -> int:
    async with stage.sessions() as session:
        return (await wallet.wallet(session, order.account_id)).balance


async def test_roubles_go_back_in_three_steps(stage: Stage, terms: PaymentTerms, run: Run) -> None:
    order = await _top_up(stage, terms, PaymentMethod.PROVIDER)
    code, said = await run("refund", "c1", "--returned")
    assert code == 2
    assert "not begun" in said
    for _ in range(2):
        code, said = await run("refund", "c1")
        assert (code, await _balance(stage, order)) == (0, 0)
        assert "give payment p-17 back in the provider's cabinet" in said
    code, said = await run("refund", "c1", "--undo")
    assert (code, said) == (0, "called off: 500.00 RUB of account 1 are in the wallet\n")
    assert await _balance(stage, order) == 500_00
    await run("refund", "c1")
    for _ in range(2):
        code, said = await run("refund", "c1", "--returned")
        assert (code, said) == (0, "refunded: 500.00 RUB of account 1\n")
    assert await _balance(stage, order) == 0
    assert await stage.sim.calls("refundStarPayment") == []


async def test_spent_money_and_telegrams_refusal_are_one_line_each(
    stage: Stage, terms: PaymentTerms, run: Run
) -> None:
    order = await _top_up(stage, terms, PaymentMethod.STARS)
    code, said = await run("refund", "c1")
    assert code == 1
    assert "CHARGE_NOT_FOUND; the wallet has its money again" in said
    assert await _balance(stage, order) == 500_00
    await stage.sim.fault("refundStarPayment", "500")
    code, said = await run("refund", "c1")
    assert code == 1
    assert "run this again" in said
    await run("refund", "c1")
    async with stage.sessions.begin() as session:
        revenue, kind = SystemWallet.REVENUE, TransferKind.PICTURES
        await wallet.transfer(session, order.account_id, revenue, 12_50, kind, "spent")
    code, said = await run("refund", "c1")
    assert code == 1
    assert "12.50 RUB are lacking" in said


async def test_nobodys_charge_is_a_mistake(run: Run) -> None:
    for more in ((), ("--returned",), ("--undo",)):
        code, said = await run("refund", "nobody's", *more)
        assert code == 2
        assert "no payment has this charge id" in said


async def test_stars_are_neither_confirmed_nor_called_off_by_hand(
    stage: Stage, terms: PaymentTerms, run: Run
) -> None:
    order = await _top_up(stage, terms, PaymentMethod.STARS)
    for flag in ("--returned", "--undo"):
        assert (await run("refund", "c1", flag))[0] == 2
    assert await _balance(stage, order) == 500_00


async def test_what_telegram_does_not_know_needs_a_person(
    stage: Stage, terms: PaymentTerms, run: Run
) -> None:
    assert await run("reconcile") == (0, "transactions: 0, repaired: 0\n")
    await _top_up(stage, terms, PaymentMethod.STARS)
    said = "transactions: 0, repaired: 0\nunknown to Telegram: c1\n"
    assert await run("reconcile") == (1, said)
