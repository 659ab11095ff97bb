"""What a brand's posts say under their pictures: the page, its questions, reading the answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiogram.types import InlineKeyboardMarkup

from bot.buttons import Row, button, marked, markup
from bot.callbacks import BrandTap
from bot.texts import N_, Html, Texts
from bot.views import Card, shortened
from db.views import Brand

SIGNATURE_MAX = 200
ADVERTISER_MAX = 150
MOST_HASHTAGS = 10
_HASHTAG_MAX = 49

_BETWEEN = re.compile(r"[\s,;]+|(?=#)")
_HASHTAG = re.compile(rf"(?=\w*[^\W\d_])\w{{1,{_HASHTAG_MAX}}}")
"""What Telegram makes a link of: letters, digits and _, with a letter among them."""
_ERID = re.compile(r"[A-Za-z0-9_-]{4,64}")


@dataclass(frozen=True, slots=True)
class Hashtags:
    """As they were written, each once, with # before them; `bad` are words that can be none."""

    good: tuple[str, ...]
    bad: tuple[str, ...]


def parse_hashtags(text: str) -> Hashtags:
    """With or without #, with spaces or commas between them."""
    good: dict[str, str] = {}
    bad: list[str] = []
    for word in _BETWEEN.split(text):
        tag = word.removeprefix("#")
        if _HASHTAG.fullmatch(tag):
            good.setdefault(tag.casefold(), f"#{tag}")
        elif tag:
            bad.append(word)
    return Hashtags(tuple(good.values()), tuple(bad))


def parse_erid(text: str) -> str | None:
    """The token, also out of “erid: 2VtzqwJ8”; None for what can be none."""
    token = re.sub(r"^\s*erid\s*[:=]?\s*", "", text, flags=re.IGNORECASE).strip()
    return token if _ERID.fullmatch(token) else None


def page(tr: Texts, brand: Brand) -> Card:
    """What is set, and a button for each."""
    lines = [
        tr("📣 <b>What posts of “{name}” say</b>", name=brand.name),
        tr("Signature: {signature}", signature=brand.signature or tr.plain("none")),
        tr("Hashtags: {hashtags}", hashtags=" ".join(brand.hashtags) or tr.plain("none")),
    ]
    if brand.erid is None:
        lines.append(tr("Advertising: no"))
    else:
        advertiser, erid = brand.advertiser or "", brand.erid
        lines.append(tr("Advertising: {advertiser}, erid {erid}", advertiser=advertiser, erid=erid))
    lines.append(
        tr("AI label: on every new post")
        if brand.marks_ai
        else tr("AI label: only where you switch it on")
    )
    lines.append(
        tr(
            "<i>Every new post of the brand carries this, and each has switches to leave a part "
            "out. What is scheduled or published stays as it is.</i>"
        )
    )
    return Card(Html("\n".join(lines)), _keyboard(tr, brand))


def _keyboard(tr: Texts, brand: Brand) -> InlineKeyboardMarkup:
    def tap(do: str, value: str = "") -> BrandTap:
        return BrandTap(do=do, brand_id=brand.id, value=value)

    rows: list[Row] = []
    for code, label, away, is_there in (
        ("signature", N_("✏️ Signature"), N_("✕ Signature"), bool(brand.signature)),
        ("hashtags", N_("✏️ Hashtags"), N_("✕ Hashtags"), bool(brand.hashtags)),
        ("advertising", N_("✏️ Advertising"), N_("✕ Advertising"), bool(brand.erid)),
    ):
        row = [button(tr.plain(label), tap("say", code))]
        if is_there:
            row.append(button(tr.plain(away), tap("unsay", code)))
        rows.append(row)
    label = marked(tr.plain("AI label on new posts"), brand.marks_ai)
    return markup(
        [
            *rows,
            [button(label, tap("mark", "0" if brand.marks_ai else "1"))],
            [button(tr.plain("‹ The brand"), tap("open"))],
        ]
    )


_QUESTIONS = {
    "signature": N_(
        "✏️ <b>Send the line that ends every post</b>, up to {limit} characters, for example "
        "“Book a table: @coffee_near, coffee.example”. Telegram makes links of @names and "
        "addresses."
    ),
    "hashtags": N_(
        "✏️ <b>Send the hashtags</b>, up to {limit}, for example <code>#coffee #autumn</code>"
    ),
    "advertiser": N_(
        "✏️ <b>Who is the advertiser?</b> Up to {limit} characters, for example “Coffee Near LLC, "
        "INN 7701234567”."
    ),
    "erid": N_(
        "✏️ <b>Send the erid</b>, the token that the advertising data operator gave for these "
        "posts, for example <code>2VtzqwJ8xYz</code>"
    ),
}
LIMITS = {"signature": SIGNATURE_MAX, "hashtags": MOST_HASHTAGS, "advertiser": ADVERTISER_MAX}


def question(tr: Texts, step: str, *, in_group: bool, advertiser: str | None = None) -> Card:
    """`step`: signature, hashtags, advertiser, erid. `advertiser`: the present one, to be kept."""
    text = tr(_QUESTIONS[step], limit=LIMITS.get(step, 0))
    if in_group:
        text = Html(text + tr("\n<i>Answer by replying to this message.</i>"))
    keep: Row = []
    if advertiser:
        label = tr.plain("Keep “{advertiser}”", advertiser=shortened(advertiser, 40))
        keep = [button(label, BrandTap(do="same"))]
    return Card(text, markup([keep, [button(tr.plain("✕ Cancel"), BrandTap(do="cancel"))]]))


def bad_hashtags(tr: Texts, found: Hashtags) -> Html:
    if found.bad:
        return tr(
            "These can't be hashtags: {words}. A hashtag is letters, digits and _, with a letter "
            "among them.",
            words=shortened(", ".join(found.bad), 200),
        )
    return tr("From one to {n} hashtags, please.", n=MOST_HASHTAGS)


def bad_erid(tr: Texts) -> Html:
    return tr(
        "This is no erid: it is one word of Latin letters and digits, such as "
        "<code>2VtzqwJ8xYz</code>."
    )
