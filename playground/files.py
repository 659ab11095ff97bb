"""Pictures and documents: taking them in, giving them out, and the limits on both."""

import mimetypes
import warnings
from io import BytesIO
from pathlib import PurePath
from secrets import token_urlsafe

from PIL import Image, UnidentifiedImageError

from playground.calls import UPLOAD_BYTES_AT_MOST, Upload
from playground.errors import ApiError, BadRequest
from playground.state import File, Media
from playground.world import World

PHOTO_BYTES_AT_MOST = 10 * 2**20
DOWNLOAD_BYTES_AT_MOST = 20 * 2**20
PHOTO_SIDES_PX_AT_MOST = 10_000
PHOTO_RATIO_AT_MOST = 20
THUMBNAIL_SIDE_PX = 320
THUMBNAIL_OF_PIXELS_AT_MOST = 50_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")


def _size_px(content: bytes) -> tuple[str, int, int] | None:
    """(format, width, height) of a picture, from its header alone; None where it is none."""
    try:
        with warnings.catch_warnings():
            # Only the header is read here; `content_of` never decodes a picture this large.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=_FORMATS) as picture:
                return picture.format or "", picture.width, picture.height
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None


def _new_file(world: World, kind: str, extension: str, blob: str, size_bytes: int) -> File:
    world.profile.last_file += 1
    world.save_profile()
    photo = kind == "photo"
    return File(
        file_id=("AgACAgI" if photo else "BQACAgI") + token_urlsafe(36),
        unique_id=("AQAD" if photo else "AgAD") + token_urlsafe(9),
        number=world.profile.last_file,
        kind="photo" if photo else "document",
        blob=blob,
        path=f"{kind}s/file_{world.profile.last_file}{extension}",
        size_bytes=size_bytes,
        mime="image/jpeg",
    )


def _thumbnail(world: World, blob: str, width: int, height: int) -> File | None:
    """A small size of a picture; made when somebody asks for its bytes."""
    longest = max(width, height)
    if longest <= THUMBNAIL_SIDE_PX or width * height > THUMBNAIL_OF_PIXELS_AT_MOST:
        return None
    file = _new_file(world, "photo", ".jpg", blob, 0)
    file.max_side_px = THUMBNAIL_SIDE_PX
    file.width = max(1, round(width * THUMBNAIL_SIDE_PX / longest))
    file.height = max(1, round(height * THUMBNAIL_SIDE_PX / longest))
    world.save_file(file)
    return file


def _store_blob(world: World, content: bytes) -> str:
    blob = f"{world.number}-{world.profile.last_file + 1}-{token_urlsafe(6)}"
    world.store.write_blob(blob, content)
    return blob


def take_photo(world: World, upload: Upload, *, spoiler: bool = False) -> Media:
    """Keep an uploaded photo. Raises BadRequest in Telegram's words."""
    size_bytes = len(upload.content)
    if size_bytes == 0:
        raise BadRequest("file must be non-empty")
    if size_bytes > PHOTO_BYTES_AT_MOST:
        raise BadRequest(
            f"file of size {size_bytes} bytes is too big for a photo; "
            f"the maximum size is {PHOTO_BYTES_AT_MOST} bytes"
        )
    measured = _size_px(upload.content)
    if measured is None:
        raise BadRequest("IMAGE_PROCESS_FAILED")
    name, width, height = measured
    too_long = width + height > PHOTO_SIDES_PX_AT_MOST
    if too_long or max(width, height) > PHOTO_RATIO_AT_MOST * min(width, height):
        raise BadRequest("PHOTO_INVALID_DIMENSIONS")
    blob = _store_blob(world, upload.content)
    small = _thumbnail(world, blob, width, height)
    file = _new_file(world, "photo", ".jpg", blob, size_bytes)
    file.width, file.height, file.mime = width, height, Image.MIME[name]
    world.save_file(file)
    sizes = [small.file_id, file.file_id] if small else [file.file_id]
    return Media("photo", sizes, has_spoiler=spoiler)


def take_document(world: World, upload: Upload) -> Media:
    """Keep an uploaded document. Raises ApiError."""
    size_bytes = len(upload.content)
    if size_bytes == 0:
        raise BadRequest("file must be non-empty")
    if size_bytes > UPLOAD_BYTES_AT_MOST:
        raise ApiError(413, "Request Entity Too Large")
    blob = _store_blob(world, upload.content)
    measured = _size_px(upload.content)
    small = _thumbnail(world, blob, measured[1], measured[2]) if measured else None
    suffix = PurePath(upload.name).suffix
    file = _new_file(world, "document", suffix if suffix.isascii() else "", blob, size_bytes)
    file.name = upload.name
    guessed = mimetypes.guess_type(upload.name)[0]
    file.mime = guessed or upload.mime
    file.thumbnail_id = small.file_id if small else None
    world.save_file(file)
    return Media("document", [file.file_id])


def known(world: World, kind: str, file_id: str, *, spoiler: bool = False) -> Media:
    """Media sent again by its file_id. Raises BadRequest for another bot's id or another kind."""
    file = world.files.get(file_id)
    if file is None:
        raise BadRequest("wrong file identifier/HTTP URL specified")
    if file.kind != kind:
        raise BadRequest(f"can't use file of type {file.kind.title()} as {kind.title()}")
    if kind == "document":
        return Media("document", [file_id])
    sizes = [one.file_id for one in world.by_blob[file.blob] if one.kind == "photo"]
    return Media("photo", sizes, has_spoiler=spoiler)


def content_of(world: World, file: File) -> tuple[bytes, str]:
    """A file's bytes and MIME type; a small size is shrunk here."""
    content = world.store.read_blob(file.blob)
    if file.max_side_px is None:
        return content, file.mime
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as picture:
            picture.draft("RGB", (file.max_side_px, file.max_side_px))
            small = picture.convert("RGB")
            small.thumbnail((file.max_side_px, file.max_side_px))
    except (OSError, ValueError):
        # A picture cut short in the middle has a good header; Telegram would have refused it.
        return content, file.mime
    out = BytesIO()
    small.save(out, "JPEG", quality=85)
    return out.getvalue(), "image/jpeg"
