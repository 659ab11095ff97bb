"""What the pages of the plans say: what each gives, what changing costs, when it renews."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from bot.buttons import Row, button, in_rows, marked, markup
from bot.callbacks import PlanTap, WalletTap
from bot.texts import Html, Texts
from bot.views import Card, of_team
from db.models.plans import FREE
from db.money_views import PlanView, Quote, Standing, Terms, WalletView
from db.months import add_months

_ROUND = 10_00


def title(tr: Texts, plan: PlanView) -> str:
    return plan.title_ru if tr.locale == "ru" else plan.title_en


def plans(
    tr: Texts,
    standing: Standing,
    offered: Sequence[PlanView],
    wallet: WalletView,
    now: datetime,
    *,
    team: str | None,
) -> Card:
    """Where the account stands, and side by side what each plan gives.

    `team` is the name of the team that pays; None: a person does, for themselves.
    """
    is_team = team is not None
    titles = {plan.code: title(tr, plan) for plan in (standing.plan, *offered)}
    parts = [
        _standing(tr, standing, titles, now, is_team=is_team),
        *(
            _offer(tr, plan, is_present=plan.code == standing.plan.code, is_team=is_team)
            for plan in offered
        ),
        tr("In the wallet: {sum}", sum=tr.roubles(wallet.free)),
    ]
    card = Card(Html("\n\n".join(parts)), _plans_keyboard(tr, standing, offered, titles))
    return card if team is None else of_team(tr, team, card)


def _standing(
    tr: Texts, standing: Standing, titles: dict[str, str], now: datetime, *, is_team: bool
) -> Html:
    period = standing.period
    present = titles[standing.plan.code]
    lines = [
        tr("💎 <b>Plan: {title}</b>, the team's", title=present)
        if is_team
        else tr("💎 <b>Plan: {title}</b>, your own", title=present),
        tr(
            "Pictures left: <b>{left} of {limit}</b>",
            left=tr.number(max(0, period.left)),
            limit=tr.number(period.terms.images_limit),
        ),
    ]
    if period.held:
        lines.append(tr.n("{n} more is being drawn", "{n} more are being drawn", period.held))
    lines.append(_until(tr, standing, titles, now))
    price = tr.roubles(period.terms.picture_price)
    lines.append(
        tr("Past the quota: {price} a picture, from the wallet", price=price)
        if standing.pays_per_picture
        else tr(
            "Past the quota: nothing is drawn or charged until you switch it on, {price} a picture",
            price=price,
        )
    )
    return Html("\n".join(lines))


def _until(tr: Texts, standing: Standing, titles: dict[str, str], now: datetime) -> Html:
    """How long it goes on, and what comes then."""
    period = standing.period
    if standing.grace_until is not None:
        return tr(
            "⚠️ The wallet did not cover the renewal. The plan goes on until {day}: "
            "top up {sum} and it renews by itself.",
            day=tr.day(standing.grace_until),
            sum=tr.roubles(standing.plan.price),
        )
    days = max(0, math.ceil((period.ends_at - now).total_seconds() / 86400))
    left = tr.n(
        "Until {day}, {n} day left", "Until {day}, {n} days left", days, day=tr.day(period.ends_at)
    )
    return Html(f"{left}. {_after(tr, standing, titles)}")


def _after(tr: Texts, standing: Standing, titles: dict[str, str]) -> Html:
    upcoming = standing.next_plan_code
    if upcoming is not None:
        return tr("Then: {title}", title=titles.get(upcoming, upcoming))
    if standing.plan.code == FREE:
        return tr("Then new pictures come, free")
    return tr("Then it renews for {price}", price=tr.roubles(standing.plan.price))


def _offer(tr: Texts, plan: PlanView, *, is_present: bool, is_team: bool) -> Html:
    name = title(tr, plan)
    price = tr.roubles(plan.price)
    if plan.price:
        head = tr("<b>{title}</b> · {price} a month", title=name, price=price)
    else:
        head = tr("<b>{title}</b> · {price}", title=name, price=price)
    if is_present:
        head = Html(head + tr(" · yours"))
    return Html("\n".join([head, *gives(tr, plan.terms, is_team=is_team)]))


def gives(tr: Texts, terms: Terms, *, is_team: bool) -> list[Html]:
    """What a plan gives, most important first; seats only to a team, which has people to sit."""
    pictures = tr.n("{n} picture a month", "{n} pictures a month", terms.images_limit)
    price = tr.roubles(terms.picture_price)
    room = [tr.n("{n} brand", "{n} brands", terms.brand_limit)]
    if terms.channels:
        room.append(tr.n("{n} channel", "{n} channels", terms.channels))
    if is_team:
        room.append(tr.n("{n} seat in the team", "{n} seats in the team", terms.seats))
    lines = [Html(pictures + tr(", past them {price} each", price=price)), Html(" · ".join(room))]
    extras: list[Html] = []
    if terms.auto_best:
        extras.append(tr("the best one is taken at once, with its PNG"))
    if terms.priority > 0:
        extras.append(tr("ahead in the queue"))
    return [*lines, Html(" · ".join(extras))] if extras else lines


def _plans_keyboard(
    tr: Texts,
    standing: Standing,
    offered: Sequence[PlanView],
    titles: dict[str, str],
) -> InlineKeyboardMarkup:
    account_id = standing.period.account_id
    others = [
        _other(tr, standing, plan)
        for plan in offered
        if plan.code != standing.plan.code and plan.code != FREE
    ]
    pays = standing.pays_per_picture
    per_picture = button(
        tr.plain("Pay past the quota: on") if pays else tr.plain("Pay past the quota: off"),
        PlanTap(do="pay", account_id=account_id, value="0" if pays else "1"),
    )
    wallet = button(tr.plain("💰 Wallet"), WalletTap(do="show", account_id=account_id))
    rows = [*in_rows(others, 2), _renewal(tr, standing, titles), [per_picture], [wallet]]
    return markup(rows)


def _other(tr: Texts, standing: Standing, plan: PlanView) -> InlineKeyboardButton:
    """A plan to change to; the one that comes next is marked, and not asked about again."""
    account_id = standing.period.account_id
    label = f"{title(tr, plan)} · {tr.roubles(plan.price)}"
    if plan.code == standing.next_plan_code:
        return button(marked(label, True), PlanTap(do="show", account_id=account_id))
    dearer = plan.price > standing.plan.price
    tap = PlanTap(do="ask", account_id=account_id, value=plan.code)
    return button(label, tap, "primary" if dearer else None)


def _renewal(tr: Texts, standing: Standing, titles: dict[str, str]) -> Row:
    """Stop renewing a paid plan, and take back what was to come after it."""

    def tap(do: str, code: str) -> PlanTap:
        return PlanTap(do=do, account_id=standing.period.account_id, value=code)

    if standing.plan.code == FREE:
        return []
    if standing.grace_until is not None:
        return [button(tr.plain("🔁 Renew now"), tap("ask", standing.plan.code))]
    stop = button(tr.plain("⏹ Don't renew"), tap("ask", FREE))
    if standing.next_plan_code is None:
        return [stop]
    label = tr.plain("↩️ Stay with {title}", title=titles[standing.plan.code])
    stay = button(label, tap("change", standing.plan.code))
    return [stay] if standing.next_plan_code == FREE else [stay, stop]


def ask(
    tr: Texts,
    standing: Standing,
    wanted: PlanView,
    quote: Quote,
    wallet: WalletView,
    now: datetime,
    *,
    least: int,
    brands: int,
    channels: int,
    team: str | None,
) -> Card:
    """What is charged and when it renews, before anything happens.

    `least` is the smallest top-up in kopecks; `brands` and `channels` are how many the account has;
    `team` is who pays, as in `plans`.
    """
    name = title(tr, wanted)
    if quote.kind in ("buy", "upgrade"):
        lines = [*_charge(tr, name, standing, wanted, quote), _purse(tr, quote, wallet)]
    elif wanted.code == FREE:
        lines = [
            tr("⏹ <b>Don't renew “{title}”?</b>", title=title(tr, standing.plan)),
            tr(
                "It goes on until {day}, with all its pictures. Then the plan is “{title}”, "
                "and nothing more is charged.",
                day=tr.day(quote.starts_at),
                title=name,
            ),
        ]
    else:
        lines = [
            tr("⬇️ <b>Change to “{title}” on {day}?</b>", title=name, day=tr.day(quote.starts_at)),
            tr(
                "Until then everything stays as it is, and nothing is charged now. Then: "
                "{price} a month.",
                price=tr.roubles(wanted.price),
            ),
        ]
    lines += gives(tr, wanted.terms, is_team=team is not None)
    lines += _freezes(tr, brands - wanted.terms.brand_limit, channels - wanted.terms.channels)
    card = Card(
        Html("\n".join(lines)), _ask_keyboard(tr, standing, wanted, quote, wallet, now, least)
    )
    return card if team is None else of_team(tr, team, card)


def _freezes(tr: Texts, brands: int, channels: int) -> list[Html]:
    """What is over the limits of a plan, if anything."""
    lines = []
    if brands > 0:
        lines.append(
            tr.n(
                "🧊 {n} brand will be frozen, not deleted: it comes back with a larger plan.",
                "🧊 {n} brands will be frozen, not deleted: they come back with a larger plan.",
                brands,
            )
        )
    if channels > 0:
        lines.append(
            tr.n(
                "🧊 {n} channel will be frozen: nothing goes out there, scheduled posts neither, "
                "until a larger plan comes.",
                "🧊 {n} channels will be frozen: nothing goes out there, scheduled posts neither, "
                "until a larger plan comes.",
                channels,
            )
        )
    return lines


def _charge(tr: Texts, name: str, standing: Standing, wanted: PlanView, quote: Quote) -> list[Html]:
    lines = [tr("💎 <b>Buy “{title}”?</b>", title=name)]
    if quote.credit:
        lines = [
            tr("⬆️ <b>Change to “{title}” at once?</b>", title=name),
            tr(
                "{price} less {credit} for the rest of the present month.",
                price=tr.roubles(quote.price),
                credit=tr.roubles(quote.credit),
            ),
        ]
    # One's own plan is bought while its renewal waits for money: the months go on as they were.
    own = wanted.code == standing.plan.code
    starts_at = standing.period.ends_at if own else quote.starts_at
    renews = add_months(starts_at, 1, starts_at.day)
    return [
        *lines,
        tr("Charged now: <b>{sum}</b>", sum=tr.roubles(quote.to_pay)),
        tr(
            "Renews on {day} for {price}, and every month until you stop it.",
            day=tr.day(renews),
            price=tr.roubles(wanted.price),
        ),
    ]


def _purse(tr: Texts, quote: Quote, wallet: WalletView) -> Html:
    if wallet.free >= quote.to_pay:
        return tr(
            "In the wallet {free}, {rest} will be left.",
            free=tr.roubles(wallet.free),
            rest=tr.roubles(wallet.free - quote.to_pay),
        )
    return tr(
        "In the wallet {free}, <b>{missing} short</b>.",
        free=tr.roubles(wallet.free),
        missing=tr.roubles(quote.to_pay - wallet.free),
    )


def _ask_keyboard(
    tr: Texts,
    standing: Standing,
    wanted: PlanView,
    quote: Quote,
    wallet: WalletView,
    now: datetime,
    least: int,
) -> InlineKeyboardMarkup:
    account_id = standing.period.account_id
    back = button(tr.plain("‹ Plans"), PlanTap(do="show", account_id=account_id))
    missing = quote.to_pay - wallet.free
    if quote.to_pay and missing > 0:
        kopecks = max(_with_spare(standing, quote, missing), least)
        label = tr.plain("➕ Top up {sum}", sum=tr.roubles(kopecks))
        # Its plan goes along, so that the way leads back here.
        top_up = WalletTap(do="sum", account_id=account_id, value=kopecks, plan=wanted.code)
        return markup([[button(label, top_up, "primary")], [back]])
    if quote.to_pay:
        label = tr.plain("✅ Pay {sum}", sum=tr.roubles(quote.to_pay))
        buy = PlanTap(
            do="buy",
            account_id=account_id,
            value=wanted.code,
            period_id=standing.period.id,
            at=int(now.timestamp()),
            sum=quote.to_pay,
        )
        return markup([[button(label, buy, "success")], [back]])
    change = PlanTap(do="change", account_id=account_id, value=wanted.code)
    if wanted.code == FREE:
        return markup([[button(tr.plain("⏹ Don't renew"), change)], [back]])
    return markup([[button(tr.plain("⬇️ Change"), change)], [back]])


def _with_spare(standing: Standing, quote: Quote, missing: int) -> int:
    """What to top up by. The credit for the running month goes on shrinking while the invoice is
    paid, by a 720th of the month's price in an hour; and then the sum is round anyway."""
    if not quote.credit:
        return missing
    spare = standing.period.price // 500
    return -(-(missing + spare) // _ROUND) * _ROUND


def bought(
    tr: Texts, standing: Standing, quote: Quote | None, wallet: WalletView, way_on: Row
) -> Card:
    """What has come of it; `quote` None: it had been done before."""
    name = title(tr, standing.plan)
    lines = [
        tr(
            "✅ <b>“{title}” until {day}</b>",
            title=name,
            day=tr.day(standing.period.ends_at),
        ),
        tr(
            "Pictures left: <b>{left} of {limit}</b>",
            left=tr.number(max(0, standing.period.left)),
            limit=tr.number(standing.period.terms.images_limit),
        ),
    ]
    if quote is not None and quote.to_pay:
        lines.append(
            tr(
                "Charged {sum}, {free} in the wallet.",
                sum=tr.roubles(quote.to_pay),
                free=tr.roubles(wallet.free),
            )
        )
    back = button(tr.plain("‹ Plans"), PlanTap(do="show", account_id=standing.period.account_id))
    return Card(Html("\n".join(lines)), markup([way_on, [back]]))
