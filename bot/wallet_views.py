"""What the pages of the wallet say: the balance, what has moved, how to top it up."""

from __future__ import annotations

from collections.abc import Mapping

from aiogram.types import InlineKeyboardMarkup

from bot.buttons import Row, button, in_rows, markup
from bot.callbacks import PlanTap, WalletTap
from bot.settings import PaymentTerms
from bot.texts import N_, Html, Texts
from bot.views import Card
from db.money_views import Movement, MovementPage, OrderView, WalletView
from db.states import PaymentMethod, TransferKind

SUMS = (300_00, 500_00, 1000_00, 3000_00)
"""The top-ups on the buttons, in kopecks."""

_KINDS: dict[TransferKind, str] = {
    TransferKind.TOP_UP: N_("Top-up"),
    TransferKind.CREDIT: N_("Credited by support"),
    TransferKind.SUBSCRIPTION: N_("Plan for a month"),
    TransferKind.UPGRADE: N_("Change of plan"),
    TransferKind.PICTURES: N_("Pictures past the quota"),
    TransferKind.REFUND: N_("Payment given back"),
    TransferKind.REFUND_UNDONE: N_("Payment not given back after all"),
    TransferKind.CHARGEBACK: N_("Payment taken back by Telegram"),
}


def wallet(
    tr: Texts,
    wallet: WalletView,
    page: MovementPage,
    titles: Mapping[str, str],
    *,
    is_first: bool,
) -> Card:
    """The balance and a page of what has moved. `titles`: plans by code."""
    lines = [
        tr("💰 <b>Wallet</b>"),
        tr("Balance: <b>{sum}</b>", sum=tr.roubles(wallet.balance)),
    ]
    if wallet.reserved:
        lines.append(
            tr(
                "Held for pictures being drawn: {held}, free: {free}",
                held=tr.roubles(wallet.reserved),
                free=tr.roubles(wallet.free),
            )
        )
    if wallet.paused:
        lines.append(
            tr(
                "⏸ Paid actions are paused: Telegram took back a payment that was spent already. "
                "Write to the bot's owner, please."
            )
        )
    if page.items:
        for one in page.items:
            lines += [Html(""), _line(tr, one, titles)]
    elif is_first:
        lines += [Html(""), tr("Nothing has moved yet.")]
    return Card(
        Html("\n".join(lines)), _wallet_keyboard(tr, wallet.account_id, page, is_first=is_first)
    )


def _line(tr: Texts, movement: Movement, titles: Mapping[str, str]) -> Html:
    return tr(
        "<b>{sum}</b> · {what}\n<i>{when}</i>",
        sum=signed(tr, movement.amount),
        what=what(tr, movement, titles),
        when=tr.when(movement.created_at),
    )


def signed(tr: Texts, kopecks: int) -> str:
    """With its sign, as movements are written: +500,00 ₽, −18,00 ₽."""
    return f"+{tr.roubles(kopecks)}" if kopecks > 0 else f"−{tr.roubles(-kopecks)}"


def what(tr: Texts, movement: Movement, titles: Mapping[str, str]) -> str:
    """What a movement was for, in a line without markup."""
    words = tr.plain(_KINDS[movement.kind])
    plan, task = movement.memo.get("plan"), movement.memo.get("task")
    if isinstance(plan, str):
        return f"{words}: {titles.get(plan, plan)}"
    if movement.kind is TransferKind.PICTURES and isinstance(task, int):
        return tr.plain("{words}, album {id}", words=words, id=task)
    return words


def _wallet_keyboard(
    tr: Texts, account_id: int, page: MovementPage, *, is_first: bool
) -> InlineKeyboardMarkup:
    def tap(do: str, value: int = 0) -> WalletTap:
        return WalletTap(do=do, account_id=account_id, value=value)

    paging: Row = []
    if not is_first:
        paging.append(button(tr.plain("‹ To the newest"), tap("show")))
    if page.next_before_id is not None:
        paging.append(button(tr.plain("Older ›"), tap("page", page.next_before_id)))
    statement = button(tr.plain("🧾 Statement, CSV"), tap("csv"))
    return markup(
        [
            [button(tr.plain("➕ Top up"), tap("top_up"), "primary")],
            paging,
            [statement] if page.items else [],
            [button(tr.plain("💎 Plan"), PlanTap(do="show", account_id=account_id))],
        ]
    )


