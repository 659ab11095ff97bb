"""`vitrina wallet refund` and `reconcile`, which need Telegram; the other commands are in db."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from db import wallet_cli

if TYPE_CHECKING:
    from aiogram import Bot
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from bot.reconcile import Report
    from db.money_views import PaymentView

    Sessions = async_sessionmaker[AsyncSession]

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)
app.add_typer(wallet_cli.app)


@app.command()
def refund(
    charge_id: Annotated[str, typer.Argument(help="Telegram's charge id, as in `wallet show`.")],
    operator: Annotated[str, typer.Option(help="Who decides this.")] = "",
    returned: Annotated[
        bool, typer.Option("--returned", help="Roubles: the provider has given them back.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Roubles: they stay; the wallet gets them again.")
    ] = False,
) -> None:
    """Give a top-up back to who paid it. Run it again after any failure.

    Stars go back through Telegram. A provider's roubles go back in the provider's own cabinet:
    this takes them out of the wallet, then --returned confirms (or --undo calls it off).
    """
    from db.states import PaymentState

    who = operator or getpass.getuser()
    payment = _run(lambda bot, db: _refund(bot, db, charge_id, who, returned, undo))
    what = f"{payment.credit / 100:.2f} RUB of account {payment.account_id}"
    if payment.state is PaymentState.REFUNDED:
        typer.echo(f"refunded: {what}")
    elif payment.state is PaymentState.REFUNDING:
        typer.echo(
            f"taken from the wallet: {what}\n"
            f"now give payment {payment.provider_charge_id} back in the provider's cabinet,"
            f" then: vitrina wallet refund {charge_id} --returned (or --undo)"
        )
    elif undo:
        typer.echo(f"called off: {what} are in the wallet")
    else:
        raise typer.BadParameter("this refund was not begun: run it without --returned first")


@app.command()
def reconcile() -> None:
    """Compare our books with Telegram's list of Star payments, and make good what was missed.

    Exit code 1 when something is left for a person to look at.
    """
    from bot.reconcile import reconcile as compare

    report = _run(lambda bot, db: compare(bot, db, now=datetime.now(UTC)))
    _print(report)
    raise typer.Exit(1 if report.needs_a_person else 0)


def _print(report: Report) -> None:
    typer.echo(f"transactions: {report.transactions}, repaired: {report.repaired}")
    for title, charge_ids in (
        ("credited", report.credited),
        ("refunds booked", report.refunded),
        ("answer to no order", report.unmatched),
        ("another sum than Telegram's", report.differing),
        ("unknown to Telegram", report.unknown),
        ("refunds that failed", report.stuck),
    ):
        for charge_id in charge_ids:
            typer.echo(f"{title}: {charge_id}")


async def _refund(
    bot: Bot, sessions: Sessions, charge_id: str, operator: str, returned: bool, undo: bool
) -> PaymentView:
    from bot.refunds import refund
    from db import payments, refunds
    from db.errors import NotFound
    from db.states import PaymentMethod

    now = datetime.now(UTC)
    if returned or undo:
        async with sessions.begin() as session:
            payment = await payments.payment(session, charge_id)
            if payment is None:
                raise NotFound("payment")
            if payment.method is not PaymentMethod.PROVIDER:
                raise typer.BadParameter("--returned and --undo are for a provider's roubles")
            if undo:
                return await refunds.undo(session, charge_id)
            return await refunds.finish(session, charge_id, now=now)
    return await refund(bot, sessions, charge_id, operator=operator, now=now)


def _run(work: Callable[[Bot, Sessions], Awaitable[T]]) -> T:
    """Words what can go wrong in one line."""
    from bot.errors import RefundRefused, SendError
    from db.errors import InsufficientFunds, NotFound

    async def run() -> T:
        async with _connected() as (bot, sessions):
            return await work(bot, sessions)

    try:
        return asyncio.run(run())
    except NotFound as error:
        raise typer.BadParameter("no payment has this charge id") from error
    except InsufficientFunds as error:
        lacking = f"{error.missing / 100:.2f}"
        reason = f"part of it is spent or held: {lacking} RUB are lacking in the wallet"
    except RefundRefused as error:
        reason = f"{error}; the wallet has its money again"
    except SendError as error:
        reason = f"nobody knows what Telegram did ({error}): run this again"
    typer.echo(f"Error: {reason}", err=True)
    raise typer.Exit(1)


@asynccontextmanager
async def _connected() -> AsyncIterator[tuple[Bot, Sessions]]:
    from redis.asyncio import Redis

    from bot.gateway import create_bot
    from bot.settings import BotSettings
    from db import engine
    from db.settings import DatabaseSettings

    stores, options = DatabaseSettings(), BotSettings()
    async with AsyncExitStack() as stack:
        db = engine.create(stores.database_url)
        stack.push_async_callback(db.dispose)
        redis = Redis.from_url(stores.redis_url)
        stack.push_async_callback(redis.aclose)
        bot = create_bot(
            options.token.get_secret_value(),
            options.api_url,
            redis,
            timeout_s=options.request_timeout_s,
        )
        stack.push_async_callback(bot.session.close)
        yield bot, engine.session_factory(db)
