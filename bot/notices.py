"""What the bot says of its own accord: each notice of `db.notices` put into words.

`WORDS` has a function for every kind of notice. What a notice was written with is its data: JSON,
so moments are ISO texts in it and sums are kopecks. `account_id` is added to it here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from aiogram.types import InlineKeyboardMarkup, ReplyParameters

from bot import channel_notices, team_views, texts
from bot.buttons import Row, button, markup
from bot.callbacks import PlanTap, WalletTap
from bot.texts import Html, Texts
from bot.views import Card
from db import newcomers, payments, refunds, reminders, renewals
from db.money_views import NoticeClaim

Data = Mapping[str, object]
Words = Callable[[Texts, Data], Card]


def card(claim: NoticeClaim) -> Card:
    """The message of a notice, in its reader's language. Raises KeyError for a kind without
    words."""
    data = {**claim.data, "account_id": claim.account_id}
    return WORDS[claim.kind](texts.of(claim.locale), data)


def thread_of(claim: NoticeClaim) -> int | None:
    """The forum topic that a notice belongs to, if any; one of another chat says nothing here."""
    thread_id = claim.data.get("thread_id")
    is_here = claim.data.get("chat_id") == claim.chat_id
    return thread_id if is_here and isinstance(thread_id, int) else None


def reply_of(claim: NoticeClaim) -> ReplyParameters | None:
    """The card that a notice is about. A group that has moved to another chat has left it there."""
    message_id = claim.data.get("reply_to")
    if not isinstance(message_id, int) or claim.data.get("chat_id") != claim.chat_id:
        return None
    return ReplyParameters(message_id=message_id, allow_sending_without_reply=True)


def is_quiet(claim: NoticeClaim) -> bool:
    """Whether it comes without a sound: nothing has to be done."""
    return claim.kind == newcomers.CAME


def _renewal_soon(tr: Texts, data: Data) -> Card:
    head = tr("⏳ <b>“{plan}” renews {when}</b>", plan=_title(tr, data), when=_when(tr, data, "at"))
    return Card(_lines(head, _lack(tr, data)), _cure(tr, data))


def _grace(tr: Texts, data: Data) -> Card:
    head = tr("⌛ <b>“{plan}” could not be renewed</b>", plan=_title(tr, data))
    then = tr(
        "Until {when} everything goes on as it was; money that comes by then renews it at once. "
        "After that the plan is Free. Albums and brands stay in any case.",
        when=_when(tr, data, "until"),
    )
    return Card(_lines(head, _lack(tr, data), then), _cure(tr, data))


def _renewed(tr: Texts, data: Data) -> Card:
    plan, until = _title(tr, data), _day(tr, data, "until")
    if data["changed"]:
        head = tr("✅ <b>Your plan is “{plan}” now, until {day}</b>", plan=plan, day=until)
    else:
        head = tr("✅ <b>“{plan}” is renewed until {day}</b>", plan=plan, day=until)
    paid = tr("Charged to the wallet: {price}.", price=_roubles(tr, data, "price"))
    return Card(_lines(head, paid, *_frozen(tr, data)), markup([_plans(tr, data)]))


def _freed(tr: Texts, data: Data) -> Card:
    plan = _title(tr, data)
    if data["chosen"]:
        head = tr("⏹ <b>“{plan}” has ended, as you wished</b>", plan=plan)
    else:
        head = tr("⏹ <b>“{plan}” has ended: no money came for it</b>", plan=plan)
    then = tr("Your plan is Free now. Nothing is deleted, and you can come back at any time.")
    return Card(_lines(head, then, *_frozen(tr, data)), markup([_plans(tr, data)]))


def _topped_up(tr: Texts, data: Data) -> Card:
    head = tr("✅ <b>{sum} came to the wallet</b>", sum=_roubles(tr, data, "sum"))
    return Card(_lines(head, _balance(tr, data)), markup([[*_wallet(tr, data), *_plans(tr, data)]]))


def _refunded(tr: Texts, data: Data) -> Card:
    head = tr(
        "↩️ <b>{sum} went back to whoever paid it</b>",
        sum=_roubles(tr, data, "sum"),
    )
    return Card(_lines(head, _balance(tr, data)), markup([_wallet(tr, data)]))


def _charged_back(tr: Texts, data: Data) -> Card:
    head = tr(
        "↩️ <b>Telegram gave back a payment of {sum}</b>",
        sum=_roubles(tr, data, "sum"),
    )
    lack: Html | None = None
    if data["shortfall"]:
        lack = tr(
            "{sum} of it were spent already, so paid actions are paused. Write to the bot's owner.",
            sum=_roubles(tr, data, "shortfall"),
        )
    return Card(_lines(head, _balance(tr, data), lack), markup([_wallet(tr, data)]))


def _balance(tr: Texts, data: Data) -> Html:
    return tr("In the wallet now: {sum}", sum=_roubles(tr, data, "balance"))


WORDS: dict[str, Words] = {
    payments.TOPPED_UP: _topped_up,
    refunds.REFUNDED: _refunded,
    refunds.CHARGED_BACK: _charged_back,
    renewals.RENEWAL_SOON: _renewal_soon,
    renewals.GRACE_BEGAN: _grace,
    renewals.RENEWED: _renewed,
    renewals.FREED: _freed,
    reminders.WAITS: team_views.reminder,
    newcomers.CAME: team_views.newcomer,
    newcomers.NO_SEAT: team_views.no_seat,
    **channel_notices.WORDS,
}


def _lack(tr: Texts, data: Data) -> Html:
    if data["paused"]:
        return tr("Paid actions are paused, so it can't be paid for. Write to the bot's owner.")
    return tr(
        "It costs {price}, and the wallet is {missing} short.",
        price=_roubles(tr, data, "price"),
        missing=_roubles(tr, data, "missing"),
    )


def _frozen(tr: Texts, data: Data) -> list[Html]:
    brands, channels = _number(data, "frozen"), _number(data, "frozen_channels")
    lines = []
    if brands:
        lines.append(
            tr.n(
                "❄️ {n} brand is over the plan's limit: it is kept, and waits for a larger plan.",
                "❄️ {n} brands are over the plan's limit: they are kept, and wait for a larger "
                "plan.",
                brands,
            )
        )
    if channels:
        lines.append(
            tr.n(
                "❄️ {n} channel is over the plan's limit: nothing goes out there until a larger "
                "plan comes.",
                "❄️ {n} channels are over the plan's limit: nothing goes out there until a larger "
                "plan comes.",
                channels,
            )
        )
    return lines


def _cure(tr: Texts, data: Data) -> InlineKeyboardMarkup:
    missing = _number(data, "missing")
    rows: list[Row] = [_plans(tr, data)]
    if missing:
        label = tr.plain("➕ Top up {sum}", sum=tr.roubles(missing))
        top_up = WalletTap(
            do="sum",
            account_id=_number(data, "account_id"),
            value=missing,
            plan=str(data["plan"]),
        )
        rows.insert(0, [button(label, top_up, "primary")])
    return markup(rows)


def _plans(tr: Texts, data: Data) -> Row:
    show = PlanTap(do="show", account_id=_number(data, "account_id"))
    return [button(tr.plain("💎 Plan"), show)]


def _wallet(tr: Texts, data: Data) -> Row:
    show = WalletTap(do="show", account_id=_number(data, "account_id"))
    return [button(tr.plain("💰 Wallet"), show)]


def _title(tr: Texts, data: Data) -> str:
    return str(data["title_ru" if tr.locale == "ru" else "title_en"])


def _number(data: Data, name: str) -> int:
    value = data[name]
    assert isinstance(value, int)
    return value


def _roubles(tr: Texts, data: Data, name: str) -> str:
    return tr.roubles(_number(data, name))


def _when(tr: Texts, data: Data, name: str) -> str:
    return tr.when(datetime.fromisoformat(str(data[name])))


def _day(tr: Texts, data: Data, name: str) -> str:
    return tr.day(datetime.fromisoformat(str(data[name])))


def _lines(*lines: Html | None) -> Html:
    return Html("\n".join(line for line in lines if line is not None))
