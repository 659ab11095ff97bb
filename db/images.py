"""Picture files, in a folder or in S3. Keys are deterministic, so a task done twice stores once.

Files are written before the rows that name them; what a dead worker left, the pictures of a deleted
album, but for those that posts are to show, and the photos of deleted requests are swept by age.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url
from sqlalchemy import any_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db.errors import FileMissing, InvalidKey
from db.models import Post, Prediction, Request, Task
from db.states import PostState, RequestState

ORPHAN_AGE_H = 24.0
PREFIX = "tasks/"
PHOTOS = "photos/"

_KEY = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\.[a-z0-9]{1,5}")
_OURS = re.compile(r"tasks/\d+/[0-9a-f]{16}\.png|photos/-?\d+/\d+/[A-Za-z0-9_-]+\.jpg")
_PAGE = 500


def key(task_id: int, sha256: str) -> str:
    """Where a task's picture of this content is stored."""
    return f"{PREFIX}{task_id}/{sha256[:16]}.png"


def photo_key(chat_id: int, message_id: int, file_unique_id: str) -> str:
    """Where the photo of a message is stored; another photo in the same message is another file."""
    return f"{PHOTOS}{chat_id}/{message_id}/{file_unique_id}.jpg"


class Store:
    """A folder (made on first use) or `s3://bucket/prefix`.

    Raises OSError or obstore's BaseError where the storage can't be used.
    """

    def __init__(self, url: str) -> None:
        self._store = _open(url)

    async def put(self, key: str, data: bytes) -> None:
        """Writes the file whole or not at all, over an older one. Raises InvalidKey."""
        await obstore.put_async(self._store, _checked(key), data)

    async def get(self, key: str) -> bytes:
        """Raises FileMissing, InvalidKey."""
        try:
            found = await obstore.get_async(self._store, _checked(key))
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError) as error:
            raise FileMissing(key) from error

    async def delete(self, key: str) -> None:
        """Deleting what is not there is no error. Raises InvalidKey."""
        try:
            await obstore.delete_async(self._store, _checked(key))
        except (NotFoundError, FileNotFoundError):
            return

    async def pages_older_than(self, moment: datetime, prefix: str) -> AsyncIterator[list[str]]:
        """Keys under `prefix` last written before `moment`, some hundreds at a time.

        Only keys as `key` and `photo_key` make them: the folder may hold files of others.
        """
        async for page in obstore.list(self._store, prefix, chunk_size=_PAGE):
            yield [
                meta["path"]
                for meta in page
                if meta["last_modified"] < moment and _OURS.fullmatch(meta["path"])
            ]


async def sweep_orphans(
    store: Store,
    sessions: async_sessionmaker[AsyncSession],
    *,
    now: datetime,
    older_than_h: float = ORPHAN_AGE_H,
) -> int:
    """Deletes files that nothing in anybody's history names, once they are old enough to be no
    running task's and no open dialogue's.

    One database must know all that the store holds: files of another one would look like orphans.
    Returns how many.
    """
    swept = 0
    for prefix, named_among in _NAMED.items():
        async for keys in store.pages_older_than(now - timedelta(hours=older_than_h), prefix):
            async with sessions() as session:
                named = await named_among(session, keys)
            orphans = [key for key in keys if key not in named]
            for orphan in orphans:
                await store.delete(orphan)
            swept += len(orphans)
    return swept


async def _pictures(session: AsyncSession, keys: Sequence[str]) -> set[str]:
    """Those of albums that were not deleted, and of posts that may still need the file. A draft
    that nobody gave a time keeps nothing of a deleted album."""
    posted = select(Post.id).where(
        Post.task_id == Task.id,
        Prediction.rank == any_(Post.ranks),
        Post.state.not_in((PostState.DRAFT, PostState.SENT, PostState.CANCELLED)),
    )
    rows = await session.scalars(
        select(Prediction.storage_key)
        .join(Task, Task.id == Prediction.task_id)
        .where(
            Prediction.storage_key.in_(keys),
            or_(Task.hidden_at.is_(None), posted.exists()),
        )
    )
    return set(rows)


async def _photos(session: AsyncSession, keys: Sequence[str]) -> set[str]:
    """Those of drafts, and of requests that have a task which was not deleted."""
    kept = select(Task.id).where(Task.request_id == Request.id, Task.hidden_at.is_(None))
    rows = await session.scalars(
        select(Request.photo_key).where(
            Request.photo_key.in_(keys),
            or_(Request.state == RequestState.DRAFT, kept.exists()),
        )
    )
    return {key for key in rows if key is not None}


_NAMED: dict[str, Callable[[AsyncSession, Sequence[str]], Awaitable[set[str]]]] = {
    PREFIX: _pictures,
    PHOTOS: _photos,
}


def _open(url: str) -> ObjectStore:
    if "://" in url:
        return from_url(url)
    folder = Path(url).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return LocalStore(folder)


def _checked(key: str) -> str:
    if _KEY.fullmatch(key) is None:
        raise InvalidKey(key)
    return key
