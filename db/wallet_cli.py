"""`vitrina wallet credit`, `show`, `resume` and `check`: an operator's hand on the ledger."""

from __future__ import annotations

import getpass
import json
import re
import secrets
from dataclasses import dataclass
from typing import Annotated

import typer
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import notices, payments, wallet
from db.cli import in_transaction
from db.errors import KeyReused
from db.models import Account, User
from db.money_views import Audit, Movement, MovementPage, Transferred, WalletView
from db.states import AccountKind, SystemWallet, TransferKind

app = typer.Typer()

_MOST_KOPECKS = 10_000_000_00
_SUM = re.compile(r"([0-9][0-9 \u00a0\u202f]*)(?:[.,]([0-9]{1,2}))?")
_LARGEST_ID = 2**63 - 1

Who = Annotated[
    str, typer.Argument(help="@username, a user's or account's number, or account:5, user:5.")
]


@dataclass(frozen=True, slots=True)
class _Found:
    """An account, and how it is called on the screen."""

    id: int
    label: str


@app.command()
def credit(
    who: Who,
    sum_: Annotated[str, typer.Argument(metavar="SUM", help="Roubles, like 500 or 1299,50.")],
    note: Annotated[str, typer.Option(help="What for; it is kept with the transfer.")],
    operator: Annotated[str, typer.Option(help="Who decides this.")] = "",
    key: Annotated[str, typer.Option(help="The same key again credits nothing more.")] = "",
) -> None:
    """Put money into an account's wallet, and tell its owner."""
    kopecks = _kopecks(sum_)
    if not note.strip():
        raise typer.BadParameter("--note says what the money is for")
    chosen = key.strip() or secrets.token_hex(8)
    memo = {"note": note.strip(), "operator": operator.strip() or getpass.getuser()}

    async def work(session: AsyncSession) -> tuple[_Found, Transferred, WalletView]:
        account = await _find(session, who)
        made = await wallet.transfer(
            session,
            SystemWallet.OPERATOR,
            account.id,
            kopecks,
            TransferKind.CREDIT,
            f"operator:{chosen}",
            memo,
        )
        after = await wallet.wallet(session, account.id)
        if made.created:
            told = {"sum": kopecks, "balance": after.balance}
            await notices.tell(
                session, account.id, payments.TOPPED_UP, told, key=f"operator:{chosen}"
            )
        return account, made, after

    try:
        account, made, after = in_transaction(work)
    except KeyReused as error:
        raise typer.BadParameter(f"the key {chosen!r} stands for another credit") from error
    done = "credited" if made.created else "credited before, nothing moved"
    typer.echo(
        f"{done}: {_roubles(kopecks)} to {account.label},"
        f" balance {_roubles(after.balance)}, key {chosen}"
    )


@app.command()
def show(
    who: Who,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many movements.")] = 20,
) -> None:
    """Show an account's wallet and its newest movements."""

    async def work(session: AsyncSession) -> tuple[_Found, WalletView, MovementPage]:
        account = await _find(session, who)
        view = await wallet.wallet(session, account.id)
        return account, view, await wallet.movements(session, account.id, limit=limit)

    account, view, page = in_transaction(work)
    typer.echo(account.label + (", paid actions are paused" if view.paused else ""))
    typer.echo(
        f"balance {_roubles(view.balance)}, reserved {_roubles(view.reserved)},"
        f" free {_roubles(view.free)}"
    )
    for movement in page.items:
        typer.echo(_line(movement))
    if page.next_before_id is not None:
        typer.echo("... and older ones: --limit shows more")


@app.command()
def resume(who: Who) -> None:
    """Let an account pay again, after money it had spent was taken back."""

    async def work(session: AsyncSession) -> tuple[_Found, WalletView]:
        account = await _find(session, who)
        await wallet.resume(session, account.id)
        return account, await wallet.wallet(session, account.id)

    account, after = in_transaction(work)
    typer.echo(f"paid actions are on: {account.label}, balance {_roubles(after.balance)}")


@app.command()
def check() -> None:
    """Add up the whole ledger. Exit code 1 when money was made or lost somewhere."""
    audit: Audit = in_transaction(wallet.audit)
    if audit.total == 0 and not audit.wrong:
        typer.echo("the ledger adds up")
        return
    typer.echo(f"all wallets together: {_roubles(audit.total)} (should be nothing)", err=True)
    for account_id in audit.wrong:
        typer.echo(
            f"account {account_id}: its balance or what it has reserved is not what its transfers"
            " and open holds add up to",
            err=True,
        )
    raise typer.Exit(1)


async def _find(session: AsyncSession, who: str) -> _Found:
    """The one account meant. Raises BadParameter for none, and for more than one."""
    rows = await session.execute(
        select(Account.id, Account.kind, Account.chat_id, User.id.label("user_id"), User.username)
        .outerjoin(User, User.id == Account.owner_user_id)
        .where(_meant(who))
        .order_by(Account.id)
        .limit(10)
    )
    found = [
        _Found(
            row.id,
            f"account {row.id} (team, chat {row.chat_id})"
            if row.kind is AccountKind.TEAM
            else f"account {row.id} (user {row.user_id}"
            + (f", @{row.username})" if row.username else ")"),
        )
        for row in rows
    ]
    if not found:
        raise typer.BadParameter(f"nobody here is {who!r}")
    if len(found) > 1:
        several = ", ".join(account.label for account in found)
        raise typer.BadParameter(f"{who!r} may be {several}: say account:{found[0].id} or the like")
    return found[0]


def _meant(who: str) -> ColumnElement[bool]:
    if re.fullmatch(r"@\w+", who):
        mine = func.lower(User.username) == who[1:].lower()
        return mine & (Account.kind == AccountKind.PERSONAL)
    match = re.fullmatch(r"(account:|user:|)([0-9]{1,19})", who)
    if match is None or int(match[2]) > _LARGEST_ID:
        raise typer.BadParameter(f"@username or a number, not {who!r}")
    number = int(match[2])
    is_account = Account.id == number
    is_user = (Account.owner_user_id == number) & (Account.kind == AccountKind.PERSONAL)
    return {"account:": is_account, "user:": is_user, "": is_account | is_user}[match[1]]


def _kopecks(roubles: str) -> int:
    match = _SUM.fullmatch(roubles.strip())
    if match is None:
        raise typer.BadParameter(f"a sum is roubles, like 500 or 1299,50, not {roubles!r}")
    whole = re.sub(r"[^0-9]", "", match[1])
    kopecks = int(whole[:20]) * 100 + int((match[2] or "0").ljust(2, "0"))
    if not 0 < kopecks <= _MOST_KOPECKS:
        raise typer.BadParameter(
            f"a sum is more than nothing and at most {_roubles(_MOST_KOPECKS)}"
        )
    return kopecks


def _line(movement: Movement) -> str:
    sign = "+" if movement.amount > 0 else "−"
    parts = (
        f"{movement.created_at:%Y-%m-%d %H:%M}",
        f"{sign}{_roubles(abs(movement.amount))}",
        f"balance {_roubles(movement.balance_after)}",
        movement.kind.value,
        # As JSON: whatever somebody wrote there stays on one line and moves no cursor.
        json.dumps(dict(movement.memo), ensure_ascii=False) if movement.memo else "",
    )
    return "  ".join(part for part in parts if part)


def _roubles(kopecks: int) -> str:
    """1 299,00 ₽, with spaces that don't break."""
    sign, whole = "−" if kopecks < 0 else "", abs(kopecks)
    return f"{sign}{whole // 100:,}".replace(",", "\u00a0") + f",{whole % 100:02}\u00a0₽"
