"""What the messages about an album say: its caption, its action card, "why?".

Pure: stored things in, text and keyboard out.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot import keyboards, names, texts
from bot.texts import N_, Html, Texts
from bot.views import CAPTION_LIMIT, Card, kin, length, shortened, undrawn
from db.views import AlbumView, PredictionView
from pipeline.types import AESTHETIC_WEIGHT, CLIP_WEIGHT

_BEST_OF = {
    2: N_("№1 is the best of these two"),
    3: N_("№1 is the best of these three"),
    4: N_("№1 is the best of these four"),
}


_PARTS = {"match": N_("match"), "aesthetics": N_("aesthetics")}


def caption(album: AlbumView) -> Html:
    """The idea, a line a picture, and what the scores mean; at most 1024 UTF-16 units."""
    tr = texts.of(album.locale)
    told = kin(tr, album.origin)
    facts = [] if told is None else [told]
    facts += [score_line(tr, image) for image in album.images]
    if len(album.images) in _BEST_OF:
        facts.append(tr(_BEST_OF[len(album.images)]))
    if _by_score(album.images) != [*album.images]:
        facts.append(tr("<i>the order allows for variety</i>"))
    facts.append(tr("<i>{judge}</i>", judge=names.judge(tr, album.judge)))
    if album.prompt.fallback:
        facts.append(tr("<i>prompt without an LLM, by the dictionary</i>"))
    facts += undrawn(tr, album.cleaned_prompt)
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


def actions(album: AlbumView) -> Card:
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


def why(album: AlbumView) -> Card:
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
        part, low, high = "match", last.clip_n, best.clip_n
    else:
        part, low, high = "aesthetics", last.aes_n, best.aes_n
    if low >= high:
        return None
    line = tr(
        "№{rank} is pulled down by {part}: {low} against {high} of №1",
        rank=last.rank,
        part=tr.plain(_PARTS[part]),
        low=tr.decimal(low),
        high=tr.decimal(high),
    )
    measure = _lost_most(best, last, names.measures(part))
    if measure is None:
        return line
    return Html(line + tr(" (most of all: {measure})", measure=names.measure(tr, measure)))


def _lost_most(best: PredictionView, last: PredictionView, measures: frozenset[str]) -> str | None:
    """The measure (all are 0..1) of these in which `last` is furthest behind."""
    high, low = _details(best), _details(last)
    losses = {name: high[name] - low[name] for name in high.keys() & low.keys() & measures}
    worst = max(losses, key=lambda name: losses[name], default=None)
    return worst if worst is not None and losses[worst] > 0.01 else None


def _details(image: PredictionView) -> dict[str, float]:
    """The judge's named measures of a picture, as they were stored with it."""
    details = image.gen_meta.get("details")
    if not isinstance(details, dict):
        return {}
    return {str(name): float(value) for name, value in details.items()}


def _prompt_lines(tr: Texts, album: AlbumView) -> list[Html]:
    prompt, brand = album.prompt, album.brief["brand"]
    lines = [] if brand is None else [tr("Brand: {name}", name=brand["name"])]
    lines += [tr("<b>Prompt:</b> <code>{text}</code>", text=shortened(prompt.render, 1500))]
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
    lines += undrawn(tr, album.cleaned_prompt)
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
