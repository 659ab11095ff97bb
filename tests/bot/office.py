"""A team with everything a button can touch, and people of every role around it."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiogram.filters.callback_data import CallbackData
from sqlalchemy import text

from bot.callbacks import PostTap
from db import approvals, brands, channels, payments, plans, posts, requests, teams
from db.states import PaymentMethod, Role
from db.views import NewDraft
from tests.bot.stage import Stage
from tests.db import rows
from tests.sim import ANNA, BEN, Message

RUSSIAN = {"language_code": "ru"}

PEOPLE: dict[str, tuple[int, Role | None]] = {
    "stranger": (7101, None),
    "ex-member": (7102, None),
    "removed": (7103, None),
    "another team's owner": (7104, None),
    "viewer": (7105, Role.VIEWER),
    "approver": (7106, Role.APPROVER),
    "editor": (7107, Role.EDITOR),
    "admin": (7108, Role.ADMIN),
    "owner": (ANNA, Role.OWNER),
}
"""Who presses, and what they are in the team; Ben is the member to whom things are done."""

_OF_ACCOUNT = (
    "members", "brands", "ml_requests", "ml_tasks", "approvals", "events", "channels", "posts",
    "orders", "subscriptions", "periods", "notices",
)  # fmt: skip
_QUERIES = (
    *(f"SELECT '{one}' AS t, to_jsonb(x) AS r FROM {one} x WHERE account_id = :id"
      for one in _OF_ACCOUNT),
    "SELECT 'accounts', to_jsonb(x) FROM accounts x WHERE id = :id",
    "SELECT 'wallets', to_jsonb(x) FROM wallets x WHERE account_id = :id",
    "SELECT 'settings', to_jsonb(x) FROM user_settings x WHERE user_id = 1002",
    *(f"SELECT '{one}', to_jsonb(x) FROM {one} x JOIN ml_tasks k ON k.id = x.task_id"
      " WHERE k.account_id = :id" for one in ("votes", "deliveries")),
    "SELECT 'suggestions', to_jsonb(x) FROM suggestions x JOIN posts p ON p.id = x.post_id"
    " WHERE p.account_id = :id",
    *(f"SELECT '{one}', to_jsonb(x) FROM {one} x JOIN approvals a ON a.id = x.approval_id"
      " WHERE a.account_id = :id" for one in ("approvers", "approval_questions")),
)  # fmt: skip
_STATE = (
    "SELECT md5(string_agg(t || r::text, '' ORDER BY t, r::text)) AS state FROM ("
    + " UNION ALL ".join(_QUERIES)
    + ") everything"
)

# As before the first tap, and as if the presser had once asked for all of it.
_AS_BEFORE = """
UPDATE members SET role = 'admin' WHERE account_id = {id} AND user_id = 1002;
UPDATE members SET role = 'owner' WHERE account_id = {id} AND user_id = 1001;
UPDATE members SET role = 'editor', left_at = NULL, removed_by = NULL
    WHERE account_id = {id} AND user_id = 1002;
UPDATE accounts SET owner_user_id = 1001, approvals_needed = 1, remind_after_h = 24,
    default_brand_id = NULL, time_zone = 'Europe/Moscow', late_posts = 'ask' WHERE id = {id};
UPDATE brands SET deleted_at = NULL, marks_ai = false, signature = 'Ждём вас'
    WHERE account_id = {id};
DELETE FROM approval_questions;
DELETE FROM approvers;
DELETE FROM approvals WHERE task_id = {album};
UPDATE approvals SET state = 'open', decided_at = NULL, decided_by = NULL, reason = NULL
    WHERE id = {round};
DELETE FROM votes;
UPDATE ml_tasks SET state = 'cancelled', finished_at = now()
    WHERE account_id = {id} AND state = 'queued';
UPDATE ml_tasks SET hidden_at = NULL, chosen_prediction_id = NULL, user_id = {presser}
    WHERE account_id = {id};
UPDATE deliveries SET state = 'unknown', reason = 'x', sent_at = NULL, message_ids = '{{}}'
    WHERE task_id = {album};
UPDATE channels SET removed_at = NULL WHERE account_id = {id};
UPDATE posts SET state = 'draft', publish_at = NULL, ranks = '{{1}}', caption = 'Было',
    parts = DEFAULT
    WHERE id = {post};
UPDATE posts SET state = 'unknown', publish_at = now(), sent_at = NULL, shown_caption = NULL,
    shown_parts = NULL, reason = 'x' WHERE id = {lost_post};
DELETE FROM suggestions WHERE post_id = {post};
INSERT INTO suggestions (post_id, state, caption, writer, locale, chat_id, message_id)
    VALUES ({post}, 'ready', 'Ждём', 'templates', 'ru', 1, 1);
