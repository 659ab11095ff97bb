"""`vitrina judge-eval`: how well a judge agrees with people."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.judge.evaluation import Estimate, Pairs, Report
    from pipeline.judge.preferences import Preference
    from pipeline.types import Judge


def judge_eval(
    file: Annotated[Path, typer.Argument(help="JSONL: prompt, pictures, what people chose.")],
    judge: Annotated[str | None, typer.Option(help="auto, clip or pixels. [settings]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, nothing else.")] = False,
) -> None:
    """Measure how often a judge picks the picture that people picked."""
    from pipeline.judge import create
    from pipeline.judge.evaluation import evaluate
    from pipeline.judge.preferences import read
    from pipeline.settings import PipelineSettings

    settings = PipelineSettings()
    preferences = read(file)
    scorer = create(judge or settings.judge, settings)
    report = evaluate(_judged(scorer, preferences))
    if as_json:
        typer.echo(json.dumps({"judge": scorer.name, **asdict(report)}, indent=2))
    else:
        _print(report, scorer.name)


def _judged(judge: Judge, preferences: list[Preference]) -> Pairs:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from pipeline.judge.evaluation import judged

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(preferences))
        return judged(judge, preferences, lambda done: bar.update(task, completed=done))


def _print(report: Report, judge_name: str) -> None:
    from rich.console import Console
    from rich.table import Table

    typer.echo(
        f"judge: {judge_name}; {report.prompts} prompts, {report.pairs} pairs, "
        f"{report.ties} of them ties"
    )
    table = Table("chosen by", "accuracy, %", "with ties, %", box=None, pad_edge=False)
    for measure in report.measures:
        table.add_row(measure.name, _percent(measure.accuracy), _percent(measure.with_ties))
    Console().print(table)
    typer.echo(
        f"weight of prompt match that fits best: {report.best_weight:.2f} "
        f"({_percent(report.best)} on the other half; 0.70 has {_percent(report.usual)})"
    )


def _percent(share: Estimate) -> str:
    return f"{share.value * 100:.1f} [{share.low * 100:.1f}, {share.high * 100:.1f}]"
