"""From a person's rough message to a Brief: cleaning it, and seeing where and what for it is.

Importing this module is cheap: the vocabulary and pymorphy3 are loaded on first use.
"""

from __future__ import annotations

import html
import re
import unicodedata

from pipeline import counts, triggers
from pipeline.asking import ASKING, MAKING, OF, POLITE, POST
from pipeline.errors import BadBrief
from pipeline.formats import default_aspect
from pipeline.types import Aspect, BrandStyle, Brief, Variation

MAX_PROMPT_CHARS = 2000
MAX_COUNT = 4
MAX_SEED = 2**31 - 1

PLATFORMS: tuple[str, ...] = (
    "instagram",
    "stories",
    "reels",
    "telegram",
    "vk",
    "ok",
    "dzen",
    "youtube",
    "shorts",
    "tiktok",
    "pinterest",
    "whatsapp",
    "facebook",
    "website",
    "banner",
    "marketplace",
    "email",
    "print",
    "presentation",
    "avatar",
)

GOALS: tuple[str, ...] = (
    "promotion",
    "sale",
    "branding",
    "product_shot",
    "announcement",
    "event",
    "holiday",
    "recruiting",
    "education",
    "testimonial",
    "menu",
)

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_ADDRESS = re.compile(
    r"(?:https?://|ftp://|www\.|tg://)\S+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"
    r"|(?<!\w)(?:t\.me|vk\.com|wa\.me|youtu\.be)/\S+|(?<!\w)@\w+",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"^\s*/\w+(?:@\w+)?(?=\s|$)")
