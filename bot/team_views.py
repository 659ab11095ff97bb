"""What the team's pages, votes and approvals say. Pure, like `views`."""

from __future__ import annotations

from collections.abc import Sequence

from bot import team_keyboards as keyboards
from bot import texts
from bot.team_keyboards import ICONS, ROLES, icon
from bot.texts import N_, Html, Texts
from bot.views import Card, shortened, variants
from db.states import Answer, ApprovalState, Presence, Role
from db.team_views import ApprovalView, MemberView, TeamChoice, TeamView


def role(tr: Texts, role: Role) -> str:
    return tr.plain(ROLES[role])


def team(tr: Texts, team: TeamView) -> Card:
    """Who is in, what they may do, and how many seats are taken."""
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
        tr("{icon} {name}: {role}", icon=icon(one), name=one.name, role=_standing(tr, one))
        for one in team.members[: keyboards.MOST_MEMBERS]
    ]
    if not team.has_owner:
        lines.append(tr("\nThe team has no owner: an administrator of the group can become one."))
    if team.presence is not Presence.ADMINISTRATOR:
        lines.append(
            tr("\n<i>Make me an administrator of the group, and I see at once who leaves it.</i>")
        )
    return Card(Html("\n".join(lines)), keyboards.team(tr, team))


def _standing(tr: Texts, member: MemberView) -> str:
    return tr.plain("removed") if member.is_removed else role(tr, member.role)


_MAY: dict[Role, str] = {
    Role.OWNER: N_("everything, and passes the team on"),
    Role.ADMIN: N_("everything but making admins"),
    Role.EDITOR: N_("draws, chooses, votes, keeps brands, publishes what is approved"),
    Role.APPROVER: N_("votes and approves"),
    Role.VIEWER: N_("only looks"),
}


def member(tr: Texts, member: MemberView) -> Card:
    lines = [
        tr("{icon} <b>{name}</b>: {role}", icon=icon(member), name=member.name,
           role=_standing(tr, member)),
        Html(""),
    ]  # fmt: skip
    lines += [
        tr("{icon} {role}: {rights}", icon=ICONS[one], role=role(tr, one), rights=tr.plain(may))
        for one, may in _MAY.items()
    ]
    return Card(Html("\n".join(lines)), keyboards.member(tr, member))


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
    lines = [tr("👥 <b>For whom do you work here?</b>")]
    lines.append(tr("Drafts, brands, history and quota of this chat are then theirs."))
    lines += [
        tr("👥 {title}: you are its {role}", title=one.title or "", role=role(tr, one.role))
        for one in choices
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
    if approval.before:
        lines.append(tr("After changes: {text}", text=shortened(approval.before, 300)))
    lines += _outcome(tr, approval)
    return Card(Html("\n".join(lines)), keyboards.approval(tr, approval))


def _outcome(tr: Texts, approval: ApprovalView) -> list[Html]:
    names = ", ".join(approval.approved_by)
    if approval.state is ApprovalState.OPEN:
        said = tr("Said yes: {count} of {needed}", count=len(approval.approved_by),
                  needed=approval.needed)  # fmt: skip
        return [Html(said + (tr(" ({names})", names=names) if names else ""))]
    if approval.state is ApprovalState.APPROVED:
        return [tr("Said yes: {names}", names=names)]
    return [tr("{name}: {text}", name=approval.decided_by or "", text=approval.reason or "")]


_QUESTIONS: dict[Answer, str] = {
    Answer.CHANGES: N_(
        "✏️ {name}, what should change? Reply to this message, and I draw a new round."
    ),
    Answer.REJECTED: N_("✕ {name}, why not? Reply to this message with the reason."),
}


def question(tr: Texts, answer: Answer, name: str) -> Html:
    return tr(_QUESTIONS[answer], name=name)
