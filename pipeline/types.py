"""The values that cross the pipeline's borders: a Brief goes in, a ranked Album comes out.

All of them are frozen. Nothing here imports an ML library, so the bot may use it freely.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from PIL import Image

from pipeline import lettering

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLIP_WEIGHT = 0.7
AESTHETIC_WEIGHT = 0.3


class Aspect(enum.StrEnum):
    """Width to height of the pictures, by the places SMM people post to."""

    SQUARE = "1:1"
    PORTRAIT = "4:5"
    STORY = "9:16"
    LANDSCAPE = "16:9"


@dataclass(frozen=True, slots=True)
class BrandStyle:
    """What of a brand the pipeline needs.

    `style_short` is a short English phrase; `palette` holds `#rrggbb` colours, main one first.
    """

    name: str
    style_short: str
    palette: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variation:
    """Draw close to an earlier picture: its seed, how far to go from it (0 = same, 1 = free).

    `of` is what that picture was itself a variation of: its seed alone would give another one.
    """

    seed: int
    strength: float = 0.35
    of: Variation | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture to start from: RGB pixels, how far to go from them (above 0; 1 = free)."""

    image: Image.Image = field(repr=False, compare=False)
    strength: float = 0.6


@dataclass(frozen=True, slots=True)
class Brief:
    """One request, cleaned and understood: what to draw, for where, how many.

    `count` is 1..4, `seed` 0..2**31-1. `enhance=False` keeps the person's own words.
    `platform` and `goal` are codes of `pipeline.brief` (None: not detected). With a `photo` there
    is nothing to be a `variation` of.
    """

    raw_prompt: str
    cleaned_prompt: str
    seed: int
    platform: str | None = None
    goal: str | None = None
    brand: BrandStyle | None = None
    aspect: Aspect = Aspect.SQUARE
    count: int = 4
    enhance: bool = True
    variation: Variation | None = None
    photo: Photo | None = None

    @property
    def subject(self) -> str:
        """What of the words is drawn: not those to be written on the picture."""
        return lettering.split(self.cleaned_prompt).subject


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the generator draws (`render`, `negative`) and what the judge compares with (`intent`).

    All three are English, never Cyrillic when a translating backend made them. `intent` is a
    short sentence, because CLIP reads 77 tokens. `unknown` lists source words that were only
    transliterated. `fallback` is a short code of why `backend` had to stand in for the chosen one.
    """

    render: str
    negative: str
    intent: str
    backend: str
    unknown: tuple[str, ...] = ()
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """One generated picture: RGB pixels, its seed, and how it was made.

    The seed makes it again together with the same prompt and brief: of a variation, or of a picture
    that starts from a photo, the seed is only a part.
    """

    seed: int
    image: Image.Image
    meta: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """A judge's verdict on one picture.

    `clip_raw` and `aes_raw` are the judge's own scales; `clip_n`, `aes_n` and `final` are 0..1,
    `final = 0.7 * clip_n + 0.3 * aes_n`. `details` are named parts, for "why?". `embedding` is
    the picture's unit vector [D] from judges that have one: how like two pictures are.
    `match_measured` False: there was nothing to measure the match by, and `clip_n` is neutral.
    """

    clip_raw: float
    clip_n: float
    aes_raw: float
    aes_n: float
    details: Mapping[str, float] = field(default_factory=dict)
    embedding: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    match_measured: bool = True

    @property
    def final(self) -> float:
        return CLIP_WEIGHT * self.clip_n + AESTHETIC_WEIGHT * self.aes_n


@dataclass(frozen=True, slots=True)
class RankedImage:
    """A picture with its place: `rank` 1 is shown first; `png` is the file, `sha256` its digest.

    Display may trade score for difference: `score_rank` is the place by score alone. `twin_of` is
    the rank of an earlier picture that this one nearly equals.
    """

    rank: int
    seed: int
    png: bytes
    sha256: str
    width: int
    height: int
    score: Score
    meta: Mapping[str, object] = field(default_factory=dict)
    score_rank: int | None = None
    twin_of: int | None = None


@dataclass(frozen=True, slots=True)
class Album:
    """The result of one run: images in rank order, and by whom and how long each stage took."""

    brief: Brief
    prompt: Prompt
    images: tuple[RankedImage, ...]
    generator: str
    judge: str
    timings_ms: Mapping[str, float]


class Stage(enum.StrEnum):
    ENHANCE = "enhance"
    GENERATE = "generate"
    JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands.

    `done` of `total` is in pictures while generating, in tokens (of the most there can be) while a
    language model enhances, else 0 or 1 of 1. `part` is how far the picture in hand is, 0..1.
    """

    stage: Stage
    done: int
    total: int
    part: float = 0.0


OnProgress = Callable[[Progress], None]
"""Called from the event loop's thread or a worker thread; must return at once."""


class OnPicture(Protocol):
    """Told by a generator that `done` pictures are ready and `part` (0..1) of the next one."""

    def __call__(self, done: int, part: float = 0.0) -> None: ...


CancelFlag = threading.Event
"""Set it from anywhere; backends look at it between steps and raise `Cancelled`."""


class Enhancer(Protocol):
    """Turns a brief into a prompt. Raises BackendUnavailable, BackendBusy."""

    name: str

    async def enhance(self, brief: Brief) -> Prompt: ...


@runtime_checkable
class StreamingEnhancer(Enhancer, Protocol):
    """An enhancer slow enough to be watched."""

    async def stream(self, brief: Brief, on_tokens: Callable[[int, int], None]) -> Prompt:
        """Like `enhance`; `on_tokens(done, total)` after each token, from the event loop."""
        ...


@runtime_checkable
class WarmableEnhancer(Enhancer, Protocol):
    """An enhancer that takes long to load."""

    async def warm_up(self) -> None:
        """Load it, so that the first request doesn't wait. Never raises for a server that is away:
        the enhancer must do without it anyway."""
        ...


class Generator(Protocol):
    """Draws pictures; runs in a thread.

    Raises Cancelled, BackendUnavailable (`no_photos` for a photo it can't start from), BackendBusy,
    and BadBrief where nothing may be shown.
    """

    name: str
    max_count: int
    starts_from_photos: bool

    def generate(
        self,
        prompt: Prompt,
        brief: Brief,
        seeds: Sequence[int],
        on_picture: OnPicture,
        cancel: CancelFlag,
    ) -> list[Picture]:
        """One picture a seed, in order; `on_picture(done)` after each, and within one if it takes
        long. A picture that may not be shown is left out."""
        ...


@runtime_checkable
class Warmable(Protocol):
    """A backend that takes long to load."""

    def warm_up(self) -> None:
        """Load it, so that the first request doesn't wait; blocks for minutes."""
        ...


class Judge(Protocol):
    """Scores pictures of one prompt; runs in a thread."""

    name: str

    def score(self, intent: str, images: Sequence[Image.Image]) -> list[Score]:
        """One score an image, in the order given."""
        ...