_MARKUP = re.compile(r"[*`~|\\^{}\[\]<>=]+|__+|(?m:^\s*[-•·–—>#]+\s+)")
_COLOUR = r"(?:(?=[a-f]*\d|f{6})[\da-f]{6}\b)"
_LAST_HASHTAGS = re.compile(rf"(?:\s*(?<![\w#])#(?!{_COLOUR})\w+)+\s*$", re.IGNORECASE)
_HASH = re.compile(rf"#+({_COLOUR}?)", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_LOOSE_MARK = re.compile(r"\s+([,.;:!?%)])")
_REPEATED_MARK = re.compile(r"([,.;:!?])(?:\s*\1)+")
_EDGES = " \t,.;:-–—/&+"

_KEPT_SYMBOLS = frozenset("№°+×")
_DROPPED_CATEGORIES = frozenset({"So", "Sk", "Cs", "Co", "Cn", "Cc", "Cf", "Me"})
_STRESS_AND_SELECTORS = frozenset("\u0300\u0301\ufe0e\ufe0f")

# "Сделай, пожалуйста, красивую картинку ..." asks for a picture and says nothing about it.
_PICTURE = (
    r"(?:картин(?:ку|ка|ки|очку|очка)|изображени[еяй]|пикч[ау]|картиночк[ау]|визуал(?:а|ы)?"
    r"|креатив(?:а|ы)?|арт|picture|image|visual)"
)
_GREETING = re.compile(rf"^\W*{POLITE}\b[\s,.!)]*", re.IGNORECASE)
_ASK_PICTURE = re.compile(
    rf"^{ASKING}(?:{MAKING}\s+)?(?:(?:мне|нам|me|us|an?|the)\s+)*"
    rf"(?:{POLITE}\W+)?{_PICTURE}\b"
    rf"\s*{OF}\s*[:.,-]*\s*",
    re.IGNORECASE,
)
_ASK_DRAW = re.compile(
    r"^(?:(?:можешь|можете|можно|давай(?:те)?|мне|нам|хочу|хотим|надо|нужно|прошу|can you|could you"
    rf"|i want you to)\s+)*{MAKING}\b(?:\s+(?:мне|нам|me|us)\b)?(?:[\s,]*{POLITE}\b)?[\s,:]*",
    re.IGNORECASE,
)
_ASK_POST = re.compile(
    r"^(?:(?:мне|нам|я|мы)\s+)*(?:нужен|нужна|нужно|нужны|надо|хочу|хотим|хотелось бы|требуется"
    r"|i need|we need|i want)\s+(?:(?:мне|нам|an?|the)\s+)*"
    r"(?=(?:[\w-]+(?:ый|ий|ой|ая|яя|ую|юю|ое|ее|ые|ие)\s+){0,2}"
    rf"{POST})",
    re.IGNORECASE,
)


def clean_text(text: str) -> str:
    """The request without emoji, markup, links, hashtag noise and "нарисуй, пожалуйста".

    Nor is there the number of pictures, see `detect_count`. Idempotent. Empty when nothing but
    such noise was there.
    """
    return _read(text)[0]


def detect_count(text: str) -> int | None:
    """How many pictures the text asks for, 1..20, more than can be made or not; or None."""
    return _read(text)[1]


def _read(text: str) -> tuple[str, int | None]:
    """The cleaned text, and how many pictures it asked for."""
    text, count = unicodedata.normalize("NFC", text), None
    while True:
        cleaned, asked = _clean_once(text)
        count = count or asked
        if cleaned == text:
            return text, count
        text = cleaned


def _clean_once(text: str) -> tuple[str, int | None]:
    text = _COMMAND.sub(" ", html.unescape(text))
    text = _ADDRESS.sub(" ", _TAG.sub(" ", text))
    text = "".join(map(_plain, text))
    text = _MARKUP.sub(" ", text)
    text = _LAST_HASHTAGS.sub(lambda tags: tags[0] if tags.start() == 0 else " ", text)
    text = _SPACES.sub(" ", _HASH.sub(lambda found: f" #{found[1]}" if found[1] else " ", text))
    text = _REPEATED_MARK.sub(r"\1", _LOOSE_MARK.sub(r"\1", text)).strip(_EDGES)
    text = unicodedata.normalize("NFC", text)
    return _without_request(text) if has_words(text) else ("", None)


def _plain(char: str) -> str:
    if char in _KEPT_SYMBOLS or char.isspace():
        return char
    if char in _STRESS_AND_SELECTORS:
        return ""
    # Format characters (joiners, direction marks) sit inside words; the rest stands between them.
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    return " " if category in _DROPPED_CATEGORIES or "\u2190" <= char <= "\u2bff" else char


def has_words(text: str) -> bool:
    """Whether any letter or digit is there to draw from."""
    return any(char.isalnum() for char in text)


def _without_request(text: str) -> tuple[str, int | None]:
    text, count = counts.take(_without(_GREETING, text))
    for pattern in (_ASK_PICTURE, _ASK_DRAW, _ASK_POST):
        text = _without(pattern, text)
    return text, count


def _without(pattern: re.Pattern[str], text: str) -> str:
    shorter = pattern.sub("", text, count=1)
    return shorter if has_words(shorter) else text


def detect_platform(text: str) -> str | None:
    """The code in PLATFORMS of the place the text names, in any inflected form, or None."""
    return triggers.vocabulary().platforms.find(triggers.words(text))


def detect_goal(text: str) -> str | None:
    """The code in GOALS that the text's words point at, or None."""
    return triggers.vocabulary().goals.find(triggers.words(text))


def make_brief(
    raw_prompt: str,
    *,
    seed: int,
    platform: str | None = None,
    goal: str | None = None,
    brand: BrandStyle | None = None,
    aspect: Aspect | None = None,
    count: int | None = None,
    enhance: bool = True,
    variation: Variation | None = None,
) -> Brief:
    """A Brief from a message and what was chosen by hand; the rest is detected.

    Without a `count` it is the one that the text asks for, as far as it goes, else MAX_COUNT.

    Raises BadBrief: `empty`, `too_long` (over MAX_PROMPT_CHARS once cleaned), `count` (1..4),
    `seed` (0..2**31-1), `platform` or `goal` (not a known code), `variation` (strength 0..1).
    """
    cleaned, asked = _read(raw_prompt)
    if count is None:
        count = min(asked or MAX_COUNT, MAX_COUNT)
    if not cleaned:
        raise BadBrief("empty")
    if len(cleaned) > MAX_PROMPT_CHARS:
        raise BadBrief("too_long")
    if not 1 <= count <= MAX_COUNT:
        raise BadBrief("count")
    if not 0 <= seed <= MAX_SEED:
        raise BadBrief("seed")
    if platform is not None and platform not in PLATFORMS:
        raise BadBrief("platform")
    if goal is not None and goal not in GOALS:
        raise BadBrief("goal")
    if variation is not None and not 0.0 <= variation.strength <= 1.0:
        raise BadBrief("variation")
    platform = platform or detect_platform(cleaned)
    return Brief(
        raw_prompt=raw_prompt,
        cleaned_prompt=cleaned,
        seed=seed,
        platform=platform,
        goal=goal or detect_goal(cleaned),
        brand=brand,
        aspect=aspect or default_aspect(platform),
        count=count,
        enhance=enhance,
        variation=variation,
    )
