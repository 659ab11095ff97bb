"""A team of four in a topic, from the bot's joining to an approved second round."""

from __future__ import annotations

from tests.e2e.conftest import Unhurried
from tests.e2e.team import PROMPT, actions, four_in_a_topic, says, words


async def test_four_people_vote_send_back_and_approve(town: Unhurried) -> None:
    anna, ben, klim, guest = await four_in_a_topic(town)
    asked = await ben.send(f"/gen@vitrina_bot {PROMPT}")
    card = await actions(ben, asked)
    for count, voter in enumerate((anna, ben, klim), start=1):
        await voter.press("👍 2", card)
        card = await says(anna, card, f"👍 2 · {count}")
    await guest.press("👍 1", card)
    refused = await guest.press("📨", await says(anna, card, "👍 1 · 1"))
    assert "наблюдатель" in refused["text"]

    await ben.press("📨", card)
    round_ = await klim.button(words("✏️ Changes", "en"))
    await klim.press(words("✏️ Changes", "en"), round_)
    question = await klim.text("что поправить?")
    reply = await klim.send("фон светлее", reply_to_message_id=question["message_id"])
    await says(anna, round_, "фон светлее")

    card = await actions(ben, reply)
    await ben.press("📨", card)
    second = await klim.text("round 2")
    assert "фон светлее" in second["text"]
    await klim.press("✅", second)
    await says(anna, second, "Said yes: Клим")
    assert len(await anna.albums()) == 2
    assert all(one.get("message_thread_id") for one in await anna.messages())
