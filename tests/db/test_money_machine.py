"""Top-ups, orders, renewals, refunds and crashes in any order: the books stay as a model says.

MONEY_RUNS sets how many runs there are, for more than the suite has time for.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from db import engine as db_engine
from db import payments, plans, quotas, refunds, requests, tasks, wallet
from db.errors import DbError, InsufficientFunds, LimitReached, QuotaOut, WalletPaused
from db.money_views import Agreed, Credited, Paid, Quote, Renewed
from db.states import PaymentMethod
from tests.db import rows

_T = TypeVar("_T")
RUNS = int(os.environ.get("MONEY_RUNS", "25"))
STEPS = 50
PICTURE = {"free": 900, "start": 700, "profi": 500, "studio": 400}

_DONE = (
    "UPDATE ml_tasks SET state = 'done', finished_at = now(), prompt = '{}', judge = 'j',"
    " generator = 'g', timings_ms = '{}' WHERE id = :id AND state = 'queued'"
)

crashes = st.one_of(st.none(), st.none(), st.integers(0, 12))
"""After how many statements the process dies, if it does."""


class Crash(Exception):
    """The process is gone: its transaction is rolled back."""


@dataclass
class Account:
    id: int
    user_id: int
    balance: int = 0


@dataclass
class Task:
    """`quota` and `paid` as they were held; `captured`: None until resolved."""

    account: Account
    quota: int
    paid: int
    price: int
    captured: tuple[int, int] | None = None
    is_over: bool = False


@dataclass
class Payment:
    account: Account
    paid: Paid
    credit: int
    state: str = "credited"


@dataclass
class Model:
    accounts: list[Account]
    tasks: dict[int, Task] = field(default_factory=dict)
    payments: list[Payment] = field(default_factory=list)
    seen: list[tuple[object, ...]] = field(default_factory=list)


class Money(RuleBasedStateMachine):
    """Two people with plans small enough to run out. Every rule is one transaction; a crash may
    strike before any of its statements."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.engine = db_engine.create(self.url)
        self.sessions = db_engine.session_factory(self.engine)
        self.now = rows.NOW
        self.statements_left: int | None = None
        event.listen(self.engine.sync_engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        if self.statements_left is not None:
            if self.statements_left == 0:
                raise Crash
            self.statements_left -= 1

    def do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.do(self.engine.dispose())
        self.do(rows.empty(self.url))
        self.runner.close()

    @initialize()
    def two_people(self) -> None:
        self.do(rows.free_pictures(self.sessions, 6))
        self.do(rows.execute(self.sessions, "UPDATE plans SET images_limit = 12 WHERE price > 0"))
        people = [self.do(rows.person(self.sessions, user_id)) for user_id in (1, 2)]
        self.model = Model([Account(person.account_id, person.id) for person in people])

    def transact(
        self, crash: int | None, work: Callable[[AsyncSession], Awaitable[_T]]
    ) -> _T | DbError | None:
        """What came of it, be it a refusal. None: it crashed, and must have left nothing."""

        async def run() -> _T:
            async with self.sessions.begin() as session:
                return await work(session)

        self.statements_left = crash
        try:
            return self.do(run())
        except DbError as refusal:
            return refusal
        except Crash:
            return None
        finally:
            self.statements_left = None

    # Money in and out

    @rule(who=st.integers(0, 1), credit=st.integers(1, 500_000), crash=crashes)
    def top_up(self, who: int, credit: int, crash: int | None) -> None:
        account, charge_id = self.model.accounts[who], f"charge:{len(self.model.payments)}"

        async def pay(session: AsyncSession) -> Paid:
            order = await payments.open_order(
                session, account.id, account.user_id, method=PaymentMethod.STARS, credit=credit,
                rate=150, chat_id=1, now=self.now, ttl=timedelta(hours=1),
            )  # fmt: skip
            paid = Paid(
                order.payload, account.user_id, "XTR", order.amount, charge_id, "", self.now
            )
            assert (await payments.credit(session, paid)).created
            return paid

        paid = self.transact(crash, pay)
        assert isinstance(paid, Paid | WalletPaused | None)
        if isinstance(paid, Paid):
            self.model.payments.append(Payment(account, paid, credit))
            account.balance += credit

    @precondition(lambda self: self.model.payments)
    @rule(data=st.data(), crash=crashes)
    def pay_again(self, data: st.DataObject, crash: int | None) -> None:
        """Telegram says it twice."""
        payment = data.draw(st.sampled_from(self.model.payments))
        credited = self.transact(crash, lambda s: payments.credit(s, payment.paid))
        assert credited is None or (isinstance(credited, Credited) and not credited.created)

    @precondition(lambda self: self.model.payments)
    @rule(data=st.data(), crash=crashes, how=st.sampled_from(["begin", "finish", "undo", "told"]))
    def refund(self, data: st.DataObject, crash: int | None, how: str) -> None:
        payment = data.draw(st.sampled_from(self.model.payments))
        account, charge_id = payment.account, payment.paid.charge_id
        free = account.balance - self._reserved(account)
        calls: dict[str, Callable[[AsyncSession], Awaitable[object]]] = {
            "begin": lambda s: refunds.begin(s, charge_id, operator="x"),
            "finish": lambda s: refunds.finish(s, charge_id, now=self.now),
            "undo": lambda s: refunds.undo(s, charge_id),
            "told": lambda s: refunds.reported(s, payment.paid, now=self.now),
        }
        done = self.transact(crash, calls[how])
        if isinstance(done, InsufficientFunds):
            assert (how, payment.state) == ("begin", "credited")
            assert done.missing == payment.credit - free > 0
            return
        assert not isinstance(done, DbError)
        if done is None:
            return
        if (how, payment.state) == ("begin", "credited"):
            payment.state, account.balance = "refunding", account.balance - payment.credit
        elif (how, payment.state) == ("undo", "refunding"):
            payment.state, account.balance = "credited", account.balance + payment.credit
        elif how == "told" and payment.state == "credited":
            payment.state, account.balance = "refunded", account.balance - min(free, payment.credit)
        elif how in ("finish", "told") and payment.state == "refunding":
            payment.state = "refunded"

    @rule(who=st.integers(0, 1), crash=crashes)
    def resume(self, who: int, crash: int | None) -> None:
        self.transact(crash, lambda s: wallet.resume(s, self.model.accounts[who].id))

    # Work

    @rule(who=st.integers(0, 1), on=st.booleans(), crash=crashes)
    def switch(self, who: int, on: bool, crash: int | None) -> None:
        account_id = self.model.accounts[who].id
        self.transact(
            crash, lambda s: plans.switch_pay_per_picture(s, account_id, on, now=self.now)
        )

    @rule(who=st.integers(0, 1), count=st.integers(1, 4), crash=crashes)
    def order(self, who: int, count: int, crash: int | None) -> None:
        account = self.model.accounts[who]
        person = rows.Person(account.user_id, account.id)

        async def submit(session: AsyncSession) -> int:
            draft, _ = await requests.draft(session, rows.new_draft(person, count=count))
            submitted = await requests.submit(
                session, account.id, draft.id, "tap", chat_id=1, thread_id=None, now=self.now
            )
            return submitted.task_id

        task_id = self.transact(crash, submit)
        if isinstance(task_id, QuotaOut):
            assert task_id.left < count
            assert task_id.missing is None or task_id.missing > 0
        if not isinstance(task_id, int):
            assert isinstance(task_id, QuotaOut | WalletPaused | LimitReached | None)
            return
        [(quota, paid, price)] = self.do(
            rows.rows(
                self.sessions,
                "SELECT quota, paid, picture_price FROM holds WHERE task_id = :id",
                id=task_id,
            )
        )
        assert isinstance(quota, int)
        assert isinstance(paid, int)
        assert isinstance(price, int)
        assert quota + paid == count
        assert not paid or price in PICTURE.values()
        self.model.tasks[task_id] = Task(account, quota, paid, price)

    @precondition(lambda self: self.model.tasks)
    @rule(data=st.data(), crash=crashes, made=st.integers(1, 5))
    def capture(self, data: st.DataObject, crash: int | None, made: int) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.model.tasks)))
        task = self.model.tasks[task_id]

        async def end(session: AsyncSession) -> bool:
            await session.execute(text(_DONE), {"id": task_id})
            return await quotas.capture(session, task_id, made)

        captured = self.transact(crash, end)
        if captured is None:
            return
        task.is_over = True
        assert captured == (task.captured is None)
        if captured:
            of_quota = min(made, task.quota)
            task.captured = (of_quota, min(made - of_quota, task.paid))
            task.account.balance -= task.captured[1] * task.price

    @precondition(lambda self: self.model.tasks)
    @rule(data=st.data(), crash=crashes, how=st.sampled_from(["void", "cancel"]))
    def void(self, data: st.DataObject, crash: int | None, how: str) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.model.tasks)))
        task = self.model.tasks[task_id]

        async def stop(session: AsyncSession) -> bool:
            if how == "void":
                return await quotas.void(session, task_id)
            return await tasks.cancel(session, task.account.id, task_id)

        stopped = self.transact(crash, stop)
        if stopped is None:
            return
        if how == "void":
            assert stopped == (task.captured is None)
        else:
            assert stopped == (not task.is_over)
            task.is_over = True
        if stopped and task.captured is None:
            task.captured = (0, 0)

    @rule(crash=crashes)
    def sweep(self, crash: int | None) -> None:
        """Every hold whose task is over was resolved with it."""
        assert self.transact(crash, quotas.sweep) in (None, 0)

    # Plans

    @rule(
        who=st.integers(0, 1), code=st.sampled_from(sorted(PICTURE)), key=st.integers(0, 30),
        crash=crashes,
    )  # fmt: skip
    def choose(self, who: int, code: str, key: int, crash: int | None) -> None:
        """An upgrade or a downgrade, whichever it is; a key met again charges nothing."""
        account = self.model.accounts[who]
        free = account.balance - self._reserved(account)
        known = self.do(self._is_known(f"plan:{account.id}:{key}"))

        async def take(session: AsyncSession) -> Quote:
            offer = await plans.quote(session, account.id, code, now=self.now)
            agreed = Agreed(offer.to_pay, f"{key}")
            await plans.choose(session, account.id, code, now=self.now, agreed=agreed)
            return offer

        offer = self.transact(crash, take)
        assert isinstance(offer, Quote | InsufficientFunds | WalletPaused | None)
        if isinstance(offer, InsufficientFunds):
            assert not known
            assert offer.missing > 0
        if isinstance(offer, Quote) and not known:
            assert 0 <= offer.to_pay <= free
            account.balance -= offer.to_pay

    @rule(who=st.integers(0, 1), crash=crashes)
    def renew(self, who: int, crash: int | None) -> None:
        account = self.model.accounts[who]
        free = account.balance - self._reserved(account)
        renewed = self.transact(crash, lambda s: plans.renew(s, account.id, now=self.now))
        assert isinstance(renewed, Renewed | None)
        if renewed is not None and renewed.outcome == "renewed":
            price = renewed.standing.period.price
            assert price <= free
            account.balance -= price

    @rule(days=st.integers(0, 20))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days, hours=5)

    # What must always be so

    @invariant()
    def the_books_are_right(self) -> None:
        wallets, transfers, holds, periods, audit = self.do(self._books())
        assert audit == wallet.Audit(total=0, wrong=())
        entries: defaultdict[object, int] = defaultdict(int)
        for _, source, destination, amount in transfers:
            entries[source] -= amount
            entries[destination] += amount
        reserved = {account.id: self._reserved(account) for account in self.model.accounts}
        assert sum(entries.values()) == 0
        for wallet_id, account_id, balance, held in wallets:
            if account_id is None:
                continue
            assert entries[wallet_id] == balance
            assert 0 <= held <= balance
            assert held == reserved[account_id]
        balances = {account_id: balance for _, account_id, balance, _ in wallets if account_id}
        for account in self.model.accounts:
            assert balances.get(account.id, 0) == account.balance
        assert transfers[: len(self.model.seen)] == self.model.seen
        self.model.seen = transfers
        self._holds_are_right(holds, periods)

    def _holds_are_right(self, holds: list[Any], periods: list[Any]) -> None:
        assert [row[0] for row in holds] == sorted(self.model.tasks)
        used: defaultdict[int, int] = defaultdict(int)
        held: defaultdict[int, int] = defaultdict(int)
        for task_id, period_id, state, quota, paid, of_quota, of_paid in holds:
            task = self.model.tasks[task_id]
            assert (quota, paid) == (task.quota, task.paid)
            assert (state == "open") == (task.captured is None)
            assert (of_quota, of_paid) == (task.captured or (0, 0))
            if task.captured is None:
                held[period_id] += quota
            used[period_id] += of_quota
        for period_id, limit, period_used, period_held in periods:
            assert (period_used, period_held) == (used[period_id], held[period_id])
            assert period_used + period_held <= limit

    def _reserved(self, account: Account) -> int:
        return sum(
            task.paid * task.price
            for task in self.model.tasks.values()
            if task.account is account and task.captured is None
        )

    async def _is_known(self, key: str) -> bool:
        return bool(
            await rows.rows(self.sessions, "SELECT id FROM transfers WHERE key = :key", key=key)
        )

    async def _books(self) -> tuple[Any, ...]:
        queries = (
            "SELECT id, account_id, balance, reserved FROM wallets ORDER BY id",
            "SELECT id, source_id, destination_id, amount FROM transfers ORDER BY id",
            "SELECT task_id, period_id, state, quota, paid, captured_quota, captured_paid"
            " FROM holds ORDER BY task_id",
            "SELECT id, images_limit, used, held FROM periods",
        )
        async with self.sessions() as session:
            found = [
                [tuple(row) for row in await session.execute(text(query))] for query in queries
            ]
            return *found, await wallet.audit(session)


@pytest.mark.timeout(60 + RUNS * 10)
def test_any_order_of_events_keeps_the_books(shared_database_url: str) -> None:
    class OnThisDatabase(Money):
        url = shared_database_url

    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=RUNS, stateful_step_count=STEPS, deadline=None, database=None
        ),
    )
