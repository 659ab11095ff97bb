"""Money moves exactly once, never more than there is, and nothing of it is ever changed."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError

from db import wallet
from db.errors import InsufficientFunds, KeyReused, NotFound
from db.money_views import Transferred
from db.states import SystemWallet, TransferKind
from tests.db import rows
from tests.db.rows import Sessions

REVENUE, OPERATOR, STARS = SystemWallet.REVENUE, SystemWallet.OPERATOR, SystemWallet.STARS
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

_keys = (f"key:{n}" for n in itertools.count())


async def _credit(sessions: Sessions, account_id: int, amount: int) -> Transferred:
    async with sessions.begin() as session:
        return await wallet.transfer(
            session, OPERATOR, account_id, amount, TransferKind.CREDIT, next(_keys)
        )


async def _debit(
    sessions: Sessions, account_id: int, amount: int, key: str | None = None
) -> Transferred:
    async with sessions.begin() as session:
        return await wallet.transfer(
            session, account_id, REVENUE, amount, TransferKind.PICTURES, key or next(_keys)
        )


async def _balance(sessions: Sessions, account_id: int) -> int:
    async with sessions() as session:
        return (await wallet.wallet(session, account_id)).balance


async def _sound(sessions: Sessions) -> None:
    async with sessions() as session:
        assert await wallet.audit(session) == wallet.Audit(total=0, wrong=())


async def _count(sessions: Sessions) -> int:
    [(count,)] = await rows.rows(sessions, "SELECT count(*) FROM transfers")
    assert isinstance(count, int)
    return count


async def _at_once(count: int, one: Callable[[int], Awaitable[object]]) -> Counter[object]:
    """What came of `count` calls started together: their results, or the kinds of their errors."""
    answers = await asyncio.gather(*(one(n) for n in range(count)), return_exceptions=True)
    return Counter(type(a) if isinstance(a, BaseException) else a for a in answers)


async def test_moves_money_and_says_how_much_there_is(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _credit(sessions, who.account_id, 500)
    await _debit(sessions, who.account_id, 120)
    async with sessions() as session:
        view = await wallet.wallet(session, who.account_id)
    assert view == wallet.WalletView(who.account_id, balance=380, reserved=0, paused=False)
    assert view.free == 380
    await _sound(sessions)


async def test_an_account_without_money_has_an_empty_wallet(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    assert await _balance(sessions, who.account_id) == 0
    with pytest.raises(InsufficientFunds) as caught:
        await _debit(sessions, who.account_id, 7)
    assert caught.value.missing == 7


async def test_an_unknown_account_gets_no_money(sessions: Sessions) -> None:
    with pytest.raises(NotFound):
        await _credit(sessions, 999, 5)
    assert await _count(sessions) == 0


async def test_money_moves_between_accounts_and_between_system_wallets(sessions: Sessions) -> None:
    one, two = [(await rows.person(sessions, n)).account_id for n in (1, 2)]
    await _credit(sessions, one, 100)
    async with sessions.begin() as session:
        await wallet.transfer(session, one, two, 30, TransferKind.CREDIT, "between")
        await wallet.transfer(
            session, SystemWallet.RECEIVABLES, STARS, 5, TransferKind.CHARGEBACK, "lost"
        )
    assert (await _balance(sessions, one), await _balance(sessions, two)) == (70, 30)
    await _sound(sessions)


async def test_an_amount_is_positive_and_goes_elsewhere(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    for amount in (0, -1):
        with pytest.raises(ValueError, match="amount"):
            await _debit(sessions, who.account_id, amount)
    async with sessions() as session:
        with pytest.raises(ValueError, match="same"):
            await wallet.transfer(session, STARS, STARS, 1, TransferKind.CREDIT, "k")


async def test_a_thousand_debits_take_what_there_is_and_no_more(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _credit(sessions, who.account_id, 500)
    came = await _at_once(1000, lambda n: _succeeds(_debit(sessions, who.account_id, 1)))
    assert came == {True: 500, InsufficientFunds: 500}
    assert await _balance(sessions, who.account_id) == 0
    assert await _count(sessions) == 501
    await _sound(sessions)


async def test_the_same_key_a_thousand_times_is_one_transfer(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _credit(sessions, who.account_id, 5000)
    came = await _at_once(1000, lambda n: _created(_debit(sessions, who.account_id, 3, "once")))
    assert came == {True: 1, False: 999}
    assert await _balance(sessions, who.account_id) == 4997
    await _sound(sessions)


async def test_the_same_key_with_another_sum_is_refused_every_time(sessions: Sessions) -> None:
    """Half of a thousand ask for one sum, half for another: one of the two sums wins for all."""
    who = await rows.person(sessions)
    await _credit(sessions, who.account_id, 5000)
    came = await _at_once(
        1000, lambda n: _created(_debit(sessions, who.account_id, 3 + n % 2, "once"))
    )
    assert came == {True: 1, False: 499, KeyReused: 500}
    assert await _balance(sessions, who.account_id) in (4996, 4997)
    assert await _count(sessions) == 2


async def test_a_key_stands_for_its_wallets_and_its_kind_too(sessions: Sessions) -> None:
    one, two = [(await rows.person(sessions, n)).account_id for n in (1, 2)]
    for account_id in (one, two):
        await _credit(sessions, account_id, 100)
    await _debit(sessions, one, 5, "once")
    async with sessions.begin() as session:
        for source, destination, kind in (
            (two, REVENUE, TransferKind.PICTURES),
            (one, STARS, TransferKind.PICTURES),
            (one, REVENUE, TransferKind.UPGRADE),
            (REVENUE, one, TransferKind.PICTURES),
        ):
            with pytest.raises(KeyReused):
                await wallet.transfer(session, source, destination, 5, kind, "once")
    assert (await _balance(sessions, one), await _balance(sessions, two)) == (95, 100)


async def test_the_same_key_is_found_again_when_the_money_is_gone(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _credit(sessions, who.account_id, 5)
    first = await _debit(sessions, who.account_id, 5, "once")
    again = await _debit(sessions, who.account_id, 5, "once")
    assert again == Transferred(id=first.id, created=False)


async def test_a_twin_waits_and_finds_what_was_made_meanwhile(sessions: Sessions) -> None:
    """The last money goes in the transaction that the twin waits for."""
    who = await rows.person(sessions)
    await _credit(sessions, who.account_id, 5)
    async with sessions.begin() as session:
        made = await wallet.transfer(
            session, who.account_id, REVENUE, 5, TransferKind.PICTURES, "once"
        )
        twin = asyncio.create_task(_debit(sessions, who.account_id, 5, "once"))
        await _until_waiting(sessions)
    assert await twin == Transferred(id=made.id, created=False)
    assert await _balance(sessions, who.account_id) == 0


async def test_a_twin_of_what_was_rolled_back_is_the_first(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _credit(sessions, who.account_id, 5)
    async with sessions() as session:
        await wallet.transfer(session, who.account_id, REVENUE, 5, TransferKind.PICTURES, "once")
        twin = asyncio.create_task(_debit(sessions, who.account_id, 5, "once"))
        await _until_waiting(sessions)
        await session.rollback()
    assert (await twin).created
    assert await _balance(sessions, who.account_id) == 0
    await _sound(sessions)


async def test_first_credits_of_an_account_at_once_all_arrive(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    came = await _at_once(50, lambda n: _created(_credit(sessions, who.account_id, 2)))
    assert came == {True: 50}
    assert await _balance(sessions, who.account_id) == 100


async def test_accounts_that_pay_each_other_never_block_for_good(sessions: Sessions) -> None:
    ids = [(await rows.person(sessions, n)).account_id for n in (1, 2)]
    for account_id in ids:
        await _credit(sessions, account_id, 1000)

    async def pay(n: int) -> bool:
        source, destination = ids if n % 2 else ids[::-1]
        async with sessions.begin() as session:
            await wallet.transfer(session, source, destination, 1, TransferKind.CREDIT, f"pay:{n}")
        return True

    assert await _at_once(200, pay) == {True: 200}
    await _sound(sessions)


async def test_nothing_is_written_after_an_error_though_the_caller_goes_on(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    await _credit(sessions, who.account_id, 10)
    await _debit(sessions, who.account_id, 4, "once")
    async with sessions.begin() as session:
        with pytest.raises(InsufficientFunds) as caught:
            await wallet.transfer(
                session, who.account_id, REVENUE, 9, TransferKind.PICTURES, "more"
            )
        with pytest.raises(KeyReused):
            await wallet.transfer(
                session, who.account_id, REVENUE, 5, TransferKind.PICTURES, "once"
            )
    assert caught.value.missing == 3
    assert await _balance(sessions, who.account_id) == 6
    assert await _count(sessions) == 2
    await _sound(sessions)


async def test_what_is_reserved_can_not_be_spent(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _credit(sessions, who.account_id, 10)
    await rows.execute(sessions, "UPDATE wallets SET reserved = 8 WHERE account_id IS NOT NULL")
    with pytest.raises(InsufficientFunds) as caught:
        await _debit(sessions, who.account_id, 3)
    assert caught.value.missing == 1
    assert (await _debit(sessions, who.account_id, 2)).created


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transfers SET amount = amount + 1",
        "UPDATE transfers SET memo = '{}' WHERE false",
        "DELETE FROM transfers",
        "TRUNCATE transfers CASCADE",
    ],
)
async def test_the_database_refuses_to_change_a_transfer(
    sessions: Sessions, statement: str
) -> None:
    who = await rows.person(sessions)
    await _credit(sessions, who.account_id, 10)
    before = await rows.rows(sessions, "SELECT * FROM transfers")
    with pytest.raises(IntegrityError, match="never changed"):
        await rows.execute(sessions, statement)
    assert await rows.rows(sessions, "SELECT * FROM transfers") == before


async def test_movements_are_paged_and_say_what_was_left_after_each(sessions: Sessions) -> None:
    who, other = await rows.person(sessions), await rows.person(sessions, 2)
    expected, balance = [], 0
    for n in range(1, 12):
        amount = 100 + n if n % 3 else -n
        move = _credit if amount > 0 else _debit
        await move(sessions, who.account_id, abs(amount))
        await _credit(sessions, other.account_id, 9)
        balance += amount
        expected.append((amount, balance))
    async with sessions() as session:
        seen, before_id = [], None
        while True:
            page = await wallet.movements(session, who.account_id, before_id=before_id, limit=4)
            seen += [(item.amount, item.balance_after) for item in page.items]
            before_id = page.next_before_id
            if before_id is None:
                break
        whole = await wallet.statement(session, who.account_id)
    assert seen == expected[::-1]
    assert [(item.amount, item.balance_after) for item in whole] == expected


async def test_the_last_page_says_that_it_is_the_last(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    for _ in range(3):
        await _credit(sessions, who.account_id, 1)
    async with sessions() as session:
        page = await wallet.movements(session, who.account_id, limit=3)
        empty = await wallet.movements(session, 999)
    assert (len(page.items), page.next_before_id) == (3, None)
    assert (empty.items, empty.next_before_id) == ((), None)


async def test_a_movement_keeps_its_kind_and_memo(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    async with sessions.begin() as session:
        await wallet.transfer(
            session, OPERATOR, who.account_id, 5, TransferKind.CREDIT, "k", {"note": "за ёлку"}
        )
    async with sessions() as session:
        [movement] = (await wallet.movements(session, who.account_id)).items
    assert (movement.kind, movement.memo) == (TransferKind.CREDIT, {"note": "за ёлку"})


async def test_a_pause_lasts_until_it_is_ended(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    seen = []
    for step in ("pause", "pause", "resume", "resume"):
        async with sessions.begin() as session:
            if step == "pause":
                await wallet.pause(session, who.account_id, now=NOW)
            else:
                await wallet.resume(session, who.account_id)
            seen.append((await wallet.wallet(session, who.account_id)).paused)
    assert seen == [True, True, False, False]
    async with sessions.begin() as session:
        with pytest.raises(NotFound):
            await wallet.pause(session, 999, now=NOW)


@pytest.mark.parametrize(
    ("accident", "total"),
    [
        ("UPDATE wallets SET balance = balance + 1 WHERE account_id = :id", 1),
        ("UPDATE wallets SET reserved = 1 WHERE account_id = :id", 0),
    ],
)
async def test_the_audit_finds_whose_figures_are_wrong(
    sessions: Sessions, accident: str, total: int
) -> None:
    right, wrong = [(await rows.person(sessions, n)).account_id for n in (1, 2)]
    for account_id in (right, wrong):
        await _credit(sessions, account_id, 50)
    await _debit(sessions, wrong, 20)
    await _sound(sessions)
    await rows.execute(sessions, accident, id=wrong)
    async with sessions() as session:
        assert await wallet.audit(session) == wallet.Audit(total=total, wrong=(wrong,))


async def _succeeds(work: Awaitable[Transferred]) -> bool:
    return (await work).id > 0


async def _created(work: Awaitable[Transferred]) -> bool:
    return (await work).created


async def _until_waiting(sessions: Sessions) -> None:
    """Until a connection to this database waits for a lock."""
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(5):
        while (await rows.rows(sessions, query)) == [(0,)]:
            await asyncio.sleep(0.005)
