"""What the messages about a request say: draft, status, album, action card, "why?".

Pure: stored things in, text and keyboard out. Telegram counts in UTF-16 units, and so does this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiogram.types import InlineKeyboardMarkup

from bot import keyboards, names, texts
from bot.texts import N_, Html, Texts
from db.queue import Progress
from db.views import AlbumView, Draft, PredictionView
from pipeline.formats import default_aspect
from pipeline.types import AESTHETIC_WEIGHT, CLIP_WEIGHT, Aspect, Stage

CAPTION_LIMIT = 1024
TEXT_LIMIT = 4096
_PROMPT_SHOWN = 700
_TEAM_SHOWN = 60
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
    if draft.brand is not None and draft.brand.is_frozen:
        lines.append(tr("🧊 The brand is frozen: choose another, or a larger plan"))
    lines.append(cost)
    return Card(Html("\n".join(lines)), keyboards.draft(tr, draft, aspect, max_count))


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


_BEST_OF = {
    2: N_("№1 is the best of these two"),
    3: N_("№1 is the best of these three"),
    4: N_("№1 is the best of these four"),
}


def album_caption(album: AlbumView) -> Html:
    """The idea, a line a picture, and what the scores mean; at most 1024 UTF-16 units."""
    tr = texts.of(album.locale)
    facts = [score_line(tr, image) for image in album.images]
    if len(album.images) in _BEST_OF:
        facts.append(tr(_BEST_OF[len(album.images)]))
    if _by_score(album.images) != [*album.images]:
        facts.append(tr("<i>the order allows for variety</i>"))
    facts.append(tr("<i>{judge}</i>", judge=names.judge(tr, album.judge)))
    if album.prompt.fallback:
        facts.append(tr("<i>prompt without an LLM, by the dictionary</i>"))
    tail = Html("\n".join(facts))
    # Tags are not counted, so counting them keeps within the limit.
    idea = shortened(album.cleaned_prompt, CAPTION_LIMIT - length(tail) - 20)
    return Html(tr("<b>{idea}</b>", idea=idea) + "\n\n" + tail)


def score_line(tr: Texts, image: PredictionView) -> Html:
    """№1 0,83: сюжет 0,81, эстетика 0,87; a near-twin is marked as one."""
    final, aesthetics = tr.decimal(image.final_score), tr.decimal(image.aes_n)
    if _is_match_measured(image):
        line = tr(
            "№{rank} <b>{final}</b>: match {match}, aesthetics {aesthetics}",
            rank=image.rank,
            final=final,
            match=tr.decimal(image.clip_n),
            aesthetics=aesthetics,
        )
    else:
        line = tr(
            "№{rank} <b>{final}</b>: match not scored, aesthetics {aesthetics}",
            rank=image.rank,
            final=final,
            aesthetics=aesthetics,
        )
    twin_of = image.gen_meta.get("twin_of")
    if not isinstance(twin_of, int):
        return line
    return Html(line + tr(" · another angle of №{rank}", rank=twin_of))


def _is_match_measured(image: PredictionView) -> bool:
    """The judge without models has nothing to go by where the idea names no colours."""
    return image.gen_meta.get("match_measured") is not False


def _by_score(images: Sequence[PredictionView]) -> list[PredictionView]:
    """The plain order; the one shown may trade score for difference."""
    return sorted(images, key=lambda image: -image.final_score)


def action_card(album: AlbumView) -> Card:
    """What can be done with an album: albums carry no buttons of their own."""
    tr = texts.of(album.locale)
    if album.chosen_rank is not None:
        text = tr("✅ <b>№{rank} is chosen.</b> What next?", rank=album.chosen_rank)
    elif len(album.images) > 1:
        text = tr("👆 <b>Which one do you take?</b> №1 scored best.")
    else:
        text = tr("👆 <b>What next?</b>")
    return Card(text, keyboards.actions(tr, album))


def best_caption(album: AlbumView) -> Html:
    """For the file that comes by itself."""
    tr = texts.of(album.locale)
    return tr("№1 in full quality: your plan takes the best one at once")


def why_card(album: AlbumView) -> Card:
    """Why the pictures are in this order, and all that is needed to make them again."""
    tr = texts.of(album.locale)
    parts = [tr("<b>Why this order</b>")]
    for image in album.images:
        parts.append(_scored_with_seed(tr, image))
        if readings := names.readings(tr, _details(image)):
            parts.append(tr("<i>{readings}</i>", readings=readings))
    parts.append(_formula(tr))
    if not _is_match_measured(album.images[0]):
        neutral = tr.decimal(album.images[0].clip_n)
        parts.append(
            tr(
                "The match is not scored: the idea names no colours to look for, and nothing else "
                "is seen without a model. It counts as {neutral} for all.",
                neutral=neutral,
            )
        )
    if (by_score := _by_score(album.images)) != [*album.images]:
        ranks = ", ".join(f"№{image.rank}" for image in by_score)
        parts.append(tr("The order allows for variety; by score alone: {ranks}", ranks=ranks))
    if weak := _weakest(tr, album.images):
        parts.append(weak)
    parts += [Html(""), *_prompt_lines(tr, album), Html(""), _made_by(tr, album)]
    return Card(Html("\n".join(parts)), keyboards.back_to_actions(tr, album.task_id))


def _scored_with_seed(tr: Texts, image: PredictionView) -> Html:
    return Html(score_line(tr, image) + tr(" · seed <code>{seed}</code>", seed=str(image.seed)))


def _formula(tr: Texts) -> Html:
    return tr(
        "Score = {clip} × match + {aes} × aesthetics",
        clip=tr.decimal(CLIP_WEIGHT),
        aes=tr.decimal(AESTHETIC_WEIGHT),
    )


def _weakest(tr: Texts, images: Sequence[PredictionView]) -> Html | None:
    """Which part of the score cost the lowest picture most, and within it which measure."""
    if len(images) < 2:
        return None
    best, last = images[0], _by_score(images)[-1]
    lost_match = CLIP_WEIGHT * (best.clip_n - last.clip_n)
    lost_aesthetics = AESTHETIC_WEIGHT * (best.aes_n - last.aes_n)
    if lost_match >= lost_aesthetics:
        part, low, high = tr.plain("match"), last.clip_n, best.clip_n
    else:
        part, low, high = tr.plain("aesthetics"), last.aes_n, best.aes_n
    if low >= high:
        return None
    line = tr(
        "№{rank} is pulled down by {part}: {low} against {high} of №1",
        rank=last.rank,
        part=part,
        low=tr.decimal(low),
        high=tr.decimal(high),
    )
    measure = _lost_most(best, last)
    if measure is None:
        return line
    return Html(line + tr(" (most of all: {measure})", measure=names.measure(tr, measure)))


def _lost_most(best: PredictionView, last: PredictionView) -> str | None:
    """The named measure (all are 0..1) in which `last` is furthest behind."""
    high, low = _details(best), _details(last)
    losses = {
        name: high[name] - low[name] for name in high.keys() & low.keys() if names.is_measure(name)
    }
    worst = max(losses, key=lambda name: losses[name], default=None)
    return worst if worst is not None and losses[worst] > 0.01 else None


def _details(image: PredictionView) -> dict[str, float]:
    """The judge's named measures of a picture, as they were stored with it."""
    details = image.gen_meta.get("details")
    if not isinstance(details, dict):
        return {}
    return {str(name): float(value) for name, value in details.items()}


