"""`vitrina plans`: what is sold, and changing it without a release."""

from __future__ import annotations

import json
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from db.cli import in_transaction

if TYPE_CHECKING:
    from db.money_views import PlanView
    from db.plans import PlanFields

app = typer.Typer(help="Plans: show and change what is sold.")

_MOST_KOPECKS = 10**12
_COLUMNS = "{:<17}{:>11}{:>13}{:>8}{:>9}{:>6}{:>8}{:>7}{:>7}{:>10}{:>10}"

Count = Annotated[int | None, typer.Option(min=0, max=1_000_000)]
Roubles = Annotated[str | None, typer.Option(metavar="ROUBLES")]


@app.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, prices in kopecks.")] = False,
) -> None:
    """Show the plans, also those that are not offered any more."""
    if context.invoked_subcommand is not None:
        return
    from db import plans

    found = in_transaction(lambda session: plans.list_(session, withdrawn=True))
    if as_json:
        rows = [asdict(plan) for plan in found]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        _print(found)


@app.command("set")
def change(
    code: Annotated[str, typer.Argument(help="free, start, ..., or a new plan's code.")],
    price: Roubles = None,
    picture_price: Roubles = None,
    images: Count = None,
    enhance: Annotated[bool | None, typer.Option("--enhance/--no-enhance")] = None,
    best: Annotated[bool | None, typer.Option("--best/--no-best")] = None,
    brands: Count = None,
    loras: Count = None,
    seats: Annotated[int | None, typer.Option(min=1, max=1_000_000)] = None,
    channels: Count = None,
    priority: Annotated[int | None, typer.Option(min=-1000, max=1000)] = None,
    title_ru: Annotated[str | None, typer.Option()] = None,
    title_en: Annotated[str | None, typer.Option()] = None,
    position: Annotated[int | None, typer.Option(min=0, max=1000)] = None,
    offered: Annotated[bool | None, typer.Option("--offered/--withdrawn")] = None,
) -> None:
    """Change a plan; what is paid for stays as it was until its period ends.

    A new code makes a new plan: it needs --title-ru, --title-en and --price, and has Free's terms
    where nothing else is said.
    """
    given = {
        "price": _kopecks(price, "price"),
        "picture_price": _kopecks(picture_price, "picture-price"),
        "images_limit": images,
        "auto_enhance": enhance,
        "auto_best": best,
        "brand_limit": brands,
        "lora_limit": loras,
        "seats": seats,
        "channels": channels,
        "priority": priority,
        "title_ru": title_ru,
        "title_en": title_en,
        "position": position,
        "is_offered": offered,
    }
    fields: PlanFields = {name: value for name, value in given.items() if value is not None}  # type: ignore[assignment]
    if not fields:
        raise typer.BadParameter("nothing to change: see `vitrina plans set --help`")
    _print((_put(code, fields),))


def _put(code: str, fields: PlanFields) -> PlanView:
    from sqlalchemy.exc import IntegrityError

    from db import plans
    from db.errors import NotFound

    try:
        return in_transaction(lambda session: plans.put(session, code, **fields))
    except NotFound:
        raise typer.BadParameter(
            f"no plan {code!r}; a new one needs --title-ru, --title-en and --price"
        ) from None
    except IntegrityError as error:
        if "ck_plans_free" in str(error):
            raise typer.BadParameter("free costs nothing and is always offered") from None
        if "ck_plans_code" in str(error):
            raise typer.BadParameter(
                "a code is up to 16 of a-z, 0-9 and _, a letter first"
            ) from None
        raise


def _kopecks(roubles: str | None, option: str) -> int | None:
    if roubles is None:
        return None
    try:
        kopecks = Decimal(roubles.replace(",", ".")) * 100
        if 0 <= kopecks <= _MOST_KOPECKS and kopecks == int(kopecks):
            return int(kopecks)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise typer.BadParameter(f"--{option} is roubles, like 590 or 8.50, not {roubles!r}")


def _print(found: tuple[PlanView, ...]) -> None:
    titles = ("plan", "price", "picture", "images", "enhance", "best", "brands", "loras", "seats")
    typer.echo(_COLUMNS.format(*titles, "channels", "offered"))
    for plan in found:
        terms = plan.terms
        typer.echo(
            _COLUMNS.format(
                plan.code,
                f"{plan.price / 100:.2f}",
                f"{terms.picture_price / 100:.2f}",
                terms.images_limit,
                _yes(terms.auto_enhance),
                _yes(terms.auto_best),
                terms.brand_limit,
                terms.lora_limit,
                terms.seats,
                terms.channels,
                _yes(plan.is_offered),
            )
        )


def _yes(value: bool) -> str:
    return "yes" if value else "no"