UPDATE orders SET state = 'open' WHERE id = {order};
UPDATE subscriptions SET next_plan_code = NULL, pays_per_picture = false WHERE account_id = {id}
"""


@dataclass
class Office:
    """The team's group and the ids of what it has."""

    live: Stage
    chat_id: int
    account_id: int
    ids: dict[str, int] = field(default_factory=dict)
    presser_id: int = ANNA
    numbers: Any = field(default_factory=lambda: itertools.count(100_000))
    cards: dict[tuple[int, int], Message] = field(default_factory=dict)
    elsewhere_id: int = 0
    seen: int = 0

    async def state(self) -> str:
        """Everything the team has, in short."""
        (row,) = await self.live.rows(_STATE, id=self.account_id)
        return str(row["state"])

    async def as_before(self, presser_id: int) -> None:
        """Undoes what taps have done; what there is was asked for by the presser."""
        self.presser_id = presser_id
        script = _AS_BEFORE.format(**self.ids, id=self.account_id, presser=presser_id)
        async with self.live.sessions.begin() as session:
            raw = await (await session.connection()).get_raw_connection()
            assert raw.driver_connection is not None
            await raw.driver_connection.execute(script)  # all of it in one message to Postgres

    async def draft(self) -> int:
        """A draft of the presser, from when they had the right."""
        async with self.live.sessions.begin() as session:
            made, _ = await requests.draft(
                session,
                NewDraft(
                    account_id=self.account_id, user_id=self.presser_id, chat_id=self.chat_id,
                    source_message_id=next(self.numbers), raw_prompt="кофе", cleaned_prompt="кофе",
                    seed=1, locale="ru", count=2,
                ),
            )  # fmt: skip
        return made.id

    async def task(self) -> int:
        """A task that waits."""
        request_id = await self.draft()
        async with self.live.sessions.begin() as session:
            submitted = await requests.submit(
                session, self.account_id, request_id, "create",
                chat_id=self.chat_id, thread_id=None, now=datetime.now(UTC),
            )  # fmt: skip
        return submitted.task_id

    async def execute(self, statement: str, **values: object) -> None:
        await execute(self.live, statement, **values)

    async def press(self, tap: CallbackData, chat_id: int, *, to_the_end: bool) -> list[Message]:
        """A tap of the presser, as Telegram hands it to the bot; what the bot called up to its
        answer, or `to_the_end` of its handling."""
        for pattern in ("pace:*", "tapped:*"):
            keys = [key async for key in self.live.redis.scan_iter(pattern)]
            if keys:
                await self.live.redis.delete(*keys)
        await self._card(chat_id)
        calls = await self._handled(tap.pack(), chat_id)
        if to_the_end:  # a person's updates are handled in order
            calls += (await self._handled(_NOTHING, chat_id))[:-1]
        return calls

    async def _handled(self, data: str, chat_id: int) -> list[Message]:
        """The calls up to the answer of this tap."""
        query_id = str(next(self.numbers))
        user = {"id": self.presser_id, "is_bot": False, "first_name": "x", **RUSSIAN}
        card = await self._card(chat_id)
        query = {"id": query_id, "from": user, "message": card, "chat_instance": "1", "data": data}
        await self.live.push({"callback_query": query})
        while True:
            calls = (await self.live.sim.get("log", after=self.seen))["calls"]
            for place, call in enumerate(calls):
                if call["arguments"].get("callback_query_id") == query_id:
                    self.seen = call["n"]
                    return list(calls[: place + 1])
            await asyncio.sleep(0.005)

    async def _card(self, chat_id: int) -> Message:
        """A card of the bot in that chat, the same for all taps of the presser there: what a tap
        makes is made once for its card."""
        place = chat_id, self.presser_id
        if place not in self.cards:
            sent = await self.live.bot.send_message(chat_id, "карточка")
            self.seen = (await self.live.sim.calls())[-1]["n"]
            found = await self.live.sim.get(f"chats/{chat_id}/messages")
            (self.cards[place],) = (
                one for one in found["messages"] if one["message_id"] == sent.message_id
            )
        return self.cards[place]

    async def changes(self, before: str, *, patience_s: float) -> bool:
        """Whether the team's things differ, by now or soon."""
        deadline = time.monotonic() + patience_s
        while await self.state() == before:
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(0.01)
        return True


_NOTHING = PostTap(do="nothing", post_id=0).pack()
_SILENT = ("getUpdates", "getChatMember", "getChatAdministrators", "getMe")


def said(calls: list[Message]) -> list[Message]:
    """What people can notice of these calls."""
    return [one for one in calls if one["method"] not in _SILENT]


