"""What is said of a post's caption, and of one that is proposed for it."""

from __future__ import annotations

from bot import caption_keyboards as keyboards
from bot import texts
from bot.texts import Html, Texts
from bot.views import Card, shortened
from db import captions
from db.errors import CaptionTooLong
from db.team_views import PostView

_SHOWN = 500
_MOST = 1500
"""Of what a model is writing: it may go on too long before it is refused."""
_TEMPLATES = "templates"
"""The writer of `pipeline.captions` that is no model."""


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


def writing(locale: str, post: PostView, number: int, so_far: str = "") -> Card:
    """While a caption is being written: what there is of it."""
    tr = texts.of(locale)
    text = tr("✨ <b>Writing a caption</b> for “{channel}”…", channel=post.channel.title)
    if so_far.strip():
        said = tr("<blockquote>{caption}</blockquote>", caption=shortened(so_far.strip(), _MOST))
        text = Html(f"{text}\n{said}")
    return Card(text, keyboards.writing(tr, post.id, number))


def suggested(locale: str, post: PostView, number: int, caption: str, writer: str | None) -> Card:
    """A caption to take or to leave, and who wrote it if that was no language model."""
    tr = texts.of(locale)
    lines = [
        tr("✨ <b>A caption for “{channel}”</b>", channel=post.channel.title),
        tr("<blockquote>{caption}</blockquote>", caption=caption),
    ]
    if writer == _TEMPLATES:
        lines.append(tr("<i>put together from templates, without a language model</i>"))
    return Card(Html("\n".join(lines)), keyboards.suggested(tr, post.id, number))
