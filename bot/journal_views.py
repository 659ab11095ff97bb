"""The team's journal: each line of the audit in words. Pure, like `views`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from babel.dates import format_datetime

from bot import team_keyboards as keyboards
from bot.channel_views import zone
from bot.team_keyboards import ROLES
from bot.texts import N_, Html, Texts
from bot.views import Card, shortened
from db.audit import Deed
from db.states import Presence, Role
from db.team_views import EventView, JournalPage
from db.zones import local

_NAME_CHARS = 60

_PLAIN: dict[Deed, str] = {
    Deed.LEAVE: N_("{name} left"),
    Deed.REMOVE: N_("removed {name}"),
    Deed.TRANSFER: N_("passed the team on to {name}"),
    Deed.CLAIM: N_("became the owner"),
    Deed.APPROVALS: N_("approvals needed: {needed}"),
    Deed.VOTE: N_("voted for №{rank}: {name}"),
    Deed.UNVOTE: N_("took back the vote for №{rank}: {name}"),
    Deed.ASK: N_("asked for approval: {name}"),
    Deed.APPROVE: N_("approved: {name}"),
    Deed.CHANGES: N_("asked for changes, “{reason}”: {name}"),
    Deed.REJECTED: N_("rejected, “{reason}”: {name}"),
    Deed.REMIND: N_("reminded of an approval: {name}"),
    Deed.CHANNEL_ADDED: N_("connected the channel “{channel}”"),
    Deed.CHANNEL_REMOVED: N_("disconnected the channel “{channel}”"),
    Deed.CHANNEL_BROKEN: N_("lost the right to post in “{channel}”"),
    Deed.CHANNEL_HEALED: N_("can post in “{channel}” again"),
    Deed.POST_NOW: N_("sent a post off to “{channel}”"),
    Deed.POST_EDITED: N_("changed a post in “{channel}”"),
    Deed.POST_CANCELLED: N_("called off a post in “{channel}”"),
    Deed.POST_SENT: N_("published a post in “{channel}”"),
    Deed.POST_UNKNOWN: N_("is not sure that a post arrived in “{channel}”"),
    Deed.POST_UNDELIVERABLE: N_("could not publish a post in “{channel}”"),
    Deed.POST_ARRIVED: N_("saw a post in “{channel}”"),
    Deed.POST_AGAIN: N_("sent a post to “{channel}” once more"),
}


def page(tr: Texts, page: JournalPage, zone_name: str, *, first_page: bool) -> Card:
    """Lines newest first, with who and when by the team's clocks."""
    lines = [tr("📜 <b>Journal</b>"), tr("<i>{zone} time</i>", zone=zone(tr, zone_name))]
    if not page.lines:
        lines.append(tr("Nothing has happened yet."))
    lines += [_line(tr, one, zone_name) for one in page.lines]
    return Card(Html("\n".join(lines)), keyboards.journal(tr, page, first_page=first_page))


def _line(tr: Texts, line: EventView, zone_name: str) -> Html:
    return tr(
        "{when} · {who}: {what}",
        when=_when(tr, line.at, zone_name),
        who=line.by or tr.plain("Vitrina"),
        what=words(tr, line, zone_name),
    )


def words(tr: Texts, line: EventView, zone_name: str) -> Html:
    """What a line tells of. Raises ValueError for no deed of ours."""
    deed = Deed(line.deed)
    if deed in _TOLD:
        return _TOLD[deed](tr, line, zone_name)
    said = {key: shortened(str(value), _NAME_CHARS) for key, value in line.data.items()}
    return tr(_PLAIN[deed], **{"name": _name(line), **said})


def _join(tr: Texts, line: EventView, _: str) -> Html:
    return tr("joined as {role}", role=_role(tr, line, "role"))


def _given(tr: Texts, line: EventView, _: str) -> Html:
    before, role = _role(tr, line, "before"), _role(tr, line, "role")
    return tr("made {name} {role} (was {before})", name=_name(line), role=role, before=before)


def _bot(tr: Texts, line: EventView, _: str) -> Html:
    return tr(_PRESENCES[Presence(str(line.data["presence"]))])


_PRESENCES: dict[Presence, str] = {
    Presence.MEMBER: N_("the bot is a member of the group now"),
    Presence.ADMINISTRATOR: N_("the bot is an administrator of the group now"),
    Presence.RESTRICTED: N_("the bot was restricted in the group"),
    Presence.LEFT: N_("the bot left the group"),
    Presence.KICKED: N_("the bot was removed from the group"),
}


def _reminders(tr: Texts, line: EventView, _: str) -> Html:
    hours = _number(line, "hours")
    if hours == 0:
        return tr("switched reminders off")
    return tr.n("reminders after {n} hour", "reminders after {n} hours", hours)


def _time_zone(tr: Texts, line: EventView, _: str) -> Html:
    return tr("time zone: {zone}", zone=zone(tr, str(line.data["zone"])))


def _late(tr: Texts, line: EventView, _: str) -> Html:
    if line.data["late"] == "ask":
        return tr("late posts: ask first")
    return tr("late posts: send them all the same")


def _scheduled(tr: Texts, line: EventView, zone_name: str) -> Html:
    at = datetime.fromisoformat(str(line.data["at"]))
    return tr(
        "scheduled a post in “{channel}” for {when}",
        channel=str(line.data["channel"]),
        when=_when(tr, at, zone_name),
    )


def _overdue(tr: Texts, line: EventView, _: str) -> Html:
    if "count" in line.data:
        return tr.n("{n} post is late", "{n} posts are late", _number(line, "count"))
    return tr("a post in “{channel}” is late", channel=str(line.data["channel"]))


def _plan(tr: Texts, line: EventView, _: str) -> Html:
    plan, paid = line.what.removeprefix("plan "), _number(line, "sum")
    if paid == 0:
        return tr("chose the plan {plan} for the next period", plan=plan)
    return tr("bought the plan {plan} for {sum}", plan=plan, sum=tr.roubles(paid))


def _pay(tr: Texts, line: EventView, _: str) -> Html:
    if line.data["on"]:
        return tr("pictures past the quota: paid for from the wallet")
    return tr("pictures past the quota: not paid for")


def _top_up(tr: Texts, line: EventView, _: str) -> Html:
    return tr("topped up the wallet by {sum}", sum=tr.roubles(_number(line, "sum")))


_TOLD: dict[Deed, Callable[[Texts, EventView, str], Html]] = {
    Deed.JOIN: _join,
    Deed.ROLE: _given,
    Deed.BOT: _bot,
    Deed.REMINDERS: _reminders,
    Deed.TIME_ZONE: _time_zone,
    Deed.LATE_POSTS: _late,
    Deed.POST_AT: _scheduled,
    Deed.POST_OVERDUE: _overdue,
    Deed.PLAN: _plan,
    Deed.PAY_PER_PICTURE: _pay,
    Deed.TOP_UP: _top_up,
}


def _name(line: EventView) -> str:
    return shortened(line.name or "", _NAME_CHARS)


def _role(tr: Texts, line: EventView, field: str) -> str:
    return tr.plain(ROLES[Role(str(line.data[field]))])


def _number(line: EventView, field: str) -> int:
    value = line.data[field]
    assert isinstance(value, int)
    return value


def _when(tr: Texts, moment: datetime, zone_name: str) -> str:
    pattern = "d MMM, HH:mm" if tr.locale == "ru" else "MMM d, HH:mm"
    return format_datetime(local(moment, zone_name), pattern, locale=tr.locale)
