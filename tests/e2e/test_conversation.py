"""The main conversation as people have it: over HTTP, through every process' code."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from PIL import Image

from bot import texts
from tests.e2e.conftest import Unhurried
from tests.product import Held
from tests.sim import ANNA, BEN, Message, Sim, Talk, label, said

PROMPTS = {
    "ru": "Сделай пост для инстаграма: осеннее меню кофейни, тыквенный латте",
    "en": "Instagram post: autumn menu of a coffee shop, pumpkin latte",
}


@dataclass(frozen=True, slots=True)
class Words:
    """The buttons' labels in a language."""

    locale: str

    def __call__(self, message_id: str, **values: object) -> str:
        return texts.of(self.locale).plain(message_id, **values)


@pytest.fixture(params=["private ru", "private en", "topic ru"])
async def talk(request: pytest.FixtureRequest, town: Unhurried) -> Talk:
    """A person where the conversation takes place."""
    if request.param == "private ru":
        return town.talk(ANNA)
    if request.param == "private en":
        return town.talk(BEN)
    group = await town.group(topics=("Осень",))
    return town.talk(group["id"], ANNA, group["topics"][0]["message_thread_id"])


def words_of(talk: Talk) -> Words:
    return Words("en" if talk.user_id == BEN else "ru")


async def ask(talk: Talk, words: Words) -> None:
    """Sends a prompt; in a private chat through the draft card, in a group with /gen."""
    prompt = PROMPTS[words.locale]
    if talk.thread_id is None:
        await talk.send(prompt)
        await talk.press(words("✨ Create"))
    else:
        await talk.send(f"/gen@vitrina_bot {prompt}")


async def actions(talk: Talk, words: Words) -> Message:
    """The card under the album, once it is there."""
    return await talk.button(words("📥 PNG originals"))


async def test_from_a_rough_idea_to_ranked_pictures_and_back_from_the_history(talk: Talk) -> None:
    words = words_of(talk)
    if talk.thread_id is None:
        await talk.send("/start")
        await talk.text("")
    await ask(talk, words)
    await actions(talk, words)
    await check_album(talk)
    await choose_the_second_and_ask_why(talk, words)
    await fetch_originals(talk, words)
    await reopen_from_history(talk, words)


async def check_album(talk: Talk) -> None:
    (album,) = await talk.albums()
    assert len(album) == 4
    assert [one.get("message_thread_id") for one in album] == [talk.thread_id] * 4
    scores = [line for line in said(album[0]).splitlines() if line.startswith("№")]
    assert len(scores) == 5  # one a picture, and what they mean together
    finals = [float(line.split()[1].rstrip(":").replace(",", ".")) for line in scores[:4]]
    assert finals == sorted(finals, reverse=True)


async def choose_the_second_and_ask_why(talk: Talk, words: Words) -> None:
    # In a group, where pictures are voted for as well, a choice says what it is.
    second = "2" if talk.thread_id is None else words("Take №{rank}", rank=2)
    await talk.press(second, on=await actions(talk, words))
    chosen = await talk.button(f"✓ {second}")
    assert "№2" in said(chosen)
    await talk.press(words("🤔 Why?"), on=chosen)
    why = await talk.button(words("‹ Back"))
    assert "latte" in said(why)
    await talk.press(words("‹ Back"), on=why)
    await talk.button(f"✓ {second}")


async def fetch_originals(talk: Talk, words: Words) -> None:
    await talk.press(words("📥 PNG originals"), on=await actions(talk, words))
    await talk.wait_for(lambda one: "document" in one, "a document")
    files = [one["document"] for one in await talk.messages() if "document" in one]
    assert [file["mime_type"] for file in files] == ["image/png"] * 4
    url = f"{talk.sim.url}/sim/file/{files[0]['file_id']}"
    async with talk.sim.http.get(url) as answer:
        assert Image.open(io.BytesIO(await answer.read())).format == "PNG"


async def reopen_from_history(talk: Talk, words: Words) -> None:
    await talk.send("/history")
    listed = await talk.wait_for(is_history, "the history")
    await talk.press("1", on=listed)
    await talk.press(words("🖼 Open the album"))
    await talk.wait_for(lambda one: "photo" in one and one["message_id"] > listed["message_id"])
    first, _, again = await talk.sim.calls("sendMediaGroup")  # the second are the originals
    assert "attach://" in str(first["arguments"])
    assert "attach://" not in str(again["arguments"])
    assert len(await talk.albums()) == 2


def is_history(message: Message) -> bool:
    return label(message, "1") is not None and label(message, "PNG") is None


async def test_the_card_says_how_far_it_is(product: Sim, generator: Held) -> None:
    talk, words = product.talk(ANNA), Words("ru")
    generator.free.clear()
    await ask(talk, words)
    drawing = await talk.text("1/4")
    assert "▰" in said(drawing)
    generator.free.set()
    await actions(talk, words)
    done = await talk.text("✅")
    assert done["message_id"] == drawing["message_id"]


async def test_a_task_can_be_cancelled_while_it_runs(product: Sim, generator: Held) -> None:
    talk, words = product.talk(ANNA), Words("ru")
    generator.free.clear()
    await ask(talk, words)
    await talk.press(words("✕ Cancel"), on=await talk.text("1/4"))
    cancelled = await talk.text("🚫")
    assert label(cancelled, words("🔁 Try again")) is not None
    generator.free.set()
    await talk.press(words("🔁 Try again"), on=cancelled)
    await actions(talk, words)
    assert len(await talk.albums()) == 1


async def test_a_second_tap_makes_no_second_album(product: Sim) -> None:
    anna, words = product.talk(ANNA), Words("ru")
    await anna.send(PROMPTS["ru"])
    draft = await anna.button(words("✨ Create"))
    await anna.press(words("✨ Create"), on=draft)
    await actions(anna, words)
    await anna.send(PROMPTS["en"])  # whatever the first tap set off has been handled by then
    await anna.button(words("✨ Create"))
    assert len(await product.calls("sendMediaGroup")) == 1


async def test_a_photo_the_generator_cannot_start_from_goes_on_with_its_caption(
    product: Sim,
) -> None:
    talk = product.talk(ANNA)
    buffer = io.BytesIO()
    Image.new("RGB", (90, 90), "teal").save(buffer, "PNG")
    await talk.upload("photo", buffer.getvalue(), "shop.png", caption=PROMPTS["ru"])
    offer = await talk.text("Рисовать по картинке сейчас не могу")
    await talk.press("Взять текст", on=offer)
    await talk.press("Создать")
    await talk.button("Почему")
    assert len((await talk.albums())[0]) == 4
