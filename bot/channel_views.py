"""What channels, posts and the content plan say. Pure, like `views`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_interval, get_timezone_gmt

from bot import caption_views, texts
from bot import channel_keyboards as keyboards
from bot.texts import N_, Html, Texts
from bot.views import Card, shortened
from db import captions, zones
from db.publishing import LATE, OVER_PLAN
from db.states import LatePosts, PostState
from db.team_views import ChannelView, PostRules, PostView

_LINE_SHOWN = 60

REASONS: dict[str, str] = {
    "no_rights": N_("I have no right to post there"),
    "blocked": N_("I was removed from the channel"),
    "no_chat": N_("there is no such channel any more"),
    "file_missing": N_("the picture's file is lost"),
    "too_large": N_("the file is too large"),
    OVER_PLAN: N_(
        "the channel is over your plan's limit. Take a larger plan: /plans, or disconnect another "
        "channel"
    ),
}
_REFUSED = N_("Telegram did not take it")


def reason(tr: Texts, code: str | None) -> str:
    """Why something could not be sent, in words."""
    return tr.plain(REASONS.get(code or "", _REFUSED))


# --- channels ---


def channels(
    tr: Texts,
    listed: Sequence[ChannelView],
    rules: PostRules,
    connect_url: str | None = None,
    *,
    limit: int,
    manages: bool = True,
) -> Card:
    """The channels of an account and how its posts are scheduled; `limit` is how many its plan
    has. `manages`: whether those who read it, or some of them, may change that."""
    lines = [tr("📣 <b>Channels</b>")]
    lines += [_line(tr, channel) for channel in listed]
    is_over = limit == 0 or any(channel.is_frozen for channel in listed)
    if not manages:
        lines.append(_by_others(tr))
    elif limit == 0:
        lines.append(_none_in_plan(tr))
    elif is_over:
        lines.append(_frozen(tr, limit))
    elif not listed:
        lines.append(
            tr(
                "None is connected yet. Connect yours, and albums can go straight to it: at once "
                "or at a time you choose."
            )
        )
    lines.append(tr("🕒 Time zone: {zone}", zone=zone(tr, rules.time_zone)))
    lines.append(_late(tr, rules))
    if not manages:
        return Card(Html("\n".join(lines)), keyboards.to_week(tr))
    way = keyboards.plans(tr) if is_over else keyboards.connect(tr, connect_url)
    return Card(Html("\n".join(lines)), keyboards.channels(tr, listed, rules, way))


def _late(tr: Texts, rules: PostRules) -> Html:
    """What becomes of posts whose time passed while nobody could send them."""
    hours = LATE // timedelta(hours=1)
    if rules.late_posts is LatePosts.ASK:
        return tr.n(
            "⏰ If I was away and a post is more than {n} hour late, I ask before sending it",
            "⏰ If I was away and a post is more than {n} hours late, I ask before sending it",
            hours,
        )
    return tr("⏰ If I was away and a post is late, I send it as soon as I am back")


def _frozen(tr: Texts, limit: int) -> Html:
    return tr.n(
        "🧊 Frozen is what is over your plan's {n} channel: it stays connected, nothing goes out "
        "there, and it comes back with a larger plan or when another is disconnected.",
        "🧊 Frozen is what is over your plan's {n} channels: it stays connected, nothing goes out "
        "there, and it comes back with a larger plan or when another is disconnected.",
        limit,
    )


def _line(tr: Texts, channel: ChannelView) -> Html:
    if channel.is_frozen:
        return tr("• 🧊 {title}", title=named(channel))
    if channel.broken_reason is None:
        return tr("• {title}", title=named(channel))
    why = reason(tr, channel.broken_reason)
    return tr("• ⚠️ {title}: {reason}", title=named(channel), reason=why)


def named(channel: ChannelView) -> str:
    return f"{channel.title} (@{channel.username})" if channel.username else channel.title


def none_yet(tr: Texts, connect_url: str | None) -> Card:
    text = tr(
        "📣 <b>No channel is connected yet</b>\n"
        "Connect yours, and albums can go straight to it: at once or at a time you choose."
    )
    return Card(text, keyboards.none_yet(tr, connect_url))


def none_by_others(tr: Texts, owner: str | None) -> Card:
    """For who may not connect one."""
    lines = [tr("📣 <b>There is no channel to post to yet</b>"), _by_others(tr)]
    if owner is not None:
        lines.append(tr("The owner is {name}.", name=owner))
    return Card(Html("\n".join(lines)))


def _by_others(tr: Texts) -> Html:
    return tr("The team's owner or an admin connects channels: /channels")


def none_in_plan(tr: Texts) -> Card:
    """The plan has no channels: where they come from, one tap away."""
    return Card(Html("📣 " + _none_in_plan(tr)), keyboards.to_plans(tr))


def _none_in_plan(tr: Texts) -> Html:
    return tr("Your plan has no channels. Larger ones do: /plans")


def connect(tr: Texts) -> Html:
    return tr(
        "📣 <b>Connect a channel</b>\n"
        "Tap the button under the message field and choose a channel of yours: Telegram makes me "
        "its administrator with one right, to post."
    )


def connected(tr: Texts, channel: ChannelView) -> Html:
    return tr(
        "✅ <b>{title}</b> is connected.\nUnder an album tap “To the channel”.",
        title=named(channel),
    )


def not_connected(tr: Texts, *, bot_may: bool) -> Html:
    if bot_may:
        return tr("🚫 Only an administrator who may post in the channel can connect it.")
    return tr(
        "🚫 I can't post there. Make me an administrator of the channel with the right to post, "
        "and choose it again."
    )


def channel(tr: Texts, channel: ChannelView) -> Card:
    text = tr("📣 <b>{title}</b>", title=named(channel))
    if channel.is_frozen:
        text = Html(text + "\n" + _is_frozen(tr))
    elif channel.broken_reason is None:
        text = Html(text + "\n" + tr("All is well: I can post there."))
    else:
        why = reason(tr, channel.broken_reason)
        text = Html(text + "\n" + tr("⚠️ I can't post: {reason}.", reason=why))
        text = Html(text + "\n" + how_to_heal(tr))
    return Card(text, keyboards.channel(tr, channel))


def _is_frozen(tr: Texts) -> Html:
    return tr(
        "🧊 Frozen: your plan has fewer channels. Nothing goes out here until a larger plan comes, "
        "or another channel is disconnected."
    )


def how_to_heal(tr: Texts) -> Html:
    return tr("Make me an administrator with the right to post again, I will notice.")


def sure_to_remove(tr: Texts, channel: ChannelView) -> Card:
    text = tr(
        "Disconnect “{title}”? What is scheduled for it will be called off; what is published "
        "stays.",
        title=named(channel),
    )
    return Card(text, keyboards.sure_to_remove(tr, channel.id))


def time_zones(tr: Texts, rules: PostRules) -> Card:
    text = tr("🕒 <b>By which clock do posts go out?</b>\nWhat is scheduled keeps its moment.")
    return Card(text, keyboards.time_zones(tr, rules.time_zone))


def zone(tr: Texts, name: str) -> str:
    """A time zone as people call it: Москва."""
    return keyboards.zone_name(tr, name)


# --- a post ---


def which_channel(tr: Texts, task_id: int, listed: Sequence[ChannelView]) -> Card:
    return Card(tr("📣 <b>To which channel?</b>"), keyboards.which_channel(tr, task_id, listed))


_HEADS: dict[PostState, str] = {
    PostState.DRAFT: N_("📣 <b>Post to “{channel}”</b>"),
    PostState.SCHEDULED: N_("🗓 <b>Scheduled: {when}</b>\nin “{channel}”"),
    PostState.SENDING: N_("🚀 <b>Publishing</b> in “{channel}”…"),
    PostState.SENT: N_("✅ <b>Published</b> in “{channel}”"),
    PostState.OVERDUE: N_(
        "⏰ <b>Late:</b> it was to go out {when} in “{channel}”, and I was away. Publish it now?"
    ),
    PostState.UNKNOWN: N_(
        "🤔 <b>Not sure that it arrived</b> in “{channel}”.\nLook at the channel: is it there?"
    ),
    PostState.UNDELIVERABLE: N_("📭 <b>Not published</b> in “{channel}”: {reason}."),
    PostState.CANCELLED: N_("🚫 <b>Called off:</b> “{channel}”"),
}


def post_card(locale: str, post: PostView, *, now: datetime) -> Card:
    """Where a post stands, and what can be done with it."""
    tr = texts.of(locale)
    state = PostState.SENDING if keyboards.is_going(post, now) else post.state
    lines = [
        tr(
            _HEADS[state],
            channel=post.channel.title,
            when=when(tr, post.publish_at, post.time_zone) if post.publish_at else "",
            reason=reason(tr, post.reason),
        )
    ]
    is_ahead = state in (PostState.DRAFT, PostState.SCHEDULED)
    if post.channel.is_frozen and is_ahead:
        lines.append(_is_frozen(tr))
    elif post.channel.broken_reason and is_ahead:
        why = reason(tr, post.channel.broken_reason)
        lines.append(tr("⚠️ I can't post: {reason}.", reason=why))
    ranks = ", ".join(f"№{rank}" for rank in post.ranks)
    lines.append(tr("🖼 {pictures}", pictures=ranks))
    lines.append(caption_views.shown(tr, post))
    lines += _after(tr, post)
    return Card(Html("\n".join(lines)), keyboards.post(tr, post, now))


def _after(tr: Texts, post: PostView) -> list[Html]:
    """What there is to say of a published post."""
    if post.state is not PostState.SENT:
        return []
    lines = []
    if post.caption != post.shown_caption:
        lines.append(tr("✏️ The new caption is on its way to the post"))
    if post.reactions:
        lines.append(tr("Reactions: {counts}", counts=_reactions(post)))
    return lines


def _reactions(post: PostView) -> str:
    return " ".join(f"{emoji} {count}" for emoji, count in post.reactions.items())


def when(tr: Texts, moment: datetime, zone_name: str) -> str:
    """A day and time on the clocks of a time zone, which is named: 24 ноября, 18:00 (Москва)."""
    pattern = "d MMMM, HH:mm" if tr.locale == "ru" else "MMMM d, HH:mm"
    shown = format_datetime(moment, pattern, tzinfo=ZoneInfo(zone_name), locale=tr.locale)
    return f"{shown} ({zone(tr, zone_name)})"


def preview(tr: Texts, post: PostView, today: datetime) -> Card:
    """Under the preview: it looks so; when is it to go?"""
    text = tr(
        "👆 <b>This is how it will look</b> in “{channel}”. When shall it go out?\n"
        "<i>{zone} time</i>",
        channel=post.channel.title,
        zone=zone(tr, post.time_zone),
    )
    return Card(text, keyboards.times(tr, post, today))


def times(tr: Texts, post: PostView, today: datetime) -> Card:
    text = tr(
        "🕒 <b>When shall it go out</b> in “{channel}”?\n<i>{zone} time</i>",
        channel=post.channel.title,
        zone=zone(tr, post.time_zone),
    )
    return Card(text, keyboards.times(tr, post, today))


def month(tr: Texts, post: PostView, year: int, month: int, today: datetime) -> Card:
    name = format_date(date(year, month, 1), "LLLL y", locale=tr.locale)
    return Card(tr("📅 <b>{month}</b>", month=name), keyboards.month(tr, post, year, month, today))


def hours(tr: Texts, post: PostView, day: date, today: datetime) -> Card:
    text = tr("🕒 <b>{day}</b>: at what hour?", day=_day(tr, day))
    return Card(text, keyboards.hours(tr, post, day, today))


def minutes(tr: Texts, post: PostView, day: date, hour: int, today: datetime) -> Card:
    text = tr("🕒 <b>{day}</b>: at what minute?", day=_day(tr, day))
    return Card(text, keyboards.minutes(tr, post, day, hour, today))


def _day(tr: Texts, day: date) -> str:
    pattern = "EEEE, d MMMM" if tr.locale == "ru" else "EEEE, MMMM d"
    return format_date(day, pattern, locale=tr.locale)


def elsewhere(tr: Texts, post: PostView) -> Card:
    """In place of a card that would grow stale."""
    text = tr("📣 The post in “{channel}” is open on another card.", channel=post.channel.title)
    return Card(text, keyboards.to_post(tr, post.id))


def sure_to_cancel(tr: Texts, post: PostView) -> Card:
    text = tr("Call off the post in “{channel}”?", channel=post.channel.title)
    return Card(text, keyboards.sure_to_cancel(tr, post))


def caption_question(tr: Texts, post: PostView, *, in_group: bool) -> Card:
    text = tr(
        "✏️ <b>Send the caption</b> for “{channel}”, up to {limit} characters. Bold, links and "
        "the like come along as you write them.",
        channel=post.channel.title,
        limit=captions.room(post.parts),
    )
    if in_group:
        text = Html(text + "\n" + tr("Reply to this message."))
    return Card(text, keyboards.stop_writing(tr, post))


# --- the plan ---

_ICONS: dict[PostState, str] = {
    PostState.SCHEDULED: "🕒",
    PostState.OVERDUE: "⏰",
    PostState.SENDING: "🚀",
    PostState.SENT: "✅",
    PostState.UNKNOWN: "🤔",
    PostState.UNDELIVERABLE: "📭",
}


def week(
    tr: Texts, found: Sequence[PostView], monday: date, offset: int, total: int, time_zone: str
) -> Card:
    """A week's posts day by day, as many as fit on a page."""
    days = format_interval(monday, monday + timedelta(days=6), "MMMd", locale=tr.locale)
    lines = [tr("🗓 <b>Content plan</b>: {days}", days=days)]
    day: date | None = None
    for number, post in enumerate(found, start=offset + 1):
        assert post.publish_at is not None
        local = zones.local(post.publish_at, time_zone)
        if local.date() != day:
            day = local.date()
            lines.append(tr("\n<b>{day}</b>", day=_day(tr, day)))
        lines.append(_plan_line(tr, number, post, local))
    if not found:
        lines.append(tr("\nNothing yet. Under an album tap “To the channel”."))
    offset_shown = get_timezone_gmt(
        datetime.combine(monday, datetime.min.time(), ZoneInfo(time_zone)), locale=tr.locale
    )
    lines.append(tr("\n<i>{zone}, {offset}</i>", zone=zone(tr, time_zone), offset=offset_shown))
    return Card(Html("\n".join(lines)), keyboards.week(tr, found, monday, offset, total))


def _plan_line(tr: Texts, number: int, post: PostView, local: datetime) -> Html:
    # Signatures and hashtags are the same in every row.
    said = texts.without_markup(Html(post.parts.body)).replace("\n", " ")
    line = tr(
        "{number}. {icon} {time} {channel}: {what}",
        number=number,
        icon=_ICONS[post.state],
        time=f"{local:%H:%M}",
        channel=shortened(post.channel.title, 30),
        what=shortened(said, _LINE_SHOWN) or ", ".join(f"№{rank}" for rank in post.ranks),
    )
    return Html(f"{line} · {shortened(_reactions(post), 30)}") if post.reactions else line


def short_day(tr: Texts, day: date) -> str:
    """Without the year: 24 ноября."""
    return format_date(day, "d MMMM" if tr.locale == "ru" else "MMMM d", locale=tr.locale)
