"""What is said of a post's caption."""

from __future__ import annotations

from bot import texts
from bot.texts import Html, Texts
from bot.views import shortened
from db import captions
from db.errors import CaptionTooLong
from db.team_views import PostView

_SHOWN = 500


def shown(tr: Texts, post: PostView) -> Html:
    """The caption on the post's card, and how much of Telegram's limit it takes."""
    if not post.caption:
        return tr("<i>without a caption</i>")
    used = captions.length(post.caption)
    lines = [
        tr(
            "<blockquote>{caption}</blockquote>\n<i>{used} of {limit} characters</i>",
            caption=shortened(texts.without_markup(Html(post.caption)), _SHOWN),
            used=used,
            limit=captions.LIMIT,
        )
    ]
    if used > captions.LIMIT:
        own = captions.length(post.parts.body)
        lines.append(too_long(tr, CaptionTooLong(over=used - captions.LIMIT, added=used - own)))
    return Html("\n".join(lines))


def too_long(tr: Texts, error: CaptionTooLong) -> Html:
    """Fits into the answer to a tap, too: 200 characters."""
    said = tr.n("📏 {n} character too many.", "📏 {n} characters too many.", error.over)
    if error.added:
        way_out = tr(
            "The signature, hashtags and marks take {added} of {limit}: shorten the text or them, "
            "or switch some off.",
            added=error.added,
            limit=captions.LIMIT,
        )
    else:
        way_out = tr("Shorten the text.")
    return Html(f"{said} {way_out}")