def _prompt_lines(tr: Texts, album: AlbumView) -> list[Html]:
    prompt = album.prompt
    lines = [tr("<b>Prompt:</b> <code>{text}</code>", text=shortened(prompt.render, 1500))]
    if prompt.negative:
        lines.append(
            tr("<b>Negative:</b> <code>{text}</code>", text=shortened(prompt.negative, 500))
        )
    lines.append(
        tr("<b>Judged against:</b> <code>{text}</code>", text=shortened(prompt.intent, 400))
    )
    if prompt.unknown:
        unknown = shortened(", ".join(prompt.unknown), 200)
        lines.append(tr("Words I did not know: {words}", words=unknown))
    if prompt.fallback:
        reason = names.fallback(tr, prompt.fallback)
        lines.append(tr("Prompt without an LLM, by the dictionary: {reason}", reason=reason))
    return lines


def _made_by(tr: Texts, album: AlbumView) -> Html:
    total_ms = album.timings_ms.get("total", 0.0)
    return tr(
        "Model: {generator} · prompt: {backend} · {judge}\nSeed: <code>{seed}</code> · {time} s",
        generator=album.generator,
        backend=album.prompt.backend,
        judge=names.judge(tr, album.judge, in_full=True),
        seed=str(album.brief["seed"]),
        time=tr.decimal(total_ms / 1000),
    )
