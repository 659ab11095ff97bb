"""Buttons of a post's caption."""

from __future__ import annotations

from bot.buttons import Row, button, in_rows, marked
from bot.callbacks import PostTap
from bot.texts import N_, Texts
from db.states import Part
from db.team_views import PostView

_LABELS: dict[Part, str] = {
    Part.AD: N_("Advertising"),
    Part.SIGNATURE: N_("Signature and hashtags"),
    Part.AI: N_("AI label"),
}


def switches(tr: Texts, post: PostView) -> list[Row]:
    """One for each part that there is something of; each says what a tap leads to, not a step."""
    buttons = []
    for part, label in _LABELS.items():
        is_on = part in post.parts.on
        tap = PostTap(do="part", post_id=post.id, value=f"{part}{0 if is_on else 1}")
        if part in post.offers:
            buttons.append(button(marked(tr.plain(label), is_on), tap))
    return in_rows(buttons, 2)