# --- topping up ---


def sums(tr: Texts, terms: PaymentTerms, account_id: int) -> Card:
    """How much; in words where there is no way to pay."""

    def tap(do: str, value: int = 0) -> WalletTap:
        return WalletTap(do=do, account_id=account_id, value=value)

    back = [button(tr.plain("‹ Wallet"), tap("show"))]
    if not terms.methods:
        return Card(not_connected(tr), markup([back]))
    offered = [
        button(tr.roubles(kopecks), tap("sum", kopecks))
        for kopecks in SUMS
        if terms.min_kopecks <= kopecks <= terms.max_kopecks
    ]
    other = button(tr.plain("✏️ Another sum"), tap("any"))
    text = tr("➕ <b>Top up the wallet</b>\nBy how much?")
    return Card(text, markup([*in_rows(offered, 2), [other], back]))


def not_connected(tr: Texts) -> Html:
    return tr(
        "🔌 <b>Topping up is not connected yet</b>\n"
        "This bot has no way to take money so far. Its owner can connect Telegram Stars or cards."
    )


def ask_sum(tr: Texts, terms: PaymentTerms, *, in_group: bool) -> Card:
    """The question for any sum."""
    text = tr(
        "✏️ <b>How much, in roubles?</b> From {least} to {most}.",
        least=tr.roubles(terms.min_kopecks),
        most=tr.roubles(terms.max_kopecks),
    )
    if in_group:
        text = Html(text + tr("\n<i>Answer by replying to this message.</i>"))
    stop = button(tr.plain("✕ Cancel"), WalletTap(do="stop", account_id=0))
    return Card(text, markup([[stop]]))


def bad_sum(tr: Texts, terms: PaymentTerms) -> Html:
    return tr(
        "I need a sum from {least} to {most}, as a number: 700 or 1500,50.",
        least=tr.roubles(terms.min_kopecks),
        most=tr.roubles(terms.max_kopecks),
    )


def methods(tr: Texts, terms: PaymentTerms, account_id: int, kopecks: int, plan: str) -> Card:
    """By what to pay this sum; `plan` is what the money is for."""
    rows = [
        [
            button(
                _method(tr, terms, method, kopecks),
                WalletTap(do="pay", account_id=account_id, value=kopecks, method=method, plan=plan),
                "primary",
            )
        ]
        for method in terms.methods
    ]
    lines = [tr("➕ <b>Top up by {sum}</b>", sum=tr.roubles(kopecks)), tr("How will you pay?")]
    if terms.stars_rate_kopecks is not None:
        rate = tr.roubles(terms.stars_rate_kopecks)
        lines.append(tr("<i>A Star counts as {rate}.</i>", rate=rate))
    back = [button(tr.plain("‹ Another sum"), WalletTap(do="top_up", account_id=account_id))]
    return Card(Html("\n".join(lines)), markup([*rows, back]))


def _method(tr: Texts, terms: PaymentTerms, method: PaymentMethod, kopecks: int) -> str:
    rate = terms.rate(method)
    if rate is None:
        return tr.plain("💳 By card: {sum}", sum=tr.roubles(kopecks))
    return tr.plain("⭐ By Stars: {n} ⭐", n=tr.number(-(-kopecks // rate)))


def invoice_sent(tr: Texts, order: OrderView) -> Card:
    """What the card says once the invoice is below it."""
    text = tr(
        "🧾 The invoice for {sum} is below, good until {when}.",
        sum=tr.roubles(order.credit),
        when=tr.when(order.expires_at),
    )
    back = button(tr.plain("‹ Wallet"), WalletTap(do="show", account_id=order.account_id))
    return Card(text, markup([[back]]))


def below_invoice(tr: Texts, order: OrderView) -> list[Row]:
    cancel = WalletTap(do="cancel", account_id=order.account_id, value=order.id)
    return [[button(tr.plain("✕ Cancel"), cancel)]]
