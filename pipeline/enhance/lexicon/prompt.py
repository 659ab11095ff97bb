"""From a brief to a prompt: the subject in English, then composition, brand and quality words."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from pipeline import colours
from pipeline.colour_words import COLOUR_WORDS
from pipeline.enhance.lexicon.translate import Translated, translate
from pipeline.errors import BadBrief
from pipeline.types import Aspect, BrandStyle, Brief, Prompt

INTENT_WORDS = 25
"""CLIP reads 77 tokens; 25 words stay well below, and the judge compares the subject only."""

STYLE_WORDS = 12
_RENDER_WORDS = 45

_COMPOSITION = {
    "stories": "vertical composition with empty space at the top for text",
    "reels": "vertical cover with the subject in the middle third",
    "shorts": "vertical cover with the subject in the middle third",
    "tiktok": "vertical cover with the subject in the middle third",
    "whatsapp": "vertical composition with empty space at the top for text",
    "instagram": "centered composition that reads well in a feed",
    "telegram": "clear composition with one focal point",
    "vk": "clear composition with one focal point",
    "ok": "clear composition with one focal point",
    "facebook": "clear composition with one focal point",
    "dzen": "wide editorial composition",
    "youtube": "bold thumbnail composition with strong contrast",
    "pinterest": "tall composition, styled like a magazine page",
    "website": "wide composition with negative space on the left for a headline",
    "banner": "wide composition with negative space on one side for text",
    "marketplace": "product in the center, clean uncluttered background",
    "email": "wide header composition with plenty of negative space",
    "print": "poster composition with clear space for a headline",
    "presentation": "wide uncluttered composition with negative space",
    "avatar": "centered subject that fits into a circle",
}
_GOALS = {
    "promotion": "eye-catching advertising look",
    "sale": "energetic retail mood with space for a price tag",
    "branding": "consistent brand imagery",
    "product_shot": "product photography, studio lighting",
    "announcement": "fresh and intriguing presentation",
    "event": "lively event atmosphere",
    "holiday": "festive mood",
    "recruiting": "friendly workplace atmosphere",
    "education": "clear, explanatory visual",
    "testimonial": "honest and warm mood",
    "menu": "appetizing food styling",
}
_ASPECTS = {
    Aspect.STORY: "vertical composition",
    Aspect.LANDSCAPE: "wide composition",
}
_QUALITY = "professional photography, soft natural light, sharp focus, high detail"
_QUALITY_DRAWN = "clean professional artwork, refined colors, high detail"
_DRAWN = re.compile(
    r"\b(?:illustration|watercolor|vector|cartoon|anime|drawing|drawn|painting|3D render|sketch"
    r"|pixel art|comic book|isometric|icon|logo|pop art|doodle|gouache|collage)\b",
    re.IGNORECASE,
)
NEGATIVE = (
    "low quality, blurry, distorted, deformed hands, extra fingers, watermark, signature,"
    " misspelled text, jpeg artifacts"
)
_EMPTY_SUBJECT = "a social media picture"
_NOT_WANTED = re.compile(r"^no (.+)$")


@dataclass(frozen=True, slots=True)
class Translation:
    """English text and the source words that were only transliterated or left out."""

    text: str
    unknown: tuple[str, ...]


class LexiconEnhancer:
    """Translates by vocabulary and grammar rules; needs no model, no network."""

    name = "lexicon"

    async def enhance(self, brief: Brief) -> Prompt:
        # The first call reads the dictionaries, which takes up to a second.
        return await asyncio.to_thread(enhance, brief)

    async def warm_up(self) -> None:
        await self.enhance(Brief(raw_prompt="кофе", cleaned_prompt="кофе", seed=0))


def enhance(brief: Brief) -> Prompt:
    """The brief's prompt; all three texts are ASCII."""
    subject = translate(brief.subject)
    styles, avoided = brand_style(brief.brand)
    full = subject.sentence(_RENDER_WORDS) or _EMPTY_SUBJECT
    return Prompt(
        render=", ".join(_unrepeated([full, *_hints(brief), *styles, _quality(full, styles)])),
        negative=", ".join(_unrepeated([*subject.unwanted, *avoided, NEGATIVE])),
        intent=subject.sentence(INTENT_WORDS) or _EMPTY_SUBJECT,
        backend=LexiconEnhancer.name,
        unknown=subject.unknown,
    )


def translate_style(text: str) -> Translation:
    """A brand's style as a short English phrase of at most 12 words, colours and all.

    Raises BadBrief(`empty`) when nothing of it can be said in English letters.
    """
    translated = translate(text, articles=False, requests=False, style=True)
    parts = [re.sub(r"^in (?:a |the )?(.+ style)$", r"\1", translated.sentence(STYLE_WORDS))]
    parts += [f"no {thing}" for thing in translated.unwanted]
    style = _shortened([part for part in parts if part])
    if not any(char.isalnum() for char in style):
        raise BadBrief("empty")
    return Translation(style, translated.unknown)


def _shortened(parts: list[str]) -> str:
    kept = ""
    for part in parts:
        longer = f"{kept}, {part}" if kept else part
        if len(longer.split()) > STYLE_WORDS:
            break
        kept = longer
    return kept


def _hints(brief: Brief) -> list[str]:
    composition = _COMPOSITION.get(brief.platform or "") or _ASPECTS.get(brief.aspect, "")
    hints = [composition, _GOALS.get(brief.goal or "", "")]
    return [hint for hint in hints if hint]


def brand_style(brand: BrandStyle | None) -> tuple[list[str], list[str]]:
    """What the brand adds to the picture, and what it keeps out ("no gradients"); English."""
    if brand is None:
        return [], []
    wanted: list[str] = []
    avoided: list[str] = []
    for part in map(str.strip, _in_english(brand.style_short).split(",")):
        if refused := _NOT_WANTED.match(part):
            avoided.append(refused[1])
        elif part:
            wanted.append(part)
    if palette := palette_words(brand.palette):
        wanted.append(f"{palette} color palette")
    return wanted, avoided


def _in_english(style: str) -> str:
    """The style as stored; one that was never normalised is translated now."""
    if style.isascii():
        return style
    return translate(style, articles=False, requests=False, style=True).sentence(STYLE_WORDS)


def palette_words(palette: tuple[str, ...]) -> str:
    """Hex colours as names: "purple, lavender and white"; malformed ones are passed over."""
    names = list(dict.fromkeys(filter(None, map(_colour_name, palette))))
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _colour_name(hex_colour: str) -> str:
    """The colour word nearest by CIEDE2000."""
    try:
        target = colours.lab(colours.parse_hex(hex_colour))
    except ValueError:
        return ""
    return min(
        _COLOUR_NAMES,
        key=lambda name: float(
            colours.delta_e_2000(target, colours.lab(colours.parse_hex(_COLOUR_NAMES[name])))
        ),
    )


_COLOUR_NAMES = {
    name: value
    for name, value in COLOUR_WORDS.items()
    if name not in ("neon", "pastel", "dusty", "golden", "gray", "sandy", "rosy", "silvery", "sky")
}


def _quality(subject: str, styles: list[str]) -> str:
    drawn = _DRAWN.search(" ".join([subject, *styles]))
    return _QUALITY_DRAWN if drawn else _QUALITY


def _unrepeated(parts: list[str]) -> list[str]:
    return list(dict.fromkeys(parts))


__all__ = ["INTENT_WORDS", "LexiconEnhancer", "Translated", "Translation", "enhance"]
