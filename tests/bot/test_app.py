"""The bot as a whole: light imports, commands by scope and language, chats that come and go."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

from aiogram.fsm.storage.base import StorageKey

from bot import commands
from tests.bot.stage import Stage
from tests.sim import ANNA, BEN, TOKEN, Sim

HEAVY = ("torch", "transformers", "diffusers", "openvino", "onnxruntime", "playground", "workers")


def test_importing_the_bot_imports_no_ml_library() -> None:
    code = f"import bot.app, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_commands_come_by_scope_and_language(stage: Stage) -> None:
    await commands.introduce(stage.bot)
    russian = await listed(stage.sim, ANNA, ANNA)
    assert ("gen", "Нарисовать сразу: /gen и ваша идея") in russian
    assert (await listed(stage.sim, BEN, BEN))[0][0] == "start"
    assert ("help", "How it works") in await listed(stage.sim, BEN, BEN)
    group = await stage.sim.group()
    assert "start" not in dict(await listed(stage.sim, group["id"], BEN))
    assert "settings" in dict(await listed(stage.sim, group["id"], ANNA))


async def listed(sim: Sim, chat_id: int, user_id: int) -> list[tuple[str, str]]:
    found = await sim.get("commands", chat=chat_id, user=user_id)
    return [(one["command"], one["description"]) for one in found["commands"]]


async def test_refused_commands_do_not_stop_the_bot(stage: Stage) -> None:
    await stage.sim.fault("setMyCommands", "429", retry_after=3000)
    await commands.introduce(stage.bot)


async def test_adding_the_bot_to_a_group_makes_a_team_of_those_who_speak(live: Stage) -> None:
    group = await live.sim.group()
    anna, ben = live.person(ANNA, group["id"]), live.person(BEN, group["id"])
    hello = await anna.text("теперь и для этой команды")
    assert f"/gen@{await anna.username()}" in hello["text"]
    await ben.send(f"/help@{await ben.username()}")
    await ben.text("How it works")
    rows = await live.rows(
        "SELECT m.user_id, m.role FROM members m JOIN accounts a ON a.id = m.account_id"
        " WHERE a.kind = 'team' ORDER BY m.user_id"
    )
    assert rows == [{"user_id": ANNA, "role": "owner"}, {"user_id": BEN, "role": "viewer"}]


async def test_who_blocks_the_bot_is_noted_and_who_returns_too(live: Stage) -> None:
    anna, ben = live.person(ANNA), live.person(BEN)
    await anna.answer_to("/help", "Как это работает")
    await live.sim.post(f"chats/{ANNA}/members", action="block", user_id=ANNA)
    await ben.answer_to("/help", "How it works")
    await anna_is(live, blocked=True)
    await live.sim.post(f"chats/{ANNA}/members", action="unblock", user_id=ANNA)
    await anna.answer_to("/help", "Как это работает")
    await anna_is(live, blocked=False)


async def anna_is(live: Stage, *, blocked: bool) -> None:
    query = "SELECT blocked_at IS NOT NULL AS blocked FROM users WHERE id = :id"
    assert await live.rows(query, id=ANNA) == [{"blocked": blocked}]


async def test_a_group_that_becomes_a_supergroup_stays_the_same_team(live: Stage) -> None:
    group = await live.sim.post(
        "chats",
        type="group",
        title="Команда",
        members=[{"id": ANNA, "status": "creator"}],
        bot_status="member",
    )
    anna = live.person(ANNA, group["id"])
    await anna.text("для этой команды")
    moved = await live.sim.post(f"chats/{group['id']}/members", action="migrate", user_id=ANNA)
    anna = live.person(ANNA, moved["id"])
    await anna.answer_to(f"/help@{await anna.username()}", "Как это работает")
    rows = await live.rows("SELECT chat_id FROM accounts WHERE kind = 'team'")
    assert rows == [{"chat_id": moved["id"]}]


async def test_the_process_answers_and_stops_on_sigterm(
    sim: Sim, database_url: str, redis_url: str
) -> None:
    env = os.environ | {
        "BOT_TOKEN": TOKEN,
        "BOT_API_URL": sim.url,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "vitrina.py", "bot", env=env)
    try:
        talk = sim.talk(ANNA)
        await talk.send("/start")
        await talk.text("Здравствуйте, Анна")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_malformed_token_is_one_clear_line(database_url: str, redis_url: str) -> None:
    env = os.environ | {"BOT_TOKEN": "nonsense", "DATABASE_URL": database_url}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "vitrina.py",
        "bot",
        env=env | {"REDIS_URL": redis_url},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert "BOT_TOKEN is no token" in said.decode()
    assert "Traceback" not in said.decode()


async def test_a_lock_that_ran_out_fails_nothing_and_is_left_to_its_next_owner(
    stage: Stage,
) -> None:
    isolation = stage.dispatcher.fsm.events_isolation
    key = StorageKey(stage.bot.id, ANNA, ANNA)
    async with isolation.lock(key):
        (name,) = await stage.redis.keys("fsm:*:lock")
        await stage.redis.set(name, "next owner")
    assert await stage.redis.get(name) == b"next owner"
