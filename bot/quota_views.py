"""What is said of pictures and the quota: a draft's cost, and the ways out when it is empty."""

from __future__ import annotations

from collections.abc import Sequence

from aiogram.types import InlineKeyboardButton

from bot import plan_views
from bot.buttons import Row, button, markup
from bot.callbacks import CureTap, DraftTap, PlanTap, WalletTap
from bot.errands import Errand
from bot.quota import Means
from bot.texts import Html, Texts
from bot.views import Card
from db.money_views import PlanView


def cost(tr: Texts, means: Means, count: int) -> Html:
    """The draft's line about what it takes: «4 из 36 оставшихся картинок и 2 за 18 ₽»."""
    past = means.past(count)
    if past == 0:
        return tr.n(
            "🎟 takes {count} of {n} picture left",
            "🎟 takes {count} of {n} pictures left",
            means.left,
            count=count,
        )
    if not means.pays:
        return tr(
            "🎟 {left} of the month's {limit} pictures left, that is not enough",
            left=tr.number(means.left),
            limit=tr.number(means.limit),
        )
    price = tr.roubles(means.price(count))
    if missing := means.missing(count):
        lacks = tr.roubles(missing)
        return tr("🎟 {n} for {price}, {missing} short", n=past, price=price, missing=lacks)
    if means.left <= 0:
        return tr.n("🎟 {n} picture for {price}", "🎟 {n} pictures for {price}", past, price=price)
    return tr(
        "🎟 takes the last {left} of the month's pictures, and {n} for {price}",
        left=tr.number(means.left),
        n=past,
        price=price,
    )


def cure(
    tr: Texts,
    means: Means,
    errand: Errand,
    offered: Sequence[PlanView],
    *,
    least: int,
    of_team: bool,
) -> Card:
    """What to do when the quota does not cover it, each in one tap; then the way on.

    `least` is the smallest top-up in kopecks. `of_team`: not everybody who reads it may pay.
    """
    count = errand.wanted
    if means.covers(count):
        return Card(_enough(tr, means, count), markup([[go_on(tr, errand)], _to_draft(tr, errand)]))
    lines = [
        tr("🎟 <b>Not enough pictures this month</b>"),
        tr(
            "Needed: {wanted}, left: {left} of {limit}. New ones come on {day}.",
            wanted=count,
            left=tr.number(max(0, means.left)),
            limit=tr.number(means.limit),
            day=tr.day(means.standing.period.ends_at),
        ),
    ]
    if means.wallet.paused:
        lines.append(tr("⏸ Paid actions are paused: Telegram has taken back money already spent."))
    elif means.pays:
        lines.append(
            tr(
                "Past the quota they cost {price}; {free} in the wallet.",
                price=tr.roubles(means.price(count)),
                free=tr.roubles(means.wallet.free),
            )
        )
    else:
        lines.append(
            tr(
                "Paying past the quota stays on: later pictures are paid for from the wallet too, "
                "until it is switched off in /plans."
            )
        )
    if of_team:
        lines.append(tr("<i>Only the team's owner and admins can spend its money.</i>"))
    rows = [*_paid_ways(tr, means, count, offered, least), *_fewer(tr, means, errand)]
    return Card(Html("\n".join(lines)), markup([*rows, _to_draft(tr, errand)]))


def paid_for(tr: Texts) -> Card:
    """Said once paying past the quota was switched on by a draft or an album."""
    return Card(
        tr("👛 Pictures past the quota are paid for now, the next ones too. To stop that: /plans")
    )


def go_on(tr: Texts, errand: Errand) -> InlineKeyboardButton:
    """Presses the button once more that could not be done."""
    assert errand.tap is not None
    return button(tr.plain("✨ Go on"), errand.tap, "primary")


def _enough(tr: Texts, means: Means, count: int) -> Html:
    head = tr("✅ <b>There is enough now</b>")
    return Html(f"{head}\n{cost(tr, means, count)}")


def _paid_ways(
    tr: Texts, means: Means, count: int, offered: Sequence[PlanView], least: int
) -> list[Row]:
    rows: list[Row] = []
    if not means.wallet.paused:
        if not means.pays:
            sum = means.price(count)
            label = tr.plain(
                "👛 Pay past the quota: {n} for {price} now",
                n=means.past(count),
                price=tr.roubles(sum),
            )
            rows.append(
                [
                    button(
                        label,
                        CureTap(do="pay", account_id=means.wallet.account_id, sum=sum),
                        "primary",
                    )
                ]
            )
        elif missing := means.missing(count):
            rows.append([top_up(tr, means.wallet.account_id, max(missing, least))])
    better = next((plan for plan in offered if _is_better(plan, means)), None)
    if better is not None and not means.wallet.paused:
        title, price = plan_views.title(tr, better), tr.roubles(better.price)
        label = tr.n_plain(
            "💎 {title}: {n} picture for {price}",
            "💎 {title}: {n} pictures for {price}",
            better.terms.images_limit,
            title=title,
            price=price,
        )
        ask = PlanTap(do="ask", account_id=means.wallet.account_id, value=better.code)
        rows.append([button(label, ask)])
    return rows


def _is_better(plan: PlanView, means: Means) -> bool:
    now = means.standing.period
    return plan.price > now.price and plan.terms.images_limit > now.terms.images_limit


def top_up(tr: Texts, account_id: int, kopecks: int) -> InlineKeyboardButton:
    """Straight to paying this sum."""
    label = tr.plain("➕ Top up {sum}", sum=tr.roubles(kopecks))
    return button(label, WalletTap(do="sum", account_id=account_id, value=kopecks), "primary")


def _fewer(tr: Texts, means: Means, errand: Errand) -> list[Row]:
    draft_id = draft_of(errand)
    if draft_id is None or not 1 <= means.left < errand.wanted:
        return []
    fewer = DraftTap(request_id=draft_id, do="set", field="count", value=str(means.left))
    label = tr.n_plain("Only {n} variant", "Only {n} variants", means.left)
    return [[button(label, fewer)]]


def _to_draft(tr: Texts, errand: Errand) -> Row:
    draft_id = draft_of(errand)
    if draft_id is None:
        return []
    return [button(tr.plain("‹ To the draft"), DraftTap(request_id=draft_id, do="back"))]


def draft_of(errand: Errand) -> int | None:
    """The draft that the errand would submit."""
    if errand.tap is None or not errand.tap.startswith(f"{DraftTap.__prefix__}:"):
        return None
    return DraftTap.unpack(errand.tap).request_id
