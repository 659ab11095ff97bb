"""Telegram's two Markdowns, for bots that use them instead of HTML.

Rules: https://core.telegram.org/bots/api#markdownv2-style and #markdown-style.
"""

from dataclasses import dataclass

from playground.entities import FormattedText, link_entity, sort_entities
from playground.errors import BadRequest
from playground.state import JsonObject, u16

_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
_MARKS = (
    ("```", "pre"),
    ("__", "underline"),
    ("||", "spoiler"),
    ("_", "italic"),
    ("*", "bold"),
    ("~", "strikethrough"),
    ("`", "code"),
    ("![", "custom_emoji"),
    ("[", "text_link"),
)
_NAMES = {"text_link": "TextUrl", "custom_emoji": "CustomEmoji"}


@dataclass(slots=True)
class _Open:
    kind: str
    mark: str
    offset: int
    byte: int


def _fail(text: str) -> BadRequest:
    return BadRequest(f"can't parse entities: {text}")


class _MarkdownV2:
    """One pass over a MarkdownV2 text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.pos = 0
        self.plain: list[str] = []
        self.offset = 0
        self.stack: list[_Open] = []
        self.entities: list[JsonObject] = []

    def run(self) -> FormattedText:
        while self.pos < len(self.source):
            self._step()
        self._end_quote()
        if self.stack:
            top = self.stack[-1]
            name = _NAMES.get(top.kind, top.kind.title())
            raise _fail(f"Can't find end of {name} entity at byte offset {top.byte}")
        sort_entities(self.entities)
        return FormattedText("".join(self.plain), self.entities)

    def _step(self) -> None:
        char = self.source[self.pos]
        following = self.source[self.pos + 1 : self.pos + 2]
        verbatim = bool(self.stack) and self.stack[-1].kind in ("code", "pre")
        if char == "\\" and following and ord(following) < 127:
            self._literal(following, 2)
        elif verbatim and not self.source.startswith(self.stack[-1].mark, self.pos):
            self._literal(char, 1)
        elif char == "\n":
            self._literal(char, 1)
            if following != ">":
                self._end_quote()
        elif char not in _RESERVED:
            self._literal(char, 1)
        elif char == ">" and (self.pos == 0 or self.source[self.pos - 1] == "\n"):
            self.pos += 1
            if not any(one.kind == "blockquote" for one in self.stack):
                self._push("blockquote", ">", self.pos - 1)
        elif not self._close():
            self._open()

    def _literal(self, char: str, taken: int) -> None:
        self.plain.append(char)
        self.offset += u16(char)
        self.pos += taken

    def _push(self, kind: str, mark: str, begin: int) -> None:
        byte = len(self.source[:begin].encode())
        self.stack.append(_Open(kind, mark, self.offset, byte))

    def _close(self) -> bool:
        if not self.stack:
            return False
        top = self.stack[-1]
        link = top.kind in ("text_link", "custom_emoji")
        mark = "]" if link else top.mark
        longer = mark == "_" and self.source.startswith("__", self.pos)
        if longer or top.kind == "blockquote" or not self.source.startswith(mark, self.pos):
            return False
        self.stack.pop()
        self.pos += len(mark)
        url = self._url(top) if link else ""
        self._add(top, url)
        return True

    def _url(self, top: _Open) -> str:
        if self.source[self.pos : self.pos + 1] != "(":
            return ""
        end = self.pos + 1
        url: list[str] = []
        while end < len(self.source) and self.source[end] != ")":
            end += 1 if self.source[end] == "\\" else 0
            url.append(self.source[end : end + 1])
            end += 1
        if end >= len(self.source):
            raise _fail(f"Can't find end of a URL at byte offset {top.byte}")
        self.pos = end + 1
        return "".join(url)

    def _add(self, top: _Open, url: str) -> None:
        length = self.offset - top.offset
        entity: JsonObject = {"type": top.kind, "offset": top.offset, "length": length}
        if top.kind == "text_link":
            link = link_entity(url)
            if link is None:
                return
            entity |= link
        elif top.kind == "custom_emoji":
            number = url.removeprefix("tg://emoji?id=")
            if not number.isdecimal():
                raise _fail("Invalid custom emoji identifier specified")
            entity["custom_emoji_id"] = number
        if length > 0:
            self.entities.append(entity)

    def _open(self) -> None:
        for mark, kind in _MARKS:
            if self.source.startswith(mark, self.pos):
                self._push(kind, mark, self.pos)
                self.pos += len(mark)
                if kind == "pre":
                    self._skip_language()
                return
        char = self.source[self.pos]
        raise _fail(f"Character '{char}' is reserved and must be escaped with the preceding '\\'")

    def _skip_language(self) -> None:
        """The first line of a pre block names its language, where it is one word."""
        line, newline, _ = self.source[self.pos :].partition("\n")
        if newline and line and " " not in line and "`" not in line:
            self.pos += len(line)
        if self.source.startswith("\n", self.pos):
            self.pos += 1

    def _end_quote(self) -> None:
        if self.stack and self.stack[-1].kind == "blockquote":
            self._add(self.stack.pop(), "")


def parse_markdown_v2(source: str) -> FormattedText:
    """MarkdownV2 to plain text and entities. Raises BadRequest in Telegram's words."""
    return _MarkdownV2(source).run()


_LEGACY = {"_": "italic", "*": "bold", "`": "code", "[": "text_link"}


def parse_markdown(source: str) -> FormattedText:
    """The old Markdown, without nesting. Raises BadRequest in Telegram's words."""
    plain: list[str] = []
    entities: list[JsonObject] = []
    pos, offset = 0, 0
    while pos < len(source):
        char = source[pos]
        if char == "\\" and source[pos + 1 : pos + 2] in ("_", "*", "`", "["):
            plain.append(source[pos + 1])
            offset += 1
            pos += 2
        elif char not in _LEGACY:
            plain.append(char)
            offset += u16(char)
            pos += 1
        else:
            inner, kind, url, after = _legacy_entity(source, pos)
            entity: JsonObject = {"type": kind, "offset": offset, "length": u16(inner)}
            link = link_entity(url) if kind == "text_link" else {}
            if inner and link is not None:
                entities.append(entity | link)
            plain.append(inner)
            offset += u16(inner)
            pos = after
    return FormattedText("".join(plain), entities)


def _legacy_entity(source: str, pos: int) -> tuple[str, str, str, int]:
    """(inner text, kind, url, position after) of the entity that starts here."""
    kind, mark = _LEGACY[source[pos]], source[pos]
    if source.startswith("```", pos):
        kind, mark = "pre", "```"
    closing = "]" if mark == "[" else mark
    start = pos + len(mark)
    end = source.find(closing, start)
    if end < 0:
        byte = len(source[:pos].encode())
        raise _fail(f"Can't find end of the entity starting at byte offset {byte}")
    inner, after, url = source[start:end], end + len(closing), ""
    if kind == "text_link" and source.startswith("(", after):
        close = source.find(")", after)
        if close < 0:
            close = len(source)
        url, after = source[after + 1 : close], close + 1
    return inner, kind, url, after
