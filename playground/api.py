"""The bot's side over HTTP: /bot<token>/<method> and /file/bot<token>/<path>."""

import asyncio
import inspect
from dataclasses import dataclass

import structlog
from aiohttp import web

import playground.methods  # noqa: F401  fills ENDPOINTS
from playground.calls import Arguments, checked, read_arguments
from playground.errors import ApiError
from playground.faults import Fault
from playground.files import DOWNLOAD_BYTES_AT_MOST, content_of
from playground.limits import too_many_requests
from playground.methods.registry import ENDPOINTS, Call
from playground.state import JsonObject, as_number, json_text
from playground.telegram import Telegram
from playground.world import World

_log = structlog.get_logger()
HANG_S = 600.0
_BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n"
    "</body>\r\n</html>\r\n"
)


@dataclass(slots=True)
class Api:
    """Answers bots."""

    telegram: Telegram

    def routes(self) -> list[web.RouteDef]:
        """Where bots call."""
        return [
            web.route("*", "/bot{token}/{method}", self.handle),
            web.get("/file/bot{token}/{path:.+}", self.download),
        ]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One Bot API call over HTTP."""
        name = request.match_info["method"]
        arguments = Arguments()
        world = None
        try:
            world = self.telegram.by_token(request.match_info["token"])
            arguments = await read_arguments(request)
            fault = self.telegram.faults.strike(name, _id(arguments.fields.get("chat_id")))
            if fault is not None and fault.mode not in ("drop", "partial"):
                return await self._fail(world, name, arguments, fault)
            result = await self.call(world, name, arguments, fault)
        except ApiError as error:
            if world is None or error.code == 413:
                bot_id = world.profile.id if world else None
                self._write(bot_id, name, arguments, error)
            return _error_response(error)
        if fault is not None and fault.mode == "drop":
            return _cut(request)
        return web.Response(text=json_text({"ok": True, "result": result}), content_type=_JSON)

    async def call(
        self, world: World, name: str, arguments: Arguments, fault: Fault | None = None
    ) -> object:
        """Do one call and write it into the log; what it changed is on disk when this returns.

        Raises ApiError.
        """
        mode = fault.mode if fault else None
        try:
            result = await self._run(world, name, arguments, partial=mode == "partial")
        except ApiError as error:
            self._write(world.profile.id, name, arguments, error, mode)
            raise
        finally:
            self.telegram.store.flush()
        shown = ENDPOINTS[name.lower()].name
        self.telegram.journal.write(world.profile.id, shown, arguments.logged(), 200, None, mode)
        return result

    async def _run(self, world: World, name: str, arguments: Arguments, *, partial: bool) -> object:
        endpoint = ENDPOINTS.get(name.lower())
        if endpoint is None:
            _log.warning("unknown method", method=name, bot=world.profile.id)
            raise ApiError(404, "Not Found: method not found")
        method = checked(endpoint.model, arguments)
        messages = endpoint.messages(method)
        if messages:
            chat_id = getattr(method, "chat_id", 0)
            self.telegram.limits.spend(world.profile.id, chat_id, messages)
        call = Call(world, arguments.fields.get("reply_markup"), arguments.files, partial)
        result = endpoint.run(call, method)
        return await result if inspect.isawaitable(result) else result

    def _write(
        self,
        bot_id: int | None,
        name: str,
        arguments: Arguments,
        error: ApiError,
        fault: str | None = None,
    ) -> None:
        endpoint = ENDPOINTS.get(name.lower())
        shown = endpoint.name if endpoint else name
        self.telegram.journal.write(
            bot_id, shown, arguments.logged(), error.code, error.description, fault
        )

    async def _fail(
        self, world: World, name: str, arguments: Arguments, fault: Fault
    ) -> web.StreamResponse:
        """Answer as the fault says, without doing the work."""
        error = ApiError(500, "Internal Server Error")
        if fault.mode == "429":
            error = too_many_requests(fault.retry_after)
        status = {"502html": 502, "hang": None}.get(fault.mode, error.code)
        self.telegram.journal.write(
            world.profile.id, name, arguments.logged(), status, error.description, fault.mode
        )
        if fault.mode == "hang":
            await asyncio.sleep(HANG_S)
        if fault.mode == "502html":
            return web.Response(status=502, text=_BAD_GATEWAY, content_type="text/html")
        return _error_response(error)

    async def download(self, request: web.Request) -> web.Response:
        """A file's bytes by the path that getFile gave."""
        try:
            world = self.telegram.by_token(request.match_info["token"])
            file = world.by_path.get(request.match_info["path"])
            if file is None or file.size_bytes > DOWNLOAD_BYTES_AT_MOST:
                raise ApiError(404, "Not Found")
            content, _ = await asyncio.to_thread(content_of, world, file)
        except ApiError as error:
            return _error_response(error)
        except FileNotFoundError:
            return _error_response(ApiError(404, "Not Found"))
        return web.Response(body=content, content_type="application/octet-stream")


_JSON = "application/json"


def _id(value: object) -> object:
    number = as_number(value)
    return value if number is None else number


def _error_response(error: ApiError) -> web.Response:
    body: JsonObject = {
        "ok": False,
        "error_code": error.code,
        "description": error.description,
    }
    if error.parameters is not None:
        body["parameters"] = dict(error.parameters)
    return web.Response(status=error.code, text=json_text(body), content_type=_JSON)


def _cut(request: web.Request) -> web.Response:
    """Close the connection without a word; the response is never sent."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
