"""What the statistics of posts say. Pure, like `views`.

Only groups of posts that are large enough are put in order; of the others it says that they are too
small, and what was counted.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiogram.types import InlineKeyboardMarkup

from bot import channel_views, names, texts
from bot.buttons import button, in_rows, marked, markup
from bot.callbacks import StatsTap, WeekTap
from bot.channel_keyboards import message_link
from bot.texts import N_, Html, Texts
from bot.views import Card, shortened
from db import stats, zones
from db.stats import Tally, TopPost
from db.team_views import ChannelView
from pipeline import formats
from pipeline.types import Aspect

ON_PAGE = 8
"""Groups of posts."""
_BAR_CELLS = 12
_TITLE_SHOWN = 60

VIEWS: dict[str, str] = {
    "best": N_("🏆 Best"),
    "brand": N_("🎨 Brands"),
    "format": N_("📐 Formats"),
    "hour": N_("🕒 Hours"),
}
PERIODS: dict[int, str] = {
    30: N_("30 days"),
    90: N_("90 days"),
    0: N_("All time"),
}
"""Days back from now; 0: from the beginning."""

_BY: dict[str, str] = {
    "brand": N_("<b>By brand</b>, reactions per post"),
    "format": N_("<b>By format</b>, reactions per post"),
    "hour": N_("<b>By hour</b>, reactions per post"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """What was asked for, and where: `channel` None: all of `channels`."""

    tap: StatsTap
    channels: Sequence[ChannelView]
    channel: ChannelView | None
    time_zone: str


@dataclass(frozen=True, slots=True)
class _Group:
    label: str
    tally: Tally


def brands(tr: Texts, page: Page, found: Mapping[str | None, Tally]) -> Card:
    groups = [
        _Group(name or tr.plain("without a brand"), tally)
        for name, tally in sorted(found.items(), key=lambda one: -one[1].posts)
    ]
    return _breakdown(tr, page, groups)


def sizes(tr: Texts, page: Page, found: Mapping[tuple[int, int], Tally]) -> Card:
    """Generators differ in their pixels: sizes of one shape are one format."""
    tallies: dict[Aspect, Tally] = {}
    for (width, height), tally in found.items():
        aspect = formats.nearest(width, height)
        tallies[aspect] = tallies.get(aspect, Tally()) + tally
    groups = [_Group(names.aspect(tr, aspect), tally) for aspect, tally in tallies.items()]
    return _breakdown(tr, page, groups)


def hours(tr: Texts, page: Page, found: Mapping[int, Tally]) -> Card:
    groups = [_Group(f"{hour:02}:00–{hour:02}:59", found[hour]) for hour in sorted(found)]
    clock = tr("<i>{zone} time</i>", zone=channel_views.zone(tr, page.time_zone))
    return _breakdown(tr, page, groups, clock)


def best(tr: Texts, page: Page, total: Tally, found: Sequence[TopPost]) -> Card:
    """All posts together, and the best of them."""
    lines = _head(tr, page, total)
    if found:
        lines += [Html(""), tr("<b>Most reactions</b>")]
    for place, post in enumerate(found, start=1):
        lines.append(
            tr(
                "{place}. {post}\n{reactions} · {when}",
                place=place,
                post=_linked(post),
                reactions=_reactions(tr, post.reactions),
                when=channel_views.short_day(tr, zones.local(post.sent_at, page.time_zone)),
            )
        )
    return Card(Html("\n".join(lines)), _keyboard(tr, page, groups=0))


def _linked(post: TopPost) -> Html:
    said = texts.without_markup(Html(post.caption)).replace("\n", " ")
    title = shortened(said, _TITLE_SHOWN) or ", ".join(f"№{rank}" for rank in post.ranks)
    link = message_link(post.chat_id, post.username, post.message_id)
    return Html(f'<a href="{link}">{html.escape(title, quote=False)}</a>')


def which_channel(tr: Texts, page: Page) -> Card:
    """The question whose posts to count."""
    everything = page.tap.model_copy(update={"do": "show", "channel_id": 0, "offset": 0})
    rows = [[button(marked(tr.plain("📣 All channels"), not page.channel), everything)]]
    for channel in page.channels:
        tap = everything.model_copy(update={"channel_id": channel.id})
        rows.append([button(marked(channel.title, channel == page.channel), tap)])
    return Card(tr("📊 <b>Which channel's posts?</b>"), markup(rows))


# --- what they share ---


def _breakdown(tr: Texts, page: Page, groups: Sequence[_Group], clock: Html | None = None) -> Card:
    """Large groups by their means, the best first, then small ones in the order given."""
    total = sum((group.tally for group in groups), Tally())
    ranked = [group for group in groups if group.tally.is_enough]
    ranked.sort(key=lambda group: -group.tally.mean)
    listed = ranked + [group for group in groups if not group.tally.is_enough]
    lines = _head(tr, page, total)
    if listed:
        lines += [Html(""), tr(_BY[page.tap.by])]
    lines += [clock] if clock and listed else []
    is_few_said = not total.is_enough
    offset = min(page.tap.offset, max(0, len(listed) - 1) // ON_PAGE * ON_PAGE)
    for place, group in enumerate(listed[offset : offset + ON_PAGE], start=offset + 1):
        if group.tally.is_enough:
            lines.append(_ranked_line(tr, place, group, ranked[0].tally.mean))
        else:
            if not is_few_said:
                lines.append(tr("<i>Too little data, under {n} posts:</i>", n=stats.ENOUGH))
                is_few_said = True
            lines.append(_few_line(tr, group))
    shows_first = offset == 0 and len(ranked) > 1
    if shows_first and stats.may_be_chance(ranked[0].tally, ranked[1].tally):
        lines.append(tr("<i>The first two are so close that it may be chance.</i>"))
    return Card(Html("\n".join(lines)), _keyboard(tr, page, groups=len(listed), offset=offset))


def _ranked_line(tr: Texts, place: int, group: _Group, best: float) -> Html:
    cells = round(group.tally.mean / best * _BAR_CELLS) if best else 0
    return tr(
        "{place}. {label}: <b>{mean}</b> · {posts}\n{bar}",
        place=place,
        label=group.label,
        mean=tr.number(group.tally.mean, decimals=1),
        posts=_posts(tr, group.tally.posts),
        bar="▇" * cells or "·",
    )


def _few_line(tr: Texts, group: _Group) -> Html:
    return tr(
        "• {label}: {posts}, {reactions}",
        label=group.label,
        posts=_posts(tr, group.tally.posts),
        reactions=_reactions(tr, group.tally.reactions),
    )


def _head(tr: Texts, page: Page, total: Tally) -> list[Html]:
    """Which posts these are, how many, and what they had."""
    where = page.channel.title if page.channel else tr.plain("all channels")
    lines = [
        tr("📊 <b>Statistics of posts</b>"),
        tr("{period} · {channel}", period=_period(tr, page.tap.days), channel=where),
    ]
    if not total.posts:
        return [*lines, tr("\nNothing was published in this time.")]
    posts, reactions = _posts(tr, total.posts), _reactions(tr, total.reactions)
    if not total.is_enough:
        few = tr("🤏 Too little data to compare: it takes {n} posts.", n=stats.ENOUGH)
        return [*lines, tr("{posts}, {reactions}", posts=posts, reactions=reactions), few]
    mean = tr.number(total.mean, decimals=1)
    counted = tr(
        "{posts}, {reactions}: <b>{mean}</b> per post", posts=posts, reactions=reactions, mean=mean
    )
    return [*lines, counted]


def _posts(tr: Texts, n: int) -> Html:
    return tr.n("{count} post", "{count} posts", n, count=tr.number(n))


def _reactions(tr: Texts, n: int) -> Html:
    return tr.n("{count} reaction", "{count} reactions", n, count=tr.number(n))


def _period(tr: Texts, days: int) -> str:
    return tr.plain(PERIODS.get(days, PERIODS[0]))


def _keyboard(tr: Texts, page: Page, *, groups: int, offset: int = 0) -> InlineKeyboardMarkup:
    tap = page.tap.model_copy(update={"offset": 0})
    views = [
        button(marked(tr.plain(label), by == tap.by), tap.model_copy(update={"by": by}))
        for by, label in VIEWS.items()
    ]
    periods = [
        button(marked(tr.plain(label), days == tap.days), tap.model_copy(update={"days": days}))
        for days, label in PERIODS.items()
    ]
    paging = [
        button(tr.plain(label), tap.model_copy(update={"offset": other}))
        for other, label in ((offset - ON_PAGE, N_("‹ Back")), (offset + ON_PAGE, N_("More ›")))
        if 0 <= other < groups
    ]
    where = f"📣 {page.channel.title}" if page.channel else tr.plain("📣 All channels")
    ask = button(where, tap.model_copy(update={"do": "channels"}))
    return markup(
        [
            paging,
            *in_rows(views, 2),
            periods,
            [ask] if len(page.channels) > 1 or page.channel else [],
            [button(tr.plain("🗓 Content plan"), WeekTap())],
        ]
    )
