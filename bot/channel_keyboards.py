"""Buttons of channels, posts and the content plan."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from aiogram.types import (
    ChatAdministratorRights,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    KeyboardButtonRequestChat,
    ReplyKeyboardMarkup,
)
from babel.dates import get_day_names, get_timezone_location

from bot.buttons import Row, button, in_rows, marked, markup
from bot.callbacks import ChannelTap, PlanTap, PostTap, PostTo, StatsTap, WeekTap
from bot.caption_keyboards import switches, words
from bot.texts import N_, Texts
from db import zones
from db.posts import FURTHEST, PAGE
from db.states import LatePosts, PostState
from db.team_views import ChannelView, PostRules, PostView

BACK_TO_MENU = N_("‹ To the menu")
QUICK_TIMES: tuple[tuple[int, time, str], ...] = (
    (0, time(18), N_("Today 18:00")),
    (1, time(10), N_("Tomorrow 10:00")),
)
"""Days from today, the time, and the words for it."""
MINUTES = (0, 15, 30, 45)
_MOST_MONTHS = 12
_LINK_BASE = -1_000_000_000_000
"""A channel's id in a link to a message is what its chat id has below this."""

_NO_RIGHTS = {
    name: False
    for name, right in ChatAdministratorRights.model_fields.items()
    if right.is_required()
}
"""Telegram wants to be told of every right; which there are changes with its versions."""


# --- channels ---


def request_channel(tr: Texts, account_id: int) -> ReplyKeyboardMarkup:
    """Telegram's own list of the person's channels; choosing one makes the bot its administrator.

    The answer carries the account's id back, and is not trusted for it.
    """
    rights = ChatAdministratorRights(**_NO_RIGHTS | {"can_post_messages": True})
    asks = KeyboardButtonRequestChat(
        request_id=account_id,
        chat_is_channel=True,
        user_administrator_rights=rights,
        bot_administrator_rights=rights,
        request_title=True,
        request_username=True,
    )
    return ReplyKeyboardMarkup(
        keyboard=[
            [KeyboardButton(text=tr.plain("📣 Choose a channel"), request_chat=asks)],
            [KeyboardButton(text=tr.plain(BACK_TO_MENU))],
        ],
        resize_keyboard=True,
    )


def to_plans(tr: Texts) -> InlineKeyboardMarkup:
    return markup([[plans(tr)]])


def plans(tr: Texts) -> InlineKeyboardButton:
    return button(tr.plain("💎 Plans"), PlanTap(do="show", account_id=0), "primary")


def channels(
    tr: Texts, listed: Sequence[ChannelView], rules: PostRules, way: InlineKeyboardButton
) -> InlineKeyboardMarkup:
    """`way`: to one more channel."""
    rows = [
        [
            button(
                f"⚠️ {channel.title}" if channel.broken_reason else _label(channel),
                ChannelTap(do="open", channel_id=channel.id),
            )
        ]
        for channel in listed
    ]
    asks = rules.late_posts is LatePosts.ASK
    late = tr.plain("Late posts: ask me") if asks else tr.plain("Late posts: send them")
    other = LatePosts.SEND if asks else LatePosts.ASK
    return markup(
        [
            *rows,
            [way],
            [_week(tr)],
            *in_rows(
                [
                    button(f"🕒 {zone_name(tr, rules.time_zone)}", ChannelTap(do="zones")),
                    button(late, ChannelTap(do="late", value=other)),
                ],
                2,
            ),
        ]
    )


def _label(channel: ChannelView) -> str:
    return f"🧊 {channel.title}" if channel.is_frozen else channel.title


def to_week(tr: Texts) -> InlineKeyboardMarkup:
    return markup([[_week(tr)]])


def _week(tr: Texts) -> InlineKeyboardButton:
    return button(tr.plain("🗓 Content plan"), WeekTap())


def none_yet(tr: Texts, connect_url: str | None) -> InlineKeyboardMarkup:
    return markup([[connect(tr, connect_url)]])


def connect(tr: Texts, url: str | None) -> InlineKeyboardButton:
    """`url`: where a group's members connect one; None: here."""
    label = tr.plain("➕ Connect a channel")
    if url is None:
        return button(label, ChannelTap(do="connect"))
    return InlineKeyboardButton(text=label, url=url)


def channel(tr: Texts, channel: ChannelView) -> InlineKeyboardMarkup:
    return markup(
        [
            [plans(tr)] if channel.is_frozen else [],
            [button(tr.plain("🗑 Disconnect"), ChannelTap(do="remove", channel_id=channel.id))],
            [_all_channels(tr)],
        ]
    )


def sure_to_remove(tr: Texts, channel_id: int) -> InlineKeyboardMarkup:
    sure = ChannelTap(do="sure", channel_id=channel_id)
    keep = ChannelTap(do="open", channel_id=channel_id)
    return markup(
        [
            [
                button(tr.plain("🗑 Yes, disconnect"), sure, "danger"),
                button(tr.plain("‹ Keep it"), keep),
            ]
        ]
    )


