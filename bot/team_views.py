"""What the team's pages, votes and approvals say. Pure, like `views`."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from bot import team_keyboards as keyboards
from bot import texts
from bot.team_keyboards import ICONS, ROLES, icon
from bot.texts import N_, Html, Texts
from bot.views import Card, shortened, variants
from db.approvals import REASON_MAX
from db.states import Answer, ApprovalState, Presence, Role
from db.team_views import (
    ApprovalView,
    MemberView,
    PastRound,
    RoundDetails,
    TeamChoice,
    TeamView,
)

_NAME_CHARS = 40
"""Of a person or a team: with as many as are listed, a message is within Telegram's 4096."""


def role(tr: Texts, role: Role) -> str:
    return tr.plain(ROLES[role])


def team(tr: Texts, team: TeamView, by: Role | None = None) -> Card:
    """Who is in, how many seats are taken, and what each role may do. `by`: who alone reads it;
    None: the group."""
    lines = [
        tr("👥 <b>{title}</b>", title=team.title or tr.plain("Team")),
        tr(
            "Seats: {taken} of {seats} (viewers need none)",
            taken=team.seats_taken,
            seats=team.seats,
        ),
        tr(
            "An album is approved by {needed} of {able}",
            needed=min(team.approvals_needed, max(1, team.approvers)),
            able=team.approvers,
        ),
        Html(""),
    ]
    lines += [
        tr(
            "{icon} {name}: {role}",
            icon=icon(one),
            name=shortened(one.name, _NAME_CHARS),
            role=_standing(tr, one),
        )
        for one in team.members[: keyboards.MOST_MEMBERS]
    ]
    lines += [Html(""), *_legend(tr)]
    if not team.has_owner:
        lines.append(tr("\nThe team has no owner: an administrator of the group can become one."))
    if team.presence is not Presence.ADMINISTRATOR:
        lines.append(
            tr("\n<i>Make me an administrator of the group, and I see at once who leaves it.</i>")
        )
    return Card(Html("\n".join(lines)), keyboards.team(tr, team, by))


def _standing(tr: Texts, member: MemberView) -> str:
    return tr.plain("removed") if member.is_removed else role(tr, member.role)


_MAY: dict[Role, str] = {
    Role.OWNER: N_("everything, and passes the team on"),
    Role.ADMIN: N_("everything but making admins"),
    Role.EDITOR: N_("draws, chooses, votes, keeps brands, publishes what is approved"),
    Role.APPROVER: N_("votes and approves"),
    Role.VIEWER: N_("looks on and votes"),
}


def _legend(tr: Texts) -> list[Html]:
    """What each role may do."""
    return [
        tr("{icon} {role}: {rights}", icon=ICONS[one], role=role(tr, one), rights=tr.plain(may))
        for one, may in _MAY.items()
    ]


def member(tr: Texts, member: MemberView, by: Role | None = None) -> Card:
    head = tr(
        "{icon} <b>{name}</b>: {role}",
        icon=icon(member),
        name=member.name,
        role=_standing(tr, member),
    )
    lines = [head, Html(""), *_legend(tr)]
    return Card(Html("\n".join(lines)), keyboards.member(tr, member, by))


def newcomer(tr: Texts, data: Mapping[str, object]) -> Card:
    """A notice of `db.newcomers`, for the owner alone."""
    text = tr(
        "👋 <b>{name}</b> works in the team “{team}” now: {role}. Seats taken: {taken} of {seats}.",
        name=shortened(str(data["name"]), _NAME_CHARS),
        team=str(data["team"]) or tr.plain("Team"),
        role=role(tr, Role(str(data["role"]))),
        taken=str(data["taken"]),
        seats=str(data["seats"]),
    )
    return Card(text, keyboards.newcomer(tr, _number(data, "team_id"), _number(data, "user_id")))


