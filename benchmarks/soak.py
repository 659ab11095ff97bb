"""`make soak`: requests all the time while parts of the product are killed at random.

Every request has a chat of its own and must end as exactly one album, or as a message that offers
to show it again. The last line is the verdict; the exit code is 0 only if it is PASS.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks import figures
from tests.e2e import demo
from tests.e2e.demo import Demo
from tests.sim import Message, Talk, from_bot, label, said

VICTIMS = ("bot", "worker-gpu", "worker-io", "redis", "postgres")
_PARTS = (*VICTIMS, "playground")
_PATIENCE_S = 180.0
_BACK_WITHIN_S = 60.0
_PAUSE_S = (0.2, 3.0)
_LATE_S = 20.0  # longer than the leases here: what would be sent a second time is sent by then
_PROMPT = "реклама кофейни осенью"


@dataclass(slots=True)
class Soak:
    """What has happened so far. `ends` counts how requests ended, `kills` what was killed."""

    demo: Demo
    rng: random.Random
    deadline: float
    ends: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    talks: list[tuple[Talk, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.deadline


async def main(minutes: float, at_once: int, kill_every_s: float, seed: int) -> int:
    """The exit code."""
    _say(f"{datetime.now(UTC):%Y-%m-%d}, {figures.machine()}; mock generator, pixels judge")
    _say(
        f"{minutes:g} minutes, {at_once} requests at a time, kill -9 about every {kill_every_s:g} s"
    )
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder:
        async with demo.running(Path(folder)) as running:
            await _request(Soak(running, random.Random(seed), 0.0))  # warms everything up
            before = _memory(running)
            soak = Soak(running, random.Random(seed), time.monotonic() + 60 * minutes)
            killing = asyncio.create_task(_kill(soak, kill_every_s))
            await asyncio.gather(*(_ask(soak) for _ in range(at_once)))
            await killing
            await asyncio.sleep(_LATE_S)
            await _look_again(soak)
            after = _memory(running)
    return _verdict(soak, before, after)


async def _ask(soak: Soak) -> None:
    """One person after another, each with a request."""
    while not soak.over:
        soak.talks.append(await _request(soak))
        await asyncio.sleep(soak.rng.uniform(*_PAUSE_S))


async def _request(soak: Soak) -> tuple[Talk, str]:
    """A new chat, a request, its end: `album`, `offer`, `failed` or `lost`."""
    sim = soak.demo.sim
    chat = await sim.post("chats", type="private", title=f"N{len(soak.talks)}")
    talk = sim.talk(chat["id"])
    talk.patience_s = _PATIENCE_S
    await talk.send(f"/gen {_PROMPT}")
    try:
        end = _end_of(await talk.wait_for(lambda one: _end_of(one) is not None))
    except AssertionError as error:
        soak.faults.append(f"chat {talk.chat_id}: {error}")
        end = None
    soak.ends[end or "lost"] += 1
    return talk, end or "lost"


def _end_of(message: Message) -> str | None:
    if not from_bot(message):
        return None
    if label(message, "Показать ещё раз"):
        return "offer"
    if "✅" in said(message):
        return "album"
    return "failed" if label(message, "Запустить снова") else None


async def _kill(soak: Soak, every_s: float) -> None:
    """kill -9 of a random part, again and again; the next only once the last is back."""
    while not soak.over:
        await asyncio.sleep(soak.rng.uniform(0.5, 1.5) * every_s)
        name = soak.rng.choice(VICTIMS)
        try:
            victim = soak.demo.part(name)
            victim.kill()
        except (AssertionError, psutil.NoSuchProcess):
            continue  # it fell with the one before and is not back yet
        soak.kills[name] += 1
        await _until_back(soak, name, victim.pid)


async def _until_back(soak: Soak, name: str, dead_pid: int) -> None:
    until = time.monotonic() + _BACK_WITHIN_S
    while time.monotonic() < until:
        with contextlib.suppress(AssertionError):
            if soak.demo.part(name).pid != dead_pid:
                return
        await asyncio.sleep(0.2)
    soak.faults.append(f"{name} did not come back within {_BACK_WITHIN_S:g} s")


async def _look_again(soak: Soak) -> None:
    """Each chat once more, at the end: nothing may have come twice, nothing may be half there."""
    for talk, end in soak.talks:
        albums = [len(album) for album in await talk.albums()]
        wanted = [[4]] if end == "album" else [[4], []] if end == "offer" else [[]]
        if albums not in wanted:
            soak.faults.append(f"chat {talk.chat_id} ended as {end} and has albums of {albums}")


def _memory(running: Demo) -> Mapping[str, float]:
    """MiB of each part with its children; shared pages are shared out among those who map them."""
    found = {}
    for name in _PARTS:
        part = running.part(name)
        family = [part, *part.children(recursive=True)]
        used = 0
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                full = process.memory_full_info()
                used += getattr(full, "pss", full.rss)
        found[name] = used / 2**20
    return found


def _verdict(soak: Soak, before: Mapping[str, float], after: Mapping[str, float]) -> int:
    for name in _PARTS:
        killed = f", killed {soak.kills[name]} times" if name in VICTIMS else ""
        grown = f"{before[name]:6.0f} MiB at the start, {after[name]:6.0f} at the end"
        _say(f"{name:<11}{grown}{killed}")
    for fault in soak.faults:
        _say(fault)
    unserved = soak.ends["lost"] + soak.ends["failed"]
    good = bool(soak.talks) and not soak.faults and not unserved
    _say(
        f"{'PASS' if good else 'FAIL'}: {len(soak.talks)} requests, {soak.kills.total()} kills:"
        f" {soak.ends['album']} albums, {soak.ends['offer']} offers to show again,"
        f" {soak.ends['failed']} failed, {soak.ends['lost']} lost, {len(soak.faults)} faults"
    )
    return 0 if good else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Requests while parts are killed at random.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--at-once", type=int, default=8, help="requests at a time")
    parser.add_argument("--kill-every", type=float, default=6.0, metavar="S")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    chosen = parser.parse_args()
    sys.exit(asyncio.run(main(chosen.minutes, chosen.at_once, chosen.kill_every, chosen.seed)))
