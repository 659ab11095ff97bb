"""How well a judge agrees with people: rankings by people in, accuracies with intervals out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.errors import BadData, BadImage
from pipeline.images import decode
from pipeline.judge.preferences import Preference
from pipeline.types import CLIP_WEIGHT, Judge

Floats = NDArray[np.float64]

RESAMPLES = 1000
_WEIGHTS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every pair of pictures of one prompt, [P] each.

    `label` is 1 where people took the first picture, -1 the second, 0 a tie. `match` and `beauty`
    are first minus second, in `clip_n` and `aes_n`, `match_raw` and `beauty_raw` in the judge's own
    scales (those don't saturate). `group` numbers the prompts; `fit` marks the half of the prompts
    that thresholds and weights may be chosen on.
    """

    label: Floats
    match: Floats
    beauty: Floats
    match_raw: Floats
    beauty_raw: Floats
    group: NDArray[np.int64]
    fit: NDArray[np.bool_]

    def blend(self, clip_weight: float) -> Floats:
        """Difference in S with another weight of prompt match."""
        return clip_weight * self.match + (1 - clip_weight) * self.beauty


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share 0..1 of `count` pairs, with its 95 % interval."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Measure:
    """One way to choose between two pictures.

    `accuracy` is over pairs where people had a preference; `with_ties` is by Pick-a-Pic's protocol,
    on the half of the prompts that the tie threshold was not chosen on.
    """

    name: str
    accuracy: Estimate
    with_ties: Estimate


@dataclass(frozen=True, slots=True)
class Report:
    """`best_weight` is the weight of prompt match in S that fits best on one half of the prompts;
    `best` and `usual` are the accuracies of that and of 0.7 on the other half."""

    measures: tuple[Measure, ...]
    best_weight: float
    best: Estimate
    usual: Estimate
    pairs: int
    ties: int
    prompts: int


def judged(
    judge: Judge, preferences: Sequence[Preference], on_done: Callable[[int], None]
) -> Pairs:
    """Score every picture. Raises BadData for a picture file that can't be read."""
    rows: list[tuple[float, ...]] = []
    groups: dict[str, int] = {}
    for number, preference in enumerate(preferences, start=1):
        images = [_open(path) for path in preference.images]
        scores = judge.score(preference.prompt, images)
        group = groups.setdefault(preference.prompt, len(groups))
        fit = hashlib.sha256(preference.prompt.encode()).digest()[0] % 2
        for a in range(len(scores)):
            for b in range(a + 1, len(scores)):
                rows.append(
                    (
                        np.sign(preference.places[b] - preference.places[a]),
                        scores[a].clip_n - scores[b].clip_n,
                        scores[a].aes_n - scores[b].aes_n,
                        scores[a].clip_raw - scores[b].clip_raw,
                        scores[a].aes_raw - scores[b].aes_raw,
                        group,
                        fit,
                    )
                )
        on_done(number)
    label, match, beauty, match_raw, beauty_raw, group_of, fits = np.array(rows).T
    return Pairs(label, match, beauty, match_raw, beauty_raw, group_of.astype(np.int64), fits == 1)


def evaluate(pairs: Pairs) -> Report:
    """Raises BadData if there is no pair with a preference on both halves."""
    decided = pairs.label != 0
    for half in (pairs.fit, ~pairs.fit):
        if not (decided & half).any():
            raise BadData("too few prompts: each half needs a pair with a preference")
    ways = {
        "prompt match": pairs.match_raw,
        "aesthetics": pairs.beauty_raw,
        "S": pairs.blend(CLIP_WEIGHT),
    }
    best = _best_weight(pairs, decided & pairs.fit)
    held_out = decided & ~pairs.fit
    return Report(
        measures=tuple(_measure(name, difference, pairs) for name, difference in ways.items()),
        best_weight=best,
        best=_estimate(_points(pairs.blend(best), pairs.label), held_out, pairs.group),
        usual=_estimate(_points(pairs.blend(CLIP_WEIGHT), pairs.label), held_out, pairs.group),
        pairs=len(pairs.label),
        ties=int((~decided).sum()),
        prompts=len(np.unique(pairs.group)),
    )


def _measure(name: str, difference: Floats, pairs: Pairs) -> Measure:
    threshold = tie_threshold(difference[pairs.fit], pairs.label[pairs.fit])
    with_ties = tie_points(difference, pairs.label, threshold)
    return Measure(
        name,
        accuracy=_estimate(_points(difference, pairs.label), pairs.label != 0, pairs.group),
        with_ties=_estimate(with_ties, ~pairs.fit, pairs.group),
    )


def tie_points(difference: Floats, label: Floats, threshold: float) -> Floats:
    """Points per pair by Pick-a-Pic's protocol (Kirstain et al. 2023, arXiv 2305.01569).

    The judge calls a tie where scores differ by less than `threshold`. 1 for agreeing with the
    person, a half if exactly one of the two calls a tie, 0 for the opposite choice.
    """
    called = np.where(np.abs(difference) < threshold, 0.0, np.sign(difference))
    return 1 - np.abs(called - label) / 2


def tie_threshold(difference: Floats, label: Floats) -> float:
    """The threshold with the most points; of equal ones the smallest."""
    sizes = np.unique(np.abs(difference))
    # Between neighbours, and above all: every threshold that makes a difference.
    candidates = np.concatenate([[0.0], (sizes[:-1] + sizes[1:]) / 2, [sizes[-1] * 2 + 1]])
    if len(candidates) > 1000:
        candidates = np.quantile(candidates, np.linspace(0, 1, 1000))
    points = [tie_points(difference, label, threshold).sum() for threshold in candidates]
    return float(candidates[int(np.argmax(points))])


def _points(difference: Floats, label: Floats) -> Floats:
    """1 for the person's choice, 0 for the other picture, a half for equal scores."""
    return tie_points(difference, label, 0.0)


def _best_weight(pairs: Pairs, where: NDArray[np.bool_]) -> float:
    """Most points on `where`; of equally good weights the one nearest to the usual."""
    points = np.array(
        [_points(pairs.blend(weight), pairs.label)[where].sum() for weight in _WEIGHTS]
    )
    best = _WEIGHTS[points == points.max()]
    return float(best[np.argmin(np.abs(best - CLIP_WEIGHT))])


def _estimate(points: Floats, where: NDArray[np.bool_], group: NDArray[np.int64]) -> Estimate:
    """Mean points, with a percentile bootstrap over prompts: pairs of one prompt hang together."""
    points = points[where]
    _, group = np.unique(group[where], return_inverse=True)
    count = group.max() + 1
    sums = np.bincount(group, weights=points, minlength=count)
    sizes = np.bincount(group, minlength=count)
    drawn = np.random.default_rng(0).integers(0, count, (RESAMPLES, count))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Estimate(float(points.mean()), float(low), float(high), len(points))


def _open(path: Path) -> Image.Image:
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise BadData(f"{path}: {error.strerror}") from error
    except BadImage as error:
        raise BadData(f"{path}: {error.reason}") from error