def no_seat(tr: Texts, data: Mapping[str, object]) -> Card:
    """A notice of `db.newcomers`, for the owner alone."""
    text = tr(
        "💺 <b>{name}</b> wanted to draw in the team “{team}”, but all seats are taken: {taken} of "
        "{seats}. Make somebody a viewer, or take a larger plan: /plans in the team's group.",
        name=shortened(str(data["name"]), _NAME_CHARS),
        team=str(data["team"]) or tr.plain("Team"),
        taken=str(data["taken"]),
        seats=str(data["seats"]),
    )
    return Card(text, keyboards.no_seat(tr, _number(data, "team_id")))


def _number(data: Mapping[str, object], name: str) -> int:
    value = data[name]
    assert isinstance(value, int)
    return value


def sure_to_transfer(tr: Texts, member: MemberView) -> Card:
    text = tr(
        "Make {name} the owner of the team? You stay as an admin, and only {name} can "
        "give it back.",
        name=member.name,
    )
    return Card(text, keyboards.sure_to_transfer(tr, member))


def workplaces(tr: Texts, choices: Sequence[TeamChoice], present_id: int | None) -> Card:
    if not choices:
        return Card(
            tr(
                "👥 <b>Teams</b>\nYou are in no team yet. Add me to a group: everybody there "
                "draws, votes and approves together."
            )
        )
    lines = [tr("👥 <b>Who do you work for in this chat?</b>")]
    lines.append(tr("Drafts, brands, history and quota here will be theirs."))
    lines += [
        tr(
            "👥 {title}: you are its {role}",
            title=shortened(one.title or "", _NAME_CHARS),
            role=role(tr, one.role),
        )
        for one in choices[: keyboards.MOST_TEAMS]
    ]
    return Card(Html("\n".join(lines)), keyboards.workplaces(tr, choices, present_id))


def works_for(tr: Texts, team: TeamChoice | None) -> Html:
    """Said once somebody has chosen; None: themselves."""
    if team is None:
        return tr(
            "👤 From now on you work for yourself here: drafts, brands, history, wallet and plan "
            "of this chat are your own."
        )
    return tr(
        "👥 From now on you work for <b>{team}</b> here: drafts, brands, history, wallet and plan "
        "of this chat are the team's. Back to yourself: /account",
        team=team.title or tr.plain("Team"),
    )


def belongs_to(tr: Texts, team: TeamChoice | None) -> Html:
    """Of what can't be reached from here; None: it is the person's own."""
    if team is None:
        return tr(
            "This is your own, and you work for a team here now. Choose “Myself” in /account, and "
            "tap again."
        )
    return tr(
        "This belongs to the team “{team}”, and you work for somebody else here now. Choose the "
        "team in /account, and tap again.",
        team=shortened(team.title or tr.plain("Team"), _NAME_CHARS),
    )


def works_alone(tr: Texts, team: str | None) -> Html:
    """Said once where the team that the chat worked for is out of reach."""
    return tr(
        "👤 The chat no longer works for <b>{team}</b>: either you are not in the team any more, "
        "or I am not in its group. From now on you work for yourself here; drafts, brands, "
        "history, wallet and plan are your own. Change that: /account",
        team=team or tr.plain("Team"),
    )


# --- approvals ---

_HEADS: dict[ApprovalState, str] = {
    ApprovalState.OPEN: N_("📨 <b>For approval</b>"),
    ApprovalState.APPROVED: N_("✅ <b>Approved</b>"),
    ApprovalState.CHANGES: N_("✏️ <b>Sent back for changes</b>"),
    ApprovalState.REJECTED: N_("✕ <b>Rejected</b>"),
}


def approval(approval: ApprovalView) -> Card:
    """A round: what it is about, who has said yes, and how it ended."""
    tr = texts.of(approval.locale)
    head = tr(_HEADS[approval.state])
    if approval.round > 1:
        head = Html(head + tr(" · round {n}", n=approval.round))
    lines = [
        head,
        tr("<blockquote>{prompt}</blockquote>", prompt=shortened(approval.cleaned_prompt, 700)),
    ]
    if approval.chosen_rank is not None and approval.pictures > 1:
        lines.append(tr("Chosen: №{rank}", rank=approval.chosen_rank))
    else:
        lines.append(variants(tr, approval.pictures))
    lines.append(tr("Asked by {name}", name=approval.asked_by))
    lines += _leading(tr, approval)
    lines += [_ended(tr, one, 150) for one in approval.past[-_PAST_SHOWN:]]
    lines += _outcome(tr, approval)
    return Card(Html("\n".join(lines)), keyboards.approval(tr, approval))


