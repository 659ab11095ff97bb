"""What the codes of platforms, goals, formats, judges and errors are called on the screen."""

from __future__ import annotations

from collections.abc import Mapping

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

_CLIP_MODELS: dict[str, str] = {
    "clip-vit-base-patch32": "CLIP ViT-B/32 + LAION",
    "clip-vit-base-patch16": "CLIP ViT-B/16 + LAION",
    "clip-vit-large-patch14": "CLIP ViT-L/14 + LAION",
    "PickScore_v1": "PickScore",
}

_RUNTIMES: dict[str, str] = {
    "openvino-bf16": "OpenVINO, bf16",
    "torch-bf16": "PyTorch, bf16",
    "torch-fp32": "PyTorch, fp32",
}

_FALLBACKS: dict[str, str] = {
    "unreachable": N_("its server does not answer"),
    "timeout": N_("it did not answer in time"),
    "model_missing": N_("it is not installed on this server"),
    "unauthorized": N_("its server refused access"),
    "bad_answer": N_("its answers were no use"),
    "input_cut": N_("it could not read the whole request"),
}

_MATCH_MEASURES: dict[str, str] = {"palette": N_("match with the colours asked for")}

_AESTHETIC_MEASURES: dict[str, str] = {
    "colourfulness": N_("colourfulness"),
    "sharpness": N_("sharpness"),
    "contrast": N_("contrast"),
    "balance": N_("balance"),
}

_READINGS: dict[str, str] = {
    "prompt_match": N_("likeness to the prompt (cosine)"),
    "beauty": N_("beauty (out of 10)"),
    "unsafe": N_("chance of explicit content"),
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


def judge(tr: Texts, code: str, *, in_full: bool = False) -> Html:
    """By whom the scores are; a person must be able to tell a model from a measure.

    `code` is the judge's name, of a model with what it runs by in brackets: `in_full` tells that.
    """
    if code in _JUDGES:
        return tr(_JUDGES[code])
    model, _, runtime = code.removesuffix(")").partition(" (")
    if runtime not in _RUNTIMES:
        return tr("scored by {judge}", judge=code)
    name = _CLIP_MODELS.get(model, model)
    if in_full:
        name = f"{name} ({_RUNTIMES[runtime]})"
    return tr("scored by a neural network, {judge}", judge=name)


def fallback(tr: Texts, code: str) -> str:
    """Why the language model wrote no prompt."""
    return tr.plain(_FALLBACKS[code]) if code in _FALLBACKS else tr.plain("it is not available")


def measure(tr: Texts, code: str) -> str:
    """One of `measures`."""
    return tr.plain((_MATCH_MEASURES | _AESTHETIC_MEASURES)[code])


def measures(part: str) -> frozenset[str]:
    """Those of a judge's details that `match` or `aesthetics` is made of: 0..1, more is better."""
    return frozenset(_MATCH_MEASURES if part == "match" else _AESTHETIC_MEASURES)


def readings(tr: Texts, details: Mapping[str, float]) -> str:
    """What a neural judge read off a picture, each on a scale of its own; empty for others."""
    known = [code for code in _READINGS if code in details]
    return " · ".join(f"{tr.plain(_READINGS[code])} {tr.decimal(details[code])}" for code in known)