def is_quiet(calls: list[Message]) -> bool:
    """Whether the one thing said was an answer in words, without an alert."""
    heard = said(calls)
    if [call["method"] for call in heard] != ["answerCallbackQuery"]:
        return False
    answer = heard[0]["arguments"]
    return bool(answer.get("text")) and str(answer.get("show_alert")).lower() != "true"


async def execute(live: Stage, statement: str, **values: object) -> None:
    async with live.sessions.begin() as session:
        await session.execute(text(statement), values)


async def member(live: Stage, account_id: int, user_id: int, role: Role) -> None:
    await execute(
        live,
        "INSERT INTO members (account_id, user_id, role) VALUES (:account, :user, :role)"
        " ON CONFLICT (account_id, user_id) DO UPDATE SET role = :role, looks_on = false,"
        " left_at = NULL, removed_by = NULL",
        account=account_id,
        user=user_id,
        role=role,
    )


async def open_office(live: Stage) -> Office:
    """Anna's team on a large plan, with albums, a brand, a channel, posts, an order and rounds."""
    group = await live.sim.group()
    await live.person(ANNA, group["id"]).text("для этой команды")
    (account,) = await live.rows("SELECT id FROM accounts WHERE kind = 'team'")
    office = Office(live, group["id"], account["id"])
    await live.credit_account(office.account_id, 10_000_000)
    async with live.sessions.begin() as session:
        await plans.put(session, "studio", seats=50, images_limit=10_000, channels=3)
        await rows.choose(session, office.account_id, "studio", now=live.clock(), key="x")
    await _people_come(office)
    for name in ("album", "asked_album", "posted_album"):
        await office.task()
        office.ids[name] = await live.draw(pictures=2)
    await _furnish(office)
    return office


async def _people_come(office: Office) -> None:
    live = office.live
    for name, (user_id, role) in PEOPLE.items():
        if name == "owner":
            continue
        await live.account_of(user_id)
        if name == "stranger":
            continue
        who = {"user_id": user_id, "first_name": name, **RUSSIAN}
        if name == "another team's owner":
            other = await live.sim.post(
                "chats", type="supergroup", title="Другие", bot_status="administrator",
                members=[{"id": user_id, "first_name": name, "status": "creator", **RUSSIAN}],
            )  # fmt: skip
            office.elsewhere_id = other["id"]
            continue
        await live.sim.post(f"chats/{office.chat_id}/members", action="join", **who)
        await member(live, office.account_id, user_id, role or Role.ADMIN)
    gone = PEOPLE["ex-member"][0]
    await live.sim.post(f"chats/{office.chat_id}/members", action="leave", user_id=gone)
    await live.person(ANNA, office.chat_id).settled()
    ben = live.person(BEN, office.chat_id)
    await ben.send(f"/team@{await ben.username()}")
    await ben.button("🤝")
    await member(live, office.account_id, BEN, Role.EDITOR)
    async with live.sessions.begin() as session:
        sent_away = PEOPLE["removed"][0]
        await teams.remove(session, office.account_id, ANNA, sent_away, now=live.clock())


async def _furnish(office: Office) -> None:
    live, ids = office.live, office.ids
    async with live.sessions.begin() as session:
        brand = await brands.create(
            session, office.account_id, name="Кофе", style_original="", style_short="",
            palette=(), preset=None,
        )  # fmt: skip
        channel = await channels.connect(
            session, office.account_id, ANNA, chat_id=-1000000003001, title="Канал",
            username=None, now=live.clock(),
        )  # fmt: skip
        ids |= {"brand": brand.id, "channel": channel.id}
        place = approvals.Place(office.chat_id, None)
        for name in ("asked_album", "posted_album"):
            round_ = await approvals.ask(session, office.account_id, ids[name], ANNA, place)
            ids["round" if name == "asked_album" else "approved"] = round_.id
        await approvals.approve(session, office.account_id, ids["approved"], ANNA)
        post = await posts.draft(session, office.account_id, ANNA, ids["posted_album"], channel.id)
        ids["post"] = post.id
        order = await payments.open_order(
            session, office.account_id, ANNA, method=PaymentMethod.PROVIDER, credit=30_000,
            rate=None, chat_id=office.chat_id, now=live.clock(), ttl=timedelta(hours=1),
        )  # fmt: skip
        ids["order"] = order.id
    await execute(
        live,
        "INSERT INTO posts (account_id, channel_id, task_id, created_by, origin, ranks, caption)"
        " SELECT account_id, channel_id, task_id, created_by, 'lost', ranks, '' FROM posts",
    )
    (row,) = await live.rows("SELECT id FROM posts WHERE origin = 'lost'")
    ids["lost_post"] = row["id"]
