"""Photos, documents and albums: up, down, by file_id, and what is refused."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.playground.client import ANNA, BEN, CHANNEL, Playground, picture


async def test_a_photo_goes_up_and_comes_down(playground: Playground) -> None:
    content = picture(800, 400)
    sent = await playground.call(
        "sendPhoto",
        {"photo": ("a.png", content)},
        chat_id=ANNA,
        caption="<b>вот</b>",
        parse_mode="HTML",
    )
    small, full = sent["photo"]
    assert (small["width"], small["height"]) == (320, 160)
    assert (full["width"], full["height"], full["file_size"]) == (800, 400, len(content))
    assert sent["caption_entities"] == [{"type": "bold", "offset": 0, "length": 3}]
    assert await playground.download(full["file_id"]) == content
    with Image.open(BytesIO(await playground.download(small["file_id"]))) as thumbnail:
        assert thumbnail.size == (320, 160)


async def test_a_photo_is_sent_again_by_file_id(playground: Playground) -> None:
    sent = await playground.call("sendPhoto", {"photo": ("a.png", picture())}, chat_id=ANNA)
    again = await playground.call("sendPhoto", chat_id=BEN, photo=sent["photo"][0]["file_id"])
    assert again["photo"] == sent["photo"]


async def test_file_ids_belong_to_a_bot_and_a_kind(playground: Playground) -> None:
    sent = await playground.call("sendPhoto", {"photo": ("a.png", picture())}, chat_id=ANNA)
    file_id = sent["photo"][-1]["file_id"]
    mixed = await playground.raw("sendDocument", chat_id=ANNA, document=file_id)
    assert mixed.error == "Bad Request: can't use file of type Photo as Document"
    playground.token = "77:other"
    foreign = await playground.raw("sendPhoto", chat_id=ANNA, photo=file_id)
    assert foreign.error == "Bad Request: wrong file identifier/HTTP URL specified"
    assert (await playground.raw("getFile", file_id=file_id)).status == 400


async def test_a_document_keeps_its_name_and_bytes(playground: Playground) -> None:
    content = picture(1000, 1000)
    sent = await playground.call("sendDocument", {"document": ("афиша.png", content)}, chat_id=ANNA)
    document = sent["document"]
    assert (document["file_name"], document["mime_type"]) == ("афиша.png", "image/png")
    assert document["file_size"] == len(content)
    assert document["thumbnail"]["width"] == 320
    assert await playground.download(document["file_id"]) == content


async def test_an_album(playground: Playground) -> None:
    media = [{"type": "photo", "media": f"attach://p{n}"} for n in range(4)]
    media[0]["caption"] = "четыре"
    files = {f"p{n}": (f"{n}.png", picture(100 + n, 100)) for n in range(4)}
    sent = await playground.call("sendMediaGroup", files, chat_id=ANNA, media=media)
    assert [message["photo"][-1]["width"] for message in sent] == [100, 101, 102, 103]
    assert len({message["media_group_id"] for message in sent}) == 1
    assert [message.get("caption") for message in sent] == ["четыре", None, None, None]
    row = (await playground.log("sendMediaGroup"))[0]
    assert row["arguments"]["p0"] == {"file": "0.png", "size_bytes": len(files["p0"][1])}

    by_id = [{"type": "photo", "media": message["photo"][-1]["file_id"]} for message in sent]
    again = await playground.call("sendMediaGroup", chat_id=CHANNEL, media=by_id)
    assert [message["photo"] for message in again] == [message["photo"] for message in sent]


@pytest.mark.parametrize(
    ("media", "error"),
    [
        ([], "there must be at least one media in the group"),
        (
            [{"type": "photo", "media": "attach://p"}],
            "the number of media in an album must be 2-10",
        ),
        (
            [{"type": "photo", "media": "attach://p"}] * 11,
            "the number of media in an album must be 2-10",
        ),
        (
            [{"type": "photo", "media": "attach://p"}, {"type": "document", "media": "attach://p"}],
            "document can't be mixed with other media types",
        ),
        (
            [{"type": "photo", "media": "attach://p"}, {"type": "photo", "media": "attach://gone"}],
            "there is no photo in the request",
        ),
        (
            [
                {"type": "photo", "media": "attach://p"},
                {"type": "photo", "media": "attach://p", "caption": "я" * 1025},
            ],
            "message caption is too long",
        ),
    ],
)
async def test_bad_albums_send_nothing(
    playground: Playground, media: list[dict[str, Any]], error: str
) -> None:
    files = {"p": ("p.png", picture())}
    answer = await playground.raw("sendMediaGroup", files, chat_id=ANNA, media=media)
    assert answer.error == f"Bad Request: {error}"
    assert await playground.messages() == []


async def test_an_album_carries_no_buttons(playground: Playground) -> None:
    media = [{"type": "photo", "media": "attach://p"}] * 2
    markup = {"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]}
    answer = await playground.raw(
        "sendMediaGroup",
        {"p": ("p.png", picture())},
        chat_id=ANNA,
        media=media,
        reply_markup=markup,
    )
    assert answer.status == 400


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "file must be non-empty"),
        (b"not a picture", "IMAGE_PROCESS_FAILED"),
        (picture(2100, 100), "PHOTO_INVALID_DIMENSIONS"),
        (picture(9000, 1001), "PHOTO_INVALID_DIMENSIONS"),
        (
            b"\x89PNG" + bytes(10 * 2**20),
            "file of size 10485764 bytes is too big for a photo; "
            "the maximum size is 10485760 bytes",
        ),
    ],
)
async def test_bad_photos(playground: Playground, content: bytes, error: str) -> None:
    answer = await playground.raw("sendPhoto", {"photo": ("x.png", content)}, chat_id=ANNA)
    assert answer.error == f"Bad Request: {error}"


@pytest.mark.parametrize(
    ("photo", "error"),
    [
        ("AgACnonsense", "wrong file identifier/HTTP URL specified"),
        ("https://example.com/a.png", "failed to get HTTP URL content"),
        ("attach://gone", "there is no photo in the request"),
    ],
)
async def test_bad_photo_references(playground: Playground, photo: str, error: str) -> None:
    answer = await playground.raw("sendPhoto", chat_id=ANNA, photo=photo)
    assert answer.error == f"Bad Request: {error}"


async def test_a_photo_is_needed(playground: Playground) -> None:
    answer = await playground.raw("sendPhoto", chat_id=ANNA)
    assert answer.error == "Bad Request: there is no photo in the request"


async def test_big_files(playground: Playground) -> None:
    heavy = {"document": ("big.bin", bytes(21 * 2**20))}
    sent = await playground.call("sendDocument", heavy, chat_id=ANNA)
    answer = await playground.raw("getFile", file_id=sent["document"]["file_id"])
    assert answer.error == "Bad Request: file is too big"
    too_heavy = {"document": ("bigger.bin", bytes(52 * 2**20))}
    answer = await playground.raw("sendDocument", too_heavy, chat_id=ANNA)
    assert (answer.status, answer.error) == (413, "Request Entity Too Large")
    assert (await playground.log("sendDocument"))[-1]["status"] == 413


async def test_a_caption_and_a_picture_can_be_edited(playground: Playground) -> None:
    sent = await playground.call("sendPhoto", {"photo": ("a.png", picture())}, chat_id=ANNA)
    target = {"chat_id": ANNA, "message_id": sent["message_id"]}
    edited = await playground.call("editMessageCaption", **target, caption="теперь с подписью")
    assert edited["caption"] == "теперь с подписью"
    assert edited["photo"] == sent["photo"]
    text = await playground.raw("editMessageText", **target, text="x")
    assert text.error == "Bad Request: there is no text in the message to edit"

    new = {"type": "photo", "media": "attach://n"}
    edited = await playground.call(
        "editMessageMedia", {"n": ("n.png", picture(200, 200))}, **target, media=new
    )
    assert edited["photo"][-1]["width"] == 200
    assert "caption" not in edited
    same = {"type": "photo", "media": edited["photo"][-1]["file_id"]}
    unchanged = await playground.raw("editMessageMedia", **target, media=same)
    assert "message is not modified" in unchanged.error


async def test_a_person_sends_a_photo_with_a_caption(playground: Playground) -> None:
    content = picture(500, 500, "JPEG")
    await playground.send_file("photo", "me.jpg", content, caption="сделай ярче")
    (update,) = await playground.updates()
    message = update["message"]
    assert message["caption"] == "сделай ярче"
    assert await playground.download(message["photo"][-1]["file_id"]) == content


async def test_a_page_shows_files_by_id(playground: Playground) -> None:
    content = picture()
    sent = await playground.call("sendPhoto", {"photo": ("a.png", content)}, chat_id=ANNA)
    url = f"{playground.base_url}/sim/file/{sent['photo'][-1]['file_id']}"
    async with playground.http.get(url) as response:
        assert response.content_type == "image/png"
        assert await response.read() == content
    await playground.get("file/nonsense", status=404)


async def test_no_path_leads_out_of_the_files(playground: Playground) -> None:
    await playground.call("getMe")
    url = f"{playground.base_url}/file/bot{playground.token}/..%2F..%2Fetc%2Fpasswd"
    async with playground.http.get(url) as response:
        assert response.status == 404
