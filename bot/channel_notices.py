"""What an account is told of its channels and posts without having asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from aiogram.types import InlineKeyboardMarkup

from bot import channel_keyboards, channel_views
from bot.buttons import button, markup
from bot.callbacks import ChannelTap, PostTap, WeekTap
from bot.texts import Html, Texts
from bot.views import Card

Data = Mapping[str, object]

_THIS_WEEK = WeekTap()


def _broken(tr: Texts, data: Data) -> Card:
    why = channel_views.reason(tr, _code(data))
    text = tr("⚠️ <b>I can't post in “{channel}”:</b> {reason}.", channel=_channel(data), reason=why)
    return Card(Html(text + "\n" + channel_views.how_to_heal(tr)), _channels(tr))


def _healed(tr: Texts, data: Data) -> Card:
    return Card(tr("✅ I can post in “{channel}” again.", channel=_channel(data)), _plan(tr))


def _unknown(tr: Texts, data: Data) -> Card:
    text = tr(
        "🤔 <b>Not sure that the post arrived</b> in “{channel}”, {when}.\n"
        "Look at the channel: is it there?",
        channel=_channel(data),
        when=_when(tr, data),
    )
    rows = [
        [
            button(tr.plain("✅ Yes, it is there"), _tap(data, "arrived", str(data["attempt"]))),
            button(tr.plain("🔁 No, send it again"), _tap(data, "again", str(data["attempt"]))),
        ]
    ]
    return Card(text, markup(rows))


def _undeliverable(tr: Texts, data: Data) -> Card:
    text = tr(
        "📭 <b>The post was not published</b> in “{channel}”, {when}: {reason}.",
        channel=_channel(data),
        when=_when(tr, data),
        reason=channel_views.reason(tr, _code(data)),
    )
    return Card(text, _open(tr, data))


def _overdue(tr: Texts, data: Data) -> Card:
    text = tr(
        "⏰ <b>A post is late:</b> it was to go out {when} in “{channel}”, and I was away.",
        channel=_channel(data),
        when=_when(tr, data),
    )
    return Card(text, _open(tr, data))


def _many_overdue(tr: Texts, data: Data) -> Card:
    count = data["count"]
    assert isinstance(count, int)
    text = tr.n(
        "⏰ <b>{n} post is late:</b> I was away when it was to go out. What is to become of it?",
        "⏰ <b>{n} posts are late:</b> I was away when they were to go out. What is to become of "
        "them?",
        count,
    )
    first = date.fromisoformat(str(data["first_day"]))
    return Card(text, _plan(tr, WeekTap(monday=f"{first:%Y%m%d}")))


def _edit_refused(tr: Texts, data: Data) -> Card:
    text = tr(
        "✏️ <b>The caption could not be changed</b> in “{channel}”: {reason}. The post shows what "
        "it showed.",
        channel=_channel(data),
        reason=channel_views.reason(tr, _code(data)),
    )
    return Card(text, _open(tr, data))


WORDS: dict[str, Callable[[Texts, Data], Card]] = {
    "channel_broken": _broken,
    "channel_healed": _healed,
    "post_unknown": _unknown,
    "post_undeliverable": _undeliverable,
    "post_overdue": _overdue,
    "posts_overdue": _many_overdue,
    "post_edit_refused": _edit_refused,
}


def _channel(data: Data) -> str:
    return str(data["channel"])


def _code(data: Data) -> str | None:
    return None if data["reason"] is None else str(data["reason"])


def _when(tr: Texts, data: Data) -> str:
    moment = datetime.fromisoformat(str(data["publish_at"]))
    return channel_views.when(tr, moment, str(data["time_zone"]))


def _tap(data: Data, do: str, value: str = "") -> PostTap:
    return PostTap(do=do, post_id=int(str(data["post_id"])), value=value)


def _open(tr: Texts, data: Data) -> InlineKeyboardMarkup:
    return channel_keyboards.to_post(tr, int(str(data["post_id"])))


def _channels(tr: Texts) -> InlineKeyboardMarkup:
    return markup([[button(tr.plain("📣 Channels"), ChannelTap(do="list"))]])


def _plan(tr: Texts, week: WeekTap = _THIS_WEEK) -> InlineKeyboardMarkup:
    return markup([[button(tr.plain("🗓 Content plan"), week)]])
