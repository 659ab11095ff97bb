"""Ready-made brand styles to choose from, so that nobody has to begin with a blank field."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """A style by its names; `style_short` is English, `palette` `#rrggbb`, main first."""

    name_ru: str
    name_en: str
    style_short: str
    palette: tuple[str, ...]


PRESETS: dict[str, Preset] = {
    "purple_minimalism": Preset(
        "Фиолетовый минимализм",
        "Purple minimalism",
        "purple minimalism, soft gradients, clean shapes, lots of negative space",
        ("#6c3fc5", "#b9a3e3", "#f4f0fb", "#2a1a4a"),
    ),
    "warm_craft": Preset(
        "Тёплый крафт",
        "Warm craft",
        "warm craft style, kraft paper, wooden textures, natural light",
        ("#a5713f", "#e9d6b8", "#6d4b2f", "#c8643f"),
    ),
    "scandinavian": Preset(
        "Скандинавский свет",
        "Scandinavian light",
        "bright Scandinavian interior style, soft daylight, muted natural tones",
        ("#e8e4dc", "#a3b18a", "#5b6b73", "#d9a98a"),
    ),
    "dark_luxury": Preset(
        "Тёмный люкс",
        "Dark luxury",
        "dark luxury style, deep shadows, gold accents, dramatic light",
        ("#15151a", "#c9a44c", "#3a3238", "#f3ece0"),
    ),
    "pastel": Preset(
        "Нежная пастель",
        "Soft pastel",
        "soft pastel colors, airy light, delicate rounded shapes",
        ("#f7c9d4", "#cfe3f2", "#fbeec8", "#d8cdf0"),
    ),
    "pop_art": Preset(
        "Яркий поп-арт",
        "Vibrant pop art",
        "vibrant pop art, bold contrast colors, graphic shapes, halftone dots",
        ("#ff3d6e", "#ffd21f", "#19a7f0", "#141414"),
    ),
    "eco": Preset(
        "Эко и природа",
        "Eco and nature",
        "fresh eco style, green plants, natural materials, morning light",
        ("#4f8a4b", "#e9efd9", "#b08a5b", "#274029"),
    ),
    "retro_film": Preset(
        "Ретро-плёнка",
        "Retro film",
        "retro film photo style, warm faded colors, gentle grain",
        ("#c9773f", "#f1dfb5", "#567a78", "#7a3b2e"),
    ),
}
"""Presets by code, in the order they are offered."""
