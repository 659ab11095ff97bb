"""The pipeline's commands: `vitrina generate`, `enhance`, `judge` and `doctor`.

What is bad in what was typed is refused: one line, exit code 2.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from PIL import Image

    from pipeline.run import Pipeline
    from pipeline.settings import PipelineSettings
    from pipeline.types import Album, BrandStyle, Brief, OnProgress, Photo, Prompt, Score

MAX_FILE_BYTES = 64 * 1024 * 1024

Text = Annotated[str, typer.Argument(help="The idea, in Russian or English.", metavar="TEXT")]
Platform = Annotated[str | None, typer.Option(help="Where it goes, e.g. instagram. [detected]")]
Goal = Annotated[str | None, typer.Option(help="What it is for, e.g. promotion. [detected]")]
Style = Annotated[
    str | None, typer.Option("--brand-style", help="The brand's style in a few words.")
]
Seed = Annotated[int | None, typer.Option(help="0 to 2147483647, for the same again. [random]")]
EnhancerName = Annotated[
    str | None, typer.Option("--enhancer", help="lexicon, ollama or mock. [settings]")
]
GeneratorName = Annotated[
    str | None, typer.Option("--generator", help="mock or diffusion. [settings]")
]
JudgeName = Annotated[str | None, typer.Option("--judge", help="auto, clip or pixels. [settings]")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]

_WORDS = {
    "empty": "nothing to draw: the text has no words",
    "too_long": "the text is too long: at most 2000 characters",
    "count": "-n must be 1 to 4",
    "seed": "--seed must be 0 to 2147483647",
}


class Refused(typer.TyperException):
    """What was asked for can't be done as it was asked."""

    exit_code = 2


def generate(
    text: Text,
    brand_style: Style = None,
    platform: Platform = None,
    goal: Goal = None,
    count: Annotated[
        int | None,
        typer.Option(
            "-n", "--count", help="How many pictures, 1 to 4. [what the text says, else 4]"
        ),
    ] = None,
    seed: Seed = None,
    enhancer: EnhancerName = None,
    generator: GeneratorName = None,
    judge: JudgeName = None,
    photo: Annotated[
        Path | None, typer.Option(help="A picture to start from; the generator diffusion can.")
    ] = None,
    strength: Annotated[
        float, typer.Option(help="How far to go from the photo, above 0 to 1.")
    ] = 0.6,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("out"),
    as_json: AsJson = False,
) -> None:
    """Turn an idea into ranked pictures: PNG files, a contact sheet, a table of scores."""
    from pipeline.run import Pipeline

    brief = _brief(text, brand_style, platform, goal, count, seed)
    if photo:
        brief = replace(brief, photo=_photo(photo, strength))
    settings = _settings(enhancer=enhancer, generator=generator, judge=judge)
    with _unavailable_is_refused():
        pipeline = Pipeline.from_settings(settings)
    _make_folder(out)
    album = _run_quietly(pipeline, brief) if as_json else _run_with_bar(pipeline, brief)
    paths = _write(album, out)
    if as_json:
        _print_album_json(album, paths)
    else:
        _print_table([(path, i.score) for path, i in zip(paths, album.images, strict=True)])
        _echo_footer(album, out)


def enhance(
    text: Text,
    brand_style: Style = None,
    platform: Platform = None,
    goal: Goal = None,
    seed: Seed = None,
    enhancer: EnhancerName = None,
    as_json: AsJson = False,
) -> None:
    """Show what the enhancer makes of an idea: render prompt, negative prompt, intent."""
    from pipeline import report

    brief = _brief(text, brand_style, platform, goal, 1, seed)
    started = time.perf_counter()
    made = _enhanced(brief, enhancer)
    timings = {"enhance": _ms_since(started), "total": _ms_since(started)}
    if as_json:
        _print_json(
            {
                "request": report.request(brief),
                "prompt": report.prompt(made),
                "timings_ms": timings,
            }
        )
        return
    for name, value in report.prompt(made).items():
        typer.echo(f"{name:>8}  {value}")
    if made.unknown:
        typer.echo(f"{'unknown':>8}  {', '.join(made.unknown)}")


