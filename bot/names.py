"""What the codes of platforms, goals, formats, judges and errors are called on the screen."""

from __future__ import annotations

from bot.texts import N_, Html, Texts
from pipeline.styles import Preset
from pipeline.types import Aspect

PLATFORMS: dict[str, str] = {
    "instagram": N_("Instagram"),
    "stories": N_("Stories"),
    "reels": N_("Reels"),
    "telegram": N_("Telegram"),
    "vk": N_("VK"),
    "ok": N_("OK.ru"),
    "dzen": N_("Dzen"),
    "youtube": N_("YouTube"),
    "shorts": N_("Shorts"),
    "tiktok": N_("TikTok"),
    "pinterest": N_("Pinterest"),
    "whatsapp": N_("WhatsApp"),
    "facebook": N_("Facebook"),
    "website": N_("Website"),
    "banner": N_("Banner"),
    "marketplace": N_("Marketplace"),
    "email": N_("Email"),
    "print": N_("Print"),
    "presentation": N_("Slides"),
    "avatar": N_("Avatar"),
}

GOALS: dict[str, str] = {
    "promotion": N_("promo"),
    "sale": N_("sale"),
    "branding": N_("branding"),
    "product_shot": N_("product shot"),
    "announcement": N_("announcement"),
    "event": N_("event"),
    "holiday": N_("holiday"),
    "recruiting": N_("vacancy"),
    "education": N_("education"),
    "testimonial": N_("testimonial"),
    "menu": N_("food menu"),
}

ASPECTS: dict[Aspect, str] = {
    Aspect.SQUARE: N_("1:1 square"),
    Aspect.PORTRAIT: N_("4:5 portrait"),
    Aspect.STORY: N_("9:16 story"),
    Aspect.LANDSCAPE: N_("16:9 wide"),
}

LOCALES: dict[str, str] = {"ru": "Русский", "en": "English"}

_JUDGES: dict[str, str] = {
    "pixels": N_("scored by colour and composition, without an ML model (pixels)"),
}

_FALLBACKS: dict[str, str] = {
    "unreachable": N_("its server does not answer"),
    "timeout": N_("it did not answer in time"),
    "model_missing": N_("it is not installed on this server"),
    "unauthorized": N_("its server refused access"),
    "bad_answer": N_("its answers were no use"),
    "input_cut": N_("it could not read the whole request"),
}

_DETAILS: dict[str, str] = {
    "colourfulness": N_("colourfulness"),
    "sharpness": N_("sharpness"),
    "contrast": N_("contrast"),
    "balance": N_("balance"),
    "palette": N_("match with the colours asked for"),
}


def platform(tr: Texts, code: str | None) -> str:
    """The platform's name as on a button."""
    return tr.plain(PLATFORMS[code]) if code in PLATFORMS else tr.plain("Any platform")


def goal(tr: Texts, code: str | None) -> str:
    return tr.plain(GOALS[code]) if code in GOALS else tr.plain("any goal")


def aspect(tr: Texts, value: Aspect) -> str:
    return tr.plain(ASPECTS[value])


def preset(tr: Texts, style: Preset) -> str:
    return style.name_ru if tr.locale == "ru" else style.name_en


def judge(tr: Texts, code: str) -> Html:
    """By whom the scores are; a person must be able to tell a model from a measure."""
    return tr(_JUDGES[code]) if code in _JUDGES else tr("scored by {judge}", judge=code)


def fallback(tr: Texts, code: str) -> str:
    """Why the language model wrote no prompt."""
    return tr.plain(_FALLBACKS[code]) if code in _FALLBACKS else tr.plain("it is not available")


def detail(tr: Texts, code: str) -> str:
    """A part of a score; one we have no name for is shown by its code."""
    return tr.plain(_DETAILS[code]) if code in _DETAILS else code


def has_detail(code: str) -> bool:
    return code in _DETAILS