def _all_channels(tr: Texts) -> InlineKeyboardButton:
    return button(tr.plain("‹ All channels"), ChannelTap(do="list"))


def time_zones(tr: Texts, present: str) -> InlineKeyboardMarkup:
    buttons = [
        button(
            marked(zone_name(tr, zone), zone == present),
            ChannelTap(do="zone", value=str(number)),
        )
        for number, zone in enumerate(zones.ZONES)
    ]
    return markup([*in_rows(buttons, 3), [_all_channels(tr)]])


def zone_name(tr: Texts, zone: str) -> str:
    """The city that a time zone is named for."""
    return get_timezone_location(zone, locale=tr.locale, return_city=True)


# --- a post ---


def which_channel(tr: Texts, task_id: int, listed: Sequence[ChannelView]) -> InlineKeyboardMarkup:
    return markup(
        [button(_label(channel), PostTo(task_id=task_id, channel_id=channel.id))]
        for channel in listed
    )


def post(tr: Texts, post: PostView, now: datetime) -> InlineKeyboardMarkup | None:
    """What can be done with a post as it stands."""
    if post.state is PostState.DRAFT:
        return _draft(tr, post)
    if post.state is PostState.UNKNOWN:
        return _doubt(tr, post)
    if is_going(post, now) or post.state is PostState.CANCELLED:
        return None
    write = _tap(tr, N_("✏️ Caption"), post, "write")
    if post.state is PostState.SENT and not post.message_ids:
        return None
    if post.state is PostState.SENT:
        link = message_link(post.channel.chat_id, post.channel.username, post.message_ids[0])
        there = InlineKeyboardButton(text=tr.plain("↗️ Open in the channel"), url=link)
        return markup([*in_rows([write, there], 2), *switches(tr, post)])
    late = post.state is not PostState.SCHEDULED
    return markup(
        [
            [
                _tap(tr, N_("🚀 Now"), post, "now", style="primary" if late else None),
                _tap(tr, N_("🕒 Another time"), post, "times"),
            ],
            [write, _tap(tr, N_("✕ Call off"), post, "cancel")],
            *switches(tr, post),
        ]
    )


def message_link(chat_id: int, username: str | None, message_id: int) -> str:
    """Where a channel's message is: of a private channel it opens for its members."""
    chat = username or f"c/{_LINK_BASE - chat_id}"
    return f"https://t.me/{chat}/{message_id}"


def is_going(post: PostView, now: datetime) -> bool:
    """Whether it is on its way at this moment."""
    is_due = post.publish_at is not None and post.publish_at <= now
    return post.state is PostState.SENDING or (post.state is PostState.SCHEDULED and is_due)


def _draft(tr: Texts, post: PostView) -> InlineKeyboardMarkup:
    pictures = [
        button(
            marked(str(rank), rank in post.ranks),
            PostTap(do="ranks", post_id=post.id, value=_toggled(post.ranks, rank)),
        )
        for rank in post.album_ranks
    ]
    # The one picture that is left can't be taken out: its button leads to what is.
    return markup(
        [
            pictures if len(pictures) > 1 else [],
            *words(tr, post),
            *switches(tr, post),
            [_tap(tr, N_("👁 See it, then choose the time"), post, "preview", style="primary")],
            [_tap(tr, N_("✕ Don't publish"), post, "sure")],
        ]
    )


def _toggled(ranks: Sequence[int], rank: int) -> str:
    """What a tap leads to, not a step: a tap handled twice leads to the same."""
    changed = set(ranks) ^ {rank} or {rank}
    return "".join(str(one) for one in sorted(changed))


def _doubt(tr: Texts, post: PostView) -> InlineKeyboardMarkup:
    return markup(
        [
            [
                _tap(tr, N_("✅ Yes, it is there"), post, "arrived", str(post.attempt)),
                _tap(tr, N_("🔁 No, send it again"), post, "again", str(post.attempt)),
            ]
        ]
    )


def _tap(
    tr: Texts, label: str, post: PostView, do: str, value: str = "", style: str | None = None
) -> InlineKeyboardButton:
    return button(tr.plain(label), PostTap(do=do, post_id=post.id, value=value), style)


def to_post(tr: Texts, post_id: int) -> InlineKeyboardMarkup:
    return markup([[button(tr.plain("📣 Open the post"), PostTap(do="show", post_id=post_id))]])


def sure_to_cancel(tr: Texts, post: PostView) -> InlineKeyboardMarkup:
    sure = PostTap(do="sure", post_id=post.id)
    return markup(
        [
            [
                button(tr.plain("✕ Yes, call it off"), sure, "danger"),
                _tap(tr, N_("‹ Keep it"), post, "show"),
            ]
        ]
    )


def stop_writing(tr: Texts, post: PostView) -> InlineKeyboardMarkup:
    return markup([[_tap(tr, N_("‹ Leave it as it is"), post, "stop")]])


# --- when ---


