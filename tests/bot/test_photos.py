"""A photo to start from, in the chat: kept with its draft, left out again, refused in words."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from db import capacity
from db.capacity import Capacity
from tests.bot.stage import Person, Stage, buttons
from tests.sim import ANNA, Message

PHOTOS = Capacity(4, starts_from_photos=True)
CAPTION = "акварель, зимний вечер"
STARTS = "На основе фото"


def jpeg(size: tuple[int, int] = (120, 80), colour: str = "teal", orientation: int = 1) -> bytes:
    image = Image.new("RGB", size, colour)
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera of Anna"
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif, comment=b"at home")
    return buffer.getvalue()


@pytest.fixture
async def anna(anna: Person, live: Stage) -> Person:
    """While the workers start from photos."""
    await capacity.tell(live.pool, PHOTOS)
    return anna


async def key_of_draft(live: Stage) -> str | None:
    (row,) = await live.rows("SELECT photo_key FROM ml_requests")
    key: str | None = row["photo_key"]
    return key


async def photos_of_tasks(live: Stage) -> list[str | None]:
    rows = await live.rows("SELECT brief ->> 'photo' AS photo FROM ml_tasks ORDER BY id")
    return [row["photo"] for row in rows]


@pytest.mark.parametrize("kind", ["photo", "document"])
async def test_a_picture_with_a_caption_is_kept_with_its_draft_and_task(
    anna: Person, live: Stage, image_dir: Path, kind: str
) -> None:
    await anna.upload(kind, jpeg(orientation=6), "shop.jpg", caption=CAPTION)
    shown = await anna.text(STARTS)
    assert CAPTION in shown["text"]
    assert "🖼 Без фото" in buttons(shown)
    key = await key_of_draft(live)
    assert key
    stored = (image_dir / key).read_bytes()
    with Image.open(io.BytesIO(stored)) as photo:
        assert photo.size == (80, 120), "upright"
        assert not photo.getexif()
    assert b"Camera of Anna" not in stored
    assert b"at home" not in stored
    await anna.press("Создать", shown)
    await anna.text("В очереди")
    assert await photos_of_tasks(live) == [key]


async def test_the_photo_can_be_left_out(anna: Person, live: Stage) -> None:
    await anna.upload("photo", jpeg(), "shop.jpg", caption=CAPTION)
    shown = await anna.text(STARTS)
    await anna.press("Без фото", shown)
    shown = await anna.wait_for(
        lambda one: one["message_id"] == shown["message_id"] and STARTS not in one["text"]
    )
    assert "🖼 Без фото" not in buttons(shown)
    await anna.press("Создать", shown)
    await anna.text("В очереди")
    assert await photos_of_tasks(live) == [None]


async def test_a_photo_without_words_is_asked_for_them(anna: Person, live: Stage) -> None:
    first = await anna.upload("photo", jpeg(), "shop.jpg")
    await anna.next(first, "Что сделать из этого фото?")
    assert await live.rows("SELECT id FROM ml_requests") == []
    await anna.answer_to(CAPTION, STARTS)
    assert await key_of_draft(live)
    shown = await anna.answer_to("просто зимний лес", "зимний лес")
    assert STARTS not in shown["text"], "the answer was given before"


async def test_the_question_can_be_called_off(anna: Person, live: Stage) -> None:
    await anna.upload("photo", jpeg(), "shop.jpg")
    await anna.press("Отмен", await anna.text("Что сделать из этого фото?"))
    shown = await anna.answer_to(CAPTION, CAPTION)
    assert STARTS not in shown["text"]


async def test_another_photo_takes_the_place_of_the_one_asked_about(
    anna: Person, live: Stage
) -> None:
    await anna.upload("photo", jpeg(), "shop.jpg")
    await anna.text("Что сделать из этого фото?")
    second = await anna.upload("photo", jpeg(colour="red"), "other.jpg")
    await anna.next(second, "Что сделать из этого фото?")
    await anna.answer_to(CAPTION, STARTS)
    assert f"/{second}/" in str(await key_of_draft(live))


async def test_words_in_answer_to_a_photo_start_from_it(anna: Person, live: Stage) -> None:
    sent = await anna.upload("photo", jpeg(), "shop.jpg", caption="витрина")
    await anna.text(STARTS)
    answer = await anna.send(CAPTION, reply_to_message_id=sent)
    await anna.next(answer, STARTS)
    rows = await live.rows("SELECT photo_key FROM ml_requests")
    assert len(rows) == 2
    assert rows[0] == rows[1]


async def test_words_in_answer_to_the_bots_own_album_are_a_new_idea(
    anna: Person, live: Stage
) -> None:
    await anna.send("зимний лес")
    await anna.press("Создать")
    await anna.settled()
    await live.draw()
    ((first, *_),) = await anna.albums()
    answer = await anna.send(CAPTION, reply_to_message_id=first["message_id"])
    shown = await anna.next(answer, CAPTION)
    assert STARTS not in shown["text"]


async def test_in_a_group_gen_takes_a_photo_by_caption_and_by_reply(live: Stage) -> None:
    await capacity.tell(live.pool, PHOTOS)
    group = await live.sim.group()
    anna = live.person(ANNA, group["id"])
    await anna.text("для этой команды")
    name = await anna.username()
    await anna.upload("photo", jpeg(), "a.jpg", caption=f"/gen@{name} {CAPTION}")
    shown = await anna.text(STARTS)
    assert name not in shown["text"]
    quiet = await anna.upload("photo", jpeg(colour="red"), "b.jpg")
    asked = await anna.send(f"/gen@{name} {CAPTION}", reply_to_message_id=quiet)
    await anna.next(asked, STARTS)
    keys = await live.rows("SELECT photo_key FROM ml_requests ORDER BY id")
    assert f"/{quiet}/" in keys[1]["photo_key"]
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x89PNG no picture", "Не могу открыть это как картинку"),
        (jpeg()[:300], "Не могу открыть это как картинку"),
        (jpeg((63, 200)), "слишком маленькое: нужно от 64 пикселей"),
    ],
    ids=["no picture", "cut", "too small"],
)
async def test_what_can_not_be_started_from_is_refused_in_words(
    anna: Person, live: Stage, data: bytes, said: str
) -> None:
    await anna.upload("document", data, "shop.jpg", caption=CAPTION)
    await anna.text(said)
    assert await live.rows("SELECT id FROM ml_requests") == []


async def test_a_file_larger_than_telegram_gives_is_refused_in_words(
    anna: Person, live: Stage
) -> None:
    sent = await anna.upload("document", jpeg(), "shop.jpg", caption=CAPTION)
    await anna.text(STARTS)
    message = await received(anna, sent)
    message["document"]["file_size"] = 20 * 2**20 + 1
    await live.push({"message": message})
    await anna.text("слишком большой. До 20 МБ")


async def received(anna: Person, message_id: int) -> Message:
    """A message as an update brings it."""
    found = next(one for one in await anna.messages() if one["message_id"] == message_id)
    return {name: value for name, value in found.items() if name != "seq"}


async def test_an_edited_message_brings_its_other_photo_and_caption(
    anna: Person, live: Stage
) -> None:
    sent = await anna.upload("photo", jpeg(), "shop.jpg", caption=CAPTION)
    shown = await anna.text(STARTS)
    before = await live.rows("SELECT photo_key FROM ml_requests ORDER BY id")
    other = await anna.upload("photo", jpeg(colour="red"), "other.jpg", caption="рыжий кот")
    await anna.text("рыжий кот")
    edited = await received(anna, sent)
    edited |= {"caption": "чёрный кот", "photo": (await received(anna, other))["photo"]}
    await live.push({"edited_message": edited | {"edit_date": 1}})
    changed = await anna.text("чёрный кот")
    assert changed["message_id"] == shown["message_id"]
    assert STARTS in changed["text"]
    after = await live.rows("SELECT photo_key FROM ml_requests ORDER BY id")
    assert after[0] != before[0]
    assert f"/{sent}/" in after[0]["photo_key"]


async def test_a_message_handled_twice_makes_one_draft_and_one_card(
    anna: Person, live: Stage
) -> None:
    sent = await anna.upload("photo", jpeg(), "shop.jpg", caption=CAPTION)
    await anna.text(STARTS)
    await live.push({"message": await received(anna, sent)})
    await anna.settled()
    assert len([one for one in await anna.messages() if STARTS in one.get("text", "")]) == 1
    assert await key_of_draft(live)


async def test_a_generator_changed_meanwhile_is_told_on_the_card_and_at_the_tap(
    anna: Person, live: Stage
) -> None:
    await anna.upload("photo", jpeg(), "shop.jpg", caption=CAPTION)
    shown = await anna.text(STARTS)
    await capacity.tell(live.pool, Capacity(4))
    await anna.press("Вариантов", shown)
    await anna.text("не рисует по фото: возьму только слова")
    answer = await anna.press("Создать", shown)
    assert answer["show_alert"]
    assert "рисую по словам" in answer["text"]
    await anna.text("В очереди")
    assert await photos_of_tasks(live) == [None]


async def test_more_similar_and_changed_pictures_keep_the_photo(anna: Person, live: Stage) -> None:
    await anna.upload("photo", jpeg(), "shop.jpg", caption=CAPTION)
    await anna.press("Создать", await anna.text(STARTS))
    await anna.settled()
    await live.draw()
    actions = await anna.button("Ещё варианты")
    await anna.press("Ещё варианты", actions)
    await anna.press("Похожие", actions)
    await anna.settled()
    keys = await photos_of_tasks(live)
    assert len(keys) == 3
    assert keys[0]
    assert keys == keys[:1] * 3
    page = await history_item(anna)
    await anna.press("Повторить", page)
    await anna.press("С изменениями", page)
    await anna.next(page["message_id"], STARTS)
    assert (await photos_of_tasks(live))[3] == keys[0]


async def history_item(anna: Person) -> Message:
    await anna.send("/history")
    await anna.press("1", await anna.wait_for(lambda one: buttons(one) == ["1"]))
    return await anna.button("С изменениями")