_PAST_SHOWN = 3
# With these a message with the longest reasons and the largest teams is within Telegram's 4096.
_PAST_TOLD = 4
_PEOPLE_CHARS = 250
_MARKS: dict[ApprovalState, str] = {ApprovalState.CHANGES: "✏️", ApprovalState.REJECTED: "✕"}


def _leading(tr: Texts, approval: ApprovalView) -> list[Html]:
    """The picture with most votes, or those of them that share the lead."""
    if not approval.votes:
        return []
    most = max(approval.votes.values())
    ranks = ", ".join(f"№{rank}" for rank, n in sorted(approval.votes.items()) if n == most)
    return [tr("Leads by votes: {ranks} (👍 {n})", ranks=ranks, n=most)]


def _ended(tr: Texts, past: PastRound, length: int) -> Html:
    return tr(
        "Round {n}: {mark} {name}: {text}",
        n=past.round,
        mark=_MARKS[past.state],
        name=past.decided_by,
        text=shortened(past.reason, length),
    )


def details(tr: Texts, details: RoundDetails) -> Html:
    """All there is to know about a round: for one person, who asked."""
    round_ = details.round
    lines = [tr("ℹ️ <b>Approval, round {n}</b>", n=round_.round)]
    lines.append(
        tr("<blockquote>{prompt}</blockquote>", prompt=shortened(round_.cleaned_prompt, 300))
    )
    lines.append(tr("Asked by {name}", name=round_.asked_by))
    lines += _outcome(tr, round_)
    if details.silent:
        lines.append(tr("No answer yet: {names}", names=_people(details.silent)))
    lines += [
        tr("👍 №{rank}: {names}", rank=rank, names=_people(names))
        for rank, names in details.voters.items()
    ]
    lines += [_ended(tr, one, REASON_MAX) for one in round_.past[-_PAST_TOLD:]]
    return Html("\n".join(lines))


def _people(names: Sequence[str]) -> str:
    return shortened(", ".join(names), _PEOPLE_CHARS)


def _outcome(tr: Texts, approval: ApprovalView) -> list[Html]:
    names = _people(approval.approved_by)
    if approval.state is ApprovalState.OPEN:
        said = tr("Said yes: {count} of {needed}", count=len(approval.approved_by),
                  needed=approval.needed)  # fmt: skip
        return [Html(said + (tr(" ({names})", names=names) if names else ""))]
    if approval.state is ApprovalState.APPROVED:
        return [tr("Said yes: {names}", names=names)]
    return [tr("{name}: {text}", name=approval.decided_by or "", text=approval.reason or "")]


def reminder(tr: Texts, data: Mapping[str, object]) -> Card:
    """A notice of `db.reminders`: whom an album waits for, each by a link that rings at theirs."""
    head = tr("⏰ <b>An album waits for approval</b>")
    prompt = tr("<blockquote>{prompt}</blockquote>", prompt=str(data["prompt"]))
    silent = data["silent"]
    assert isinstance(silent, tuple)
    links = [
        f'<a href="tg://user?id={user_id}">{html.escape(name)}</a>' for user_id, name in silent
    ]
    lines = [head, prompt]
    if links:
        lines.append(tr("No answer yet: {names}", names=Html(", ".join(links))))
    return Card(Html("\n".join(lines)), keyboards.open_round(tr, _number(data, "approval_id")))


_QUESTIONS: dict[Answer, str] = {
    Answer.CHANGES: N_(
        "✏️ {name}, what should change? Reply to this message, and I draw a new round."
    ),
    Answer.REJECTED: N_("✕ {name}, why not? Reply to this message with the reason."),
}


def question(tr: Texts, answer: Answer, name: str) -> Html:
    return tr(_QUESTIONS[answer], name=name)
