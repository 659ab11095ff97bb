"""`make load ARGS=posts`: 1,000 posts due in one minute to 100 channels, then after two hours down.

The io worker, a process of its own, publishes against a playground that enforces Telegram's limits.
Both times each post must arrive once, none early, in its channel's order, and no call be refused
for its pace. While the worker is down the due times go by: half of the posts by more than the two
hours after which an account that wants to be asked is asked. No two hours are waited for: times are
moved in the rows, all at once.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from PIL import Image
from sqlalchemy import text

from benchmarks import figures
from benchmarks.figures import median, p95
from db import channels, engine, migrate, posts, publishing
from db.states import LatePosts
from db.team_views import ChannelView
from playground import embedded, server
from tests.db import rows
from tests.db.channels import connected
from tests.db.rows import Person, Sessions
from tests.sim import ANNA, BEN, TOKEN, Sim

CHANNELS = 100
POSTS_EACH = 10
_APART_S = 6.0
_AHEAD = timedelta(days=1)
_PATIENCE_S = 300.0
_NEW_POSTS = text("SELECT count(*) FROM posts WHERE state IN ('scheduled', 'sending')")
_OVERDUE = text("SELECT caption FROM posts WHERE state = 'overdue'")
_TOLD = text(
    "SELECT sum(coalesce((data ->> 'count')::int, 1)) FROM notices"
    " WHERE kind IN ('post_overdue', 'posts_overdue')"
)


@dataclass(frozen=True, slots=True)
class Planned:
    """A post by its caption. `due`: the Unix time, in seconds; `to_ask`: so late that the account
    is to be asked, and nothing sent."""

    caption: str
    chat_id: int
    due: float
    to_ask: bool


@dataclass(frozen=True, slots=True)
class Channel:
    """One to post to, and the album that its posts show."""

    view: ChannelView
    who: Person
    task_id: int
    asks: bool


@dataclass(frozen=True, slots=True)
class Newsroom:
    """What posts are made and sent with."""

    sim: Sim
    sessions: Sessions
    env: dict[str, str]
    channels: Sequence[Channel]


async def main() -> int:
    """The exit code."""
    _say(f"{datetime.now(UTC):%Y-%m-%d}, {figures.machine()}")
    _say(f"{CHANNELS * POSTS_EACH} posts to {CHANNELS} channels, Telegram's limits enforced")
    moments_s = [_APART_S * number for number in range(POSTS_EACH)]
    async with _newsroom() as room:
        _say(f"due within a minute, {CHANNELS} at each of {POSTS_EACH} moments:")
        before = await _calls(room)
        async with _io_worker(room):
            planned = await _plan(room, "minute", moments_s, first_in_s=10.0)
            await _settled(room, planned)
        broken = await _report(room, planned, before)
        _say("two hours down, half of them due before that; half of the channels ask:")
        before = await _calls(room)
        late_s = publishing.LATE.total_seconds()
        half = POSTS_EACH // 2
        down_s = moments_s[:half] + [late_s / 2 + moment_s for moment_s in moments_s[half:]]
        planned = await _plan(room, "down", down_s, first_in_s=-late_s - 600.0)
        async with _io_worker(room):
            await _settled(room, planned)
        broken += await _report(room, planned, before)
    _say("all was kept" if not broken else f"not kept: {broken}")
    return int(bool(broken))


@asynccontextmanager
async def _newsroom() -> AsyncIterator[Newsroom]:
    """Servers, a playground, two accounts with half of the channels each: one wants to be asked."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="posts-")))
        database_url = stack.enter_context(embedded.running(embedded.postgres(folder)))
        redis_url = stack.enter_context(embedded.running(embedded.redis(folder)))
        await asyncio.to_thread(migrate.upgrade, database_url)
        db = engine.create(database_url)
        stack.push_async_callback(db.dispose)
        sessions = engine.session_factory(db)
        url = await stack.enter_async_context(server.running())
        sim = Sim(url, await stack.enter_async_context(aiohttp.ClientSession()))
        env = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "IMAGES_URL": str(folder / "images"),
            "BOT_TOKEN": TOKEN,
            "BOT_API_URL": url,
        }
        file_id = await _uploaded(sim)
        there: list[Channel] = []
        for user_id, rule in ((ANNA, LatePosts.SEND), (BEN, LatePosts.ASK)):
            who = await rows.person(sessions, user_id)
            task_id, _ = await rows.done(sessions, who)
            async with sessions.begin() as session:
                await channels.change_rules(session, who.account_id, late_posts=rule)
            for _ in range(CHANNELS // 2):
                view = await connected(sessions, who, await _new_chat(sim, user_id))
                there.append(Channel(view, who, task_id, rule is LatePosts.ASK))
        # The albums have arrived long ago: only posts are sent here.
        await rows.execute(sessions, "UPDATE predictions SET photo_file_id = :id", id=file_id)
        await rows.execute(sessions, "DELETE FROM deliveries")
        await sim.post("limits", enforce=True)
        yield Newsroom(sim, sessions, env, there)


async def _uploaded(sim: Sim) -> str:
    """The file_id of a picture that Telegram has."""
    buffer = io.BytesIO()
    Image.new("RGB", (512, 512), (120, 60, 220)).save(buffer, "PNG")
    form = aiohttp.FormData()
    form.add_field("chat_id", str(ANNA))
    form.add_field("photo", buffer.getvalue(), filename="a.png")
    async with sim.http.post(f"{sim.url}/bot{TOKEN}/sendPhoto", data=form) as answer:
        return str((await answer.json())["result"]["photo"][-1]["file_id"])


async def _new_chat(sim: Sim, user_id: int) -> int:
    made = await sim.post(
        "chats",
        type="channel",
        title="Канал",
        members=[{"id": user_id, "status": "creator"}],
        bot_status="administrator",
    )
    return int(made["id"])


@asynccontextmanager
async def _io_worker(room: Newsroom) -> AsyncIterator[None]:
    """`vitrina worker io`, until told to stop."""
    log = Path(room.env["IMAGES_URL"]).with_name("log")
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vitrina", "worker", "io",
            env=os.environ | room.env, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        code = await process.wait()
    if code != 0:
        raise RuntimeError(f"the worker ended with {code}:\n{log.read_text()[-5000:]}")


# --- what is planned ---


async def _plan(
    room: Newsroom, name: str, after_s: Sequence[float], *, first_in_s: float
) -> list[Planned]:
    """Posts of every channel, scheduled for tomorrow; then time passes until the first of them is
    due in `first_in_s` seconds (below 0: was), the others that much after it."""
    now = datetime.now(UTC)
    made = []
    for number, channel in enumerate(room.channels):
        for place, offset_s in enumerate(after_s):
            caption = f"{name} {number}-{place}"
            await _schedule(room, channel, caption, now + _AHEAD + timedelta(seconds=offset_s), now)
            made.append((caption, channel, offset_s))
    first = datetime.now(UTC) + timedelta(seconds=first_in_s)
    back_s = (now + _AHEAD - first).total_seconds()
    await rows.execute(
        room.sessions,
        "UPDATE posts SET publish_at = publish_at - make_interval(secs => :back_s)"
        " WHERE state = 'scheduled'",
        back_s=back_s,
    )
    late_s = publishing.LATE.total_seconds()
    return [
        Planned(
            caption,
            channel.view.chat_id,
            first.timestamp() + offset_s,
            to_ask=channel.asks and first_in_s + offset_s < -late_s,
        )
        for caption, channel, offset_s in made
    ]


async def _schedule(
    room: Newsroom, channel: Channel, caption: str, at: datetime, now: datetime
) -> None:
    account_id = channel.who.account_id
    async with room.sessions.begin() as session:
        post = await posts.draft(
            session, account_id, channel.who.id, channel.task_id, channel.view.id
        )
        await posts.set_caption(session, account_id, post.id, caption)
        await posts.schedule(session, account_id, post.id, at, now=now)


async def _settled(room: Newsroom, planned: Sequence[Planned]) -> None:
    """Until nothing is scheduled or being sent."""
    last_due = max(post.due for post in planned)
    deadline = time.monotonic() + max(0.0, last_due - time.time()) + _PATIENCE_S
    while time.monotonic() < deadline:
        async with room.sessions() as session:
            if not await session.scalar(_NEW_POSTS):
                return
        await asyncio.sleep(1)


# --- what became of it ---


async def _calls(room: Newsroom) -> int:
    """How many calls there were so far."""
    return len(await room.sim.calls())


async def _report(room: Newsroom, planned: Sequence[Planned], before: int) -> int:
    """Says what arrived after the first `before` calls, and counts what was not kept."""
    calls = (await room.sim.calls())[before:]
    arrived = [
        (str(call["arguments"]["caption"]), float(call["time"]))
        for call in calls
        if call["method"] == "sendPhoto" and call["status"] == 200
    ]
    times = Counter(caption for caption, _ in arrived)
    to_send = {post.caption: post for post in planned if not post.to_ask}
    waits_s = [at - to_send[caption].due for caption, at in arrived if caption in to_send]
    _say(
        f"  {len(arrived)} sent in {arrived[-1][1] - arrived[0][1]:.1f} s,"
        f" {len(planned) - len(to_send)} to be asked about; after their time:"
        f" median {median(waits_s):.1f} s, p95 {p95(waits_s):.1f} s"
    )
    missed = {
        "lost": len(to_send.keys() - times.keys()),
        "sent twice": sum(count - 1 for count in times.values()),
        "sent unasked": len(times.keys() - to_send.keys()),
        "early": sum(wait_s < 0 for wait_s in waits_s),
        "out of order": _out_of_order([caption for caption, _ in arrived], to_send),
        "429": sum(call["status"] == 429 for call in calls),
        "not asked about": await _not_asked_about(room, planned),
    }
    _say("  " + ", ".join(f"{what}: {count}" for what, count in missed.items()) + "  (aim: 0)")
    return sum(missed.values())


def _out_of_order(arrived: Sequence[str], to_send: dict[str, Planned]) -> int:
    """How many came after one of their channel that was due later."""
    latest: dict[int, float] = {}
    count = 0
    for post in (to_send[caption] for caption in arrived if caption in to_send):
        count += post.due < latest.get(post.chat_id, 0.0)
        latest[post.chat_id] = max(post.due, latest.get(post.chat_id, 0.0))
    return count


async def _not_asked_about(room: Newsroom, planned: Sequence[Planned]) -> int:
    """How many the account was not told of, or that wait for no answer."""
    wanted = {post.caption for post in planned if post.to_ask}
    async with room.sessions() as session:
        overdue = set((await session.scalars(_OVERDUE)).all())
        told = await session.scalar(_TOLD) or 0
    return len(wanted ^ overdue) + abs(len(wanted) - told)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