def times(tr: Texts, post: PostView, today: datetime) -> InlineKeyboardMarkup:
    """`today` is the present moment on the clocks of the account's time zone."""
    quick = [
        _tap(tr, label, post, "quick", f"{at:%Y%m%d%H%M}")
        for at, label in quick_times(today)
        if _is_ahead(post, at, today)
    ]
    return markup(
        [
            [_tap(tr, N_("🚀 Now"), post, "now", style="primary")],
            quick,
            [_tap(tr, N_("📅 Day and hour"), post, "month", f"{today:%Y%m}")],
            [_tap(tr, N_("‹ Back"), post, "show")],
        ]
    )


def quick_times(today: datetime) -> list[tuple[datetime, str]]:
    """What the clocks show then, and the words that are true for it today."""
    return [
        (datetime.combine(today.date() + timedelta(days=days), at), label)
        for days, at, label in QUICK_TIMES
    ]


def _is_ahead(post: PostView, at: datetime, today: datetime) -> bool:
    """Whether the clocks are still to show `at`: the change to summer time leaves an hour out."""
    moment = zones.moment(at.date(), at.time(), post.time_zone)
    return moment > today and zones.local(moment, post.time_zone).replace(tzinfo=None) == at


def month(
    tr: Texts, post: PostView, year: int, month: int, today: datetime
) -> InlineKeyboardMarkup:
    """The weeks of a month that are not past, days that can't be chosen without effect."""
    names = get_day_names("short", locale=tr.locale)
    furthest = (today + FURTHEST).date()
    nothing = PostTap(do="nothing", post_id=post.id)
    rows: list[Row] = [[button(names[day], nothing) for day in range(7)]]
    for week in calendar.Calendar().monthdatescalendar(year, month):
        if week[-1] < today.date():
            continue
        rows.append(
            [
                button(str(day.day), PostTap(do="day", post_id=post.id, value=f"{day:%Y%m%d}"))
                if day.month == month and day < furthest and _hours_ahead(post, day, today, 23)
                else button("·", nothing)
                for day in week
            ]
        )
    at = year * 12 + month - 1
    first = today.year * 12 + today.month - 1
    paging = [
        _tap(tr, label, post, "month", f"{other // 12:04}{other % 12 + 1:02}")
        for other, label in ((at - 1, N_("‹ Earlier")), (at + 1, N_("Later ›")))
        if first <= other <= first + _MOST_MONTHS
    ]
    return markup([*rows, paging, [_tap(tr, N_("‹ Back"), post, "times")]])


def hours(tr: Texts, post: PostView, day: date, today: datetime) -> InlineKeyboardMarkup:
    """The hours of a day that are still to come."""
    buttons = [
        button(f"{hour:02}:00", PostTap(do="hour", post_id=post.id, value=f"{day:%Y%m%d}{hour:02}"))
        for hour in _hours_ahead(post, day, today)
    ]
    back = _tap(tr, N_("‹ Back"), post, "month", f"{day:%Y%m}")
    return markup([*in_rows(buttons, 6), [back]])


def _hours_ahead(post: PostView, day: date, today: datetime, first: int = 0) -> list[int]:
    """The hours, from the `first` one on, in which a time can still be chosen."""
    last = [datetime.combine(day, time(hour, MINUTES[-1])) for hour in range(first, 24)]
    return [at.hour for at in last if _is_ahead(post, at, today)]


def minutes(
    tr: Texts, post: PostView, day: date, hour: int, today: datetime
) -> InlineKeyboardMarkup:
    buttons = [
        button(
            f"{hour:02}:{minute:02}",
            PostTap(do="at", post_id=post.id, value=f"{day:%Y%m%d}{hour:02}{minute:02}"),
        )
        for minute in MINUTES
        if _is_ahead(post, datetime.combine(day, time(hour, minute)), today)
    ]
    back = _tap(tr, N_("‹ Back"), post, "day", f"{day:%Y%m%d}")
    return markup([buttons, [back]])


# --- the plan ---


def week(
    tr: Texts, posts: Sequence[PostView], monday: date, offset: int, total: int
) -> InlineKeyboardMarkup:
    """A number for each post of the page, then the way to others and to other weeks."""
    numbers = [
        button(str(number), PostTap(do="show", post_id=post.id))
        for number, post in enumerate(posts, start=offset + 1)
    ]
    more: Row = []
    if offset:
        before = WeekTap(monday=f"{monday:%Y%m%d}", offset=max(0, offset - PAGE))
        more.append(button(tr.plain("‹ Earlier"), before))
    if offset + PAGE < total:
        after = WeekTap(monday=f"{monday:%Y%m%d}", offset=offset + PAGE)
        more.append(button(tr.plain("Later ›"), after))
    return markup(
        [
            *in_rows(numbers, 5),
            more,
            [
                button("‹", WeekTap(monday=f"{monday - timedelta(days=7):%Y%m%d}")),
                button(tr.plain("This week"), WeekTap()),
                button("›", WeekTap(monday=f"{monday + timedelta(days=7):%Y%m%d}")),
            ],
            [
                button(tr.plain("📊 Statistics"), StatsTap()),
                button(tr.plain("📣 Channels"), ChannelTap(do="list")),
            ],
        ]
    )