def judge(
    text: Annotated[str, typer.Argument(help="What the pictures should show.", metavar="PROMPT")],
    images: Annotated[list[Path], typer.Argument(help="Picture files.", metavar="IMAGE...")],
    enhancer: EnhancerName = None,
    judge: JudgeName = None,
    as_json: AsJson = False,
) -> None:
    """Score and rank picture files against an idea."""
    from pipeline import judge as judges
    from pipeline import rank

    brief = _brief(text, None, None, None, 1, 0)
    opened = [_open(path) for path in images]
    settings = _settings(judge=judge)
    with _unavailable_is_refused():
        scorer = judges.create(settings.judge, settings)
    started = time.perf_counter()
    made = _enhanced(brief, enhancer)
    enhanced_ms = _ms_since(started)
    scores = scorer.score(made.intent, [image for image, _ in opened])
    timings = {"enhance": enhanced_ms, "judge": round(_ms_since(started) - enhanced_ms, 1)}
    timings["total"] = _ms_since(started)
    order = rank.rank(scores)
    if as_json:
        rows = [(str(images[i]), scores[i], opened[i][1]) for i in order]
        _print_judge_json(brief, made, rows, scorer.name, timings)
    else:
        _print_table([(str(images[i]), scores[i]) for i in order])
        typer.echo(f"judge: {scorer.name}, against: {made.intent}")


def doctor(as_json: AsJson = False) -> None:
    """Say what will run on this machine, and what won't and why."""
    from pipeline.doctor import examine

    checks = examine()
    well = all(check.ok or not check.needed for check in checks)
    if as_json:
        rows = [
            {"name": c.name, "ok": c.ok, "detail": c.detail, "needed": c.needed} for c in checks
        ]
        _print_json({"ok": well, "checks": rows})
    else:
        for check in checks:
            mark = "ok" if check.ok else "MISSING" if check.needed else "off"
            typer.echo(f"{mark:>8}  {check.name:<22}{check.detail}")
    if not well:
        raise typer.Exit(1)


def _brief(
    text: str,
    brand_style: str | None,
    platform: str | None,
    goal: str | None,
    count: int | None,
    seed: int | None,
) -> Brief:
    from pipeline.brief import GOALS, PLATFORMS, make_brief
    from pipeline.errors import BadBrief

    try:
        return make_brief(
            text,
            seed=secrets.randbelow(2**31) if seed is None else seed,
            platform=platform,
            goal=goal,
            count=count,
            brand=_brand(brand_style),
        )
    except BadBrief as error:
        known = {"platform": PLATFORMS, "goal": GOALS}.get(error.reason)
        message = (
            f"unknown {error.reason}, one of: {', '.join(known)}"
            if known
            else _WORDS.get(error.reason, error.reason)
        )
        raise Refused(message) from error


def _photo(path: Path, strength: float) -> Photo:
    from pipeline.types import Photo

    if not 0 < strength <= 1:
        raise Refused("--strength must be above 0 and at most 1")
    image, _ = _open(path)
    return Photo(image, strength)


def _brand(style: str | None) -> BrandStyle | None:
    if style is None:
        return None
    from pipeline.enhance.lexicon import translate_style
    from pipeline.types import BrandStyle

    return BrandStyle(name=style, style_short=translate_style(style).text)


def _settings(**named: str | None) -> PipelineSettings:
    """The settings, with what was named on the command line instead."""
    from pipeline.settings import PipelineSettings

    changes = {name: value for name, value in named.items() if value is not None}
    return PipelineSettings().model_copy(update=changes)


@contextmanager
def _unavailable_is_refused() -> Iterator[None]:
    from pipeline.errors import BackendUnavailable

    try:
        yield
    except BackendUnavailable as error:
        raise Refused(str(error)) from error


