"""HTML and Markdown to entities, and what Telegram marks by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.entities import FormattedText, finish, parse_html, span_of
from playground.errors import BadRequest
from playground.markdown import parse_markdown, parse_markdown_v2
from playground.state import u16


def brief(entities: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """(type, offset, length, the rest) of each entity."""
    return [
        (
            e["type"],
            e["offset"],
            e["length"],
            *(e[k] for k in e.keys() - {"type", "offset", "length"}),
        )
        for e in entities
    ]


@pytest.mark.parametrize(
    ("html", "text", "entities"),
    [
        ("просто", "просто", []),
        ("<b>ж</b> и <i>к</i>", "ж и к", [("bold", 0, 1), ("italic", 4, 1)]),
        ("😀<b>😀</b>", "😀😀", [("bold", 2, 2)]),
        ("<b>а<i>б</i></b>", "аб", [("bold", 0, 2), ("italic", 1, 1)]),
        ("&lt;b&gt; &amp; &quot;&#33;&#x21;", '<b> & "!!', []),
        ("AT&T &nbsp; a&b", "AT&T &nbsp; a&b", []),
        (
            "<a href='http://a.ru/?x=1&amp;y=2'>т</a>",
            "т",
            [("text_link", 0, 1, "http://a.ru/?x=1&y=2")],
        ),
        ("<a>http://a.ru</a>", "http://a.ru", [("text_link", 0, 11, "http://a.ru")]),
        ('<a href="">не ссылка</a>', "не ссылка", []),
        ('<a href="tg://user?id=5">А</a>', "А", [("text_mention", 0, 1, {"id": 5})]),
        ("<pre><code class='language-py'>x</code></pre>", "x", [("pre", 0, 1, "py")]),
        ("<code class='language-py'>x</code>", "x", [("code", 0, 1)]),
        ("<span class='tg-spoiler'>т</span>", "т", [("spoiler", 0, 1)]),
        ("<tg-spoiler>т</tg-spoiler>", "т", [("spoiler", 0, 1)]),
        ("<blockquote>ц</blockquote>", "ц", [("blockquote", 0, 1)]),
        ("<blockquote expandable>ц</blockquote>", "ц", [("expandable_blockquote", 0, 1)]),
        ("<B>ж</>", "ж", [("bold", 0, 1)]),
        ("<b></b>x", "x", []),
        ("a > b", "a > b", []),
    ],
)
def test_html_becomes_text_and_entities(html: str, text: str, entities: list[Any]) -> None:
    parsed = parse_html(html)
    assert parsed.text == text
    assert brief(parsed.entities) == entities


@pytest.mark.parametrize(
    ("html", "error"),
    [
        ("<b>", 'Can\'t find end tag corresponding to start tag "b"'),
        ("я<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 2'),
        ("<br/>", 'Unsupported start tag "br/" at byte offset 0'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("1 <2> 3", 'Unsupported start tag "2" at byte offset 2'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        (
            "<a href>x</a>",
            'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0',
        ),
        ('<a ="x">x</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
        ('<a href="x>y</a>', "Unclosed start tag at byte offset 0"),
    ],
)
def test_bad_html_is_refused_in_telegrams_words(html: str, error: str) -> None:
    with pytest.raises(BadRequest) as raised:
        parse_html(html)
    assert raised.value.description == f"Bad Request: can't parse entities: {error}"


@settings(deadline=None)
@given(st.text(alphabet="<>/&;abi =\"'😀я\n"))
def test_any_html_is_parsed_or_refused(html: str) -> None:
    try:
        parsed = finish(parse_html(html))
    except BadRequest:
        return
    assert parsed.text == parsed.text.strip()
    for entity in parsed.entities:
        offset, length = span_of(entity)
        assert 0 <= offset < offset + length <= u16(parsed.text)


@settings(deadline=None)
@given(st.text(alphabet="\\_*[]()~`>#|!.a\n😀"))
def test_any_markdown_is_parsed_or_refused(source: str) -> None:
    for parse in (parse_markdown, parse_markdown_v2):
        try:
            parsed = finish(parse(source))
        except BadRequest:
            continue
        for entity in parsed.entities:
            offset, length = span_of(entity)
            assert 0 <= offset < offset + length <= u16(parsed.text)


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("/start@vitrina_bot и /help", [("bot_command", 0, 18), ("bot_command", 21, 5)]),
        ("и/или a/b", []),
        (
            "@anna, #осень и https://a.ru/б?в=г.",
            [
                ("mention", 0, 5),
                ("hashtag", 7, 6),
                ("url", 16, 18),
            ],
        ),
        ("a@b.ru #1", [("email", 0, 6)]),
    ],
)
def test_links_and_commands_are_found(text: str, entities: list[Any]) -> None:
    assert brief(finish(FormattedText(text, [])).entities) == entities


def test_nothing_is_found_inside_code() -> None:
    parsed = finish(parse_html("<code>/start</code> /help"))
    assert brief(parsed.entities) == [("code", 0, 6), ("bot_command", 7, 5)]


def test_trimming_moves_entities() -> None:
    parsed = finish(parse_html("  \n<b> а </b>  "))
    assert (parsed.text, brief(parsed.entities)) == ("а", [("bold", 0, 1)])


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        (
            "*ж* _к_ __п__ ~з~ ||с||",
            "ж к п з с",
            [
                ("bold", 0, 1),
                ("italic", 2, 1),
                ("underline", 4, 1),
                ("strikethrough", 6, 1),
                ("spoiler", 8, 1),
            ],
        ),
        ("*ж _к_*", "ж к", [("bold", 0, 3), ("italic", 2, 1)]),
        (r"1\.5 \* 2", "1.5 * 2", []),
        ("[т](http://a.ru/\\))", "т", [("text_link", 0, 1, "http://a.ru/)")]),
        ("`a*b` ```py\nx_y```", "a*b x_y", [("code", 0, 3), ("pre", 4, 3)]),
        (">раз\n>два\nтри", "раз\nдва\nтри", [("blockquote", 0, 8)]),
    ],
)
def test_markdown_v2(source: str, text: str, entities: list[Any]) -> None:
    parsed = parse_markdown_v2(source)
    assert (parsed.text, brief(parsed.entities)) == (text, entities)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("1.5", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("я *x", "Can't find end of Bold entity at byte offset 3"),
    ],
)
def test_bad_markdown_v2(source: str, error: str) -> None:
    with pytest.raises(BadRequest) as raised:
        parse_markdown_v2(source)
    assert raised.value.description == f"Bad Request: can't parse entities: {error}"


def test_the_old_markdown() -> None:
    parsed = parse_markdown(r"*ж* _к_ `ч` [т](http://a.ru) 1.5 \_")
    assert parsed.text == "ж к ч т 1.5 _"
    assert brief(parsed.entities) == [
        ("bold", 0, 1),
        ("italic", 2, 1),
        ("code", 4, 1),
        ("text_link", 6, 1, "http://a.ru"),
    ]
    with pytest.raises(BadRequest, match="Can't find end of the entity starting at byte offset 2"):
        parse_markdown("a *b")
