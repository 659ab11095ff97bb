"""Formatted text as Telegram reads it: HTML to entities, and what it finds by itself.

Errors and their byte offsets follow TDLib's own parser (td/telegram/MessageEntity.cpp), which is
what api.telegram.org runs. A lone "&" is literal there, a lone "<" is an error.
"""

import re
from dataclasses import dataclass

from playground.errors import BadRequest
from playground.state import JsonObject, u16

_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
_REFERENCE = re.compile(r"&(?:#x(?P<hex>[0-9a-fA-F]+)|#(?P<dec>[0-9]+)|(?P<name>[A-Za-z]+));?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_USER_LINK = re.compile(r"tg://user\?id=(\d+)")

_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]+[^\s<>\".,;:!?)\]}'])"
    r"|(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?<![\w/<>@])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/@])"
    r"|(?<![\w@])(?P<mention>@[A-Za-z]\w{2,31})(?!\w)"
    r"|(?<![\w#])(?P<hashtag>#\w*[^\W\d]\w*)"
)
_SOLID = frozenset({"code", "pre", "text_link", "text_mention", "custom_emoji"})


@dataclass(slots=True)
class FormattedText:
    """Plain text and its entities, offsets in UTF-16 units."""

    text: str
    entities: list[JsonObject]


@dataclass(slots=True)
class _Open:
    tag: str
    argument: str | None
    offset: int
    text_start: int


def _fail(text: str) -> BadRequest:
    return BadRequest(f"can't parse entities: {text}")


def _decode(match: re.Match[str]) -> str:
    """One character reference; what Telegram does not know stays as it was written."""
    if match["name"] is not None:
        known = _NAMED.get(match["name"])
        return match[0] if known is None else known
    code = int(match["hex"], 16) if match["hex"] is not None else int(match["dec"])
    return chr(code) if 0 < code < 0x10FFFF and not 0xD800 <= code <= 0xDFFF else match[0]


