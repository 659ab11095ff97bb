"""The buttons of the team's pages, of votes, and of approvals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from bot.buttons import Row, button, in_rows, marked, markup
from bot.callbacks import ApprovalTap, JournalTap, TeamTap, VoteTap, WorkplaceTap
from bot.texts import N_, Texts
from db.reminders import AFTER_H
from db.rights import Action, allowed
from db.states import ApprovalState, Role
from db.team_views import ApprovalView, JournalPage, MemberView, TeamChoice, TeamView
from db.teams import MOST_NEEDED
from db.views import AlbumView

MOST_MEMBERS = 50
MOST_TEAMS = 50
"""Telegram shows a hundred buttons at most, and 4096 characters above them."""

ROLES: dict[Role, str] = {
    Role.OWNER: N_("owner"),
    Role.ADMIN: N_("admin"),
    Role.EDITOR: N_("editor"),
    Role.APPROVER: N_("approver"),
    Role.VIEWER: N_("viewer"),
}
ICONS: dict[Role, str] = {
    Role.OWNER: "👑",
    Role.ADMIN: "🛡",
    Role.EDITOR: "🖌",
    Role.APPROVER: "☑️",
    Role.VIEWER: "👀",
}


def icon(member: MemberView) -> str:
    return "🚫" if member.is_removed else ICONS[member.role]


def _may(by: Role | None, action: Action) -> bool:
    return by is None or allowed(by, action)


def _to_give(role: Role) -> Action:
    """What it takes to give this role, or another one to who has it."""
    return Action.OWN if role is Role.ADMIN else Action.MANAGE_TEAM


def team(tr: Texts, team: TeamView, by: Role | None = None) -> InlineKeyboardMarkup:
    """`by`: who alone reads it; None: the group, where each does what they may."""

    def tap(do: str, user_id: int = 0, value: str = "") -> TeamTap:
        return TeamTap(do=do, team_id=team.account_id, user_id=user_id, value=value)

    people = [
        button(f"{icon(one)} {one.name[:24]}", tap("member", one.user_id))
        for one in team.members[:MOST_MEMBERS]
    ]
    if not _may(by, Action.MANAGE_TEAM):
        return markup(in_rows(people, 2))
    more = team.approvals_needed % MOST_NEEDED + 1
    settings: list[Row] = [
        [
            button(
                tr.plain("🤝 Approvals needed: {n}", n=team.approvals_needed),
                tap("needed", value=str(more)),
            )
        ]
    ]
    following = AFTER_H[(AFTER_H.index(team.remind_after_h) + 1) % len(AFTER_H)]
    reminders = _reminders(tr, team.remind_after_h)
    settings.append([button(reminders, tap("remind", value=str(following)))])
    settings.append([button(tr.plain("📜 Journal"), JournalTap(team_id=team.account_id))])
    if not team.has_owner and by is None:  # in the group Telegram tells who administers it
        settings.append([button(tr.plain("👑 Become the owner"), tap("claim"))])
    return markup([*in_rows(people, 2), *settings])


def _reminders(tr: Texts, after_h: int) -> str:
    if not after_h:
        return tr.plain("🔕 No reminders")
    return tr.n_plain("🔔 Remind after {n} hour", "🔔 Remind after {n} hours", after_h)


def journal(tr: Texts, page: JournalPage, *, first_page: bool) -> InlineKeyboardMarkup:
    team_id, before_id = page.account_id, page.next_before_id
    paging: Row = []
    if not first_page:
        paging.append(button(tr.plain("‹ To the newest"), JournalTap(team_id=team_id)))
    if before_id is not None:
        older = JournalTap(team_id=team_id, before=before_id)
        paging.append(button(tr.plain("Older ›"), older))
    return markup([paging, [_to_team(tr, team_id)]])


def _to_team(tr: Texts, team_id: int) -> InlineKeyboardButton:
    return button(tr.plain("‹ Team"), TeamTap(do="page", team_id=team_id))


def newcomer(tr: Texts, team_id: int, user_id: int) -> InlineKeyboardMarkup:
    """From the note in the private chat to where their role is given."""
    page = TeamTap(do="member", team_id=team_id, user_id=user_id)
    return markup([[button(tr.plain("👤 Role and rights"), page)]])


def no_seat(tr: Texts, team_id: int) -> InlineKeyboardMarkup:
    """From the note in the private chat to who has the seats."""
    return markup([[button(tr.plain("👥 Team"), TeamTap(do="page", team_id=team_id))]])


def member(tr: Texts, member: MemberView, by: Role | None = None) -> InlineKeyboardMarkup:
    """What can be made of a member; an owner's place is only passed on by themselves. `by` as in
    `team`."""

    def tap(do: str, value: str = "") -> TeamTap:
        return TeamTap(do=do, team_id=member.account_id, user_id=member.user_id, value=value)

    back = [_to_team(tr, member.account_id)]
    if member.role is Role.OWNER or not _may(by, _to_give(member.role)):
        return markup([back])
    if member.is_removed:
        return markup([[button(tr.plain("↩️ Let back in"), tap("role", member.role))], back])
    roles = [
        button(
            marked(tr.plain(ROLES[role]).capitalize(), role is member.role),
            tap("role", role),
        )
        for role in (Role.ADMIN, Role.EDITOR, Role.APPROVER, Role.VIEWER)
        if _may(by, _to_give(role))
    ]
    pass_on = button(tr.plain("👑 Make the owner"), tap("sure"))
    return markup(
        [
            *in_rows(roles, 2),
            [button(tr.plain("🚫 Remove"), tap("remove"))],
            [pass_on] if _may(by, Action.OWN) else [],
            back,
        ]
    )


def sure_to_transfer(tr: Texts, member: MemberView) -> InlineKeyboardMarkup:
    def tap(do: str) -> TeamTap:
        return TeamTap(do=do, team_id=member.account_id, user_id=member.user_id)

    return markup(
        [
            [
                button(tr.plain("👑 Yes, pass it on"), tap("transfer"), "danger"),
                button(tr.plain("‹ Back"), tap("member")),
            ]
        ]
    )


def workplaces(
    tr: Texts, choices: Sequence[TeamChoice], present_id: int | None
) -> InlineKeyboardMarkup:
    own = tr.plain("👤 Myself")
    rows: list[Row] = [[button(marked(own, present_id is None), WorkplaceTap())]]
    for one in choices[:MOST_TEAMS]:
        label = marked(f"👥 {(one.title or '')[:40]}", one.account_id == present_id)
        rows.append([button(label, WorkplaceTap(team_id=one.account_id))])
    return markup(rows)


# --- under a team's album ---


_ASK: dict[ApprovalState | None, str] = {
    None: N_("📨 Ask for approval"),
    ApprovalState.OPEN: N_("🕓 Being approved"),
    ApprovalState.APPROVED: N_("✅ Approved"),
    ApprovalState.CHANGES: N_("📨 Ask for approval again"),
    ApprovalState.REJECTED: N_("📨 Ask for approval again"),
}


def album_rows(tr: Texts, album: AlbumView) -> list[Row]:
    """Votes with their counts, and the way to an approval; nothing on one's own albums."""
    if album.team is None:
        return []
    votes = [
        button(_vote(image.rank, album.team.votes), VoteTap(task_id=album.task_id, rank=image.rank))
        for image in album.images
    ]
    ask = button(tr.plain(_ASK[album.team.approval]), ApprovalTap(do="ask", id=album.task_id))
    return [votes if len(votes) > 1 else [], [ask]]


def _vote(rank: int, votes: Mapping[int, int]) -> str:
    count = votes.get(rank, 0)
    return f"👍 {rank} · {count}" if count else f"👍 {rank}"


def approval(tr: Texts, approval: ApprovalView) -> InlineKeyboardMarkup:
    if approval.state is ApprovalState.OPEN:
        return open_round(tr, approval.id)
    return markup([[_details(tr, approval.id)]])


def open_round(tr: Texts, approval_id: int) -> InlineKeyboardMarkup:
    """What can be said to a round that waits."""

    def tap(do: str) -> ApprovalTap:
        return ApprovalTap(do=do, id=approval_id)

    return markup(
        [
            [button(tr.plain("✅ Approve"), tap("approve"), "success")],
            [
                button(tr.plain("✏️ Changes"), tap("changes")),
                button(tr.plain("✕ Reject"), tap("reject"), "danger"),
            ],
            [_details(tr, approval_id)],
        ]
    )


def _details(tr: Texts, approval_id: int) -> InlineKeyboardButton:
    return button(tr.plain("ℹ️ Details"), ApprovalTap(do="more", id=approval_id))
