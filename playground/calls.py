"""A Bot API call as it comes over HTTP, and the checked aiogram method it stands for."""

import json
import types
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Union, get_args, get_origin

from aiohttp import BodyPartReader, MultipartReader, web
from pydantic import BaseModel, ValidationError

from playground.errors import ApiError, BadRequest
from playground.state import JsonObject, as_number

UPLOAD_BYTES_AT_MOST = 50 * 2**20
_BODY_BYTES_AT_MOST = UPLOAD_BYTES_AT_MOST + 2**20
_ABSENT = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "photo": "there is no photo in the request",
    "document": "there is no document in the request",
    "message_id": "message identifier is not specified",
    "file_id": "file_id not specified",
    "user_id": "invalid user_id specified",
}


@dataclass(slots=True, frozen=True)
class Upload:
    """A file that came with a call."""

    name: str
    mime: str
    content: bytes


@dataclass(slots=True)
class Arguments:
    """What a call carried: its fields as they came, and its files by field or attachment name."""

    fields: JsonObject = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def logged(self) -> JsonObject:
        """The arguments for the log, files by name and size only."""
        files = {
            name: {"file": upload.name, "size_bytes": len(upload.content)}
            for name, upload in self.files.items()
        }
        return {**self.fields, **files}


def _too_large() -> ApiError:
    return ApiError(413, "Request Entity Too Large")


async def read_arguments(request: web.Request, *, query: bool = True) -> Arguments:
    """Query string and body, be it JSON, a form or multipart. Raises ApiError."""
    if (request.content_length or 0) > _BODY_BYTES_AT_MOST:
        raise _too_large()
    arguments = Arguments(dict(request.query) if query else {})
    if not request.can_read_body:
        return arguments
    try:
        if request.content_type == "multipart/form-data":
            await read_multipart(await request.multipart(), arguments)
        elif request.content_type == "application/json":
            arguments.fields |= _json_object(await request.read())
        else:
            arguments.fields |= dict(await request.post())
    except ValueError as error:  # a body that is not what its headers say
        raise BadRequest("can't parse request body") from error
    return arguments


def _json_object(body: bytes) -> JsonObject:
    if not body.strip():
        return {}
    try:
        decoded = json.loads(body)
    except RecursionError as error:
        raise BadRequest("can't parse request: nested too deep") from error
    if not isinstance(decoded, dict):
        raise BadRequest("can't parse request: object expected")
    return decoded


async def read_multipart(reader: MultipartReader, arguments: Arguments) -> None:
    """Add the fields and files of a multipart body. Raises ApiError 413 past Telegram's size."""
    read_bytes = 0
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise BadRequest("can't parse request: unexpected multipart body")
        content = bytearray()
        while chunk := await part.read_chunk(2**16):
            content += chunk
            read_bytes += len(chunk)
            if read_bytes > _BODY_BYTES_AT_MOST:
                raise _too_large()
        if part.filename is None:
            arguments.fields[part.name] = content.decode()
        else:
            mime = part.headers.get("Content-Type", "application/octet-stream")
            arguments.files[part.name] = Upload(part.filename, mime, bytes(content))


@cache
def _shapes(model: type[BaseModel]) -> dict[str, str]:
    """How each field is written in a form: "text", "number", "id" (either) or "json"."""
    return {name: _shape(info.annotation) for name, info in model.model_fields.items()}


def _shape(annotation: object) -> str:
    parts: set[object] = set()
    waiting = [annotation]
    while waiting:
        one = waiting.pop()
        if get_origin(one) is Annotated:
            waiting.append(get_args(one)[0])
        elif get_origin(one) in (Union, types.UnionType):
            waiting.extend(get_args(one))
        else:
            parts.add(one)
    if str in parts:
        return "id" if int in parts else "text"
    return "number" if parts & {int, float, bool} else "json"


def _decoded(name: str, shape: str, value: object) -> object:
    if shape == "text" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return value
    if shape == "id":
        number = as_number(value)
        return value if number is None else number
    if shape == "number":
        return value or None
    if shape == "json":
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError as error:
            raise BadRequest(f"can't parse {name} JSON object") from error
    return value


def checked(model: type[BaseModel], arguments: Arguments) -> BaseModel:
    """The call as aiogram's method object, reply_markup left out (`markup` checks that one).

    What came as JSON in a form is decoded in `arguments` too, for the log.
    Raises BadRequest in Telegram's words, as far as they are known.
    """
    shapes = _shapes(model)
    values: JsonObject = {}
    markup = arguments.fields.get("reply_markup")
    if isinstance(markup, str):
        with suppress(ValueError):
            arguments.fields["reply_markup"] = json.loads(markup)
    for name, value in arguments.fields.items():
        if name in shapes and name != "reply_markup":
            decoded = arguments.fields[name] = _decoded(name, shapes[name], value)
            if decoded is not None:
                values[name] = decoded
    for name in arguments.files:
        if name in shapes:
            values[name] = f"attach://{name}"
    for name in ("chat_id", "text"):
        if values.get(name) == "" and model.model_fields[name].is_required():
            raise BadRequest(_ABSENT[name])
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _worded(error) from error


def _worded(error: ValidationError) -> BadRequest:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "missing" and len(first["loc"]) == 1:
        return BadRequest(_ABSENT.get(name, f'parameter "{name}" is required'))
    if name == "media":
        return BadRequest(f"can't parse InputMedia: {where}: {first['msg']}")
    return BadRequest(f"can't parse {where}: {first['msg']}")
