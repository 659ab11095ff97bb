"""Whether a language model's answer is a prompt, and the prompt it is.

Nothing that comes from a model is trusted: it may be cut off, in Russian or Chinese, a page of
HTML, an apology, or our own instructions said back.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.enhance.lexicon.prompt import INTENT_WORDS
from pipeline.enhance.lexicon.transliterate import to_ascii
from pipeline.enhance.ollama.instructions import INSTRUCTIONS
from pipeline.enhance.ollama.tokens import TokenLimit
from pipeline.errors import BadAnswer

_ECHO_WORDS = 6
"""So many of our own words in a row are no chance."""

_LONGEST_WORD = 30
_MAX_INTENT_WORDS = 45
_MAX_RENDER_WORDS = 90
"""Twice what is asked for: what goes beyond has lost the task."""

_LOOP_WORDS = 16
_LOOP_SHARE = 0.35
"""A text of over _LOOP_WORDS words, of which fewer are different, goes round in circles."""

_WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*")
_MARKUP = re.compile(r"[<>{}\[\]`\\|]|https?:|www\.|&\w+;")
_REFUSAL = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|unable|an? (?:ai|language model|assistant))"
    r"|i (?:can ?not|can't|won't|will not)|as an ai"
    r"|here(?:'s| is) (?:the|your|a) (?:json|prompt)|(?:previous|these|your) (?:instructions|rules)"
    r"|system prompt)\b",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"\b(?:an?|the|of|in|on|at|by|with|and|or|for|from|to|is|are|its|over|under|near|behind|into"
    r"|through|against|beside|during|while|around)\b",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"\b(?:na|za|dlya|iz|ot|pri|bez|kak|eto|ili|[a-z]+(?:[yi]y|aya|oye|ogo|ykh|skiye)"
    r"|der|das|und|mit|auf|eine?[nmrs]?|dem|von|zu|fu?er|im|ist"
    r"|le|la|les|des?|du|une?|et|est|sur|avec|dans|aux?"
    r"|el|una|del?|para|por|il|della?|di|che|nel|sul)\b",
    re.IGNORECASE,
)
"""Small words of Russian in Latin letters, German, French, Spanish and Italian that English lacks,
and Russian's endings. A few may stand in names: "dulce de leche on a table"."""

_WORDS_OF_A_LANGUAGE = 8
"""So many words tell which language they are; fewer may be a list."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Checked: ASCII, one line each, `intent` at most INTENT_WORDS words. `negative` may be ""."""

    render: str
    negative: str
    intent: str


def read(text: str, limit: TokenLimit) -> Answer:
    """The prompt in a model's answer. Raises BadAnswer, its reason fit to be said to the model.

    `render` and `negative` are cut to the limit between phrases; a whole essay is refused.
    """
    fields = _fields(text)
    render = _plain("render", fields.get("render"))
    negative = _plain("negative", fields.get("negative") or "")
    intent = _plain("intent", fields.get("intent"))
    for name, value in (("render", render), ("intent", intent)):
        if len(re.findall(r"[A-Za-z]{2,}", value)) < 2:
            raise BadAnswer(f'"{name}" says nothing')
    _check_words((render, negative, intent))
    if len(intent.split()) > _MAX_INTENT_WORDS:
        raise BadAnswer('"intent" must be one sentence of at most 20 words')
    if len(render.split()) > _MAX_RENDER_WORDS:
        raise BadAnswer('"render" must have at most 40 words')
    return Answer(limit.fitted(render), limit.fitted(negative), _shortened(intent))


def _fields(text: str) -> dict[str, object]:
    """The JSON object; models that can't be held to a schema wrap it in prose."""
    try:
        fields = json.loads(text[text.find("{") : text.rfind("}") + 1])
    except (ValueError, RecursionError):
        raise BadAnswer("it was not valid JSON") from None
    if not isinstance(fields, dict):
        raise BadAnswer("it was not a JSON object")
    return fields


def _plain(name: str, value: object) -> str:
    """One line of ASCII; accents and typographic marks are written plainly."""
    if not isinstance(value, str):
        raise BadAnswer(f'"{name}" must be a string')
    line = " ".join(unicodedata.normalize("NFKC", value).split())
    if any(char.isalpha() and not _is_latin(char) for char in line):
        raise BadAnswer(f'"{name}" must be English, in Latin letters only')
    line = " ".join(to_ascii(line).split()).strip(" ,.;:-\"'")
    if _MARKUP.search(line) or not line.isprintable():
        raise BadAnswer(f'"{name}" must be plain words without markup')
    return line


def _is_latin(char: str) -> bool:
    return char.isascii() or unicodedata.name(char, "").startswith("LATIN")


def _check_words(texts: tuple[str, str, str]) -> None:
    joined = " . ".join(texts)
    if _REFUSAL.search(joined):
        raise BadAnswer("it must describe the picture, not talk about the task")
    if max(map(len, joined.split())) > _LONGEST_WORD:
        raise BadAnswer("it must be made of words")
    if not _is_english(joined):
        raise BadAnswer("it must be English")
    for text in texts:
        words = _words(text)
        if len(words) > _LOOP_WORDS and len(set(words)) < _LOOP_SHARE * len(words):
            raise BadAnswer("it repeats itself")
        if not _OURS.isdisjoint(_runs(words)):
            raise BadAnswer("it repeats the instructions; describe the requested picture")


def _is_english(text: str) -> bool:
    if len(_words(text)) < _WORDS_OF_A_LANGUAGE:
        return True
    return len(_ENGLISH.findall(text)) > len(_FOREIGN.findall(text))


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _runs(words: list[str]) -> Iterable[tuple[str, ...]]:
    return (tuple(words[at : at + _ECHO_WORDS]) for at in range(len(words) - _ECHO_WORDS + 1))


_OURS = frozenset(_runs(_words(INSTRUCTIONS)))


def _shortened(intent: str) -> str:
    """At most INTENT_WORDS words, ended between phrases where that keeps half of them."""
    words = intent.split()
    if len(words) <= INTENT_WORDS:
        return intent
    cut = " ".join(words[:INTENT_WORDS])
    phrase, _, _ = cut.rpartition(",")
    return phrase if len(phrase) > len(cut) // 2 else cut.rstrip(" ,.;:-")