def _enhanced(brief: Brief, enhancer: str | None) -> Prompt:
    from pipeline import enhance

    settings = _settings(enhancer=enhancer)
    with _unavailable_is_refused():
        return asyncio.run(enhance.create(settings.enhancer, settings).enhance(brief))


def _run_quietly(pipeline: Pipeline, brief: Brief, on_progress: OnProgress | None = None) -> Album:
    return asyncio.run(pipeline.run(brief, on_progress=on_progress))


def _run_with_bar(pipeline: Pipeline, brief: Brief) -> Album:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from pipeline.types import Progress as Step

    columns = (TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("start", total=1)

        def show(step: Step) -> None:
            bar.update(task, description=step.stage.value, completed=step.done, total=step.total)

        return _run_quietly(pipeline, brief, show)


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"can't make the folder {out}: {error.strerror}") from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise Refused(f"can't write to the folder {out}")


def _write(album: Album, out: Path) -> list[str]:
    """PNG files and contact sheet; returns the files' paths in rank order."""
    import io

    from PIL import Image

    from pipeline.sheet import contact_sheet

    paths = [out / f"{image.rank}-{image.seed}.png" for image in album.images]
    for path, image in zip(paths, album.images, strict=True):
        path.write_bytes(image.png)
    pictures = [(Image.open(io.BytesIO(image.png)), image.score) for image in album.images]
    contact_sheet(album.brief.cleaned_prompt, pictures).save(out / "contact.png")
    return [str(path) for path in paths]


def _open(path: Path) -> tuple[Image.Image, str]:
    """The picture and its file's SHA-256."""
    from pipeline.errors import BadImage
    from pipeline.images import decode

    try:
        if not path.is_file():
            raise Refused(f"{path}: {'not a file' if path.exists() else 'no such file'}")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise Refused(f"{path}: larger than {MAX_FILE_BYTES // 2**20} MB")
        data = path.read_bytes()
        return decode(data), hashlib.sha256(data).hexdigest()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error
    except BadImage as error:
        reasons = {
            "not_an_image": "not a picture this program can read",
            "too_large": "more pixels than may be decoded safely",
            "broken": "a damaged picture",
        }
        raise Refused(f"{path}: {reasons[error.reason]}") from error


def _print_album_json(album: Album, paths: list[str]) -> None:
    from pipeline import report

    _print_json(
        {
            "request": report.request(album.brief),
            "prompt": report.prompt(album.prompt),
            "images": [
                report.image(image, path) for image, path in zip(album.images, paths, strict=True)
            ],
            "judge": album.judge,
            "generator": album.generator,
            "timings_ms": report.timings(album.timings_ms),
        }
    )


def _print_judge_json(
    brief: Brief,
    made: Prompt,
    rows: list[tuple[str, Score, str]],
    judge_name: str,
    timings_ms: dict[str, float],
) -> None:
    from pipeline import report

    request = report.request(brief)
    del request["seed"]
    _print_json(
        {
            "request": request,
            "prompt": report.prompt(made),
            "images": [
                {"rank": place, "path": path, **report.scores(score), "sha256": sha256}
                for place, (path, score, sha256) in enumerate(rows, start=1)
            ],
            "judge": judge_name,
            "timings_ms": timings_ms,
        }
    )


def _print_table(rows: list[tuple[str, Score]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("№", "final", "clip", "aes", "file", box=None, pad_edge=False)
    for place, (path, score) in enumerate(rows, start=1):
        numbers = (f"{value:.3f}" for value in (score.final, score.clip_n, score.aes_n))
        table.add_row(str(place), *numbers, path)
    Console().print(table)


def _echo_footer(album: Album, out: Path) -> None:
    typer.echo(f"prompt: {album.prompt.render}")
    typer.echo(
        f"generator: {album.generator}, judge: {album.judge}, seed: {album.brief.seed}, "
        f"{album.timings_ms['total'] / 1000:.1f} s, contact sheet: {out / 'contact.png'}"
    )


def _print_json(value: dict[str, object]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