class _Html:
    """One pass over an HTML text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.pos = 0
        self.plain: list[str] = []
        self.offset = 0
        self.stack: list[_Open] = []
        self.entities: list[JsonObject] = []

    def run(self) -> FormattedText:
        while self.pos < len(self.source):
            tag_at = self.source.find("<", self.pos)
            end = len(self.source) if tag_at < 0 else tag_at
            self._emit(_REFERENCE.sub(_decode, self.source[self.pos : end]))
            self.pos = end
            if tag_at >= 0:
                self._close() if self.source.startswith("</", tag_at) else self._open()
        if self.stack:
            raise _fail(f'Can\'t find end tag corresponding to start tag "{self.stack[-1].tag}"')
        sort_entities(self.entities)
        return FormattedText("".join(self.plain), self.entities)

    def _emit(self, text: str) -> None:
        self.plain.append(text)
        self.offset += u16(text)

    def _byte(self, pos: int) -> int:
        return len(self.source[:pos].encode())

    def _peek(self) -> str:
        return self.source[self.pos] if self.pos < len(self.source) else ""

    def _word(self, stops: str) -> str:
        start = self.pos
        while self._peek() and not self._peek().isspace() and self._peek() not in stops:
            self.pos += 1
        return self.source[start : self.pos]

    def _spaces(self) -> None:
        while self._peek().isspace():
            self.pos += 1

    def _open(self) -> None:
        begin = self.pos
        self.pos += 1
        tag = self._word(">").lower()
        if not self._peek():
            raise _fail(f"Unclosed start tag at byte offset {self._byte(begin)}")
        if tag not in _TAGS:
            raise _fail(f'Unsupported start tag "{tag}" at byte offset {self._byte(begin)}')
        argument = None
        while True:
            self._spaces()
            if self._peek() == ">":
                break
            name, value = self._attribute(tag, begin)
            if (tag, name) in {("a", "href"), ("tg-emoji", "emoji-id"), ("span", "class")}:
                argument = value
            elif (tag, name) == ("code", "class") and value.startswith("language-"):
                argument = value.removeprefix("language-")
            elif (tag, name) == ("blockquote", "expandable"):
                argument = name
        self.pos += 1
        if tag == "span" and argument != "tg-spoiler":
            where = self._byte(begin)
            raise _fail(f'Tag "span" must have class "tg-spoiler" at byte offset {where}')
        self.stack.append(_Open(tag, argument, self.offset, len(self.plain)))

    def _attribute(self, tag: str, begin: int) -> tuple[str, str]:
        name = self._word("=>")
        where = self._byte(begin)
        if not name:
            raise _fail(f'Empty attribute name in the tag "{tag}" at byte offset {where}')
        self._spaces()
        if tag == "blockquote" and name == "expandable" and self._peek() == ">":
            return name, ""
        if self._peek() != "=":
            raise _fail(
                "Expected equal sign in declaration of an attribute of the tag "
                f'"{tag}" at byte offset {where}'
            )
        self.pos += 1
        self._spaces()
        quote = self._peek()
        if quote not in ("'", '"') or not quote:
            value = self._word(">").lower()
        else:
            end = self.source.find(quote, self.pos + 1)
            if end < 0:
                raise _fail(f"Unclosed start tag at byte offset {where}")
            value = _REFERENCE.sub(_decode, self.source[self.pos + 1 : end])
            self.pos = end + 1
        if not self._peek():
            raise _fail(f"Unclosed start tag at byte offset {where}")
        return name, value

    def _close(self) -> None:
        begin = self.pos
        where = self._byte(begin)
        if not self.stack:
            raise _fail(f"Unexpected end tag at byte offset {where}")
        self.pos += 2
        tag = self._word(">").lower()
        self._spaces()
        if self._peek() != ">":
            raise _fail(f"Unclosed end tag at byte offset {where}")
        self.pos += 1
        opened = self.stack.pop()
        if tag and tag != opened.tag:
            raise _fail(
                f'Unmatched end tag at byte offset {where}, expected "</{opened.tag}>", '
                f'found "</{tag}>"'
            )
        if self.offset > opened.offset:
            self._add(opened)

    def _add(self, opened: _Open) -> None:
        kind = _TAGS[opened.tag]
        span: JsonObject = {"offset": opened.offset, "length": self.offset - opened.offset}
        entity: JsonObject = {"type": kind, **span}
        if kind == "text_link":
            url = opened.argument or "".join(self.plain[opened.text_start :])
            link = link_entity(url)
            if link is None:
                return
            entity = {**link, **span}
        elif kind == "custom_emoji":
            if not (opened.argument or "").isdecimal():
                raise _fail("Invalid custom emoji identifier specified")
            entity["custom_emoji_id"] = opened.argument
        elif kind == "blockquote" and opened.argument:
            entity["type"] = "expandable_blockquote"
        elif kind == "code" and opened.argument:
            entity["language"] = opened.argument
        elif kind == "pre" and self.entities:
            inner = self.entities[-1]
            if inner["type"] == "code" and span.items() <= inner.items() and "language" in inner:
                inner["type"] = "pre"
                return
        self.entities.append(entity)


def link_entity(url: str) -> JsonObject | None:
    """The entity of a link without its place; None where Telegram drops the link."""
    user = _USER_LINK.fullmatch(url)
    if user:
        return {"type": "text_mention", "user": {"id": int(user[1])}}
    if re.match(r"(https?|tg|ton)://", url) is None:
        if re.match(r"[\w-]+(\.[\w-]+)+", url) is None:
            return None
        url = f"http://{url}"
    return {"type": "text_link", "url": url}


def parse_html(source: str) -> FormattedText:
    """Telegram's HTML to plain text and entities. Raises BadRequest in Telegram's words."""
    parsed = _Html(source).run()
    for entity in parsed.entities:
        if entity["type"] == "code":
            entity.pop("language", None)
    return parsed


def _order(entity: JsonObject) -> tuple[int, int]:
    return span_of(entity)[0], -span_of(entity)[1]


def sort_entities(entities: list[JsonObject]) -> None:
    """By place, the longer first, as Telegram lists them."""
    entities.sort(key=_order)


def span_of(entity: JsonObject) -> tuple[int, int]:
    """(offset, length) of an entity, as integers."""
    offset, length = entity["offset"], entity["length"]
    if not isinstance(offset, int) or not isinstance(length, int):
        raise BadRequest("can't parse entities: entity offset and length must be integers")
    return offset, length


def find_entities(text: str) -> list[JsonObject]:
    """Links, mentions, hashtags, addresses and commands that Telegram marks by itself."""
    found: list[JsonObject] = []
    for match in _FOUND.finditer(text):
        if match.lastgroup is not None:
            offset = u16(text[: match.start()])
            found.append({"type": match.lastgroup, "offset": offset, "length": u16(match[0])})
    return found


def finish(formatted: FormattedText) -> FormattedText:
    """Trim as Telegram does, cut entities to what is left, and add what it finds by itself."""
    text = formatted.text.replace("\r", "")
    lead = u16(text) - u16(text.lstrip())
    text = text.strip()
    end = u16(text)
    entities: list[JsonObject] = []
    for entity in formatted.entities:
        offset, length = span_of(entity)
        start, stop = max(offset - lead, 0), min(offset + length - lead, end)
        if stop > start:
            entities.append({**entity, "offset": start, "length": stop - start})
    solid = [span_of(entity) for entity in entities if entity["type"] in _SOLID]
    for entity in find_entities(text):
        offset, length = span_of(entity)
        if not any(offset < at + size and at < offset + length for at, size in solid):
            entities.append(entity)
    sort_entities(entities)
    return FormattedText(text, entities)
