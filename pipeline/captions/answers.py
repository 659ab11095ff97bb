"""Whether a language model's answer is a caption, and the caption it is.

As with prompts, nothing is trusted: it may be in another language, an apology, our instructions
said back, or a promise that nobody made.
"""

from __future__ import annotations

import re
import unicodedata

from pipeline.captions import CaptionBrief, length
from pipeline.errors import BadAnswer

_QUOTES = "\"'«»“”„`"
_LAST_HASHTAGS = re.compile(r"(?:\s*#\w+)+\s*$")
_MARKUP = re.compile(r"[<>{}\[\]\\|#@`~]|https?:|www\.|\w\.(?:ru|com|рф|org|net)\b", re.IGNORECASE)
_TALK = re.compile(
    r"\b(?:как (?:языковая модель|ии|ai)|я не могу|извините|к сожалению, я"
    r"|вот (?:ваша |твоя |ещё )?(?:подпись|вариант|текст)|as an ai|i (?:can ?not|can't|am sorry)"
    r"|here(?:'s| is) (?:the|your|a) caption|system prompt|caption:|подпись:"
    r"|(?:previous|these|your) (?:instructions|rules)|предыдущие инструкции)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+")

_LEAST_WORDS = 3
_OWN_SHARE = 0.7
"""Of the letters must be the language's own; names of things may be in the other."""
_LOOP_WORDS = 16
_LOOP_SHARE = 0.4
_ECHO_WORDS = 6
_LANGUAGES = {"ru": ("CYRILLIC", "Russian"), "en": ("LATIN", "English")}


def read(text: str, brief: CaptionBrief, instructions: str) -> str:
    """The caption in an answer. Raises BadAnswer, its reason fit to be said to the model."""
    caption = _plain(text)
    words = [word.lower() for word in _WORD.findall(caption)]
    if len(words) < _LEAST_WORDS:
        raise BadAnswer("it says nothing")
    if _MARKUP.search(caption):
        raise BadAnswer("it must be plain words, without links, @names, hashtags or markup")
    if _TALK.search(caption):
        raise BadAnswer("it must be the caption itself, not talk about it")
    _check_language(caption, brief)
    if length(caption) > brief.room:
        raise BadAnswer(f"it must have at most {brief.room} characters")
    if set(_NUMBER.findall(caption)) - set(_NUMBER.findall(brief.idea)):
        raise BadAnswer("it must not name numbers, prices or dates that the request does not")
    if len(words) > _LOOP_WORDS and len(set(words)) < _LOOP_SHARE * len(words):
        raise BadAnswer("it repeats itself")
    asked = [word.lower() for word in _WORD.findall(brief.idea)]
    if words == asked:
        raise BadAnswer("it only repeats the request")
    ours = _runs([word.lower() for word in _WORD.findall(instructions)])
    if not ours.isdisjoint(_runs(words)):
        raise BadAnswer("it repeats the instructions; write about the picture")
    return caption


def _plain(text: str) -> str:
    """Paragraphs without what a model puts around them: quotes, bold marks, hashtags at the end."""
    text = unicodedata.normalize("NFC", text).replace("*", "").replace("__", "")
    kept = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    lines = [" ".join(line.split()) for line in kept.split("\n")]
    joined = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    joined = _LAST_HASHTAGS.sub("", joined).strip()
    inner = joined.strip(_QUOTES)
    # «Кофе» зовёт: quotes that stand inside stay.
    return inner if joined[:1] in _QUOTES and joined[-1:] in _QUOTES else joined


def _check_language(caption: str, brief: CaptionBrief) -> None:
    script, name = _LANGUAGES[brief.locale]
    letters = [char for char in caption if char.isalpha()]
    scripts = [unicodedata.name(char, "").split(" ")[0] for char in letters]
    if scripts.count(script) < _OWN_SHARE * len(letters):
        raise BadAnswer(f"it must be in {name}")
    if not {"CYRILLIC", "LATIN"}.issuperset(scripts):
        raise BadAnswer(f"it must be in {name}, without letters of other scripts")


def _runs(words: list[str]) -> frozenset[tuple[str, ...]]:
    last = len(words) - _ECHO_WORDS + 1
    return frozenset(tuple(words[at : at + _ECHO_WORDS]) for at in range(last))
