"""Picture files: kept under safe names, found again, swept when nobody knows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db import albums, images, requests
from db.errors import FileMissing, InvalidKey
from db.states import PostState
from tests.db import rows
from tests.db.channels import connected, drafted
from tests.db.rows import Sessions

BAD_KEYS = [
    "../secret.png", "tasks/../../secret.png", "/etc/passwd.png", "tasks//1.png", "tasks/1/",
    "", ".", "..", "tasks/.hidden.png", "tasks/1/a.png\x00", "tasks\\1\\a.png", "tasks/1/a.png\n",
    "tasks/%2e%2e/a.png", "s3://other/a.png", "tasks/1/ы.png", "tasks/1/a",
]  # fmt: skip


@pytest.fixture
def store(image_dir: Path) -> images.Store:
    return images.Store(str(image_dir))


def test_a_key_names_the_task_and_the_content() -> None:
    assert images.key(12, "ab" * 32) == "tasks/12/abababababababab.png"


async def test_a_file_is_found_again(store: images.Store, image_dir: Path) -> None:
    key = images.key(1, "a" * 64)
    await store.put(key, b"one")
    await store.put(key, b"two")
    assert await store.get(key) == b"two"
    assert (image_dir / key).read_bytes() == b"two"
    assert await images.Store(str(image_dir)).get(key) == b"two"


async def test_a_file_that_is_not_there_is_missing(store: images.Store) -> None:
    key = images.key(1, "a" * 64)
    with pytest.raises(FileMissing):
        await store.get(key)
    await store.put(key, b"one")
    await store.delete(key)
    await store.delete(key)
    with pytest.raises(FileMissing):
        await store.get(key)


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_a_key_that_leads_elsewhere_is_refused(
    store: images.Store, image_dir: Path, key: str
) -> None:
    (image_dir.parent / "secret.png").write_bytes(b"secret")
    with pytest.raises(InvalidKey):
        await store.get(key)
    with pytest.raises(InvalidKey):
        await store.put(key, b"x")
    with pytest.raises(InvalidKey):
        await store.delete(key)
    assert (image_dir.parent / "secret.png").read_bytes() == b"secret"
    assert _files(image_dir) == []


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_store_that_cannot_write_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="file"):
        images.Store(str(tmp_path / "file" / "images"))


async def test_orphans_are_swept_by_age_and_known_files_kept(
    store: images.Store, sessions: Sessions
) -> None:
    task_id, _ = await rows.done(sessions, who := await rows.person(sessions))
    known = [picture.storage_key for picture in rows.finished_album(2).images]
    orphans = [images.key(9, f"{number:064x}"[::-1]) for number in range(3)]
    for key in [*known, *orphans]:
        await store.put(key, b"png")
    now = datetime.now(UTC)
    assert await images.sweep_orphans(store, sessions, now=now) == 0
    soon = now + timedelta(hours=23)
    assert await images.sweep_orphans(store, sessions, now=soon) == 0
    later = now + timedelta(hours=25)
    assert await images.sweep_orphans(store, sessions, now=later) == 3
    assert [await store.get(key) for key in known] == [b"png", b"png"]
    for key in orphans:
        with pytest.raises(FileMissing):
            await store.get(key)
    assert await images.sweep_orphans(store, sessions, now=later) == 0
    async with sessions.begin() as session:
        await albums.hide(session, who.account_id, task_id)
    assert await images.sweep_orphans(store, sessions, now=later) == 2, "of a deleted album"


async def test_files_of_others_stay(
    store: images.Store, sessions: Sessions, image_dir: Path
) -> None:
    others = ("tasks/1/.DS_Store", "tasks/notes.png", "photos/2019/holiday.jpg")
    for name in others:
        (image_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (image_dir / name).write_bytes(b"mine")
    await store.put(orphan := images.key(9, "ab" * 32), b"png")
    later = datetime.now(UTC) + timedelta(hours=25)
    assert await images.sweep_orphans(store, sessions, now=later) == 1
    assert all((image_dir / name).exists() for name in others)
    assert not (image_dir / orphan).exists()


@pytest.mark.parametrize("state", [None, *PostState])
async def test_a_deleted_albums_pictures_are_kept_while_a_post_is_to_show_them(
    store: images.Store, sessions: Sessions, state: PostState | None
) -> None:
    """The second picture is in no post, and goes in any case."""
    who = await rows.person(sessions)
    task_id, _ = await rows.done(sessions, who)
    if state is not None:
        await drafted(sessions, who, await connected(sessions, who), task_id)
        await rows.execute(
            sessions,
            "UPDATE posts SET state = CAST(:state AS text), publish_at = now(), reason = '',"
            " sent_at = CASE :state WHEN 'sent' THEN now() END,"
            " lease_token = CASE :state WHEN 'sending' THEN gen_random_uuid() END,"
            " lease_until = CASE :state WHEN 'sending' THEN now() END",
            state=state.value,
        )
    for picture in rows.finished_album(2).images:
        await store.put(picture.storage_key, b"png")
    async with sessions.begin() as session:
        await albums.hide(session, who.account_id, task_id)
    later = datetime.now(UTC) + timedelta(hours=25)
    ended = (None, PostState.DRAFT, PostState.SENT, PostState.CANCELLED)
    assert await images.sweep_orphans(store, sessions, now=later) == (2 if state in ended else 1)


async def test_a_photo_is_kept_while_a_request_names_it(
    store: images.Store, sessions: Sessions
) -> None:
    who = await rows.person(sessions)
    drafted, ordered, left_out = (images.photo_key(-5, number, "AQAD_x-1") for number in range(3))
    task_id, _ = await rows.done(sessions, who)
    await rows.execute(sessions, "UPDATE ml_requests SET photo_key = :key", key=ordered)
    async with sessions.begin() as session:
        draft, _ = await requests.draft(session, rows.new_draft(who, photo_key=drafted))
    for key in (drafted, ordered, left_out):
        await store.put(key, b"jpeg")
    later = datetime.now(UTC) + timedelta(hours=25)
    assert await images.sweep_orphans(store, sessions, now=later) == 1, "no request names it"
    async with sessions.begin() as session:
        await requests.change_draft(session, who.account_id, draft.id, photo_key=None)
    assert await images.sweep_orphans(store, sessions, now=later) == 1, "left out by the person"
    assert await store.get(ordered) == b"jpeg"
    async with sessions.begin() as session:
        await albums.hide(session, who.account_id, task_id)
    assert await images.sweep_orphans(store, sessions, now=later) == 1, "of a deleted album"
    with pytest.raises(FileMissing):
        await store.get(ordered)
