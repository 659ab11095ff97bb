"""Buttons of a post's caption, and of one that is proposed for it."""

from __future__ import annotations

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from bot.buttons import Row, button, in_rows, marked, markup
from bot.callbacks import PostTap
from bot.texts import N_, Texts
from db import captions
from db.states import Part
from db.team_views import PostView

_LABELS: dict[Part, str] = {
    Part.AD: N_("Advertising"),
    Part.SIGNATURE: N_("Signature and hashtags"),
    Part.AI: N_("AI label"),
}


def switches(tr: Texts, post: PostView) -> list[Row]:
    """One for each part that there is something of; each says what a tap leads to, not a step."""
    buttons, shown = [], captions.shown(post.parts)
    for part, label in _LABELS.items():
        is_on = part in shown
        tap = PostTap(do="part", post_id=post.id, value=f"{part}{0 if is_on else 1}")
        if part in post.offers:
            buttons.append(button(marked(tr.plain(label), is_on), tap))
    return in_rows(buttons, 2)


def words(tr: Texts, post: PostView) -> list[Row]:
    """Where a draft's words come from."""
    buttons = [
        _tap(tr, N_("✨ Suggest a caption"), post.id, "suggest"),
        _tap(tr, N_("✍️ Write a caption"), post.id, "write"),
        _tap(tr, N_("💡 From the idea"), post.id, "caption", "idea"),
    ]
    if post.parts.body:
        buttons.append(_tap(tr, N_("Without a text"), post.id, "caption", "none"))
    return in_rows(buttons, 2)


def writing(tr: Texts, post_id: int, number: int) -> InlineKeyboardMarkup:
    return markup([[_tap(tr, N_("✕ Stop"), post_id, "unsuggest", str(number))]])


def suggested(tr: Texts, post_id: int, number: int) -> InlineKeyboardMarkup:
    return markup(
        [
            [_tap(tr, N_("✅ Take it"), post_id, "take", str(number), "success")],
            [
                _tap(tr, N_("🔁 Another one"), post_id, "suggest", str(number)),
                _tap(tr, N_("✍️ Write my own"), post_id, "write"),
            ],
            [_tap(tr, N_("‹ Back"), post_id, "unsuggest", str(number))],
        ]
    )


def _tap(
    tr: Texts, label: str, post_id: int, do: str, value: str = "", style: str | None = None
) -> InlineKeyboardButton:
    return button(tr.plain(label), PostTap(do=do, post_id=post_id, value=value), style)
