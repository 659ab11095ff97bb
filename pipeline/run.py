"""One request from Brief to Album: enhance, generate, judge, rank."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import replace
from typing import TypeVar

from pipeline import enhance, generate, judge
from pipeline.errors import BackendBusy, BadBrief, Cancelled
from pipeline.images import encode_png
from pipeline.rank import Place, likeness, places
from pipeline.settings import PipelineSettings
from pipeline.types import (
    Album,
    Brief,
    CancelFlag,
    Enhancer,
    Generator,
    Judge,
    OnProgress,
    Picture,
    Progress,
    Prompt,
    RankedImage,
    Score,
    Stage,
    StreamingEnhancer,
    Warmable,
    WarmableEnhancer,
)

T = TypeVar("T")

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.1
"""How often a request that waits, for the enhancer or its turn, looks whether it was cancelled."""


def derive_seed(seed: int, index: int, *, again: bool = False) -> int:
    """The seed of picture `index` (0..3) of a request, 0..2**31-1; `again`: of its second try.

    The upper 29 bits come from SHA-256 of the request's seed (`42`, for second tries `42 again`):
    neighbouring requests share no picture. The lower two are the index: a picture's seed alone
    tells its place, which generators use to make the pictures of one request unlike by design.
    """
    digest = hashlib.sha256((f"{seed} again" if again else str(seed)).encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFF_FFFC | index


class Pipeline:
    """The three backends, each behind its own lock: up to three requests share one pipeline.

    `translator` gives the English `intent` of requests whose words are drawn as they are
    (`Brief.enhance` off); without one the enhancer does. `diversity` is `rank.diversify`'s; above 0
    near-twins are drawn again once.
    `take_turns` lets one request draw and judge before the next one draws: where both run on the
    same cores, a finished picture would else wait for its verdict until another is drawn.
    """

    def __init__(
        self,
        enhancer: Enhancer,
        generator: Generator,
        judge: Judge,
        *,
        translator: Enhancer | None = None,
        diversity: float = 0.0,
        take_turns: bool = False,
    ) -> None:
        self.enhancer = enhancer
        self.generator = generator
        self.judge = judge
        self._translator = translator or enhancer
        self._diversity = diversity
        self._locks = {stage: asyncio.Lock() for stage in Stage}
        self._turn = asyncio.Lock() if take_turns else None

    @classmethod
    def from_settings(cls, settings: PipelineSettings) -> Pipeline:
        """The backends the settings name. Raises BackendUnavailable."""
        generator = generate.create(settings.generator, settings)
        return cls(
            enhance.create(settings.enhancer, settings),
            generator,
            judge.create(settings.judge, settings),
            translator=enhance.create("lexicon", settings),
            diversity=settings.diversity,
            take_turns=getattr(generator, "device", None) == "cpu",
        )

    async def warm_up(self) -> None:
        """Load what the backends run on, so that no request waits for it.

        Raises BackendUnavailable, BackendBusy.
        """
        enhancers = {id(one): one for one in (self.enhancer, self._translator)}.values()
        await asyncio.gather(
            *(one.warm_up() for one in enhancers if isinstance(one, WarmableEnhancer)),
            self._load(),
        )

    async def _load(self) -> None:
        # One after the other: two threads that import transformers at once trip over each other.
        for backend in (self.generator, self.judge):
            if isinstance(backend, Warmable):
                await asyncio.to_thread(backend.warm_up)

    @property
    def requests_in_flight(self) -> int:
        """How many requests at once keep the machine busy.

        On a GPU one a stage, so that it waits neither for the enhancer nor for the judge; on a CPU
        one is drawn while the next is prepared or the last one stored.
        """
        return 3 if getattr(self.generator, "device", None) == "cuda" else 2

    async def run(
        self,
        brief: Brief,
        *,
        on_progress: OnProgress | None = None,
        cancel: CancelFlag | None = None,
    ) -> Album:
        """Make and rank the pictures.

        Raises Cancelled within one picture of `cancel` being set, at once while other requests are
        ahead, and whatever the backends raise.
        `timings_ms` has the stages, `encode` and `total`; a stage's time is without the wait for
        its lock. No more pictures are made than the generator can (`max_count`).
        """
        run = _Run(brief, on_progress or _ignore, cancel or CancelFlag())
        started = time.perf_counter()
        prompt = await self._enhance(run)
        async with run.holding(self._turn) if self._turn else nullcontext():
            pictures = await self._generate(run, prompt, self._seeds(brief))
            scores = await self._judge(run, prompt, pictures)
            await self._draw_apart(run, prompt, pictures, scores)
            with run.timed("encode"):
                pngs = await asyncio.gather(
                    *(run.in_thread(_encode, picture, prompt, self) for picture in pictures)
                )
        run.timings_ms["total"] = _ms_since(started)
        return Album(
            brief=brief,
            prompt=prompt,
            images=tuple(
                _ranked(
                    number, place, pictures[place.index], pngs[place.index], scores[place.index]
                )
                for number, place in enumerate(places(scores, self._diversity), start=1)
            ),
            generator=self.generator.name,
            judge=self.judge.name,
            timings_ms=run.timings_ms,
        )

    async def _enhance(self, run: _Run) -> Prompt:
        async with run.holding(self._locks[Stage.ENHANCE]):
            with run.stage(Stage.ENHANCE):
                if run.brief.enhance:
                    return await run.unless_cancelled(_enhanced(self.enhancer, run))
                translated = await self._translator.enhance(run.brief)
                return Prompt(
                    render=run.brief.subject,
                    negative="",
                    intent=translated.intent,
                    backend="off",
                    unknown=translated.unknown,
                )

    def _seeds(self, brief: Brief) -> list[int]:
        count = min(brief.count, self.generator.max_count)
        return [derive_seed(brief.seed, index) for index in range(count)]

    async def _generate(
        self, run: _Run, prompt: Prompt, seeds: Sequence[int], kept: int = 0
    ) -> list[Picture]:
        """A picture a seed; `kept` ones of the album are there already."""

        def on_picture(done: int, part: float = 0.0) -> None:
            run.on_progress(Progress(Stage.GENERATE, kept + done, kept + len(seeds), part))

        async with run.holding(self._locks[Stage.GENERATE]):
            run.check()
            on_picture(0)
            with run.timed(Stage.GENERATE):
                return await run.in_thread(
                    self.generator.generate, prompt, run.brief, seeds, on_picture, run.cancel
                )

    async def _judge(self, run: _Run, prompt: Prompt, pictures: list[Picture]) -> list[Score]:
        images = [picture.image for picture in pictures]
        async with run.holding(self._locks[Stage.JUDGE]):
            with run.stage(Stage.JUDGE):
                return await run.in_thread(self.judge.score, prompt.intent, images)

    async def _draw_apart(
        self, run: _Run, prompt: Prompt, pictures: list[Picture], scores: list[Score]
    ) -> None:
        """Draw near-twins again, once; put each new one in place if that is less like the others.

        Variations, and pictures that start from one photo, are asked to be alike: they stay. So
        does everything if no new picture may be shown, or memory has run out: there is an album
        already.
        """
        if not self._diversity or run.brief.variation or run.brief.photo:
            return
        twins = [place.index for place in places(scores, self._diversity) if place.twin_of]
        seeds = [derive_seed(run.brief.seed, pictures[at].seed & 3, again=True) for at in twins]
        if not seeds:
            return
        try:
            redrawn = await self._generate(run, prompt, seeds, kept=len(pictures) - len(seeds))
        except (BadBrief, BackendBusy) as error:
            _log.warning("near-twins stay: %s", error)
            return
        # One that may not be shown is left out: which place the others are tried at is all one.
        judged = zip(redrawn, await self._judge(run, prompt, redrawn), strict=True)
        for at, (picture, score) in zip(twins, judged, strict=False):
            others = scores[:at] + scores[at + 1 :]
            if likeness(score, others) < likeness(scores[at], others):
                instead_of = {"instead_of_seed": pictures[at].seed}
                pictures[at] = replace(picture, meta={**picture.meta, **instead_of})
                scores[at] = score


class _Run:
    """What one call of `Pipeline.run` carries from stage to stage."""

    def __init__(self, brief: Brief, on_progress: OnProgress, cancel: CancelFlag) -> None:
        self.brief = brief
        self.on_progress = on_progress
        self.cancel = cancel
        self.timings_ms: dict[str, float] = {}

    def check(self) -> None:
        if self.cancel.is_set():
            raise Cancelled

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        before_ms = self.timings_ms.get(str(name), 0.0)
        self.timings_ms[str(name)] = round(before_ms + _ms_since(started), 1)
        self.check()

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """A stage that is done in one step."""
        self.check()
        self.on_progress(Progress(stage, 0, 1))
        with self.timed(stage):
            yield
        self.on_progress(Progress(stage, 1, 1))

    @asynccontextmanager
    async def holding(self, lock: asyncio.Lock) -> AsyncIterator[None]:
        """The lock, in the order of asking; raises Cancelled if `cancel` is set before its turn."""
        acquired = asyncio.ensure_future(lock.acquire())
        try:
            await self.unless_cancelled(acquired)
            yield
        finally:
            # Stopped in the very moment the lock came free, it is ours all the same.
            if acquired.done() and not acquired.cancelled():
                lock.release()

    async def unless_cancelled(self, work: Awaitable[T]) -> T:
        """The work's result; stops it as soon as `cancel` is set, to raise Cancelled."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait([task], timeout=_LOOK_EVERY_S))[0]:
                self.check()
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])

    async def in_thread(self, work: Callable[..., T], *args: object) -> T:
        """Like `asyncio.to_thread`, but never returns before the thread has.

        A cancelled task would otherwise free its stage's lock while the backend, which is not
        thread-safe, still works for it.
        """
        thread = asyncio.ensure_future(asyncio.to_thread(work, *args))
        try:
            return await asyncio.shield(thread)
        except asyncio.CancelledError:
            self.cancel.set()
            await asyncio.wait([thread])
            thread.exception()  # The cancellation tells the story; the thread's end is expected.
            raise


def _enhanced(enhancer: Enhancer, run: _Run) -> Coroutine[object, object, Prompt]:
    if not isinstance(enhancer, StreamingEnhancer):
        return enhancer.enhance(run.brief)
    return enhancer.stream(
        run.brief, lambda done, total: run.on_progress(Progress(Stage.ENHANCE, done, total))
    )


def _encode(picture: Picture, prompt: Prompt, pipeline: Pipeline) -> bytes:
    parameters = {
        "prompt": prompt.render,
        "negative_prompt": prompt.negative,
        "enhancer": prompt.backend,
        "generator": pipeline.generator.name,
        "seed": picture.seed,
        **picture.meta,
    }
    return encode_png(picture.image, parameters)


def _ranked(number: int, place: Place, picture: Picture, png: bytes, score: Score) -> RankedImage:
    return RankedImage(
        rank=number,
        seed=picture.seed,
        png=png,
        sha256=hashlib.sha256(png).hexdigest(),
        width=picture.image.width,
        height=picture.image.height,
        score=score,
        meta=picture.meta,
        score_rank=place.score_rank,
        twin_of=place.twin_of,
    )


def _ignore(progress: Progress) -> None:
    """For callers that watch no progress."""


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
