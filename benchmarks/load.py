"""`make load`: many people at once, at the pace that Telegram allows; exit code 1 for any failure.

Every person writes an idea, gets a draft, taps «Создать», waits for the album, looks at it for
five seconds, and does it again. `make load ARGS=posts` is another load: `benchmarks/posts.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks import figures, posts, product
from benchmarks.figures import spread
from benchmarks.product import Product
from playground.limits import OVERALL_PER_S
from tests.sim import Message, Talk, label

_PROMPT = "осенний латте в уютной кофейне, скидка 20%"
_PATIENCE_S = 300.0
_LOOK_S = 5.0
_FIRST_PERSON = 300_000
_SENDING = {"sendMessage": 1, "sendPhoto": 1, "sendMediaGroup": 4}


@dataclass(frozen=True, slots=True)
class Served:
    """Seconds that one request took, as its person saw it."""

    draft_s: float
    tap_s: float
    album_s: float


async def main(users: int, requests: int) -> int:
    """The exit code."""
    _say(f"{datetime.now(UTC):%Y-%m-%d}, {figures.machine()}; mock generator, pixels judge")
    _say(f"{users} people at once, {requests} requests each, Telegram's limits enforced")
    async with product.running() as running:
        talks = [
            running.sim.talk(await running.newcomer(_FIRST_PERSON + number))
            for number in range(users)
        ]
        await running.sim.post("limits", enforce=True)
        started = time.perf_counter()
        ends = await asyncio.gather(*(_visit(talk, requests) for talk in talks))
        took_s = time.perf_counter() - started
        served = [one for end in ends for one in end]
        lost = users * requests - len(served)
        return await _report(running, talks, served, lost=lost, requests=requests, took_s=took_s)


async def _visit(talk: Talk, requests: int) -> list[Served]:
    """One person's requests, one after the other; those that brought no album are left out."""
    talk.patience_s = _PATIENCE_S
    served = []
    for number in range(1, requests + 1):
        if number > 1:
            await asyncio.sleep(_LOOK_S)
        try:
            served.append(await _request(talk, number))
        except AssertionError as error:
            _say(f"lost in chat {talk.chat_id}: {error}")
    return served


async def _request(talk: Talk, number: int) -> Served:
    wrote = time.perf_counter()
    sent_id = await talk.send(f"{_PROMPT} №{number}")
    card = await talk.wait_for(lambda one: _is_after(one, sent_id, "Создать"), "a draft")
    tapped = time.perf_counter()
    await talk.press("Создать", card)
    answered = time.perf_counter()
    await talk.wait_for(lambda one: "photo" in one and one["message_id"] > sent_id, "an album")
    served = Served(tapped - wrote, answered - tapped, time.perf_counter() - tapped)
    await talk.wait_for(lambda one: _is_after(one, sent_id, "Почему?"), "the buttons under it")
    return served


def _is_after(message: Message, sent_id: int, button: str) -> bool:
    return message["message_id"] > sent_id and label(message, button) is not None


async def _report(
    running: Product,
    talks: list[Talk],
    served: list[Served],
    *,
    lost: int,
    requests: int,
    took_s: float,
) -> int:
    calls = await running.sim.calls()
    refused = Counter(call["method"] for call in calls if call["status"] == 429)
    albums = [len(await talk.albums()) for talk in talks]
    doubled = sum(max(0, count - requests) for count in albums)
    pace_s = sum(_SENDING.get(call["method"], 0) for call in calls) / OVERALL_PER_S
    if served:
        _say(f"message to draft:  {spread([one.draft_s for one in served])}")
        _say(f"tap to answer:     {spread([one.tap_s for one in served])}")
        _say(f"tap to album:      {spread([one.album_s for one in served])}")
    _say(
        f"{len(served)} albums in {took_s:.1f} s, {60 * len(served) / took_s:.0f} a minute;"
        f" Telegram's pace alone takes {pace_s:.1f} s"
    )
    what = ", ".join(f"{count} {method}" for method, count in refused.most_common())
    _say(
        f"429: {refused.total()}{f' ({what})' if what else ''}, duplicates: {doubled},"
        f" lost: {lost}  (aim: 0 of each)"
    )
    return int(bool(refused or doubled or lost))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Many people at once.")
    parser.add_argument("part", nargs="?", choices=("people", "posts"), default="people")
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--requests", type=int, default=2, help="of each person")
    chosen = parser.parse_args()
    load = posts.main() if chosen.part == "posts" else main(chosen.users, chosen.requests)
    sys.exit(asyncio.run(load))
