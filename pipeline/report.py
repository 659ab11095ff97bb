"""What the command line says as JSON: the objects of one run, with the same names everywhere."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.types import Brief, Prompt, RankedImage, Score

Json = dict[str, object]


def request(brief: Brief) -> Json:
    return {
        "raw_prompt": brief.raw_prompt,
        "cleaned_prompt": brief.cleaned_prompt,
        "platform": brief.platform,
        "goal": brief.goal,
        "seed": brief.seed,
    }


def prompt(made: Prompt) -> Json:
    said: Json = {
        "render": made.render,
        "negative": made.negative,
        "intent": made.intent,
        "backend": made.backend,
    }
    return said | ({"fallback": made.fallback} if made.fallback else {})


def image(ranked: RankedImage, path: str) -> Json:
    return {
        "rank": ranked.rank,
        "path": path,
        "seed": ranked.seed,
        **scores(ranked.score),
        "sha256": ranked.sha256,
    }


def scores(score: Score) -> Json:
    return {
        "clip_raw": score.clip_raw,
        "clip_n": score.clip_n,
        "aes_raw": score.aes_raw,
        "aes_n": score.aes_n,
        "final_score": score.final,
    }


def timings(timings_ms: Mapping[str, float]) -> Json:
    return {str(name): value for name, value in timings_ms.items()}
