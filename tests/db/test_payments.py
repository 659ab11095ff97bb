"""Top-ups: what may be paid, what is credited once whatever happens, what goes back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db import payments, refunds, wallet
from db.errors import InsufficientFunds, NotFound, PaymentRefused, Stale, WalletPaused
from db.money_views import Credited, OrderView, Paid, PaymentView, Refunded
from db.states import OrderState, PaymentMethod, PaymentState, SystemWallet, TransferKind
from tests.db import rows
from tests.db.rows import Person, Sessions

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def _order(
    sessions: Sessions,
    who: Person,
    *,
    credit: int = 500_00,
    method: PaymentMethod = PaymentMethod.STARS,
    rate: int | None = 150,
) -> OrderView:
    async with sessions.begin() as session:
        return await payments.open_order(
            session,
            who.account_id,
            who.id,
            method=method,
            credit=credit,
            rate=rate if method is PaymentMethod.STARS else None,
            chat_id=who.id,
            now=NOW,
            ttl=HOUR,
        )


def _paid(order: OrderView, charge_id: str = "c1", **changed: object) -> Paid:
    paid = Paid(
        payload=order.payload,
        user_id=order.user_id,
        currency=order.currency,
        amount=order.amount,
        charge_id=charge_id,
        provider_charge_id=f"p-{charge_id}",
        paid_at=NOW,
    )
    return replace(paid, **changed)  # type: ignore[arg-type]


async def _check(
    sessions: Sessions, order: OrderView, now: datetime = NOW, **changed: object
) -> OrderView:
    asked: dict[str, object] = {
        "payload": order.payload,
        "user_id": order.user_id,
        "currency": order.currency,
        "amount": order.amount,
    }
    async with sessions.begin() as session:
        return await payments.check(session, now=now, **{**asked, **changed})  # type: ignore[arg-type]


async def _credit(sessions: Sessions, paid: Paid) -> Credited:
    async with sessions.begin() as session:
        return await payments.credit(session, paid)


async def _topped_up(sessions: Sessions, who: Person, charge_id: str = "c1") -> OrderView:
    order = await _order(sessions, who)
    await _credit(sessions, _paid(order, charge_id))
    return order


async def _spend(sessions: Sessions, who: Person, amount: int) -> None:
    async with sessions.begin() as session:
        await wallet.transfer(
            session,
            who.account_id,
            SystemWallet.REVENUE,
            amount,
            TransferKind.PICTURES,
            f"spent:{amount}",
        )


async def _begin(sessions: Sessions, charge_id: str = "c1") -> PaymentView:
    async with sessions.begin() as session:
        return await refunds.begin(session, charge_id, operator="Оля")


async def _finish(sessions: Sessions, charge_id: str = "c1") -> PaymentView:
    async with sessions.begin() as session:
        return await refunds.finish(session, charge_id, now=NOW)


async def _undo(sessions: Sessions, charge_id: str = "c1") -> PaymentView:
    async with sessions.begin() as session:
        return await refunds.undo(session, charge_id)


async def _reported(sessions: Sessions, paid: Paid) -> Refunded:
    async with sessions.begin() as session:
        return await refunds.reported(session, paid, now=NOW)


async def _balance(sessions: Sessions, who: Person) -> int:
    async with sessions() as session:
        return (await wallet.wallet(session, who.account_id)).balance


async def _sum_of(sessions: Sessions, system: SystemWallet) -> int:
    query = (
        "SELECT coalesce(sum(CASE WHEN t.destination_id = w.id THEN t.amount ELSE -t.amount END),"
        " 0)::bigint FROM wallets w JOIN transfers t ON w.id IN (t.source_id, t.destination_id)"
        f" WHERE w.system = '{system}'"
    )
    [(found,)] = await rows.rows(sessions, query)
    assert isinstance(found, int)
    return found


async def _told(sessions: Sessions) -> list[tuple[object, ...]]:
    """Kind and data of each notice, but for the place."""
    query = "SELECT kind, data - '{chat_id,thread_id}'::text[] FROM notices ORDER BY id"
    return await rows.rows(sessions, query)


async def _sound(sessions: Sessions) -> None:
    async with sessions() as session:
        found = await wallet.audit(session)
    assert (found.total, found.wrong) == (0, ())


@pytest.mark.parametrize(("credit", "stars"), [(300_00, 200), (500_00, 334), (1, 1), (150, 1)])
async def test_stars_are_whole_and_the_credit_is_what_was_asked(
    sessions: Sessions, credit: int, stars: int
) -> None:
    order = await _order(sessions, await rows.person(sessions), credit=credit)
    assert (order.currency, order.amount, order.credit, order.rate) == ("XTR", stars, credit, 150)
    assert order.state is OrderState.OPEN
    assert len(order.payload.encode()) <= 128


async def test_roubles_cost_what_they_credit(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    order = await _order(sessions, who, method=PaymentMethod.PROVIDER)
    assert (order.currency, order.amount, order.credit, order.rate) == ("RUB", 50000, 50000, None)


async def test_an_order_that_is_as_agreed_may_be_paid(sessions: Sessions) -> None:
    order = await _order(sessions, await rows.person(sessions))
    assert await _check(sessions, order, NOW + HOUR - timedelta(seconds=1)) == order


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"payload": "forged"}, "unknown"),
        ({"user_id": 2}, "user"),
        ({"currency": "RUB"}, "currency"),
        ({"amount": 333}, "amount"),
        ({"amount": 335}, "amount"),
        ({"now": NOW + HOUR}, "expired"),
    ],
)
async def test_anything_else_is_refused_and_credits_nothing(
    sessions: Sessions, changed: dict[str, object], reason: str
) -> None:
    who = await rows.person(sessions)
    order = await _order(sessions, who)
    with pytest.raises(PaymentRefused) as caught:
        await _check(sessions, order, **changed)  # type: ignore[arg-type]
    assert caught.value.reason == reason
    assert await _balance(sessions, who) == 0


async def test_a_paid_and_a_cancelled_order_are_refused(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    paid, cancelled = await _topped_up(sessions, who), await _order(sessions, who)
    async with sessions.begin() as session:
        await payments.cancel_order(session, who.account_id, cancelled.id)
        again = await payments.cancel_order(session, who.account_id, cancelled.id)
    assert again.state is OrderState.CANCELLED
    for order, reason in ((paid, "paid"), (cancelled, "cancelled")):
        with pytest.raises(PaymentRefused) as caught:
            await _check(sessions, order)
        assert caught.value.reason == reason


async def test_only_ones_own_open_order_is_cancelled(sessions: Sessions) -> None:
    who, other = await rows.person(sessions, 1), await rows.person(sessions, 2)
    order, paid = await _order(sessions, who), await _topped_up(sessions, who)
    async with sessions.begin() as session:
        with pytest.raises(NotFound):
            await payments.cancel_order(session, other.account_id, order.id)
        with pytest.raises(Stale):
            await payments.cancel_order(session, who.account_id, paid.id)


async def test_a_paused_wallet_takes_no_orders(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    order = await _order(sessions, who)
    async with sessions.begin() as session:
        await wallet.pause(session, who.account_id, now=NOW)
    with pytest.raises(PaymentRefused) as caught:
        await _check(sessions, order)
    assert caught.value.reason == "paused"
    with pytest.raises(WalletPaused):
        await _order(sessions, who)


async def test_a_payment_is_credited_and_told_once(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    order = await _order(sessions, who)
    first = await _credit(sessions, _paid(order))
    again = [await _credit(sessions, _paid(order)) for _ in range(9)]
    assert first.created
    assert not any(one.created for one in again)
    assert first.order is not None
    assert first.order.state is OrderState.PAID
    assert {one.wallet.balance for one in (first, *again) if one.wallet} == {500_00}
    assert await _told(sessions) == [("topped_up", {"sum": 500_00, "balance": 500_00})]
    assert await _sum_of(sessions, SystemWallet.STARS) == -500_00
    await _sound(sessions)


async def test_the_same_charge_a_hundred_times_at_once_is_one_credit(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    order = await _order(sessions, who)
    found = await asyncio.gather(*(_credit(sessions, _paid(order)) for _ in range(100)))
    assert sum(one.created for one in found) == 1
    assert await _balance(sessions, who) == 500_00


async def test_two_charges_for_one_order_are_both_money(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    order = await _order(sessions, who)
    charges = ["a", "b", "a", "b"]
    found = await asyncio.gather(*(_credit(sessions, _paid(order, one)) for one in charges))
    assert sum(one.created for one in found) == 2
    assert await _balance(sessions, who) == 1000_00
    await _sound(sessions)


async def test_late_money_and_money_on_a_cancelled_order_is_credited(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    late, cancelled = await _order(sessions, who), await _order(sessions, who)
    async with sessions.begin() as session:
        await payments.cancel_order(session, who.account_id, cancelled.id)
    assert (await _credit(sessions, _paid(late, "a", paid_at=NOW + 48 * HOUR))).created
    assert (await _credit(sessions, _paid(cancelled, "b"))).created
    assert await _balance(sessions, who) == 1000_00


@pytest.mark.parametrize(
    "changed", [{"payload": "forged"}, {"amount": 1}, {"currency": "RUB"}, {"payload": ""}]
)
async def test_money_for_no_order_is_kept_for_the_operator(
    sessions: Sessions, changed: dict[str, object]
) -> None:
    who = await rows.person(sessions)
    order = await _order(sessions, who)
    first = await _credit(sessions, _paid(order, **changed))
    again = await _credit(sessions, _paid(order, **changed))
    assert (first, again) == (Credited(None, True, None), Credited(None, False, None))
    assert await _balance(sessions, who) == 0
    states = await rows.rows(sessions, "SELECT state, credit FROM payments")
    assert states == [("unmatched", 0)]


async def test_money_that_answers_to_an_order_after_all_is_credited_once(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    order = await _order(sessions, who)
    seen_first = _paid(order, payload="", provider_charge_id="")
    assert (await _credit(sessions, seen_first)).order is None
    done = await asyncio.gather(*(_credit(sessions, _paid(order)) for _ in range(10)))
    assert sum(one.created for one in done) == 1
    assert not (await _credit(sessions, seen_first)).created
    assert await _balance(sessions, who) == 500_00
    assert await rows.rows(
        sessions, "SELECT state, credit, order_id, provider_charge_id FROM payments"
    ) == [("credited", 500_00, order.id, "p-c1")]
    assert await _told(sessions) == [("topped_up", {"sum": 500_00, "balance": 500_00})]
    await _sound(sessions)


async def test_unmatched_money_that_goes_back_is_not_credited_any_more(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    order = await _order(sessions, who)
    await _credit(sessions, _paid(order, payload=""))
    await _begin(sessions)
    assert not (await _credit(sessions, _paid(order))).created
    await _finish(sessions)
    assert not (await _credit(sessions, _paid(order))).created
    assert await _balance(sessions, who) == 0


async def test_a_refund_takes_the_money_first(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _topped_up(sessions, who)
    assert (await _begin(sessions)).state is PaymentState.REFUNDING
    assert (await _begin(sessions)).state is PaymentState.REFUNDING
    assert await _balance(sessions, who) == 0
    assert (await _finish(sessions)).state is PaymentState.REFUNDED
    for step in (_finish, _begin, _undo):
        assert (await step(sessions)).state is PaymentState.REFUNDED
    assert await _balance(sessions, who) == 0
    assert await _sum_of(sessions, SystemWallet.STARS) == 0
    assert (await _told(sessions))[1:] == [("refunded", {"sum": 500_00, "balance": 0})]


async def test_a_refund_of_spent_money_names_what_lacks(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _topped_up(sessions, who)
    await _spend(sessions, who, 120_00)
    with pytest.raises(InsufficientFunds) as caught:
        await _begin(sessions)
    assert caught.value.missing == 120_00
    assert await _balance(sessions, who) == 380_00
    assert await rows.rows(sessions, "SELECT state FROM payments") == [("credited",)]


async def test_what_is_held_for_a_task_is_not_given_back(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _topped_up(sessions, who)
    await rows.execute(sessions, "UPDATE wallets SET reserved = 100 WHERE account_id IS NOT NULL")
    with pytest.raises(InsufficientFunds) as caught:
        await _begin(sessions)
    assert caught.value.missing == 100


async def test_a_refund_can_be_undone_and_done_again(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _topped_up(sessions, who)
    for _ in range(3):
        await _begin(sessions)
        assert await _balance(sessions, who) == 0
        for _ in range(2):
            assert (await _undo(sessions)).state is PaymentState.CREDITED
        assert await _balance(sessions, who) == 500_00
    await _begin(sessions)
    await _finish(sessions)
    assert await _balance(sessions, who) == 0
    await _sound(sessions)


async def test_nobody_can_refund_what_was_never_paid(sessions: Sessions) -> None:
    for step in (_begin, _finish, _undo):
        with pytest.raises(NotFound):
            await step(sessions)


async def test_unmatched_money_goes_back_without_touching_a_wallet(sessions: Sessions) -> None:
    order = await _order(sessions, await rows.person(sessions))
    await _credit(sessions, _paid(order, payload="forged"))
    assert (await _begin(sessions)).state is PaymentState.REFUNDING
    assert (await _undo(sessions)).state is PaymentState.UNMATCHED
    await _begin(sessions)
    assert (await _finish(sessions)).state is PaymentState.REFUNDED
    assert await rows.rows(sessions, "SELECT count(*) FROM transfers") == [(0,)]


async def test_ten_refunds_at_once_debit_once(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _topped_up(sessions, who, "c1")
    await _topped_up(sessions, who, "c2")
    await asyncio.gather(*(_begin(sessions) for _ in range(10)))
    assert await _balance(sessions, who) == 500_00


async def test_a_reported_refund_takes_the_money_once(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    order = await _topped_up(sessions, who)
    done = await asyncio.gather(*(_reported(sessions, _paid(order)) for _ in range(5)))
    assert sorted((one.created, one.taken, one.shortfall) for one in done) == [
        *[(False, 0, 0)] * 4,
        (True, 500_00, 0),
    ]
    assert await _balance(sessions, who) == 0
    async with sessions() as session:
        assert not (await wallet.wallet(session, who.account_id)).paused


async def test_a_reported_refund_of_spent_money_is_owed_and_pauses(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    order = await _topped_up(sessions, who)
    await _spend(sessions, who, 120_00)
    done = await _reported(sessions, _paid(order))
    assert (done.taken, done.shortfall) == (380_00, 120_00)
    assert await _sum_of(sessions, SystemWallet.STARS) == 0
    assert await _sum_of(sessions, SystemWallet.RECEIVABLES) == -120_00
    async with sessions() as session:
        left = await wallet.wallet(session, who.account_id)
    assert (left.balance, left.paused) == (0, True)
    told = {"sum": 500_00, "balance": 0, "shortfall": 120_00}
    assert (await _told(sessions))[-1] == ("charged_back", told)
    await _sound(sessions)


async def test_all_spent_takes_nothing_and_owes_all(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    order = await _topped_up(sessions, who)
    await _spend(sessions, who, 500_00)
    done = await _reported(sessions, _paid(order))
    assert (done.taken, done.shortfall) == (0, 500_00)
    await _sound(sessions)


async def test_our_own_refund_reported_is_finished_not_taken_twice(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    order = await _topped_up(sessions, who, "c1")
    await _topped_up(sessions, who, "c2")
    await _begin(sessions)
    done = await _reported(sessions, _paid(order))
    assert (done.created, done.payment.state) == (True, PaymentState.REFUNDED)
    assert (await _finish(sessions)).state is PaymentState.REFUNDED
    assert await _balance(sessions, who) == 500_00


async def test_a_refund_heard_of_before_its_payment_adds_up(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    order = await _order(sessions, who)
    done = await _reported(sessions, _paid(order))
    assert (done.created, done.taken, done.shortfall) == (True, 500_00, 0)
    assert not (await _credit(sessions, _paid(order))).created
    assert await _balance(sessions, who) == 0
    await _sound(sessions)


async def test_a_refund_of_unmatched_money_is_noted(sessions: Sessions) -> None:
    order = await _order(sessions, await rows.person(sessions))
    done = await _reported(sessions, _paid(order, payload="forged"))
    assert (done.payment.state, done.taken, done.shortfall) == (PaymentState.REFUNDED, 0, 0)
