"""Keyboards: what Telegram accepts under a message, and in which words it refuses the rest."""

import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from playground.errors import BadRequest
from playground.state import JsonObject, without_none

CALLBACK_DATA_BYTES = 64
BUTTONS_AT_MOST = 100
_ACTIONS = (
    "callback_data",
    "url",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
_REPLY_KINDS = ("keyboard", "remove_keyboard", "force_reply")


def parse_markup(
    raw: object, *, inline_only: bool = False, invoice: bool = False
) -> JsonObject | None:
    """A checked reply_markup, or None where there is none.

    Raises BadRequest in Telegram's words.
    """
    if raw is None or raw == "":
        return None
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except ValueError as error:
            raise BadRequest("can't parse reply keyboard markup JSON object") from error
    if not isinstance(raw, dict):
        raise BadRequest("object expected as reply markup")
    if "inline_keyboard" in raw:
        return {"inline_keyboard": _inline_rows(raw["inline_keyboard"], invoice=invoice)}
    if inline_only and any(kind in raw for kind in _REPLY_KINDS):
        raise BadRequest("inline keyboard expected")
    if "keyboard" in raw:
        rows = _rows(raw["keyboard"], "keyboard")
        return {**raw, "keyboard": [[_reply_button(button) for button in row] for row in rows]}
    if raw.get("remove_keyboard") or raw.get("force_reply"):
        return dict(raw)
    return None


def _rows(value: object, name: str) -> list[list[object]]:
    if not isinstance(value, list):
        raise BadRequest(f'can\'t parse reply markup: Field "{name}" must be of type Array')
    if not all(isinstance(row, list) for row in value):
        of = " of the InlineKeyboardMarkup" if name == "inline_keyboard" else ""
        raise BadRequest(f'field "{name}"{of} must be an Array of Arrays')
    rows = [list(row) for row in value if row]
    if sum(map(len, rows)) > BUTTONS_AT_MOST:
        raise BadRequest("reply markup is too long")
    return rows


def _inline_rows(value: object, *, invoice: bool) -> list[list[JsonObject]]:
    rows = _rows(value, "inline_keyboard")
    buttons = [[_inline_button(button) for button in row] for row in rows]
    flat = [button for row in buttons for button in row]
    if any("pay" in button for button in flat[1:]):
        raise BadRequest("BUTTON_POS_INVALID")
    if flat and "pay" in flat[0] and not invoice:
        raise BadRequest("BUTTON_TYPE_INVALID")
    if flat and invoice and "pay" not in flat[0]:
        raise BadRequest("REPLY_MARKUP_BUY_EMPTY")
    return buttons


def _inline_button(raw: object) -> JsonObject:
    if not isinstance(raw, dict):
        raise BadRequest(
            "can't parse inline keyboard button: InlineKeyboardButton must be an Object"
        )
    text = raw.get("text")
    if not isinstance(text, str):
        raise BadRequest("can't parse inline keyboard button: Can't find field \"text\"")
    if not text.strip():
        raise BadRequest("inline keyboard button text must be non-empty")
    given = [name for name in _ACTIONS if raw.get(name) not in (None, False)]
    if not given:
        raise BadRequest(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if "callback_data" in given:
        size = len(str(raw["callback_data"]).encode())
        if not 1 <= size <= CALLBACK_DATA_BYTES:
            raise BadRequest("BUTTON_DATA_INVALID")
    if "url" in given:
        check_url(str(raw["url"]))
    return without_none(raw)


def check_url(url: str) -> None:
    """Refuse what Telegram would not put behind a button; it knows no bare host names."""
    if re.match(r"(tg|ton)://\S", url):
        return
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or "." not in host or re.search(r"\s", url):
        raise BadRequest(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def _reply_button(raw: object) -> JsonObject:
    button: Mapping[str, object] = {"text": raw} if isinstance(raw, str) else _object(raw)
    text = button.get("text")
    if not isinstance(text, str):
        raise BadRequest("can't parse keyboard button: Can't find field \"text\"")
    if not text.strip():
        raise BadRequest("keyboard button text must be non-empty")
    for name in ("request_users", "request_chat"):
        request = button.get(name)
        if request is not None and not (isinstance(request, dict) and "request_id" in request):
            raise BadRequest("can't parse keyboard button: Can't find field \"request_id\"")
    return without_none(button)


def _object(raw: object) -> Mapping[str, object]:
    if not isinstance(raw, dict):
        raise BadRequest("KeyboardButton must be a String or an Object")
    return raw


def inline_buttons(markup: JsonObject | None) -> list[JsonObject]:
    """Every button of an inline keyboard, row by row."""
    return _buttons(markup, "inline_keyboard")


def reply_buttons(markup: JsonObject | None) -> list[JsonObject]:
    """Every button of a reply keyboard, row by row."""
    return _buttons(markup, "keyboard")


def _buttons(markup: JsonObject | None, name: str) -> list[JsonObject]:
    rows = (markup or {}).get(name)
    if not isinstance(rows, list):
        return []
    return [button for row in rows for button in row]
