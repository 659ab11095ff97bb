"""What the messages about a request say before its album: draft, status; and what a card is.

Pure: stored things in, text and keyboard out. Telegram counts in UTF-16 units, and so does this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiogram.types import InlineKeyboardMarkup

from bot import keyboards, names, texts
from bot.texts import N_, Html, Texts
from db.queue import Progress
from db.views import Draft
from pipeline import lettering
from pipeline.formats import default_aspect
from pipeline.types import Aspect, Stage

CAPTION_LIMIT = 1024
TEXT_LIMIT = 4096
_PROMPT_SHOWN = 700
_TEAM_SHOWN = 60
_LETTERING_SHOWN = 120
_BAR_CELLS = 10


@dataclass(frozen=True, slots=True)
class Card:
    """A message to send or to turn another into."""

    text: Html
    keyboard: InlineKeyboardMarkup | None = None


def of_team(tr: Texts, team: str, card: Card) -> Card:
    """The card with a first line that says whose it is. `team`: its name, if it has one."""
    name = shortened(team, _TEAM_SHOWN) or tr.plain("Team")
    return replace(card, text=Html(tr("👥 <b>{team}</b>", team=name) + "\n" + card.text))


def length(text: str) -> int:
    """As Telegram counts it: UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def shortened(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units of a text, cut between words where it can be."""
    if length(text) <= limit:
        return text
    cut = text.encode("utf-16-le")[: 2 * (limit - 1)].decode("utf-16-le", "ignore")
    at_word, _, rest = cut.rpartition(" ")
    return (at_word if at_word and len(rest) < 30 else cut).rstrip(" ,.;:") + "…"


def too_long(tr: Texts, limit: int) -> Html:
    """Said to an answer of more than so many characters."""
    return tr("📏 Too long: up to {limit} characters, please.", limit=limit)


def draft_card(
    draft: Draft, max_count: int, cost: Html, *, asked: int, can_start_from_photos: bool
) -> Card:
    """A request as understood, every guess one tap from being put right.

    `max_count`: so many variants are offered. `cost`: the line about what it takes. `asked`: how
    many variants were asked for; the card says so if they are too many.
    `can_start_from_photos`: else the card says that the words alone count.
    """
    tr = texts.of(draft.locale)
    aspect = aspect_of(draft)
    lines = [
        tr("<b>Draft</b>"),
        tr("<blockquote>{prompt}</blockquote>", prompt=shortened(draft.cleaned_prompt, 2500)),
        tr(
            "📍 {platform}, {goal} · {aspect}",
            platform=names.platform(tr, draft.platform),
            goal=names.goal(tr, draft.goal),
            aspect=names.aspect(tr, aspect),
        ),
        tr("🎨 {brand} · {variants}", brand=_brand(tr, draft), variants=variants(tr, draft.count)),
    ]
    if asked > max_count == draft.count:
        lines.append(at_most(tr, max_count))
    if draft.photo_key is not None and can_start_from_photos:
        lines.append(tr("🖼 Starts from the photo"))
    elif draft.photo_key is not None:
        lines.append(tr("🖼 The generator at work now can't start from a photo: only words count"))
    if not draft.enhance:
        lines.append(tr("✍️ The prompt goes in as it is, word for word"))
    lines += undrawn(tr, draft.cleaned_prompt)
    if draft.brand is not None and draft.brand.is_frozen:
        lines.append(tr("🧊 The brand is frozen: choose another, or a larger plan"))
    lines.append(cost)
    return Card(Html("\n".join(lines)), keyboards.draft(tr, draft, aspect, max_count))


def undrawn(tr: Texts, prompt: str) -> list[Html]:
    """A line about the words that a prompt wants on the picture, if it wants any."""
    words = lettering.split(prompt).words
    if not words:
        return []
    shown = shortened(", ".join(words), _LETTERING_SHOWN)
    return [tr("🔤 Pictures have no lettering: take “{words}” into the post's text", words=shown)]


def kin(tr: Texts, origin: str) -> Html | None:
    """Which button of an earlier album one comes from, by its task's origin; None: from none."""
    match origin.split(":"):
        case ["similar", _, rank]:
            return tr("🎯 Like №{rank}", rank=max(1, int(rank)))
        case ["more" | "repeat", *_]:
            return tr("🔁 More variants")
    return None


def _brand(tr: Texts, draft: Draft) -> str:
    if draft.brand is None:
        return tr.plain("no brand, neutral style")
    return tr.plain("brand “{name}”", name=draft.brand.name)


def aspect_of(draft: Draft) -> Aspect:
    """The chosen format, else the platform's own."""
    return Aspect(draft.aspect) if draft.aspect else default_aspect(draft.platform)


def at_most(tr: Texts, count: int) -> Html:
    """Said to who asks for more pictures."""
    return tr.n(
        "🔢 At most {n} picture at a time: “More variants” under the album draws on",
        "🔢 At most {n} pictures at a time: “More variants” under the album draws on",
        count,
    )


def variants(tr: Texts, count: int) -> Html:
    return tr.n("{n} variant", "{n} variants", count)


_FAILURES: dict[str, str] = {
    "worker_died": N_(
        "Three attempts ended in a technical failure. Nothing was spent: "
        "try again in a few minutes."
    ),
    "backend_unavailable": N_(
        "The picture generator is not available on this server. Nothing was spent: "
        "tell the bot's owner, please."
    ),
    "out_of_memory": N_(
        "The server ran out of memory on this request. Nothing was spent: try again a little later."
    ),
    "no_photos": N_(
        "The generator at work now can't start from a photo. Nothing was spent: send the idea in "
        "words alone, please."
    ),
    "photo_lost": N_(
        "The photo to start from is gone or can't be read. Nothing was spent: send it again, "
        "please."
    ),
    "bad_brief": N_("I can't draw from this text. Write it in other words, please."),
}


def status_card(
    locale: str,
    shown: str,
    task_id: int,
    prompt: str,
    *,
    place: int = 0,
    eta_s: float | None = None,
    progress: Progress | None = None,
    error_code: str | None = None,
) -> Card:
    """Where a task stands.

    `shown` is one of `queued`, `running`, `done`, `failed`, `cancelled`, `unknown`,
    `undeliverable`. `place` counts from 1; `eta_s` is the wait for the album. A task `running`
    without progress is on its way to the chat.
    """
    tr = texts.of(locale)
    quote = tr("<blockquote>{prompt}</blockquote>", prompt=shortened(prompt, _PROMPT_SHOWN))
    if shown == "queued":
        head = _queued(tr, place, eta_s)
    elif shown == "running":
        head = _running(tr, progress)
    elif shown == "failed":
        known = _FAILURES.get(error_code or "")
        reason = (
            tr(known)
            if known
            else tr("Something broke on my side. Nothing was spent: try again in a minute.")
        )
        head = Html(tr("😔 <b>It didn't work out</b>") + "\n" + reason)
    else:
        head = tr(_ENDS[shown])
    return Card(Html(f"{head}\n{quote}"), keyboards.status(tr, shown, task_id))


_ENDS = {
    "done": N_("✅ <b>Done</b>, the album is below"),
    "cancelled": N_("🚫 <b>Cancelled.</b> Nothing was spent."),
    "unknown": N_(
        "🤔 <b>Not sure the album arrived.</b>\n"
        "The pictures are safe: if you don't see them, tap the button."
    ),
    "undeliverable": N_(
        "📭 <b>The album could not be sent.</b>\n"
        "The pictures are safe: check what the bot may send here, and tap the button."
    ),
}


def _queued(tr: Texts, place: int, eta_s: float | None) -> Html:
    head = tr("🕓 <b>In the queue</b>")
    if place > 1:
        head = tr("🕓 <b>In the queue:</b> number {place}", place=place)
    if eta_s is None:
        return head
    return Html(head + tr(", about {time}", time=tr.seconds(eta_s)))


def _running(tr: Texts, progress: Progress | None) -> Html:
    if progress is None:
        return Html(tr("📤 <b>Sending the album</b>") + "\n" + _bar(0.97))
    share = min(1.0, (progress.done + progress.part) / max(1, progress.total))
    if progress.stage == Stage.ENHANCE:
        return Html(tr("✨ <b>Improving the prompt</b>") + "\n" + _bar(0.1 * share))
    if progress.stage == Stage.JUDGE:
        return Html(tr("🔎 <b>Scoring</b>") + "\n" + _bar(0.85 + 0.1 * share))
    drawing = min(progress.done + 1, progress.total)
    head = tr("🎨 <b>Drawing {n}/{total}</b>", n=drawing, total=progress.total)
    return Html(head + "\n" + _bar(0.1 + 0.75 * share))


def _bar(share: float) -> str:
    filled = round(share * _BAR_CELLS)
    return "▰" * filled + "▱" * (_BAR_CELLS - filled) + f" {round(share * 100)} %"
