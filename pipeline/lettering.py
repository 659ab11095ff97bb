"""Words that a request wants written on the picture: "с надписью «Свежий хлеб»".

Image models draw such words as scribble, so they are not drawn: they are for the text of the post.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pipeline import triggers
from pipeline.asking import POST

_QUOTE = r"(?:«[^«»]+»|\"[^\"]+\"|“[^“”]+”|„[^„“”]+[“”])"
_QUOTED = re.compile(_QUOTE)
_NOUN = (
    r"(?:надпис(?:ь|и|ью|ями|ей)|слоган(?:а|ом|ы)?|заголов(?:ок|ка|ком)|лозунг(?:а|ом)?"
    r"|lettering|slogan|headline|tagline|inscription)"
)
_WORDING = (
    rf"(?:{_NOUN}|текст(?:а|ом)?|фраз(?:а|у|ой)|слов(?:о|а|ами|ом)|цитат(?:а|у|ой)|подпис(?:ь|ью)"
    r"|написано|напиши(?:те)?|написать|text|words?|phrase|caption|saying|that says|written)"
)
_BEARER = (
    r"(?:(?:постер|плакат|банн?ер|афиш|вывеск|вывесок|табличк|табличек|листовк|листовок|флаер"
    r"|открытк|открыток|растяжк|растяжек|билборд)\w*|posters?|banners?|signs?|signboards?|flyers?"
    r"|billboards?)"
)
"""What quoted words right after it are written on: a poster «Скидки», not a coffee shop «Зерно»."""
_BEFORE = (
    r"(?:\b(?:с|со|и|with|and|an?|the)\s+){0,2}(?:\b\w+(?:ой|ая|ую|ый|ым|ие|ые|ими|ыми)\s+){0,2}\b"
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_BEFORE}{_WORDING}\s*[:—–-]?\s*(?P<said>{_QUOTE}(?:(?:\s*,|\s+и|\s+and)?\s*{_QUOTE})*)",
        rf"{_BEFORE}{_NOUN}\s*:\s*(?P<said>[^«»\"“”„,.;!?()]*\w[^«»\"“”„,.;!?()]*)",
        rf"{_BEFORE}{_NOUN}\s+(?P<said>(?-i:[А-ЯЁA-Z])[^«»\"“”„,.;!?()]*)",
        rf"\b(?P<bearer>{_BEARER})\s*[:—–-]?\s*(?P<said>{_QUOTE})",
    )
)
_PARTING = " ,;:-–—"
_POST = re.compile(POST, re.IGNORECASE)
_SMALL_WORDS = frozenset("в во на для под с со и a an the for on to with and".split())  # noqa: SIM905


class Lettering(NamedTuple):
    """What a request shows (`subject`) and the words it wants written there."""

    subject: str
    words: tuple[str, ...]


def split(text: str) -> Lettering:
    """Takes the words to be written out of a cleaned text.

    Where no subject is left ("баннер с надписью «Скидки»") it is what the words speak of.
    """
    words: list[str] = []

    def take(found: re.Match[str]) -> str:
        said: str = found["said"]
        quotes = [quoted[1:-1] for quoted in _QUOTED.findall(said)]
        words.extend(one.strip() for one in quotes or [said] if any(map(str.isalnum, one)))
        return found.groupdict().get("bearer") or ""

    left = text
    for pattern in _PATTERNS:
        left = pattern.sub(take, left)
    if not words:
        return Lettering(text, ())
    left = re.sub(r"\s+([,.;:!?)])", r"\1", re.sub(r"\s{2,}", " ", left)).replace("()", "")
    left = re.sub(r"[,;:]*([,.;:!?])+", r"\1", left).strip(_PARTING)
    if not _has_subject(left):
        left = f"{left}: {', '.join(words)}".lstrip(_PARTING)
    return Lettering(left, tuple(words))


def caption(idea: str) -> str:
    """The idea itself as a post's text, or what it wants written on the picture."""
    return capitalised(". ".join(split(idea).words) or idea)


def capitalised(text: str) -> str:
    """Begins with a capital; names written otherwise ("iPhone") stay."""
    head, space, rest = text.partition(" ")
    return (head[:1].upper() + head[1:] if head.islower() else head) + space + rest


def _has_subject(text: str) -> bool:
    """Whether more is there than what the picture is made for: "баннер для сайта"."""
    places = triggers.vocabulary().platforms
    return any(
        word.lower() not in _SMALL_WORDS
        and not _POST.fullmatch(word)
        and places.find(triggers.words(word)) is None
        for word in re.findall(r"[^\W\d_]+", text)
    )
