"""Taps, claims, crashes and answers in any order: tasks and deliveries stay as a model says."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

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
from sqlalchemy import text

from db import deliveries, requests, tasks
from db import engine as db_engine
from tests.db import rows

_T = TypeVar("_T")
CAP = 2


@dataclass
class Task:
    account_id: int
    chat_id: int
    state: str = "queued"
    attempt: int = 0
    token: uuid.UUID | None = None


@dataclass
class Delivery:
    task_id: int
    chat_id: int
    kind: str
    state: str = "pending"
    token: uuid.UUID | None = None


class Work(RuleBasedStateMachine):
    """Two people, each in their own chat; `lost` are tokens that must open nothing any more."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.engine = db_engine.create(self.url)
        self.sessions = db_engine.session_factory(self.engine)
        self.tasks: dict[int, Task] = {}
        self.deliveries: dict[int, Delivery] = {}
        self.lost = [uuid.uuid4()]

    def do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.do(rows.empty(self.url))
        self.do(self.engine.dispose())
        self.runner.close()

    @initialize()
    def two_people(self) -> None:
        self.do(rows.free_pictures(self.sessions, 1000))
        self.people = [self.do(rows.person(self.sessions, user_id)) for user_id in (1, 2)]

    # What people do

    @rule(who=st.integers(0, 1))
    def submit(self, who: int) -> None:
        person = self.people[who]
        queued = [task for task in self.tasks.values() if task.state == "queued"]
        if sum(task.account_id == person.account_id for task in queued) >= requests.WAITING_LIMIT:
            return
        task_id = self.do(rows.queued(self.sessions, person))
        self.tasks[task_id] = Task(person.account_id, person.id)

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.tasks)))
        task = self.tasks[task_id]

        async def tap() -> bool:
            async with self.sessions.begin() as session:
                return await tasks.cancel(session, task.account_id, task_id)

        assert self.do(tap()) == (task.state in ("queued", "running"))
        if task.state in ("queued", "running"):
            self._release(task, "cancelled")

    # What gpu workers do

    @rule()
    def claim(self) -> None:
        running = Counter(t.account_id for t in self.tasks.values() if t.state == "running")
        open_ids = {
            task_id
            for task_id, task in self.tasks.items()
            if task.state == "queued" and running[task.account_id] < CAP
        }
        claimed = self.do(rows.claim(self.sessions, cap=CAP))
        if claimed is None:
            assert not open_ids
            return
        assert claimed.task_id in open_ids
        task = self.tasks[claimed.task_id]
        task.state, task.token, task.attempt = "running", claimed.token, task.attempt + 1
        assert claimed.attempt == task.attempt

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), how=st.sampled_from(["finish", "fail", "requeue", "return", "beat"]))
    def report(self, data: st.DataObject, how: str) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.tasks)))
        task = self.tasks[task_id]
        token = data.draw(st.sampled_from([*self.lost, *([task.token] if task.token else [])]))
        mine = token == task.token

        async def write() -> object:
            async with self.sessions.begin() as session:
                if how == "finish":
                    return await tasks.finish(session, task_id, token, rows.finished_album())
                if how == "fail":
                    return await tasks.fail(session, task_id, token, "broken")
                if how == "beat":
                    return await tasks.heartbeat(session, task_id, token, 45)
                return await tasks.requeue(
                    session, task_id, token, not_before_s=0,
                    spend_attempt=how == "requeue", error_code="busy",
                )  # fmt: skip

        answer = self.do(write())
        assert bool(answer) == mine
        if not mine or how == "beat":
            return
        if how == "finish":
            assert isinstance(answer, int)
            self.deliveries[answer] = Delivery(task_id, task.chat_id, "album")
            self._release(task, "done")
        elif how == "fail":
            self._release(task, "failed")
        elif how == "return":
            task.attempt -= 1
            self._release(task, "queued")
        else:
            self._release(task, "failed" if task.attempt >= tasks.MAX_ATTEMPTS else "queued")

    @rule()
    def every_process_dies(self) -> None:
        async def sweep() -> tuple[int, int]:
            async with self.sessions.begin() as session:
                counts = await tasks.sweep_leases(session)
                return counts.requeued + counts.failed, await deliveries.sweep_leases(session)

        for table in ("ml_tasks", "deliveries"):
            self.do(
                rows.execute(
                    self.sessions,
                    f"UPDATE {table} SET lease_until = now() - interval '1 s'"
                    " WHERE lease_until IS NOT NULL",
                )
            )
        running = [task for task in self.tasks.values() if task.state == "running"]
        in_the_air = [d for d in self.deliveries.values() if d.state == "sending"]
        assert self.do(sweep()) == (len(running), len(in_the_air))
        for task in running:
            self._release(task, "failed" if task.attempt >= tasks.MAX_ATTEMPTS else "queued")
        for delivery in in_the_air:
            self._release(delivery, "unknown")

    # What io workers do

    @rule()
    def claim_delivery(self) -> None:
        async def take() -> deliveries.DeliveryClaim | None:
            async with self.sessions.begin() as session:
                return await deliveries.claim(session)

        busy = {d.chat_id for d in self.deliveries.values() if d.state == "sending"}
        first: dict[int, int] = {}
        for delivery_id, delivery in sorted(
            self.deliveries.items(), key=lambda item: (item[1].kind != "actions", item[0])
        ):
            if delivery.state == "pending" and delivery.chat_id not in busy:
                first.setdefault(delivery.chat_id, delivery_id)
        claimed = self.do(take())
        if claimed is None:
            assert not first
            return
        assert claimed.id == min(first.values())
        self.deliveries[claimed.id].state = "sending"
        self.deliveries[claimed.id].token = claimed.token

    @precondition(lambda self: self.deliveries)
    @rule(data=st.data(), how=st.sampled_from(["sent", "retry", "unknown", "undeliverable"]))
    def answer(self, data: st.DataObject, how: str) -> None:
        delivery_id = data.draw(st.sampled_from(sorted(self.deliveries)))
        delivery = self.deliveries[delivery_id]
        own = [delivery.token] if delivery.token else []
        token = data.draw(st.sampled_from([*self.lost, *own]))
        mine = token == delivery.token

        async def write() -> object:
            async with self.sessions.begin() as session:
                if how == "sent":
                    return await deliveries.sent(session, delivery_id, token, [1])
                if how == "retry":
                    return await deliveries.retry(
                        session, delivery_id, token, not_before_s=0, reason="429"
                    )
                move = deliveries.unknown if how == "unknown" else deliveries.undeliverable
                return await move(session, delivery_id, token, "why")

        assert self.do(write()) == mine
        if not mine:
            return
        self._release(delivery, "pending" if how == "retry" else how)
        if how == "sent" and delivery.kind == "album":
            [(next_id,)] = self.do(
                rows.rows(self.sessions, "SELECT max(id) FROM deliveries WHERE kind = 'actions'")
            )
            assert isinstance(next_id, int)
            self.deliveries[next_id] = Delivery(delivery.task_id, delivery.chat_id, "actions")

    def _release(self, row: Task | Delivery, state: str) -> None:
        if row.token is not None:
            self.lost.append(row.token)
        row.state, row.token = state, None

    @invariant()
    def the_database_is_as_the_model_says(self) -> None:
        stored_tasks, stored_deliveries, albums = self.do(self._stored())
        assert stored_tasks == [
            (task_id, task.state, task.attempt) for task_id, task in sorted(self.tasks.items())
        ]
        assert stored_deliveries == [
            (id_, d.task_id, d.kind, d.state) for id_, d in sorted(self.deliveries.items())
        ]
        assert albums == [
            (id_, 2) for id_, task in sorted(self.tasks.items()) if task.state == "done"
        ]

    async def _stored(self) -> list[list[tuple[object, ...]]]:
        queries = (
            "SELECT id, state, attempt FROM ml_tasks ORDER BY id",
            "SELECT id, task_id, kind, state FROM deliveries ORDER BY id",
            "SELECT task_id, count(*) FROM predictions GROUP BY task_id ORDER BY task_id",
        )
        async with self.sessions() as session:
            return [[tuple(row) for row in await session.execute(text(query))] for query in queries]


def test_any_order_of_events_keeps_the_states(shared_database_url: str) -> None:
    class OnThisDatabase(Work):
        url = shared_database_url

    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(max_examples=10, stateful_step_count=25, deadline=None, database=None),
    )
